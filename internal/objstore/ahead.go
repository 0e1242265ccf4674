package objstore

import (
	"context"

	"github.com/tarnlake/tarn/internal/slots"
)

// Ahead reads a span of an object in order, and fetches what comes next meanwhile. It is used by one
// goroutine at a time. It suits stores with a long way to them; see IsDistant.
type Ahead struct {
	store    Store
	object   Object
	at, end  int64 // not yet asked for
	chunk    int64
	depth    int
	present  []byte // rest of the chunk being read
	pending  []*fetch
	fetching context.Context
	cancel   context.CancelFunc
}

type fetch struct {
	data []byte
	done chan error
}

// NewAhead reads bytes [from, to) in chunks, with depth of them under way beside the one being read.
func NewAhead(store Store, object Object, from, to, chunk int64, depth int) *Ahead {
	return &Ahead{store: store, object: object, at: from, end: to, chunk: chunk, depth: depth}
}

// IsDistant tells whether a store answers so late that reading ahead pays.
func IsDistant(store Store) bool {
	d, ok := store.(interface{ Distant() bool })
	return ok && d.Distant()
}

// Read fills p from the front and gives the number of bytes, fewer than asked for only at the end of
// the span. The requests count as those of the first call's context, and go on when it ends: Close
// stops them.
func (a *Ahead) Read(ctx context.Context, p []byte) (n int, err error) {
	if a.cancel == nil {
		a.fetching, a.cancel = context.WithCancel(slots.Without(context.WithoutCancel(ctx)))
	}
	for n < len(p) {
		if len(a.present) == 0 {
			a.ask()
			if len(a.pending) == 0 {
				return n, nil
			}
			if err := a.take(ctx); err != nil {
				return n, err
			}
		}
		m := copy(p[n:], a.present)
		a.present, n = a.present[m:], n+m
	}
	return n, nil
}

// ask starts to fetch as much as may be under way.
func (a *Ahead) ask() {
	for a.at < a.end && len(a.pending) < a.depth+1 {
		f := &fetch{data: make([]byte, min(a.chunk, a.end-a.at)), done: make(chan error, 1)}
		from := a.at
		a.at += int64(len(f.data))
		a.pending = append(a.pending, f)
		go func() {
			f.done <- a.store.ReadRanges(a.fetching, a.object.Path, a.object.ETag, []Range{{Offset: from, Length: int64(len(f.data))}}, [][]byte{f.data})
		}()
	}
}

// take waits for the next chunk.
func (a *Ahead) take(ctx context.Context) error {
	f := a.pending[0]
	err := slots.Block(ctx, func() error {
		select {
		case err := <-f.done:
			if err != nil {
				f.done <- err // for the next call, and for Close
			}
			return err
		case <-ctx.Done():
			return ctx.Err()
		}
	})
	if err != nil {
		return err
	}
	a.pending, a.present = a.pending[1:], f.data
	return nil
}

// Close stops what is under way and waits for its end.
func (a *Ahead) Close() {
	if a.cancel == nil {
		return
	}
	a.cancel()
	for _, f := range a.pending {
		<-f.done
	}
	a.pending, a.present, a.at = nil, nil, a.end
}
