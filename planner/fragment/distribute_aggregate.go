package fragment

import (
	"slices"

	"github.com/tarnlake/tarn/internal/plan"
	"github.com/tarnlake/tarn/internal/types"
	"github.com/tarnlake/tarn/planner/physical"
)

// fewerGroups is how much smaller than its input an aggregation must be for a first one on every
// worker to pay when states are larger than rows. The first one gives up by itself where nearly each row
// is a group of its own, so it pays for small states even when many groups are expected: rows of a
// group often come together.
const fewerGroups = 0.8

// aggregate groups where the rows are if equal keys are together there; else in two steps around an
// Exchange where all calls have partial states; else after the Exchange.
func (d *distributor) aggregate(n *plan.Aggregate, in plan.Node) plan.Node {
	p := d.at[in]
	if n.Phase == plan.Finish && !p.single { // groups may lie in pieces
		n = n.WithInputs([]plan.Node{in}).(*plan.Aggregate)
		n.Phase = plan.Final
	}
	if n.Phase.GivesStates() && !p.single && !subset(p.keys, n.Keys) {
		return d.put(n.WithInputs([]plan.Node{in}), anywhere)
	}
	if n.Phase == plan.Final && !p.single && (len(p.keys) == 0 || !subset(p.keys, n.Keys)) {
		if d.shrinks(n, in) {
			if first, ok := d.partial(n, in); ok {
				return d.final(n, first)
			}
		}
		in = d.together(in, n.Keys)
		return d.put(n.WithInputs([]plan.Node{in}), grouped(d.at[in], n.Keys))
	}
	if n.Phase != plan.Complete || p.single || len(p.keys) > 0 && subset(p.keys, n.Keys) {
		return d.put(n.WithInputs([]plan.Node{in}), grouped(p, n.Keys))
	}
	if d.shrinks(n, in) || d.smallStates(n) {
		if partial, ok := d.partial(n, in); ok {
			return d.final(n, partial)
		}
	}
	if columns, ok := distinctOnly(n); ok && len(n.Keys) == 0 {
		in, n = d.distinctFirst(n, in, columns)
	}
	in = d.together(in, n.Keys)
	return d.put(n.WithInputs([]plan.Node{in}), grouped(d.at[in], n.Keys))
}

// grouped tells where an aggregation gives the keys of its input's placement.
func grouped(p placement, keys []int) placement {
	out := placement{single: p.single}
	for _, k := range p.keys {
		out.keys = append(out.keys, slices.Index(keys, k))
	}
	return out
}

func (d *distributor) shrinks(n *plan.Aggregate, in plan.Node) bool {
	if len(n.Keys) == 0 {
		return true
	}
	rows, groups := in.Head().Rows, n.Rows
	return rows < 0 || groups < 0 || groups < rows*fewerGroups
}

// smallStates tells whether the partial states of single rows are about as large as what they are made of.
func (d *distributor) smallStates(n *plan.Aggregate) bool {
	for i := range n.Calls {
		c := &n.Calls[i]
		columns, ok := d.partialColumns(c)
		if !ok {
			return false
		}
		for _, t := range columns {
			switch t.Physical() {
			case types.PhysList, types.PhysRow:
				return false
			case types.PhysString:
				if len(c.ArgTypes) == 0 || !c.ArgTypes[0].Equal(t) {
					return false
				}
			}
		}
	}
	return true
}

// partial makes the step before the Exchange: keys, then the partial columns of every call.
func (d *distributor) partial(n *plan.Aggregate, in plan.Node) (*plan.Aggregate, bool) {
	out := n.WithInputs([]plan.Node{in}).(*plan.Aggregate)
	out.Phase = plan.Partial
	if n.Phase == plan.Final {
		out.Phase = plan.Combine
	}
	out.Out = slices.Clone(n.Out[:len(n.Keys)])
	for i := range n.Calls {
		columns, ok := d.partialColumns(&n.Calls[i])
		if !ok {
			return nil, false
		}
		for _, t := range columns {
			out.Out = append(out.Out, types.Field{Name: n.Calls[i].Name, Type: t, Nullable: true})
		}
	}
	d.put(out, anywhere)
	return out, true
}

func (d *distributor) partialColumns(c *plan.AggregateCall) ([]types.Type, bool) {
	return physical.PartialColumns(d.env.Registry, c)
}

// final makes the step after the Exchange.
func (d *distributor) final(n *plan.Aggregate, partial *plan.Aggregate) plan.Node {
	keys := make([]int, len(n.Keys))
	for i := range keys {
		keys[i] = i
	}
	in := d.together(partial, keys)
	out := n.WithInputs([]plan.Node{in}).(*plan.Aggregate)
	out.Phase, out.Keys = plan.Final, keys
	out.Calls = slices.Clone(n.Calls)
	next := len(keys)
	for i := range out.Calls {
		c := &out.Calls[i]
		columns, _ := d.partialColumns(c)
		c.Args, c.Filter = make([]int, len(columns)), -1
		for k := range columns {
			c.Args[k] = next
			next++
		}
	}
	return d.put(out, grouped(d.at[in], keys))
}

// distinctOnly tells whether all calls are over the distinct values of the same columns.
func distinctOnly(n *plan.Aggregate) ([]int, bool) {
	if len(n.Calls) == 0 {
		return nil, false
	}
	columns := n.Calls[0].Args
	for _, c := range n.Calls {
		if !c.Distinct || c.Filter >= 0 || len(c.OrderBy) > 0 || !slices.Equal(c.Args, columns) {
			return nil, false
		}
	}
	return columns, len(columns) > 0
}

// distinctFirst drops what occurs twice on a worker before rows are gathered.
func (d *distributor) distinctFirst(n *plan.Aggregate, in plan.Node, columns []int) (plan.Node, *plan.Aggregate) {
	first := &plan.Aggregate{Input: in, Keys: columns}
	args := make([]int, len(columns))
	for i, c := range columns {
		args[i] = i
		first.Out = append(first.Out, in.Schema()[c])
	}
	first.Rows = in.Head().Rows
	d.put(first, anywhere)
	out := *n
	out.Calls = slices.Clone(n.Calls)
	for i := range out.Calls {
		out.Calls[i].Args = args
	}
	return first, &out
}
