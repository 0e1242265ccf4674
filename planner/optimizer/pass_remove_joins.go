package optimizer

import (
	"github.com/tarnlake/tarn/internal/expr"
	"github.com/tarnlake/tarn/internal/plan"
	"github.com/tarnlake/tarn/planner/estimate"
	"github.com/tarnlake/tarn/planner/logical"
)

// removeJoins drops outer joins of which nothing is read but the preserved side, where the other side
// has at most one partner for each row, or where copies of a row make no difference above.
func removeJoins(c *Context) error {
	c.Plan.Root = c.reduce(removeOuter)
	return nil
}

// joinsToSemiJoins makes an inner join a semi join where one side is not read above and copies of the
// other side's rows make no difference: below DISTINCT, min, max, IN and EXISTS.
func joinsToSemiJoins(c *Context) error {
	c.Plan.Root = c.reduce(toSemi)
	return nil
}

func (c *Context) reduce(rule func(*reducer, *logical.Join, idsSet, bool) logical.Node) logical.Node {
	need := idsSet{}
	for _, o := range c.Plan.Output {
		need[o.ID] = true
	}
	r := &reducer{c: c, rule: rule}
	return r.node(c.Plan.Root, need, false)
}

// reducer walks down with what is read above and whether copies of rows make no difference there.
type reducer struct {
	c *Context
	// rule gives what stands for a join, nil for itself.
	rule func(r *reducer, n *logical.Join, need idsSet, copies bool) logical.Node
}

func (r *reducer) node(n logical.Node, need idsSet, copies bool) logical.Node {
	below := need
	switch n := n.(type) {
	case *logical.Join:
		return r.join(n, need, copies)
	case *logical.SetOperation:
		return r.set(n, copies)
	case *logical.Project:
		below = reads(n)
		for _, e := range n.Exprs {
			copies = copies && !r.c.volatile(e.Expr)
		}
	case *logical.Aggregate:
		below, copies = reads(n), sameOverCopies(n)
	case *logical.DistinctOn:
		below, copies = union(need, reads(n)), true
	case *logical.Filter:
		below, copies = union(need, reads(n)), copies && !r.c.volatile(n.Predicate)
	case *logical.Sort:
		below = union(need, reads(n))
	case *logical.With:
		return r.with(n, need, copies)
	case *logical.Limit, *logical.TopN, *logical.Window, *logical.Unnest:
		below, copies = union(need, reads(n)), false
	default: // recursion, writes: everything counts
		below, copies = idsSet{}, false
		for _, in := range n.Inputs() {
			below = union(below, idSet(in.Columns()))
		}
	}
	return r.inputs(n, below, copies)
}

func (r *reducer) inputs(n logical.Node, need idsSet, copies bool) logical.Node {
	inputs := n.Inputs()
	out := make([]logical.Node, len(inputs))
	changed := false
	for i, in := range inputs {
		out[i] = r.node(in, need, copies)
		changed = changed || out[i] != in
	}
	if !changed {
		return n
	}
	return n.WithInputs(out)
}

func (r *reducer) with(n *logical.With, need idsSet, copies bool) logical.Node {
	inputs := make([]logical.Node, 0, len(n.Definitions)+1)
	for _, d := range n.Definitions {
		inputs = append(inputs, r.node(d.Input, idSet(d.Input.Columns()), false))
	}
	return n.WithInputs(append(inputs, r.node(n.Body, need, copies)))
}

// sameOverCopies tells whether each call of an aggregation gives the same over copies of rows.
func sameOverCopies(n *logical.Aggregate) bool {
	for _, call := range n.Calls {
		switch call.Name {
		case "min", "max", "bool_and", "bool_or", "every":
		default:
			if !call.Distinct {
				return false
			}
		}
	}
	return true
}

func (r *reducer) set(n *logical.SetOperation, copies bool) logical.Node {
	out := *n
	out.In = make([]logical.Node, len(n.In))
	for arm, in := range n.In {
		out.In[arm] = r.node(in, idSet(n.Arms[arm]), copies || !n.All)
	}
	return &out
}

func (r *reducer) join(n *logical.Join, need idsSet, copies bool) logical.Node {
	if n.Condition != nil && r.c.volatile(n.Condition) {
		return r.inputs(n, union(need, union(idSet(n.Left.Columns()), idSet(n.Right.Columns()))), false)
	}
	if replaced := r.rule(r, n, need, copies); replaced != nil {
		return r.node(replaced, need, copies)
	}
	below := union(need, columnsOf(n.Condition))
	right := copies
	switch n.Kind {
	case plan.Semi, plan.Anti, plan.NullAwareAnti, plan.Mark:
		right = true
	case plan.Single: // two partners are an error
		right = false
	}
	left, other := r.node(n.Left, below, copies), r.node(n.Right, below, right)
	if left == n.Left && other == n.Right {
		return n
	}
	return n.WithInputs([]logical.Node{left, other})
}

// removeOuter is the rule of removeJoins.
func removeOuter(_ *reducer, n *logical.Join, need idsSet, copies bool) logical.Node {
	switch {
	case n.Kind == plan.Left && !overlaps(need, idSet(n.Right.Columns())) && (copies || onePartner(n, n.Right)):
		return n.Left
	case n.Kind == plan.Right && !overlaps(need, idSet(n.Left.Columns())) && (copies || onePartner(n, n.Left)):
		return n.Right
	}
	return nil
}

// onePartner tells whether side's columns that the condition equates to the other side's identify its rows.
func onePartner(n *logical.Join, side logical.Node) bool {
	inside := idSet(side.Columns())
	var keys []logical.ColID
	for _, p := range expr.Conjuncts(n.Condition) {
		cmp, ok := p.(*expr.Compare)
		if !ok || cmp.Op != expr.Equal && cmp.Op != expr.NotDistinct {
			continue
		}
		for _, pair := range [][2]expr.Expr{{cmp.Left, cmp.Right}, {cmp.Right, cmp.Left}} {
			if col, ok := pair[0].(*expr.Column); ok && inside[col.ID] && !overlaps(columnsOf(pair[1]), inside) {
				keys = append(keys, col.ID)
			}
		}
	}
	return len(keys) > 0 && estimate.Unique(side, keys)
}

// toSemi is the rule of joinsToSemiJoins.
func toSemi(_ *reducer, n *logical.Join, need idsSet, copies bool) logical.Node {
	if n.Kind != plan.Inner || !copies || !equates(n) {
		return nil
	}
	switch {
	case !overlaps(need, idSet(n.Right.Columns())):
		return &logical.Join{Kind: plan.Semi, Left: n.Left, Right: n.Right, Condition: n.Condition}
	case !overlaps(need, idSet(n.Left.Columns())):
		return &logical.Join{Kind: plan.Semi, Left: n.Right, Right: n.Left, Condition: n.Condition}
	}
	return nil
}

// equates tells whether the sides meet in an equality.
func equates(n *logical.Join) bool {
	left, right := idSet(n.Left.Columns()), idSet(n.Right.Columns())
	for _, p := range expr.Conjuncts(n.Condition) {
		if cmp, ok := p.(*expr.Compare); ok && cmp.Op == expr.Equal && overlaps(columnsOf(p), left) && overlaps(columnsOf(p), right) {
			return true
		}
	}
	return false
}
