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
	if rows, _ := cut(&p, all, 2*fastPiece); len(rows) != 1000 || !slices.IsSorted(rows) {
		t.Error(len(rows))
	}
}
