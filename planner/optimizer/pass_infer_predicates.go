package optimizer

import (
	"github.com/tarnlake/tarn/internal/expr"
	"github.com/tarnlake/tarn/internal/plan"
	"github.com/tarnlake/tarn/planner/logical"
)

// inferPredicates adds what follows from the conditions of inner joins: a comparison of a column with
// a constant holds for every column equal to it, equality is transitive, and an OR of conjunctions
// over several relations implies an OR for each relation by itself.
func inferPredicates(c *Context) error {
	return c.rewrite(func(n logical.Node) (logical.Node, error) {
		f, isFilter := n.(*logical.Filter)
		j, isJoin := n.(*logical.Join)
		switch {
		case isFilter:
			known := append(expr.Conjuncts(f.Predicate), innerConditions(f.Input)...)
			if added := c.infer(known); len(added) > 0 {
				return c.stay(n, added), nil
			}
		case isJoin && j.Kind == plan.Inner && !j.Dependent:
			known := append(expr.Conjuncts(j.Condition), append(innerConditions(j.Left), innerConditions(j.Right)...)...)
			added := append(c.infer(known), c.perSide(j)...)
			if len(added) > 0 {
				out := *j
				out.Condition = expr.Conjoin(append(expr.Conjuncts(j.Condition), added...))
				return &out, nil
			}
		case isJoin && (j.Kind == plan.Semi || j.Kind == plan.Left || j.Kind == plan.Anti) && !j.Dependent:
			// What holds for the left side's rows holds for the partners that they can have.
			right := idSet(j.Right.Columns())
			known := append(expr.Conjuncts(j.Condition), innerConditions(j.Left)...)
			var added []expr.Expr
			for _, p := range c.infer(known) {
				if subset(columnsOf(p), right) {
					added = append(added, p)
				}
			}
			if len(added) > 0 {
				out := *j
				out.Right = c.stay(j.Right, added)
				return &out, nil
			}
		}
		return n, nil
	})
}

// innerConditions gives the conjuncts that hold for every row of n.
func innerConditions(n logical.Node) []expr.Expr {
	switch n := n.(type) {
	case *logical.Filter:
		return append(expr.Conjuncts(n.Predicate), innerConditions(n.Input)...)
	case *logical.Scan:
		return expr.Conjuncts(n.Filter)
	case *logical.Sort:
		return innerConditions(n.Input)
	case *logical.Join:
		switch n.Kind {
		case plan.Inner:
			return append(append(expr.Conjuncts(n.Condition), innerConditions(n.Left)...), innerConditions(n.Right)...)
		case plan.Left, plan.Semi, plan.Anti, plan.Single, plan.Mark:
			return innerConditions(n.Left)
		}
	}
	return nil
}

// infer gives comparisons with constants, and equalities, that follow from known and are not in it.
func (c *Context) infer(known []expr.Expr) []expr.Expr {
	classes := map[logical.ColID]logical.ColID{}
	var find func(logical.ColID) logical.ColID
	find = func(id logical.ColID) logical.ColID {
		if up, ok := classes[id]; ok && up != id {
			return find(up)
		}
		return id
	}
	members := map[logical.ColID]bool{}
	for _, p := range known {
		if a, b, ok := columnEquality(p); ok {
			members[a], members[b] = true, true
			classes[find(a)] = find(b)
		}
	}
	if len(members) == 0 {
		return nil
	}
	var added []expr.Expr
	for _, p := range known {
		source, ok := constantPredicate(p)
		if !ok || !members[source.ID] || c.volatile(p) {
			continue
		}
		for _, id := range ascending(members) {
			if id == source.ID || find(id) != find(source.ID) || !c.Plan.Columns.Info(id).Type.Equal(source.T) {
				continue
			}
			inferred := substitute(p, map[logical.ColID]expr.Expr{source.ID: c.Plan.Columns.Ref(id)})
			if !contains(known, inferred) && !contains(added, inferred) {
				added = append(added, inferred)
			}
		}
	}
	return added
}

func ascending(set idsSet) []logical.ColID {
	var out []logical.ColID
	for id := range set {
		at := len(out)
		out = append(out, id)
		for ; at > 0 && out[at-1] > id; at-- {
			out[at] = out[at-1]
		}
		out[at] = id
	}
	return out
}

func columnEquality(p expr.Expr) (a, b logical.ColID, ok bool) {
	cmp, isCompare := p.(*expr.Compare)
	if !isCompare || cmp.Op != expr.Equal {
		return 0, 0, false
	}
	left, okLeft := cmp.Left.(*expr.Column)
	right, okRight := cmp.Right.(*expr.Column)
	if !okLeft || !okRight {
		return 0, 0, false
	}
	return left.ID, right.ID, true
}

// constantPredicate recognises a predicate over one column and constants that says nothing of NULLs.
func constantPredicate(p expr.Expr) (*expr.Column, bool) {
	switch p := p.(type) {
	case *expr.Compare:
		if col, ok := p.Left.(*expr.Column); ok && p.Op < expr.Distinct {
			if _, ok := p.Right.(*expr.Literal); ok {
				return col, true
			}
		}
		if col, ok := p.Right.(*expr.Column); ok && p.Op < expr.Distinct {
			if _, ok := p.Left.(*expr.Literal); ok {
				return col, true
			}
		}
	case *expr.In:
		if col, ok := p.Arg.(*expr.Column); ok && len(columnsOf(p)) == 1 {
			return col, true
		}
	}
	return nil, false
}

// perSide derives from (a1 AND b1) OR (a2 AND b2) that a1 OR a2, for a over one side of the join.
func (c *Context) perSide(j *logical.Join) []expr.Expr {
	var added []expr.Expr
	known := expr.Conjuncts(j.Condition)
	for _, p := range known {
		or, ok := p.(*expr.Or)
		if !ok {
			continue
		}
		for _, leaf := range leaves(j) {
			implied := impliedFor(or, idSet(leaf.Columns()))
			if implied != nil && !contains(known, implied) && !contains(added, implied) && !contains(innerConditions(leaf), implied) {
				added = append(added, implied)
			}
		}
	}
	return added
}

func impliedFor(or *expr.Or, columns idsSet) expr.Expr {
	var arms []expr.Expr
	narrower := false
	for _, arm := range disjuncts(or) {
		var inside []expr.Expr
		for _, conjunct := range expr.Conjuncts(arm) {
			cols := columnsOf(conjunct)
			if len(cols) > 0 && subset(cols, columns) {
				inside = append(inside, conjunct)
			} else {
				narrower = true
			}
		}
		if len(inside) == 0 {
			return nil
		}
		if one := expr.Conjoin(inside); !contains(arms, one) {
			arms = append(arms, one)
		}
	}
	if !narrower {
		return nil // the OR is over this side alone and will be pushed down as it is
	}
	if len(arms) == 1 {
		return arms[0]
	}
	return &expr.Or{Args: arms}
}

// leaves gives the inputs of a tree of inner joins.
func leaves(n logical.Node) []logical.Node {
	if j, ok := n.(*logical.Join); ok && j.Kind == plan.Inner && !j.Dependent {
		return append(leaves(j.Left), leaves(j.Right)...)
	}
	return []logical.Node{n}
}
