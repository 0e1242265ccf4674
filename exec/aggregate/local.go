package aggregate

import (
	"context"
	"sync/atomic"

	"github.com/tarnlake/tarn/internal/memory"
	"github.com/tarnlake/tarn/internal/slots"
	"github.com/tarnlake/tarn/internal/vec"
)

const (
	// localGroups is how many groups a driver's table holds before it goes to partitions.
	localGroups = 1 << 17
	// bypassPercent: when at least so many of 100 rows were groups of their own, rows go to
	// partitions, or to whoever puts groups together, without a table in front.
	bypassPercent = 70
)

// local is one driver's part of the aggregation.
type local struct {
	sink    *Aggregate
	table   *table       // nil: all rows go to partitions as they are
	states  *partitioned // partial states
	raw     *partitioned // input rows
	bypass  bool
	rows    int64 // since the last flush
	batches int
	size    atomic.Int64
	reclaim *memory.Reclaimable

	all     []int32
	cols    []*vec.Vector
	partial []*vec.Vector // keys and partial columns of a batch of states
}

func newLocal(sink *Aggregate) (*local, error) {
	l := &local{sink: sink, cols: make([]*vec.Vector, len(sink.spec.needed))}
	if !sink.spec.raw {
		var err error
		if l.table, err = newTable(sink.spec, 0, sink.pool, sink.policy.Operator); err != nil {
			return nil, err
		}
	}
	if sink.policy.Enabled {
		l.reclaim = sink.pool.Register(l.size.Load)
	}
	return l, nil
}

func (l *local) Consume(ctx context.Context, in *vec.Batch) error {
	if err := l.relieve(ctx); err != nil {
		return err
	}
	list := in.Sel
	if list == nil {
		for i := len(l.all); i < in.Len; i++ {
			l.all = append(l.all, int32(i))
		}
		list = l.all[:in.Len]
	}
	err := l.add(in, list)
	if err == nil && l.table != nil && l.table.groups.Count() >= localGroups {
		err = l.flush(ctx)
	}
	l.note()
	return err
}

func (l *local) add(in *vec.Batch, list []int32) error {
	s := l.sink.spec
	switch {
	case l.bypass && s.phase.TakesStates():
		return l.states.Append(l.given(in), list)
	case s.raw || l.bypass:
		if l.raw == nil {
			l.raw = l.sink.newRaw(0)
		}
		for i, c := range s.needed {
			l.cols[i] = &in.Cols[c]
		}
		return l.raw.Append(l.cols, list)
	case s.phase.TakesStates():
		given := l.given(in)
		keys := len(s.keys)
		l.rows += int64(len(list))
		return l.table.merge(given[:keys], given[keys:], list, in.Sel == nil)
	}
	l.rows += int64(len(list))
	return l.table.update(in.Cols, nil, list, in.Sel == nil)
}

// given lists the columns of states: keys, then those of every call.
func (l *local) given(in *vec.Batch) []*vec.Vector {
	l.partial = l.sink.spec.states(in, l.partial[:0])
	return l.partial
}

// note tells the pool how much spilling would free.
func (l *local) note() {
	n := l.states.bytes() + l.raw.bytes()
	if l.table != nil && len(l.sink.spec.keys) > 0 {
		n += l.table.bytes()
	}
	l.size.Store(n)
}

// relieve spills when the pool asks for it.
func (l *local) relieve(ctx context.Context) error {
	l.batches++
	forced := l.sink.policy.Force && l.batches%4 == 0
	if l.reclaim == nil || !forced && !l.reclaim.Asked() {
		return nil
	}
	l.reclaim.Done()
	if l.table != nil && len(l.sink.spec.keys) > 0 {
		if err := l.flush(ctx); err != nil {
			return err
		}
		if err := l.table.renew(); err != nil {
			return err
		}
	}
	if err := l.states.spill(ctx); err != nil {
		return err
	}
	return l.raw.spill(ctx)
}

// flush empties the table into partitions.
func (l *local) flush(ctx context.Context) error {
	n := l.table.groups.Count()
	if n == 0 {
		return nil
	}
	if l.states == nil {
		l.states = l.sink.newStates(0)
	}
	if n >= localGroups && l.rows*bypassPercent < int64(n)*100 {
		l.bypass = true
	}
	l.rows = 0
	if err := l.table.flushInto(ctx, l.states, l.reclaim); err != nil {
		return err
	}
	return l.table.reset()
}

// Merge leaves the driver's groups to the sink's Finalize.
func (l *local) Merge(context.Context) error { return nil }

// settle ends the promise to give memory back.
func (l *local) settle() {
	if l.reclaim != nil {
		l.reclaim.Unregister()
		l.reclaim = nil
	}
}

// flushInto appends all groups' states to p, and spills p when the pool asks for memory meanwhile.
func (t *table) flushInto(ctx context.Context, p *partitioned, reclaim *memory.Reclaimable) error {
	out := vectors(len(t.spec.keys) + len(t.spec.partial))
	list := make([]int32, 0, batchRows)
	for i := range batchRows {
		list = append(list, int32(i))
	}
	for from := 0; from < t.groups.Count(); from += batchRows {
		if err := slots.Edge(ctx); err != nil {
			return err
		}
		n := min(t.groups.Count()-from, batchRows)
		if err := t.state(from, n, out); err != nil {
			return err
		}
		if err := p.Append(out, list[:n]); err != nil {
			return err
		}
		if reclaim != nil && reclaim.Asked() {
			reclaim.Done()
			if err := p.spill(ctx); err != nil {
				return err
			}
		}
	}
	return nil
}

// reset forgets all groups, keeping memory.
func (t *table) reset() error {
	t.groups.Reset()
	for _, state := range t.states {
		state.Reset()
	}
	return t.account()
}

// renew gives the memory of a table without groups back.
func (t *table) renew() error {
	t.groups.Free()
	t.groups = single{}
	var err error
	if t.states, err = t.spec.accumulators(); err != nil {
		return err
	}
	if err := t.account(); err != nil {
		return err
	}
	t.groups, err = newGrouper(t.spec.keyTypes, t.skip, t.pool, t.operator)
	if err != nil {
		t.groups = single{}
	}
	return err
}
