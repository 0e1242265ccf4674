package files

import (
	"testing"

	"github.com/tarnlake/tarn/internal/objstore"
)

// The pieces of a file follow one another without a gap, none reaches over the end of a largest one, they get smaller
// towards the end of a scan, and only there; pieces of ORC do not.
func TestPieces(t *testing.T) {
	const target = 32 << 20
	for _, size := range []int64{1, target / 4, target/4 + 1, target, 100 << 20, 1 << 30, 1 << 40} {
		for _, rest := range []int64{0, 40 << 20, 1 << 40, 1 << 60} {
			for _, format := range []string{"parquet", "orc"} {
				p, err := Cut(nil, objstore.Object{Size: size}, format, nil, nil, target)
				if err != nil {
					t.Fatal(err)
				}
				at, last, whole := 0, finePieces, 0.0
				for {
					piece, more, err := p.Next(t.Context(), rest)
					if err != nil {
						t.Fatal(err)
					}
					if !more {
						break
					}
					end := at + piece.Span
					if piece.Part != at || piece.Span < 1 || at/finePieces != (end-1)/finePieces {
						t.Fatalf("%d bytes of %s: piece %+v after %d", size, format, piece, at)
					}
					if full := min(finePieces, piece.Parts-at); (format == "orc" || rest >= 1<<40) && piece.Span != full {
						t.Errorf("%d bytes of %s before %d others: piece %+v", size, format, rest, piece)
					}
					if at%finePieces == 0 && piece.Span > last {
						t.Errorf("%d bytes of %s before %d others: piece %+v after one of %d", size, format, rest, piece, last)
					}
					if at%finePieces == 0 {
						last = piece.Span
					}
					at, whole = end, whole+p.Part(piece)
				}
				if want := int((size + target/4 - 1) / (target / 4)); at != want || whole < 0.999 || whole > 1.001 {
					t.Errorf("%d bytes of %s: %d of %d parts, %f", size, format, at, want, whole)
				}
				if format == "parquet" && rest == 0 && size > target && last != 1 {
					t.Errorf("%d bytes: the last pieces have %d parts", size, last)
				}
			}
		}
	}
}
