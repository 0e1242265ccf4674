package aggregate

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"

	"github.com/tarnlake/tarn/exec/pipeline"
	"github.com/tarnlake/tarn/exec/rows"
	"github.com/tarnlake/tarn/exec/spill"
	"github.com/tarnlake/tarn/internal/memory"
	"github.com/tarnlake/tarn/internal/plan"
	"github.com/tarnlake/tarn/internal/slots"
	"github.com/tarnlake/tarn/internal/types"
	"github.com/tarnlake/tarn/internal/vec"
)

const (
	// mergeDirectly is the number of groups up to which drivers' tables are simply merged into one.
	mergeDirectly = 1 << 14
	// taskRows is about how many rows one task of the merge gets at least.
	taskRows = 1 << 14
	// groupBytes is about what a group takes beyond its row: slots, hashes, states.
	groupBytes = 64
)

// Aggregate is the sink of an aggregation; Groups is the source of its result.
type Aggregate struct {
	spec        *spec
	environment *pipeline.Environment
	stats       *pipeline.NodeStats
	pool        *memory.Pool
	policy      spill.Policy

	mu     sync.Mutex
	locals []*local
	direct *table // the whole result; nil: tasks
	inputs []*partitioned
	tasks  []task
	next   atomic.Int64 // task
}

// task is a range of parts to be merged, of all inputs.
type task struct {
	from, to int
	inputs   []*partitioned
	depth    int
	last     *atomic.Int64 // tasks that still read the inputs; nil: the sink frees them
}

// New makes the sink of an Aggregate node over input columns of the given types.
func New(node *plan.Aggregate, input []types.Type, environment *pipeline.Environment, stats *pipeline.NodeStats) (*Aggregate, error) {
	s, err := newSpec(node, input, environment.Registry, environment.Session)
	if err != nil {
		return nil, err
	}
	return &Aggregate{spec: s, environment: environment, stats: stats,
		pool: environment.Pool.Child(stats.Name, memory.Unlimited), policy: environment.SpillPolicy(stats)}, nil
}

// Local makes a driver's part.
func (a *Aggregate) Local(*pipeline.Driver) (pipeline.LocalSink, error) {
	l, err := newLocal(a)
	if err != nil {
		return nil, err
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.locals = append(a.locals, l)
	return l, nil
}

func (a *Aggregate) newStates(depth int) *partitioned {
	return &partitioned{Partitioned: spill.NewPartitioned(a.spec.stateTypes(), a.keyColumns(), depth, a.pool, a.policy)}
}

func (a *Aggregate) newRaw(depth int) *partitioned {
	return &partitioned{Partitioned: spill.NewPartitioned(a.spec.neededTypes(), a.keyColumns(), depth, a.pool, a.policy), raw: true}
}

// keyColumns lists where the keys are in states and raw rows: first.
func (a *Aggregate) keyColumns() []int {
	list := make([]int, len(a.spec.keys))
	for i := range list {
		list[i] = i
	}
	return list
}

// Finalize joins what the drivers have: directly when it is little, else by parts, later.
func (a *Aggregate) Finalize(ctx context.Context) error {
	groups, scattered := 0, false
	for _, l := range a.locals {
		scattered = scattered || l.states != nil || l.raw != nil
		if l.table != nil {
			groups += l.table.groups.Count()
		}
	}
	if !scattered && !a.spec.raw && (groups <= mergeDirectly || len(a.locals) == 1 || len(a.spec.keys) == 0) {
		return a.mergeTables(ctx)
	}
	err := a.environment.Parallel(ctx, len(a.locals), func(ctx context.Context, i int) error {
		l := a.locals[i]
		if l.table != nil {
			if err := l.flush(ctx); err != nil {
				return err
			}
			l.table.free()
			l.table = nil
		}
		l.settle()
		l.states.flush()
		l.raw.flush()
		return nil
	})
	if err == nil {
		err = a.makeRoom(ctx)
	}
	if err != nil {
		return err
	}
	a.plan()
	return nil
}

// makeRoom puts the parts on disk when they leave less memory than they hold: merging them, and what
// comes after, needs some too.
func (a *Aggregate) makeRoom(ctx context.Context) error {
	held := a.pool.Used()
	if !a.policy.Enabled || held <= a.pool.Headroom() {
		return nil
	}
	return a.environment.Parallel(ctx, len(a.locals), func(ctx context.Context, i int) error {
		if err := a.locals[i].states.spill(ctx); err != nil {
			return err
		}
		return a.locals[i].raw.spill(ctx)
	})
}

// mergeTables makes the first driver's table the result.
func (a *Aggregate) mergeTables(ctx context.Context) error {
	into := a.locals[0].table
	for _, l := range a.locals[1:] {
		if l.table.groups.Count() > into.groups.Count() {
			into = l.table
		}
	}
	out := vectors(len(a.spec.keys) + len(a.spec.partial))
	list := make([]int32, batchRows)
	for i := range list {
		list[i] = int32(i)
	}
	for _, l := range a.locals {
		l.settle()
		if l.table == into {
			l.table = nil
			continue
		}
		for from := 0; from < l.table.groups.Count(); from += batchRows {
			if err := slots.Edge(ctx); err != nil {
				return err
			}
			n := min(l.table.groups.Count()-from, batchRows)
			if err := l.table.state(from, n, out); err != nil {
				return err
			}
			k := len(a.spec.keys)
			if err := into.merge(out[:k], out[k:], list[:n], n == batchRows); err != nil {
				return err
			}
		}
		l.table.free()
		l.table = nil
	}
	a.direct = into
	a.stats.SetDetail("one table")
	return nil
}

// plan cuts the parts into tasks.
func (a *Aggregate) plan() {
	total := int64(0)
	for _, l := range a.locals {
		for _, p := range []*partitioned{l.states, l.raw} {
			if p != nil {
				a.inputs = append(a.inputs, p)
				total += p.Rows()
			}
		}
	}
	if len(a.spec.keys) == 0 {
		a.tasks = []task{{from: 0, to: 1, inputs: a.inputs}}
		return
	}
	// A task's table and its result must leave room for those of the other drivers.
	estimate := total * int64(rows.NewLayout(a.spec.stateTypes()).Width+groupBytes)
	budget := max(a.pool.Headroom()/int64(4*a.environment.Drivers), 64<<10)
	count := int(min(max(total/taskRows, estimate/budget)+1, rows.Partitions))
	for i := range count {
		a.tasks = append(a.tasks, task{from: i * rows.Partitions / count, to: (i + 1) * rows.Partitions / count, inputs: a.inputs})
	}
	a.stats.SetDetail(fmt.Sprintf("%d partitions", count))
}

// Close frees everything.
func (a *Aggregate) Close() error {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.stats.RaiseMemory(a.pool.Peak())
	var first error
	for _, l := range a.locals {
		l.settle()
		l.table.free()
		for _, p := range []*partitioned{l.states, l.raw} {
			if err := p.free(); err != nil && first == nil {
				first = err
			}
		}
	}
	a.direct.free()
	a.locals, a.direct = nil, nil
	a.pool.Close()
	return first
}

// Groups is the source of the result.
func (a *Aggregate) Groups() pipeline.Source { return &groups{sink: a} }

type groups struct {
	sink  *Aggregate
	taken atomic.Bool
}

func (g *groups) Open(_ context.Context, d *pipeline.Driver) (vec.Source, error) {
	s := &stream{sink: g.sink, size: d.Environment.BatchSize}
	if g.sink.direct != nil && !g.taken.Swap(true) {
		s.table = g.sink.direct
		s.shared = true
	}
	return s, nil
}

func (g *groups) Close() error { return nil }
