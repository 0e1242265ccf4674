package aggregate

import (
	"context"
	"sync/atomic"

	"github.com/tarnlake/tarn/exec/pipeline"
	"github.com/tarnlake/tarn/exec/spill"
	"github.com/tarnlake/tarn/internal/fn"
	"github.com/tarnlake/tarn/internal/memory"
	"github.com/tarnlake/tarn/internal/plan"
	"github.com/tarnlake/tarn/internal/slots"
	"github.com/tarnlake/tarn/internal/types"
	"github.com/tarnlake/tarn/internal/vec"
)

// NewEarly gives partial states of rows that another aggregation puts together later: a group may come
// several times. Each driver groups in a table of limited size and gives the table's groups when it is
// full; rows of which nearly each is a group of its own pass as they are, as the states of one row each,
// where such a state is no larger than what it is made of.
func NewEarly(node *plan.Aggregate, input []types.Type, environment *pipeline.Environment, stats *pipeline.NodeStats) (pipeline.Operator, error) {
	s, err := newSpec(node, input, environment.Registry, environment.Session)
	if err != nil {
		return nil, err
	}
	return &early{spec: s, stats: stats, pool: environment.Pool.Child(stats.Name, memory.Unlimited),
		policy: environment.SpillPolicy(stats), mayPass: s.phase == plan.Combine || narrow(s)}, nil
}

// early is shared by the drivers, who share nothing but the pool.
type early struct {
	spec    *spec
	stats   *pipeline.NodeStats
	pool    *memory.Pool
	policy  spill.Policy
	mayPass bool
}

// narrow tells whether the state of a single row is about as large as its arguments.
func narrow(s *spec) bool {
	for i := range s.calls {
		c := &s.calls[i]
		for _, t := range c.partial {
			switch t.Physical() {
			case types.PhysList, types.PhysRow:
				return false
			case types.PhysString:
				if len(c.use.Args) == 0 || !c.use.Args[0].Equal(t) {
					return false
				}
			}
		}
	}
	return true
}

func (e *early) New(*pipeline.Driver) (pipeline.Transform, error) {
	t, err := newTable(e.spec, 0, e.pool, e.policy.Operator)
	if err != nil {
		return nil, err
	}
	g := &grouping{early: e, table: t}
	if e.policy.Enabled {
		g.reclaim = e.pool.Register(g.size.Load)
	}
	return g, nil
}

func (e *early) Close() error {
	e.stats.RaiseMemory(e.pool.Peak())
	e.pool.Close()
	return nil
}

// grouping is one driver's table, or what lets rows pass.
type grouping struct {
	*early
	table   *table
	reclaim *memory.Reclaimable
	rows    int64 // since the table was empty
	batches int
	size    atomic.Int64
	passes  bool

	single []fn.Accumulator // passing: states of one batch's rows
	ids    []int32
	states []*vec.Vector // columns of a batch of states
	out    vec.Batch
}

func (g *grouping) Process(ctx context.Context, in *vec.Batch, emit pipeline.Emit) error {
	for i := len(g.ids); i < in.Len; i++ {
		g.ids = append(g.ids, int32(i))
	}
	list := in.Sel
	if list == nil {
		list = g.ids[:in.Len]
	}
	if g.passes {
		return g.pass(in, list, emit)
	}
	if err := g.add(in, list); err != nil {
		return err
	}
	g.rows += int64(len(list))
	g.batches++
	g.size.Store(g.table.bytes())
	n := g.table.groups.Count()
	asked := g.policy.Force && g.batches%4 == 0 || g.reclaim != nil && g.reclaim.Asked()
	if n < localGroups && !asked {
		return nil
	}
	if n >= localGroups && g.mayPass && g.rows*bypassPercent < int64(n)*100 {
		g.passes = true
	}
	if err := g.flush(ctx, emit); err != nil {
		return err
	}
	if asked && g.reclaim != nil {
		g.reclaim.Done()
	}
	if !asked && !g.passes {
		return nil
	}
	err := g.table.renew()
	g.size.Store(g.table.bytes())
	return err
}

func (g *grouping) add(in *vec.Batch, list []int32) error {
	s := g.spec
	if !s.phase.TakesStates() {
		return g.table.update(in.Cols, nil, list, in.Sel == nil)
	}
	given, keys := g.given(in), len(s.keys)
	return g.table.merge(given[:keys], given[keys:], list, in.Sel == nil)
}

// given lists the columns of states: keys, then those of every call.
func (g *grouping) given(in *vec.Batch) []*vec.Vector {
	g.states = g.spec.states(in, g.states[:0])
	return g.states
}

// flush gives the table's groups and empties it.
func (g *grouping) flush(ctx context.Context, emit pipeline.Emit) error {
	for from, all := 0, g.table.groups.Count(); from < all; from += batchRows {
		if err := slots.Edge(ctx); err != nil {
			return err
		}
		if err := g.table.result(from, min(all-from, batchRows), &g.out); err != nil {
			return err
		}
		if err := emit(&g.out); err != nil {
			return err
		}
	}
	g.rows = 0
	return g.table.reset()
}

// pass gives each row's state.
func (g *grouping) pass(in *vec.Batch, list []int32, emit pipeline.Emit) error {
	s := g.spec
	if g.single == nil {
		var err error
		if g.single, err = s.accumulators(); err != nil {
			return err
		}
		g.out = vec.Batch{Cols: make([]vec.Vector, len(s.keys)+len(s.partial))}
	}
	for i, k := range s.keys {
		g.out.Cols[i].Alias(&in.Cols[k])
	}
	if s.phase.TakesStates() {
		for i, v := range g.given(in) {
			g.out.Cols[i].Alias(v)
		}
		g.out.Len, g.out.Sel = in.Len, in.Sel
		return emit(&g.out)
	}
	at, t := len(s.keys), g.table
	for i := range s.calls {
		c, state := &s.calls[i], g.single[i]
		t.args = t.args[:0]
		for _, a := range c.Args {
			t.args = append(t.args, &in.Cols[a])
		}
		rows := list
		if c.Filter >= 0 {
			rows, _ = t.filter(&in.Cols[c.Filter], list, list)
		}
		state.Reset()
		state.Resize(in.Len)
		var err error
		if len(rows) == in.Len {
			err = state.Update(rows, t.args, nil)
		} else if len(rows) > 0 {
			err = state.Update(rows, t.args, rows)
		}
		if err != nil {
			return err
		}
		out := make([]*vec.Vector, len(c.partial))
		for k := range out {
			out[k] = &g.out.Cols[at+k]
		}
		if err := state.Partial(0, in.Len, out); err != nil {
			return err
		}
		at += len(c.partial)
	}
	g.out.Len, g.out.Sel = in.Len, in.Sel
	return emit(&g.out)
}

// Finish gives the last groups.
func (g *grouping) Finish(ctx context.Context, emit pipeline.Emit) error {
	if g.passes {
		return nil
	}
	return g.flush(ctx, emit)
}

// Close frees the table.
func (g *grouping) Close() error {
	if g.reclaim != nil {
		g.reclaim.Unregister()
		g.reclaim = nil
	}
	g.table.free()
	g.table = nil
	return nil
}
