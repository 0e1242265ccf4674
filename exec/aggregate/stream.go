package aggregate

import (
	"context"
	"errors"
	"sync/atomic"

	"github.com/tarnlake/tarn/exec/rows"
	"github.com/tarnlake/tarn/internal/memory"
	"github.com/tarnlake/tarn/internal/slots"
	"github.com/tarnlake/tarn/internal/sqlerr"
	"github.com/tarnlake/tarn/internal/vec"
)

// deepest is how often a part that does not fit in memory is cut again.
const deepest = 6

// stream merges parts and gives their groups, for one driver.
type stream struct {
	sink   *Aggregate
	size   int
	table  *table
	shared bool   // the table is the sink's
	spare  *table // to be used for the next task
	from   int
	stack  []task // parts of parts, to be done before the next shared task
	out    vec.Batch
	list   []int32
}

func (s *stream) Next(ctx context.Context) (*vec.Batch, error) {
	for {
		if err := slots.Edge(ctx); err != nil {
			return nil, err
		}
		if s.table != nil && s.from < s.table.groups.Count() {
			n := min(s.table.groups.Count()-s.from, s.size)
			err := s.table.result(s.from, n, &s.out)
			s.from += n
			return &s.out, err
		}
		s.drop()
		next, found := s.take()
		if !found {
			return nil, nil
		}
		if err := s.process(ctx, next); err != nil {
			return nil, err
		}
		s.from = 0
	}
}

// drop ends the present table; its memory serves the next task.
func (s *stream) drop() {
	if s.table != nil && !s.shared {
		if s.spare == nil && s.table.extras == nil {
			s.spare = s.table
		} else {
			s.table.free()
		}
	}
	s.table, s.shared = nil, false
}

// begin makes an empty table for a task.
func (s *stream) begin(depth int) (err error) {
	a, skip := s.sink, 8*(depth+1)
	spare := s.spare
	s.spare = nil
	if spare != nil && spare.skip == skip {
		s.table = spare
		return spare.reset()
	}
	spare.free()
	s.table, err = newTable(a.spec, skip, a.pool, a.policy.Operator)
	return err
}

// all lists the rows of a batch of n.
func (s *stream) all(n int) []int32 {
	for i := len(s.list); i < n; i++ {
		s.list = append(s.list, int32(i))
	}
	return s.list[:n]
}

// take gives the next task: first what this driver cut itself.
func (s *stream) take() (task, bool) {
	if n := len(s.stack); n > 0 {
		t := s.stack[n-1]
		s.stack = s.stack[:n-1]
		return t, true
	}
	i := int(s.sink.next.Add(1)) - 1
	if i >= len(s.sink.tasks) {
		return task{}, false
	}
	return s.sink.tasks[i], true
}

// Close drops what was not given.
func (s *stream) Close() error {
	s.drop()
	s.spare.free()
	s.spare = nil
	var first error
	for _, t := range s.stack {
		if err := t.done(); err != nil && first == nil {
			first = err
		}
	}
	s.stack = nil
	return first
}

// done frees inputs that no task reads any more.
func (t *task) done() error {
	if t.last == nil || t.last.Add(-1) > 0 {
		return nil
	}
	var first error
	for _, p := range t.inputs {
		if err := p.free(); err != nil && first == nil {
			first = err
		}
	}
	return first
}

// process merges a task's rows into a table of its own, or cuts them further when they do not fit.
func (s *stream) process(ctx context.Context, t task) (err error) {
	defer func() {
		if closing := t.done(); err == nil {
			err = closing
		}
	}()
	a := s.sink
	if err = s.begin(t.depth); err != nil {
		return err
	}
	m := &merging{stream: s, task: t}
	if a.policy.Enabled && len(a.spec.keys) > 0 {
		m.reclaim = a.pool.Register(m.size.Load)
		defer m.reclaim.Unregister()
	}
	err = m.run(ctx)
	if errors.Is(err, errOverflow) || m.mayCut(err) {
		err = m.restart(ctx)
	}
	if err != nil {
		_ = m.overflow.free()
		return err
	}
	if m.overflow == nil {
		return s.table.finish()
	}
	if err = m.cut(ctx); err != nil {
		_ = m.overflow.free()
	}
	return err
}

// merging is the run of one task.
type merging struct {
	stream   *stream
	task     task
	reclaim  *memory.Reclaimable
	size     atomic.Int64
	overflow *partitioned // states (or raw rows) that had to leave memory
	steps    int
	partial  []*vec.Vector
	keys     []*vec.Vector
}

func (m *merging) run(ctx context.Context) error {
	for _, input := range m.task.inputs {
		for part := m.task.from; part < m.task.to; part++ {
			err := input.Each(ctx, part, func(cols []vec.Vector, n int) error { return m.add(ctx, cols, n, input.raw) })
			if err != nil {
				return err
			}
		}
	}
	return nil
}

func (m *merging) add(ctx context.Context, cols []vec.Vector, n int, raw bool) error {
	s, spec := m.stream, m.stream.sink.spec
	list := s.all(n)
	var err error
	if raw {
		err = s.table.update(cols, spec.column, list, true)
	} else {
		if m.keys == nil {
			m.keys, m.partial = make([]*vec.Vector, len(spec.keys)), make([]*vec.Vector, len(spec.partial))
		}
		for i := range m.keys {
			m.keys[i] = &cols[i]
		}
		for i := range m.partial {
			m.partial[i] = &cols[len(m.keys)+i]
		}
		err = s.table.merge(m.keys, m.partial, list, true)
	}
	if err != nil {
		return err
	}
	m.size.Store(s.table.bytes() + m.overflow.bytes())
	return m.relieve(ctx)
}

// relieve moves the table's groups into parts of the next depth when the pool asks for it.
func (m *merging) relieve(ctx context.Context) error {
	a := m.stream.sink
	m.steps++
	forced := a.policy.Force && m.task.depth == 0 && m.steps == 1
	if m.reclaim == nil || !forced && !m.reclaim.Asked() {
		return nil
	}
	if m.task.depth+1 >= deepest {
		return nil
	}
	m.reclaim.Done()
	if a.spec.raw {
		return errOverflow
	}
	if m.overflow == nil {
		m.overflow = a.newStates(m.task.depth + 1)
	}
	if err := m.stream.table.flushInto(ctx, m.overflow, m.reclaim); err != nil {
		return err
	}
	if err := m.overflow.spill(ctx); err != nil {
		return err
	}
	return m.stream.table.renew()
}

// mayCut tells whether memory that a task did not get may suffice for parts of it: rows that came at
// once, such as the first ones, found nothing else to be spilled.
func (m *merging) mayCut(err error) bool {
	return m.reclaim != nil && m.stream.sink.spec.raw && m.task.depth+1 < deepest && sqlerr.CodeOf(err) == sqlerr.OutOfMemory
}

// restart cuts the rows themselves, where states cannot be merged.
func (m *merging) restart(ctx context.Context) error {
	a := m.stream.sink
	m.stream.drop()
	m.overflow = a.newRaw(m.task.depth + 1)
	cols := make([]*vec.Vector, len(a.spec.needed))
	for _, input := range m.task.inputs {
		for part := m.task.from; part < m.task.to; part++ {
			err := input.Each(ctx, part, func(given []vec.Vector, n int) error {
				for i := range cols {
					cols[i] = &given[i]
				}
				if err := m.overflow.Append(cols, m.stream.all(n)); err != nil {
					return err
				}
				m.size.Store(m.overflow.bytes())
				if m.reclaim.Asked() || m.overflow.bytes() > 8<<20 {
					m.reclaim.Done()
					return m.overflow.spill(ctx)
				}
				return nil
			})
			if err != nil {
				return err
			}
		}
	}
	return nil
}

// cut makes tasks of the overflow's parts.
func (m *merging) cut(ctx context.Context) error {
	s := m.stream
	if s.table != nil {
		if err := s.table.flushInto(ctx, m.overflow, m.reclaim); err != nil {
			return err
		}
		s.drop()
	}
	m.overflow.flush()
	if err := m.overflow.spill(ctx); err != nil { // nobody could ask for its memory while its parts are merged
		return err
	}
	last := &atomic.Int64{}
	for part := range rows.Partitions {
		if !m.overflow.Empty(part) {
			last.Add(1)
			s.stack = append(s.stack, task{from: part, to: part + 1, inputs: []*partitioned{m.overflow}, depth: m.task.depth + 1, last: last})
		}
	}
	if last.Load() == 0 {
		return m.overflow.free()
	}
	return nil
}
