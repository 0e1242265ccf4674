package optimizer

import (
	"context"

	"github.com/tarnlake/tarn/internal/expr"
	"github.com/tarnlake/tarn/internal/sqlerr"
	"github.com/tarnlake/tarn/internal/types"
	"github.com/tarnlake/tarn/planner/logical"
)

// WithParameters gives a copy of a bound plan, to be optimized, with values for $1, $2, …; values are
// of p.Parameters' types.
func WithParameters(p *logical.Plan, values []types.Datum) (*logical.Plan, error) {
	out := *p
	out.Columns = p.Columns.Clone()
	if len(p.Parameters) > len(values) {
		return nil, sqlerr.New(sqlerr.ProtocolViolation, "bind message supplies %d parameters, but the statement requires %d", len(values), len(p.Parameters))
	}
	if len(p.Parameters) == 0 {
		return &out, nil
	}
	c := &Context{ctx: context.Background(), Plan: &out}
	err := c.rewrite(func(n logical.Node) (logical.Node, error) {
		return mapExprs(n, func(e expr.Expr) (expr.Expr, error) {
			return expr.Rewrite(e, func(x expr.Expr) expr.Expr {
				if p, ok := x.(*expr.Parameter); ok {
					return &expr.Literal{Value: values[p.Index-1], T: p.T}
				}
				return x
			}), nil
		})
	})
	return &out, err
}
