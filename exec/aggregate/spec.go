package aggregate

import (
	"github.com/tarnlake/tarn/internal/fn"
	"github.com/tarnlake/tarn/internal/plan"
	"github.com/tarnlake/tarn/internal/sqlerr"
	"github.com/tarnlake/tarn/internal/types"
	"github.com/tarnlake/tarn/internal/vec"
)

// spec is an Aggregate node made ready: what every driver needs and none changes.
type spec struct {
	keys     []int
	keyTypes []types.Type
	calls    []call
	phase    plan.Phase
	input    []types.Type
	raw      bool // some call needs its rows, not partial states
	// partial lists the types of all calls' partial columns.
	partial []types.Type
	// needed lists the input columns of which raw rows consist: keys first.
	needed []int
	column []int // input column → position in needed, -1: not needed
}

// call is one aggregate.
type call struct {
	plan.AggregateCall
	impl    fn.Aggregate
	use     fn.Call
	partial []types.Type
}

// distinct and ordered tell what the call needs beyond its accumulator.
func (c *call) distinct() bool { return c.Distinct && !c.impl.DistinctIsNoop }
func (c *call) ordered() bool  { return len(c.OrderBy) > 0 && !c.impl.IgnoresOrder }

func newSpec(node *plan.Aggregate, input []types.Type, registry *fn.Registry, session *fn.Session) (*spec, error) {
	s := &spec{keys: node.Keys, phase: node.Phase, input: input}
	for _, k := range node.Keys {
		s.keyTypes = append(s.keyTypes, input[k])
	}
	for i := range node.Calls {
		c, err := newCall(&node.Calls[i], input, registry, session, node.Phase)
		if err != nil {
			return nil, err
		}
		s.calls = append(s.calls, c)
		s.partial = append(s.partial, c.partial...)
		s.raw = s.raw || !node.Phase.TakesStates() && (c.distinct() || c.ordered())
	}
	if s.raw && node.Phase.GivesStates() {
		return nil, sqlerr.Internal("aggregates with DISTINCT or ORDER BY have no partial states")
	}
	s.choose()
	return s, nil
}

func newCall(node *plan.AggregateCall, input []types.Type, registry *fn.Registry, session *fn.Session, phase plan.Phase) (call, error) {
	overload := registry.Overload(node.Function)
	if overload == nil {
		return call{}, sqlerr.Internal("no function number %d (%s)", node.Function, node.Name)
	}
	impl, ok := overload.Impl.(fn.Aggregate)
	if !ok {
		return call{}, sqlerr.Internal("function %s is not an aggregate", node.Name)
	}
	c := call{AggregateCall: *node, impl: impl}
	c.use = fn.Call{Name: node.Name, Args: node.ArgTypes, Result: node.Result, Constants: node.Constants, Session: session}
	if c.use.Args == nil && !phase.TakesStates() {
		for _, a := range node.Args {
			c.use.Args = append(c.use.Args, input[a])
		}
	}
	if len(c.use.Constants) < len(c.use.Args) {
		c.use.Constants = append(append([]*types.Datum(nil), c.use.Constants...), make([]*types.Datum, len(c.use.Args)-len(c.use.Constants))...)
	}
	c.partial = impl.Partial(c.use)
	if phase.TakesStates() && len(c.Args) != len(c.partial) {
		return call{}, sqlerr.Internal("%s takes %d partial columns, not %d", node.Name, len(c.partial), len(c.Args))
	}
	return c, nil
}

// choose lists the input columns that the aggregation reads.
func (s *spec) choose() {
	s.column = make([]int, len(s.input))
	for i := range s.column {
		s.column[i] = -1
	}
	// Keys take the first places even when one occurs twice.
	s.needed = append(s.needed, s.keys...)
	for i, k := range s.keys {
		if s.column[k] < 0 {
			s.column[k] = i
		}
	}
	need := func(c int) {
		if c >= 0 && s.column[c] < 0 {
			s.column[c] = len(s.needed)
			s.needed = append(s.needed, c)
		}
	}
	for i := range s.calls {
		for _, a := range s.calls[i].Args {
			need(a)
		}
		need(s.calls[i].Filter)
		for _, k := range s.calls[i].OrderBy {
			need(k.Column)
		}
	}
}

// neededTypes gives the types of the needed columns.
func (s *spec) neededTypes() []types.Type {
	out := make([]types.Type, len(s.needed))
	for i, c := range s.needed {
		out[i] = s.input[c]
	}
	return out
}

// stateTypes gives the types of keys and partial columns.
func (s *spec) stateTypes() []types.Type {
	return append(append([]types.Type(nil), s.keyTypes...), s.partial...)
}

// states appends the columns of a batch of states: keys, then those of every call.
func (s *spec) states(in *vec.Batch, out []*vec.Vector) []*vec.Vector {
	for _, k := range s.keys {
		out = append(out, &in.Cols[k])
	}
	for i := range s.calls {
		for _, a := range s.calls[i].Args {
			out = append(out, &in.Cols[a])
		}
	}
	return out
}

// accumulators makes one empty accumulator a call.
func (s *spec) accumulators() ([]fn.Accumulator, error) {
	out := make([]fn.Accumulator, len(s.calls))
	for i := range s.calls {
		var err error
		if out[i], err = s.calls[i].impl.New(s.calls[i].use); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// vectors makes n empty vectors.
func vectors(n int) []*vec.Vector {
	out := make([]*vec.Vector, n)
	for i := range out {
		out[i] = &vec.Vector{}
	}
	return out
}
