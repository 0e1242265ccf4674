package optimizer

import (
	"github.com/tarnlake/tarn/internal/expr"
	"github.com/tarnlake/tarn/internal/plan"
	"github.com/tarnlake/tarn/internal/types"
	"github.com/tarnlake/tarn/planner/logical"
)

// removeEmpty replaces what can give no row by a Values without rows: a filter that is never true, LIMIT
// 0, and what needs rows from there. An aggregation without keys gives its row all the same, and the rows of
// an outer join that find no partner are extended without a join.
func removeEmpty(c *Context) error {
	return c.rewrite(func(n logical.Node) (logical.Node, error) {
		if givesNothing(n) {
			return &logical.Values{IDs: n.Columns()}, nil
		}
		switch n := n.(type) {
		case *logical.SetOperation:
			if n.Kind == logical.Union {
				return withoutEmptyArms(n), nil
			}
		case *logical.Join:
			return c.withoutPartners(n), nil
		}
		return n, nil
	})
}

// withoutPartners gives the left side's rows where a join can find nothing on the right.
func (c *Context) withoutPartners(n *logical.Join) logical.Node {
	if !isEmpty(n.Right) && (n.Condition == nil || !isFalseOrNull(n.Condition)) {
		return n
	}
	switch n.Kind {
	case plan.Anti, plan.NullAwareAnti:
		if n.Kind == plan.Anti || isEmpty(n.Right) {
			return n.Left
		}
	case plan.Left:
		out := c.keep(n.Left, n.Left.Columns()).(*logical.Project)
		for _, id := range n.Right.Columns() {
			out.Exprs = append(out.Exprs, logical.Computed{ID: id, Expr: &expr.Literal{Value: types.NullDatum(), T: c.Plan.Columns.Info(id).Type}})
		}
		return out
	}
	return n
}

func isEmpty(n logical.Node) bool {
	v, ok := n.(*logical.Values)
	return ok && len(v.Rows) == 0
}

func givesNothing(n logical.Node) bool {
	switch n := n.(type) {
	case *logical.Scan:
		return n.Filter != nil && isFalseOrNull(n.Filter)
	case *logical.Filter:
		return isFalseOrNull(n.Predicate) || isEmpty(n.Input)
	case *logical.Limit:
		limit, _, known := counts(n)
		return known && limit == 0 || isEmpty(n.Input)
	case *logical.Project, *logical.Sort, *logical.TopN, *logical.Window, *logical.DistinctOn:
		return isEmpty(n.Inputs()[0])
	case *logical.Unnest:
		return isEmpty(n.Input)
	case *logical.Aggregate:
		return isEmpty(n.Input) && len(n.Keys) > 0 && len(n.Sets) == 0
	case *logical.Join:
		left, right := isEmpty(n.Left), isEmpty(n.Right)
		never := n.Condition != nil && isFalseOrNull(n.Condition)
		switch n.Kind {
		case plan.Inner, plan.Semi:
			return left || right || never
		case plan.Left, plan.Anti, plan.NullAwareAnti, plan.Mark, plan.Single:
			return left
		case plan.Right:
			return right
		case plan.Full:
			return left && right
		}
	}
	return false
}

func withoutEmptyArms(n *logical.SetOperation) logical.Node {
	out := *n
	out.In, out.Arms = nil, nil
	for i, in := range n.In {
		if !isEmpty(in) {
			out.In, out.Arms = append(out.In, in), append(out.Arms, n.Arms[i])
		}
	}
	switch len(out.In) {
	case len(n.In):
		return n
	case 0:
		return &logical.Values{IDs: n.IDs}
	}
	return &out
}
