package pgwire

import (
	"encoding/binary"
	"math"

	"github.com/tarnlake/tarn/internal/types"
)

func appendBinaryTimestamp(dst []byte, micros int64) []byte {
	if types.IsFiniteTimestamp(micros) {
		micros -= postgresEpochMicros
	}
	return binary.BigEndian.AppendUint64(dst, uint64(micros))
}

func appendBinaryDate(dst []byte, days int32) []byte {
	if days != types.DateInfinity && days != types.DateMinusInfinity {
		days -= postgresEpochDays
	}
	return binary.BigEndian.AppendUint32(dst, uint32(days))
}

func appendBinaryInterval(dst []byte, v types.IntervalValue) []byte {
	dst = binary.BigEndian.AppendUint64(dst, uint64(v.Micros))
	dst = binary.BigEndian.AppendUint32(dst, uint32(v.Days))
	return binary.BigEndian.AppendUint32(dst, uint32(v.Months))
}

func appendBinaryUUID(dst []byte, v types.Int128) []byte {
	dst = binary.BigEndian.AppendUint64(dst, uint64(v.Hi))
	return binary.BigEndian.AppendUint64(dst, v.Lo)
}

// Signs of binary numerics.
const (
	numericPositive = 0x0000
	numericNegative = 0x4000
)

// appendBinaryNumeric appends v / 10^scale as PostgreSQL's digits of base 10,000: the number of
// digits, the weight of the first, the sign, the scale shown, the digits. Trailing zero digits and
// leading ones are left out.
func appendBinaryNumeric(dst []byte, v types.Int128, scale int) []byte {
	sign := uint16(numericPositive)
	if v.Sign() < 0 {
		sign = numericNegative
		v = v.Abs()
	}
	// Groups of four decimal digits are aligned at the point, so the fraction is padded first.
	var groups [12]uint16 // least significant first
	count := 0
	fractionGroups := (scale + 3) / 4
	first := 4*fractionGroups - scale // digits that the last group has to be filled up with
	take := func(width int) uint16 {
		if n, fits := v.Int64(); fits {
			p := [...]int64{1, 10, 100, 1000, 10000}[width]
			v = types.Int128FromInt64(n / p)
			return uint16(n % p)
		}
		q, r := v.DivMod(types.Pow10(width))
		v = q
		return uint16(r.Lo)
	}
	if first > 0 {
		groups[0] = take(4-first) * uint16([...]int{1, 10, 100, 1000}[first])
		count = 1
	}
	for v.Sign() > 0 || count < fractionGroups {
		groups[count] = take(4)
		count++
	}
	weight := count - fractionGroups - 1
	low := 0
	for count > low && groups[count-1] == 0 {
		count--
		weight--
	}
	for low < count && groups[low] == 0 {
		low++
	}
	if count == low {
		weight = 0
	}
	dst = binary.BigEndian.AppendUint16(dst, uint16(count-low))
	dst = binary.BigEndian.AppendUint16(dst, uint16(int16(weight)))
	dst = binary.BigEndian.AppendUint16(dst, sign)
	dst = binary.BigEndian.AppendUint16(dst, uint16(scale))
	for i := count - 1; i >= low; i-- {
		dst = binary.BigEndian.AppendUint16(dst, groups[i])
	}
	return dst
}

// appendBinaryDatum appends the binary form of a single non-null value; what vectors hold in bulk
// goes through column.
func appendBinaryDatum(dst []byte, t types.Type, d types.Datum) []byte {
	switch encodingOf(t, true) {
	case encodeBinaryBool:
		return append(dst, byte(d.I64))
	case encodeBinaryInt16:
		return binary.BigEndian.AppendUint16(dst, uint16(d.I64))
	case encodeBinaryInt32, encodeBinaryOID:
		return binary.BigEndian.AppendUint32(dst, uint32(d.I64))
	case encodeBinaryInt64:
		return binary.BigEndian.AppendUint64(dst, uint64(d.I64))
	case encodeBinaryFloat32:
		return binary.BigEndian.AppendUint32(dst, math.Float32bits(float32(d.F64)))
	case encodeBinaryFloat64:
		return binary.BigEndian.AppendUint64(dst, math.Float64bits(d.F64))
	case encodeBinaryDecimal64, encodeBinaryDecimal128:
		return appendBinaryNumeric(dst, d.Unscaled(t), int(t.Scale))
	case encodeBinaryDate:
		return appendBinaryDate(dst, int32(d.I64))
	case encodeBinaryTimestamp:
		return appendBinaryTimestamp(dst, d.I64)
	case encodeBinaryInterval:
		return appendBinaryInterval(dst, d.Span)
	case encodeBinaryUUID:
		return appendBinaryUUID(dst, d.I128)
	case encodeBinaryJSONB:
		return append(append(dst, 1), d.Str...)
	case encodeBytes:
		return append(dst, d.Str...)
	case encodeBinaryNested:
		if t.Kind == types.Row {
			return appendBinaryRow(dst, t, d)
		}
		return appendBinaryArray(dst, t, d)
	}
	return types.AppendText(dst, t, d, nil)
}

func appendBinaryItem(dst []byte, t types.Type, d types.Datum) []byte {
	if d.Null {
		return append32(dst, -1)
	}
	start := len(dst)
	dst = appendBinaryDatum(append(dst, 0, 0, 0, 0), t, d)
	binary.BigEndian.PutUint32(dst[start:], uint32(len(dst)-start-4))
	return dst
}

func appendBinaryRow(dst []byte, t types.Type, d types.Datum) []byte {
	dst = append32(dst, int32(len(d.Items)))
	for i, item := range d.Items {
		dst = append32(dst, int32(t.Fields[i].Type.OID()))
		dst = appendBinaryItem(dst, t.Fields[i].Type, item)
	}
	return dst
}

// appendBinaryArray appends an array; nested arrays are its further dimensions. PostgreSQL's arrays
// are rectangular: where ours are not, missing places are NULL.
func appendBinaryArray(dst []byte, t types.Type, d types.Datum) []byte {
	elem, depth := *t.Elem, 1
	for ; elem.Kind == types.Array; elem = *elem.Elem {
		depth++
	}
	dims := make([]int, depth)
	measure(dims, d)
	flat := flatten(nil, dims, d)
	hasNull := int32(0)
	for _, item := range flat {
		if item.Null {
			hasNull = 1
		}
	}
	if len(flat) == 0 {
		dims = nil
	}
	dst = append32(dst, int32(len(dims)))
	dst = append32(dst, hasNull)
	dst = append32(dst, int32(elem.OID()))
	for _, n := range dims {
		dst = append32(dst, int32(n))
		dst = append32(dst, 1)
	}
	for _, item := range flat {
		dst = appendBinaryItem(dst, elem, item)
	}
	return dst
}

// measure raises dims to the lengths found in d.
func measure(dims []int, d types.Datum) {
	dims[0] = max(dims[0], len(d.Items))
	if len(dims) > 1 {
		for _, item := range d.Items {
			measure(dims[1:], item)
		}
	}
}

// flatten lists the elements of d row by row, filled up to dims.
func flatten(into []types.Datum, dims []int, d types.Datum) []types.Datum {
	for i := range dims[0] {
		item := types.NullDatum()
		if i < len(d.Items) {
			item = d.Items[i]
		}
		if len(dims) > 1 {
			into = flatten(into, dims[1:], item)
		} else {
			into = append(into, item)
		}
	}
	return into
}
