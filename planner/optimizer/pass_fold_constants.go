package optimizer

import (
	"github.com/tarnlake/tarn/internal/expr"
	"github.com/tarnlake/tarn/internal/fn"
	"github.com/tarnlake/tarn/planner/logical"
)

// foldConstants replaces expressions over literals by their values. What cannot be evaluated stays,
// so that its error is raised only if a row needs it.
func foldConstants(c *Context) error {
	return c.rewrite(func(n logical.Node) (logical.Node, error) {
		return mapExprs(n, func(e expr.Expr) (expr.Expr, error) { return c.fold(e), nil })
	})
}

func (c *Context) fold(e expr.Expr) expr.Expr {
	return expr.Rewrite(e, func(x expr.Expr) expr.Expr {
		if !c.foldable(x) {
			return x
		}
		value, err := c.Fold(x)
		if err != nil || len(value.Str) > longestText || len(value.Items) > longestArray {
			return x
		}
		return &expr.Literal{Value: value, T: x.Type()}
	})
}

// Longer constants are made where they are used: a plan travels as text, and is kept more than once.
const (
	longestText  = 1 << 16
	longestArray = 10_000
)

func (c *Context) foldable(e expr.Expr) bool {
	switch e := e.(type) {
	case *expr.Literal, *expr.Column, *expr.Parameter, *expr.Lambda:
		return false
	case *expr.Call:
		if o := c.Registry.Overload(e.Function); o == nil || o.Volatility == fn.Volatile {
			return false
		}
	}
	for _, child := range e.Children() {
		if _, ok := child.(*expr.Literal); !ok {
			return false
		}
	}
	return true
}

// foldLimits makes the counts of LIMIT and OFFSET literals, which physical planning needs.
func foldLimits(c *Context) error {
	return c.rewrite(func(n logical.Node) (logical.Node, error) {
		limit, ok := n.(*logical.Limit)
		if !ok {
			return n, nil
		}
		return mapExprs(limit, func(e expr.Expr) (expr.Expr, error) {
			if _, done := e.(*expr.Literal); done {
				return e, nil
			}
			value, err := c.Fold(e)
			if err != nil {
				return nil, err
			}
			return &expr.Literal{Value: value, T: e.Type()}, nil
		})
	})
}
