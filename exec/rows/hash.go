package rows

import (
	"math"
	"math/bits"

	"github.com/zeebo/xxh3"

	"github.com/tarnlake/tarn/internal/types"
	"github.com/tarnlake/tarn/internal/vec"
)

// Constants of the wide multiply: odd, of random-looking bits.
const (
	hashFactor = 0x9e3779b97f4a7c15
	hashFold   = 0xd6e8feb86659fd93
	hashNull   = 0x2545f4914f6cdd1d
)

// Mix spreads a 64-bit key: one wide multiply, whose high bits are best. Sequences of integers
// spread without collisions.
func Mix(x uint64) uint64 {
	high, low := bits.Mul64(x^hashFold, hashFactor)
	return high ^ low
}

// Hasher hashes key columns for one goroutine.
type Hasher struct{ index []int32 }

// Hash puts the hash of each listed row of the key columns into out. No columns hash to one value.
func (h *Hasher) Hash(cols []*vec.Vector, list []int32, out []uint64) {
	out = out[:len(list)]
	clear(out)
	for c, v := range cols {
		h.column(v, list, out, c == 0)
	}
}

// column combines one column's hashes into out.
func (h *Hasher) column(v *vec.Vector, list []int32, out []uint64, first bool) {
	flat, index, constant := v.Base()
	if v.MayHaveNulls() {
		h.nullable(v, list, out, first)
		return
	}
	switch {
	case constant:
		x := hashValue(flat, 0)
		for i, o := range out {
			out[i] = combine(o, x, first)
		}
		return
	case index != nil:
		list = h.through(index, list)
	}
	switch v.Type.Physical() {
	case types.PhysBool:
		hashFixed(vec.Values[uint8](flat), list, out, first)
	case types.PhysInt16:
		hashFixed(vec.Values[int16](flat), list, out, first)
	case types.PhysInt32:
		hashFixed(vec.Values[int32](flat), list, out, first)
	case types.PhysInt64:
		hashFixed(vec.Values[int64](flat), list, out, first)
	case types.PhysString:
		views := vec.Values[vec.View](flat)
		for i, r := range list {
			out[i] = combine(out[i], hashView(&views[r], flat.Buffers), first)
		}
	default:
		for i, r := range list {
			out[i] = combine(out[i], hashValue(flat, int(r)), first)
		}
	}
}

func (h *Hasher) nullable(v *vec.Vector, list []int32, out []uint64, first bool) {
	for i, r := range list {
		x := uint64(hashNull)
		if !v.IsNull(int(r)) {
			flat, at := v, int(r)
			switch v.Enc {
			case vec.Const:
				at = 0
			case vec.Dict:
				flat, at = v.Dict, int(vec.Values[int32](v)[r])
			}
			x = hashValue(flat, at)
		}
		out[i] = combine(out[i], x, first)
	}
}

func (h *Hasher) through(index, list []int32) []int32 {
	if cap(h.index) < len(list) {
		h.index = make([]int32, len(list))
	}
	h.index = h.index[:len(list)]
	for i, r := range list {
		h.index[i] = index[r]
	}
	return h.index
}

func hashFixed[T uint8 | int16 | int32 | int64](values []T, list []int32, out []uint64, first bool) {
	if first {
		for i, r := range list {
			out[i] = Mix(uint64(int64(values[r])))
		}
		return
	}
	for i, r := range list {
		out[i] = combine(out[i], Mix(uint64(int64(values[r]))), false)
	}
}

func combine(before, x uint64, first bool) uint64 {
	if first {
		return x
	}
	return Mix(before*hashFactor ^ x)
}

// hashValue hashes one non-null value of a flat (or constant, i = 0) vector.
func hashValue(v *vec.Vector, i int) uint64 {
	switch v.Type.Physical() {
	case types.PhysBool:
		return Mix(uint64(vec.Values[uint8](v)[i]))
	case types.PhysInt16:
		return Mix(uint64(int64(vec.Values[int16](v)[i])))
	case types.PhysInt32:
		return Mix(uint64(int64(vec.Values[int32](v)[i])))
	case types.PhysInt64:
		return Mix(uint64(vec.Values[int64](v)[i]))
	case types.PhysFloat32:
		return Mix(float32Key(vec.Values[float32](v)[i]))
	case types.PhysFloat64:
		return Mix(float64Key(vec.Values[float64](v)[i]))
	case types.PhysInt128:
		w := vec.Values[types.Int128](v)[i]
		return hashWords(w.Lo, uint64(w.Hi))
	case types.PhysInterval:
		w := intervalKey(vec.Values[types.IntervalValue](v)[i])
		return hashWords(w.Lo, uint64(w.Hi))
	case types.PhysString:
		return hashView(&vec.Values[vec.View](v)[i], v.Buffers)
	case types.PhysList, types.PhysRow:
		return xxh3.Hash(AppendValue(nil, v, i))
	}
	return hashNull
}

func hashWords(a, b uint64) uint64 { return Mix(Mix(a)*hashFactor ^ b) }

func hashView(view *vec.View, buffers [][]byte) uint64 {
	if view.Inline() {
		return hashWords(view.Tail, view.Head)
	}
	return xxh3.Hash(view.Bytes(buffers))
}

// float64Key maps equal numbers, and all NaNs, to one word.
func float64Key(f float64) uint64 {
	switch {
	case f == 0:
		return 0
	case f != f:
		return math.Float64bits(math.NaN())
	}
	return math.Float64bits(f)
}

func float32Key(f float32) uint64 {
	switch {
	case f == 0:
		return 0
	case f != f:
		return uint64(math.Float32bits(float32(math.NaN())))
	}
	return uint64(math.Float32bits(f))
}

// intervalKey is the interval's length by PostgreSQL's rule for comparing.
func intervalKey(v types.IntervalValue) types.Int128 {
	days := int64(v.Months)*30 + int64(v.Days)
	return types.MulInt64(days, 86_400_000_000).Add(types.Int128FromInt64(v.Micros))
}
