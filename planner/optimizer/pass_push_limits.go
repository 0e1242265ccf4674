package optimizer

import (
	"github.com/tarnlake/tarn/internal/expr"
	"github.com/tarnlake/tarn/internal/plan"
	"github.com/tarnlake/tarn/internal/types"
	"github.com/tarnlake/tarn/planner/logical"
)

// topNRows is the largest LIMIT + OFFSET for which keeping the best rows beats sorting all.
const topNRows = 1_000_000

// pushLimits makes Limit over Sort a TopN, and moves limits through projections, into the arms of
// UNION ALL, onto the left side of left joins, and to scans.
func pushLimits(c *Context) error {
	return c.rewrite(func(n logical.Node) (logical.Node, error) {
		l, ok := n.(*logical.Limit)
		if !ok {
			return n, nil
		}
		limit, offset, ok := counts(l)
		if !ok {
			return n, nil
		}
		return c.pushLimit(l, limit, offset), nil
	})
}

func counts(l *logical.Limit) (limit, offset int64, ok bool) {
	literal, isLiteral := l.Limit.(*expr.Literal)
	if !isLiteral || literal.Value.Null || literal.Value.I64 < 0 {
		return 0, 0, false
	}
	if l.Offset != nil {
		o, isLiteral := l.Offset.(*expr.Literal)
		if !isLiteral || o.Value.I64 < 0 && !o.Value.Null {
			return 0, 0, false
		}
		offset = o.Value.I64
	}
	limit = literal.Value.I64
	return limit, offset, limit+offset >= 0
}

func (c *Context) pushLimit(l *logical.Limit, limit, offset int64) logical.Node {
	switch in := l.Input.(type) {
	case *logical.Sort:
		if limit+offset <= topNRows {
			return &logical.TopN{Input: in.Input, Keys: in.Keys, Limit: limit, Offset: offset, WithTies: l.WithTies}
		}
	case *logical.Project:
		return c.pushLimitThroughProject(l, in, limit, offset)
	case *logical.SetOperation:
		if in.Kind == logical.Union && in.All && !l.WithTies {
			arms := make([]logical.Node, len(in.In))
			for i, arm := range in.In {
				arms[i] = c.limited(arm, limit+offset)
			}
			out := *l
			out.Input = in.WithInputs(arms)
			return &out
		}
	case *logical.Join:
		if in.Kind == plan.Left && !l.WithTies && !in.Dependent {
			out := *l
			out.Input = in.WithInputs([]logical.Node{c.limited(in.Left, limit+offset), in.Right})
			return &out
		}
	case *logical.Scan:
		if in.Filter == nil && !l.WithTies {
			scan := *in
			scan.Limit = limit + offset
			out := *l
			out.Input = &scan
			return &out
		}
	}
	return l
}

// pushLimitThroughProject moves the limit where expressions are then computed for fewer rows, or where
// it can move on.
func (c *Context) pushLimitThroughProject(l *logical.Limit, in *logical.Project, limit, offset int64) logical.Node {
	computes := false
	for _, e := range in.Exprs {
		if c.volatile(e.Expr) {
			return l
		}
		_, isColumn := e.Expr.(*expr.Column)
		computes = computes || !isColumn
	}
	inner := *l
	inner.Input = in.Input
	pushed := c.pushLimit(&inner, limit, offset)
	if pushed == logical.Node(&inner) && !computes {
		return l
	}
	return in.WithInputs([]logical.Node{pushed})
}

// limited gives at most rows rows of n.
func (c *Context) limited(n logical.Node, rows int64) logical.Node {
	if l, ok := n.(*logical.Limit); ok {
		if limit, _, ok := counts(l); ok && limit <= rows {
			return n
		}
	}
	l := &logical.Limit{Input: n, Limit: &expr.Literal{Value: types.IntDatum(rows), T: types.Of(types.Int64)}}
	return c.pushLimit(l, rows, 0)
}
