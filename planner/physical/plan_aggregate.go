package physical

import (
	"slices"

	"github.com/tarnlake/tarn/internal/expr"
	"github.com/tarnlake/tarn/internal/fn"
	"github.com/tarnlake/tarn/internal/plan"
	"github.com/tarnlake/tarn/internal/sqlerr"
	"github.com/tarnlake/tarn/internal/types"
	"github.com/tarnlake/tarn/planner/logical"
)

func (c *converter) planAggregate(n *logical.Aggregate, need columnSet) (output, error) {
	calls := make([]logical.AggregateCall, 0, len(n.Calls))
	inside := columnSet{}.with(n.Keys...)
	for _, call := range n.Calls {
		if !slices.ContainsFunc(call.Gives(n.Phase), func(id logical.ColID) bool { return need[id] }) {
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
	converted := make([]plan.AggregateCall, len(calls))
	for i, call := range calls {
		if converted[i], err = c.aggregateCall(n.Input, in, call, n.Phase); err != nil {
			return output{}, err
		}
	}
	a := &plan.Aggregate{Phase: n.Phase}
	ids := append([]logical.ColID(nil), n.KeyIDs...)
	if n.SetID != 0 || n.Sets != nil {
		if first, finals, ok := c.groupFirst(n, in, keys, converted); ok {
			in, keys, converted, a.Phase = output{node: first}, firstOrdinals(len(keys)), finals, plan.Final
		}
		in, keys = c.expand(n, in, keys)
		ids = append(ids, n.SetID)
	}
	a.Input, a.Keys, a.Calls = in.node, keys, converted
	for _, id := range ids {
		a.Out = append(a.Out, c.keyField(id))
	}
	for _, call := range calls {
		for _, id := range call.Gives(n.Phase) {
			a.Out = append(a.Out, c.field(id))
			ids = append(ids, id)
		}
	}
	return output{a, positions(ids)}, nil
}

// setsWorthGrouping is the number of grouping sets from which grouping by all keys first pays even
// if it should not make fewer rows: the sets multiply what it gives.
const setsWorthGrouping = 3

// groupFirst groups by all keys, so that only its groups are multiplied by the grouping sets, and
// gives the calls that finish what it began. It declines where a call needs the rows themselves.
func (c *converter) groupFirst(n *logical.Aggregate, in output, keys []int, calls []plan.AggregateCall) (*plan.Aggregate, []plan.AggregateCall, bool) {
	if len(n.Sets) < setsWorthGrouping {
		return nil, nil, false
	}
	first := &plan.Aggregate{Input: in.node, Keys: keys, Calls: calls, Phase: plan.Partial}
	for _, k := range keys {
		first.Out = append(first.Out, in.node.Schema()[k])
	}
	finals := append([]plan.AggregateCall(nil), calls...)
	for i := range finals {
		f := &finals[i]
		columns, ok := PartialColumns(c.env.Registry, f)
		if !ok {
			return nil, nil, false
		}
		f.Args, f.Filter, f.OrderBy = make([]int, len(columns)), -1, nil
		for k, t := range columns {
			f.Args[k] = len(first.Out)
			first.Out = append(first.Out, types.Field{Name: f.Name, Type: t, Nullable: true})
		}
	}
	first.Rows = c.env.Estimate.Rows(&logical.Aggregate{Input: n.Input, Keys: n.Keys, KeyIDs: n.Keys})
	return first, finals, true
}

// PartialColumns gives the types of an aggregate's partial state; false where it has none, because it
// must see all rows of a group at once.
func PartialColumns(registry *fn.Registry, c *plan.AggregateCall) ([]types.Type, bool) {
	o := registry.Overload(c.Function)
	if o == nil {
		return nil, false
	}
	impl, ok := o.Impl.(fn.Aggregate)
	if !ok || impl.Partial == nil || c.Distinct && !impl.DistinctIsNoop || len(c.OrderBy) > 0 && !impl.IgnoresOrder {
		return nil, false
	}
	constants := c.Constants
	if len(constants) < len(c.ArgTypes) {
		constants = append(slices.Clone(constants), make([]*types.Datum, len(c.ArgTypes)-len(constants))...)
	}
	return impl.Partial(fn.Call{Name: c.Name, Args: c.ArgTypes, Result: c.Result, Constants: constants}), true
}

func firstOrdinals(n int) []int {
	out := make([]int, n)
	for i := range out {
		out[i] = i
	}
	return out
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

func (c *converter) aggregateCall(below logical.Node, in output, call logical.AggregateCall, phase plan.Phase) (plan.AggregateCall, error) {
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
	if phase.TakesStates() {
		out.ArgTypes, out.Constants = call.ArgTypes, make([]*types.Datum, len(call.ArgTypes))
		return out, nil
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
	base, err := c.aggregateCall(below, in, call.AggregateCall, plan.Complete)
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
