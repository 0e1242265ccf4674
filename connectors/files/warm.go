package files

import (
	"context"
	"errors"
	"sync"

	"github.com/tarnlake/tarn/internal/objstore"
	"github.com/tarnlake/tarn/internal/slots"
)

// flights are footers that are being read, so that nobody reads them a second time meanwhile.
type flights[V any] struct {
	mu      sync.Mutex
	flights map[footerKey]*flight[V]
}

type flight[V any] struct {
	done  chan struct{}
	value V
	err   error
}

// do gives what read gives, to all who ask for the key while it is being read. A caller whose flight
// was cancelled by somebody else reads by itself.
func (f *flights[V]) do(ctx context.Context, key footerKey, read func() (V, error)) (V, error) {
	f.mu.Lock()
	if present := f.flights[key]; present != nil {
		f.mu.Unlock()
		err := slots.Block(ctx, func() error {
			select {
			case <-present.done:
				return nil
			case <-ctx.Done():
				return ctx.Err()
			}
		})
		if err != nil {
			var none V
			return none, err
		}
		if errors.Is(present.err, context.Canceled) || errors.Is(present.err, context.DeadlineExceeded) {
			return read()
		}
		return present.value, present.err
	}
	own := &flight[V]{done: make(chan struct{}), err: context.Canceled} // what others see if read panics
	if f.flights == nil {
		f.flights = map[footerKey]*flight[V]{}
	}
	f.flights[key] = own
	f.mu.Unlock()
	defer func() {
		f.mu.Lock()
		delete(f.flights, key)
		f.mu.Unlock()
		close(own.done)
	}()
	own.value, own.err = read()
	return own.value, own.err
}

// Warm begins to read the footers of files in distant stores that will be opened soon. It does not
// wait; errors come when the files are opened.
func (o *Opener) Warm(ctx context.Context, store objstore.Store, object objstore.Object, format string) {
	if !objstore.IsDistant(store) || object.ETag == "" {
		return
	}
	key := footerKey{store, object.Path, object.ETag}
	ctx = slots.Without(ctx)
	switch {
	case format == "parquet" && o.footers.get(key) == nil:
		go quietly(func() { _, _ = o.Parquet(ctx, store, object) })
	case format == "orc" && o.orcFooters.get(key) == nil:
		go quietly(func() { _, _ = o.ORC(ctx, store, object) })
	}
}

// quietly leaves it to the query that opens the file to panic, where that fails one query only.
func quietly(do func()) {
	defer func() { _ = recover() }()
	do()
}

// footerOf gives what a file's footer says, read by open unless it is kept or being read already.
func footerOf[V comparable](ctx context.Context, store objstore.Store, object objstore.Object, kept *recent[V], reading *flights[V],
	open func(context.Context, objstore.Store, objstore.Object) (V, error)) (none V, err error) {
	if object.ETag == "" || object.Size == 0 {
		if object, err = store.Stat(ctx, object.Path); err != nil {
			return none, err
		}
	}
	key := footerKey{store, object.Path, object.ETag}
	if f := kept.get(key); f != none {
		return f, nil
	}
	return reading.do(ctx, key, func() (V, error) {
		f, err := open(ctx, store, object)
		if err == nil {
			kept.put(key, f)
		}
		return f, err
	})
}
