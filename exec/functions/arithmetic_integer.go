package functions

import (
	"math/bits"

	"github.com/tarnlake/tarn/exec/kernel"
	"github.com/tarnlake/tarn/internal/fn"
	"github.com/tarnlake/tarn/internal/sqlerr"
	"github.com/tarnlake/tarn/internal/types"
	"github.com/tarnlake/tarn/internal/vec"
)

func errorf(code sqlerr.Code, format string, args ...any) error {
	return sqlerr.New(code, format, args...)
}

func divisionByZero() error { return errorf(sqlerr.DivisionByZero, "division by zero") }

func outOfRange(name string) error {
	return errorf(sqlerr.NumericValueOutOfRange, "%s out of range", name)
}

type signed interface{ int16 | int32 | int64 }

func integerArithmetic() []fn.Overload {
	var out []fn.Overload
	out = append(out, integerOperators[int16](smallint)...)
	out = append(out, integerOperators[int32](integer)...)
	return append(out, integerOperators[int64](bigint)...)
}

func integerOperators[T signed](t types.Type) []fn.Overload {
	name := t.Kind.String()
	binary := func(symbol, doc, example string, fails bool, k fn.Kernel) fn.Overload {
		return fn.Overload{Name: symbol, Params: params("a", t, "b", t), ResultType: t, Category: categoryArithmetic,
			Doc: doc, Example: example, MayFail: fails, Impl: fixed(k)}
	}
	unary := func(symbol, doc, example string, fails bool, f func(T) (T, bool)) fn.Overload {
		return fn.Overload{Name: symbol, Params: params("a", t), ResultType: t, Category: categoryArithmetic,
			Doc: doc, Example: example, MayFail: fails, Impl: try1(func(x T) (T, error) {
				y, ok := f(x)
				if !ok {
					return 0, outOfRange(name)
				}
				return y, nil
			})}
	}
	return []fn.Overload{
		binary("+", "Adds integers; an overflow is an error.", "2 + 3 → 5", true, checked(name, addLanes[T], addOverflows[T])),
		binary("-", "Subtracts integers; an overflow is an error.", "2 - 3 → -1", true, checked(name, subtractLanes[T], subtractOverflows[T])),
		binary("*", "Multiplies integers; an overflow is an error.", "2 * 3 → 6", true, checked(name, multiplyLanes[T], multiplyOverflows[T])),
		binary("/", "Divides integers, truncating towards zero.", "7 / 2 → 3", true, divide[T](name)),
		binary("%", "Remainder, with the sign of the dividend.", "-7 % 2 → -1", true, tryKernel2(remainder[T])),
		binary("&", "Bitwise and.", "91 & 15 → 11", false, lanes(func(x, y T) T { return x & y })),
		binary("|", "Bitwise or.", "32 | 3 → 35", false, lanes(func(x, y T) T { return x | y })),
		binary("#", "Bitwise exclusive or.", "17 # 5 → 20", false, lanes(func(x, y T) T { return x ^ y })),
		{Name: "<<", Params: params("a", t, "n", integer), ResultType: t, Category: categoryArithmetic,
			Doc: "Shifts bits to the left.", Example: "1 << 4 → 16", Impl: map2(func(x T, n int32) T { return x << shiftOf[T](n) })},
		{Name: ">>", Params: params("a", t, "n", integer), ResultType: t, Category: categoryArithmetic,
			Doc: "Shifts bits to the right, keeping the sign.", Example: "8 >> 2 → 2", Impl: map2(func(x T, n int32) T { return x >> shiftOf[T](n) })},
		unary("-", "Negates an integer.", "- (-4) → 4", true, func(x T) (T, bool) { return -x, x != -x || x == 0 }),
		unary("+", "Gives the integer itself.", "+ 4 → 4", false, func(x T) (T, bool) { return x, true }),
		unary("~", "Bitwise not.", "~ 1 → -2", false, func(x T) (T, bool) { return ^x, true }),
		unary("@", "Absolute value.", "@ (-5) → 5", true, func(x T) (T, bool) { return max(x, -x), x != -x || x == 0 }),
	}
}

// shiftOf wraps a shift distance as the processor does.
func shiftOf[T signed](n int32) uint {
	if widthOf[T]() == 8 {
		return uint(n) & 63
	}
	return uint(n) & 31
}

func widthOf[T signed]() int {
	var zero T
	switch any(zero).(type) {
	case int16:
		return 2
	case int32:
		return 4
	}
	return 8
}

// checked makes a kernel that computes all lanes wrapping, looking at one flag afterwards; only when
// some lane overflowed are the wanted rows looked at again.
func checked[T signed](name string, dense func(o, a, b []T, constA, constB bool) T, overflows func(x, y T) bool) fn.Kernel {
	return func(args []*vec.Vector, n int, rows []int32, out *vec.Vector) error {
		a, b, o := vec.Values[T](args[0]), vec.Values[T](args[1]), vec.Values[T](out)[:n]
		if dense(o, a, b, args[0].Enc == vec.Const, args[1].Enc == vec.Const) >= 0 {
			return nil
		}
		ma, mb := mask(args[0]), mask(args[1])
		for k := range kernel.Count(rows, n) {
			r := rowAt(rows, k)
			if overflows(a[r&ma], b[r&mb]) {
				return outOfRange(name)
			}
		}
		return nil
	}
}

// addLanes gives a negative number when some lane overflowed.
func addLanes[T signed](o, a, b []T, constA, constB bool) (flags T) {
	switch {
	case constB:
		y := b[0]
		for i, x := range a[:len(o)] {
			s := x + y
			flags |= (x ^ s) & (y ^ s)
			o[i] = s
		}
	case constA:
		return addLanes(o, b, a, constB, constA)
	default:
		a, b = a[:len(o)], b[:len(o)]
		for i := range o {
			x, y := a[i], b[i]
			s := x + y
			flags |= (x ^ s) & (y ^ s)
			o[i] = s
		}
	}
	return flags
}

func addOverflows[T signed](x, y T) bool {
	s := x + y
	return (x^s)&(y^s) < 0
}

func subtractLanes[T signed](o, a, b []T, constA, constB bool) (flags T) {
	switch {
	case constB:
		y := b[0]
		for i, x := range a[:len(o)] {
			s := x - y
			flags |= (x ^ y) & (x ^ s)
			o[i] = s
		}
	case constA:
		x := a[0]
		for i, y := range b[:len(o)] {
			s := x - y
			flags |= (x ^ y) & (x ^ s)
			o[i] = s
		}
	default:
		a, b = a[:len(o)], b[:len(o)]
		for i := range o {
			x, y := a[i], b[i]
			s := x - y
			flags |= (x ^ y) & (x ^ s)
			o[i] = s
		}
	}
	return flags
}

func subtractOverflows[T signed](x, y T) bool {
	s := x - y
	return (x^y)&(x^s) < 0
}

func multiplyLanes[T signed](o, a, b []T, constA, constB bool) T {
	bad := false
	switch {
	case constB:
		y := b[0]
		for i, x := range a[:len(o)] {
			o[i] = x * y
			bad = bad || multiplyOverflows(x, y)
		}
	case constA:
		return multiplyLanes(o, b, a, constB, constA)
	default:
		a, b = a[:len(o)], b[:len(o)]
		for i := range o {
			o[i] = a[i] * b[i]
			bad = bad || multiplyOverflows(a[i], b[i])
		}
	}
	if bad {
		return -1
	}
	return 0
}

func multiplyOverflows[T signed](x, y T) bool {
	hi, lo := bits.Mul64(uint64(int64(x)), uint64(int64(y)))
	h := int64(hi) - (int64(x)>>63)&int64(y) - (int64(y)>>63)&int64(x)
	return h != int64(lo)>>63 || int64(T(lo)) != int64(lo)
}

// lanes computes every lane: for operations that cannot fail.
func lanes[T signed](f func(x, y T) T) fn.Kernel {
	return func(args []*vec.Vector, n int, rows []int32, out *vec.Vector) error {
		a, b, o, ma, mb := vec.Values[T](args[0]), vec.Values[T](args[1]), vec.Values[T](out), mask(args[0]), mask(args[1])
		for k := range kernel.Count(rows, n) {
			r := rowAt(rows, k)
			o[r] = f(a[r&ma], b[r&mb])
		}
		return nil
	}
}

// divide has a loop of its own for a constant divisor, which is neither 0 nor -1.
func divide[T signed](name string) fn.Kernel {
	slow := tryKernel2(func(x, y T) (T, error) {
		switch {
		case y == 0:
			return 0, divisionByZero()
		case y == -1 && x == -x && x != 0:
			return 0, outOfRange(name)
		}
		return x / y, nil
	})
	return func(args []*vec.Vector, n int, rows []int32, out *vec.Vector) error {
		if args[1].Enc == vec.Const && args[0].Enc != vec.Const {
			if y := vec.Values[T](args[1])[0]; y != 0 && y != -1 {
				a, o := vec.Values[T](args[0])[:n], vec.Values[T](out)[:n]
				for k := range kernel.Count(rows, n) {
					r := rowAt(rows, k)
					o[r] = a[r] / y
				}
				return nil
			}
		}
		return slow(args, n, rows, out)
	}
}

func remainder[T signed](x, y T) (T, error) {
	switch y {
	case 0:
		return 0, divisionByZero()
	case -1:
		return 0, nil
	}
	return x % y, nil
}
