package types

import (
	"encoding/binary"
	"math/bits"
	"strings"
	"time"
	"unsafe"

	"github.com/tarnlake/tarn/internal/sqlerr"
)

// Parse reads the text form of a value as PostgreSQL's input functions do, with their errors. zone
// is the session's time zone, used by timestamptz; nil is UTC. Char drops trailing blanks; varchar(n)
// and char(n) longer than n are refused unless the excess is blank (22001).
func Parse(t Type, s string, zone *time.Location) (Datum, error) {
	b := unsafe.Slice(unsafe.StringData(s), len(s))
	switch t.Kind {
	case Bool:
		v, err := ParseBool(b)
		return BoolDatum(v), err
	case Int16:
		v, err := ParseInt16(b)
		return IntDatum(int64(v)), err
	case Int32:
		v, err := ParseInt32(b)
		return IntDatum(int64(v)), err
	case Int64:
		v, err := ParseInt64(b)
		return IntDatum(v), err
	case Float32:
		v, err := ParseFloat32(b)
		return FloatDatum(float64(v)), err
	case Float64:
		v, err := ParseFloat64(b)
		return FloatDatum(v), err
	case Decimal:
		return parseDecimalDatum(t, b)
	case Int128Kind:
		v, err := ParseDecimal(b, MaxDecimalPrecision, 0)
		return Datum{I128: v}, err
	case Text, Char, Name, InternalChar:
		return parseCharacters(t, s)
	case JSON:
		return StringDatum(s), ValidateJSON(b)
	case JSONB:
		v, err := AppendJSONB(nil, b)
		return StringDatum(string(v)), err
	}
	return parseOther(t, s, b, zone)
}

func parseOther(t Type, s string, b []byte, zone *time.Location) (Datum, error) {
	switch t.Kind {
	case Bytea:
		v, err := ParseBytea(b)
		return StringDatum(string(v)), err
	case Date:
		v, err := ParseDate(b)
		return IntDatum(int64(v)), err
	case Time:
		v, err := ParseTime(b)
		return IntDatum(RoundFraction(t, v)), err
	case Timestamp:
		v, err := ParseTimestamp(b)
		return IntDatum(RoundFraction(t, v)), err
	case TimestampTZ:
		v, err := ParseTimestampTZ(b, zone)
		return IntDatum(RoundFraction(t, v)), err
	case Interval:
		v, err := ParseInterval(b)
		return Datum{Span: v}, err
	case UUID:
		v, err := ParseUUID(b)
		return Datum{I128: v}, err
	case OID, RegClass, RegType, RegProc, RegNamespace:
		v, err := parseOID(b, t)
		return IntDatum(v), err
	case Array:
		return parseArray(t, s, zone)
	case Map:
		return parseMap(t, s, zone)
	case Row:
		return parseRow(t, s, zone)
	}
	return NullDatum(), sqlerr.New(sqlerr.FeatureNotSupported, "cannot accept a value of type %s", t.Base())
}

func parseDecimalDatum(t Type, b []byte) (Datum, error) {
	precision := int(t.Precision)
	if precision == 0 {
		precision = MaxDecimalPrecision
	}
	v, err := ParseDecimal(b, precision, int(t.Scale))
	if err != nil {
		return Datum{}, err
	}
	return DecimalDatum(t, v), nil
}

// DecimalDatum makes a value of a decimal type in the layout that the type uses.
func DecimalDatum(t Type, v Int128) Datum {
	if t.Physical() == PhysInt64 {
		return IntDatum(int64(v.Lo))
	}
	return Datum{I128: v}
}

// Unscaled gives the integer behind a value of a decimal or integer type.
func (d Datum) Unscaled(t Type) Int128 {
	if t.Physical() == PhysInt128 {
		return d.I128
	}
	return Int128FromInt64(d.I64)
}

func parseCharacters(t Type, s string) (Datum, error) {
	switch t.Kind {
	case InternalChar:
		if len(s) > 1 {
			s = s[:1]
		}
		return StringDatum(s), nil
	case Name:
		if len(s) > 63 {
			s = s[:PrefixOfCharacters(s, 63)]
		}
		return StringDatum(s), nil
	}
	if t.Length > 0 && len(s) > int(t.Length) {
		if at := CharacterOffset(s, int(t.Length)); at < len(s) {
			if strings.Trim(s[at:], " ") != "" {
				return Datum{}, tooLong(t)
			}
			s = s[:at]
		}
	}
	if t.Kind == Char {
		s = strings.TrimRight(s, " ")
	}
	return StringDatum(s), nil
}

func tooLong(t Type) error {
	name := t
	if t.Kind == Char {
		name.Length = max(name.Length, 1)
	}
	return sqlerr.New(sqlerr.StringDataRightTruncation, "value too long for type %s", name)
}

// CharacterOffset gives the byte offset of character number n (0-based), len(s) when s is shorter.
func CharacterOffset(s string, n int) int {
	if n >= len(s) {
		return len(s)
	}
	for i := 0; i < len(s); i++ {
		if s[i]&0xC0 != 0x80 {
			if n == 0 {
				return i
			}
			n--
		}
	}
	return len(s)
}

// PrefixOfCharacters gives the longest length ≤ n bytes that does not split a character.
func PrefixOfCharacters(s string, n int) int {
	if n >= len(s) {
		return len(s)
	}
	for n > 0 && s[n]&0xC0 == 0x80 {
		n--
	}
	return n
}

// AppendText appends the text form of a non-null value as PostgreSQL's output functions do; NULL
// appends nothing. zone is the session's time zone for timestamptz; nil is UTC.
func AppendText(dst []byte, t Type, d Datum, zone *time.Location) []byte {
	if d.Null {
		return dst
	}
	switch t.Kind {
	case Bool:
		return AppendBool(dst, d.I64 != 0)
	case Int16, Int32, Int64, OID, RegClass, RegType, RegProc, RegNamespace:
		return AppendDecimal(dst, Int128FromInt64(d.I64), 0)
	case Float32:
		return AppendFloat32(dst, float32(d.F64))
	case Float64:
		return AppendFloat64(dst, d.F64)
	case Decimal:
		return AppendDecimal(dst, d.Unscaled(t), int(t.Scale))
	case Int128Kind:
		return AppendDecimal(dst, d.I128, 0)
	case Char:
		return AppendPadded(dst, d.Str, int(t.Length))
	case Bytea:
		return AppendBytea(dst, d.Str)
	case Date:
		return AppendDate(dst, int32(d.I64))
	case Time:
		return AppendTime(dst, d.I64)
	case Timestamp:
		return AppendTimestamp(dst, d.I64)
	case TimestampTZ:
		return AppendTimestampTZ(dst, d.I64, zone)
	case Interval:
		return AppendInterval(dst, d.Span)
	case UUID:
		return AppendUUID(dst, d.I128)
	case Array:
		return appendArray(dst, t, d, zone)
	case Map:
		return appendMap(dst, t, d, zone)
	case Row:
		return appendRow(dst, t, d, zone)
	}
	return append(dst, d.Str...)
}

// Format is AppendText as a string.
func Format(t Type, d Datum, zone *time.Location) string {
	return string(AppendText(nil, t, d, zone))
}

// AppendPadded appends s and blanks up to n characters: the text form of char(n).
func AppendPadded(dst []byte, s string, n int) []byte {
	dst = append(dst, s...)
	for have := CountCharacters(s); have < n; have++ {
		dst = append(dst, ' ')
	}
	return dst
}

// CountCharacters counts the UTF-8 characters of s, which is taken to be valid.
func CountCharacters(s string) int {
	b := unsafe.Slice(unsafe.StringData(s), len(s))
	n, at := len(b), 0
	for ; at+8 <= len(b); at += 8 {
		if more := continuations(binary.LittleEndian.Uint64(b[at:])); more != 0 {
			n -= bits.OnesCount64(more)
		}
	}
	if rest := uint(len(b) - at); rest > 0 && at > 0 { // the last eight bytes, without those counted
		return n - bits.OnesCount64(continuations(binary.LittleEndian.Uint64(b[len(b)-8:])>>(64-8*rest)))
	}
	for _, c := range b[at:] {
		if c&0xC0 == 0x80 {
			n--
		}
	}
	return n
}

// continuations has a bit for each byte that continues a character: its top bits are 10.
func continuations(word uint64) uint64 { return word >> 7 &^ (word >> 6) & 0x0101010101010101 }

// badSyntax is PostgreSQL's complaint about text that is no value of the type.
func badSyntax(typeName string, b []byte) error {
	return sqlerr.New(sqlerr.InvalidTextRepresentation, "invalid input syntax for type %s: \"%s\"", typeName, b)
}

func outOfRange(typeName string, b []byte) error {
	return sqlerr.New(sqlerr.NumericValueOutOfRange, "value \"%s\" is out of range for type %s", b, typeName)
}

func isSpace(c byte) bool { return c == ' ' || c >= '\t' && c <= '\r' }

func trimSpace(b []byte) []byte {
	for len(b) > 0 && isSpace(b[0]) {
		b = b[1:]
	}
	for len(b) > 0 && isSpace(b[len(b)-1]) {
		b = b[:len(b)-1]
	}
	return b
}
