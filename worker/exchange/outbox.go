package exchange

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"github.com/tarnlake/tarn/exec/pipeline"
	"github.com/tarnlake/tarn/exec/spill"
	"github.com/tarnlake/tarn/internal/memory"
	"github.com/tarnlake/tarn/internal/plan"
	"github.com/tarnlake/tarn/internal/rpc"
	"github.com/tarnlake/tarn/internal/slots"
	"github.com/tarnlake/tarn/internal/sqlerr"
	"github.com/tarnlake/tarn/internal/vec/page"
)

const (
	// streamBytes is what may wait for one consumer before the drivers wait.
	streamBytes = 4 << 20
	// retainedBytes is what an outbox with several readers keeps in memory before it uses the disk.
	retainedBytes = 32 << 20
	operator      = "Exchange"
	// mostConsumers bounds the tasks of a reader, and the readers.
	mostConsumers = 10_000
	longestWait   = 30_000 // ms
	// poolRetry is how soon memory that was refused is asked for again.
	poolRetry = 10 * time.Millisecond
)

// OutboxConfig says who reads an Outbox.
type OutboxConfig struct {
	Output plan.Output
	// Consumers is the number of tasks of each reader.
	Consumers []int
	Pool      *memory.Pool // outlives the task: pages wait here for those who are late
	Spill     pipeline.Spill
	Spilled   *atomic.Int64 // counts bytes written to disk; may be nil
	Buffers   *page.Buffers // memory of pages; nil: the garbage collector's
}

// Outbox is the sink of a task whose rows others read.
type Outbox struct {
	config OutboxConfig
	pool   *memory.Pool

	mu       sync.Mutex
	changed  signal
	streams  []*stream
	cursors  map[[2]int]*cursor // by reader and partition
	open     int                // cursors that want more rows
	held     int64
	file     *spill.File
	finished bool
	failure  error
}

// stream is a sequence of pages that one consumer of each reader, or all of them, read.
type stream struct {
	first   uint64 // sequence number of pages[0]
	pages   []kept
	bytes   int64 // of pages in memory
	cursors []*cursor
}

// kept is a page, in memory or on disk.
type kept struct {
	page  page.Page
	block spill.Block
}

type cursor struct {
	stream *stream
	next   uint64 // pages before have arrived
	closed bool
}

// NewOutbox makes an empty one.
func NewOutbox(config OutboxConfig) (*Outbox, error) {
	o := &Outbox{config: config, pool: config.Pool.Child(operator, memory.Unlimited), cursors: map[[2]int]*cursor{}}
	partitions, all := 1, 0
	for _, n := range config.Consumers {
		if n < 0 || n > mostConsumers || len(config.Consumers) > mostConsumers {
			return nil, sqlerr.New(sqlerr.ProtocolViolation, "a fragment cannot have %d readers of %d tasks", len(config.Consumers), n)
		}
		all += n
	}
	if all == 0 {
		return nil, sqlerr.New(sqlerr.ProtocolViolation, "nobody reads the fragment")
	}
	switch config.Output.Kind {
	case plan.Hash, plan.RoundRobin:
		partitions = config.Consumers[0]
		for _, n := range config.Consumers {
			if n != partitions {
				return nil, sqlerr.Internal("readers of a fragment have %d and %d tasks", partitions, n)
			}
		}
	}
	for range partitions {
		o.streams = append(o.streams, &stream{})
	}
	for reader, n := range config.Consumers {
		if config.Output.Kind == plan.Forward {
			n = 1
		}
		for p := range n {
			s := o.streams[min(p, partitions-1)]
			c := &cursor{stream: s}
			s.cursors = append(s.cursors, c)
			o.cursors[[2]int{reader, p}] = c
			o.open++
		}
	}
	return o, nil
}

// Local gives a driver its writer.
func (o *Outbox) Local(d *pipeline.Driver) (pipeline.LocalSink, error) {
	return newSender(o, d.Index), nil
}

// Finalize marks the end of all streams.
func (o *Outbox) Finalize(context.Context) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.finished = true
	o.changed.wake()
	return nil
}

// Close leaves the pages to those who still read them; Drop ends that.
func (o *Outbox) Close() error { return nil }

// Fail makes consumers get an error instead of further pages.
func (o *Outbox) Fail(err error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.failure == nil && !o.finished {
		o.failure = err
	}
	o.changed.wake()
}

// Drop gives up all pages.
func (o *Outbox) Drop() {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.failure == nil {
		o.failure = sqlerr.New(sqlerr.QueryCanceled, "canceling statement due to user request")
	}
	for _, s := range o.streams {
		s.pages, s.bytes = nil, 0
	}
	o.held = 0
	o.pool.Close()
	_ = o.file.Close() // it is unlinked already
	o.file = nil
	o.changed.wake()
}

// append adds a page to a stream, which takes over its share. It blocks, without the driver's CPU slot, while too much waits.
func (o *Outbox) append(ctx context.Context, number int, page page.Page) error {
	fits, err := o.tryAppend(number, page)
	if fits || err != nil {
		return err
	}
	return slots.Block(ctx, func() error {
		for {
			o.mu.Lock()
			changed := o.changed.wait()
			o.mu.Unlock()
			if fits, err := o.tryAppend(number, page); fits || err != nil {
				return err
			}
			timer := time.NewTimer(poolRetry)
			select {
			case <-changed:
			case <-timer.C:
			case <-ctx.Done():
				timer.Stop()
				return context.Cause(ctx)
			}
			timer.Stop()
		}
	})
}

// tryAppend returns false when the page must wait.
func (o *Outbox) tryAppend(number int, page page.Page) (bool, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	s := o.streams[number]
	switch {
	case o.failure != nil:
		return false, o.failure
	case o.open == 0:
		return false, pipeline.ErrStop
	case !s.wanted():
		page.Release()
		return true, nil
	}
	size := int64(len(page.Bytes))
	if len(o.config.Consumers) > 1 {
		return true, o.retain(s, page)
	}
	empty := len(s.pages) == 0
	if !empty && s.bytes+size > streamBytes {
		return false, nil
	}
	if !o.pool.TryReserve(size) {
		if !empty {
			return false, nil
		}
		if err := o.pool.Reserve(size, operator); err != nil {
			return false, err
		}
	}
	o.keep(s, kept{page: page})
	return true, nil
}

// retain keeps a page for several readers; it never waits, because one of them may begin only when
// another has read everything.
func (o *Outbox) retain(s *stream, page page.Page) error {
	size := int64(len(page.Bytes))
	onDisk := o.config.Spill.Enabled && (o.config.Spill.Force || o.held+size > retainedBytes)
	if !onDisk && o.pool.TryReserve(size) {
		o.keep(s, kept{page: page})
		return nil
	}
	if !o.config.Spill.Enabled {
		if err := o.pool.Reserve(size, operator); err != nil {
			return err
		}
		o.keep(s, kept{page: page})
		return nil
	}
	if o.file == nil {
		file, err := spill.Create(o.config.Spill.Directory, o.config.Spilled)
		if err != nil {
			return err
		}
		o.file = file
	}
	block, err := o.file.WriteBytes(page.Bytes)
	if err != nil {
		return err
	}
	page.Release()
	o.keep(s, kept{block: block})
	return nil
}

// keep adds a page whose memory is reserved.
func (o *Outbox) keep(s *stream, k kept) {
	s.pages = append(s.pages, k)
	s.bytes += int64(len(k.page.Bytes))
	o.held += int64(len(k.page.Bytes))
	o.changed.wake()
}

func (s *stream) wanted() bool {
	for _, c := range s.cursors {
		if !c.closed {
			return true
		}
	}
	return false
}

// advance drops the pages that all consumers of a stream have; the caller holds the lock.
func (o *Outbox) advance(s *stream) {
	least := s.first + uint64(len(s.pages))
	for _, c := range s.cursors {
		if !c.closed {
			least = min(least, c.next)
		}
	}
	gone := int64(0)
	for s.first < least {
		gone += int64(len(s.pages[0].page.Bytes))
		s.pages[0].page.Release()
		s.pages[0] = kept{}
		s.pages = s.pages[1:]
		s.first++
	}
	s.bytes -= gone
	o.held -= gone
	o.pool.Release(gone)
	o.changed.wake()
}

// Stop is told that a consumer wants no more rows.
func (o *Outbox) Stop(reader, partition int) {
	o.mu.Lock()
	defer o.mu.Unlock()
	c := o.cursors[[2]int{reader, partition}]
	if c == nil || c.closed || o.failure != nil {
		return
	}
	c.closed = true
	o.open--
	o.advance(c.stream)
}

// Pages answers a consumer: pages from in.Sequence on as soon as there are any, none after
// in.WaitMillis, End with the last ones.
func (o *Outbox) Pages(ctx context.Context, in rpc.PageRequest) (rpc.Pages, error) {
	deadline := time.NewTimer(time.Duration(min(in.WaitMillis, longestWait)) * time.Millisecond)
	defer deadline.Stop()
	for {
		out, changed, err := o.ready(in)
		if err != nil || len(out.Pages) > 0 || out.End {
			return out, err
		}
		select {
		case <-changed:
		case <-deadline.C:
			return rpc.Pages{}, nil
		case <-ctx.Done():
			return rpc.Pages{}, context.Cause(ctx)
		}
	}
}

// ready gives what can be given now; when that is nothing, changed tells when to look again.
func (o *Outbox) ready(in rpc.PageRequest) (out rpc.Pages, changed <-chan struct{}, err error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	c := o.cursors[[2]int{in.Reader, in.Partition}]
	if c == nil {
		return out, nil, sqlerr.New(sqlerr.ProtocolViolation, "task %s has no consumer %d of reader %d", in.Task, in.Partition, in.Reader)
	}
	if o.failure != nil {
		return out, nil, o.failure
	}
	s := c.stream
	end := s.first + uint64(len(s.pages))
	if in.Sequence < s.first || in.Sequence > end {
		return out, nil, sqlerr.New(sqlerr.ProtocolViolation, "task %s has pages %d to %d, not %d", in.Task, s.first, end, in.Sequence)
	}
	if in.Sequence > c.next {
		c.next = in.Sequence
		o.advance(s)
	}
	bytes := 0
	for i := in.Sequence - s.first; i < uint64(len(s.pages)); i++ {
		k := s.pages[i]
		size := max(len(k.page.Bytes), int(k.block.Stored))
		if len(out.Pages) > 0 && bytes+size > in.MostBytes {
			return out, nil, nil
		}
		if k.page.Bytes == nil {
			read, err := o.file.ReadBytes(k.block)
			if err != nil {
				return out, nil, err
			}
			k.page = page.Of(read)
		}
		k.page.Share()
		bytes += size
		out.Pages = append(out.Pages, k.page)
	}
	out.End = o.finished
	return out, o.changed.wait(), nil
}
