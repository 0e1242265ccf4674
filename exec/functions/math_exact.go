package functions

import (
	"math/big"

	"github.com/tarnlake/tarn/exec/kernel"
	"github.com/tarnlake/tarn/internal/fn"
	"github.com/tarnlake/tarn/internal/sqlerr"
	"github.com/tarnlake/tarn/internal/types"
	"github.com/tarnlake/tarn/internal/vec"
)

// exactMath are the functions of integers and decimals.
func exactMath() []fn.Overload {
	out := append(integerMath[int16](smallint), integerMath[int32](integer)...)
	out = append(out, integerMath[int64](bigint)...)
	out = append(out, divisors[int32](integer)...)
	out = append(out, divisors[int64](bigint)...)
	out = append(out, decimalMath()...)
	return append(out,
		failing(mathRow("factorial", "Product of the whole numbers from 1 to n.", "factorial(5) → 120", params("n", bigint), types.DecimalOf(38, 0), fixed(factorial))),
		mathRow("!!", "Factorial.", "!! 5 → 120", params("n", bigint), types.DecimalOf(38, 0), fixed(factorial)),
		mathRow("bit_count", "Number of bits set.", "bit_count(255) → 8", params("x", bigint), bigint, map1(func(x int64) int64 { return bitCount(x) })),
		failing(mathRow("width_bucket", "Number of the bucket that x falls in, where thresholds are their lower bounds.", "width_bucket(5, ARRAY[1, 3, 4, 10]) → 3",
			[]fn.Param{family("x", fn.Element), family("thresholds", fn.ArrayOf)}, integer, toFixed(thresholdBucket))),
	)
}

func bitCount(x int64) int64 {
	n := int64(0)
	for u := uint64(x); u != 0; u &= u - 1 {
		n++
	}
	return n
}

// thresholdBucket counts the thresholds that are not above x.
func thresholdBucket(r row) (int32, bool, error) {
	x, list := r.datum(0), r.datum(1).Items
	t := r.args[0].Type
	low, high := 0, len(list)
	for low < high {
		mid := (low + high) / 2
		if list[mid].Null {
			return 0, false, errorf(sqlerr.NullValueNotAllowed, "thresholds array must not contain NULLs")
		}
		if types.CompareDatums(t, list[mid], x) <= 0 {
			low = mid + 1
		} else {
			high = mid
		}
	}
	return int32(low), true, nil
}

func integerMath[T signed](t types.Type) []fn.Overload {
	name := t.Kind.String()
	return []fn.Overload{
		failing(mathRow("abs", "Absolute value.", "abs(-5) → 5", params("x", t), t, try1(func(x T) (T, error) {
			if x < 0 && x == -x {
				return 0, outOfRange(name)
			}
			return max(x, -x), nil
		}))),
		failing(mathRow("mod", "Remainder of x / y, with the sign of x.", "mod(-7, 2) → -1", params("x", t, "y", t), t, fixed(tryKernel2(remainder[T])))),
	}
}

// divisors are gcd and lcm.
func divisors[T int32 | int64](t types.Type) []fn.Overload {
	name := t.Kind.String()
	gcd := func(x, y T) (T, error) {
		for y != 0 {
			if y == -1 {
				return 1, nil
			}
			x, y = y, x%y
		}
		if x < 0 {
			if x == -x {
				return 0, outOfRange(name)
			}
			x = -x
		}
		return x, nil
	}
	return []fn.Overload{
		failing(mathRow("gcd", "Greatest common divisor.", "gcd(1071, 462) → 21", params("x", t, "y", t), t, try2(gcd))),
		failing(mathRow("lcm", "Least common multiple.", "lcm(1071, 462) → 23562", params("x", t, "y", t), t, try2(func(x, y T) (T, error) {
			if x == 0 || y == 0 {
				return 0, nil
			}
			d, err := gcd(x, y)
			if err != nil || multiplyOverflows(x/d, y) {
				return 0, outOfRange(name)
			}
			z := x / d * y
			if z == -z {
				return 0, outOfRange(name)
			}
			return max(z, -z), nil
		}))),
	}
}

func factorial(args []*vec.Vector, n int, rows []int32, out *vec.Vector) error {
	in, o, m := vec.Values[int64](args[0]), vec.Values[types.Int128](out), mask(args[0])
	for k := range kernel.Count(rows, n) {
		r := rowAt(rows, k)
		x := in[r&m]
		if x < 0 {
			return errorf(sqlerr.NumericValueOutOfRange, "factorial of a negative number is undefined")
		}
		if x > 33 {
			return types.NumericOverflow(types.MaxDecimalPrecision, 0)
		}
		product := types.Int128FromInt64(1)
		for i := int64(2); i <= x; i++ {
			product, _ = product.MulChecked(types.Int128FromInt64(i))
		}
		o[r] = product
	}
	return nil
}

func decimalRow(name, doc, example string, p []fn.Param, result func([]types.Type) (types.Type, error), impl fn.Scalar) fn.Overload {
	o := failing(mathRow(name, doc, example, p, types.Type{}, impl))
	o.Result = result
	return o
}

func decimalMath() []fn.Overload {
	one := []fn.Param{family("x", fn.Numeric)}
	two := []fn.Param{family("x", fn.Numeric), family("y", fn.Numeric)}
	whole := func(args []types.Type) (types.Type, error) {
		p, s := shape(args[0])
		return decimalType(p-s+1, 0), nil
	}
	toWhole := func(name, doc, example string, up func(q, r types.Int128, negative bool) int64) fn.Overload {
		return decimalRow(name, doc, example, one, whole, fn.Scalar{New: func(call fn.Call) (fn.Kernel, error) {
			_, scale := shape(call.Args[0])
			unit := types.Pow10(scale)
			return wideMap(func(x types.Int128) types.Int128 {
				q, r := x.DivMod(unit)
				return q.Add(types.Int128FromInt64(up(q, r, x.Hi < 0)))
			}).New(call)
		}})
	}
	ceil := []fn.Overload{toWhole("ceil", "Least whole number not below x.", "ceil(42.2) → 43", func(_, r types.Int128, negative bool) int64 {
		if r.Sign() != 0 && !negative {
			return 1
		}
		return 0
	})}
	out := aliases(ceil, "ceiling")
	truncate := []fn.Overload{toWhole("trunc", "Cuts the digits after the point.", "trunc(-42.8) → -42", func(_, _ types.Int128, _ bool) int64 { return 0 })}
	out = append(out, aliases(truncate, "truncate")...)
	out = append(out,
		decimalRow("abs", "Absolute value.", "abs(-2.50) → 2.50", one, sameType, wideMap(func(x types.Int128) types.Int128 { return x.Abs() })),
		toWhole("floor", "Greatest whole number not above x.", "floor(-42.8) → -43", func(_, r types.Int128, negative bool) int64 {
			if r.Sign() != 0 && negative {
				return -1
			}
			return 0
		}),
		decimalRow("round", "Nearest whole number, halves away from zero.", "round(42.5) → 43", one, whole, fn.Scalar{New: newDecimalRound(true)}),
		decimalRow("sign", "-1, 0 or 1.", "sign(-8.4) → -1", one, func([]types.Type) (types.Type, error) { return types.DecimalOf(1, 0), nil },
			wideMap(func(x types.Int128) types.Int128 { return types.Int128FromInt64(int64(x.Sign())) })),
		decimalRow("mod", "Remainder of x / y, with the sign of x.", "mod(7.5, 2) → 1.5", two, remainderType, fn.Scalar{New: newDecimalRemainder}),
		decimalRow("div", "Whole part of x / y.", "div(9, 4) → 2", two, quotientWholeType, fn.Scalar{New: newDecimalDiv}),
		decimalRow("gcd", "Greatest common divisor.", "gcd(1.5, 0.25) → 0.25", two, sumType, fn.Scalar{New: newDecimalGCD}),
		decimalRow("scale", "Number of digits after the point.", "scale(8.4100) → 4", one, func([]types.Type) (types.Type, error) { return integer, nil },
			fn.Scalar{New: func(call fn.Call) (fn.Kernel, error) {
				_, scale := shape(call.Args[0])
				return value(func(row) int32 { return int32(scale) }).New(call)
			}}),
		decimalRow("min_scale", "Number of digits after the point that are needed.", "min_scale(8.4100) → 2", one, func([]types.Type) (types.Type, error) { return integer, nil },
			value(func(r row) int32 {
				x, scale := r.wide(0), int(r.args[0].Type.Scale)
				for ; scale > 0; scale-- {
					q, rem := x.DivMod(types.Int128FromInt64(10))
					if rem.Sign() != 0 {
						break
					}
					x = q
				}
				return int32(scale)
			})),
	)
	return append(out, decimalRounding()...)
}

// decimalRounding are round and trunc with a number of digits, which decides the result's scale.
func decimalRounding() []fn.Overload {
	var out []fn.Overload
	add := func(name, doc, example string, first fn.Param, round bool) {
		o := failing(mathRow(name, doc, example, []fn.Param{first, {Name: "n", Type: integer}}, types.DecimalOf(38, 0), fn.Scalar{New: newDecimalRound(round)}))
		o.ResultOf = roundedType
		out = append(out, o)
	}
	for _, first := range []fn.Param{family("x", fn.Numeric), {Name: "x", Type: integer}, {Name: "x", Type: bigint}} {
		add("round", "Rounds to n digits after the point, halves away from zero.", "round(42.4382, 2) → 42.44", first, true)
		add("trunc", "Cuts after n digits after the point.", "trunc(42.4382, 2) → 42.43", first, false)
		add("truncate", "Cuts after n digits after the point.", "truncate(42.4382, 2) → 42.43", first, false)
	}
	return out
}

func integerPrecision(t types.Type) (precision, scale int) {
	switch t.Kind {
	case types.Int16:
		return 5, 0
	case types.Int32:
		return 10, 0
	case types.Int64:
		return 19, 0
	}
	return shape(t)
}

func roundedType(args []types.Type, constants []*types.Datum) (types.Type, error) {
	p, s := integerPrecision(args[0])
	scale := s
	if d := constants[1]; d != nil && !d.Null {
		scale = int(max(min(d.I64, 37), 0))
	}
	return decimalType(p-s+scale+1, scale), nil
}

// newDecimalRound rounds (or cuts) to the digits that the second argument names, the result's scale
// being fixed already.
func newDecimalRound(round bool) func(fn.Call) (fn.Kernel, error) {
	return func(call fn.Call) (fn.Kernel, error) {
		_, from := integerPrecision(call.Args[0])
		precision, to := shape(call.Result)
		return func(args []*vec.Vector, n int, rows []int32, out *vec.Vector) error {
			for k := range kernel.Count(rows, n) {
				r := row{args: args, at: rowAt(rows, k)}
				digits := to
				if len(args) > 1 {
					digits = int(max(min(r.int32(1), 38), -39))
				}
				x := r.wide(0)
				if digits < from {
					x = dropDigits(x, from-digits, round)
				}
				y, ok := x.Rescale(from, to, precision)
				if !ok {
					return types.NumericOverflow(precision, to)
				}
				storeDecimal(out, r.at, y)
			}
			return nil
		}, nil
	}
}

// dropDigits makes the last n digits zero.
func dropDigits(x types.Int128, n int, round bool) types.Int128 {
	if n > types.MaxDecimalPrecision {
		return types.Int128{}
	}
	unit := types.Pow10(n)
	if round {
		q := x.DivRound(unit)
		y, _ := q.MulChecked(unit)
		return y
	}
	_, r := x.DivMod(unit)
	return x.Sub(r)
}

func quotientWholeType(args []types.Type) (types.Type, error) {
	p1, s1 := shape(args[0])
	_, s2 := shape(args[1])
	return decimalType(p1-s1+s2, 0), nil
}

func newDecimalDiv(call fn.Call) (fn.Kernel, error) {
	_, s1 := shape(call.Args[0])
	_, s2 := shape(call.Args[1])
	precision, _ := shape(call.Result)
	return func(args []*vec.Vector, n int, rows []int32, out *vec.Vector) error {
		a, b := readDecimal(args[0]), readDecimal(args[1])
		for k := range kernel.Count(rows, n) {
			r := rowAt(rows, k)
			y := b.at(r)
			if y.Sign() == 0 {
				return divisionByZero()
			}
			numerator := new(big.Int).Mul(bigFrom(a.at(r)), bigPow10(max(s2-s1, 0)))
			divisor := new(big.Int).Mul(bigFrom(y), bigPow10(max(s1-s2, 0)))
			q, ok := int128From(numerator.Quo(numerator, divisor))
			if !ok || !q.FitsPrecision(precision) {
				return types.NumericOverflow(precision, 0)
			}
			storeDecimal(out, r, q)
		}
		return nil
	}, nil
}

func newDecimalGCD(call fn.Call) (fn.Kernel, error) {
	_, s1 := shape(call.Args[0])
	_, s2 := shape(call.Args[1])
	scale := max(s1, s2)
	return func(args []*vec.Vector, n int, rows []int32, out *vec.Vector) error {
		a, b := readDecimal(args[0]), readDecimal(args[1])
		for k := range kernel.Count(rows, n) {
			r := rowAt(rows, k)
			x := new(big.Int).Mul(bigFrom(a.at(r).Abs()), bigPow10(scale-s1))
			y := new(big.Int).Mul(bigFrom(b.at(r).Abs()), bigPow10(scale-s2))
			z, _ := int128From(new(big.Int).GCD(nil, nil, x, y))
			storeDecimal(out, r, z)
		}
		return nil
	}, nil
}
