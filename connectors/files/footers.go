package files

import (
	"container/list"
	"sync"

	"github.com/tarnlake/tarn/internal/objstore"
)

// footerKey names a version of a file.
type footerKey struct {
	store      objstore.Store
	path, etag string
}

// recent keeps the most recently used values about files. Its zero values must not be stored.
type recent[V comparable] struct {
	mu      sync.Mutex
	limit   int
	order   *list.List // of *recentEntry, front: most recently used
	entries map[footerKey]*list.Element
}

type recentEntry[V comparable] struct {
	key   footerKey
	value V
}

// get gives the zero value for a file that is not there.
func (c *recent[V]) get(key footerKey) (none V) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if e, ok := c.entries[key]; ok {
		c.order.MoveToFront(e)
		return e.Value.(*recentEntry[V]).value
	}
	return none
}

func (c *recent[V]) put(key footerKey, value V) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.order == nil {
		c.order, c.entries = list.New(), map[footerKey]*list.Element{}
	}
	if _, ok := c.entries[key]; ok {
		return
	}
	c.entries[key] = c.order.PushFront(&recentEntry[V]{key, value})
	for c.order.Len() > c.limit {
		last := c.order.Back()
		delete(c.entries, last.Value.(*recentEntry[V]).key)
		c.order.Remove(last)
	}
}
