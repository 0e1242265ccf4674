package op

import (
	"context"
	"time"

	"github.com/tarnlake/tarn/exec/eval"
	"github.com/tarnlake/tarn/exec/pipeline"
	"github.com/tarnlake/tarn/internal/expr"
	"github.com/tarnlake/tarn/internal/types"
	"github.com/tarnlake/tarn/internal/vec"
)

// NewFilter keeps the rows for which the predicate is true.
func NewFilter(predicate expr.Expr, input []types.Type) pipeline.Operator {
	return maker(func(d *pipeline.Driver) (pipeline.Transform, error) {
		p, err := eval.CompilePredicate(predicate, input, d.Environment.Expressions())
		return &filter{predicate: p}, err
	})
}

type filter struct {
	stateless
	predicate *eval.Predicate
	pace      pace
	out       vec.Batch
}

func (f *filter) Process(ctx context.Context, in *vec.Batch, emit pipeline.Emit) error {
	for from, total := 0, in.Rows(); from < total; {
		if err := ctx.Err(); err != nil {
			return context.Cause(ctx)
		}
		rows, count := f.pace.piece(in, from)
		started := time.Now()
		selected, err := f.predicate.Select(in, rows)
		if err != nil {
			return err
		}
		f.pace.took(count, time.Since(started))
		f.out = *in
		f.out.Sel = selected
		if len(selected) == in.Len {
			f.out.Sel = nil
		}
		if err := emit(&f.out); err != nil {
			return err
		}
		from += count
	}
	return nil
}
