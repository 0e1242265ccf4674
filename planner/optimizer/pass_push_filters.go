package optimizer

import (
	"slices"

	"github.com/tarnlake/tarn/internal/expr"
	"github.com/tarnlake/tarn/internal/plan"
	"github.com/tarnlake/tarn/planner/logical"
)

// pushFilters moves every conjunct as close to the scans as its meaning allows, and turns filters
// over cross joins into join conditions.
func pushFilters(c *Context) error {
	c.Plan.Root = c.push(c.Plan.Root, nil)
	return nil
}

// push gives n filtered by predicates.
func (c *Context) push(n logical.Node, predicates []expr.Expr) logical.Node {
	switch n := n.(type) {
	case *logical.Filter:
		for _, p := range expr.Conjuncts(n.Predicate) {
			if c.volatile(p) {
				return c.stay(&logical.Filter{Input: c.push(n.Input, nil), Predicate: n.Predicate}, predicates)
			}
		}
		return c.push(n.Input, append(expr.Conjuncts(n.Predicate), predicates...))
	case *logical.Scan:
		if len(predicates) == 0 {
			return n
		}
		out := *n
		out.Filter = expr.Conjoin(withNew(expr.Conjuncts(n.Filter), predicates))
		return &out
	case *logical.Project:
		return c.pushThroughProject(n, predicates)
	case *logical.Join:
		return c.pushThroughJoin(n, predicates)
	case *logical.Aggregate:
		return c.pushThroughAggregate(n, predicates)
	case *logical.Window:
		return c.pushBelow(n, predicates, idSet(n.Partition))
	case *logical.DistinctOn:
		return c.pushBelow(n, predicates, idSet(n.Keys))
	case *logical.Sort:
		return c.pushBelow(n, predicates, idSet(n.Inputs()[0].Columns()))
	case *logical.Unnest:
		return c.pushBelow(n, predicates, idSet(n.Input.Columns()))
	case *logical.SetOperation:
		return c.pushThroughSet(n, predicates)
	case *logical.With:
		inputs := make([]logical.Node, 0, len(n.Definitions)+1)
		for _, d := range n.Definitions {
			inputs = append(inputs, c.push(d.Input, nil))
		}
		return n.WithInputs(append(inputs, c.push(n.Body, predicates)))
	}
	return c.stay(c.pushInside(n), predicates)
}

// pushInside pushes within n's inputs only.
func (c *Context) pushInside(n logical.Node) logical.Node {
	inputs := n.Inputs()
	if len(inputs) == 0 {
		return n
	}
	out := make([]logical.Node, len(inputs))
	for i, in := range inputs {
		out[i] = c.push(in, nil)
	}
	return n.WithInputs(out)
}

func (c *Context) stay(n logical.Node, predicates []expr.Expr) logical.Node {
	if len(predicates) == 0 {
		return n
	}
	if f, ok := n.(*logical.Filter); ok {
		return &logical.Filter{Input: f.Input, Predicate: expr.Conjoin(withNew(expr.Conjuncts(f.Predicate), predicates))}
	}
	return &logical.Filter{Input: n, Predicate: expr.Conjoin(predicates)}
}

// withNew adds the predicates that are not among the conjuncts already.
func withNew(conjuncts, predicates []expr.Expr) []expr.Expr {
	for _, p := range predicates {
		if !contains(conjuncts, p) {
			conjuncts = append(conjuncts, p)
		}
	}
	return conjuncts
}

// pushBelow passes on the predicates that read only allowed columns, which n's input gives too.
func (c *Context) pushBelow(n logical.Node, predicates []expr.Expr, allowed map[logical.ColID]bool) logical.Node {
	var down, above []expr.Expr
	for _, p := range predicates {
		if cols := columnsOf(p); len(cols) > 0 && subset(cols, allowed) {
			down = append(down, p)
		} else {
			above = append(above, p)
		}
	}
	return c.stay(n.WithInputs([]logical.Node{c.push(n.Inputs()[0], down)}), above)
}

func (c *Context) pushThroughProject(n *logical.Project, predicates []expr.Expr) logical.Node {
	by := map[logical.ColID]expr.Expr{}
	fixed := map[logical.ColID]bool{}
	for _, e := range n.Exprs {
		by[e.ID] = e.Expr
		if c.volatile(e.Expr) {
			fixed[e.ID] = true
		}
	}
	var down, above []expr.Expr
	for _, p := range predicates {
		if overlaps(columnsOf(p), fixed) {
			above = append(above, p)
		} else {
			down = append(down, substitute(p, by))
		}
	}
	return c.stay(&logical.Project{Input: c.push(n.Input, down), Exprs: n.Exprs}, above)
}

func (c *Context) pushThroughAggregate(n *logical.Aggregate, predicates []expr.Expr) logical.Node {
	by := map[logical.ColID]expr.Expr{}
	if len(n.Sets) == 0 {
		for i, id := range n.KeyIDs {
			by[id] = c.Plan.Columns.Ref(n.Keys[i])
		}
	}
	var down, above []expr.Expr
	for _, p := range predicates {
		cols, mapped := columnsOf(p), len(n.KeyIDs) > 0
		for id := range cols {
			mapped = mapped && by[id] != nil
		}
		if mapped && len(cols) > 0 {
			down = append(down, substitute(p, by))
			continue
		}
		above = append(above, p)
		if or, ok := p.(*expr.Or); ok && len(by) > 0 && !c.volatile(p) {
			// Of a = 1 AND sum > 0 OR a = 2, the groups with other keys can go first.
			if implied := impliedFor(or, idSet(n.KeyIDs)); implied != nil {
				down = append(down, substitute(implied, by))
			}
		}
	}
	return c.stay(n.WithInputs([]logical.Node{c.push(n.Input, down)}), above)
}

func (c *Context) pushThroughSet(n *logical.SetOperation, predicates []expr.Expr) logical.Node {
	inputs := make([]logical.Node, len(n.In))
	for arm, in := range n.In {
		by := map[logical.ColID]expr.Expr{}
		for i, id := range n.IDs {
			by[id] = c.Plan.Columns.Ref(n.Arms[arm][i])
		}
		down := make([]expr.Expr, len(predicates))
		for i, p := range predicates {
			down[i] = substitute(p, by)
		}
		inputs[arm] = c.push(in, down)
	}
	return n.WithInputs(inputs)
}

// placed sorts conjuncts by the side of a join whose columns they read.
type placed struct{ left, right, both []expr.Expr }

func place(conjuncts []expr.Expr, left, right map[logical.ColID]bool) placed {
	var out placed
	for _, p := range conjuncts {
		cols := columnsOf(p)
		switch {
		case !overlaps(cols, right) && overlaps(cols, left):
			out.left = append(out.left, p)
		case !overlaps(cols, left) && overlaps(cols, right):
			out.right = append(out.right, p)
		default:
			out.both = append(out.both, p)
		}
	}
	return out
}

// pushThroughJoin: a row filter above a join may move to a side whose rows the join passes on
// unchanged; a conjunct of the condition may move to a side whose unmatched rows are dropped.
func (c *Context) pushThroughJoin(n *logical.Join, predicates []expr.Expr) logical.Node {
	left, right := idSet(n.Left.Columns()), idSet(n.Right.Columns())
	above := place(predicates, left, right)
	inside := place(expr.Conjuncts(n.Condition), left, right)
	var toLeft, toRight, condition, stay []expr.Expr
	switch n.Kind {
	case plan.Inner:
		toLeft = append(inside.left, above.left...)
		toRight = append(inside.right, above.right...)
		condition = append(inside.both, above.both...)
	case plan.Left, plan.Single:
		toLeft, toRight = above.left, inside.right
		condition = without(n.Condition, inside.right)
		stay = append(above.right, above.both...)
	case plan.Right:
		toLeft, toRight = inside.left, above.right
		condition = without(n.Condition, inside.left)
		stay = append(above.left, above.both...)
	case plan.Semi:
		toLeft = append(inside.left, above.left...)
		toRight, condition, stay = inside.right, inside.both, append(above.right, above.both...)
	case plan.Anti:
		toLeft, toRight = above.left, inside.right
		condition, stay = without(n.Condition, inside.right), append(above.right, above.both...)
	case plan.Mark, plan.NullAwareAnti:
		toLeft, stay = above.left, append(above.right, above.both...)
		condition = expr.Conjuncts(n.Condition)
		if n.Kind == plan.Mark && !n.NullAware {
			toRight, condition = inside.right, without(n.Condition, inside.right)
		}
		if n.Kind == plan.Mark {
			toLeft, stay = c.withoutMark(n, toLeft, stay)
		}
	default:
		condition, stay = expr.Conjuncts(n.Condition), predicates
	}
	out := *n
	out.Left, out.Right = c.push(n.Left, toLeft), c.push(n.Right, toRight)
	out.Condition = expr.Conjoin(condition)
	return c.stay(&out, stay)
}

// without gives the conjuncts of a condition but for those that have moved.
func without(condition expr.Expr, moved []expr.Expr) []expr.Expr {
	return slices.DeleteFunc(expr.Conjuncts(condition), func(p expr.Expr) bool { return slices.Contains(moved, p) })
}

// withoutMark keeps predicates that read the mark above the join that makes it.
func (c *Context) withoutMark(n *logical.Join, down, stay []expr.Expr) (kept, above []expr.Expr) {
	above = stay
	for _, p := range down {
		if columnsOf(p)[n.MarkID] {
			above = append(above, p)
		} else {
			kept = append(kept, p)
		}
	}
	return kept, above
}
