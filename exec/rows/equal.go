package rows

import (
	"bytes"
	"unsafe"

	"github.com/tarnlake/tarn/internal/types"
	"github.com/tarnlake/tarn/internal/vec"
)

// Equal narrows active, an ascending list of positions i, to those where row list[i] of v equals
// stored row numbers[i] in the column; the result shares active's memory. Two NULLs are equal if
// nullsEqual, otherwise a NULL equals nothing.
func (s *Store) Equal(column int, v *vec.Vector, list []int32, numbers []uint32, active []int32, nullsEqual bool) []int32 {
	if !s.HasNulls(column) && !v.MayHaveNulls() {
		return s.equalValues(column, v, list, numbers, active)
	}
	var bothNull []int32
	n := 0
	for _, i := range active {
		stored, given := s.IsNull(column, numbers[i]), v.IsNull(int(list[i]))
		active[n] = i
		if !stored && !given {
			n++
		} else if stored && given && nullsEqual {
			bothNull = append(bothNull, i)
		}
	}
	equal := s.equalValues(column, v, list, numbers, active[:n])
	if bothNull == nil {
		return equal
	}
	return append(active[:0], merge(append([]int32(nil), equal...), bothNull)...)
}

// merge joins two ascending lists.
func merge(a, b []int32) []int32 {
	out := make([]int32, 0, len(a)+len(b))
	for len(a) > 0 && len(b) > 0 {
		if a[0] < b[0] {
			out, a = append(out, a[0]), a[1:]
		} else {
			out, b = append(out, b[0]), b[1:]
		}
	}
	return append(append(out, a...), b...)
}

// equalValues compares values that are not NULL.
func (s *Store) equalValues(column int, v *vec.Vector, list []int32, numbers []uint32, active []int32) []int32 {
	flat, index, constant := v.Base()
	at, stride := unsafe.Add(s.base, s.Layout.Offsets[column]), uintptr(s.Layout.Width)
	p := probe{list: list, numbers: numbers, index: index, constant: constant, at: at, stride: stride}
	switch v.Type.Physical() {
	case types.PhysBool:
		return equalFixed(p, vec.Values[uint8](flat), active)
	case types.PhysInt16:
		return equalFixed(p, vec.Values[int16](flat), active)
	case types.PhysInt32:
		return equalFixed(p, vec.Values[int32](flat), active)
	case types.PhysInt64:
		return equalFixed(p, vec.Values[int64](flat), active)
	case types.PhysInt128:
		return equalFixed(p, vec.Values[types.Int128](flat), active)
	case types.PhysString:
		return equalStrings(p, flat, s.buffers, active)
	}
	n := 0
	for _, i := range active {
		field := unsafe.Add(p.at, uintptr(p.numbers[i])*p.stride)
		if s.equalValue(field, flat, int(p.row(i))) {
			active[n] = i
			n++
		}
	}
	return active[:n]
}

// probe says where the two sides of a comparison lie.
type probe struct {
	list     []int32
	numbers  []uint32
	index    []int32
	constant bool
	at       unsafe.Pointer
	stride   uintptr
}

// row gives the index of position i's value in the flat vector.
func (p *probe) row(i int32) int32 {
	switch {
	case p.constant:
		return 0
	case p.index != nil:
		return p.index[p.list[i]]
	}
	return p.list[i]
}

func equalFixed[T comparable](p probe, values []T, active []int32) []int32 {
	n := 0
	if p.index == nil && !p.constant {
		for _, i := range active {
			active[n] = i
			if *(*T)(unsafe.Add(p.at, uintptr(p.numbers[i])*p.stride)) == values[p.list[i]] {
				n++
			}
		}
		return active[:n]
	}
	for _, i := range active {
		active[n] = i
		if *(*T)(unsafe.Add(p.at, uintptr(p.numbers[i])*p.stride)) == values[p.row(i)] {
			n++
		}
	}
	return active[:n]
}

func equalStrings(p probe, flat *vec.Vector, buffers [][]byte, active []int32) []int32 {
	views := vec.Values[vec.View](flat)
	n := 0
	for _, i := range active {
		stored := (*vec.View)(unsafe.Add(p.at, uintptr(p.numbers[i])*p.stride))
		view := &views[p.row(i)]
		if stored.Head != view.Head {
			continue
		}
		if view.Inline() {
			if stored.Tail != view.Tail {
				continue
			}
		} else if !bytes.Equal(stored.Bytes(buffers), view.Bytes(flat.Buffers)) {
			continue
		}
		active[n] = i
		n++
	}
	return active[:n]
}

// equalValue compares by value, for types whose equality is not that of bytes.
func (s *Store) equalValue(field unsafe.Pointer, v *vec.Vector, i int) bool {
	switch v.Type.Physical() {
	case types.PhysFloat32:
		return float32Key(*(*float32)(field)) == float32Key(vec.Values[float32](v)[i])
	case types.PhysFloat64:
		return float64Key(*(*float64)(field)) == float64Key(vec.Values[float64](v)[i])
	case types.PhysInterval:
		return intervalKey(*(*types.IntervalValue)(field)) == intervalKey(vec.Values[types.IntervalValue](v)[i])
	case types.PhysList, types.PhysRow:
		return bytes.Equal((*vec.View)(field).Bytes(s.buffers), AppendValue(nil, v, i))
	}
	return true
}

// SameRow tells whether two stored rows are equal in the given columns; NULL is equal to NULL.
func (s *Store) SameRow(columns []int, a, b uint32) bool {
	for _, c := range columns {
		if s.IsNull(c, a) != s.IsNull(c, b) {
			return false
		}
		x, y := s.Field(c, a), s.Field(c, b)
		same := true
		switch p := s.Layout.Types[c].Physical(); {
		case s.IsNull(c, a):
		case p == types.PhysFloat32:
			same = float32Key(*(*float32)(x)) == float32Key(*(*float32)(y))
		case p == types.PhysFloat64:
			same = float64Key(*(*float64)(x)) == float64Key(*(*float64)(y))
		case p == types.PhysInterval:
			same = intervalKey(*(*types.IntervalValue)(x)) == intervalKey(*(*types.IntervalValue)(y))
		case s.Layout.kinds[c] >= slotString:
			same = bytes.Equal((*vec.View)(x).Bytes(s.buffers), (*vec.View)(y).Bytes(s.buffers))
		default:
			width := s.Layout.kinds[c].width()
			same = bytes.Equal(unsafe.Slice((*byte)(x), width), unsafe.Slice((*byte)(y), width))
		}
		if !same {
			return false
		}
	}
	return true
}
