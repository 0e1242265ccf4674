package optimizer

import (
	"github.com/tarnlake/tarn/internal/plan"
	"github.com/tarnlake/tarn/planner/estimate"
	"github.com/tarnlake/tarn/planner/logical"
)

// pushSemiJoins moves a semi or anti join below an inner join onto the side whose columns it tests,
// where fewer rows pass it than the join would give.
func pushSemiJoins(c *Context) error {
	e := c.estimator()
	return c.rewrite(func(n logical.Node) (logical.Node, error) {
		j, ok := n.(*logical.Join)
		if !ok || j.Kind != plan.Semi && j.Kind != plan.Anti {
			return n, nil
		}
		return sinkSemi(e, j), nil
	})
}

func sinkSemi(e *estimate.Estimator, semi *logical.Join) logical.Node {
	below, ok := semi.Left.(*logical.Join)
	if !ok || below.Kind != plan.Inner || below.Dependent {
		return semi
	}
	right := idSet(semi.Right.Columns())
	tested := idsSet{}
	for id := range columnsOf(semi.Condition) {
		if !right[id] {
			tested[id] = true
		}
	}
	if len(tested) == 0 {
		return semi
	}
	sink := func(side logical.Node) (logical.Node, bool) {
		if !subset(tested, idSet(side.Columns())) {
			return nil, false
		}
		lower := &logical.Join{Kind: semi.Kind, Left: side, Right: semi.Right, Condition: semi.Condition}
		if e.Rows(lower) >= e.Rows(below) {
			return nil, false
		}
		return sinkSemi(e, lower), true
	}
	if left, ok := sink(below.Left); ok {
		return below.WithInputs([]logical.Node{left, below.Right})
	}
	if other, ok := sink(below.Right); ok {
		return below.WithInputs([]logical.Node{below.Left, other})
	}
	return semi
}
