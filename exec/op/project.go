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

// NewProject computes one column an expression; plain columns are handed on as they are.
func NewProject(list []expr.Expr, input []types.Type) pipeline.Operator {
	return maker(func(d *pipeline.Driver) (pipeline.Transform, error) {
		p := &project{from: make([]int, len(list)), out: vec.Batch{Cols: make([]vec.Vector, len(list))}}
		var computed []expr.Expr
		for i, e := range list {
			if column, ok := e.(*expr.Column); ok {
				p.from[i] = int(column.ID)
				continue
			}
			p.from[i] = -1
			computed = append(computed, e)
		}
		if len(computed) == 0 {
			return p, nil
		}
		var err error
		p.computed = make([]vec.Vector, len(computed))
		p.projection, err = eval.CompileProjection(computed, input, d.Environment.Expressions())
		return p, err
	})
}

type project struct {
	stateless
	from       []int            // input column, or -1 for the next computed one
	projection *eval.Projection // nil: nothing is computed
	computed   []vec.Vector
	pace       pace
	piece, out vec.Batch
}

func (p *project) Process(ctx context.Context, in *vec.Batch, emit pipeline.Emit) error {
	if p.projection == nil {
		return p.hand(in, emit)
	}
	for from, total := 0, in.Rows(); from < total; {
		if err := ctx.Err(); err != nil {
			return context.Cause(ctx)
		}
		rows, count := p.pace.piece(in, from)
		p.piece = *in
		p.piece.Sel = rows
		started := time.Now()
		if err := p.projection.Eval(&p.piece, p.computed); err != nil {
			return err
		}
		p.pace.took(count, time.Since(started))
		if err := p.hand(&p.piece, emit); err != nil {
			return err
		}
		from += count
	}
	return nil
}

// hand gives a batch on, with what was computed of it.
func (p *project) hand(in *vec.Batch, emit pipeline.Emit) error {
	next := 0
	for i, from := range p.from {
		if from >= 0 {
			p.out.Cols[i].Alias(&in.Cols[from])
		} else {
			p.out.Cols[i].Alias(&p.computed[next])
			next++
		}
	}
	p.out.Len, p.out.Sel = in.Len, in.Sel
	return emit(&p.out)
}
