package rows

import (
	"math/bits"

	"github.com/tarnlake/tarn/internal/memory"
	"github.com/tarnlake/tarn/internal/types"
	"github.com/tarnlake/tarn/internal/vec"
)

// Groups numbers distinct keys 0, 1, 2 … in the order in which they first come. NULL is a key value
// like any other. It is used by one goroutine at a time.
//
// A slot holds the hash's low half and the group's number plus one; the hash's high bits say where
// to look first, the next slots where to go on. Keys of a vector are looked up together: all slots
// are read, then all candidates are compared column by column, so that cache misses overlap.
type Groups struct {
	Store    *Store
	pool     *memory.Pool
	operator string
	writer   *Writer
	hasher   Hasher

	table  *memory.Block
	slots  []uint64
	hashes []uint64 // per group
	skip   uint     // high bits of the hash that all keys share
	shift  uint     // slot = hash << skip >> shift
	count  int

	hash      []uint64
	position  []uint32
	candidate []uint32
	remaining []int32
	compare   []int32
	fresh     []int32
	freshList []int32
	codes     codeCache
}

const firstSlots = 1 << 8

// NewGroups makes an empty table for keys of the given types. The first skip bits of all keys' hashes
// are the same, for the keys are those of one partition.
func NewGroups(keys []types.Type, skip int, pool *memory.Pool, operator string) (*Groups, error) {
	store, err := NewStore(NewLayout(keys), pool, operator)
	if err != nil {
		return nil, err
	}
	g := &Groups{Store: store, pool: pool, operator: operator, skip: uint(skip), writer: store.NewWriter()}
	if err := g.resize(firstSlots); err != nil {
		store.Free()
		return nil, err
	}
	return g, nil
}

// Count is the number of groups.
func (g *Groups) Count() int { return g.count }

// Bytes is the memory held.
func (g *Groups) Bytes() int64 { return g.Store.Bytes() + g.table.Size() }

// Hashes gives the groups' hashes.
func (g *Groups) Hashes() []uint64 { return g.hashes[:g.count] }

// Free gives the memory back.
func (g *Groups) Free() {
	if g == nil {
		return
	}
	g.Store.Free()
	g.table.Free()
}

// resize makes a table of n slots, a power of two, and enters the groups again.
func (g *Groups) resize(n int) error {
	room := n / 2
	table, err := g.pool.NewBlock(int64(8*(n+room)), g.operator)
	if err != nil {
		return err
	}
	slots, hashes := memory.BlockOf[uint64](table, 0, n), memory.BlockOf[uint64](table, int64(8*n), room)
	copy(hashes, g.hashes[:g.count])
	g.table.Free()
	g.table, g.slots, g.hashes = table, slots, hashes
	g.shift = uint(64 - bits.TrailingZeros(uint(n)))
	mask := uint64(n - 1)
	for group, h := range hashes[:g.count] {
		at := h << g.skip >> g.shift
		for slots[at] != 0 {
			at = (at + 1) & mask
		}
		slots[at] = entry(h, group)
	}
	return nil
}

func entry(hash uint64, group int) uint64 { return hash<<32 | uint64(group+1) }

// Reset forgets all groups, keeping memory.
func (g *Groups) Reset() {
	g.Store.Reset()
	g.writer = g.Store.NewWriter()
	clear(g.slots)
	g.count = 0
	g.codes.forget()
}

// Find puts the group of each listed row of the key columns into groups, adding the keys that are new.
func (g *Groups) Find(keys []*vec.Vector, list []int32, groups []int32) error {
	if g.codes.prepare(keys) {
		return g.codes.find(g, keys, list, groups)
	}
	return g.find(keys, list, groups)
}

// find looks up the keys of all listed rows.
func (g *Groups) find(keys []*vec.Vector, list []int32, groups []int32) error {
	for g.count+len(list) > len(g.hashes) {
		if err := g.resize(2 * len(g.slots)); err != nil {
			return err
		}
	}
	n := len(list)
	g.room(n)
	hash, position := g.hash[:n], g.position[:n]
	g.hasher.Hash(keys, list, hash)
	g.remaining = g.remaining[:n]
	for i, h := range hash {
		position[i] = uint32(h << g.skip >> g.shift)
		g.remaining[i] = int32(i)
	}
	for len(g.remaining) > 0 {
		g.claim(groups)
		if err := g.add(keys, list); err != nil {
			return err
		}
		g.verify(keys, list, groups)
	}
	return nil
}

// claim walks each remaining row to a slot that is empty, and takes it for a new group, or to one
// that may be its group's, which is then to be compared.
func (g *Groups) claim(groups []int32) {
	mask := uint32(len(g.slots) - 1)
	g.compare, g.fresh = g.compare[:0], g.fresh[:0]
	for _, i := range g.remaining {
		h, at := g.hash[i], g.position[i]
		for {
			e := g.slots[at]
			if e == 0 {
				g.slots[at] = entry(h, g.count)
				g.hashes[g.count] = h
				groups[i] = int32(g.count)
				g.count++
				g.fresh = append(g.fresh, i)
				break
			}
			if uint32(e>>32) == uint32(h) {
				g.candidate[i] = uint32(e)
				g.compare = append(g.compare, i)
				break
			}
			at = (at + 1) & mask
		}
		g.position[i] = at
	}
}

// add stores the keys of the new groups; row number group+1 is the group's key.
func (g *Groups) add(keys []*vec.Vector, list []int32) error {
	if len(g.fresh) == 0 {
		return nil
	}
	g.freshList = g.freshList[:0]
	for _, i := range g.fresh {
		g.freshList = append(g.freshList, list[i])
	}
	if err := g.writer.Append(keys, g.freshList, nil); err != nil {
		return err
	}
	g.writer.Publish()
	return nil
}

// verify compares the candidates' keys; rows that differ go on to the next slot.
func (g *Groups) verify(keys []*vec.Vector, list []int32, groups []int32) {
	g.remaining = g.remaining[:0]
	if len(g.compare) == 0 {
		return
	}
	all := g.compare
	equal := append(g.fresh[:0], all...)
	for c, v := range keys {
		equal = g.Store.Equal(c, v, list, g.candidate, equal, true)
	}
	g.fresh = equal
	mask := uint32(len(g.slots) - 1)
	for _, i := range all {
		if len(equal) > 0 && equal[0] == i {
			groups[i] = int32(g.candidate[i] - 1)
			equal = equal[1:]
			continue
		}
		g.position[i] = (g.position[i] + 1) & mask
		g.remaining = append(g.remaining, i)
	}
}

// Keys gathers the keys of groups from … from+n-1 into out, one vector a key column.
func (g *Groups) Keys(from, n int, out []*vec.Vector) {
	numbers := make([]uint32, n)
	for i := range numbers {
		numbers[i] = uint32(from + i + 1)
	}
	for c, v := range out {
		g.Store.Gather(c, numbers, v)
	}
}

// Reader gives another view of the finished table, for another goroutine's Lookup.
func (g *Groups) Reader() *Groups {
	return &Groups{Store: g.Store, slots: g.slots, hashes: g.hashes, skip: g.skip, shift: g.shift, count: g.count}
}

// Lookup puts the group of each listed row of the key columns into groups, -1 for unknown keys.
func (g *Groups) Lookup(keys []*vec.Vector, list []int32, groups []int32) {
	n := len(list)
	g.room(n)
	hash, position := g.hash[:n], g.position[:n]
	g.hasher.Hash(keys, list, hash)
	mask := uint32(len(g.slots) - 1)
	g.remaining = g.remaining[:n]
	for i, h := range hash {
		position[i] = uint32(h << g.skip >> g.shift)
		g.remaining[i] = int32(i)
	}
	for len(g.remaining) > 0 {
		g.compare = g.compare[:0]
		for _, i := range g.remaining {
			h, at := hash[i], position[i]
			for g.slots[at] != 0 && uint32(g.slots[at]>>32) != uint32(h) {
				at = (at + 1) & mask
			}
			position[i], groups[i] = at, -1
			if e := g.slots[at]; e != 0 {
				g.candidate[i] = uint32(e)
				g.compare = append(g.compare, i)
			}
		}
		g.verify(keys, list, groups)
	}
}

// room makes the scratch columns at least n long.
func (g *Groups) room(n int) {
	if cap(g.hash) < n {
		g.hash, g.position, g.candidate = make([]uint64, n), make([]uint32, n), make([]uint32, n)
		g.remaining = make([]int32, n)
	}
}
