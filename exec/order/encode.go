package order

import (
	"encoding/binary"

	"github.com/tarnlake/tarn/internal/plan"
	"github.com/tarnlake/tarn/internal/types"
	"github.com/tarnlake/tarn/internal/vec"
)

// prefixBytes is how much of a key an entry holds itself.
const prefixBytes = 12

// entry is a row to be sorted: its key's first bytes as numbers, and its number in the store.
type entry struct {
	high uint64
	low  uint32
	row  uint32
}

// encoder makes the entries, and where they do not hold the whole key, the keys.
type encoder struct {
	keys  []plan.SortKey
	long  bool // keys may be longer than the prefix: kept in the store's last column
	fixed []int
	bytes []byte // prefixBytes a row
	full  vec.Vector
	row   []byte
}

// newEncoder prepares the encoding of sort columns of an input with the given types.
func newEncoder(keys []plan.SortKey, input []types.Type) *encoder {
	e := &encoder{keys: keys}
	total := 0
	for _, k := range keys {
		width := fixedWidth(input[k.Column])
		if width == 0 {
			e.long = true
		}
		e.fixed = append(e.fixed, width)
		total += width
	}
	e.long = e.long || total > prefixBytes
	return e
}

// fixedWidth is the length of every key of a type, NULL's byte included; 0 where it varies.
func fixedWidth(t types.Type) int {
	switch t.Physical() {
	case types.PhysNone:
		return 1
	case types.PhysBool:
		return 2
	case types.PhysInt16:
		return 3
	case types.PhysInt32:
		return 5
	case types.PhysInt64, types.PhysFloat32, types.PhysFloat64:
		return 9
	case types.PhysInt128, types.PhysInterval:
		return 17
	}
	return 0
}

// encode appends an entry for each listed row, without its number. Where keys are long, the second
// result holds them at the same rows as b.
func (e *encoder) encode(b *vec.Batch, list []int32, entries []entry) ([]entry, *vec.Vector) {
	if e.long {
		return e.encodeLong(b, list, entries)
	}
	need := prefixBytes*len(list) + 8
	if cap(e.bytes) < need {
		e.bytes = make([]byte, need)
	}
	e.bytes = e.bytes[:need]
	clear(e.bytes)
	at := 0
	for k, width := range e.fixed {
		e.column(&b.Cols[e.keys[k].Column], e.keys[k], list, e.bytes[at:])
		at += width
	}
	for i := range list {
		key := e.bytes[prefixBytes*i:]
		entries = append(entries, entry{high: binary.BigEndian.Uint64(key), low: binary.BigEndian.Uint32(key[8:])})
	}
	return entries, nil
}

// column writes one column's part of every row's key, prefixBytes apart.
func (e *encoder) column(v *vec.Vector, k plan.SortKey, list []int32, out []byte) {
	flat, index, constant := v.Base()
	if index == nil && !constant && !v.MayHaveNulls() {
		switch v.Type.Physical() {
		case types.PhysInt32:
			writeKeys32(vec.Values[int32](flat), list, out, k.Descending)
			return
		case types.PhysInt64:
			writeKeys64(vec.Values[int64](flat), list, out, k.Descending)
			return
		}
	}
	for i, r := range list {
		e.row = AppendKey(e.row[:0], v, int(r), k)
		copy(out[prefixBytes*i:], e.row)
	}
}

func writeKeys32(values []int32, list []int32, out []byte, descending bool) {
	flip := uint32(1 << 31)
	if descending {
		flip = ^flip
	}
	for i, r := range list {
		key := out[prefixBytes*i:]
		key[0] = 1
		binary.BigEndian.PutUint32(key[1:], uint32(values[r])^flip)
	}
}

func writeKeys64(values []int64, list []int32, out []byte, descending bool) {
	flip := uint64(1 << 63)
	if descending {
		flip = ^flip
	}
	for i, r := range list {
		key := out[prefixBytes*i:]
		key[0] = 1
		binary.BigEndian.PutUint64(key[1:], uint64(values[r])^flip)
	}
}

func (e *encoder) encodeLong(b *vec.Batch, list []int32, entries []entry) ([]entry, *vec.Vector) {
	e.full.Resize(types.Of(types.Bytea), b.Len)
	for _, r := range list {
		e.row = e.row[:0]
		for _, k := range e.keys {
			e.row = AppendKey(e.row, &b.Cols[k.Column], int(r), k)
		}
		e.full.SetBytes(int(r), e.row)
		entries = append(entries, entryOf(e.row))
	}
	return entries, &e.full
}

// pieceBytes bounds the keys that are encoded at once, but for those of a single row.
const pieceBytes = 16 << 20

// piece tells how many of the listed rows, one at least, may be encoded together: a dictionary or a
// constant stands for far more text than it holds.
func (e *encoder) piece(b *vec.Batch, list []int32) int {
	if !e.long {
		return len(list)
	}
	total := 0
	for i, r := range list {
		for _, k := range e.keys {
			if v := &b.Cols[k.Column]; v.Type.Physical() == types.PhysString {
				flat, index, constant := v.Base()
				at := int(r)
				if constant {
					at = 0
				} else if index != nil {
					at = int(index[r])
				}
				total += vec.Values[vec.View](flat)[at].Len()
			}
		}
		if total > pieceBytes {
			return max(i, 1)
		}
	}
	return len(list)
}

// entryOf makes the entry of a key.
func entryOf(key []byte) entry {
	var padded [prefixBytes]byte
	copy(padded[:], key)
	return entry{high: binary.BigEndian.Uint64(padded[:]), low: binary.BigEndian.Uint32(padded[8:])}
}

// leading gives the part of the first row's key that comes from the first so many columns.
func (e *encoder) leading(b *vec.Batch, columns int) []byte {
	var key []byte
	for k, width := range e.fixed[:columns] {
		start := len(key)
		key = AppendKey(key, &b.Cols[e.keys[k].Column], 0, e.keys[k])
		for !e.long && len(key) < start+width {
			key = append(key, 0)
		}
	}
	return key
}

// appendPrefix appends the key bytes that an entry holds.
func (e entry) appendPrefix(out []byte) []byte {
	return binary.BigEndian.AppendUint32(binary.BigEndian.AppendUint64(out, e.high), e.low)
}
