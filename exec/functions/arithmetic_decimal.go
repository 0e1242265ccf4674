package functions

import (
	"math/big"

	"github.com/tarnlake/tarn/exec/kernel"
	"github.com/tarnlake/tarn/internal/fn"
	"github.com/tarnlake/tarn/internal/types"
	"github.com/tarnlake/tarn/internal/vec"
)

// minDivisionScale is the least scale of quotients and averages.
const minDivisionScale = 16

func decimalArithmetic() []fn.Overload {
	two := []fn.Param{family("a", fn.Numeric), family("b", fn.Numeric)}
	one := []fn.Param{family("a", fn.Numeric)}
	row := func(symbol, doc, example string, p []fn.Param, result func([]types.Type) (types.Type, error), impl fn.Scalar) fn.Overload {
		return fn.Overload{Name: symbol, Params: p, Result: result, Category: categoryArithmetic, Doc: doc, Example: example, MayFail: true, Impl: impl}
	}
	return []fn.Overload{
		row("+", "Adds decimals exactly; the scale is the larger one.", "1.25 + 2.5 → 3.75", two, sumType, fn.Scalar{New: newDecimalSum(false)}),
		row("-", "Subtracts decimals exactly; the scale is the larger one.", "1.25 - 2.5 → -1.25", two, sumType, fn.Scalar{New: newDecimalSum(true)}),
		row("*", "Multiplies decimals exactly; the scales add up.", "1.25 * 2.5 → 3.125", two, productType, fn.Scalar{New: newDecimalProduct}),
		row("/", "Divides decimals, rounding to at least 16 digits after the point.", "1.0 / 3 → 0.3333333333333333", two, quotientType, fn.Scalar{New: newDecimalQuotient}),
		row("%", "Remainder, with the sign of the dividend.", "7.5 % 2 → 1.5", two, remainderType, fn.Scalar{New: newDecimalRemainder}),
		row("-", "Negates a decimal.", "- 1.25 → -1.25", one, sameType, wideMap(func(x types.Int128) types.Int128 { return x.Neg() })),
		row("+", "Gives the decimal itself.", "+ 1.25 → 1.25", one, sameType, wideMap(func(x types.Int128) types.Int128 { return x })),
		row("@", "Absolute value.", "@ (-1.25) → 1.25", one, sameType, wideMap(func(x types.Int128) types.Int128 { return x.Abs() })),
	}
}

func sameType(args []types.Type) (types.Type, error) { return args[0], nil }

// shape gives precision and scale of a decimal argument; without modifiers it is as wide as can be.
func shape(t types.Type) (precision, scale int) {
	if t.Precision == 0 {
		return types.MaxDecimalPrecision, int(t.Scale)
	}
	return int(t.Precision), int(t.Scale)
}

// decimalType caps the precision; the scale is kept as long as it fits.
func decimalType(precision, scale int) types.Type {
	return types.DecimalOf(min(max(precision, scale, 1), types.MaxDecimalPrecision), min(scale, types.MaxDecimalPrecision))
}

func sumType(args []types.Type) (types.Type, error) {
	p1, s1 := shape(args[0])
	p2, s2 := shape(args[1])
	scale := max(s1, s2)
	return decimalType(max(p1-s1, p2-s2)+scale+1, scale), nil
}

func productType(args []types.Type) (types.Type, error) {
	p1, s1 := shape(args[0])
	p2, s2 := shape(args[1])
	return decimalType(p1+p2, s1+s2), nil
}

func quotientType(args []types.Type) (types.Type, error) {
	p1, s1 := shape(args[0])
	_, s2 := shape(args[1])
	scale := max(minDivisionScale, s1, s2)
	return decimalType(p1-s1+s2+scale, scale), nil
}

func remainderType(args []types.Type) (types.Type, error) {
	p1, s1 := shape(args[0])
	p2, s2 := shape(args[1])
	scale := max(s1, s2)
	return decimalType(min(p1-s1, p2-s2)+scale, scale), nil
}

// decimalReader loads values of a decimal argument, whichever layout it has.
type decimalReader struct {
	narrow []int64
	wide   []types.Int128
	mask   int
}

func readDecimal(v *vec.Vector) decimalReader {
	if v.Type.Physical() == types.PhysInt128 {
		return decimalReader{wide: vec.Values[types.Int128](v), mask: mask(v)}
	}
	return decimalReader{narrow: vec.Values[int64](v), mask: mask(v)}
}

func (d *decimalReader) at(r int) types.Int128 {
	if d.wide != nil {
		return d.wide[r&d.mask]
	}
	return types.Int128FromInt64(d.narrow[r&d.mask])
}

func storeDecimal(out *vec.Vector, r int, v types.Int128) {
	if out.Type.Physical() == types.PhysInt128 {
		vec.Values[types.Int128](out)[r] = v
	} else {
		vec.Values[int64](out)[r] = int64(v.Lo)
	}
}

// wideMap adapts a function over decimals of one shape.
func wideMap(f func(types.Int128) types.Int128) fn.Scalar {
	return fixed(func(args []*vec.Vector, n int, rows []int32, out *vec.Vector) error {
		a := readDecimal(args[0])
		for k := range kernel.Count(rows, n) {
			r := rowAt(rows, k)
			storeDecimal(out, r, f(a.at(r)))
		}
		return nil
	})
}

// newDecimalSum adds or subtracts after bringing both sides to the larger scale.
func newDecimalSum(minus bool) func(fn.Call) (fn.Kernel, error) {
	return func(call fn.Call) (fn.Kernel, error) {
		_, s1 := shape(call.Args[0])
		_, s2 := shape(call.Args[1])
		precision, scale := shape(call.Result)
		fa, fb := types.Pow10(scale-s1), types.Pow10(scale-s2)
		if precision <= types.MaxInt64Precision {
			a, b := int64(fa.Lo), int64(fb.Lo)
			if minus {
				b = -b
			}
			return narrowSum(a, b), nil
		}
		overflow := types.NumericOverflow(precision, scale)
		exact := s1 == s2 && precision < types.MaxDecimalPrecision
		return func(args []*vec.Vector, n int, rows []int32, out *vec.Vector) error {
			a, b, o := readDecimal(args[0]), readDecimal(args[1]), vec.Values[types.Int128](out)
			if exact { // one digit more than the operands: nothing can overflow
				for k := range kernel.Count(rows, n) {
					r := rowAt(rows, k)
					if minus {
						o[r] = a.at(r).Sub(b.at(r))
					} else {
						o[r] = a.at(r).Add(b.at(r))
					}
				}
				return nil
			}
			for k := range kernel.Count(rows, n) {
				r := rowAt(rows, k)
				x, ok1 := scaleUp(a.at(r), fa)
				y, ok2 := scaleUp(b.at(r), fb)
				if minus {
					y = y.Neg()
				}
				z, ok3 := x.AddChecked(y)
				if !(ok1 && ok2 && ok3) || precision == types.MaxDecimalPrecision && !z.FitsPrecision(precision) {
					return overflow
				}
				o[r] = z
			}
			return nil
		}, nil
	}
}

func scaleUp(x, factor types.Int128) (types.Int128, bool) {
	if factor.Lo == 1 && factor.Hi == 0 {
		return x, true
	}
	return x.MulChecked(factor)
}

// narrowSum computes fa·x + fb·y in 64 bits, which the result's precision bounds.
func narrowSum(fa, fb int64) fn.Kernel {
	return func(args []*vec.Vector, n int, rows []int32, out *vec.Vector) error {
		a, b, o := vec.Values[int64](args[0]), vec.Values[int64](args[1]), vec.Values[int64](out)[:n]
		switch {
		case args[0].Enc == vec.Const:
			x := a[0] * fa
			for i, y := range b[:n] {
				o[i] = x + y*fb
			}
		case args[1].Enc == vec.Const:
			y := b[0] * fb
			for i, x := range a[:n] {
				o[i] = x*fa + y
			}
		default:
			a, b = a[:len(o)], b[:len(o)]
			for i := range o {
				o[i] = a[i]*fa + b[i]*fb
			}
		}
		return nil
	}
}

func newDecimalProduct(call fn.Call) (fn.Kernel, error) {
	precision, scale := shape(call.Result)
	p1, s1 := shape(call.Args[0])
	p2, s2 := shape(call.Args[1])
	if s1+s2 > scale {
		return roundedProduct(precision, scale, s1+s2), nil
	}
	narrow1, narrow2 := p1 <= types.MaxInt64Precision, p2 <= types.MaxInt64Precision
	switch {
	case precision <= types.MaxInt64Precision:
		return narrowProduct, nil
	case narrow1 && narrow2:
		return mixedProduct, nil
	}
	overflow := types.NumericOverflow(precision, scale)
	return func(args []*vec.Vector, n int, rows []int32, out *vec.Vector) error {
		if wideProduct(args, n, rows, out) || wideProductChecked(args, n, rows, out, precision) {
			return nil
		}
		return overflow
	}, nil
}

// wideProduct multiplies 128-bit by 64- or 128-bit values as long as all of them fit in 64 bits, where
// a product has at most 126 bits and so cannot overflow; false means that some did not fit.
func wideProduct(args []*vec.Vector, n int, rows []int32, out *vec.Vector) bool {
	wide, other := args[0], args[1]
	if wide.Type.Physical() != types.PhysInt128 {
		wide, other = other, wide
	}
	if rows != nil || wide.Enc == vec.Const {
		return false
	}
	a, o := vec.Values[types.Int128](wide)[:n], vec.Values[types.Int128](out)[:n]
	spill := int64(0)
	if other.Type.Physical() == types.PhysInt128 {
		b, m := vec.Values[types.Int128](other), mask(other)
		for i := range o {
			x, y := a[i], b[i&m]
			spill |= (x.Hi ^ int64(x.Lo)>>63) | (y.Hi ^ int64(y.Lo)>>63)
			o[i] = types.MulInt64(int64(x.Lo), int64(y.Lo))
		}
		return spill == 0
	}
	b, m := vec.Values[int64](other), mask(other)
	for i := range o {
		x := a[i]
		spill |= x.Hi ^ int64(x.Lo)>>63
		o[i] = types.MulInt64(int64(x.Lo), b[i&m])
	}
	return spill == 0
}

// wideProductChecked multiplies any values; false is an overflow on a wanted row.
func wideProductChecked(args []*vec.Vector, n int, rows []int32, out *vec.Vector, precision int) bool {
	a, b, o := readDecimal(args[0]), readDecimal(args[1]), vec.Values[types.Int128](out)
	for k := range kernel.Count(rows, n) {
		r := rowAt(rows, k)
		x, y := a.at(r), b.at(r)
		if small1, ok := x.Int64(); ok {
			if small2, ok := y.Int64(); ok {
				o[r] = types.MulInt64(small1, small2)
				continue
			}
		}
		z, ok := x.MulChecked(y)
		if !ok || precision == types.MaxDecimalPrecision && !z.FitsPrecision(precision) {
			return false
		}
		o[r] = z
	}
	return true
}

// narrowProduct multiplies in 64 bits, which the result's precision bounds.
func narrowProduct(args []*vec.Vector, n int, _ []int32, out *vec.Vector) error {
	a, b, o := vec.Values[int64](args[0]), vec.Values[int64](args[1]), vec.Values[int64](out)[:n]
	if args[0].Enc == vec.Const {
		a, b = b, a
	}
	if args[0].Enc == vec.Const || args[1].Enc == vec.Const {
		y := b[0]
		for i, x := range a[:len(o)] {
			o[i] = x * y
		}
		return nil
	}
	kernel.Zip(o, a, b, func(x, y int64) int64 { return x * y })
	return nil
}

// mixedProduct multiplies 64-bit values to 128 bits, where nothing can overflow.
func mixedProduct(args []*vec.Vector, n int, rows []int32, out *vec.Vector) error {
	a, b, o := vec.Values[int64](args[0]), vec.Values[int64](args[1]), vec.Values[types.Int128](out)[:n]
	if !kernel.Dense(rows, n) {
		kernel.ZipAt(o, a, b, kernel.Mask(args[0]), kernel.Mask(args[1]), rows, types.MulInt64)
		return nil
	}
	if args[0].Enc == vec.Const {
		a, b = b, a
	}
	if args[0].Enc == vec.Const || args[1].Enc == vec.Const {
		y := b[0]
		for i, x := range a[:len(o)] {
			o[i] = types.MulInt64(x, y)
		}
		return nil
	}
	kernel.Zip(o, a, b, func(x, y int64) types.Int128 { return types.MulInt64(x, y) })
	return nil
}

// roundedProduct is for scales whose sum no decimal can hold.
func roundedProduct(precision, scale, have int) fn.Kernel {
	return func(args []*vec.Vector, n int, rows []int32, out *vec.Vector) error {
		a, b := readDecimal(args[0]), readDecimal(args[1])
		for k := range kernel.Count(rows, n) {
			r := rowAt(rows, k)
			product := new(big.Int).Mul(bigFrom(a.at(r)), bigFrom(b.at(r)))
			z, ok := roundedQuotient(product, bigPow10(have-scale))
			if !ok || !z.FitsPrecision(precision) {
				return types.NumericOverflow(precision, scale)
			}
			storeDecimal(out, r, z)
		}
		return nil
	}
}

func newDecimalQuotient(call fn.Call) (fn.Kernel, error) {
	precision, scale := shape(call.Result)
	_, s1 := shape(call.Args[0])
	_, s2 := shape(call.Args[1])
	return func(args []*vec.Vector, n int, rows []int32, out *vec.Vector) error {
		a, b := readDecimal(args[0]), readDecimal(args[1])
		for k := range kernel.Count(rows, n) {
			r := rowAt(rows, k)
			z, err := divideDecimals(a.at(r), b.at(r), scale+s2-s1, precision, scale)
			if err != nil {
				return err
			}
			storeDecimal(out, r, z)
		}
		return nil
	}, nil
}

// divideDecimals gives x · 10^shift / y, rounded half away from zero.
func divideDecimals(x, y types.Int128, shift, precision, scale int) (types.Int128, error) {
	if y.Sign() == 0 {
		return types.Int128{}, divisionByZero()
	}
	if shift >= 0 && shift <= types.MaxDecimalPrecision {
		if up, ok := x.MulChecked(types.Pow10(shift)); ok {
			if y.Hi < 0 {
				up, y = up.Neg(), y.Neg()
			}
			if z := up.DivRound(y); z.FitsPrecision(precision) {
				return z, nil
			}
			return types.Int128{}, types.NumericOverflow(precision, scale)
		}
	}
	numerator, denominator := bigFrom(x), bigFrom(y)
	if shift >= 0 {
		numerator.Mul(numerator, bigPow10(shift))
	} else {
		denominator.Mul(denominator, bigPow10(-shift))
	}
	z, ok := roundedQuotient(numerator, denominator)
	if !ok || !z.FitsPrecision(precision) {
		return types.Int128{}, types.NumericOverflow(precision, scale)
	}
	return z, nil
}

func newDecimalRemainder(call fn.Call) (fn.Kernel, error) {
	_, s1 := shape(call.Args[0])
	_, s2 := shape(call.Args[1])
	scale := max(s1, s2)
	return func(args []*vec.Vector, n int, rows []int32, out *vec.Vector) error {
		a, b := readDecimal(args[0]), readDecimal(args[1])
		for k := range kernel.Count(rows, n) {
			r := rowAt(rows, k)
			y := b.at(r)
			if y.Sign() == 0 {
				return divisionByZero()
			}
			numerator := new(big.Int).Mul(bigFrom(a.at(r)), bigPow10(scale-s1))
			divisor := new(big.Int).Mul(bigFrom(y), bigPow10(scale-s2))
			z, ok := int128From(numerator.Rem(numerator, divisor))
			if !ok {
				return types.NumericOverflow(types.MaxDecimalPrecision, scale)
			}
			storeDecimal(out, r, z)
		}
		return nil
	}, nil
}

func bigPow10(n int) *big.Int { return new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(n)), nil) }

func bigFrom(v types.Int128) *big.Int {
	b := new(big.Int).Lsh(big.NewInt(v.Hi), 64)
	return b.Add(b, new(big.Int).SetUint64(v.Lo))
}

// int128From gives ok = false when v does not fit.
func int128From(v *big.Int) (types.Int128, bool) {
	if v.BitLen() > 127 {
		return types.Int128{}, false
	}
	m := new(big.Int).Abs(v)
	low := new(big.Int).And(m, new(big.Int).SetUint64(^uint64(0))).Uint64()
	out := types.Int128{Lo: low, Hi: int64(m.Rsh(m, 64).Uint64())}
	if v.Sign() < 0 {
		out = out.Neg()
	}
	return out, true
}

// roundedQuotient gives x / y rounded half away from zero.
func roundedQuotient(x, y *big.Int) (types.Int128, bool) {
	if y.Sign() < 0 {
		x, y = new(big.Int).Neg(x), new(big.Int).Neg(y)
	}
	q, r := new(big.Int).QuoRem(x, y, new(big.Int))
	if r.Abs(r).Lsh(r, 1).Cmp(y) >= 0 {
		q.Add(q, big.NewInt(int64(x.Sign())))
	}
	return int128From(q)
}
