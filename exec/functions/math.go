package functions

import (
	"math"
	"math/rand/v2"

	"github.com/tarnlake/tarn/internal/fn"
	"github.com/tarnlake/tarn/internal/sqlerr"
	"github.com/tarnlake/tarn/internal/types"
)

func mathRow(name, doc, example string, p []fn.Param, result types.Type, impl fn.Impl) fn.Overload {
	return fn.Overload{Name: name, Params: p, ResultType: result, Category: categoryMath, Doc: doc, Example: example, Impl: impl}
}

// aliases repeats rows under further names.
func aliases(rows []fn.Overload, names ...string) []fn.Overload {
	out := rows
	for _, name := range names {
		for _, r := range rows {
			r.Name = name
			out = append(out, r)
		}
	}
	return out
}

func domainError(code sqlerr.Code, message string) error { return errorf(code, "%s", message) }

func inputOutOfRange() error { return errorf(sqlerr.NumericValueOutOfRange, "input is out of range") }

// mathFunctions are the functions of double precision numbers.
func mathFunctions() []fn.Overload {
	out := append(powerFunctions(), trigonometry()...)
	out = append(out, randomFunctions()...)
	one := func(name, doc, example string, f func(float64) float64) fn.Overload {
		return mathRow(name, doc, example, params("x", double), double, map1(f))
	}
	out = append(out,
		one("abs", "Absolute value.", "abs(-2.5::double precision) → 2.5", math.Abs),
		mathRow("abs", "Absolute value.", "abs(-2.5::real) → 2.5", params("x", real4), real4, map1(func(x float32) float32 { return float32(math.Abs(float64(x))) })),
		one("floor", "Greatest whole number not above x.", "floor(-42.8::double precision) → -43", math.Floor),
		one("round", "Nearest whole number, halves to the even one.", "round(2.5::double precision) → 2", math.RoundToEven),
		one("trunc", "Cuts the digits after the point.", "trunc(-42.8::double precision) → -42", math.Trunc),
		one("sign", "-1, 0 or 1.", "sign(-8.4::double precision) → -1", signOf),
		one("degrees", "Radians as degrees.", "degrees(pi()) → 180", func(x float64) float64 { return x / (math.Pi / 180) }),
		one("radians", "Degrees as radians.", "radians(180) → 3.141592653589793", func(x float64) float64 { return x * (math.Pi / 180) }),
		mathRow("round", "Rounds to n digits after the point.", "round(2.456::double precision, 2) → 2.46", params("x", double, "n", integer), double,
			map2(func(x float64, n int32) float64 { return roundTo(x, int(n), math.Round) })),
		mathRow("truncate", "Cuts the digits after the point.", "truncate(-42.8::double precision) → -42", params("x", double), double, map1(math.Trunc)),
		mathRow("pi", "The number π.", "pi() → 3.141592653589793", nil, double, value(func(row) float64 { return math.Pi })),
		mathRow("e", "The number e.", "e() → 2.718281828459045", nil, double, value(func(row) float64 { return math.E })),
		mathRow("nan", "Not a number.", "nan() → NaN", nil, double, value(func(row) float64 { return math.NaN() })),
		mathRow("infinity", "Positive infinity.", "infinity() → Infinity", nil, double, value(func(row) float64 { return math.Inf(1) })),
		failing(mathRow("width_bucket", "Number of the bucket, of count equal ones from low to high, that x falls in; 0 below, count + 1 above.",
			"width_bucket(5.35, 0.024, 10.06, 5) → 3", params("x", double, "low", double, "high", double, "count", integer), integer, toFixed(widthBucket))),
	)
	ceil := []fn.Overload{one("ceil", "Least whole number not below x.", "ceil(42.2::double precision) → 43", func(x float64) float64 { return math.Ceil(x) })}
	out = append(out, aliases(ceil, "ceiling")...)
	isNaN := []fn.Overload{mathRow("isnan", "Tells whether x is not a number.", "isnan('NaN'::double precision) → true", params("x", double), boolean,
		map1(func(x float64) uint8 { return asFlag(math.IsNaN(x)) }))}
	out = append(out, aliases(isNaN, "is_nan")...)
	return append(out,
		mathRow("is_infinite", "Tells whether x is infinite.", "is_infinite('Infinity'::double precision) → true", params("x", double), boolean,
			map1(func(x float64) uint8 { return asFlag(math.IsInf(x, 0)) })),
		mathRow("is_finite", "Tells whether x is neither infinite nor NaN.", "is_finite(1.5) → true", params("x", double), boolean,
			map1(func(x float64) uint8 { return asFlag(!math.IsInf(x, 0) && !math.IsNaN(x)) })),
	)
}

func signOf(x float64) float64 {
	switch {
	case x > 0:
		return 1
	case x < 0:
		return -1
	}
	return 0
}

// roundTo rounds to n digits after the point by way of decimal text where that matters.
func roundTo(x float64, n int, round func(float64) float64) float64 {
	if math.IsNaN(x) || math.IsInf(x, 0) || n > 300 || n < -300 {
		return x
	}
	factor := math.Pow10(n)
	scaled := x * factor
	if math.IsInf(scaled, 0) {
		return x
	}
	return round(scaled) / factor
}

func widthBucket(r row) (int32, bool, error) {
	x, low, high, count := r.float(0), r.float(1), r.float(2), int64(r.int32(3))
	switch {
	case count <= 0:
		return 0, false, domainError(sqlerr.Code("2201G"), "count must be greater than zero")
	case math.IsNaN(x) || math.IsNaN(low) || math.IsNaN(high):
		return 0, false, domainError(sqlerr.Code("2201G"), "operand, lower bound, and upper bound cannot be NaN")
	case math.IsInf(low, 0) || math.IsInf(high, 0):
		return 0, false, domainError(sqlerr.Code("2201G"), "lower and upper bounds must be finite")
	case low == high:
		return 0, false, domainError(sqlerr.Code("2201G"), "lower bound cannot equal upper bound")
	}
	if low < high {
		return bucketOf(x < low, x >= high, (x-low)/(high-low), count)
	}
	return bucketOf(x > low, x <= high, (low-x)/(low-high), count)
}

func bucketOf(below, above bool, share float64, count int64) (int32, bool, error) {
	switch {
	case below:
		return 0, true, nil
	case above:
		if count+1 > math.MaxInt32 {
			return 0, false, outOfRange("integer")
		}
		return int32(count + 1), true, nil
	}
	return int32(min(int64(share*float64(count)), count-1)) + 1, true, nil
}

func powerFunctions() []fn.Overload {
	one := func(name, doc, example string, f func(float64) (float64, error)) fn.Overload {
		return failing(mathRow(name, doc, example, params("x", double), double, try1(f)))
	}
	power := []fn.Overload{failing(mathRow("power", "x raised to the power y.", "power(2, 10) → 1024", params("x", double, "y", double), double, try2(power)))}
	log10 := one("log", "Logarithm to base 10.", "log(1000) → 3", func(x float64) (float64, error) { return logarithm(x, math.Log10) })
	out := aliases(power, "pow", "^")
	return append(out,
		one("sqrt", "Square root.", "sqrt(2) → 1.4142135623730951", squareRoot),
		one("|/", "Square root.", "|/ 25.0 → 5", squareRoot),
		one("cbrt", "Cube root.", "cbrt(27) → 3", func(x float64) (float64, error) { return math.Cbrt(x), nil }),
		one("||/", "Cube root.", "||/ 64.0 → 4", func(x float64) (float64, error) { return math.Cbrt(x), nil }),
		one("exp", "e raised to the power x.", "exp(1) → 2.718281828459045", func(x float64) (float64, error) {
			y := math.Exp(x)
			switch {
			case math.IsInf(y, 0) && !math.IsInf(x, 0):
				return 0, floatOverflow()
			case y == 0 && !math.IsInf(x, 0):
				return 0, floatUnderflow()
			}
			return y, nil
		}),
		one("ln", "Natural logarithm.", "ln(2) → 0.6931471805599453", func(x float64) (float64, error) { return logarithm(x, math.Log) }),
		log10,
		one("log10", "Logarithm to base 10.", "log10(1000) → 3", func(x float64) (float64, error) { return logarithm(x, math.Log10) }),
		one("log2", "Logarithm to base 2.", "log2(8) → 3", func(x float64) (float64, error) { return logarithm(x, math.Log2) }),
		failing(mathRow("log", "Logarithm of x to base b.", "log(2, 64) → 6", params("b", double, "x", double), double,
			try2(func(b, x float64) (float64, error) {
				top, err := logarithm(x, math.Log)
				if err != nil {
					return 0, err
				}
				bottom, err := logarithm(b, math.Log)
				if err == nil && bottom == 0 {
					err = divisionByZero()
				}
				return exactLog(b, x, top/bottom), err
			}))),
	)
}

// exactLog mends a quotient of logarithms that misses a whole number by rounding.
func exactLog(b, x, quotient float64) float64 {
	if whole := math.Round(quotient); whole != quotient && math.Abs(whole-quotient) < 1e-9 && math.Pow(b, whole) == x {
		return whole
	}
	return quotient
}

func squareRoot(x float64) (float64, error) {
	if x < 0 {
		return 0, domainError(sqlerr.InvalidArgumentForPower, "cannot take square root of a negative number")
	}
	return math.Sqrt(x), nil
}

func logarithm(x float64, f func(float64) float64) (float64, error) {
	switch {
	case x == 0:
		return 0, domainError(sqlerr.InvalidArgumentForLogarithm, "cannot take logarithm of zero")
	case x < 0:
		return 0, domainError(sqlerr.InvalidArgumentForLogarithm, "cannot take logarithm of a negative number")
	}
	return f(x), nil
}

func power(x, y float64) (float64, error) {
	switch {
	case x == 0 && y < 0:
		return 0, domainError(sqlerr.InvalidArgumentForPower, "zero raised to a negative power is undefined")
	case x < 0 && y != math.Trunc(y) && !math.IsInf(x, 0) && !math.IsInf(y, 0):
		return 0, domainError(sqlerr.InvalidArgumentForPower, "a negative number raised to a non-integer power yields a complex result")
	}
	z := math.Pow(x, y)
	if !math.IsInf(x, 0) && !math.IsInf(y, 0) {
		if math.IsInf(z, 0) {
			return 0, floatOverflow()
		}
		if z == 0 && x != 0 {
			return 0, floatUnderflow()
		}
	}
	return z, nil
}

func trigonometry() []fn.Overload {
	type entry struct {
		name, doc, example string
		f                  func(float64) float64
		low, high          float64 // domain
	}
	inf := math.Inf(1)
	var out []fn.Overload
	for _, e := range []entry{
		{"sin", "Sine of radians.", "sin(0) → 0", math.Sin, -math.MaxFloat64, math.MaxFloat64},
		{"cos", "Cosine of radians.", "cos(0) → 1", math.Cos, -math.MaxFloat64, math.MaxFloat64},
		{"tan", "Tangent of radians.", "tan(0) → 0", math.Tan, -math.MaxFloat64, math.MaxFloat64},
		{"cot", "Cotangent of radians.", "cot(0.5) → 1.830487721712452", func(x float64) float64 { return 1 / math.Tan(x) }, -math.MaxFloat64, math.MaxFloat64},
		{"asin", "Arc sine in radians.", "asin(1) → 1.5707963267948966", math.Asin, -1, 1},
		{"acos", "Arc cosine in radians.", "acos(1) → 0", math.Acos, -1, 1},
		{"atan", "Arc tangent in radians.", "atan(1) → 0.7853981633974483", math.Atan, -inf, inf},
		{"sinh", "Hyperbolic sine.", "sinh(1) → 1.1752011936438014", math.Sinh, -inf, inf},
		{"cosh", "Hyperbolic cosine.", "cosh(0) → 1", math.Cosh, -inf, inf},
		{"tanh", "Hyperbolic tangent.", "tanh(1) → 0.7615941559557649", math.Tanh, -inf, inf},
		{"asinh", "Inverse hyperbolic sine.", "asinh(1) → 0.881373587019543", math.Asinh, -inf, inf},
		{"acosh", "Inverse hyperbolic cosine.", "acosh(1) → 0", math.Acosh, 1, inf},
		{"atanh", "Inverse hyperbolic tangent.", "atanh(0.5) → 0.5493061443340548", math.Atanh, -1, 1},
		{"sind", "Sine of degrees.", "sind(30) → 0.5", sinDegrees, -math.MaxFloat64, math.MaxFloat64},
		{"cosd", "Cosine of degrees.", "cosd(60) → 0.5", func(x float64) float64 { return sinDegrees(90 - math.Mod(x, 360)) }, -math.MaxFloat64, math.MaxFloat64},
		{"tand", "Tangent of degrees.", "tand(45) → 1", tanDegrees, -math.MaxFloat64, math.MaxFloat64},
	} {
		out = append(out, failing(mathRow(e.name, e.doc, e.example, params("x", double), double, try1(func(x float64) (float64, error) {
			if x < e.low || x > e.high {
				return 0, inputOutOfRange()
			}
			return e.f(x), nil
		}))))
	}
	return append(out, mathRow("atan2", "Arc tangent of y / x in radians, by quadrant.", "atan2(1, 1) → 0.7853981633974483",
		params("y", double, "x", double), double, map2(math.Atan2)))
}

// sinDegrees is exact at multiples of 30 degrees.
func sinDegrees(x float64) float64 {
	x = math.Mod(x, 360)
	sign := 1.0
	if x < 0 {
		x, sign = -x, -1
	}
	if x > 180 {
		x, sign = 360-x, -sign
	}
	if x > 90 {
		x = 180 - x
	}
	switch x {
	case 0:
		return 0
	case 30:
		return sign * 0.5
	case 90:
		return sign
	}
	return sign * math.Sin(x*math.Pi/180)
}

func tanDegrees(x float64) float64 {
	x = math.Mod(x, 180)
	switch x {
	case 45, -135:
		return 1
	case -45, 135:
		return -1
	case 0:
		return 0
	case 90:
		return math.Inf(1)
	case -90:
		return math.Inf(-1)
	}
	return math.Tan(x * math.Pi / 180)
}

func randomFunctions() []fn.Overload {
	volatile := func(o fn.Overload) fn.Overload {
		o.Volatility = fn.Volatile
		return o
	}
	zeroToOne := []fn.Overload{volatile(mathRow("random", "A random number, at least 0 and below 1.", "random() → 0.897124072839091", nil, double,
		value(func(row) float64 { return rand.Float64() })))}
	return append(aliases(zeroToOne, "rand"),
		volatile(failing(mathRow("random", "A random whole number, at least low and at most high.", "random(1, 6) → 4", params("low", bigint, "high", bigint), bigint,
			toFixed(func(r row) (int64, bool, error) {
				low, high := r.int64(0), r.int64(1)
				if low > high {
					return 0, false, errorf(sqlerr.InvalidParameterValue, "lower bound must be less than or equal to upper bound")
				}
				width := uint64(high) - uint64(low)
				if width == math.MaxUint64 {
					return int64(rand.Uint64()), true, nil
				}
				return int64(uint64(low) + rand.Uint64N(width+1)), true, nil
			})))),
	)
}
