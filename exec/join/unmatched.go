package join

import (
	"context"
	"sync/atomic"

	"github.com/tarnlake/tarn/exec/op"
	"github.com/tarnlake/tarn/internal/expr"
	"github.com/tarnlake/tarn/internal/plan"
	"github.com/tarnlake/tarn/internal/slots"
	"github.com/tarnlake/tarn/internal/vec"
)

// rightStream gives what the kind gives for right rows once all left rows are joined: those with a
// match (RightSemi) or those without. Several streams with one next share the chunks.
type rightStream struct {
	built   *built
	next    *atomic.Int64 // chunk
	marks   vec.Bitmap
	size    int
	at, end uint32 // rows of the current chunk still to be looked at
	numbers []uint32
	right   []vec.Vector
	out     vec.Batch
}

func newRightStream(b *built, next *atomic.Int64, size int) *rightStream {
	return &rightStream{built: b, next: next, size: size, marks: b.matches.All(int(b.store.Limit())),
		right: make([]vec.Vector, len(b.join.spec.Shape.Right))}
}

func (r *rightStream) Next(ctx context.Context) (*vec.Batch, error) {
	j, store := r.built.join, r.built.store
	chunks := store.Chunks()
	wanted := j.spec.Shape.Kind == plan.RightSemi
	r.numbers = r.numbers[:0]
	for len(r.numbers) < r.size {
		if r.at == r.end {
			i := int(r.next.Add(1)) - 1
			if i >= len(chunks) {
				break
			}
			if err := slots.Edge(ctx); err != nil {
				return nil, err
			}
			r.at, r.end = chunks[i].First, chunks[i].First+chunks[i].Rows
			continue
		}
		if r.marks.Get(int(r.at)) == wanted {
			r.numbers = append(r.numbers, r.at)
		}
		r.at++
	}
	if len(r.numbers) == 0 {
		return nil, nil
	}
	shape := j.spec.Shape
	for _, c := range shape.RightColumns() {
		store.Gather(j.column[c], r.numbers, &r.right[c])
	}
	shape.Assemble(&r.out, op.Nulls(shape.Left, len(r.numbers)), r.right, nil)
	r.out.Len, r.out.Sel = len(r.numbers), nil
	return &r.out, nil
}

func (r *rightStream) Close() error { return nil }

// columnsOf lists the right columns that an expression over left and right columns reads.
func columnsOf(e expr.Expr, left, right int) []int {
	used := map[expr.ColumnID]bool{}
	expr.Columns(e, used)
	var list []int
	for c := range right {
		if used[expr.ColumnID(left+c)] {
			list = append(list, c)
		}
	}
	return list
}
