package order

import (
	"context"
	"math"
	"sync"
	"sync/atomic"

	"github.com/tarnlake/tarn/exec/pipeline"
	"github.com/tarnlake/tarn/exec/rows"
	"github.com/tarnlake/tarn/internal/memory"
	"github.com/tarnlake/tarn/internal/plan"
	"github.com/tarnlake/tarn/internal/types"
	"github.com/tarnlake/tarn/internal/vec"
)

// LargestTopN is the number of rows up to which a top-N keeps only those; above, sorting everything
// is as good, and can spill.
const LargestTopN = 1 << 17

// TopN is the sink that keeps the first rows of an order; Rows is the source of the result, for one
// driver. Each driver keeps at least the best offset+limit of its rows. A row whose first key bytes
// are beyond the present last is dropped before it is copied.
type TopN struct {
	keys          []plan.SortKey
	input         []types.Type
	limit, offset int64
	ties          bool
	environment   *pipeline.Environment
	stats         *pipeline.NodeStats
	pool          *memory.Pool
	publish       func(key types.Datum) // of the first sort column's last needed value; nil: nobody asks

	mu     sync.Mutex
	locals []*topping
	refs   []rows.Reference
	stores rows.Many
}

// NewTopN makes the sink; limit+offset must not exceed LargestTopN. publish, if not nil, is told
// whenever a driver's last row improves.
func NewTopN(node *plan.TopN, input []types.Type, environment *pipeline.Environment, stats *pipeline.NodeStats, publish func(types.Datum)) *TopN {
	return &TopN{keys: node.Keys, input: input, limit: node.Limit, offset: node.Offset, ties: node.WithTies,
		environment: environment, stats: stats, pool: environment.Pool.Child(stats.Name, memory.Unlimited), publish: publish}
}

// keep is the number of rows to be kept.
func (t *TopN) keep() int { return int(t.limit + t.offset) }

// Local makes a driver's part.
func (t *TopN) Local(*pipeline.Driver) (pipeline.LocalSink, error) {
	l := &topping{sink: t, encoder: newEncoder(t.keys, t.input), threshold: entry{high: math.MaxUint64, low: math.MaxUint32}}
	if err := l.begin(); err != nil {
		return nil, err
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.locals = append(t.locals, l)
	return l, nil
}

// topping is one driver's part.
type topping struct {
	sink      *TopN
	encoder   *encoder
	store     *rows.Store
	writer    *rows.Writer
	best      []entry
	threshold entry // rows whose entry is greater are not among the best
	full      bool  // best held enough rows once, so that threshold means something
	entries   []entry
	cols      []*vec.Vector
	all       []int32
	passed    []int32
	numbers   []uint32
}

func (l *topping) begin() error {
	columns := append([]types.Type(nil), l.sink.input...)
	if l.encoder.long {
		columns = append(columns, types.Of(types.Bytea))
	}
	store, err := rows.NewStore(rows.NewLayout(columns), l.sink.pool, l.sink.stats.Name)
	if err != nil {
		return err
	}
	l.store, l.writer = store, store.NewWriter()
	return nil
}

func (l *topping) Consume(_ context.Context, in *vec.Batch) error {
	if l.sink.keep() == 0 {
		return nil
	}
	list := in.Sel
	if list == nil {
		for i := len(l.all); i < in.Len; i++ {
			l.all = append(l.all, int32(i))
		}
		list = l.all[:in.Len]
	}
	for len(list) > 0 {
		n := l.encoder.piece(in, list)
		if err := l.consume(in, list[:n]); err != nil {
			return err
		}
		list = list[n:]
	}
	return nil
}

func (l *topping) consume(in *vec.Batch, list []int32) error {
	var keys *vec.Vector
	l.entries, keys = l.encoder.encode(in, list, l.entries[:0])
	list = l.filter(list)
	if len(list) == 0 {
		return nil
	}
	if err := l.append(in, keys, list); err != nil {
		return err
	}
	if keep := l.sink.keep(); len(l.best) >= max(2*keep, 4096) || len(l.best) >= 2*keep && l.store.Bytes() > 4*pieceBytes {
		return l.shrink()
	}
	return nil
}

// filter drops rows beyond the threshold, and their entries.
func (l *topping) filter(list []int32) []int32 {
	if !l.full {
		return list
	}
	l.passed = l.passed[:0]
	kept := l.entries[:0]
	for i, e := range l.entries {
		if compareEntries(e, l.threshold) <= 0 {
			l.passed, kept = append(l.passed, list[i]), append(kept, e)
		}
	}
	l.entries = kept
	return l.passed
}

func (l *topping) append(in *vec.Batch, keys *vec.Vector, list []int32) error {
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
		l.entries[i].row = n
	}
	l.best = append(l.best, l.entries...)
	return nil
}

// sorted orders the entries and cuts those that cannot be in the result.
func (l *topping) sorted() *run {
	l.writer.Publish()
	r := newRun(l.best, l.store, l.encoder.long)
	r.sort()
	n := l.sink.keep()
	if len(r.entries) > n {
		last := r.entries[n-1]
		for l.sink.ties && n < len(r.entries) && compare(r, r.entries[n], r, last) == 0 {
			n++
		}
		r.entries = r.entries[:n]
	}
	l.best = r.entries
	return r
}

// shrink keeps the best rows only, in a new store, and lowers the threshold.
func (l *topping) shrink() error {
	r := l.sorted()
	if len(r.entries) >= l.sink.keep() {
		l.threshold, l.full = r.entries[l.sink.keep()-1], true
		if l.sink.publish != nil {
			var first vec.Vector
			l.store.Gather(l.sink.keys[0].Column, []uint32{l.threshold.row}, &first)
			l.sink.publish(first.Datum(0))
		}
	}
	old := l.store
	if err := l.begin(); err != nil {
		return err
	}
	defer old.Free()
	vectors := make([]vec.Vector, len(old.Layout.Types))
	cols := make([]*vec.Vector, len(vectors))
	for c := range cols {
		cols[c] = &vectors[c]
	}
	numbers := make([]uint32, 0, batchRows)
	for at := 0; at < len(l.best); at += batchRows {
		part := l.best[at:min(at+batchRows, len(l.best))]
		numbers = numbers[:0]
		for _, e := range part {
			numbers = append(numbers, e.row)
		}
		for c := range cols {
			old.Gather(c, numbers, cols[c])
		}
		for i := len(l.all); i < len(part); i++ {
			l.all = append(l.all, int32(i))
		}
		if err := l.writer.Append(cols, l.all[:len(part)], numbers); err != nil {
			return err
		}
		for i := range part {
			part[i].row = numbers[i]
		}
	}
	return nil
}

func (l *topping) Merge(context.Context) error {
	l.writer.Flush()
	return nil
}

// Finalize merges the drivers' best rows.
func (t *TopN) Finalize(ctx context.Context) error {
	if t.keep() == 0 {
		return nil
	}
	var runs []*run
	total := 0
	for i, l := range t.locals {
		r := l.sorted()
		r.index = i
		runs = append(runs, r)
		t.stores.Stores = append(t.stores.Stores, l.store)
		total += len(r.entries)
	}
	from, to := make([]int, len(runs)), make([]int, len(runs))
	for i, r := range runs {
		to[i] = len(r.entries)
	}
	m := newMerger(runs, from, to)
	lastRun, last := -1, entry{}
	for i := range total {
		if i&(1<<13-1) == 0 && ctx.Err() != nil {
			return context.Cause(ctx)
		}
		winner, e := m.next()
		if i >= t.keep() && (!t.ties || compare(runs[winner], e, runs[lastRun], last) != 0) {
			break
		}
		if i < t.keep() {
			lastRun, last = winner, e
		}
		if int64(i) >= t.offset {
			t.refs = append(t.refs, rows.Refer(winner, e.row))
		}
	}
	return nil
}

// Close frees everything.
func (t *TopN) Close() error {
	t.stats.RaiseMemory(t.pool.Peak())
	for _, l := range t.locals {
		l.store.Free()
	}
	t.locals, t.refs = nil, nil
	t.pool.Close()
	return nil
}

// Rows is the source of the ordered rows: all go to one driver.
func (t *TopN) Rows() pipeline.Source { return &topRows{top: t} }

type topRows struct {
	top   *TopN
	taken atomic.Bool
}

func (s *topRows) Open(_ context.Context, d *pipeline.Driver) (vec.Source, error) {
	if s.taken.Swap(true) {
		return &refStream{}, nil
	}
	return &refStream{many: &s.top.stores, refs: s.top.refs, columns: len(s.top.input), size: d.Environment.BatchSize}, nil
}

func (s *topRows) Close() error { return nil }
