package diskcache

import (
	"cmp"
	"slices"

	"github.com/tarnlake/tarn/internal/objstore/fifo"
)

// index knows which extents there are. Extents of an object do not overlap. The cache's lock guards it.
type index struct {
	queue   *fifo.Queue[extent]
	objects map[object][]extent // ascending
}

func newIndex(capacity int64) *index {
	return &index{queue: fifo.New[extent](capacity), objects: map[object][]extent{}}
}

// find gives the extents that hold a part of [from, to), ascending.
func (x *index) find(o object, from, to int64) []extent {
	list := x.objects[o]
	at, _ := slices.BinarySearchFunc(list, from, func(e extent, from int64) int {
		if e.end() <= from {
			return -1
		}
		return 1
	})
	end := at
	for end < len(list) && list[end].offset < to {
		end++
	}
	return list[at:end:end]
}

// overlaps tells whether any byte of an extent is kept.
func (x *index) overlaps(e extent) bool { return len(x.find(e.object, e.offset, e.end())) > 0 }

// add takes an extent in that overlaps no other, and gives those whose files must go.
func (x *index) add(e extent, size int64) (evicted []extent, ok bool) {
	if evicted, ok = x.queue.Add(e, size); !ok {
		return nil, false
	}
	for _, gone := range evicted {
		x.unlist(gone)
	}
	list := x.objects[e.object]
	at, _ := slices.BinarySearchFunc(list, e, func(a, b extent) int { return cmp.Compare(a.offset, b.offset) })
	x.objects[e.object] = slices.Insert(list, at, e)
	return evicted, true
}

// remove drops an extent.
func (x *index) remove(e extent) {
	x.queue.Remove(e)
	x.unlist(e)
}

// shrink drops extents until they take at most the given bytes.
func (x *index) shrink(bytes int64) []extent {
	evicted := x.queue.Shrink(bytes)
	for _, gone := range evicted {
		x.unlist(gone)
	}
	return evicted
}

func (x *index) unlist(e extent) {
	list := x.objects[e.object]
	at, found := slices.BinarySearchFunc(list, e, func(a, b extent) int { return cmp.Compare(a.offset, b.offset) })
	if !found || list[at] != e {
		return
	}
	if list = append(list[:at:at], list[at+1:]...); len(list) == 0 { // a copy: find has lent the old one
		delete(x.objects, e.object)
		return
	}
	x.objects[e.object] = list
}
