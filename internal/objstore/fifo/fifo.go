package fifo

import "container/list"

// Queue keeps names and sizes of a cache's entries, not the entries. It is not safe for concurrent
// use: the cache's lock guards it.
type Queue[K comparable] struct {
	capacity int64
	small    part
	main     part
	ghosts   part
	entries  map[K]*list.Element // of small and main, holding *entry[K]
	gone     map[K]*list.Element // of ghosts
}

// part is a queue; its front is the newest.
type part struct {
	order list.List
	bytes int64
}

type entry[K comparable] struct {
	key  K
	size int64
	uses uint8
	in   *part
}

const (
	// smallShare is the part of the capacity that newcomers may take.
	smallShare = 10
	mostUses   = 3
)

// New makes a queue whose entries may have capacity bytes together.
func New[K comparable](capacity int64) *Queue[K] {
	return &Queue[K]{capacity: capacity, entries: map[K]*list.Element{}, gone: map[K]*list.Element{}}
}

// Bytes is the size of all entries.
func (q *Queue[K]) Bytes() int64 { return q.small.bytes + q.main.bytes }

// Len is the number of entries.
func (q *Queue[K]) Len() int { return len(q.entries) }

// Capacity is the bound of Bytes.
func (q *Queue[K]) Capacity() int64 { return q.capacity }

// Use notes that an entry is used; false if it is not there.
func (q *Queue[K]) Use(key K) bool {
	e, ok := q.entries[key]
	if ok {
		x := e.Value.(*entry[K])
		x.uses = min(x.uses+1, mostUses)
	}
	return ok
}

// Add takes a new entry in and gives those that must go for it. ok is false, and nothing changes,
// where the entry is there already or larger than the capacity.
func (q *Queue[K]) Add(key K, size int64) (evicted []K, ok bool) {
	if _, known := q.entries[key]; known || size > q.capacity {
		return nil, false
	}
	into := &q.small
	if ghost, known := q.gone[key]; known {
		q.forget(ghost)
		into = &q.main
	}
	evicted = q.Shrink(q.capacity - size)
	q.push(into, &entry[K]{key: key, size: size})
	return evicted, true
}

// Remove drops an entry.
func (q *Queue[K]) Remove(key K) {
	if e, ok := q.entries[key]; ok {
		q.take(e)
	}
}

// Shrink drops entries until they have at most the given bytes, and gives those dropped.
func (q *Queue[K]) Shrink(bytes int64) (evicted []K) {
	for q.Bytes() > bytes && len(q.entries) > 0 {
		if q.small.order.Len() > 0 && (q.small.bytes > q.capacity/smallShare || q.main.order.Len() == 0) {
			if x := q.take(q.small.order.Back()); x.uses > 0 {
				x.uses = 0
				q.push(&q.main, x)
			} else {
				q.remember(x)
				evicted = append(evicted, x.key)
			}
			continue
		}
		if x := q.take(q.main.order.Back()); x.uses > 0 {
			x.uses--
			q.push(&q.main, x)
		} else {
			evicted = append(evicted, x.key)
		}
	}
	return evicted
}

func (q *Queue[K]) push(into *part, x *entry[K]) {
	x.in = into
	into.bytes += x.size
	q.entries[x.key] = into.order.PushFront(x)
}

func (q *Queue[K]) take(e *list.Element) *entry[K] {
	x := e.Value.(*entry[K])
	x.in.order.Remove(e)
	x.in.bytes -= x.size
	delete(q.entries, x.key)
	return x
}

// remember keeps the name of an entry that went unused; as many as the main queue could hold.
func (q *Queue[K]) remember(x *entry[K]) {
	x.in = &q.ghosts
	q.ghosts.bytes += x.size
	q.gone[x.key] = q.ghosts.order.PushFront(x)
	for q.ghosts.bytes > q.capacity && q.ghosts.order.Len() > 1 {
		q.forget(q.ghosts.order.Back())
	}
}

func (q *Queue[K]) forget(e *list.Element) {
	x := q.ghosts.order.Remove(e).(*entry[K])
	q.ghosts.bytes -= x.size
	delete(q.gone, x.key)
}
