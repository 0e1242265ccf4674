package kernel

import (
	"cmp"

	"github.com/tarnlake/tarn/internal/expr"
	"github.com/tarnlake/tarn/internal/types"
	"github.com/tarnlake/tarn/internal/vec"
)

// PickColumns lists in dst's memory the rows on which two flat vectors of one type and length
// compare as op says. NULLs are not looked at. dst may be rows.
func PickColumns(dst []int32, op expr.Operator, a, b *vec.Vector, rows []int32) []int32 {
	n := a.Len
	dst = Room(dst, Count(rows, n))
	switch op {
	case expr.Greater, expr.GreaterEqual:
		a, b, op = b, a, op.Inverse()
	case expr.Distinct:
		op = expr.NotEqual
	case expr.NotDistinct:
		op = expr.Equal
	}
	switch a.Type.Physical() {
	case types.PhysBool:
		return pickColumns(dst, op, vec.Values[uint8](a)[:n], vec.Values[uint8](b), rows)
	case types.PhysInt16:
		return pickColumns(dst, op, vec.Values[int16](a)[:n], vec.Values[int16](b), rows)
	case types.PhysInt32:
		return pickColumns(dst, op, vec.Values[int32](a)[:n], vec.Values[int32](b), rows)
	case types.PhysInt64:
		return pickColumns(dst, op, vec.Values[int64](a)[:n], vec.Values[int64](b), rows)
	case types.PhysFloat32:
		return pickColumnsFloat(dst, op, vec.Values[float32](a)[:n], vec.Values[float32](b), rows)
	case types.PhysFloat64:
		return pickColumnsFloat(dst, op, vec.Values[float64](a)[:n], vec.Values[float64](b), rows)
	case types.PhysInt128:
		if a.Type.Kind == types.UUID {
			return pickColumnsFunc(dst, op, vec.Values[types.Int128](a)[:n], vec.Values[types.Int128](b), rows, types.CompareUUIDs)
		}
		return pickColumnsFunc(dst, op, vec.Values[types.Int128](a)[:n], vec.Values[types.Int128](b), rows, types.Int128.Compare)
	case types.PhysInterval:
		return pickColumnsFunc(dst, op, vec.Values[types.IntervalValue](a)[:n], vec.Values[types.IntervalValue](b), rows, types.IntervalValue.Compare)
	case types.PhysString:
		return pickColumnsString(dst, op, a, b, rows)
	}
	out := dst[:0]
	for k := range Count(rows, n) {
		r := rowAt(rows, k)
		if Holds(op, types.CompareDatums(a.Type, a.Datum(r), b.Datum(r))) {
			out = append(out, int32(r))
		}
	}
	return out
}

func pickColumns[T cmp.Ordered](dst []int32, op expr.Operator, a, b []T, rows []int32) []int32 {
	n := 0
	if rows == nil {
		switch op {
		case expr.Equal:
			n = pick2(dst, a, b, func(x, y T) bool { return x == y })
		case expr.NotEqual:
			n = pick2(dst, a, b, func(x, y T) bool { return x != y })
		case expr.Less:
			n = pick2(dst, a, b, func(x, y T) bool { return x < y })
		default:
			n = pick2(dst, a, b, func(x, y T) bool { return x <= y })
		}
		return dst[:n]
	}
	switch op {
	case expr.Equal:
		n = pick2At(dst, a, b, rows, func(x, y T) bool { return x == y })
	case expr.NotEqual:
		n = pick2At(dst, a, b, rows, func(x, y T) bool { return x != y })
	case expr.Less:
		n = pick2At(dst, a, b, rows, func(x, y T) bool { return x < y })
	default:
		n = pick2At(dst, a, b, rows, func(x, y T) bool { return x <= y })
	}
	return dst[:n]
}

// pickColumnsFloat knows that NaN equals itself and is above everything else.
func pickColumnsFloat[T float32 | float64](dst []int32, op expr.Operator, a, b []T, rows []int32) []int32 {
	n := 0
	if rows == nil {
		rows = All(nil, len(a))
	}
	switch op {
	case expr.Equal:
		n = pick2At(dst, a, b, rows, func(x, y T) bool { return x == y || x != x && y != y })
	case expr.NotEqual:
		n = pick2At(dst, a, b, rows, func(x, y T) bool { return x != y && (x == x || y == y) })
	case expr.Less:
		n = pick2At(dst, a, b, rows, func(x, y T) bool { return x < y || x == x && y != y })
	default:
		n = pick2At(dst, a, b, rows, func(x, y T) bool { return x <= y || y != y })
	}
	return dst[:n]
}

func pickColumnsFunc[T any](dst []int32, op expr.Operator, a, b []T, rows []int32, compare func(T, T) int) []int32 {
	if rows == nil {
		return dst[:pick2(dst, a, b, func(x, y T) bool { return Holds(op, compare(x, y)) })]
	}
	return dst[:pick2At(dst, a, b, rows, func(x, y T) bool { return Holds(op, compare(x, y)) })]
}
