package physical

import (
	"github.com/tarnlake/tarn/internal/expr"
	"github.com/tarnlake/tarn/internal/plan"
)

// connectFilters numbers the filters that join builds and top-Ns publish, and attaches them to the
// scans that produce the filtered column. A build larger than its probe side publishes nothing.
func connectFilters(root plan.Node) {
	next := 1
	var visit func(n plan.Node)
	visit = func(n plan.Node) {
		switch n := n.(type) {
		case *plan.HashJoin:
			if probeMayShrink(n.Kind) {
				for key := range n.LeftKeys {
					if !n.NullEqual[key] && attach(n.Left, n.LeftKeys[key], next) {
						n.Filters = append(n.Filters, plan.DynamicSource{Filter: next, Key: key})
						next++
					}
				}
			}
		case *plan.TopN:
			if !n.Keys[0].NullsFirst && n.Limit >= 0 && attach(n.Input, n.Keys[0].Column, next) {
				n.Filter = &plan.DynamicSource{Filter: next}
				next++
			}
		}
		if r, ok := n.(*plan.Recursive); ok {
			visit(r.Base) // the step runs many times, each with builds of its own
			return
		}
		for _, in := range n.Inputs() {
			visit(in)
		}
	}
	visit(root)
}

// probeMayShrink tells whether probe rows without a partner can be dropped before the join.
func probeMayShrink(k plan.JoinKind) bool {
	switch k {
	case plan.Inner, plan.Right, plan.Semi, plan.RightSemi, plan.RightAnti:
		return true
	}
	return false
}

// attach adds filter to the scans that give column of n; false when there is none.
func attach(n plan.Node, column, filter int) bool {
	switch n := n.(type) {
	case *plan.Scan:
		n.Dynamic = append(n.Dynamic, plan.DynamicUse{Filter: filter, Column: n.Output[column]})
		return true
	case *plan.Filter:
		return attach(n.Input, column, filter)
	case *plan.Sort:
		return attach(n.Input, column, filter)
	case *plan.Project:
		if c, ok := n.Exprs[column].(*expr.Column); ok {
			return attach(n.Input, int(c.ID), filter)
		}
	case *plan.Aggregate:
		if column < len(n.Keys) {
			return attach(n.Input, n.Keys[column], filter)
		}
	case *plan.Union:
		found := false
		for _, in := range n.All {
			found = attach(in, column, filter) || found
		}
		return found
	case *plan.HashJoin:
		if n.Output != nil {
			column = n.Output[column]
		}
		return attachJoin(n, column, filter)
	}
	return false
}

func attachJoin(n *plan.HashJoin, column, filter int) bool {
	width := len(n.Left.Schema())
	if column < width {
		switch n.Kind {
		case plan.Inner, plan.Left, plan.Semi, plan.Anti, plan.Mark, plan.Single, plan.NullAwareAnti:
			return attach(n.Left, column, filter)
		}
		return false
	}
	column -= width
	if column < len(n.Right.Schema()) {
		switch n.Kind {
		case plan.Inner, plan.Right, plan.RightSemi, plan.RightAnti:
			return attach(n.Right, column, filter)
		}
	}
	return false
}
