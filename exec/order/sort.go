package order

import (
	"context"
	"sync"
	"sync/atomic"

	"github.com/tarnlake/tarn/exec/pipeline"
	"github.com/tarnlake/tarn/exec/rows"
	"github.com/tarnlake/tarn/exec/spill"
	"github.com/tarnlake/tarn/internal/memory"
	"github.com/tarnlake/tarn/internal/plan"
	"github.com/tarnlake/tarn/internal/types"
	"github.com/tarnlake/tarn/internal/vec"
)

const batchRows = 2048

// Sort is the sink that orders all rows; Rows is the source of the result, for one driver.
type Sort struct {
	keys        []plan.SortKey
	leading     int // of the keys: rows that agree in these stay together in spans
	input       []types.Type
	environment *pipeline.Environment
	stats       *pipeline.NodeStats
	pool        *memory.Pool
	policy      spill.Policy

	mu      sync.Mutex
	locals  []*sorting
	spilled []*spilledRun
	refs    []rows.Reference // the order, when nothing was spilled
	stores  rows.Many
	held    int64 // bytes reserved for refs
}

// NewSort makes the sink of rows with the given column types.
func NewSort(keys []plan.SortKey, input []types.Type, environment *pipeline.Environment, stats *pipeline.NodeStats) *Sort {
	return &Sort{keys: keys, input: input, environment: environment, stats: stats,
		pool: environment.Pool.Child(stats.Name, memory.Unlimited), policy: environment.SpillPolicy(stats)}
}

// layout is that of the rows kept: the input's columns, and the keys where entries do not hold them.
func (s *Sort) layout(long bool) *rows.Layout {
	columns := append([]types.Type(nil), s.input...)
	if long {
		columns = append(columns, types.Of(types.Bytea))
	}
	return rows.NewLayout(columns)
}

// Local makes a driver's part.
func (s *Sort) Local(*pipeline.Driver) (pipeline.LocalSink, error) {
	l := &sorting{sink: s, encoder: newEncoder(s.keys, s.input), pool: s.pool.Child(s.policy.Operator, memory.Unlimited)}
	if err := l.begin(); err != nil {
		return nil, err
	}
	if s.policy.Enabled {
		l.reclaim = s.pool.Register(l.pool.Used)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.locals = append(s.locals, l)
	return l, nil
}

// sorting is one driver's part: sorted chunks, and an open one.
type sorting struct {
	sink     *Sort
	encoder  *encoder
	store    *rows.Store
	writer   *rows.Writer
	open     []entry
	runs     []*run
	reserved int64 // for entries
	batches  int
	pool     *memory.Pool // of the store and the entries
	reclaim  *memory.Reclaimable
	cols     []*vec.Vector
	all      []int32
	numbers  []uint32
}

// begin starts with an empty store.
func (l *sorting) begin() error {
	store, err := rows.NewStore(l.sink.layout(l.encoder.long), l.pool, l.sink.policy.Operator)
	if err != nil {
		return err
	}
	l.store, l.writer, l.runs, l.open = store, store.NewWriter(), nil, nil
	return nil
}

func (l *sorting) Consume(ctx context.Context, in *vec.Batch) error {
	list := in.Sel
	if list == nil {
		for i := len(l.all); i < in.Len; i++ {
			l.all = append(l.all, int32(i))
		}
		list = l.all[:in.Len]
	}
	for len(list) > 0 {
		n := l.encoder.piece(in, list)
		if err := l.consume(ctx, in, list[:n]); err != nil {
			return err
		}
		list = list[n:]
	}
	return nil
}

func (l *sorting) consume(ctx context.Context, in *vec.Batch, list []int32) error {
	l.batches++
	forced := l.sink.policy.Force && l.batches%3 == 0
	if l.reclaim != nil && (forced || l.reclaim.Asked()) {
		if err := l.spill(ctx); err != nil {
			return err
		}
		l.reclaim.Done()
	}
	if err := l.pool.Reserve(int64(len(list))*16, l.sink.policy.Operator); err != nil {
		return err
	}
	l.reserved += int64(len(list)) * 16
	if err := l.append(in, list); err != nil {
		return err
	}
	if len(l.open) >= chunkEntries {
		l.closeChunk()
	}
	return nil
}

// append adds the listed rows to the store and the open chunk.
func (l *sorting) append(in *vec.Batch, list []int32) error {
	first := len(l.open)
	var keys *vec.Vector
	l.open, keys = l.encoder.encode(in, list, l.open)
	l.cols = l.cols[:0]
	for c := range in.Cols {
		l.cols = append(l.cols, &in.Cols[c])
	}
	if keys != nil {
		l.cols = append(l.cols, keys)
	}
	if cap(l.numbers) < len(list) {
		l.numbers = make([]uint32, len(list))
	}
	numbers := l.numbers[:len(list)]
	if err := l.writer.Append(l.cols, list, numbers); err != nil {
		return err
	}
	for i, n := range numbers {
		l.open[first+i].row = n
	}
	return nil
}

// closeChunk sorts the open chunk and begins another.
func (l *sorting) closeChunk() {
	if len(l.open) == 0 {
		return
	}
	l.writer.Publish()
	r := newRun(l.open, l.store, l.encoder.long)
	r.sort()
	l.runs = append(l.runs, r)
	l.open = make([]entry, 0, min(2*cap(l.open), chunkEntries+batchRows))
}

func (l *sorting) Merge(ctx context.Context) error {
	if l.sink.policy.Force {
		if err := l.spill(ctx); err != nil {
			return err
		}
	}
	if l.reclaim != nil {
		l.reclaim.Unregister()
	}
	l.closeChunk()
	l.writer.Flush()
	return nil
}

// Finalize merges the chunks: in memory, or, once something was spilled or if that would leave too
// little memory for what comes after, on disk.
func (s *Sort) Finalize(ctx context.Context) error {
	held := s.pool.Used()
	if len(s.spilled) > 0 || s.policy.Enabled && s.pool.Headroom() < held/2 {
		return s.environment.Parallel(ctx, len(s.locals), func(ctx context.Context, i int) error { return s.locals[i].spill(ctx) })
	}
	var runs []*run
	total := 0
	for i, l := range s.locals {
		s.stores.Stores = append(s.stores.Stores, l.store)
		for _, r := range l.runs {
			r.index = i
			runs = append(runs, r)
			total += len(r.entries)
		}
	}
	if err := s.pool.Reserve(int64(total)*8, s.policy.Operator); err != nil {
		return err
	}
	s.held = int64(total) * 8
	s.refs = make([]rows.Reference, total)
	parts := 1
	if total > chunkEntries {
		parts = s.environment.Drivers
	}
	cuts := split(runs, parts)
	err := s.environment.Parallel(ctx, parts, func(ctx context.Context, p int) error {
		from, first, size := make([]int, len(runs)), 0, 0
		for i := range runs {
			if p > 0 {
				from[i] = cuts[p-1][i]
			}
			first += from[i]
			size += cuts[p][i] - from[i]
		}
		return mergeInto(ctx, runs, from, cuts[p], s.refs[first:first+size])
	})
	for _, l := range s.locals {
		l.runs = nil
		l.pool.Release(l.reserved)
		l.reserved = 0
	}
	return err
}

// Close frees everything.
func (s *Sort) Close() error {
	s.stats.RaiseMemory(s.pool.Peak())
	var first error
	for _, l := range s.locals {
		if l.reclaim != nil {
			l.reclaim.Unregister()
		}
		l.store.Free()
		l.pool.Release(l.reserved)
		l.reserved = 0
	}
	for _, r := range s.spilled {
		if err := r.file.Close(); err != nil && first == nil {
			first = err
		}
	}
	s.pool.Release(s.held)
	s.held, s.spilled, s.refs = 0, nil, nil
	s.pool.Close()
	return first
}

// Rows is the source of the ordered rows: all go to one driver.
func (s *Sort) Rows() pipeline.Source { return &sorted{sort: s} }

type sorted struct {
	sort  *Sort
	taken atomic.Bool
}

func (s *sorted) Open(ctx context.Context, d *pipeline.Driver) (vec.Source, error) {
	if s.taken.Swap(true) {
		return &refStream{}, nil
	}
	if len(s.sort.spilled) > 0 {
		return newDiskMerge(s.sort, keySpan{})
	}
	return &refStream{many: &s.sort.stores, refs: s.sort.refs, columns: len(s.sort.input), size: d.Environment.BatchSize}, nil
}

func (s *sorted) Close() error { return nil }

// refStream gives the rows that a list of references names.
type refStream struct {
	many    *rows.Many
	refs    []rows.Reference
	columns int
	size    int
	out     vec.Batch
}

func (r *refStream) Next(context.Context) (*vec.Batch, error) {
	n := min(len(r.refs), r.size)
	if n == 0 {
		return nil, nil
	}
	if r.out.Cols == nil {
		r.out.Cols = make([]vec.Vector, r.columns)
	}
	for c := range r.out.Cols {
		r.many.Gather(c, r.refs[:n], &r.out.Cols[c])
	}
	r.out.Len = n
	r.refs = r.refs[n:]
	return &r.out, nil
}

func (r *refStream) Close() error { return nil }
