package scan

import (
	"context"
	"sync"

	"github.com/tarnlake/tarn/internal/memory"
	"github.com/tarnlake/tarn/internal/objstore"
	"github.com/tarnlake/tarn/internal/slots"
)

const (
	// aheadBatch is how much is asked for together, in as few requests as the store makes of it.
	aheadBatch = 8 << 20
	// aheadLow is what may be left of what was asked for before more is.
	aheadLow = 4 << 20
	// aheadMost bounds what one reader holds of what was asked for.
	aheadMost = 32 << 20
	// aheadShare is the part of the free memory that may be used to read ahead.
	aheadShare = 8
)

// Ahead fetches ranges of a file of a distant store before they are wanted, while what comes before
// is decoded. It is used by one goroutine at a time. A nil Ahead does nothing.
//
// Ranges belong to units (row groups, stripes) with ascending numbers. The memory of what is fetched
// is reserved from the query's pool, as far as that has plenty; else nothing is fetched ahead.
type Ahead struct {
	store    objstore.Store
	object   objstore.Object
	pool     *memory.Pool
	counters Counters
	slack    int // readable bytes behind each range

	held    int64 // of present, reserved
	present map[int64]*fetched
	free    [][]byte // buffers given back, reserved by nobody
	ctx     context.Context
	cancel  context.CancelFunc
	running sync.WaitGroup
}

// fetched is a range that is being or has been read.
type fetched struct {
	unit  int
	data  []byte
	batch *batch
}

// batch is what one call of the store reads.
type batch struct {
	done chan struct{}
	err  error
}

// NewAhead gives nil where reading ahead does not pay.
func NewAhead(store objstore.Store, object objstore.Object, pool *memory.Pool, counters Counters, slack int) *Ahead {
	if !objstore.IsDistant(store) {
		return nil
	}
	return &Ahead{store: store, object: object, pool: pool, counters: counters, slack: slack, present: map[int64]*fetched{}}
}

// Low tells that more may be asked for: little is left.
func (a *Ahead) Low() bool { return a != nil && a.held < aheadLow }

// Batch collects ranges to be asked for together.
type Batch struct {
	ranges []objstore.Range
	units  []int
	bytes  int64
}

// Add adds a range of a unit.
func (b *Batch) Add(unit int, r objstore.Range) {
	if r.Length > 0 {
		b.ranges, b.units, b.bytes = append(b.ranges, r), append(b.units, unit), b.bytes+r.Length
	}
}

// Full tells that the batch is worth asking for.
func (b *Batch) Full() bool { return b.bytes >= aheadBatch }

// Bytes is the sum of the ranges.
func (b *Batch) Bytes() int64 { return b.bytes }

// Start asks for a batch and does not wait; false when there is no memory for it. The requests count as
// those of the first call's context, and go on when it ends: Close stops them.
func (a *Ahead) Start(ctx context.Context, b *Batch) bool {
	if a == nil || len(b.ranges) == 0 || a.held+b.bytes > aheadMost || !a.reserve(b.bytes+int64(len(b.ranges)*a.slack)) {
		return false
	}
	a.begin(ctx)
	shared := &batch{done: make(chan struct{})}
	buffers := make([][]byte, len(b.ranges))
	for i, r := range b.ranges {
		buffers[i] = a.buffer(int(r.Length))
		if known := a.present[r.Offset]; known != nil { // of another length
			a.release(a.cost(known))
		}
		a.present[r.Offset] = &fetched{b.units[i], buffers[i], shared}
	}
	Count(a.counters.BytesRead, b.bytes)
	Count(a.counters.Gets, int64(len(b.ranges)))
	objstore.Count(ctx, nil, objstore.Event{Prefetched: b.bytes})
	a.running.Go(func() {
		defer close(shared.done)
		shared.err = a.store.ReadRanges(a.ctx, a.object.Path, a.object.ETag, b.ranges, buffers)
	})
	return true
}

func (a *Ahead) begin(ctx context.Context) {
	if a.cancel == nil {
		a.ctx, a.cancel = context.WithCancel(slots.Without(context.WithoutCancel(ctx)))
	}
}

// Go runs do beside the reader; Close cancels its context and waits for it.
func (a *Ahead) Go(ctx context.Context, do func(context.Context)) {
	a.begin(ctx)
	a.running.Go(func() { do(a.ctx) })
}

// reserve takes memory if that is a small part of what is free. Buffers count with the slack behind them.
func (a *Ahead) reserve(bytes int64) bool {
	if a.pool != nil && (a.pool.Headroom() < aheadShare*bytes || !a.pool.TryReserve(bytes)) {
		return false
	}
	a.held += bytes
	return true
}

func (a *Ahead) release(bytes int64) {
	a.held -= bytes
	if a.pool != nil {
		a.pool.Release(bytes)
	}
}

func (a *Ahead) cost(f *fetched) int64 { return int64(len(f.data) + a.slack) }

// buffer gives memory for a range.
func (a *Ahead) buffer(size int) []byte {
	for i, b := range a.free {
		if cap(b) >= size+a.slack && cap(b) <= 2*(size+a.slack) {
			last := len(a.free) - 1
			a.free[i], a.free = a.free[last], a.free[:last]
			return b[:size]
		}
	}
	return make([]byte, size, size+a.slack)
}

// Recycle takes a buffer that nobody refers to any more.
func (a *Ahead) Recycle(buffer []byte) {
	if a != nil && cap(buffer) > 0 && len(a.free) < 32 {
		a.free = append(a.free, buffer)
	}
}

// Has tells whether exactly this range was asked for.
func (a *Ahead) Has(r objstore.Range) bool {
	if a == nil {
		return false
	}
	f := a.present[r.Offset]
	return f != nil && int64(len(f.data)) == r.Length
}

// Take waits for a range that was asked for and hands its memory over, which stays reserved: held
// bytes are the caller's to release. ok is false when exactly this range was not asked for.
func (a *Ahead) Take(ctx context.Context, r objstore.Range) (data []byte, held int64, ok bool, err error) {
	if !a.Has(r) {
		return nil, 0, false, nil
	}
	f := a.present[r.Offset]
	if err := f.batch.wait(ctx); err != nil {
		return nil, 0, true, err
	}
	delete(a.present, r.Offset)
	held = a.cost(f)
	a.held -= held
	return f.data, held, true, nil
}

// wait gives the error of a batch once it has ended.
func (b *batch) wait(ctx context.Context) error {
	select {
	case <-b.done:
		return b.err
	default:
	}
	err := slots.Block(ctx, func() error {
		select {
		case <-b.done:
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
	})
	if err != nil {
		return err
	}
	return b.err
}

// Pass drops what was asked for of units up to one that is read, and was not wanted.
func (a *Ahead) Pass(unit int) {
	if a == nil {
		return
	}
	for offset, f := range a.present {
		if f.unit > unit {
			continue
		}
		delete(a.present, offset)
		a.release(a.cost(f))
		select {
		case <-f.batch.done:
			a.Recycle(f.data)
		default: // still being written to
		}
	}
}

// Close stops what is under way and waits for its end.
func (a *Ahead) Close() {
	if a == nil || a.cancel == nil {
		return
	}
	a.cancel()
	a.running.Wait()
	a.release(a.held)
	a.present, a.free, a.cancel = map[int64]*fetched{}, nil, nil
}
