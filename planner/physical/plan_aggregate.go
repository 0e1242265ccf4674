package physical

import (
	"github.com/tarnlake/tarn/internal/expr"
	"github.com/tarnlake/tarn/internal/plan"
	"github.com/tarnlake/tarn/internal/sqlerr"
	"github.com/tarnlake/tarn/internal/types"
	"github.com/tarnlake/tarn/planner/logical"
)

func (c *converter) planAggregate(n *logical.Aggregate, need columnSet) (output, error) {
	calls := make([]logical.AggregateCall, 0, len(n.Calls))
	inside := columnSet{}.with(n.Keys...)
	for _, call := range n.Calls {
		if !need[call.ID] {
			continue
		}
		calls = append(calls, call)
		inside = inside.with(call.Args...).with(call.Filter).with(sortColumns(call.OrderBy)...)
	}
	in, err := c.convert(n.Input, inside)
	if err != nil {
		return output{}, err
	}
	keys, err := c.ordinals(in, n.Keys)
	if err != nil {
		return output{}, err
	}
	ids := append([]logical.ColID(nil), n.KeyIDs...)
	if n.SetID != 0 || n.Sets != nil {
		in, keys = c.expand(n, in, keys)
		if n.SetID != 0 {
			ids = append(ids, n.SetID)
		} else {
			ids = append(ids, 0)
		}
	}
	a := &plan.Aggregate{Input: in.node, Keys: keys}
	for _, id := range ids {
		a.Out = append(a.Out, c.keyField(id))
	}
	for _, call := range calls {
		converted, err := c.aggregateCall(n.Input, in, call)
		if err != nil {
			return output{}, err
		}
		a.Calls = append(a.Calls, converted)
		a.Out = append(a.Out, c.field(call.ID))
		ids = append(ids, call.ID)
	}
	return output{a, positions(ids)}, nil
}

func (c *converter) keyField(id logical.ColID) types.Field {
	if id == 0 {
		return types.Field{Name: "grouping_set", Type: types.Of(types.Int64)}
	}
	return c.field(id)
}

// expand multiplies rows by grouping sets over copies of the keys, so that aggregates of a key
// column still see its values.
func (c *converter) expand(n *logical.Aggregate, in output, keys []int) (output, []int) {
	project := passThrough(in.node)
	copies := make([]int, len(keys))
	for i, k := range keys {
		copies[i] = len(project.Exprs)
		field := in.node.Schema()[k]
		field.Nullable = true
		project.Exprs = append(project.Exprs, &expr.Column{ID: expr.ColumnID(k), Name: field.Name, T: field.Type})
		project.Out = append(project.Out, field)
	}
	e := &plan.Expand{Input: project, Keys: copies}
	for _, set := range n.Sets {
		columns := make([]int, len(set))
		for i, k := range set {
			columns[i] = copies[k]
		}
		e.Sets = append(e.Sets, columns)
	}
	e.Rows = project.Rows * float64(len(n.Sets))
	e.Out = append(append(types.Schema(nil), project.Out...), types.Field{Name: "grouping_set", Type: types.Of(types.Int64)})
	return output{e, in.at}, append(copies, len(e.Out)-1)
}

func (c *converter) aggregateCall(below logical.Node, in output, call logical.AggregateCall) (plan.AggregateCall, error) {
	args, err := c.ordinals(in, call.Args)
	if err != nil {
		return plan.AggregateCall{}, err
	}
	out := plan.AggregateCall{Function: call.Function, Name: call.Name, Args: args, Filter: -1, Distinct: call.Distinct, Result: call.Type}
	if out.OrderBy, err = c.sortKeys(in, call.OrderBy); err != nil {
		return out, err
	}
	if call.Filter != 0 {
		at, ok := in.at[call.Filter]
		if !ok {
			return out, sqlerr.Internal("filter of %s is not produced below", call.Name)
		}
		out.Filter = at
	}
	for _, id := range call.Args {
		out.ArgTypes = append(out.ArgTypes, c.columns.Info(id).Type)
		out.Constants = append(out.Constants, constantBelow(below, id))
	}
	return out, nil
}

// constantBelow finds the literal that gives column id its value, if that is so.
func constantBelow(n logical.Node, id logical.ColID) *types.Datum {
	switch n := n.(type) {
	case *logical.Project:
		for _, e := range n.Exprs {
			if e.ID != id {
				continue
			}
			switch x := e.Expr.(type) {
			case *expr.Literal:
				return &x.Value
			case *expr.Column:
				return constantBelow(n.Input, x.ID)
			}
			return nil
		}
	case *logical.Filter, *logical.Sort, *logical.Window:
		return constantBelow(n.Inputs()[0], id)
	}
	return nil
}

func (c *converter) planWindow(n *logical.Window, need columnSet) (output, error) {
	inside := need.with(n.Partition...).with(sortColumns(n.Order)...)
	for _, call := range n.Calls {
		inside = inside.with(call.Args...).with(call.Filter, call.StartOffset, call.EndOffset)
	}
	in, err := c.convert(n.Input, intersect(inside, n.Input.Columns()))
	if err != nil {
		return output{}, err
	}
	w := &plan.Window{Input: in.node}
	if w.Partition, err = c.ordinals(in, n.Partition); err != nil {
		return output{}, err
	}
	if w.Order, err = c.sortKeys(in, n.Order); err != nil {
		return output{}, err
	}
	w.Out = append(types.Schema(nil), in.node.Schema()...)
	at := map[logical.ColID]int{}
	for id, i := range in.at {
		at[id] = i
	}
	for _, call := range n.Calls {
		if !need[call.ID] {
			continue
		}
		converted, err := c.windowCall(n.Input, in, call)
		if err != nil {
			return output{}, err
		}
		at[call.ID] = len(w.Out)
		w.Functions = append(w.Functions, converted)
		w.Out = append(w.Out, c.field(call.ID))
	}
	if len(w.Functions) == 0 {
		return in, nil
	}
	return output{w, at}, nil
}

func (c *converter) windowCall(below logical.Node, in output, call logical.WindowCall) (plan.WindowCall, error) {
	base, err := c.aggregateCall(below, in, call.AggregateCall)
	if err != nil {
		return plan.WindowCall{}, err
	}
	out := plan.WindowCall{AggregateCall: base, Aggregate: call.Aggregate, IgnoreNulls: call.IgnoreNulls, Frame: call.Frame}
	out.Frame.Start.Offset, out.Frame.End.Offset = -1, -1
	for _, edge := range []struct {
		id    logical.ColID
		bound *plan.Bound
	}{{call.StartOffset, &out.Frame.Start}, {call.EndOffset, &out.Frame.End}} {
		if edge.id == 0 {
			continue
		}
		at, err := c.ordinals(in, []logical.ColID{edge.id})
		if err != nil {
			return out, err
		}
		edge.bound.Offset = at[0]
	}
	return out, nil
}
