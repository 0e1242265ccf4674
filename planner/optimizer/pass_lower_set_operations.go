package optimizer

import (
	"github.com/tarnlake/tarn/internal/expr"
	"github.com/tarnlake/tarn/internal/plan"
	"github.com/tarnlake/tarn/internal/sqlerr"
	"github.com/tarnlake/tarn/internal/types"
	"github.com/tarnlake/tarn/planner/logical"
)

// lowerSetOperations expresses INTERSECT as a semi join and EXCEPT as an anti join over all columns,
// NULLs being equal. With ALL, rows are first numbered among their equals, so that the n-th copy on
// the left meets the n-th on the right.
func lowerSetOperations(c *Context) error {
	return c.rewrite(func(n logical.Node) (logical.Node, error) {
		set, ok := n.(*logical.SetOperation)
		if !ok || set.Kind == logical.Union {
			return n, nil
		}
		left, leftIDs := set.In[0], set.Arms[0]
		for arm := 1; arm < len(set.In); arm++ {
			var err error
			if left, err = c.lowerSet(set, left, leftIDs, set.In[arm], set.Arms[arm]); err != nil {
				return nil, err
			}
		}
		project := &logical.Project{Input: left}
		for i, id := range set.IDs {
			project.Exprs = append(project.Exprs, logical.Computed{ID: id, Expr: c.Plan.Columns.Ref(leftIDs[i])})
		}
		if set.All {
			return project, nil
		}
		return &logical.Aggregate{Input: project, Keys: set.IDs, KeyIDs: set.IDs}, nil
	})
}

func (c *Context) lowerSet(set *logical.SetOperation, left logical.Node, leftIDs []logical.ColID, right logical.Node, rightIDs []logical.ColID) (logical.Node, error) {
	kind := plan.Semi
	if set.Kind == logical.Except {
		kind = plan.Anti
	}
	if set.All {
		var leftNumber, rightNumber logical.ColID
		var err error
		if left, leftNumber, err = c.numbered(left, leftIDs); err != nil {
			return nil, err
		}
		if right, rightNumber, err = c.numbered(right, rightIDs); err != nil {
			return nil, err
		}
		leftIDs = append(append([]logical.ColID(nil), leftIDs...), leftNumber)
		rightIDs = append(append([]logical.ColID(nil), rightIDs...), rightNumber)
	}
	var conjuncts []expr.Expr
	for i := range leftIDs {
		conjuncts = append(conjuncts, &expr.Compare{Op: expr.NotDistinct, Left: c.Plan.Columns.Ref(leftIDs[i]), Right: c.Plan.Columns.Ref(rightIDs[i])})
	}
	return &logical.Join{Kind: kind, Left: left, Right: right, Condition: expr.Conjoin(conjuncts)}, nil
}

// numbered appends each row's number among rows with equal columns.
func (c *Context) numbered(n logical.Node, ids []logical.ColID) (logical.Node, logical.ColID, error) {
	rowNumber := c.Registry.ByName("row_number")
	if len(rowNumber) == 0 {
		return nil, 0, sqlerr.Internal("row_number is not in the registry")
	}
	bigint := types.Of(types.Int64)
	id := c.Plan.Columns.Add("row_number", bigint, false)
	seen, partition := idsSet{}, []logical.ColID(nil)
	for _, col := range ids {
		if !seen[col] {
			seen[col] = true
			partition = append(partition, col)
		}
	}
	return &logical.Window{Input: n, Partition: partition, Calls: []logical.WindowCall{{
		AggregateCall: logical.AggregateCall{ID: id, Function: rowNumber[0].ID, Name: "row_number", Type: bigint},
		Frame:         plan.Frame{Start: plan.Bound{Kind: plan.UnboundedPreceding}, End: plan.Bound{Kind: plan.CurrentRow}}}}}, id, nil
}
