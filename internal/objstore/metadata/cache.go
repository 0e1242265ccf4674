package metadata

import (
	"context"
	"errors"
	"sync"

	"github.com/tarnlake/tarn/internal/objstore"
	"github.com/tarnlake/tarn/internal/objstore/fifo"
	"github.com/tarnlake/tarn/internal/slots"
)

// Kind is what an entry holds. All entries of a kind are values of one type, so each format has its own: nothing keeps
// a file from being read as one format and then as another.
type Kind uint8

// The kinds of entries.
const (
	ParquetFooter Kind = iota
	PageIndex
	ParquetBloom
	ORCFooter
	StripeFooter
	RowIndex
	ORCBloom
	Header // of a CSV file
)

// Key names an entry.
type Key struct {
	Store      objstore.Store
	Path, ETag string
	Kind       Kind
	Group      int32 // row group or stripe
	Column     int32
	Format     uint64 // where the entry depends on how the file is read
}

// Of gives a key of an object, which must have an ETag to be kept.
func Of(store objstore.Store, object objstore.Object, kind Kind, group, column int) Key {
	return Key{Store: store, Path: object.Path, ETag: object.ETag, Kind: kind, Group: int32(group), Column: int32(column)}
}

// entryOverhead is about what an entry takes beside its value.
const entryOverhead = 400

// Cache keeps entries up to a number of bytes. It is safe for concurrent use; a nil Cache keeps nothing.
type Cache struct {
	mu        sync.Mutex
	queue     *fifo.Queue[Key]
	values    map[Key]any
	flights   map[Key]*flight
	hits      int64
	misses    int64
	evictions int64
}

// flight is an entry that is being loaded.
type flight struct {
	done  chan struct{}
	value any
	err   error
}

// New makes a cache of at most limit bytes.
func New(limit int64) *Cache {
	return &Cache{queue: fifo.New[Key](limit), values: map[Key]any{}, flights: map[Key]*flight{}}
}

// Stats gives the present sums. Who waits for another's load has a hit.
func (c *Cache) Stats() objstore.CacheStats {
	c.mu.Lock()
	defer c.mu.Unlock()
	return objstore.CacheStats{Name: "metadata", Hits: c.hits, Misses: c.misses, Evictions: c.evictions,
		Bytes: c.queue.Bytes(), Limit: c.queue.Capacity(), Entries: int64(c.queue.Len())}
}

// Has tells whether an entry is there or being loaded, without counting.
func (c *Cache) Has(key Key) bool {
	if c == nil {
		return false
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	_, kept := c.values[key]
	_, loading := c.flights[key]
	return kept || loading
}

// Peek gives an entry that is kept, without counting.
func Peek[V any](c *Cache, key Key) (value V, kept bool) {
	if c == nil {
		return value, false
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	found, kept := c.values[key]
	if kept {
		value = found.(V)
	}
	return value, kept
}

// Load gives an entry, kept or else loaded by load, which tells the bytes that its value takes.
func Load[V any](ctx context.Context, c *Cache, key Key, load func() (V, int64, error)) (V, error) {
	values, err := LoadAll(ctx, c, []Key{key}, func([]int) ([]V, []int64, error) {
		v, size, err := load()
		return []V{v}, []int64{size}, err
	})
	if err != nil {
		var none V
		return none, err
	}
	return values[0], nil
}

// LoadAll gives several entries. load gets the positions of those keys that nobody keeps or loads, and
// gives as many values and sizes, for them to be kept. A caller whose load by another was cancelled
// loads by itself.
func LoadAll[V any](ctx context.Context, c *Cache, keys []Key, load func(missing []int) ([]V, []int64, error)) ([]V, error) {
	out := make([]V, len(keys))
	if c == nil || len(keys) > 0 && keys[0].ETag == "" {
		values, _, err := load(all(len(keys)))
		return values, err
	}
	missing, waiting := lookUp(ctx, c, keys, out)
	if len(missing) > 0 {
		if err := fly(c, keys, missing, out, load); err != nil {
			return nil, err
		}
	}
	var again []int
	for at, f := range waiting {
		if err := f.wait(ctx); err != nil {
			return nil, err
		}
		switch {
		case errors.Is(f.err, context.Canceled) || errors.Is(f.err, context.DeadlineExceeded):
			again = append(again, at)
		case f.err != nil:
			return nil, f.err
		default:
			out[at] = f.value.(V)
		}
	}
	if len(again) == 0 {
		return out, nil
	}
	values, _, err := load(again)
	if err != nil {
		return nil, err
	}
	for i, at := range again {
		out[at] = values[i]
	}
	return out, nil
}

func all(n int) []int {
	out := make([]int, n)
	for i := range out {
		out[i] = i
	}
	return out
}

// lookUp fills out with what is kept, and announces that the caller loads what is missing.
func lookUp[V any](ctx context.Context, c *Cache, keys []Key, out []V) (missing []int, waiting map[int]*flight) {
	missing, waiting = announce(c, keys, out)
	misses := int64(len(missing))
	objstore.Count(ctx, nil, objstore.Event{MetadataHits: int64(len(keys)) - misses, MetadataMisses: misses})
	return missing, waiting
}

func announce[V any](c *Cache, keys []Key, out []V) (missing []int, waiting map[int]*flight) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for at, key := range keys {
		if value, kept := c.values[key]; kept {
			c.queue.Use(key)
			out[at] = value.(V)
			continue
		}
		if f := c.flights[key]; f != nil {
			if waiting == nil {
				waiting = map[int]*flight{}
			}
			waiting[at] = f
			continue
		}
		c.flights[key] = &flight{done: make(chan struct{}), err: context.Canceled} // what others see if load panics
		missing = append(missing, at)
	}
	misses := int64(len(missing))
	hits := int64(len(keys)) - misses
	c.hits, c.misses = c.hits+hits, c.misses+misses
	return missing, waiting
}

// fly loads what is missing and hands it to those who wait.
func fly[V any](c *Cache, keys []Key, missing []int, out []V, load func([]int) ([]V, []int64, error)) error {
	err := error(context.Canceled)
	var values []V
	var sizes []int64
	defer func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		for i, at := range missing {
			key := keys[at]
			f := c.flights[key]
			delete(c.flights, key)
			if f.err = err; err == nil {
				f.value = values[i]
				c.keep(key, values[i], sizes[i]+entryOverhead)
			}
			close(f.done)
		}
	}()
	if values, sizes, err = load(missing); err != nil {
		return err
	}
	for i, at := range missing {
		out[at] = values[i]
	}
	return nil
}

// keep takes an entry in; the lock is held.
func (c *Cache) keep(key Key, value any, size int64) {
	if size > c.queue.Capacity()/4 { // it would push out too much
		return
	}
	evicted, ok := c.queue.Add(key, size)
	for _, gone := range evicted {
		delete(c.values, gone)
	}
	c.evictions += int64(len(evicted))
	if ok {
		c.values[key] = value
	}
}

func (f *flight) wait(ctx context.Context) error {
	return slots.Block(ctx, func() error {
		select {
		case <-f.done:
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
	})
}
