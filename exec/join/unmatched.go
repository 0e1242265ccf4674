package join

import (
	"context"
	"sync/atomic"

	"github.com/tarnlake/tarn/exec/op"
	"github.com/tarnlake/tarn/exec/pipeline"
	"github.com/tarnlake/tarn/internal/expr"
	"github.com/tarnlake/tarn/internal/plan"
	"github.com/tarnlake/tarn/internal/vec"
)

// RightRows gives what the kind gives for right rows once all left rows are joined: those with a
// match (RightSemi) or those without. It comes after a barrier.
func (j *Join) RightRows() pipeline.Source { return &rightRows{join: j} }

type rightRows struct {
	join *Join
	next atomic.Int64 // chunk
}

func (s *rightRows) Open(_ context.Context, d *pipeline.Driver) (vec.Source, error) {
	return &rightStream{source: s, marks: s.join.matches.All(int(s.join.store.Limit())), size: d.Environment.BatchSize,
		right: make([]vec.Vector, len(s.join.spec.Shape.Right))}, nil
}

func (s *rightRows) Close() error { return nil }

type rightStream struct {
	source  *rightRows
	marks   vec.Bitmap
	size    int
	at, end uint32 // rows of the current chunk still to be looked at
	numbers []uint32
	right   []vec.Vector
	out     vec.Batch
}

func (r *rightStream) Next(ctx context.Context) (*vec.Batch, error) {
	j := r.source.join
	chunks := j.store.Chunks()
	wanted := j.spec.Shape.Kind == plan.RightSemi
	r.numbers = r.numbers[:0]
	for len(r.numbers) < r.size {
		if r.at == r.end {
			i := int(r.source.next.Add(1)) - 1
			if i >= len(chunks) {
				break
			}
			if ctx.Err() != nil {
				return nil, context.Cause(ctx)
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
		j.store.Gather(j.column[c], r.numbers, &r.right[c])
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
