package optimizer

import (
	"github.com/tarnlake/tarn/internal/fn"
	"github.com/tarnlake/tarn/internal/plan"
	"github.com/tarnlake/tarn/internal/types"
	"github.com/tarnlake/tarn/planner/logical"
)

// inSteps gives the first half of an aggregation's calls, from rows to states, and the second, from
// states to results; false where a call must see all rows of a group at once.
func (c *Context) inSteps(calls []logical.AggregateCall) (partial, final []logical.AggregateCall, ok bool) {
	for _, call := range calls {
		states, ok := c.stateTypes(call)
		if !ok {
			return nil, nil, false
		}
		first, second := call, call
		second.Args, second.Filter, second.OrderBy = nil, 0, nil
		for _, id := range call.Args {
			second.ArgTypes = append(second.ArgTypes, c.Plan.Columns.Info(id).Type)
		}
		first.States = c.stateColumns(call.Name, states)
		second.Args = first.States
		partial, final = append(partial, first), append(final, second)
	}
	return partial, final, true
}

func (c *Context) stateColumns(name string, states []types.Type) []logical.ColID {
	out := make([]logical.ColID, len(states))
	for i, t := range states {
		out[i] = c.Plan.Columns.Add(name, t, true)
	}
	return out
}

// stateTypes gives the types of a call's partial state. Calls with several arguments are left out:
// some of theirs are constants, which the later steps would not see.
func (c *Context) stateTypes(call logical.AggregateCall) ([]types.Type, bool) {
	o := c.Registry.Overload(call.Function)
	if o == nil || len(call.Args) > 1 {
		return nil, false
	}
	impl, ok := o.Impl.(fn.Aggregate)
	if !ok || impl.Partial == nil || call.Distinct && !impl.DistinctIsNoop || len(call.OrderBy) > 0 && !impl.IgnoresOrder {
		return nil, false
	}
	use := fn.Call{Name: call.Name, Result: call.Type, Constants: make([]*types.Datum, len(call.Args))}
	for _, id := range call.Args {
		use.Args = append(use.Args, c.Plan.Columns.Info(id).Type)
	}
	return impl.Partial(use), true
}

// reading gives calls that take states as of gives their columns.
func reading(calls []logical.AggregateCall, of map[logical.ColID]logical.ColID) []logical.AggregateCall {
	out := append([]logical.AggregateCall(nil), calls...)
	for i := range out {
		out[i].Args = mapped(out[i].Args, of)
	}
	return out
}

// combining makes calls that take states give states.
func (c *Context) combining(calls []logical.AggregateCall) []logical.AggregateCall {
	out := append([]logical.AggregateCall(nil), calls...)
	for i := range out {
		states := make([]types.Type, len(out[i].Args))
		for k, id := range out[i].Args {
			states[k] = c.Plan.Columns.Info(id).Type
		}
		out[i].States = c.stateColumns(out[i].Name, states)
	}
	return out
}

// statesOf lists the columns that calls give in a phase.
func statesOf(calls []logical.AggregateCall, phase plan.Phase) []logical.ColID {
	var out []logical.ColID
	for i := range calls {
		out = append(out, calls[i].Gives(phase)...)
	}
	return out
}
