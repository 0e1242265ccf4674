package types

import (
	"github.com/tarnlake/tarn/internal/sqlerr"
)

// ParseDecimal reads a numeric value, rounds it to scale digits after the point (half away from
// zero) and gives it multiplied by 10^scale. More than precision digits are an overflow (22003).
func ParseDecimal(b []byte, precision, scale int) (Int128, error) {
	if v, ok := parseShortDecimal(b, precision, scale); ok {
		return Int128FromInt64(v), nil
	}
	return parseLongDecimal(b, precision, scale)
}

// ParseDecimal64 is ParseDecimal for a precision of at most 18.
func ParseDecimal64(b []byte, precision, scale int) (int64, error) {
	if v, ok := parseShortDecimal(b, precision, scale); ok {
		return v, nil
	}
	v, err := parseLongDecimal(b, precision, scale)
	return int64(v.Lo), err
}

// parseShortDecimal reads -ddd.ddd of at most 18 digits that needs no rounding and cannot overflow.
func parseShortDecimal(b []byte, precision, scale int) (int64, bool) {
	if len(b) == 0 {
		return 0, false
	}
	negative := b[0] == '-'
	if negative {
		b = b[1:]
	}
	if len(b) == 0 || len(b) > 19 {
		return 0, false
	}
	var v int64
	point, seen := -1, 0
	for i, c := range b {
		d := c - '0'
		if d > 9 {
			if c != '.' || point >= 0 {
				return 0, false
			}
			point = i
			continue
		}
		v = v*10 + int64(d)
		seen++
	}
	missing := scale
	if point >= 0 {
		missing -= len(b) - 1 - point
	}
	if missing < 0 || seen == 0 || seen+missing > min(precision, MaxInt64Precision) {
		return 0, false
	}
	v *= int64(pow10[missing].Lo)
	if negative {
		v = -v
	}
	return v, true
}

// decimalText is a numeric literal split into its parts.
type decimalText struct {
	negative        bool
	whole, fraction []byte
	exponent        int
}

func splitDecimal(b []byte) (d decimalText, ok bool) {
	s := trimSpace(b)
	if len(s) > 0 && (s[0] == '-' || s[0] == '+') {
		d.negative = s[0] == '-'
		s = s[1:]
	}
	n := countDigits(s)
	d.whole, s = s[:n], s[n:]
	if len(s) > 0 && s[0] == '.' {
		n = countDigits(s[1:])
		d.fraction, s = s[1:1+n], s[1+n:]
	}
	if len(d.whole)+len(d.fraction) == 0 {
		return d, false
	}
	if len(s) > 0 && s[0]|0x20 == 'e' {
		s = s[1:]
		sign := 1
		if len(s) > 0 && (s[0] == '-' || s[0] == '+') {
			if s[0] == '-' {
				sign = -1
			}
			s = s[1:]
		}
		n = countDigits(s)
		if n == 0 {
			return d, false
		}
		for _, c := range s[:n] {
			d.exponent = min(d.exponent*10+int(c-'0'), 1_000_000)
		}
		d.exponent *= sign
		s = s[n:]
	}
	return d, len(s) == 0
}

func countDigits(s []byte) int {
	n := 0
	for n < len(s) && s[n]-'0' <= 9 {
		n++
	}
	return n
}

func parseLongDecimal(b []byte, precision, scale int) (Int128, error) {
	d, ok := splitDecimal(b)
	if !ok {
		if s := trimSpace(b); hasLowerPrefix("nan", s, 3) {
			return Int128{}, sqlerr.New(sqlerr.NumericValueOutOfRange, "numeric type does not support NaN").
				WithHint("Use double precision where NaN or Infinity may occur.")
		}
		return Int128{}, badSyntax("numeric", b)
	}
	digits := append(append(make([]byte, 0, len(d.whole)+len(d.fraction)), d.whole...), d.fraction...)
	for len(digits) > 0 && digits[0] == '0' {
		digits = digits[1:]
		if len(d.whole) > 0 {
			d.whole = d.whole[1:]
		} else {
			d.exponent--
		}
	}
	if len(digits) == 0 {
		return Int128{}, nil
	}
	// keep is how many of the digits stand in the result, before rounding.
	keep := len(d.whole) + d.exponent + scale
	if keep < 0 {
		return Int128{}, nil
	}
	if keep > MaxDecimalPrecision {
		return Int128{}, NumericOverflow(precision, scale)
	}
	var v Int128
	for i := range keep {
		digit := uint64(0)
		if i < len(digits) {
			digit = uint64(digits[i] - '0')
		}
		v, _ = v.MulChecked(Int128{Lo: 10})
		v = v.Add(Int128{Lo: digit})
	}
	if keep < len(digits) && digits[keep] >= '5' {
		v = v.Add(Int128{Lo: 1})
	}
	if !v.FitsPrecision(precision) {
		return Int128{}, NumericOverflow(precision, scale)
	}
	if d.negative {
		v = v.Neg()
	}
	return v, nil
}

// NumericOverflow is the error for a value that decimal(precision, scale) cannot hold.
func NumericOverflow(precision, scale int) error {
	err := sqlerr.New(sqlerr.NumericValueOutOfRange, "numeric field overflow")
	if precision == scale {
		return err.WithDetail("A field with precision %d, scale %d must round to an absolute value less than 1.", precision, scale)
	}
	return err.WithDetail("A field with precision %d, scale %d must round to an absolute value less than 10^%d.",
		precision, scale, precision-scale)
}

// Rescale gives v, of scale from, at scale to: rounded half away from zero when digits are dropped;
// ok is false when the result does not fit precision digits.
func (a Int128) Rescale(from, to, precision int) (v Int128, ok bool) {
	switch {
	case to > from:
		if to-from > MaxDecimalPrecision {
			return Int128{}, a.Sign() == 0
		}
		v, ok = a.MulChecked(pow10[to-from])
		return v, ok && v.FitsPrecision(precision)
	case to < from:
		if from-to > MaxDecimalPrecision {
			return Int128{}, true
		}
		v = a.DivRound(pow10[from-to])
		return v, v.FitsPrecision(precision)
	}
	return a, a.FitsPrecision(precision)
}

// DivRound gives a / b rounded half away from zero; b must be positive.
func (a Int128) DivRound(b Int128) Int128 {
	q, r := a.DivMod(b)
	r = r.Abs()
	if !lessUnsigned(r, b.Sub(r)) {
		if a.Hi < 0 {
			return q.Sub(Int128{Lo: 1})
		}
		return q.Add(Int128{Lo: 1})
	}
	return q
}
