package order

import "bytes"

// Heads merges sorted runs: it holds the key of each run's next row, the least at hand. Of equal keys
// that of the run with the lower number comes first. Keys stay the caller's and must not change while
// they are held, except the first one's just before Advance or Drop.
type Heads struct{ heap []head }

type head struct {
	key []byte
	run int
}

func (a *head) before(b *head) bool {
	c := bytes.Compare(a.key, b.key)
	return c < 0 || c == 0 && a.run < b.run
}

// Len is the number of runs that are not at their end.
func (h *Heads) Len() int { return len(h.heap) }

// First gives the run whose next row is the least.
func (h *Heads) First() int { return h.heap[0].run }

// Add takes a run in.
func (h *Heads) Add(run int, key []byte) {
	h.heap = append(h.heap, head{key, run})
	for i := len(h.heap) - 1; i > 0; {
		parent := (i - 1) / 2
		if !h.heap[i].before(&h.heap[parent]) {
			return
		}
		h.heap[i], h.heap[parent] = h.heap[parent], h.heap[i]
		i = parent
	}
}

// Advance replaces the first run's key by that of its next row.
func (h *Heads) Advance(key []byte) {
	h.heap[0].key = key
	h.sink()
}

// Drop takes the first run out.
func (h *Heads) Drop() {
	last := len(h.heap) - 1
	h.heap[0] = h.heap[last]
	h.heap[last] = head{}
	h.heap = h.heap[:last]
	h.sink()
}

// sink moves the first head to its place.
func (h *Heads) sink() {
	for i := 0; ; {
		least := i
		for child := 2*i + 1; child <= 2*i+2 && child < len(h.heap); child++ {
			if h.heap[child].before(&h.heap[least]) {
				least = child
			}
		}
		if least == i {
			return
		}
		h.heap[i], h.heap[least] = h.heap[least], h.heap[i]
		i = least
	}
}
