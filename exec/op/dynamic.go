package op

import (
	"context"
	"math/bits"
	"sync"
	"sync/atomic"

	"github.com/tarnlake/tarn/connectors"
	"github.com/tarnlake/tarn/exec/rows"
	"github.com/tarnlake/tarn/internal/memory"
	"github.com/tarnlake/tarn/internal/types"
	"github.com/tarnlake/tarn/internal/vec"
)

// DynamicFilters holds the filters of one task by their number in the plan.
type DynamicFilters struct {
	mu   sync.Mutex
	byID map[int]*DynamicFilter
}

// NewDynamicFilters makes an empty collection.
func NewDynamicFilters() *DynamicFilters { return &DynamicFilters{byID: map[int]*DynamicFilter{}} }

// Get gives a filter, made on first use.
func (f *DynamicFilters) Get(id int) *DynamicFilter {
	f.mu.Lock()
	defer f.mu.Unlock()
	filter := f.byID[id]
	if filter == nil {
		filter = &DynamicFilter{ready: make(chan struct{})}
		f.byID[id] = filter
	}
	return filter
}

// DynamicFilter is what one operator has learnt about the values of a column that it can use. It may
// be published again as more is learnt, and read at any time.
type DynamicFilter struct {
	state   atomic.Pointer[Learnt]
	version atomic.Uint64
	once    sync.Once
	ready   chan struct{} // closed by the first Publish
	watch   func(*Learnt)
}

// Watch makes every Publish call f, before the filter can be used. It is called before the task runs.
func (f *DynamicFilter) Watch(watch func(*Learnt)) { f.watch = watch }

// Learnt is a set of values: all others are useless, NULL too. It is immutable.
type Learnt struct {
	None             bool         // no value at all
	Minimum, Maximum *types.Datum // nil: unbounded
	Values           []types.Datum
	Members          *Members // nil: nothing beyond the bounds
}

// Publish replaces what is known.
func (f *DynamicFilter) Publish(l *Learnt) {
	if f.watch != nil {
		f.watch(l)
	}
	f.state.Store(l)
	f.version.Add(1)
	f.once.Do(func() { close(f.ready) })
}

// Learnt gives what is known, nil when that is nothing yet.
func (f *DynamicFilter) Learnt() *Learnt { return f.state.Load() }

// Members is a set of values for testing rows: exact for integers in a limited range, else a Bloom
// filter of hashes. Its memory belongs to who published it.
type Members struct {
	minimum int64
	span    uint64   // of the bitmap; 0: Bloom filter
	bits    []uint64 // bitmap, or blocks of 64 bits
	shift   uint
	block   *memory.Block
}

const (
	mostBitmapBits = 1 << 27
	mostBloomRows  = 1 << 23
	bloomRowBits   = 16
)

// NewBitmap makes a set for integers minimum … minimum+span-1; nil when the range is too large.
func NewBitmap(minimum int64, span uint64, pool *memory.Pool, operator string) *Members {
	if span == 0 || span > mostBitmapBits {
		return nil
	}
	words := int(span+63) / 64
	if !pool.TryReserve(int64(words) * 8) {
		return nil
	}
	pool.Release(int64(words) * 8)
	block, err := pool.NewBlock(int64(words)*8, operator)
	if err != nil {
		return nil
	}
	return &Members{minimum: minimum, span: span, block: block, bits: memory.BlockOf[uint64](block, 0, words)}
}

// NewBloom makes a set of about n hashed values; nil when that is too many.
func NewBloom(n int, pool *memory.Pool, operator string) *Members {
	if n > mostBloomRows {
		return nil
	}
	words, shift := 8, uint(61)
	for words*64 < n*bloomRowBits {
		words, shift = words*2, shift-1
	}
	if !pool.TryReserve(int64(words) * 8) {
		return nil
	}
	pool.Release(int64(words) * 8)
	block, err := pool.NewBlock(int64(words)*8, operator)
	if err != nil {
		return nil
	}
	return &Members{shift: shift, block: block, bits: memory.BlockOf[uint64](block, 0, words)}
}

// Useful tells whether the set excludes enough of its range to be worth testing rows against.
func (m *Members) Useful() bool {
	if m.span == 0 {
		return true
	}
	count := 0
	for _, w := range m.bits {
		count += bits.OnesCount64(w)
	}
	return uint64(count)*10 < m.span*8
}

// Free gives the memory back.
func (m *Members) Free() {
	if m != nil {
		m.block.Free()
	}
}

// Add puts the listed non-null rows of v, Flat, into the set.
func (m *Members) Add(v *vec.Vector, list []int32, hasher *rows.Hasher, hashes []uint64) {
	if m.span == 0 {
		hasher.Hash([]*vec.Vector{v}, list, hashes)
		for _, h := range hashes[:len(list)] {
			m.bits[h>>m.shift] |= bloomMask(h)
		}
		return
	}
	switch v.Type.Physical() {
	case types.PhysBool:
		addBits(m, vec.Values[uint8](v), list)
	case types.PhysInt16:
		addBits(m, vec.Values[int16](v), list)
	case types.PhysInt32:
		addBits(m, vec.Values[int32](v), list)
	case types.PhysInt64:
		addBits(m, vec.Values[int64](v), list)
	}
}

// bloomMask is the four bits of a hash within its block.
func bloomMask(h uint64) uint64 {
	return 1<<(h&63) | 1<<(h>>6&63) | 1<<(h>>12&63) | 1<<(h>>18&63)
}

func addBits[T uint8 | int16 | int32 | int64](m *Members, values []T, list []int32) {
	for _, r := range list {
		at := uint64(int64(values[r])) - uint64(m.minimum)
		m.bits[at>>6] |= 1 << (at & 63)
	}
}

// memberTest applies a filter to rows for one driver, as long as that pays.
type memberTest struct {
	filter *DynamicFilter
	column int // ordinal in the scan's columns
	hasher rows.Hasher
	hashes []uint64
	all    []int32
	list   []int32
	seen   int
	passed int
}

const (
	testRows    = 16 * 2048 // rows after which the effect of a filter is judged
	passPercent = 80        // filters that let more through are given up
)

// apply narrows b.Sel to the rows that may be needed.
func (t *memberTest) apply(b *vec.Batch) {
	learnt := t.filter.Learnt()
	if learnt == nil || t.seen > testRows && t.passed*100 > t.seen*passPercent {
		return
	}
	rows := b.Sel
	if rows == nil {
		t.all = sequence(t.all, b.Len)
		rows = t.all[:b.Len]
	}
	t.seen += len(rows)
	if cap(t.list) < len(rows) {
		t.list = make([]int32, len(rows))
	}
	kept := t.test(learnt, &b.Cols[t.column], rows, t.list[:len(rows)])
	t.passed += len(kept)
	b.Sel = kept
}

func (t *memberTest) test(l *Learnt, v *vec.Vector, rows, out []int32) []int32 {
	if l.None {
		return out[:0]
	}
	if v.MayHaveNulls() {
		n := 0
		for _, r := range rows {
			out[n] = r
			if !v.IsNull(int(r)) {
				n++
			}
		}
		rows = out[:n]
	}
	if l.Members != nil && l.Members.span == 0 {
		return t.testHashes(l.Members, v, rows, out)
	}
	switch v.Type.Physical() {
	case types.PhysBool:
		return testInteger[uint8](l, v, rows, out)
	case types.PhysInt16:
		return testInteger[int16](l, v, rows, out)
	case types.PhysInt32:
		return testInteger[int32](l, v, rows, out)
	case types.PhysInt64:
		return testInteger[int64](l, v, rows, out)
	}
	return rows
}

func (t *memberTest) testHashes(m *Members, v *vec.Vector, rows, out []int32) []int32 {
	if cap(t.hashes) < len(rows) {
		t.hashes = make([]uint64, len(rows))
	}
	hashes := t.hashes[:len(rows)]
	t.hasher.Hash([]*vec.Vector{v}, rows, hashes)
	for i, h := range hashes {
		mask := bloomMask(h)
		hashes[i] = m.bits[h>>m.shift]&mask ^ mask
	}
	n := 0
	for i, r := range rows {
		out[n] = r
		if hashes[i] == 0 {
			n++
		}
	}
	return out[:n]
}

// testInteger tests bounds and bitmap in one pass.
func testInteger[T uint8 | int16 | int32 | int64](l *Learnt, v *vec.Vector, rows, out []int32) []int32 {
	flat, index, constant := v.Base()
	values := vec.Values[T](flat)
	if constant {
		index, rows = nil, append(out[:0], rows...)
		if len(rows) > 0 && !l.has(int64(values[0])) {
			rows = rows[:0]
		}
		return rows
	}
	minimum, last := l.bounds()
	n := 0
	switch {
	case index != nil:
		for _, r := range rows {
			out[n] = r
			if l.has(int64(values[index[r]])) {
				n++
			}
		}
	case l.Members == nil:
		for _, r := range rows {
			out[n] = r
			if uint64(int64(values[r]))-minimum <= last {
				n++
			}
		}
	default:
		set := l.Members.bits
		for _, r := range rows {
			place := uint64(int64(values[r])) - minimum
			out[n] = r
			if place <= last && set[place>>6]>>(place&63)&1 != 0 {
				n++
			}
		}
	}
	return out[:n]
}

// bounds gives the least integer of the set and how far the greatest is above it.
func (l *Learnt) bounds() (minimum, last uint64) {
	if l.Members != nil {
		return uint64(l.Members.minimum), l.Members.span - 1
	}
	least, most := int64(-1<<63), int64(1<<63-1)
	if l.Minimum != nil {
		least = l.Minimum.I64
	}
	if l.Maximum != nil {
		most = l.Maximum.I64
	}
	return uint64(least), uint64(most) - uint64(least)
}

// has tests one integer.
func (l *Learnt) has(x int64) bool {
	minimum, last := l.bounds()
	place := uint64(x) - minimum
	return place <= last && (l.Members == nil || l.Members.bits[place>>6]>>(place&63)&1 != 0)
}

// Use is a dynamic filter of a scan column.
type Use struct {
	Filter *DynamicFilter
	Column int
	// Foreign tells that another task publishes the filter: the scan waits for it a little.
	Foreign bool
}

// NewFeed gives a list of splits the domains that filters amount to.
func NewFeed(uses []Use) connectors.FilterFeed { return &feed{uses} }

// feed gives a scan's connector the domains that its filters amount to.
type feed struct{ uses []Use }

// Domains gives the present domains.
func (f *feed) Domains() (domains []connectors.Domain, version uint64) {
	for _, u := range f.uses {
		version += u.Filter.version.Load()
	}
	for _, u := range f.uses {
		l := u.Filter.Learnt()
		if l == nil {
			continue
		}
		d := connectors.Domain{Column: u.Column, Minimum: l.Minimum, Maximum: l.Maximum, Values: l.Values}
		if l.None {
			d.Values = []types.Datum{}
		}
		domains = append(domains, d)
	}
	return domains, version
}

// Wait returns at once: a scan's pipeline starts when the filters worth waiting for are complete.
func (f *feed) Wait(context.Context) {}

// filterStages puts dynamic filters before a scan's own filter.
type filterStages struct {
	tests []*memberTest
	own   connectors.RowFilter // nil: none
}

func (f *filterStages) Stages() int {
	n := len(f.tests)
	if f.own != nil {
		n += f.own.Stages()
	}
	return n
}

func (f *filterStages) Columns(stage int) []int {
	if stage < len(f.tests) {
		return []int{f.tests[stage].column}
	}
	return f.own.Columns(stage - len(f.tests))
}

func (f *filterStages) Apply(stage int, b *vec.Batch) error {
	if stage < len(f.tests) {
		f.tests[stage].apply(b)
		return nil
	}
	return f.own.Apply(stage-len(f.tests), b)
}
