package kernel

import (
	"math"
	"math/bits"

	"github.com/zeebo/xxh3"

	"github.com/tarnlake/tarn/internal/types"
	"github.com/tarnlake/tarn/internal/vec"
)

const (
	hashMultiplier = 0x9E3779B97F4A7C15
	hashMixer      = 0xD6E8FEB86659FD93
	hashNull       = 0xA24BAED4963EE407
)

// HashInt64 mixes 64 bits: a folded multiplication, so that both ends of the result are good.
func HashInt64(x uint64) uint64 {
	hi, lo := bits.Mul64(x^hashMixer, hashMultiplier)
	return hi ^ lo
}

func hashWide(hi, lo uint64) uint64 { return HashInt64(lo ^ bits.RotateLeft64(hi*hashMixer, 32)) }

// combine adds a column's hash to a row's.
func combine(seed, h uint64) uint64 { return bits.RotateLeft64(seed, 23)*hashMultiplier ^ h }

// HashFloat64 gives equal values equal hashes: -0 is 0 and all NaNs are one.
func HashFloat64(x float64) uint64 {
	switch {
	case x == 0:
		x = 0
	case x != x:
		x = math.NaN()
	}
	return HashInt64(math.Float64bits(x))
}

// HashDatum hashes one value as Hash does a row.
func HashDatum(t types.Type, d types.Datum) uint64 {
	if d.Null {
		return hashNull
	}
	switch t.Physical() {
	case types.PhysFloat32, types.PhysFloat64:
		return HashFloat64(d.F64)
	case types.PhysInt128:
		return hashWide(uint64(d.I128.Hi), d.I128.Lo)
	case types.PhysInterval:
		return hashInterval(d.Span)
	case types.PhysString:
		return xxh3.HashString(d.Str)
	case types.PhysList, types.PhysRow:
		h := uint64(len(d.Items))
		for i, item := range d.Items {
			h = combine(h, HashDatum(itemType(t, i), item))
		}
		return h
	}
	return HashInt64(uint64(d.I64))
}

func itemType(t types.Type, i int) types.Type {
	switch {
	case t.Kind == types.Row:
		return t.Fields[i].Type
	case t.Kind == types.Map && i%2 == 0:
		return *t.Key
	}
	return *t.Elem
}

// hashInterval hashes what comparison looks at: one month is 30 days.
func hashInterval(v types.IntervalValue) uint64 {
	days := int64(v.Months)*30 + int64(v.Days)
	sum := types.MulInt64(days, types.MicrosPerDay).Add(types.Int128FromInt64(v.Micros))
	return hashWide(uint64(sum.Hi), sum.Lo)
}

// Hash writes dst[r], for the rows listed (nil: all), the hash of v's value at row r; with more
// columns, call it first with first = true and then false, which combines. Equal values have equal
// hashes under every encoding, NULLs too.
func Hash(dst []uint64, v *vec.Vector, rows []int32, first bool) {
	base, index, constant := v.Base()
	if constant {
		h := HashDatum(v.Type, v.Datum(0))
		storeHash(dst, rows, v.Len, first, func(int) uint64 { return h })
		return
	}
	valid := v.Valid
	if v.Type.Kind == types.Unknown {
		storeHash(dst, rows, v.Len, first, func(int) uint64 { return hashNull })
		return
	}
	switch v.Type.Physical() {
	case types.PhysBool:
		hashColumn(dst, vec.Values[uint8](base), index, valid, rows, v.Len, first, func(x uint8) uint64 { return HashInt64(uint64(x)) })
	case types.PhysInt16:
		hashColumn(dst, vec.Values[int16](base), index, valid, rows, v.Len, first, func(x int16) uint64 { return HashInt64(uint64(x)) })
	case types.PhysInt32:
		if index == nil && valid == nil && rows == nil && first {
			hashDense(dst[:v.Len], vec.Values[int32](base))
			return
		}
		hashColumn(dst, vec.Values[int32](base), index, valid, rows, v.Len, first, func(x int32) uint64 { return HashInt64(uint64(x)) })
	case types.PhysInt64:
		if index == nil && valid == nil && rows == nil && first {
			hashDense(dst[:v.Len], vec.Values[int64](base))
			return
		}
		hashColumn(dst, vec.Values[int64](base), index, valid, rows, v.Len, first, func(x int64) uint64 { return HashInt64(uint64(x)) })
	case types.PhysFloat32:
		hashColumn(dst, vec.Values[float32](base), index, valid, rows, v.Len, first, func(x float32) uint64 { return HashFloat64(float64(x)) })
	case types.PhysFloat64:
		hashColumn(dst, vec.Values[float64](base), index, valid, rows, v.Len, first, HashFloat64)
	case types.PhysInt128:
		hashColumn(dst, vec.Values[types.Int128](base), index, valid, rows, v.Len, first, func(x types.Int128) uint64 { return hashWide(uint64(x.Hi), x.Lo) })
	case types.PhysInterval:
		hashColumn(dst, vec.Values[types.IntervalValue](base), index, valid, rows, v.Len, first, hashInterval)
	case types.PhysString:
		buffers := base.Buffers
		views := vec.Values[vec.View](base)
		hashColumn(dst, views, index, valid, rows, v.Len, first, func(x vec.View) uint64 { return xxh3.Hash(x.Bytes(buffers)) })
	default:
		storeHash(dst, rows, v.Len, first, func(r int) uint64 { return HashDatum(v.Type, v.Datum(r)) })
	}
}

func hashDense[T int32 | int64](dst []uint64, a []T) {
	a = a[:len(dst)]
	for i := range dst {
		dst[i] = HashInt64(uint64(a[i]))
	}
}

func hashColumn[T any](dst []uint64, a []T, index []int32, valid vec.Bitmap, rows []int32, n int, first bool, f func(T) uint64) {
	storeHash(dst, rows, n, first, func(r int) uint64 {
		if !valid.Get(r) {
			return hashNull
		}
		if index != nil {
			r = int(index[r])
		}
		return f(a[r])
	})
}

func storeHash(dst []uint64, rows []int32, n int, first bool, f func(int) uint64) {
	for k := range Count(rows, n) {
		r := rowAt(rows, k)
		h := f(r)
		if !first {
			h = combine(dst[r], h)
		}
		dst[r] = h
	}
}
