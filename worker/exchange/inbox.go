package exchange

import (
	"context"
	"sync"

	"github.com/tarnlake/tarn/internal/memory"
	"github.com/tarnlake/tarn/internal/plan"
	"github.com/tarnlake/tarn/internal/rpc"
	"github.com/tarnlake/tarn/internal/slots"
	"github.com/tarnlake/tarn/internal/types"
	"github.com/tarnlake/tarn/internal/vec"
	"github.com/tarnlake/tarn/internal/vec/page"
)

// inbox holds what has arrived of one Exchange's rows.
type inbox struct {
	inlets            *Inlets
	columns           []types.Type
	reader, partition int
	merges            bool
	reply             int // bytes asked for at a time
	pool              *memory.Pool
	feeders           []*feeder

	mu      sync.Mutex
	changed signal
	ready   []page.Page // pages in the order of arrival; Merge: they are with their feeders
	held    int64       // bytes of pages that were not taken
	running int         // feeders that are not at their end
	failure error
}

func newInbox(in *Inlets, node *plan.Exchange, producers []rpc.Producer) *inbox {
	b := &inbox{inlets: in, columns: node.Schema().Types(), reader: node.Reader, merges: node.Kind == plan.Merge,
		pool: in.config.Pool.Child(operator, memory.Unlimited), running: len(producers)}
	switch node.Kind {
	case plan.Hash, plan.RoundRobin, plan.Broadcast:
		b.partition = in.config.Task
	}
	b.reply = min(max(inboxBytes/max(2*len(producers), 1), leastReply), mostReply)
	for _, p := range producers {
		b.feeders = append(b.feeders, &feeder{box: b, producer: p})
	}
	return b
}

// room waits until the inbox takes more; false when ctx is done.
func (b *inbox) room(ctx context.Context, f *feeder) bool {
	for {
		b.mu.Lock()
		free := b.held < inboxBytes
		if b.merges { // each producer has its share, or one could keep all others out
			free = len(f.pages) == 0 || b.held < inboxBytes/2
		}
		changed := b.changed.wait()
		b.mu.Unlock()
		if free && ctx.Err() == nil {
			return true
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return false
		}
	}
}

// arrived takes a reply and tells whether the feeder shall go on.
func (b *inbox) arrived(f *feeder, reply rpc.Pages, err error) bool {
	bytes := int64(0)
	for _, p := range reply.Pages {
		bytes += int64(len(p.Bytes))
	}
	if err == nil {
		err = b.pool.Reserve(bytes, operator)
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	defer b.changed.wake()
	if err != nil {
		if b.failure == nil {
			b.failure = err
		}
		return false
	}
	f.sequence += uint64(len(reply.Pages))
	b.held += bytes
	if b.merges {
		f.pages = append(f.pages, reply.Pages...)
	} else {
		b.ready = append(b.ready, reply.Pages...)
	}
	if reply.End {
		f.ended = true
		b.running--
	}
	return !reply.End
}

// take gives the next page of a feeder (nil: of any), one without bytes at the end. It waits without the CPU slot.
func (b *inbox) take(ctx context.Context, f *feeder) (page.Page, error) {
	p, done, err := b.tryTake(f)
	if p.Bytes != nil || done || err != nil {
		return p, err
	}
	err = slots.Block(ctx, func() error {
		for {
			b.mu.Lock()
			changed := b.changed.wait()
			b.mu.Unlock()
			if p, done, err = b.tryTake(f); p.Bytes != nil || done || err != nil {
				return err
			}
			select {
			case <-changed:
			case <-ctx.Done():
				return context.Cause(ctx)
			case <-b.inlets.ctx.Done():
				return context.Cause(b.inlets.ctx)
			}
		}
	})
	return p, err
}

func (b *inbox) tryTake(f *feeder) (p page.Page, done bool, err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.failure != nil {
		return p, false, b.failure
	}
	from, ended := &b.ready, b.running == 0
	if f != nil {
		from, ended = &f.pages, f.ended
	}
	if len(*from) == 0 {
		return p, ended, nil
	}
	p = (*from)[0]
	(*from)[0] = page.Page{}
	*from = (*from)[1:]
	b.held -= int64(len(p.Bytes))
	b.changed.wake()
	return p, false, nil
}

// drop gives everything up; no feeder runs any more.
func (b *inbox) drop() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.ready, b.held = nil, 0
	for _, f := range b.feeders {
		f.pages = nil
	}
	b.pool.Close()
}

// inboxStream is one driver's share of an inbox, in the order of arrival.
type inboxStream struct {
	box   *inbox
	batch vec.Batch
	page  page.Page // that the batch refers to
	lasts bool      // whoever took the batch may refer to parts of the page for good
}

// Next decodes the next page.
func (s *inboxStream) Next(ctx context.Context) (*vec.Batch, error) {
	s.release()
	p, err := s.box.take(ctx, nil)
	if p.Bytes == nil || err != nil {
		return nil, err
	}
	s.page, s.lasts = p, true
	if err := page.Decode(p.Bytes, s.box.columns, &s.batch); err != nil {
		return nil, err
	}
	s.lasts = page.Lasting(&s.batch)
	return &s.batch, nil
}

func (s *inboxStream) release() {
	if s.page.Bytes == nil {
		return
	}
	s.box.pool.Release(int64(len(s.page.Bytes)))
	if !s.lasts {
		s.page.Release()
	}
	s.page = page.Page{}
}

// Close gives the last page's memory back.
func (s *inboxStream) Close() error {
	s.release()
	return nil
}
