package op

import (
	"context"

	"github.com/tarnlake/tarn/exec/eval"
	"github.com/tarnlake/tarn/exec/pipeline"
	"github.com/tarnlake/tarn/internal/expr"
	"github.com/tarnlake/tarn/internal/types"
	"github.com/tarnlake/tarn/internal/vec"
)

// NewValues gives constant rows, to one driver.
func NewValues(rows [][]expr.Expr, columns []types.Type) pipeline.Source {
	return &once{open: func(_ context.Context, d *pipeline.Driver) (vec.Source, error) {
		return &values{rows: rows, types: columns, expressions: d.Environment.Expressions(), size: d.Environment.BatchSize}, nil
	}}
}

type values struct {
	rows        [][]expr.Expr
	types       []types.Type
	expressions eval.Env
	size        int
}

func (v *values) Next(ctx context.Context) (*vec.Batch, error) {
	n := min(len(v.rows), v.size)
	if n == 0 {
		return nil, nil
	}
	out := vec.NewBatch(v.types, n)
	for i, row := range v.rows[:n] {
		if i&255 == 0 && ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		if err := v.row(out, i, row); err != nil {
			return nil, err
		}
	}
	v.rows = v.rows[n:]
	return out, nil
}

func (v *values) row(out *vec.Batch, i int, row []expr.Expr) error {
	for c, e := range row {
		if literal, ok := e.(*expr.Literal); ok {
			out.Cols[c].SetDatum(i, literal.Value)
			continue
		}
		value, err := eval.Fold(e, v.expressions)
		if err != nil {
			return err
		}
		out.Cols[c].SetDatum(i, value)
	}
	return nil
}

func (*values) Close() error { return nil }
