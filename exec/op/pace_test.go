package op

import (
	"slices"
	"testing"
	"time"

	"github.com/tarnlake/tarn/internal/vec"
)

// Pieces cover a batch in order, are small while rows are slow and whole once they are not.
func TestPace(t *testing.T) {
	cut := func(p *pace, b *vec.Batch, spent time.Duration) (rows, sizes []int32) {
		for from := 0; from < b.Rows(); {
			piece, count := p.piece(b, from)
			if piece == nil {
				for i := range b.Len {
					rows = append(rows, int32(i))
				}
			}
			rows, sizes = append(rows, piece...), append(sizes, int32(count))
			p.took(count, spent)
			from += count
		}
		return rows, sizes
	}
	all, some := &vec.Batch{Len: 1000}, &vec.Batch{Len: 1000, Sel: []int32{5, 7, 900}}
	var p pace
	if rows, sizes := cut(&p, all, 0); len(rows) != 1000 || !slices.IsSorted(rows) || !slices.Equal(sizes, []int32{256, 744}) {
		t.Error(len(rows), sizes)
	}
	if rows, sizes := cut(&p, all, 0); len(rows) != 1000 || !slices.Equal(sizes, []int32{1000}) {
		t.Error(len(rows), sizes)
	}
	if rows, _ := cut(&p, some, 0); !slices.Equal(rows, some.Sel) {
		t.Error(rows)
	}
	cut(&p, all, 10*time.Second)
	if rows, sizes := cut(&p, some, time.Second); !slices.Equal(rows, some.Sel) || !slices.Equal(sizes, []int32{1, 1, 1}) {
		t.Error(rows, sizes)
	}
	if rows, _ := cut(&p, all, 2*time.Millisecond); len(rows) != 1000 || !slices.IsSorted(rows) {
		t.Error(len(rows))
	}
}

// However the batches divide into pieces, rows that take long never come in pieces that take much longer than they
// should, and rows that take next to nothing are soon evaluated by whole batches.
func TestPiecesTakeTheTimeTheyShould(t *testing.T) {
	for _, rows := range []int{1, 7, 255, 256, 257, 1000, 2047, 2048} {
		for _, each := range []time.Duration{time.Nanosecond, 300 * time.Nanosecond, 10 * time.Microsecond, 200 * time.Microsecond, 300 * time.Millisecond} {
			var p pace
			batch := vec.Batch{Len: rows}
			var longest time.Duration
			pieces := 0
			for range 40 {
				pieces = 0
				for from := 0; from < rows; pieces++ {
					list, count := p.piece(&batch, from)
					if list != nil && (len(list) != count || int(list[0]) != from) {
						t.Fatalf("rows %d from %d, wanted %d from %d", len(list), list[0], count, from)
					}
					spent := time.Duration(count) * each
					longest = max(longest, spent)
					p.took(count, spent)
					from += count
				}
			}
			if limit := max(slowPiece, firstPiece*each); longest > limit {
				t.Errorf("batches of %d rows of %v: a piece took %v", rows, each, longest)
			}
			if each < 5*time.Microsecond && pieces != 1 {
				t.Errorf("batches of %d rows of %v: still %d pieces", rows, each, pieces)
			}
		}
	}
}
