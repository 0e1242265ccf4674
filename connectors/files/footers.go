package files

import (
	"container/list"
	"sync"

	"github.com/tarnlake/tarn/internal/format/parquet"
	"github.com/tarnlake/tarn/internal/objstore"
)

type footerKey struct {
	store      objstore.Store
	path, etag string
}

// footerCache keeps the most recently used footers.
type footerCache struct {
	mu      sync.Mutex
	limit   int
	order   *list.List // of *footerEntry, front: most recently used
	entries map[footerKey]*list.Element
}

type footerEntry struct {
	key  footerKey
	file *parquet.File
}

func (c *footerCache) get(key footerKey) *parquet.File {
	c.mu.Lock()
	defer c.mu.Unlock()
	if e, ok := c.entries[key]; ok {
		c.order.MoveToFront(e)
		return e.Value.(*footerEntry).file
	}
	return nil
}

func (c *footerCache) put(key footerKey, file *parquet.File) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.order == nil {
		c.order, c.entries = list.New(), map[footerKey]*list.Element{}
	}
	if _, ok := c.entries[key]; ok {
		return
	}
	c.entries[key] = c.order.PushFront(&footerEntry{key, file})
	for c.order.Len() > c.limit {
		last := c.order.Back()
		delete(c.entries, last.Value.(*footerEntry).key)
		c.order.Remove(last)
	}
}
