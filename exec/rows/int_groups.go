package rows

import (
	"math/bits"

	"github.com/tarnlake/tarn/internal/memory"
	"github.com/tarnlake/tarn/internal/types"
	"github.com/tarnlake/tarn/internal/vec"
)

// IntGroups is Groups for one integer key of at most 64 bits. Keys lie in the slots themselves.
// Equal neighbours are looked up once.
type IntGroups struct {
	t        types.Type
	pool     *memory.Pool
	operator string
	skip     uint

	table *memory.Block
	slots []intSlot
	keys  []int64 // by group
	shift uint
	count int
	null  int32 // the group of NULL, -1: none

	heads    []int64 // keys of the runs of equal neighbours
	runs     []int32 // run of each row
	position []uint32
	found    []intSlot
	groups   []int32 // per run
	valid    []int32
	index    []int32
}

// intSlot is empty when number is 0; else it holds group number−1.
type intSlot struct {
	key    int64
	number uint32
	_      uint32
}

// NewIntGroups makes an empty table; skip is as for NewGroups.
func NewIntGroups(t types.Type, skip int, pool *memory.Pool, operator string) (*IntGroups, error) {
	g := &IntGroups{t: t, pool: pool, operator: operator, skip: uint(skip), null: -1}
	return g, g.resize(firstSlots)
}

// Count is the number of groups.
func (g *IntGroups) Count() int { return g.count }

// Bytes is the memory held.
func (g *IntGroups) Bytes() int64 { return g.table.Size() }

// Free gives the memory back.
func (g *IntGroups) Free() { g.table.Free() }

// Reset forgets all groups, keeping memory.
func (g *IntGroups) Reset() {
	clear(g.slots)
	g.count, g.null = 0, -1
}

// resize makes a table of n slots, a power of two, and enters the groups again.
func (g *IntGroups) resize(n int) error {
	room := n / 2
	table, err := g.pool.NewBlock(int64(16*n+8*room), g.operator)
	if err != nil {
		return err
	}
	slots, keys := memory.BlockOf[intSlot](table, 0, n), memory.BlockOf[int64](table, int64(16*n), room)
	copy(keys, g.keys[:g.count])
	g.table.Free()
	g.table, g.slots, g.keys = table, slots, keys
	g.shift = uint(64 - bits.TrailingZeros(uint(n)))
	mask := uint64(n - 1)
	for group, key := range keys[:g.count] {
		if int32(group) == g.null {
			continue
		}
		at := g.place(key)
		for slots[at].number != 0 {
			at = uint32((uint64(at) + 1) & mask)
		}
		slots[at] = intSlot{key: key, number: uint32(group + 1)}
	}
	return nil
}

func (g *IntGroups) place(key int64) uint32 {
	return uint32(Mix(uint64(key)) << g.skip >> g.shift)
}

// Find puts the group of each listed row of the key column into groups, adding the keys that are new.
func (g *IntGroups) Find(keys []*vec.Vector, list []int32, groups []int32) error {
	for g.count+len(list)+1 > len(g.keys) {
		if err := g.resize(2 * len(g.slots)); err != nil {
			return err
		}
	}
	v := keys[0]
	if v.MayHaveNulls() {
		return g.findNullable(v, list, groups)
	}
	g.find(v, list, groups)
	return nil
}

// findNullable finds the rows that are not NULL and spreads the result.
func (g *IntGroups) findNullable(v *vec.Vector, list []int32, groups []int32) error {
	g.valid = g.valid[:0]
	for _, r := range list {
		if !v.IsNull(int(r)) {
			g.valid = append(g.valid, r)
		}
	}
	if len(g.valid) < len(list) && g.null < 0 {
		g.null = int32(g.count)
		g.keys[g.count] = 0
		g.count++
	}
	plain := *v
	plain.Valid = nil
	g.find(&plain, g.valid, groups)
	if len(g.valid) == len(list) {
		return nil
	}
	at := len(g.valid) - 1
	for i := len(list) - 1; i >= 0; i-- {
		if at >= 0 && g.valid[at] == list[i] {
			groups[i] = groups[at]
			at--
		} else {
			groups[i] = g.null
		}
	}
	return nil
}

// find looks up rows without NULLs.
func (g *IntGroups) find(v *vec.Vector, list []int32, groups []int32) {
	if len(list) == 0 {
		return
	}
	if cap(g.heads) < len(list) {
		n := len(list)
		g.heads, g.runs, g.position, g.found, g.groups = make([]int64, n), make([]int32, n), make([]uint32, n), make([]intSlot, n), make([]int32, n)
	}
	flat, index, constant := v.Base()
	runs := g.runs[:len(list)]
	n := 0
	if constant {
		g.heads[0] = integer(flat, 0)
		n, runs[0] = 1, 0
	} else {
		if index != nil {
			g.index = g.index[:0]
			for _, r := range list {
				g.index = append(g.index, index[r])
			}
			list = g.index
		}
		switch v.Type.Physical() {
		case types.PhysBool:
			n = collapse(vec.Values[uint8](flat), list, g.heads, runs)
		case types.PhysInt16:
			n = collapse(vec.Values[int16](flat), list, g.heads, runs)
		case types.PhysInt32:
			n = collapse(vec.Values[int32](flat), list, g.heads, runs)
		default:
			n = collapse(vec.Values[int64](flat), list, g.heads, runs)
		}
	}
	if n == len(runs) {
		g.lookup(g.heads[:n], groups)
		return
	}
	g.lookup(g.heads[:n], g.groups)
	if constant {
		clear(runs)
	}
	for i, run := range runs {
		groups[i] = g.groups[run]
	}
}

// collapse writes the key of each run of equal neighbours to heads and each row's run to runs.
func collapse[T uint8 | int16 | int32 | int64](values []T, list []int32, heads []int64, runs []int32) int {
	n := 0
	last := values[list[0]]
	heads[0] = int64(last)
	for i, r := range list {
		x := values[r]
		if x != last {
			n++
			last = x
			heads[n] = int64(x)
		}
		runs[i] = int32(n)
	}
	return n + 1
}

// lookup finds keys in three passes: where to look; the loads, which miss the cache; the comparing.
func (g *IntGroups) lookup(keys []int64, groups []int32) {
	position, found, slots := g.position[:len(keys)], g.found[:len(keys)], g.slots
	groups = groups[:len(keys)]
	skip, shift := g.skip, g.shift
	for i, key := range keys {
		position[i] = uint32(Mix(uint64(key)) << skip >> shift)
	}
	for i, p := range position {
		found[i] = slots[p]
	}
	for i, key := range keys {
		if f := &found[i]; f.key == key && f.number != 0 {
			groups[i] = int32(f.number - 1)
		} else {
			groups[i] = g.insert(key, position[i])
		}
	}
}

// insert finds a key from a slot on, or enters it.
func (g *IntGroups) insert(key int64, at uint32) int32 {
	mask := uint32(len(g.slots) - 1)
	for {
		s := &g.slots[at]
		if s.number == 0 {
			g.keys[g.count] = key
			g.count++
			s.key, s.number = key, uint32(g.count)
			return int32(g.count - 1)
		}
		if s.key == key {
			return int32(s.number - 1)
		}
		at = (at + 1) & mask
	}
}

func integer(v *vec.Vector, i int) int64 {
	switch v.Type.Physical() {
	case types.PhysBool:
		return int64(vec.Values[uint8](v)[i])
	case types.PhysInt16:
		return int64(vec.Values[int16](v)[i])
	case types.PhysInt32:
		return int64(vec.Values[int32](v)[i])
	}
	return vec.Values[int64](v)[i]
}

// Keys writes the keys of groups from … from+n-1 into out.
func (g *IntGroups) Keys(from, n int, out []*vec.Vector) {
	v := out[0]
	v.Resize(g.t, n)
	keys := g.keys[from : from+n]
	switch g.t.Physical() {
	case types.PhysBool:
		narrow(vec.Values[uint8](v), keys)
	case types.PhysInt16:
		narrow(vec.Values[int16](v), keys)
	case types.PhysInt32:
		narrow(vec.Values[int32](v), keys)
	default:
		copy(vec.Values[int64](v), keys)
	}
	if at := int(g.null) - from; g.null >= 0 && at >= 0 && at < n {
		v.SetNull(at)
	}
}

func narrow[T uint8 | int16 | int32](dst []T, keys []int64) {
	for i, key := range keys {
		dst[i] = T(key)
	}
}
