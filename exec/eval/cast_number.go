package eval

import (
	"math"
	"strconv"

	"github.com/tarnlake/tarn/exec/kernel"
	"github.com/tarnlake/tarn/internal/fn"
	"github.com/tarnlake/tarn/internal/sqlerr"
	"github.com/tarnlake/tarn/internal/types"
	"github.com/tarnlake/tarn/internal/vec"
)

// numbers converts between booleans, integers, oids, floats and decimals.
func (v *conversion) numbers() fn.Kernel {
	switch v.from.Physical() {
	case types.PhysBool:
		return fromInteger[uint8](v)
	case types.PhysInt16:
		return fromInteger[int16](v)
	case types.PhysInt32:
		return fromInteger[int32](v)
	case types.PhysInt64:
		if v.from.Kind == types.Decimal {
			return fromDecimal(v, func(x int64) types.Int128 { return types.Int128FromInt64(x) })
		}
		return fromInteger[int64](v)
	case types.PhysInt128:
		return fromDecimal(v, func(x types.Int128) types.Int128 { return x })
	case types.PhysFloat32:
		return fromFloat[float32](v, 6)
	}
	return fromFloat[float64](v, 15)
}

type integer interface {
	uint8 | int16 | int32 | int64
}

// integerRange gives the bounds of an integer-like type and its name in errors.
func integerRange(t types.Type) (low, high int64, name string) {
	switch t.Kind {
	case types.Int16:
		return math.MinInt16, math.MaxInt16, "smallint"
	case types.Int32:
		return math.MinInt32, math.MaxInt32, "integer"
	case types.Int64:
		return math.MinInt64, math.MaxInt64, "bigint"
	}
	return 0, math.MaxUint32, "OID"
}

func rangeError(name string) error {
	return sqlerr.New(sqlerr.NumericValueOutOfRange, "%s out of range", name)
}

func fromInteger[A integer](v *conversion) fn.Kernel {
	switch {
	case v.to.Kind == types.Bool:
		return mapAll(func(x A) uint8 {
			if x != 0 {
				return 1
			}
			return 0
		})
	case v.to.Kind == types.Float32:
		return mapAll(func(x A) float32 { return float32(x) })
	case v.to.Kind == types.Float64:
		return mapAll(func(x A) float64 { return float64(x) })
	case v.to.Kind == types.Decimal || v.to.Kind == types.Int128Kind:
		return integerToDecimal[A](v)
	case v.to.Kind == types.Int16:
		return narrow[A, int16](v)
	case v.to.Kind == types.Int32:
		return narrow[A, int32](v)
	}
	return narrow[A, int64](v)
}

// mapAll computes all lanes: for conversions that cannot fail.
func mapAll[A, B vec.Fixed](f func(A) B) fn.Kernel {
	return func(args []*vec.Vector, n int, rows []int32, out *vec.Vector) error {
		in, to := vec.Values[A](args[0])[:n], vec.Values[B](out)[:n]
		if kernel.Dense(rows, n) {
			kernel.Map(to, in, f)
		} else {
			kernel.MapAt(to, in, rows, f)
		}
		return nil
	}
}

// narrow converts between integers: all lanes first, then a second look when one did not fit.
func narrow[A integer, B int16 | int32 | int64](v *conversion) fn.Kernel {
	low, high, name := integerRange(v.to)
	return func(args []*vec.Vector, n int, rows []int32, out *vec.Vector) error {
		in, to := vec.Values[A](args[0])[:n], vec.Values[B](out)[:n]
		outside := false
		for i, x := range in {
			to[i] = B(x)
			outside = outside || int64(x) < low || int64(x) > high
		}
		if !outside {
			return nil
		}
		for k := range kernel.Count(rows, n) {
			r := rowAt(rows, k)
			if x := int64(in[r]); x < low || x > high {
				if err := v.fail(out, r, rangeError(name)); err != nil {
					return err
				}
			}
		}
		return nil
	}
}

// decimalShape gives precision and scale of a decimal or hugeint.
func decimalShape(t types.Type) (precision, scale int) {
	if t.Kind == types.Int128Kind || t.Precision == 0 {
		return types.MaxDecimalPrecision, int(t.Scale)
	}
	return int(t.Precision), int(t.Scale)
}

func integerToDecimal[A integer](v *conversion) fn.Kernel {
	precision, scale := decimalShape(v.to)
	digits := 0
	if precision >= scale {
		digits = precision - scale
	}
	limit := int64(math.MaxInt64)
	if digits <= types.MaxInt64Precision {
		limit = int64(types.Pow10(digits).Lo) - 1
	}
	overflow := types.NumericOverflow(precision, scale)
	check := func(in []A, rows []int32, n int, out *vec.Vector) error {
		for k := range kernel.Count(rows, n) {
			r := rowAt(rows, k)
			if x := int64(in[r]); x > limit || x < -limit {
				if err := v.fail(out, r, overflow); err != nil {
					return err
				}
			}
		}
		return nil
	}
	wide := v.to.Physical() == types.PhysInt128
	factor := types.Pow10(scale)
	return func(args []*vec.Vector, n int, rows []int32, out *vec.Vector) error {
		in := vec.Values[A](args[0])[:n]
		outside := false
		if wide {
			to := vec.Values[types.Int128](out)[:n]
			for i, x := range in {
				outside = outside || int64(x) > limit || int64(x) < -limit
				if factor.Hi == 0 && factor.Lo <= math.MaxInt64 {
					to[i] = types.MulInt64(int64(x), int64(factor.Lo))
				} else {
					to[i], _ = types.Int128FromInt64(int64(x)).MulChecked(factor)
				}
			}
		} else {
			to := vec.Values[int64](out)[:n]
			f := int64(factor.Lo)
			for i, x := range in {
				outside = outside || int64(x) > limit || int64(x) < -limit
				to[i] = int64(x) * f
			}
		}
		if limit == math.MaxInt64 || !outside {
			return nil
		}
		return check(in, rows, n, out)
	}
}

func fromDecimal[A int64 | types.Int128](v *conversion, widen func(A) types.Int128) fn.Kernel {
	_, scale := decimalShape(v.from)
	switch v.to.Kind {
	case types.Float64:
		return func(args []*vec.Vector, n int, rows []int32, out *vec.Vector) error {
			in, to := vec.Values[A](args[0]), vec.Values[float64](out)
			for k := range kernel.Count(rows, n) {
				r := rowAt(rows, k)
				to[r] = DecimalToFloat(widen(in[r]), scale)
			}
			return nil
		}
	case types.Float32:
		return mapAll(func(x A) float32 { return float32(DecimalToFloat(widen(x), scale)) })
	case types.Bool:
		return mapAll(func(x A) uint8 {
			if widen(x).Sign() != 0 {
				return 1
			}
			return 0
		})
	case types.Decimal, types.Int128Kind:
		return rescale(v, widen)
	}
	low, high, name := integerRange(v.to)
	return v.each(func(in, out *vec.Vector, r int) error {
		whole, _ := widen(vec.Values[A](in)[r]).Rescale(scale, 0, types.MaxDecimalPrecision)
		x, ok := whole.Int64()
		if !ok || x < low || x > high {
			return rangeError(name)
		}
		out.SetDatum(r, types.IntDatum(x))
		return nil
	})
}

// rescale converts between decimals, rounding half away from zero.
func rescale[A int64 | types.Int128](v *conversion, widen func(A) types.Int128) fn.Kernel {
	_, from := decimalShape(v.from)
	precision, to := decimalShape(v.to)
	wide := v.to.Physical() == types.PhysInt128
	overflow := types.NumericOverflow(precision, to)
	return func(args []*vec.Vector, n int, rows []int32, out *vec.Vector) error {
		in := vec.Values[A](args[0])[:n]
		for k := range kernel.Count(rows, n) {
			r := rowAt(rows, k)
			x, ok := widen(in[r]).Rescale(from, to, precision)
			if !ok {
				if err := v.fail(out, r, overflow); err != nil {
					return err
				}
			}
			if wide {
				vec.Values[types.Int128](out)[r] = x
			} else {
				vec.Values[int64](out)[r] = int64(x.Lo)
			}
		}
		return nil
	}
}

// DecimalToFloat gives the double nearest to v / 10^scale.
func DecimalToFloat(v types.Int128, scale int) float64 {
	if x, ok := v.Int64(); ok && x < 1<<53 && x > -1<<53 && scale <= 22 {
		return float64(x) / powersOfTen[scale]
	}
	f, err := strconv.ParseFloat(string(types.AppendDecimal(nil, v, scale)), 64)
	if err != nil {
		return math.NaN()
	}
	return f
}

// powersOfTen are exact doubles.
var powersOfTen = [...]float64{1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15,
	1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22}

func fromFloat[A float32 | float64](v *conversion, digits int) fn.Kernel {
	switch v.to.Kind {
	case types.Float64:
		return mapAll(func(x A) float64 { return float64(x) })
	case types.Float32:
		return v.each(func(in, out *vec.Vector, r int) error {
			x := float64(vec.Values[A](in)[r])
			y := float32(x)
			vec.Values[float32](out)[r] = y
			if math.IsInf(float64(y), 0) && !math.IsInf(x, 0) {
				return sqlerr.New(sqlerr.NumericValueOutOfRange, "value out of range: overflow")
			}
			if y == 0 && x != 0 {
				return sqlerr.New(sqlerr.NumericValueOutOfRange, "value out of range: underflow")
			}
			return nil
		})
	case types.Bool:
		return mapAll(func(x A) uint8 {
			if x != 0 {
				return 1
			}
			return 0
		})
	case types.Decimal, types.Int128Kind:
		precision, scale := decimalShape(v.to)
		return v.each(func(in, out *vec.Vector, r int) error {
			d, err := FloatToDecimal(float64(vec.Values[A](in)[r]), digits, precision, scale)
			out.SetDatum(r, types.DecimalDatum(v.to, d))
			return err
		})
	}
	low, high, name := integerRange(v.to)
	return v.each(func(in, out *vec.Vector, r int) error {
		x := math.RoundToEven(float64(vec.Values[A](in)[r]))
		if !(x >= float64(low) && x <= float64(high)) || high == math.MaxInt64 && x >= 1<<63 {
			out.SetDatum(r, types.IntDatum(0))
			return rangeError(name)
		}
		out.SetDatum(r, types.IntDatum(int64(x)))
		return nil
	})
}

// FloatToDecimal rounds x to so many significant digits, as PostgreSQL does, and then to the scale.
func FloatToDecimal(x float64, digits, precision, scale int) (types.Int128, error) {
	if math.IsNaN(x) || math.IsInf(x, 0) {
		return types.Int128{}, sqlerr.New(sqlerr.NumericValueOutOfRange, "cannot convert %s to numeric", types.AppendFloat64(nil, x))
	}
	var scratch [40]byte
	return types.ParseDecimal(strconv.AppendFloat(scratch[:0], x, 'e', digits-1, 64), precision, scale)
}
