package functions

import (
	"math"

	"github.com/tarnlake/tarn/exec/kernel"
	"github.com/tarnlake/tarn/internal/fn"
	"github.com/tarnlake/tarn/internal/sqlerr"
	"github.com/tarnlake/tarn/internal/types"
	"github.com/tarnlake/tarn/internal/vec"
)

func floatOverflow() error {
	return errorf(sqlerr.NumericValueOutOfRange, "value out of range: overflow")
}

func floatUnderflow() error {
	return errorf(sqlerr.NumericValueOutOfRange, "value out of range: underflow")
}

type float interface{ float32 | float64 }

func floatArithmetic() []fn.Overload {
	return append(floatOperators[float32](real4), floatOperators[float64](double)...)
}

func floatOperators[T float](t types.Type) []fn.Overload {
	binary := func(symbol, doc, example string, k fn.Kernel) fn.Overload {
		return fn.Overload{Name: symbol, Params: params("a", t, "b", t), ResultType: t, Category: categoryArithmetic,
			Doc: doc, Example: example, MayFail: true, Impl: fixed(k)}
	}
	unary := func(symbol, doc, example string, f func(T) T) fn.Overload {
		return fn.Overload{Name: symbol, Params: params("a", t), ResultType: t, Category: categoryArithmetic,
			Doc: doc, Example: example, Impl: map1(f)}
	}
	return []fn.Overload{
		binary("+", "Adds floating-point numbers.", "1.5::double precision + 2 → 3.5", floatKernel(addFloats[T], func(x, y T) (T, error) { return finite(x+y, x, y) })),
		binary("-", "Subtracts floating-point numbers.", "1.5::double precision - 2 → -0.5", floatKernel(subtractFloats[T], func(x, y T) (T, error) { return finite(x-y, x, y) })),
		binary("*", "Multiplies floating-point numbers.", "1.5::double precision * 2 → 3", floatKernel(multiplyFloats[T], func(x, y T) (T, error) {
			z, err := finite(x*y, x, y)
			if z == 0 && x != 0 && y != 0 && err == nil {
				return 0, floatUnderflow()
			}
			return z, err
		})),
		binary("/", "Divides floating-point numbers.", "1::double precision / 4 → 0.25", tryKernel2(divideFloats[T])),
		unary("-", "Negates a floating-point number.", "- 1.5::double precision → -1.5", func(x T) T { return -x }),
		unary("+", "Gives the number itself.", "+ 1.5::double precision → 1.5", func(x T) T { return x }),
		unary("@", "Absolute value.", "@ (-1.5)::double precision → 1.5", func(x T) T { return T(math.Abs(float64(x))) }),
	}
}

// finite is an error when an operation on finite numbers gave infinity.
func finite[T float](z, x, y T) (T, error) {
	if math.IsInf(float64(z), 0) && !math.IsInf(float64(x), 0) && !math.IsInf(float64(y), 0) {
		return 0, floatOverflow()
	}
	return z, nil
}

func divideFloats[T float](x, y T) (T, error) {
	if y == 0 && x == x {
		return 0, divisionByZero()
	}
	z := x / y
	if z == 0 && x != 0 && !math.IsInf(float64(y), 0) {
		return 0, floatUnderflow()
	}
	if math.IsInf(float64(z), 0) && !math.IsInf(float64(x), 0) && !math.IsInf(float64(y), 0) {
		return 0, floatOverflow()
	}
	return z, nil
}

// floatKernel computes all lanes when no result is suspicious, else the wanted rows with care.
func floatKernel[T float](dense func(o, a, b []T, constA, constB bool) bool, careful func(x, y T) (T, error)) fn.Kernel {
	slow := tryKernel2(careful)
	return func(args []*vec.Vector, n int, rows []int32, out *vec.Vector) error {
		if kernel.Dense(rows, n) && dense(vec.Values[T](out)[:n], vec.Values[T](args[0]), vec.Values[T](args[1]),
			args[0].Enc == vec.Const, args[1].Enc == vec.Const) {
			return nil
		}
		return slow(args, n, rows, out)
	}
}

// addFloats tells whether all results are finite: z - z is 0 then, else NaN.
func addFloats[T float](o, a, b []T, constA, constB bool) bool {
	var sum T
	switch {
	case constB:
		y := b[0]
		for i, x := range a[:len(o)] {
			z := x + y
			sum += z - z
			o[i] = z
		}
	case constA:
		return addFloats(o, b, a, constB, constA)
	default:
		a, b = a[:len(o)], b[:len(o)]
		for i := range o {
			z := a[i] + b[i]
			sum += z - z
			o[i] = z
		}
	}
	return sum == 0
}

func subtractFloats[T float](o, a, b []T, constA, constB bool) bool {
	var sum T
	switch {
	case constB:
		y := b[0]
		for i, x := range a[:len(o)] {
			z := x - y
			sum += z - z
			o[i] = z
		}
	case constA:
		x := a[0]
		for i, y := range b[:len(o)] {
			z := x - y
			sum += z - z
			o[i] = z
		}
	default:
		a, b = a[:len(o)], b[:len(o)]
		for i := range o {
			z := a[i] - b[i]
			sum += z - z
			o[i] = z
		}
	}
	return sum == 0
}

// multiplyFloats is also false when a product is 0: it may have underflowed.
func multiplyFloats[T float](o, a, b []T, constA, constB bool) bool {
	var sum T
	zero := false
	switch {
	case constB:
		y := b[0]
		for i, x := range a[:len(o)] {
			z := x * y
			sum += z - z
			zero = zero || z == 0
			o[i] = z
		}
	case constA:
		return multiplyFloats(o, b, a, constB, constA)
	default:
		a, b = a[:len(o)], b[:len(o)]
		for i := range o {
			z := a[i] * b[i]
			sum += z - z
			zero = zero || z == 0
			o[i] = z
		}
	}
	return sum == 0 && !zero
}
