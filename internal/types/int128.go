package types

import (
	"math"
	"math/bits"
)

// Int128 is a two's-complement 128-bit integer, little-endian as Arrow stores it.
type Int128 struct {
	Lo uint64
	Hi int64
}

// Int128FromInt64 widens v.
func Int128FromInt64(v int64) Int128 { return Int128{Lo: uint64(v), Hi: v >> 63} }

// Add gives a + b, wrapping.
func (a Int128) Add(b Int128) Int128 {
	lo, carry := bits.Add64(a.Lo, b.Lo, 0)
	hi, _ := bits.Add64(uint64(a.Hi), uint64(b.Hi), carry)
	return Int128{lo, int64(hi)}
}

// Sub gives a − b, wrapping.
func (a Int128) Sub(b Int128) Int128 {
	lo, borrow := bits.Sub64(a.Lo, b.Lo, 0)
	hi, _ := bits.Sub64(uint64(a.Hi), uint64(b.Hi), borrow)
	return Int128{lo, int64(hi)}
}

// AddChecked gives a + b and whether it fits.
func (a Int128) AddChecked(b Int128) (Int128, bool) {
	s := a.Add(b)
	return s, (a.Hi^s.Hi)&(b.Hi^s.Hi) >= 0
}

// SubChecked gives a − b and whether it fits.
func (a Int128) SubChecked(b Int128) (Int128, bool) {
	s := a.Sub(b)
	return s, (a.Hi^b.Hi)&(a.Hi^s.Hi) >= 0
}

// Neg gives −a, wrapping.
func (a Int128) Neg() Int128 { return Int128{}.Sub(a) }

// Abs gives |a|, wrapping at the minimum.
func (a Int128) Abs() Int128 {
	if a.Hi < 0 {
		return a.Neg()
	}
	return a
}

// Sign gives −1, 0 or 1.
func (a Int128) Sign() int {
	switch {
	case a.Hi < 0:
		return -1
	case a.Hi == 0 && a.Lo == 0:
		return 0
	}
	return 1
}

// Compare gives −1, 0 or 1.
func (a Int128) Compare(b Int128) int {
	switch {
	case a.Hi < b.Hi:
		return -1
	case a.Hi > b.Hi:
		return 1
	case a.Lo < b.Lo:
		return -1
	case a.Lo > b.Lo:
		return 1
	}
	return 0
}

// MulInt64 gives the full product of two 64-bit integers.
func MulInt64(a, b int64) Int128 {
	hi, lo := bits.Mul64(uint64(a), uint64(b))
	h := int64(hi) - (a>>63)&b - (b>>63)&a
	return Int128{lo, h}
}

// MulChecked gives a · b and whether it fits in 128 bits.
func (a Int128) MulChecked(b Int128) (Int128, bool) {
	negative := (a.Hi < 0) != (b.Hi < 0)
	x, y := a.Abs(), b.Abs()
	if x.Hi != 0 && y.Hi != 0 {
		return Int128{}, x.Sign() == 0 || y.Sign() == 0
	}
	if x.Hi != 0 {
		x, y = y, x
	}
	// x < 2^64; y = yh·2^64 + yl
	hi, lo := bits.Mul64(x.Lo, y.Lo)
	overHi, crossLo := bits.Mul64(x.Lo, uint64(y.Hi))
	sum, carry := bits.Add64(hi, crossLo, 0)
	if overHi != 0 || carry != 0 || sum>>63 != 0 {
		return Int128{}, false
	}
	p := Int128{lo, int64(sum)}
	if negative {
		p = p.Neg()
	}
	return p, true
}

// DivMod gives the quotient truncated towards zero and the remainder with a's sign; b must not be 0.
func (a Int128) DivMod(b Int128) (quotient, remainder Int128) {
	x, y := a.Abs(), b.Abs()
	q, r := divModUnsigned(x, y)
	if (a.Hi < 0) != (b.Hi < 0) {
		q = q.Neg()
	}
	if a.Hi < 0 {
		r = r.Neg()
	}
	return q, r
}

func divModUnsigned(x, y Int128) (Int128, Int128) {
	if y.Hi == 0 {
		hi, rem := bits.Div64(0, uint64(x.Hi), y.Lo)
		lo, rem := bits.Div64(rem, x.Lo, y.Lo)
		return Int128{lo, int64(hi)}, Int128{rem, 0}
	}
	// y ≥ 2^64, so the quotient has at most 64 bits: binary long division.
	var q uint64
	rem := Int128{uint64(x.Hi), 0}
	low := x.Lo
	for range 64 {
		rem = Int128{rem.Lo<<1 | low>>63, int64(uint64(rem.Hi)<<1 | rem.Lo>>63)}
		low <<= 1
		q <<= 1
		if !lessUnsigned(rem, y) {
			rem = rem.Sub(y)
			q |= 1
		}
	}
	return Int128{q, 0}, rem
}

func lessUnsigned(a, b Int128) bool {
	return uint64(a.Hi) < uint64(b.Hi) || a.Hi == b.Hi && a.Lo < b.Lo
}

// Float64 gives the nearest double.
func (a Int128) Float64() float64 {
	if a.Hi < 0 {
		n := a.Neg()
		return -(float64(uint64(n.Hi))*(1<<64) + float64(n.Lo))
	}
	return float64(a.Hi)*(1<<64) + float64(a.Lo)
}

// Int128FromFloat64 gives the integer nearest to f (half to even) and whether it fits.
func Int128FromFloat64(f float64) (Int128, bool) {
	r := math.RoundToEven(f)
	if math.IsNaN(r) || r >= 1<<127 || r < -(1<<127) {
		return Int128{}, false
	}
	m := math.Abs(r)
	hi := math.Floor(m / (1 << 64))
	v := Int128{uint64(m - hi*(1<<64)), int64(uint64(hi))}
	if r < 0 {
		v = v.Neg()
	}
	return v, true
}

// Int64 gives the value and whether it fits in 64 bits.
func (a Int128) Int64() (int64, bool) { return int64(a.Lo), a.Hi == int64(a.Lo)>>63 }

// Pow10 gives 10^n for 0 ≤ n ≤ 38.
func Pow10(n int) Int128 { return pow10[n] }

var pow10 = func() (table [39]Int128) {
	table[0] = Int128{1, 0}
	for i := 1; i < len(table); i++ {
		table[i], _ = table[i-1].MulChecked(Int128{10, 0})
	}
	return table
}()

// FitsPrecision tells whether |a| < 10^precision.
func (a Int128) FitsPrecision(precision int) bool {
	return precision > MaxDecimalPrecision || lessUnsigned(a.Abs(), pow10[precision])
}

// AppendDecimal appends a as text with scale digits after the point: the one text form of
// integers (scale 0) and decimals.
func AppendDecimal(dst []byte, a Int128, scale int) []byte {
	if a.Hi < 0 {
		dst = append(dst, '-')
	}
	m := a.Abs()
	var digits [48]byte
	at := len(digits)
	chunk := Int128{10_000_000_000_000_000_000, 0}
	written := 0
	for {
		var r Int128
		m, r = divModUnsigned(m, chunk)
		low := r.Lo
		last := m.Sign() == 0
		for n := 0; n < 19 && (!last || low != 0 || n == 0 && written == 0 || written <= scale); n++ {
			if written == scale && scale > 0 {
				at--
				digits[at] = '.'
			}
			at--
			digits[at] = byte('0' + low%10)
			low /= 10
			written++
		}
		if last {
			break
		}
	}
	for written <= scale {
		if written == scale && scale > 0 {
			at--
			digits[at] = '.'
		}
		at--
		digits[at] = '0'
		written++
	}
	return append(dst, digits[at:]...)
}

// String gives the decimal digits.
func (a Int128) String() string { return string(AppendDecimal(nil, a, 0)) }
