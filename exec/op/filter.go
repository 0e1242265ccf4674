package op

import (
	"context"

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
	out       vec.Batch
}

func (f *filter) Process(_ context.Context, in *vec.Batch, emit pipeline.Emit) error {
	selected, err := f.predicate.Select(in, in.Sel)
	if err != nil {
		return err
	}
	f.out = *in
	f.out.Sel = selected
	if len(selected) == in.Len {
		f.out.Sel = nil
	}
	return emit(&f.out)
}
