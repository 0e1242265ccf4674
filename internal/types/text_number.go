package types

import (
	"math"
	"math/big"
	"strconv"
	"unsafe"

	"github.com/tarnlake/tarn/internal/sqlerr"
)

// ParseBool reads a boolean: any unambiguous prefix of true, false, yes, no, on, off, or 1, 0.
func ParseBool(b []byte) (bool, error) {
	switch s := trimSpace(b); {
	case len(s) == 1 && s[0] == '1', hasLowerPrefix("true", s, 1), hasLowerPrefix("yes", s, 1), hasLowerPrefix("on", s, 2):
		return true, nil
	case len(s) == 1 && s[0] == '0', hasLowerPrefix("false", s, 1), hasLowerPrefix("no", s, 1), hasLowerPrefix("off", s, 2):
		return false, nil
	}
	return false, badSyntax("boolean", b)
}

// hasLowerPrefix tells whether s, of at least least bytes, is a prefix of word regardless of case.
func hasLowerPrefix(word string, s []byte, least int) bool {
	if len(s) < least || len(s) > len(word) {
		return false
	}
	for i, c := range s {
		if c|0x20 != word[i] {
			return false
		}
	}
	return true
}

// ParseInt64 reads a bigint.
func ParseInt64(b []byte) (int64, error) {
	return parseInteger(b, math.MinInt64, math.MaxInt64, "bigint")
}

// ParseInt32 reads an integer.
func ParseInt32(b []byte) (int32, error) {
	v, err := parseInteger(b, math.MinInt32, math.MaxInt32, "integer")
	return int32(v), err
}

// ParseInt16 reads a smallint.
func ParseInt16(b []byte) (int16, error) {
	v, err := parseInteger(b, math.MinInt16, math.MaxInt16, "smallint")
	return int16(v), err
}

func parseInteger(b []byte, low, high int64, name string) (int64, error) {
	s := b
	if len(s) == 0 || isSpace(s[0]) || isSpace(s[len(s)-1]) {
		s = trimSpace(s)
	}
	negative := false
	if len(s) > 0 && (s[0] == '-' || s[0] == '+') {
		negative = s[0] == '-'
		s = s[1:]
	}
	if len(s) == 0 {
		return 0, badSyntax(name, b)
	}
	var v uint64
	overflow := false
	for _, c := range s {
		d := uint64(c - '0')
		if d > 9 {
			return 0, badSyntax(name, b)
		}
		if v > (math.MaxUint64-9)/10 {
			overflow = true
			continue
		}
		v = v*10 + d
	}
	switch {
	case overflow, negative && v > uint64(-(low+1))+1, !negative && v > uint64(high):
		return 0, outOfRange(name, b)
	case negative:
		return -int64(v), nil
	}
	return int64(v), nil
}

func parseOID(b []byte, t Type) (int64, error) {
	if s := trimSpace(b); t.Kind != OID && len(s) == 1 && s[0] == '-' {
		return 0, nil
	}
	v, err := parseInteger(b, math.MinInt32, math.MaxUint32, t.Kind.String())
	return int64(uint32(v)), err
}

// ParseFloat64 reads a double precision value: digits, Infinity, NaN.
func ParseFloat64(b []byte) (float64, error) { return parseFloat(b, 64, "double precision") }

// ParseFloat32 reads a real value.
func ParseFloat32(b []byte) (float32, error) {
	v, err := parseFloat(b, 32, "real")
	return float32(v), err
}

func parseFloat(b []byte, bits int, name string) (float64, error) {
	s := trimSpace(b)
	for _, c := range s {
		if c == '_' { // strconv takes it in hexadecimal literals
			return 0, badSyntax(name, b)
		}
	}
	text := unsafe.String(unsafe.SliceData(s), len(s))
	v, err := strconv.ParseFloat(text, bits)
	switch {
	case err == nil && (v != 0 || !hasNonZeroDigit(s)):
		return v, nil
	case err == nil || err.(*strconv.NumError).Err == strconv.ErrRange:
		return 0, sqlerr.New(sqlerr.NumericValueOutOfRange, "\"%s\" is out of range for type %s", s, name)
	}
	return 0, badSyntax(name, b)
}

// hasNonZeroDigit tells an underflow from a written zero.
func hasNonZeroDigit(s []byte) bool {
	for _, c := range s {
		switch {
		case c >= '1' && c <= '9':
			return true
		case c == 'e' || c == 'E':
			return false
		}
	}
	return false
}

// AppendBool appends t or f.
func AppendBool(dst []byte, v bool) []byte {
	if v {
		return append(dst, 't')
	}
	return append(dst, 'f')
}

// AppendFloat64 appends the shortest text that reads back as v, in PostgreSQL's form.
func AppendFloat64(dst []byte, v float64) []byte { return appendFloat(dst, v, 64, 15) }

// AppendFloat32 is AppendFloat64 for real.
func AppendFloat32(dst []byte, v float32) []byte { return appendFloat(dst, float64(v), 32, 6) }

func appendFloat(dst []byte, v float64, bits, plainDigits int) []byte {
	switch {
	case math.IsNaN(v):
		return append(dst, "NaN"...)
	case math.IsInf(v, 1):
		return append(dst, "Infinity"...)
	case math.IsInf(v, -1):
		return append(dst, "-Infinity"...)
	case v == math.Trunc(v) && math.Abs(v) < 1e6 && (v != 0 || !math.Signbit(v)):
		return strconv.AppendInt(dst, int64(v), 10)
	}
	var scratch [32]byte
	e := strictlyInside(strconv.AppendFloat(scratch[:0], v, 'e', -1, bits), v, bits)
	return appendDigits(dst, e, plainDigits)
}

// appendDigits rewrites d.ddde±xx, plainly when the exponent is in -4 … plainDigits-1.
func appendDigits(dst, e []byte, plainDigits int) []byte {
	if e[0] == '-' {
		dst, e = append(dst, '-'), e[1:]
	}
	at := len(e) - 1
	for e[at] != 'e' {
		at--
	}
	exponent, _ := strconv.Atoi(unsafe.String(&e[at+1], len(e)-at-1))
	if exponent < -4 || exponent >= plainDigits {
		return append(dst, e...)
	}
	digits := e[:1]
	if at > 1 {
		copy(e[1:], e[2:at])
		digits = e[:at-1]
	}
	switch point := exponent + 1; {
	case point <= 0:
		dst = append(dst, "0.000"[:2-point]...)
		return append(dst, digits...)
	case point >= len(digits):
		dst = append(dst, digits...)
		for range point - len(digits) {
			dst = append(dst, '0')
		}
		return dst
	default:
		dst = append(dst, digits[:point]...)
		dst = append(dst, '.')
		return append(dst, digits[point:]...)
	}
}

// strictlyInside replaces a shortest form that lies exactly halfway between two floats (1e23) by one
// inside the interval that reads back as v, as PostgreSQL prints it.
func strictlyInside(e []byte, v float64, bits int) []byte {
	limit := float64(1 << 53)
	if bits == 32 {
		limit = 1 << 24
	}
	if math.Abs(v) < limit || !isHalfway(e, v, bits) {
		return e
	}
	for precision := 1; precision <= 17; precision++ {
		try := strconv.AppendFloat(nil, v, 'e', precision, bits)
		if back, err := strconv.ParseFloat(string(try), bits); err == nil && back == v && !isHalfway(try, v, bits) {
			return try
		}
	}
	return e
}

func isHalfway(e []byte, v float64, bits int) bool {
	written, _, err := big.ParseFloat(string(e), 10, 200, big.ToNearestEven)
	if err != nil {
		return false
	}
	exact := new(big.Float).SetPrec(200).SetFloat64(v)
	if written.Cmp(exact) == 0 {
		return false
	}
	neighbour := math.Nextafter(v, math.Inf(written.Cmp(exact)))
	if bits == 32 {
		neighbour = float64(math.Nextafter32(float32(v), float32(math.Inf(written.Cmp(exact)))))
	}
	if math.IsInf(neighbour, 0) {
		return false
	}
	sum := new(big.Float).SetPrec(200).SetFloat64(neighbour)
	sum.Add(sum, exact)
	return sum.Cmp(written.Add(written, written)) == 0
}
