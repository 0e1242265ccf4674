package order

import (
	"context"
	"sync/atomic"

	"github.com/tarnlake/tarn/exec/pipeline"
	"github.com/tarnlake/tarn/exec/rows"
	"github.com/tarnlake/tarn/exec/window"
	"github.com/tarnlake/tarn/internal/plan"
	"github.com/tarnlake/tarn/internal/slots"
	"github.com/tarnlake/tarn/internal/types"
	"github.com/tarnlake/tarn/internal/vec"
)

// segmentRows is about how many rows of whole partitions are evaluated together.
const segmentRows = 8192

// leastLarge is the size in bytes up to which a partition is always evaluated as a whole.
const leastLarge = 256 << 10

// Window is the sink that sorts rows by partition and order; Values is the source that gives them
// with the values of the window functions. Drivers share the partitions.
type Window struct {
	*Sort
	node     *plan.Window
	needed   []bool // input columns that the functions read
	segments []segment
	ranges   []keySpan    // of what is on disk
	next     atomic.Int64 // segment or range
}

// segment is a range of the order made of whole partitions.
type segment struct {
	from   int
	starts []int32 // first row of each partition, from 0, and the number of rows at the end
}

func (s *segment) rows() int { return int(s.starts[len(s.starts)-1]) }

// NewWindow makes the sink of a Window node over rows with the given column types.
func NewWindow(node *plan.Window, input []types.Type, environment *pipeline.Environment, stats *pipeline.NodeStats) *Window {
	keys := make([]plan.SortKey, 0, len(node.Partition)+len(node.Order))
	for _, c := range node.Partition {
		keys = append(keys, plan.SortKey{Column: c})
	}
	w := &Window{Sort: NewSort(append(keys, node.Order...), input, environment, stats), node: node, needed: make([]bool, len(input))}
	w.leading = len(node.Partition)
	need := func(c int) {
		if c >= 0 {
			w.needed[c] = true
		}
	}
	for _, k := range node.Order {
		need(k.Column)
	}
	for _, f := range node.Functions {
		for _, a := range f.Args {
			need(a)
		}
		need(f.Filter)
		for _, b := range []plan.Bound{f.Frame.Start, f.Frame.End} {
			if b.Kind == plan.Preceding || b.Kind == plan.Following {
				need(b.Offset)
			}
		}
	}
	return w
}

// Finalize sorts and finds the partitions, or if rows were spilled ranges of them.
func (w *Window) Finalize(ctx context.Context) error {
	if err := w.Sort.Finalize(ctx); err != nil {
		return err
	}
	if len(w.spilled) > 0 {
		w.ranges = w.spans(4 * w.environment.Drivers)
		return nil
	}
	starts, err := w.partitions(ctx)
	if err != nil {
		return err
	}
	s := segment{}
	for i, start := range starts[:len(starts)-1] {
		if len(s.starts) > 0 && int(start)-s.from >= segmentRows {
			s.starts = append(s.starts, start-int32(s.from))
			w.segments = append(w.segments, s)
			s = segment{from: int(start)}
		}
		s.starts = append(s.starts, start-int32(s.from))
		if i == len(starts)-2 {
			s.starts = append(s.starts, starts[i+1]-int32(s.from))
			w.segments = append(w.segments, s)
		}
	}
	return nil
}

// partitions gives the first row of each partition in the order, and the number of rows at the end.
func (w *Window) partitions(ctx context.Context) ([]int32, error) {
	total := len(w.refs)
	if len(w.node.Partition) == 0 {
		if total == 0 {
			return []int32{0}, nil
		}
		return []int32{0, int32(total)}, nil
	}
	chunks := (total + chunkEntries - 1) / chunkEntries
	found := make([][]int32, chunks)
	err := w.environment.Parallel(ctx, chunks, func(_ context.Context, i int) error {
		from, to := i*chunkEntries, min((i+1)*chunkEntries, total)
		before := max(from-1, 0)
		differs := make([]bool, to-before)
		many := rows.Many{Stores: w.stores.Stores}
		var v vec.Vector
		for _, c := range w.node.Partition {
			many.Gather(c, w.refs[before:to], &v)
			window.MarkChanges(&v, differs)
		}
		if from == 0 {
			differs[0] = true
		}
		for at, changed := range differs {
			if changed {
				found[i] = append(found[i], int32(before+at))
			}
		}
		return nil
	})
	var starts []int32
	for _, list := range found {
		starts = append(starts, list...)
	}
	return append(starts, int32(total)), err
}

// Values is the source of the rows with the functions' values.
func (w *Window) Values() pipeline.Source { return &windowValues{w} }

type windowValues struct{ window *Window }

func (s *windowValues) Open(_ context.Context, d *pipeline.Driver) (vec.Source, error) {
	w := s.window
	evaluator, err := window.New(w.node, d.Environment.Registry, d.Environment.Session)
	if err != nil {
		return nil, err
	}
	r := &windowStream{window: w, evaluator: evaluator, size: d.Environment.BatchSize, many: rows.Many{Stores: w.stores.Stores}}
	return r, nil
}

func (s *windowValues) Close() error { return nil }

// windowStream evaluates segment after segment for one driver.
type windowStream struct {
	window    *Window
	evaluator *window.Evaluator
	size      int
	many      rows.Many
	disk      *diskPartitions // of a range on disk
	stream    *window.Stream  // of the partition at hand, when that is too large to be in memory as a whole
	held      int64

	segment vec.Batch // input columns and values of the present segment
	at      int
	part    []vec.Vector
	values  []vec.Vector
	out     vec.Batch
}

func (r *windowStream) Next(ctx context.Context) (*vec.Batch, error) {
	for r.at == r.segment.Len {
		if err := slots.Edge(ctx); err != nil {
			return nil, err
		}
		more, err := r.load(ctx)
		if err != nil || !more {
			return nil, err
		}
	}
	n := min(r.segment.Len-r.at, r.size)
	if r.out.Cols == nil {
		r.out.Cols = make([]vec.Vector, len(r.segment.Cols))
	}
	for c := range r.out.Cols {
		window.Slice(&r.out.Cols[c], &r.segment.Cols[c], r.at, n)
	}
	r.out.Len = n
	r.at += n
	return &r.out, nil
}

// load gathers and evaluates the next segment.
func (r *windowStream) load(ctx context.Context) (bool, error) {
	if r.stream != nil {
		return r.streamed(ctx)
	}
	w := r.window
	var s segment
	var gather func(c int, dst *vec.Vector)
	if len(w.ranges) > 0 {
		more, err := r.nextOnDisk(ctx)
		if err != nil || !more {
			return false, err
		}
		if r.disk.large != nil {
			buffer := r.disk.large
			return true, r.beginStream(ctx, func() vec.Source { return buffer.Reader(&atomic.Int64{}) })
		}
		s, gather = r.disk.segment, r.disk.gather
	} else {
		i := int(w.next.Add(1)) - 1
		if i >= len(w.segments) {
			return false, nil
		}
		s = w.segments[i]
		refs := w.refs[s.from : s.from+s.rows()]
		if len(s.starts) == 2 && w.large(r.evaluator, s.rows(), int64(s.rows())*r.rowBytes()) {
			return true, r.beginStream(ctx, func() vec.Source {
				return &refStream{many: &rows.Many{Stores: w.stores.Stores}, refs: refs, columns: len(w.input), size: r.size}
			})
		}
		gather = func(c int, dst *vec.Vector) { r.many.Gather(c, refs, dst) }
	}
	if err := r.hold(int64(s.rows()) * r.rowBytes()); err != nil {
		return false, err
	}
	r.begin(s.rows())
	for c := range w.input {
		gather(c, &r.segment.Cols[c])
	}
	return true, r.evaluate(ctx, &s)
}

// nextOnDisk goes to the next segment, or large partition, of the present range or of another one.
func (r *windowStream) nextOnDisk(ctx context.Context) (bool, error) {
	w := r.window
	for {
		if r.disk == nil {
			i := int(w.next.Add(1)) - 1
			if i >= len(w.ranges) {
				return false, nil
			}
			merge, err := newDiskMerge(w.Sort, w.ranges[i])
			if err != nil {
				return false, err
			}
			r.disk = &diskPartitions{merge: merge, window: w, evaluator: r.evaluator}
		}
		if more, err := r.disk.next(ctx); err != nil || more {
			return more, err
		}
		if err := r.disk.close(); err != nil {
			return false, err
		}
		r.disk = nil
	}
}

// rowBytes is about what evaluating takes a row: the row, values, peers and frames.
func (r *windowStream) rowBytes() int64 {
	return int64(r.window.layout(false).Width + 24*len(r.window.node.Functions) + 12)
}

// large tells whether a partition is too large to be evaluated as a whole, and need not be.
func (w *Window) large(e *window.Evaluator, rows int, bytes int64) bool {
	few := max(w.pool.Headroom()/int64(4*w.environment.Drivers), leastLarge)
	if bytes <= few && !(w.policy.Force && rows > 2*w.piece()) {
		return false
	}
	_, ok := e.Streamable()
	return ok
}

// piece is how many rows of a large partition are evaluated together; few in tests.
func (w *Window) piece() int {
	if w.policy.Force {
		return 7
	}
	return window.PieceRows
}

// beginStream makes a stream of a large partition's rows.
func (r *windowStream) beginStream(ctx context.Context, open func() vec.Source) error {
	err := r.hold(window.PieceRows * r.rowBytes())
	if err == nil {
		r.stream, err = r.evaluator.NewStream(ctx, open, r.window.piece())
	}
	return err
}

// streamed gives the next piece of a large partition.
func (r *windowStream) streamed(ctx context.Context) (bool, error) {
	r.begin(0)
	n, err := r.stream.Next(ctx, r.segment.Cols)
	r.segment.Len = n
	if err != nil || n > 0 {
		return err == nil, err
	}
	err = r.stream.Close()
	r.stream = nil
	return err == nil, err
}

// hold adjusts the memory reserved for the segment.
func (r *windowStream) hold(bytes int64) error {
	if more := bytes - r.held; more > 0 {
		if err := r.window.pool.Reserve(more, r.window.policy.Operator); err != nil {
			return err
		}
	} else {
		r.window.pool.Release(-more)
	}
	r.held = bytes
	return nil
}

// begin makes room for a segment. Vectors handed downstream may not be written while they are in
// use, and they are not: the consumer is done with them.
func (r *windowStream) begin(n int) {
	w := r.window
	functions := w.node.Functions
	if r.segment.Cols == nil {
		r.segment.Cols = make([]vec.Vector, len(w.input)+len(functions))
		r.part = make([]vec.Vector, len(w.input))
		r.values = make([]vec.Vector, len(functions))
	}
	r.segment.Len, r.at = n, 0
	for i, f := range functions {
		r.segment.Cols[len(w.input)+i].Resize(f.Result, 0)
	}
}

// evaluate fills in the functions' values, partition by partition.
func (r *windowStream) evaluate(ctx context.Context, s *segment) error {
	width := len(r.window.input)
	if len(s.starts) == 2 {
		return r.evaluator.Partition(ctx, r.segment.Cols[:width], s.rows(), r.segment.Cols[width:])
	}
	for p, start := range s.starts[:len(s.starts)-1] {
		n := int(s.starts[p+1] - start)
		for c, needed := range r.window.needed {
			if needed {
				window.Slice(&r.part[c], &r.segment.Cols[c], int(start), n)
			}
		}
		if err := r.evaluator.Partition(ctx, r.part, n, r.values); err != nil {
			return err
		}
		for i := range r.values {
			var flat vec.Vector
			vec.Flatten(&flat, &r.values[i])
			window.Extend(&r.segment.Cols[width+i], &flat)
		}
	}
	return nil
}

func (r *windowStream) Close() error {
	_ = r.hold(0)
	if r.stream != nil {
		_ = r.stream.Close()
	}
	if r.disk != nil {
		return r.disk.close()
	}
	return nil
}
