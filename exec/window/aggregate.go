package window

import (
	"context"

	"github.com/tarnlake/tarn/internal/fn"
	"github.com/tarnlake/tarn/internal/plan"
	"github.com/tarnlake/tarn/internal/types"
	"github.com/tarnlake/tarn/internal/vec"
)

// fanout is the number of children of a node in the tree of partial states.
const fanout = 16

// chunk is the number of rows whose frames are worked on at a time.
const chunk = vec.BatchSize

// framed is the input of an aggregate over frames.
type framed struct {
	ctx        context.Context
	args       []*vec.Vector
	filter     *vec.Vector // nil: none
	n          int
	start, end []int32
	peers      *peers
	exclude    fn.Exclusion
}

// counts tells whether the FILTER lets a row through.
func (f *framed) counts(row int32) bool {
	if f.filter == nil {
		return true
	}
	if f.filter.Enc == vec.Const {
		row = 0
	}
	return f.filter.Valid.Get(int(row)) && vec.Values[uint8](f.filter)[row] != 0
}

// ranges gives row i's frame, after exclusion, as at most three ranges in order.
func (f *framed) ranges(i int, out [][2]int32) [][2]int32 {
	s, e := f.start[i], f.end[i]
	out = out[:0]
	add := func(from, to int32) {
		if from < to {
			out = append(out, [2]int32{from, to})
		}
	}
	switch f.exclude {
	case fn.ExcludeCurrentRow:
		add(s, min(e, int32(i)))
		add(max(s, int32(i)+1), e)
	case fn.ExcludeGroup, fn.ExcludeTies:
		add(s, min(e, f.peers.start[i]))
		if f.exclude == fn.ExcludeTies && s <= int32(i) && int32(i) < e {
			add(int32(i), int32(i)+1)
		}
		add(max(s, f.peers.end[i]), e)
	default:
		add(s, e)
	}
	return out
}

// aggregate runs an accumulator over frames.
type aggregate struct {
	implementation fn.Aggregate
	call           fn.Call
	state          fn.Accumulator // results: group i is the i-th row of the chunk
	prefixes       fn.Prefixes    // of state; nil: it has none
	levels         []fn.Accumulator
	groups, rows   []int32
	partials       [][]*vec.Vector
}

func (a *aggregate) prepare() (err error) {
	a.state, err = a.implementation.New(a.call)
	a.prefixes, _ = a.state.(fn.Prefixes)
	return err
}

// over computes the aggregate for every row's frame in the cheapest way that fits.
func (a *aggregate) over(f *framed, frame plan.Frame, out *vec.Vector) error {
	switch {
	case f.exclude == fn.ExcludeNothing && frame.Start.Kind == plan.UnboundedPreceding && frame.End.Kind == plan.UnboundedFollowing:
		return a.once(f, out)
	case f.exclude == fn.ExcludeNothing && frame.Start.Kind == plan.UnboundedPreceding && growing(f.end):
		if a.prefixes != nil {
			return a.prefixed(f, out)
		}
		return a.running(f, out)
	case !a.implementation.IgnoresOrder:
		return a.each(f, out)
	}
	return a.sliding(f, out)
}

func growing(end []int32) bool {
	for i := 1; i < len(end); i++ {
		if end[i] < end[i-1] {
			return false
		}
	}
	return true
}

// once aggregates the whole partition and repeats the value.
func (a *aggregate) once(f *framed, out *vec.Vector) error {
	a.state.Reset()
	a.state.Resize(1)
	if err := a.feed(f, a.state, 0, 0, int32(f.n)); err != nil {
		return err
	}
	if err := a.flush(f, a.state); err != nil {
		return err
	}
	var value vec.Vector
	if err := a.state.Final(0, 1, &value); err != nil {
		return err
	}
	vec.Gather(out, &value, make([]int32, f.n))
	return nil
}

// prefixed computes the value after each row, a chunk of rows at a time, and gives every row the value
// at the end of its frame.
func (a *aggregate) prefixed(f *framed, out *vec.Vector) error {
	after := vec.NewFlat(a.call.Result, 0) // at i: the value of the first i rows
	carry, err := a.empty()
	if err != nil {
		return err
	}
	if err := a.state.Final(0, 1, after); err != nil {
		return err
	}
	var part vec.Vector
	for from, last := 0, int(f.end[f.n-1]); from < last; from += chunk {
		if f.ctx.Err() != nil {
			return context.Cause(f.ctx)
		}
		n := min(chunk, last-from)
		if err := a.after(f, from, n, carry); err != nil {
			return err
		}
		if err := a.state.Final(1, n, &part); err != nil {
			return err
		}
		Extend(after, &part)
	}
	vec.Gather(out, after, f.end)
	return nil
}

// empty makes the state of no rows group 0, and gives it as a partial state.
func (a *aggregate) empty() (carry []*vec.Vector, err error) {
	a.state.Reset()
	a.state.Resize(1)
	for _, t := range a.partialTypes() {
		carry = append(carry, vec.NewFlat(t, 0))
	}
	return carry, a.state.Partial(0, 1, carry)
}

// after makes group i, from 1 to n, the state of carry and of i rows from row from on, and carry the last.
func (a *aggregate) after(f *framed, from, n int, carry []*vec.Vector) error {
	a.state.Reset()
	a.state.Resize(n + 1)
	if err := a.state.Merge([]int32{0}, carry, nil); err != nil {
		return err
	}
	for row := range n {
		if err := a.feed(f, a.state, int32(row+1), int32(from+row), int32(from+row+1)); err != nil {
			return err
		}
	}
	if err := a.flush(f, a.state); err != nil {
		return err
	}
	if err := a.prefixes.Prefix(n + 1); err != nil {
		return err
	}
	return a.state.Partial(n, 1, carry)
}

// running adds each row once; rows whose frames end together share a value.
func (a *aggregate) running(f *framed, out *vec.Vector) error {
	a.state.Reset()
	a.state.Resize(1)
	var distinct vec.Vector
	collected := vec.NewFlat(a.call.Result, 0)
	which := make([]int32, f.n)
	done := int32(0)
	for i := 0; i < f.n; {
		end := f.end[i]
		if err := a.feed(f, a.state, 0, done, end); err != nil {
			return err
		}
		if err := a.flush(f, a.state); err != nil {
			return err
		}
		done = max(done, end)
		if err := a.state.Final(0, 1, &distinct); err != nil {
			return err
		}
		appendRows(collected, &distinct)
		for i < f.n && f.end[i] == end {
			which[i] = int32(collected.Len - 1)
			i++
		}
		if i%chunk == 0 && f.ctx.Err() != nil {
			return context.Cause(f.ctx)
		}
	}
	vec.Gather(out, collected, which)
	return nil
}

// appendRows copies results; the few strings of a small one do not keep its whole buffers.
func appendRows(collected, part *vec.Vector) {
	if part.Len < chunk/8 && part.Type.Physical() == types.PhysString {
		for i := range part.Len {
			collected.AppendDatum(part.Datum(i))
		}
		return
	}
	Extend(collected, part)
}

// each aggregates every frame from its rows, in order.
func (a *aggregate) each(f *framed, out *vec.Vector) error {
	return a.chunked(f, out, func(i int, group int32, ranges [][2]int32) error {
		for _, r := range ranges {
			if err := a.feed(f, a.state, group, r[0], r[1]); err != nil {
				return err
			}
		}
		return nil
	}, func() error { return a.flush(f, a.state) })
}

// chunked calls visit with every row's ranges, then done, and collects results chunk by chunk.
func (a *aggregate) chunked(f *framed, out *vec.Vector, visit func(i int, group int32, ranges [][2]int32) error, done func() error) error {
	collected := vec.NewFlat(a.call.Result, 0)
	var part vec.Vector
	var ranges [][2]int32
	for from := 0; from < f.n; from += chunk {
		if f.ctx.Err() != nil {
			return context.Cause(f.ctx)
		}
		n := min(chunk, f.n-from)
		a.state.Reset()
		a.state.Resize(n)
		for k := range n {
			ranges = f.ranges(from+k, ranges)
			if err := visit(from+k, int32(k), ranges); err != nil {
				return err
			}
		}
		if err := done(); err != nil {
			return err
		}
		if err := a.state.Final(0, n, &part); err != nil {
			return err
		}
		appendRows(collected, &part)
	}
	out.Alias(collected)
	return nil
}

// feed queues rows from … to-1 for a group of state.
func (a *aggregate) feed(f *framed, state fn.Accumulator, group, from, to int32) error {
	for row := from; row < to; row++ {
		if !f.counts(row) {
			continue
		}
		a.groups, a.rows = append(a.groups, group), append(a.rows, row)
		if len(a.rows) >= chunk {
			if err := a.flush(f, state); err != nil {
				return err
			}
		}
	}
	return nil
}

func (a *aggregate) flush(f *framed, state fn.Accumulator) error {
	if len(a.rows) == 0 {
		return nil
	}
	err := state.Update(a.groups, f.args, a.rows)
	a.groups, a.rows = a.groups[:0], a.rows[:0]
	return err
}

// sliding builds the tree of partial states, each node over fanout children, and joins for every
// frame the few rows and nodes that make it up.
func (a *aggregate) sliding(f *framed, out *vec.Vector) error {
	if err := a.build(f); err != nil {
		return err
	}
	type piece struct{ groups, nodes []int32 }
	pieces := make([]piece, len(a.partials))
	visit := func(_ int, group int32, ranges [][2]int32) error {
		for _, r := range ranges {
			from, to := r[0], r[1]
			for level := -1; from < to; level++ {
				// Items of a level (rows below the first) up to the next node's edge, from both ends.
				last := level == len(a.partials)-1
				for from < to && (last || from%fanout != 0) {
					if level < 0 {
						if err := a.feed(f, a.state, group, from, from+1); err != nil {
							return err
						}
					} else {
						pieces[level].groups, pieces[level].nodes = append(pieces[level].groups, group), append(pieces[level].nodes, from)
					}
					from++
				}
				for from < to && to%fanout != 0 {
					to--
					if level < 0 {
						if err := a.feed(f, a.state, group, to, to+1); err != nil {
							return err
						}
					} else {
						pieces[level].groups, pieces[level].nodes = append(pieces[level].groups, group), append(pieces[level].nodes, to)
					}
				}
				from, to = from/fanout, to/fanout
			}
		}
		return nil
	}
	return a.chunked(f, out, visit, func() error {
		if err := a.flush(f, a.state); err != nil {
			return err
		}
		for level := range pieces {
			if len(pieces[level].nodes) > 0 {
				if err := a.state.Merge(pieces[level].groups, a.partials[level], pieces[level].nodes); err != nil {
					return err
				}
			}
			pieces[level] = piece{pieces[level].groups[:0], pieces[level].nodes[:0]}
		}
		return nil
	})
}

// build computes the partial states of every level of the tree.
func (a *aggregate) build(f *framed) error {
	a.partials = a.partials[:0]
	count := (f.n + fanout - 1) / fanout
	for level := 0; ; level++ {
		if level == len(a.levels) {
			state, err := a.implementation.New(a.call)
			if err != nil {
				return err
			}
			a.levels = append(a.levels, state)
		}
		state := a.levels[level]
		state.Reset()
		state.Resize(count)
		if err := a.fill(f, level, state); err != nil {
			return err
		}
		columns := make([]*vec.Vector, 0, 1)
		for _, t := range a.partialTypes() {
			columns = append(columns, vec.NewFlat(t, 0))
		}
		if err := state.Partial(0, count, columns); err != nil {
			return err
		}
		a.partials = append(a.partials, columns)
		if count <= fanout {
			return nil
		}
		count = (count + fanout - 1) / fanout
	}
}

func (a *aggregate) partialTypes() []types.Type { return a.implementation.Partial(a.call) }

func (a *aggregate) fill(f *framed, level int, state fn.Accumulator) error {
	if level == 0 {
		for row := int32(0); row < int32(f.n); row++ {
			if err := a.feed(f, state, row/fanout, row, row+1); err != nil {
				return err
			}
		}
		return a.flush(f, state)
	}
	below := a.partials[level-1]
	n := below[0].Len
	groups := make([]int32, n)
	for i := range groups {
		groups[i] = int32(i / fanout)
	}
	return state.Merge(groups, below, nil)
}
