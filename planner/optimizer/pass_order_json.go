package optimizer

import (
	"slices"

	"github.com/tarnlake/tarn/internal/expr"
	"github.com/tarnlake/tarn/internal/sqlerr"
	"github.com/tarnlake/tarn/internal/types"
	"github.com/tarnlake/tarn/planner/logical"
)

// orderJSON sorts jsonb by keys whose bytes compare as jsonb does.
func orderJSON(c *Context) error {
	return c.rewrite(func(n logical.Node) (logical.Node, error) {
		switch n := n.(type) {
		case *logical.Sort:
			input, keys, err := c.jsonKeys(n.Input, n.Keys)
			if err != nil || input == nil {
				return n, err
			}
			return &logical.Sort{Input: input, Keys: keys}, nil
		case *logical.Window:
			input, keys, err := c.jsonKeys(n.Input, n.Order)
			if err != nil || input == nil {
				return n, err
			}
			out := *n
			out.Input, out.Order = input, keys
			return &out, nil
		case *logical.Aggregate:
			out := *n
			out.Calls = slices.Clone(n.Calls)
			for i, call := range out.Calls {
				if call.Distinct {
					continue // the key must stay the argument
				}
				input, keys, err := c.jsonKeys(out.Input, call.OrderBy)
				if err != nil {
					return n, err
				}
				if input == nil {
					continue
				}
				out.Input, out.Calls[i].OrderBy = input, keys
			}
			if out.Input == n.Input {
				return n, nil
			}
			return &out, nil
		case *logical.DistinctOn:
			input, keys, err := c.jsonKeys(n.Input, n.Order)
			if err != nil || input == nil {
				return n, err
			}
			return &logical.DistinctOn{Input: input, Keys: n.Keys, Order: keys}, nil
		}
		return n, nil
	})
}

// jsonKeys computes the keys of jsonb columns; a nil node when there are none.
func (c *Context) jsonKeys(n logical.Node, keys []logical.SortKey) (logical.Node, []logical.SortKey, error) {
	isJSON := func(k logical.SortKey) bool { return c.Plan.Columns.Info(k.Column).Type.Kind == types.JSONB }
	if !slices.ContainsFunc(keys, isJSON) {
		return nil, keys, nil
	}
	order := c.Registry.ByName("jsonb_order_key")
	if len(order) == 0 {
		return nil, nil, sqlerr.Internal("jsonb_order_key is not in the registry")
	}
	keys = slices.Clone(keys)
	project := &logical.Project{Input: n}
	for _, id := range n.Columns() {
		project.Exprs = append(project.Exprs, logical.Computed{ID: id, Expr: c.Plan.Columns.Ref(id)})
	}
	bytea := types.Of(types.Bytea)
	for i, k := range keys {
		if !isJSON(k) {
			continue
		}
		id := c.Plan.Columns.Add("jsonb_order_key", bytea, true)
		project.Exprs = append(project.Exprs, logical.Computed{ID: id,
			Expr: &expr.Call{Function: order[0].ID, Name: order[0].Name, Args: []expr.Expr{c.Plan.Columns.Ref(k.Column)}, T: bytea}})
		keys[i].Column = id
	}
	return project, keys, nil
}
