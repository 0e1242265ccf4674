package diskcache

import (
	"context"
	"sync"
	"time"

	"github.com/tarnlake/tarn/internal/objstore"
)

// store is a Store whose reads look into the cache first.
type store struct {
	objstore.Store
	cache *Cache
	name  string // of the store: it tells objects of equal keys apart
}

// Distant tells readers to fetch ahead: what is not kept is far away.
func (s *store) Distant() bool { return objstore.IsDistant(s.Store) }

// Shown gives an object's name in errors.
func (s *store) Shown(path string) string { return objstore.Shown(s.Store, path) }

// RemoveTemporary removes what crashed writers have left, where the store can.
func (s *store) RemoveTemporary(ctx context.Context, prefix string, age time.Duration) (int, error) {
	if inner, ok := s.Store.(interface {
		RemoveTemporary(ctx context.Context, prefix string, age time.Duration) (int, error)
	}); ok {
		return inner.RemoveTemporary(ctx, prefix, age)
	}
	return 0, nil
}

// ReadRanges implements objstore.Store. Reads that name no version go past the cache.
func (s *store) ReadRanges(ctx context.Context, path, etag string, ranges []objstore.Range, buffers [][]byte) error {
	if etag == "" {
		return s.Store.ReadRanges(ctx, path, etag, ranges, buffers)
	}
	name := s.name + "\x00" + path + "\x00" + etag
	o := objectOf(name)
	var missing []objstore.Range
	var into [][]byte
	event := objstore.Event{}
	for i, r := range ranges {
		gaps, holes := s.kept(o, name, r, buffers[i])
		missing, into = append(missing, gaps...), append(into, holes...)
		left := int64(0)
		for _, gap := range gaps {
			left += gap.Length
		}
		event.CacheBytesRead += r.Length - left
		event.CacheBytesMissed += left
		if left == 0 {
			event.CacheHits++
		} else {
			event.CacheMisses++
		}
	}
	objstore.Count(ctx, nil, event)
	s.cache.count(event)
	if len(missing) == 0 {
		return ctx.Err()
	}
	if err := s.Store.ReadRanges(ctx, path, etag, missing, into); err != nil {
		return err
	}
	for i, gap := range missing {
		s.cache.keep(o, name, gap.Offset, into[i][:gap.Length])
	}
	return nil
}

// kept fills the parts of a buffer that are in the cache, and gives those that are not.
func (s *store) kept(o object, name string, r objstore.Range, buffer []byte) (gaps []objstore.Range, holes [][]byte) {
	at, end := r.Offset, r.Offset+r.Length
	miss := func(to int64) {
		if to > at {
			gaps = append(gaps, objstore.Range{Offset: at, Length: to - at})
			holes = append(holes, buffer[at-r.Offset:to-r.Offset])
			at = to
		}
	}
	for _, e := range s.cache.find(o, r.Offset, end) {
		from, to := max(e.offset, r.Offset), min(e.end(), end)
		miss(from)
		if err := e.read(s.cache.directory, name, from, buffer[from-r.Offset:to-r.Offset]); err != nil {
			s.cache.drop(e, err)
			continue // miss takes it up with what follows
		}
		at = to
	}
	miss(end)
	return gaps, holes
}

func (c *Cache) count(e objstore.Event) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.stats.Hits, c.stats.Misses = c.stats.Hits+e.CacheHits, c.stats.Misses+e.CacheMisses
	c.stats.HitBytes, c.stats.MissBytes = c.stats.HitBytes+e.CacheBytesRead, c.stats.MissBytes+e.CacheBytesMissed
}

// Locator gives the stores of another Locator with a cache before them, the same one each time.
type Locator struct {
	Inner objstore.Locator
	Cache *Cache
	// Name names a store, lastingly: what is kept is found by it after a restart.
	Name func(objstore.Store) string

	mu     sync.Mutex
	stores map[objstore.Store]*store
}

// Locate implements objstore.Locator.
func (l *Locator) Locate(location string) (objstore.Store, string, error) {
	inner, key, err := l.Inner.Locate(location)
	if err != nil {
		return nil, "", err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	s := l.stores[inner]
	if s == nil {
		if l.stores == nil {
			l.stores = map[objstore.Store]*store{}
		}
		s = &store{inner, l.Cache, l.Name(inner)}
		l.stores[inner] = s
	}
	return s, key, nil
}
