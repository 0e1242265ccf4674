package optimizer

import (
	"github.com/tarnlake/tarn/internal/expr"
	"github.com/tarnlake/tarn/internal/fn"
	"github.com/tarnlake/tarn/internal/plan"
	"github.com/tarnlake/tarn/internal/types"
	"github.com/tarnlake/tarn/planner/logical"
)

// pulled is a subtree freed of its correlation: predicates over its columns and the outer ones hold
// what was taken out.
type pulled struct {
	node       logical.Node
	predicates []expr.Expr
	// repair gives, for columns of a scalar aggregation, what they are when the group is missing.
	repair []repair
	scalar bool // node gives at most one row for each set of values of the outer columns
}

// repair says that Column, a count, is Inside where there is a group and Value where there is none.
type repair struct {
	column, inside logical.ColID
	value          *expr.Literal
}

// pullUp lifts correlated predicates out of the right side into the join's condition. It declines
// where an operator on the way would see other rows (LIMIT, outer join's right side, aggregation
// under anything but equality).
func (c *Context) pullUp(join *logical.Join, correlated idsSet) (logical.Node, bool) {
	switch join.Kind {
	case plan.Semi, plan.Anti, plan.NullAwareAnti, plan.Mark, plan.Inner, plan.Left, plan.Single:
	default:
		return nil, false
	}
	right := join.Right
	if join.Kind == plan.Semi || join.Kind == plan.Anti || join.Kind == plan.Mark && !join.NullAware {
		right = c.existenceOnly(right, columnsOf(join.Condition))
	}
	top, body := c.splitTop(join, right)
	p, ok := c.pull(body, correlated)
	if !ok || p.scalar && (join.Kind != plan.Single && join.Kind != plan.Left || join.Condition != nil) {
		return nil, false
	}
	if join.NullAware || join.Kind == plan.NullAwareAnti {
		// The mark is three-valued and must not become NULL by the correlation, which decides only
		// whether a row is there.
		p = c.withoutNulls(p, correlated)
	}
	out := *join
	out.Dependent, out.Right = false, p.node
	if p.scalar && out.Kind == plan.Single {
		out.Kind = plan.Left
	}
	out.Condition = expr.Conjoin(append(expr.Conjuncts(join.Condition), p.predicates...))
	return c.putBack(&out, join.Columns(), top, p), true
}

// withoutNulls states the pulled predicates so that they are never NULL.
func (c *Context) withoutNulls(p pulled, correlated idsSet) pulled {
	predicates := make([]expr.Expr, len(p.predicates))
	for i, x := range p.predicates {
		if cmp, ok := x.(*expr.Compare); ok && cmp.Op >= expr.Distinct {
			predicates[i] = x
		} else if outer, inner, ok := sides(x, correlated, idSet(p.node.Columns())); ok {
			p.node = c.stay(p.node, []expr.Expr{&expr.Not{Arg: &expr.IsNull{Arg: inner}}})
			predicates[i] = &expr.Compare{Op: expr.NotDistinct, Left: outer, Right: inner}
		} else {
			predicates[i] = &expr.Coalesce{Args: []expr.Expr{x, falseExpr}, T: boolean}
		}
	}
	p.predicates = predicates
	return p
}

// existenceOnly drops what does not change whether there are rows.
func (c *Context) existenceOnly(n logical.Node, needed idsSet) logical.Node {
	for {
		switch x := n.(type) {
		case *logical.Sort:
			n = x.Input
		case *logical.Project:
			for _, e := range x.Exprs {
				if col, ok := e.Expr.(*expr.Column); needed[e.ID] && (!ok || col.ID != e.ID) {
					return n
				}
			}
			if len(needed) > 0 {
				return n
			}
			n = x.Input
		case *logical.Limit:
			l, ok := x.Limit.(*expr.Literal)
			if x.Offset != nil || x.Limit != nil && (!ok || l.Value.Null || l.Value.I64 < 1) {
				return n
			}
			n = x.Input
		default:
			return n
		}
	}
}

// splitTop takes projections off a scalar subquery's top when an aggregation without keys lies
// below: they are computed above the join, where a missing group can be told.
func (c *Context) splitTop(join *logical.Join, right logical.Node) ([]*logical.Project, logical.Node) {
	if join.Kind != plan.Single && join.Kind != plan.Left || join.Condition != nil {
		return nil, right
	}
	var top []*logical.Project
	body := right
	for {
		p, ok := body.(*logical.Project)
		if !ok {
			break
		}
		top, body = append(top, p), p.Input
	}
	if a, ok := body.(*logical.Aggregate); ok && len(a.Keys) == 0 && len(a.Sets) == 0 {
		return top, body
	}
	return nil, right
}

// putBack computes the projections above the join, with empty groups' values in place of NULLs.
func (c *Context) putBack(join *logical.Join, want []logical.ColID, top []*logical.Project, p pulled) logical.Node {
	var out logical.Node = join
	left := join.Left.Columns()
	if len(p.repair) > 0 {
		out = c.repairMissing(out, p.repair)
	}
	for i := len(top) - 1; i >= 0; i-- {
		project := &logical.Project{Input: out}
		for _, id := range left {
			project.Exprs = append(project.Exprs, logical.Computed{ID: id, Expr: c.Plan.Columns.Ref(id)})
		}
		project.Exprs = append(project.Exprs, top[i].Exprs...)
		out = project
	}
	return c.sameColumns(out, want)
}

// repairMissing gives n with counts that are 0 where the group is missing.
func (c *Context) repairMissing(n logical.Node, repairs []repair) logical.Node {
	inside := map[logical.ColID]repair{}
	for _, r := range repairs {
		inside[r.inside] = r
	}
	project := &logical.Project{Input: n}
	for _, id := range n.Columns() {
		e := logical.Computed{ID: id, Expr: c.Plan.Columns.Ref(id)}
		if r, ok := inside[id]; ok {
			e = logical.Computed{ID: r.column, Expr: &expr.Coalesce{Args: []expr.Expr{e.Expr, r.value}, T: r.value.T}}
		}
		project.Exprs = append(project.Exprs, e)
	}
	return project
}

// countsInside gives the aggregate's calls with counts under new columns, and how to repair them.
func (c *Context) countsInside(calls []logical.AggregateCall) ([]logical.AggregateCall, []repair) {
	out := append([]logical.AggregateCall(nil), calls...)
	var repairs []repair
	for i, call := range calls {
		if c.countsFromZero(call.Function) {
			out[i].ID = c.Plan.Columns.Add(call.Name, call.Type, true)
			repairs = append(repairs, repair{call.ID, out[i].ID, &expr.Literal{Value: types.IntDatum(0), T: call.Type}})
		}
	}
	return out, repairs
}

func (c *Context) pull(n logical.Node, correlated idsSet) (pulled, bool) {
	if !overlaps(free(n), correlated) {
		return pulled{node: n}, true
	}
	switch n := n.(type) {
	case *logical.Scan:
		inside, outside := split(expr.Conjuncts(n.Filter), correlated)
		out := *n
		out.Filter = expr.Conjoin(inside)
		return pulled{node: &out, predicates: outside}, true
	case *logical.Filter:
		p, ok := c.pull(n.Input, correlated)
		if !ok || p.scalar {
			return p, false
		}
		inside, outside := split(expr.Conjuncts(n.Predicate), correlated)
		p.node = c.stay(p.node, inside)
		p.predicates = append(p.predicates, outside...)
		return p, true
	case *logical.Project:
		return c.pullThroughProject(n, correlated)
	case *logical.Join:
		return c.pullThroughJoin(n, correlated)
	case *logical.Aggregate:
		return c.pullThroughAggregate(n, correlated)
	case *logical.Sort:
		p, ok := c.pull(n.Input, correlated)
		return p, ok // the order of a subquery's rows means nothing above
	}
	return pulled{}, false
}

func split(conjuncts []expr.Expr, correlated idsSet) (inside, outside []expr.Expr) {
	for _, p := range conjuncts {
		if overlaps(columnsOf(p), correlated) {
			outside = append(outside, p)
		} else {
			inside = append(inside, p)
		}
	}
	return inside, outside
}

func (c *Context) pullThroughProject(n *logical.Project, correlated idsSet) (pulled, bool) {
	for _, e := range n.Exprs {
		if overlaps(columnsOf(e.Expr), correlated) {
			return pulled{}, false
		}
	}
	p, ok := c.pull(n.Input, correlated)
	if !ok || p.scalar {
		return p, false
	}
	have, given := idSet(n.Columns()), idSet(p.node.Columns())
	project := &logical.Project{Input: p.node, Exprs: append([]logical.Computed(nil), n.Exprs...)}
	for id := range columnsOf(p.predicates...) {
		if given[id] && !have[id] { // the others are of queries around this one
			have[id] = true
			project.Exprs = append(project.Exprs, logical.Computed{ID: id, Expr: c.Plan.Columns.Ref(id)})
		}
	}
	p.node = project
	return p, true
}

func (c *Context) pullThroughJoin(n *logical.Join, correlated idsSet) (pulled, bool) {
	var left, right pulled
	var ok bool
	switch n.Kind {
	case plan.Inner:
		if right, ok = c.pull(n.Right, correlated); !ok {
			return right, false
		}
	case plan.Left, plan.Semi, plan.Anti, plan.Single, plan.Mark, plan.NullAwareAnti:
		if overlaps(free(n.Right), correlated) || overlaps(columnsOf(n.Condition), correlated) {
			return pulled{}, false
		}
		right = pulled{node: n.Right}
	default:
		return pulled{}, false
	}
	if left, ok = c.pull(n.Left, correlated); !ok || left.scalar || right.scalar {
		return left, false
	}
	inside, outside := split(expr.Conjuncts(n.Condition), correlated)
	out := *n
	out.Left, out.Right, out.Condition = left.node, right.node, expr.Conjoin(inside)
	return pulled{node: &out, predicates: append(append(left.predicates, right.predicates...), outside...)}, true
}

// pullThroughAggregate groups by the inner sides of the equalities too.
func (c *Context) pullThroughAggregate(n *logical.Aggregate, correlated idsSet) (pulled, bool) {
	p, ok := c.pull(n.Input, correlated)
	if !ok || p.scalar || len(n.Sets) > 0 {
		return p, false
	}
	out := *n
	out.Keys, out.KeyIDs = append([]logical.ColID(nil), n.Keys...), append([]logical.ColID(nil), n.KeyIDs...)
	known := idSet(out.KeyIDs)
	var computed []logical.Computed
	predicates := make([]expr.Expr, len(p.predicates))
	given := idSet(p.node.Columns())
	for i, predicate := range p.predicates {
		if !overlaps(columnsOf(predicate), given) { // of queries around this one only: the same for all groups
			predicates[i] = predicate
			continue
		}
		outer, inner, ok := sides(predicate, correlated, given)
		if !ok {
			return p, false
		}
		column, isColumn := inner.(*expr.Column)
		if !isColumn {
			id := c.Plan.Columns.Add("key", inner.Type(), true)
			computed = append(computed, logical.Computed{ID: id, Expr: inner})
			column = c.Plan.Columns.Ref(id)
		}
		if !known[column.ID] {
			known[column.ID] = true
			out.Keys, out.KeyIDs = append(out.Keys, column.ID), append(out.KeyIDs, column.ID)
		}
		predicates[i] = &expr.Compare{Op: expr.Equal, Left: outer, Right: column}
	}
	out.Input = p.node
	if len(computed) > 0 {
		project := &logical.Project{Input: p.node, Exprs: computed}
		for _, id := range p.node.Columns() {
			project.Exprs = append(project.Exprs, logical.Computed{ID: id, Expr: c.Plan.Columns.Ref(id)})
		}
		out.Input = project
	}
	result := pulled{node: &out, predicates: predicates}
	if len(n.Keys) == 0 {
		result.scalar = true
		out.Calls, result.repair = c.countsInside(n.Calls)
	}
	return result, true
}

func (c *Context) countsFromZero(function uint32) bool {
	o := c.Registry.Overload(function)
	if o == nil {
		return false
	}
	a, ok := o.Impl.(fn.Aggregate)
	return ok && a.EmptyIsZero
}

// sides takes an equality apart into an operand of outer columns and one of given, inner ones.
func sides(p expr.Expr, correlated, given idsSet) (outer, inner expr.Expr, ok bool) {
	cmp, isCompare := p.(*expr.Compare)
	if !isCompare || cmp.Op != expr.Equal {
		return nil, nil, false
	}
	l, r := columnsOf(cmp.Left), columnsOf(cmp.Right)
	switch {
	case len(l) > 0 && subset(l, correlated) && len(r) > 0 && subset(r, given):
		return cmp.Left, cmp.Right, true
	case len(r) > 0 && subset(r, correlated) && len(l) > 0 && subset(l, given):
		return cmp.Right, cmp.Left, true
	}
	return nil, nil, false
}
