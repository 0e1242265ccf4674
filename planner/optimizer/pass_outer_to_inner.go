package optimizer

import (
	"github.com/tarnlake/tarn/internal/expr"
	"github.com/tarnlake/tarn/internal/fn"
	"github.com/tarnlake/tarn/internal/plan"
	"github.com/tarnlake/tarn/planner/logical"
)

// outerToInner weakens outer joins whose NULL-extended rows some operator above drops anyway.
func outerToInner(c *Context) error {
	c.Plan.Root = c.weaken(c.Plan.Root, nil)
	return nil
}

type idsSet = map[logical.ColID]bool

func union(a, b idsSet) idsSet {
	out := make(idsSet, len(a)+len(b))
	for id := range a {
		out[id] = true
	}
	for id := range b {
		out[id] = true
	}
	return out
}

// weaken rewrites n given the columns for which a NULL leads to the row's being dropped above.
func (c *Context) weaken(n logical.Node, rejected idsSet) logical.Node {
	switch n := n.(type) {
	case *logical.Filter:
		return n.WithInputs([]logical.Node{c.weaken(n.Input, union(rejected, c.rejects(n.Predicate)))})
	case *logical.Project:
		below := idsSet{}
		for _, e := range n.Exprs {
			if rejected[e.ID] {
				below = union(below, c.strictColumns(e.Expr))
			}
		}
		return n.WithInputs([]logical.Node{c.weaken(n.Input, below)})
	case *logical.Aggregate:
		below := idsSet{}
		for i, id := range n.KeyIDs {
			if rejected[id] && len(n.Sets) == 0 {
				below[n.Keys[i]] = true
			}
		}
		return n.WithInputs([]logical.Node{c.weaken(n.Input, below)})
	case *logical.Sort:
		return n.WithInputs([]logical.Node{c.weaken(n.Input, rejected)})
	case *logical.Join:
		return c.weakenJoin(n, rejected)
	}
	inputs := n.Inputs()
	if len(inputs) == 0 {
		return n
	}
	out := make([]logical.Node, len(inputs))
	for i, in := range inputs {
		out[i] = c.weaken(in, nil)
	}
	return n.WithInputs(out)
}

func (c *Context) weakenJoin(n *logical.Join, rejected idsSet) logical.Node {
	out := *n
	left, right := idSet(n.Left.Columns()), idSet(n.Right.Columns())
	hitsLeft, hitsRight := overlaps(rejected, left), overlaps(rejected, right)
	switch {
	case n.Kind == plan.Full && hitsLeft && hitsRight:
		out.Kind = plan.Inner
	case n.Kind == plan.Full && hitsLeft:
		out.Kind = plan.Left
	case n.Kind == plan.Full && hitsRight:
		out.Kind = plan.Right
	}
	if out.Kind == plan.Left && hitsRight || out.Kind == plan.Right && hitsLeft {
		out.Kind = plan.Inner
	}
	matched := c.rejects(n.Condition)
	toLeft, toRight := idsSet{}, idsSet{}
	switch out.Kind {
	case plan.Inner:
		toLeft, toRight = union(rejected, matched), union(rejected, matched)
	case plan.Semi:
		toLeft, toRight = union(rejected, matched), matched
	case plan.Left:
		toLeft, toRight = rejected, matched
	case plan.Right:
		toLeft, toRight = matched, rejected
	case plan.Anti, plan.Single, plan.Mark, plan.NullAwareAnti:
		toLeft = rejected
	}
	out.Left, out.Right = c.weaken(n.Left, toLeft), c.weaken(n.Right, toRight)
	return &out
}

// rejects gives the columns whose being NULL makes the predicate not true.
func (c *Context) rejects(e expr.Expr) idsSet {
	switch e := e.(type) {
	case nil:
		return idsSet{}
	case *expr.And:
		out := idsSet{}
		for _, a := range e.Args {
			out = union(out, c.rejects(a))
		}
		return out
	case *expr.Or:
		out := c.rejects(e.Args[0])
		for _, a := range e.Args[1:] {
			other := c.rejects(a)
			for id := range out {
				if !other[id] {
					delete(out, id)
				}
			}
		}
		return out
	case *expr.Not:
		if isNull, ok := e.Arg.(*expr.IsNull); ok {
			return c.strictColumns(isNull.Arg)
		}
	}
	return c.strictColumns(e)
}

// strictColumns gives columns whose being NULL makes e NULL.
func (c *Context) strictColumns(e expr.Expr) idsSet {
	out := idsSet{}
	switch e := e.(type) {
	case *expr.Column:
		out[e.ID] = true
	case *expr.Cast:
		return c.strictColumns(e.Arg)
	case *expr.Not:
		return c.strictColumns(e.Arg)
	case *expr.In:
		return c.strictColumns(e.Arg)
	case *expr.Compare:
		if e.Op < expr.Distinct {
			return union(c.strictColumns(e.Left), c.strictColumns(e.Right))
		}
	case *expr.Call:
		if o := c.Registry.Overload(e.Function); o != nil && o.Nulls == fn.Strict {
			if _, scalar := o.Impl.(fn.Scalar); scalar {
				for _, a := range e.Args {
					out = union(out, c.strictColumns(a))
				}
			}
		}
	}
	return out
}
