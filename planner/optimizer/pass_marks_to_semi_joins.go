package optimizer

import (
	"github.com/tarnlake/tarn/internal/expr"
	"github.com/tarnlake/tarn/internal/plan"
	"github.com/tarnlake/tarn/planner/logical"
)

// marksToSemiJoins turns a mark join whose mark is only filtered on into a semi or anti join, and a
// null-aware anti join without NULLs into an ordinary one.
func marksToSemiJoins(c *Context) error {
	uses := map[logical.ColID]int{}
	for n := range logical.Nodes(c.Plan.Root) {
		for _, id := range markUses(n) {
			uses[id]++
		}
	}
	for _, o := range c.Plan.Output {
		uses[o.ID]++
	}
	return c.rewrite(func(n logical.Node) (logical.Node, error) {
		if j, ok := n.(*logical.Join); ok && j.Kind == plan.NullAwareAnti && !c.mayBeNull(j) {
			out := *j
			out.Kind, out.NullAware = plan.Anti, false
			return &out, nil
		}
		f, ok := n.(*logical.Filter)
		if !ok {
			return n, nil
		}
		input, kept := f.Input, []expr.Expr{}
		for _, conjunct := range expr.Conjuncts(f.Predicate) {
			mark, positive := markOf(conjunct)
			if mark != 0 && uses[mark] == 1 {
				if replaced, ok := c.replaceMark(input, mark, positive); ok {
					input = replaced
					continue
				}
			}
			kept = append(kept, conjunct)
		}
		if input == f.Input {
			return n, nil
		}
		return c.stay(input, kept), nil
	})
}

// markUses lists every column that n reads, once for each expression that reads it.
func markUses(n logical.Node) []logical.ColID {
	var out []logical.ColID
	if f, ok := n.(*logical.Filter); ok {
		for _, conjunct := range expr.Conjuncts(f.Predicate) {
			for id := range columnsOf(conjunct) {
				out = append(out, id)
			}
		}
		return out
	}
	eachColumn(n, func(id logical.ColID) { out = append(out, id) })
	return out
}

func markOf(e expr.Expr) (logical.ColID, bool) {
	switch e := e.(type) {
	case *expr.Column:
		return e.ID, true
	case *expr.Not:
		if col, ok := e.Arg.(*expr.Column); ok {
			return col.ID, false
		}
	}
	return 0, false
}

// replaceMark looks for the join down the left sides, where rows pass through unchanged.
func (c *Context) replaceMark(n logical.Node, mark logical.ColID, positive bool) (logical.Node, bool) {
	switch n := n.(type) {
	case *logical.Join:
		if n.Kind == plan.Mark && n.MarkID == mark {
			out := *n
			out.MarkID, out.NullAware = 0, false
			switch {
			case positive:
				out.Kind = plan.Semi
			case n.NullAware && c.mayBeNull(n):
				out.Kind = plan.NullAwareAnti
			default:
				out.Kind = plan.Anti
			}
			return &out, true
		}
		switch n.Kind {
		case plan.Mark, plan.Semi, plan.Anti, plan.NullAwareAnti, plan.Single, plan.Left, plan.Inner:
			if left, ok := c.replaceMark(n.Left, mark, positive); ok {
				return n.WithInputs([]logical.Node{left, n.Right}), true
			}
		}
	case *logical.Filter:
		if in, ok := c.replaceMark(n.Input, mark, positive); ok {
			return n.WithInputs([]logical.Node{in}), true
		}
	case *logical.Project:
		for i, e := range n.Exprs {
			if col, ok := e.Expr.(*expr.Column); ok && col.ID == mark && e.ID == mark {
				in, ok := c.replaceMark(n.Input, mark, positive)
				if !ok {
					return n, false
				}
				out := &logical.Project{Input: in, Exprs: append([]logical.Computed(nil), n.Exprs[:i]...)}
				out.Exprs = append(out.Exprs, n.Exprs[i+1:]...)
				return out, true
			}
		}
	}
	return n, false
}

// mayBeNull tells whether some operand of the condition's comparisons can be NULL.
func (c *Context) mayBeNull(n *logical.Join) bool {
	for id := range columnsOf(n.Condition) {
		if c.Plan.Columns.Info(id).Nullable {
			return true
		}
	}
	for _, p := range expr.Conjuncts(n.Condition) {
		cmp, ok := p.(*expr.Compare)
		if !ok {
			return true
		}
		for _, side := range []expr.Expr{cmp.Left, cmp.Right} {
			if _, ok := side.(*expr.Column); !ok {
				return true
			}
		}
	}
	return false
}
