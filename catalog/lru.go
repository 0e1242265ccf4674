package catalog

import (
	"container/list"
	"sync"
)

// lru keeps the most recently used values within a bound on their weights. It is safe for
// concurrent use; values are shared and must not change.
type lru[K comparable, V any] struct {
	mu      sync.Mutex
	limit   int64
	used    int64
	order   *list.List // front: most recently used
	entries map[K]*list.Element
}

type lruEntry[K comparable, V any] struct {
	key    K
	value  V
	weight int64
}

func newLRU[K comparable, V any](limit int64) *lru[K, V] {
	return &lru[K, V]{limit: limit, order: list.New(), entries: map[K]*list.Element{}}
}

func (l *lru[K, V]) get(key K) (V, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if e, ok := l.entries[key]; ok {
		l.order.MoveToFront(e)
		return e.Value.(*lruEntry[K, V]).value, true
	}
	var none V
	return none, false
}

func (l *lru[K, V]) put(key K, value V, weight int64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if e, ok := l.entries[key]; ok {
		l.remove(e)
	}
	l.entries[key] = l.order.PushFront(&lruEntry[K, V]{key, value, weight})
	l.used += weight
	for l.used > l.limit && l.order.Len() > 1 {
		l.remove(l.order.Back())
	}
}

func (l *lru[K, V]) remove(e *list.Element) {
	entry := e.Value.(*lruEntry[K, V])
	l.order.Remove(e)
	delete(l.entries, entry.key)
	l.used -= entry.weight
}
