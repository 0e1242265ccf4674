package order

import (
	"bytes"
	"context"
	"slices"
	"sort"

	"github.com/tarnlake/tarn/exec/rows"
	"github.com/tarnlake/tarn/internal/vec"
)

// chunkEntries is how many entries are sorted at once: they fit in the cache, and a cancel waits for
// no more than one chunk.
const chunkEntries = 1 << 16

// run is a sorted list of entries and the store of their rows.
type run struct {
	entries []entry
	store   *rows.Store
	index   int // of the store, in references
	keys    int // store column of the long keys, -1: entries hold the whole key
	buffers [][]byte
}

// newRun makes a run of rows that are in the store already.
func newRun(entries []entry, store *rows.Store, long bool) *run {
	r := &run{entries: entries, store: store, keys: -1, buffers: store.Buffers()}
	if long {
		r.keys = len(store.Layout.Types) - 1
	}
	return r
}

// key gives the part of a row's key that its entry does not hold.
func (r *run) key(row uint32) []byte {
	view := (*vec.View)(r.store.Field(r.keys, row))
	b := view.Bytes(r.buffers)
	return b[min(len(b), prefixBytes):]
}

// compareEntries compares what entries hold themselves.
func compareEntries(a, b entry) int {
	switch {
	case a.high < b.high:
		return -1
	case a.high > b.high:
		return 1
	case a.low < b.low:
		return -1
	case a.low > b.low:
		return 1
	}
	return 0
}

// compare compares rows of two runs.
func compare(x *run, a entry, y *run, b entry) int {
	if c := compareEntries(a, b); c != 0 || x.keys < 0 {
		return c
	}
	return bytes.Compare(x.key(a.row), y.key(b.row))
}

// sort orders the run's entries; rows with equal keys keep their order of arrival.
func (r *run) sort() {
	if r.keys < 0 {
		slices.SortFunc(r.entries, func(a, b entry) int {
			if c := compareEntries(a, b); c != 0 {
				return c
			}
			return int(a.row) - int(b.row)
		})
		return
	}
	slices.SortFunc(r.entries, func(a, b entry) int {
		if c := compare(r, a, r, b); c != 0 {
			return c
		}
		return int(a.row) - int(b.row)
	})
}

// merger merges runs by a tree of losers.
type merger struct {
	runs  []*run
	at    []int // next entry of each run
	end   []int
	tree  []int // losers; tree[0] is the winner
	leafs int
}

// newMerger merges entries from[i] … to[i]-1 of each run.
func newMerger(runs []*run, from, to []int) *merger {
	m := &merger{runs: runs, at: append([]int(nil), from...), end: to, leafs: 1}
	for m.leafs < len(runs) {
		m.leafs *= 2
	}
	m.tree = make([]int, m.leafs)
	m.tree[0] = m.build(1)
	return m
}

// build plays the matches below a node and returns its winner.
func (m *merger) build(node int) int {
	if node >= m.leafs {
		return node - m.leafs
	}
	a, b := m.build(2*node), m.build(2*node+1)
	if m.before(b, a) {
		a, b = b, a
	}
	m.tree[node] = b
	return a
}

// before tells whether run a's next row comes before run b's; exhausted runs come last.
func (m *merger) before(a, b int) bool {
	if b >= len(m.runs) || m.at[b] >= m.end[b] {
		return a < len(m.runs) && m.at[a] < m.end[a]
	}
	if a >= len(m.runs) || m.at[a] >= m.end[a] {
		return false
	}
	c := compare(m.runs[a], m.runs[a].entries[m.at[a]], m.runs[b], m.runs[b].entries[m.at[b]])
	return c < 0 || c == 0 && a < b
}

// next gives the run with the next row and advances it; -1 at the end.
func (m *merger) next() (winner int, e entry) {
	winner = m.tree[0]
	if winner >= len(m.runs) || m.at[winner] >= m.end[winner] {
		return -1, entry{}
	}
	e = m.runs[winner].entries[m.at[winner]]
	m.at[winner]++
	contender := winner
	for node := (winner + m.leafs) / 2; node >= 1; node /= 2 {
		if m.before(m.tree[node], contender) {
			m.tree[node], contender = contender, m.tree[node]
		}
	}
	m.tree[0] = contender
	return winner, e
}

// mergeInto merges a part of all runs into refs.
func mergeInto(ctx context.Context, runs []*run, from, to []int, refs []rows.Reference) error {
	m := newMerger(runs, from, to)
	for i := range refs {
		if i&(1<<13-1) == 0 && ctx.Err() != nil {
			return context.Cause(ctx)
		}
		winner, e := m.next()
		refs[i] = rows.Refer(runs[winner].index, e.row)
	}
	return nil
}

// split cuts the runs into parts of about equal size such that all rows of a part come before those
// of the next: cuts[p][i] is where part p ends in run i.
func split(runs []*run, parts int) [][]int {
	type sample struct {
		run *run
		e   entry
	}
	var samples []sample
	for _, r := range runs {
		step := max(len(r.entries)/(8*parts), 1)
		for i := step / 2; i < len(r.entries); i += step {
			samples = append(samples, sample{r, r.entries[i]})
		}
	}
	sort.Slice(samples, func(a, b int) bool { return compare(samples[a].run, samples[a].e, samples[b].run, samples[b].e) < 0 })
	cuts := make([][]int, parts)
	for p := range parts {
		cuts[p] = make([]int, len(runs))
		for i, r := range runs {
			cuts[p][i] = len(r.entries)
			if p < parts-1 && len(samples) > 0 {
				pivot := samples[(p+1)*len(samples)/parts]
				cuts[p][i] = sort.Search(len(r.entries), func(at int) bool {
					return compare(r, r.entries[at], pivot.run, pivot.e) >= 0
				})
			}
		}
	}
	return cuts
}
