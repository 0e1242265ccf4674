package kernel

import (
	"cmp"
	"math"

	"github.com/tarnlake/tarn/internal/expr"
	"github.com/tarnlake/tarn/internal/types"
	"github.com/tarnlake/tarn/internal/vec"
)

// PickConst lists in dst's memory the rows of a flat vector whose values compare with constant, a
// non-null Datum of v's type, as op says. NULLs are not looked at: the caller takes them away. dst
// may be rows.
func PickConst(dst []int32, op expr.Operator, v *vec.Vector, constant types.Datum, rows []int32) []int32 {
	n := v.Len
	dst = Room(dst, Count(rows, n))
	switch v.Type.Physical() {
	case types.PhysBool:
		return pickConst(dst, op, vec.Values[uint8](v)[:n], uint8(constant.I64), rows)
	case types.PhysInt16:
		return pickConst(dst, op, vec.Values[int16](v)[:n], int16(constant.I64), rows)
	case types.PhysInt32:
		return pickConst(dst, op, vec.Values[int32](v)[:n], int32(constant.I64), rows)
	case types.PhysInt64:
		return pickConst(dst, op, vec.Values[int64](v)[:n], constant.I64, rows)
	case types.PhysFloat32:
		if math.IsNaN(constant.F64) {
			return pickNaN(dst, op, vec.Values[float32](v)[:n], rows)
		}
		return pickConst(dst, op, vec.Values[float32](v)[:n], float32(constant.F64), rows)
	case types.PhysFloat64:
		if math.IsNaN(constant.F64) {
			return pickNaN(dst, op, vec.Values[float64](v)[:n], rows)
		}
		return pickConst(dst, op, vec.Values[float64](v)[:n], constant.F64, rows)
	case types.PhysInt128:
		c := orderedInt128(v.Type, constant.I128)
		if v.Type.Kind == types.UUID {
			return pickFunc(dst, op, vec.Values[types.Int128](v)[:n], rows, func(x types.Int128) int {
				return orderedInt128(types.Of(types.UUID), x).Compare(c)
			})
		}
		return pickWide(dst, op, vec.Values[types.Int128](v)[:n], c, rows)
	case types.PhysInterval:
		c := constant.Span
		return pickFunc(dst, op, vec.Values[types.IntervalValue](v)[:n], rows, func(x types.IntervalValue) int { return x.Compare(c) })
	case types.PhysString:
		return pickString(dst, op, v, constant.Str, rows)
	}
	out := dst[:0]
	for k := range Count(rows, n) {
		r := rowAt(rows, k)
		if Holds(op, types.CompareDatums(v.Type, v.Datum(r), constant)) {
			out = append(out, int32(r))
		}
	}
	return out
}

func rowAt(rows []int32, k int) int {
	if rows == nil {
		return k
	}
	return int(rows[k])
}

// orderedInt128 maps UUIDs, which compare as unsigned, onto the order of signed integers.
func orderedInt128(t types.Type, v types.Int128) types.Int128 {
	if t.Kind == types.UUID {
		v.Hi ^= math.MinInt64
	}
	return v
}

// Holds tells whether a comparison with outcome c (negative, 0, positive) satisfies op.
func Holds(op expr.Operator, c int) bool {
	switch op {
	case expr.Equal, expr.NotDistinct:
		return c == 0
	case expr.NotEqual, expr.Distinct:
		return c != 0
	case expr.Less:
		return c < 0
	case expr.LessEqual:
		return c <= 0
	case expr.Greater:
		return c > 0
	}
	return c >= 0
}

// pickConst serves NaN in a as well: it is greater than every c.
func pickConst[T cmp.Ordered](dst []int32, op expr.Operator, a []T, c T, rows []int32) []int32 {
	if rows != nil {
		return pickConstAt(dst, op, a, c, rows)
	}
	n := 0
	switch op {
	case expr.Equal, expr.NotDistinct:
		n = pick(dst, a, func(x T) bool { return x == c })
	case expr.NotEqual, expr.Distinct:
		n = pick(dst, a, func(x T) bool { return x != c })
	case expr.Less:
		n = pick(dst, a, func(x T) bool { return x < c })
	case expr.LessEqual:
		n = pick(dst, a, func(x T) bool { return x <= c })
	case expr.Greater:
		n = pick(dst, a, func(x T) bool { return !(x <= c) })
	case expr.GreaterEqual:
		n = pick(dst, a, func(x T) bool { return !(x < c) })
	}
	return dst[:n]
}

func pickConstAt[T cmp.Ordered](dst []int32, op expr.Operator, a []T, c T, rows []int32) []int32 {
	n := 0
	switch op {
	case expr.Equal, expr.NotDistinct:
		n = pickAt(dst, a, rows, func(x T) bool { return x == c })
	case expr.NotEqual, expr.Distinct:
		n = pickAt(dst, a, rows, func(x T) bool { return x != c })
	case expr.Less:
		n = pickAt(dst, a, rows, func(x T) bool { return x < c })
	case expr.LessEqual:
		n = pickAt(dst, a, rows, func(x T) bool { return x <= c })
	case expr.Greater:
		n = pickAt(dst, a, rows, func(x T) bool { return !(x <= c) })
	case expr.GreaterEqual:
		n = pickAt(dst, a, rows, func(x T) bool { return !(x < c) })
	}
	return dst[:n]
}

// pickNaN compares with NaN, which equals itself and is above everything else.
func pickNaN[T float32 | float64](dst []int32, op expr.Operator, a []T, rows []int32) []int32 {
	switch op {
	case expr.Greater:
		return dst[:0]
	case expr.LessEqual:
		if rows == nil {
			return All(dst, len(a))
		}
		return dst[:copy(dst, rows)]
	}
	isNaN := op == expr.Equal || op == expr.GreaterEqual || op == expr.NotDistinct
	if rows == nil {
		return dst[:pick(dst, a, func(x T) bool { return (x != x) == isNaN })]
	}
	return dst[:pickAt(dst, a, rows, func(x T) bool { return (x != x) == isNaN })]
}

func pickWide(dst []int32, op expr.Operator, a []types.Int128, c types.Int128, rows []int32) []int32 {
	if op == expr.Equal || op == expr.NotEqual {
		want := op == expr.Equal
		if rows == nil {
			return dst[:pick(dst, a, func(x types.Int128) bool { return (x == c) == want })]
		}
		return dst[:pickAt(dst, a, rows, func(x types.Int128) bool { return (x == c) == want })]
	}
	return pickFunc(dst, op, a, rows, func(x types.Int128) int { return x.Compare(c) })
}

// pickFunc is for types whose comparison is a call anyway.
func pickFunc[T any](dst []int32, op expr.Operator, a []T, rows []int32, compare func(T) int) []int32 {
	if rows == nil {
		return dst[:pick(dst, a, func(x T) bool { return Holds(op, compare(x)) })]
	}
	return dst[:pickAt(dst, a, rows, func(x T) bool { return Holds(op, compare(x)) })]
}

// PickRange lists the rows of a flat integer-like or float vector with low ≤ value ≤ high, both of
// v's type; ok is false for other layouts.
func PickRange(dst []int32, v *vec.Vector, low, high types.Datum, rows []int32) (picked []int32, ok bool) {
	n := v.Len
	switch v.Type.Physical() {
	case types.PhysInt16:
		return pickSpan(Room(dst, Count(rows, n)), vec.Values[int16](v)[:n], int16(low.I64), int16(high.I64), rows), true
	case types.PhysInt32:
		return pickSpan(Room(dst, Count(rows, n)), vec.Values[int32](v)[:n], int32(low.I64), int32(high.I64), rows), true
	case types.PhysInt64:
		return pickSpan(Room(dst, Count(rows, n)), vec.Values[int64](v)[:n], low.I64, high.I64, rows), true
	case types.PhysFloat64:
		return pickSpanFloat(Room(dst, Count(rows, n)), vec.Values[float64](v)[:n], low.F64, high.F64, rows), true
	}
	return nil, false
}

func pickSpan[T int16 | int32 | int64](dst []int32, a []T, low, high T, rows []int32) []int32 {
	if low > high {
		return dst[:0]
	}
	width := uint64(high) - uint64(low)
	if rows == nil {
		return dst[:pick(dst, a, func(x T) bool { return uint64(x)-uint64(low) <= width })]
	}
	return dst[:pickAt(dst, a, rows, func(x T) bool { return uint64(x)-uint64(low) <= width })]
}

func pickSpanFloat(dst []int32, a []float64, low, high float64, rows []int32) []int32 {
	if rows == nil {
		return dst[:pick(dst, a, func(x float64) bool { return low <= x && x <= high })]
	}
	return dst[:pickAt(dst, a, rows, func(x float64) bool { return low <= x && x <= high })]
}
