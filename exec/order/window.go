package order

import (
	"context"
	"sync/atomic"

	"github.com/tarnlake/tarn/exec/pipeline"
	"github.com/tarnlake/tarn/exec/rows"
	"github.com/tarnlake/tarn/exec/spill"
	"github.com/tarnlake/tarn/exec/window"
	"github.com/tarnlake/tarn/internal/plan"
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
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
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

// diskPartitions cuts the merged runs into segments of whole partitions.
type diskPartitions struct {
	merge     *diskMerge
	window    *Window
	evaluator *window.Evaluator
	segment   segment
	large     *spill.Buffer // instead of a segment: a large partition
	ended     bool
	// store holds the segment's rows and those of the partition that has begun after it.
	store    *rows.Store
	numbers  []uint32
	starts   []int32
	last     []vec.Vector // partition columns of the last row read
	complete int          // rows of the segment handed out
}

// next reads until at least segmentRows rows of whole partitions are there; false at the end.
func (d *diskPartitions) next(ctx context.Context) (bool, error) {
	if err := d.drop(); err != nil {
		return false, err
	}
	for !d.ended && (len(d.starts) < 2 || int(d.starts[len(d.starts)-1]) < segmentRows) {
		b, err := d.merge.Next(ctx)
		if err != nil {
			return false, err
		}
		if b == nil {
			d.ended = true
			break
		}
		if err := d.append(b); err != nil {
			return false, err
		}
		if !d.window.large(d.evaluator, len(d.numbers), d.store.Bytes()) {
			continue
		}
		if len(d.starts) > 1 {
			break
		}
		return true, d.setAside(ctx)
	}
	if len(d.numbers) == 0 {
		return false, nil
	}
	whole := append([]int32(nil), d.starts...)
	if d.ended {
		whole = append(whole, int32(len(d.numbers)))
	}
	d.complete = int(whole[len(whole)-1])
	d.segment = segment{starts: whole}
	return true, nil
}

// setAside moves the open partition, the only one at hand, to disk, and what else there is of it.
func (d *diskPartitions) setAside(ctx context.Context) error {
	policy := d.window.policy
	policy.Force = true
	d.large = spill.NewBuffer(d.window.input, d.window.pool, policy)
	for at := 0; at < len(d.numbers); at += batchRows {
		if err := d.large.Append(d.rows(d.numbers[at:min(at+batchRows, len(d.numbers))])); err != nil {
			return err
		}
	}
	d.complete = len(d.numbers)
	for {
		b, err := d.merge.Next(ctx)
		if err != nil {
			return err
		}
		if b == nil {
			d.ended = true
			return nil
		}
		changes := d.changes(b)
		same := b.Len
		for i, c := range changes {
			if c {
				same = i
				break
			}
		}
		var part vec.Batch
		part.Cols, part.Len = make([]vec.Vector, len(b.Cols)), same
		for c := range b.Cols {
			window.Slice(&part.Cols[c], &b.Cols[c], 0, same)
		}
		if err := d.large.Append(&part); err != nil {
			return err
		}
		if same == b.Len {
			d.remember(b)
			continue
		}
		// The rest begins a new store, next to the one that drop frees.
		old := d.store
		d.store, d.numbers, d.starts, d.complete, d.last = nil, nil, nil, 0, nil
		old.Free()
		for c := range b.Cols {
			var rest vec.Vector
			window.Slice(&rest, &b.Cols[c], same, b.Len-same)
			part.Cols[c] = rest
		}
		part.Len = b.Len - same
		return d.append(&part)
	}
}

// rows gathers stored rows.
func (d *diskPartitions) rows(numbers []uint32) *vec.Batch {
	b := &vec.Batch{Len: len(numbers), Cols: make([]vec.Vector, len(d.window.input))}
	for c := range b.Cols {
		d.store.Gather(c, numbers, &b.Cols[c])
	}
	return b
}

// append keeps a batch's rows and notes where partitions begin.
func (d *diskPartitions) append(b *vec.Batch) error {
	if d.store == nil {
		var err error
		if d.store, err = rows.NewStore(d.window.layout(false), d.window.pool, d.window.policy.Operator); err != nil {
			return err
		}
	}
	differs := d.changes(b)
	base := len(d.numbers)
	for i := range b.Len {
		if differs[i] {
			d.starts = append(d.starts, int32(base+i))
		}
	}
	d.remember(b)
	cols, list := make([]*vec.Vector, len(b.Cols)), make([]int32, b.Len)
	for c := range cols {
		cols[c] = &b.Cols[c]
	}
	for i := range list {
		list[i] = int32(i)
	}
	numbers := make([]uint32, b.Len)
	w := d.store.NewWriter()
	if err := w.Append(cols, list, numbers); err != nil {
		return err
	}
	w.Flush()
	d.numbers = append(d.numbers, numbers...)
	return nil
}

// changes tells which rows begin a partition.
func (d *diskPartitions) changes(b *vec.Batch) []bool {
	differs := make([]bool, b.Len+1)
	for i, c := range d.window.node.Partition {
		joined := vec.NewFlat(b.Cols[c].Type, 0)
		if d.last != nil {
			window.Extend(joined, &d.last[i])
		} else {
			joined.AppendDatum(types.NullDatum())
		}
		window.Extend(joined, &b.Cols[c])
		window.MarkChanges(joined, differs)
	}
	differs[1] = differs[1] || d.last == nil
	return differs[1:]
}

// remember keeps the partition columns of the last row.
func (d *diskPartitions) remember(b *vec.Batch) {
	d.last = make([]vec.Vector, len(d.window.node.Partition))
	for i, c := range d.window.node.Partition {
		vec.Gather(&d.last[i], &b.Cols[c], []int32{int32(b.Len - 1)})
	}
}

func (d *diskPartitions) gather(c int, dst *vec.Vector) {
	d.store.Gather(c, d.numbers[:d.complete], dst)
}

// drop forgets the segment that was handed out; rows after it move to a new store.
func (d *diskPartitions) drop() error {
	if d.large != nil {
		if err := d.large.Close(); err != nil {
			return err
		}
		d.large = nil
	}
	if d.complete == 0 {
		return nil
	}
	rest := d.numbers[d.complete:]
	old := d.store
	d.store, d.numbers, d.starts, d.complete = nil, nil, nil, 0
	defer old.Free()
	if len(rest) == 0 {
		return nil
	}
	b := &vec.Batch{Len: len(rest), Cols: make([]vec.Vector, len(d.window.input))}
	for c := range b.Cols {
		old.Gather(c, rest, &b.Cols[c])
	}
	last := d.last
	d.last = nil
	if err := d.append(b); err != nil {
		return err
	}
	d.last = last
	return nil
}

func (d *diskPartitions) close() error {
	if d.large != nil {
		_ = d.large.Close()
	}
	d.store.Free()
	return d.merge.Close()
}
