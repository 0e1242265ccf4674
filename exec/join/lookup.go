package join

import (
	"github.com/tarnlake/tarn/exec/rows"
	"github.com/tarnlake/tarn/internal/vec"
)

// lookup finds the first stored row of each code for one driver.
type lookup struct {
	table    *table
	hasher   rows.Hasher
	codes    []uint64
	position []uint32
	found    []uint64
	heads    []uint32
	hits     []int32 // positions in the list that found a row
	again    []int32
}

// find gives the positions in list whose key has stored rows, ascending, and for every position the
// number of the first such row. Both are valid until the next call.
func (l *lookup) find(keys []*vec.Vector, list []int32) (hits []int32, heads []uint32) {
	n := len(list)
	if cap(l.codes) < n {
		l.codes, l.position, l.found = make([]uint64, n), make([]uint32, n), make([]uint64, n)
		l.heads, l.hits = make([]uint32, n), make([]int32, n)
	}
	t := l.table
	codes, heads := l.codes[:n], l.heads[:n]
	t.coder.codes(&l.hasher, keys, list, codes)
	switch {
	case t.dense != nil:
		l.findDense(codes, heads)
	case t.slots != nil:
		l.findSlots(codes, heads)
	default:
		return nil, heads
	}
	if !t.coder.exact() {
		l.verify(keys, list, heads)
	}
	return l.compact(heads), heads
}

func (l *lookup) findDense(codes []uint64, heads []uint32) {
	dense := l.table.dense
	heads = heads[:len(codes)]
	for i, code := range codes {
		head := uint32(0)
		if code < uint64(len(dense)) {
			head = dense[code]
		}
		heads[i] = head
	}
}

// findSlots works in three passes: where to look; the loads, which miss the cache; the comparing.
func (l *lookup) findSlots(codes []uint64, heads []uint32) {
	t := l.table
	n := len(codes)
	position, found, heads := l.position[:n], l.found[:n], heads[:n]
	if t.coder.exact() {
		for i, code := range codes {
			position[i] = uint32(rows.Mix(code) >> t.shift)
		}
	} else {
		for i, code := range codes {
			position[i] = uint32(code >> t.shift)
		}
	}
	slots := t.slots
	for i, p := range position {
		s := &slots[p]
		found[i], heads[i] = s.code, s.row
	}
	l.again = l.again[:0]
	for i, code := range codes {
		if found[i] != code {
			if heads[i] != 0 && code != noCode {
				l.again = append(l.again, int32(i))
			}
			heads[i] = 0
		}
	}
	for _, i := range l.again {
		heads[i] = t.search(codes[i], t.following(position[i]))
	}
}

// search goes from slot to slot.
func (t *table) search(code uint64, at uint32) uint32 {
	for {
		s := &t.slots[at]
		if s.row == 0 || s.code == code {
			return s.row
		}
		at = t.following(at)
	}
}

// verify compares hashed keys. A row whose hash is another key's looks on.
func (l *lookup) verify(keys []*vec.Vector, list []int32, heads []uint32) {
	t := l.table
	active := l.compact(heads)
	all := append(l.again[:0], active...)
	l.again = all
	for k, c := range t.keys {
		active = t.store.Equal(c, keys[k], list, heads, active, t.coder.nullEqual[k])
	}
	if len(active) == len(all) {
		return
	}
	for _, i := range all {
		if len(active) > 0 && active[0] == i {
			active = active[1:]
			continue
		}
		heads[i] = l.searchEqual(keys, list, i)
	}
}

// searchEqual goes through all slots that may hold position i's key.
func (l *lookup) searchEqual(keys []*vec.Vector, list []int32, i int32) uint32 {
	t := l.table
	code := l.codes[i]
	candidate := make([]uint32, len(list))
	for at := uint32(code >> t.shift); ; at = t.following(at) {
		s := &t.slots[at]
		if s.row == 0 {
			return 0
		}
		if s.code != code {
			continue
		}
		candidate[i] = s.row
		active := []int32{i}
		for k, c := range t.keys {
			active = t.store.Equal(c, keys[k], list, candidate, active, t.coder.nullEqual[k])
		}
		if len(active) > 0 {
			return s.row
		}
	}
}

// compact lists the positions with a row.
func (l *lookup) compact(heads []uint32) []int32 {
	hits := l.hits[:len(heads)]
	n := 0
	for i, h := range heads {
		hits[n] = int32(i)
		if h != 0 {
			n++
		}
	}
	return hits[:n]
}
