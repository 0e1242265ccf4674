package pgwire

import (
	"encoding/binary"
	"math"
	"time"
	"unicode/utf8"

	"github.com/tarnlake/tarn/internal/sqlerr"
	"github.com/tarnlake/tarn/internal/types"
)

// decodeParameter reads one value that a client sent, in text or binary form; nil is NULL.
func decodeParameter(t types.Type, format int16, b []byte, zone *time.Location) (types.Datum, error) {
	if b == nil {
		return types.NullDatum(), nil
	}
	if format == textFormat {
		if err := checkText(b); err != nil {
			return types.Datum{}, err
		}
		if t.Kind == types.Unknown {
			return types.StringDatum(string(b)), nil
		}
		return types.Parse(t, string(b), zone)
	}
	return decodeBinary(t, b)
}

// checkText refuses what is no UTF-8 text, or holds a zero byte.
func checkText(b []byte) error {
	for i := 0; i < len(b); {
		if b[i] == 0 {
			return invalidBytes(b[i : i+1])
		}
		if b[i] < utf8.RuneSelf {
			i++
			continue
		}
		r, size := utf8.DecodeRune(b[i:])
		if r == utf8.RuneError && size <= 1 {
			return invalidBytes(b[i:min(i+3, len(b))])
		}
		i += size
	}
	return nil
}

func invalidBytes(b []byte) error {
	const digits = "0123456789abcdef"
	text := ""
	for _, c := range b {
		text += " 0x" + string(digits[c>>4]) + string(digits[c&15])
	}
	return sqlerr.New(sqlerr.CharacterNotInRepertoire, "invalid byte sequence for encoding \"UTF8\":%s", text)
}

func badBinary(t types.Type) error {
	return sqlerr.New(sqlerr.InvalidBinaryRepresentation, "incorrect binary data format for type %s", t.Base())
}

// binaryWidth is the only length that the type's binary form may have; 0 is any.
func binaryWidth(t types.Type) int {
	switch t.Kind {
	case types.Bool:
		return 1
	case types.Int16:
		return 2
	case types.Int32, types.Float32, types.Date, types.OID, types.RegClass, types.RegType, types.RegProc, types.RegNamespace:
		return 4
	case types.Int64, types.Float64, types.Time, types.Timestamp, types.TimestampTZ:
		return 8
	case types.Interval, types.UUID:
		return 16
	}
	return 0
}

func decodeBinary(t types.Type, b []byte) (types.Datum, error) {
	if width := binaryWidth(t); width > 0 && len(b) != width {
		return types.Datum{}, badBinary(t)
	}
	switch t.Kind {
	case types.Bool:
		return types.BoolDatum(b[0] != 0), nil
	case types.Int16:
		return types.IntDatum(int64(int16(binary.BigEndian.Uint16(b)))), nil
	case types.Int32:
		return types.IntDatum(int64(int32(binary.BigEndian.Uint32(b)))), nil
	case types.OID, types.RegClass, types.RegType, types.RegProc, types.RegNamespace:
		return types.IntDatum(int64(binary.BigEndian.Uint32(b))), nil
	case types.Int64:
		return types.IntDatum(int64(binary.BigEndian.Uint64(b))), nil
	case types.Float32:
		return types.FloatDatum(float64(math.Float32frombits(binary.BigEndian.Uint32(b)))), nil
	case types.Float64:
		return types.FloatDatum(math.Float64frombits(binary.BigEndian.Uint64(b))), nil
	case types.Decimal:
		return decodeNumeric(t, b)
	case types.Date, types.Time, types.Timestamp, types.TimestampTZ:
		return decodeBinaryMoment(t, b)
	case types.Interval:
		return types.Datum{Span: types.IntervalValue{Micros: int64(binary.BigEndian.Uint64(b)),
			Days: int32(binary.BigEndian.Uint32(b[8:])), Months: int32(binary.BigEndian.Uint32(b[12:]))}}, nil
	case types.UUID:
		return types.Datum{I128: types.Int128{Hi: int64(binary.BigEndian.Uint64(b)), Lo: binary.BigEndian.Uint64(b[8:])}}, nil
	case types.Bytea:
		return types.StringDatum(string(b)), nil
	case types.Array:
		return decodeBinaryArray(t, b)
	case types.Row:
		return decodeBinaryRow(t, b)
	case types.JSONB:
		if len(b) == 0 || b[0] != 1 {
			return types.Datum{}, sqlerr.New(sqlerr.InvalidBinaryRepresentation, "unsupported jsonb version number")
		}
		b = b[1:]
	}
	if err := checkText(b); err != nil {
		return types.Datum{}, err
	}
	if t.Kind == types.Unknown {
		return types.StringDatum(string(b)), nil
	}
	return types.Parse(t, string(b), nil)
}

func decodeBinaryMoment(t types.Type, b []byte) (types.Datum, error) {
	if t.Kind == types.Date {
		days := int64(int32(binary.BigEndian.Uint32(b)))
		if days != types.DateInfinity && days != types.DateMinusInfinity {
			days += postgresEpochDays
			if days >= types.DateInfinity {
				return types.Datum{}, sqlerr.New(sqlerr.DatetimeFieldOverflow, "date out of range")
			}
		}
		return types.IntDatum(days), nil
	}
	micros := int64(binary.BigEndian.Uint64(b))
	if t.Kind == types.Time {
		if micros < 0 || micros > 86_400_000_000 {
			return types.Datum{}, sqlerr.New(sqlerr.DatetimeFieldOverflow, "time out of range")
		}
		return types.IntDatum(micros), nil
	}
	if types.IsFiniteTimestamp(micros) {
		if micros > math.MaxInt64-postgresEpochMicros || !types.ValidTimestamp(micros+postgresEpochMicros) {
			return types.Datum{}, sqlerr.New(sqlerr.DatetimeFieldOverflow, "timestamp out of range")
		}
		micros += postgresEpochMicros
	}
	return types.IntDatum(micros), nil
}

// decodeNumeric reads digits of base 10,000; more digits after the point than the type has are
// rounded.
func decodeNumeric(t types.Type, b []byte) (types.Datum, error) {
	if len(b) < 8 {
		return types.Datum{}, badBinary(t)
	}
	count := int(binary.BigEndian.Uint16(b))
	weight := int(int16(binary.BigEndian.Uint16(b[2:])))
	sign := binary.BigEndian.Uint16(b[4:])
	if len(b) != 8+2*count {
		return types.Datum{}, badBinary(t)
	}
	if sign != numericPositive && sign != numericNegative {
		return types.Datum{}, sqlerr.New(sqlerr.NumericValueOutOfRange, "cannot convert NaN or infinity to %s", t)
	}
	precision, scale := int(t.Precision), int(t.Scale)
	if precision == 0 {
		precision = types.MaxDecimalPrecision
	}
	value, ok, up := types.Int128{}, true, false
	place := scale + 4*(weight+1) // decimal places that the digits so far must still be shifted by
	for i := 0; i < count && ok; i++ {
		digit := int64(binary.BigEndian.Uint16(b[8+2*i:]))
		if digit > 9999 {
			return types.Datum{}, badBinary(t)
		}
		place -= 4
		if place <= -4 {
			if place == -4 {
				up = digit >= 5000
			}
			break
		}
		width := 4
		if place < 0 {
			width = 4 + place
			p := int64([...]int{1, 10, 100, 1000, 10000}[4-width])
			up = digit%p*2 >= p
			digit /= p
		}
		value, ok = shiftIn(value, width, digit)
	}
	for ; place > 0 && ok && value.Sign() != 0; place-- {
		value, ok = shiftIn(value, 1, 0)
	}
	if up && ok {
		value, ok = value.AddChecked(types.Int128FromInt64(1))
	}
	if !ok || !value.FitsPrecision(precision) {
		return types.Datum{}, types.NumericOverflow(precision, scale)
	}
	if sign == numericNegative {
		value = value.Neg()
	}
	return types.DecimalDatum(t, value), nil
}

func shiftIn(v types.Int128, width int, digit int64) (types.Int128, bool) {
	v, ok := v.MulChecked(types.Pow10(width))
	if !ok {
		return v, false
	}
	return v.AddChecked(types.Int128FromInt64(digit))
}

// itemsReader takes counts and framed items off a binary array or row.
type itemsReader struct {
	b  []byte
	ok bool
}

func (r *itemsReader) int32() int {
	if len(r.b) < 4 {
		r.ok = false
		return 0
	}
	v := int(int32(binary.BigEndian.Uint32(r.b)))
	r.b = r.b[4:]
	return v
}

func (r *itemsReader) item() (b []byte, null bool) {
	n := r.int32()
	if n == -1 {
		return nil, true
	}
	if n < 0 || n > len(r.b) {
		r.ok = false
		return nil, true
	}
	b, r.b = r.b[:n:n], r.b[n:]
	return b, false
}

// mostDimensions is PostgreSQL's bound.
const mostDimensions = 6

func decodeBinaryArray(t types.Type, b []byte) (types.Datum, error) {
	r := &itemsReader{b: b, ok: true}
	dims := r.int32()
	r.int32() // whether there are nulls
	sent := uint32(r.int32())
	if !r.ok || dims < 0 || dims > mostDimensions {
		return types.Datum{}, badBinary(t)
	}
	lengths := make([]int, dims)
	total := 1
	for i := range lengths {
		lengths[i] = r.int32()
		r.int32() // lower bound
		if lengths[i] < 0 || lengths[i] > len(b) {
			return types.Datum{}, badBinary(t)
		}
		if total *= lengths[i]; total > len(b) {
			return types.Datum{}, badBinary(t)
		}
	}
	leaf := *t.Elem
	depth := 1
	for ; leaf.Kind == types.Array; leaf = *leaf.Elem {
		depth++
	}
	if dims == 0 {
		return types.Datum{Items: []types.Datum{}}, nil
	}
	if dims != depth {
		return types.Datum{}, sqlerr.New(sqlerr.DatatypeMismatch, "array of %d dimensions given for type %s", dims, t)
	}
	if from, known := types.FromOID(sent); known && from.Kind != types.Unknown && from.Kind != leaf.Kind && !(from.IsString() && leaf.IsString()) {
		return types.Datum{}, sqlerr.New(sqlerr.DatatypeMismatch, "binary data has array element type %s instead of expected %s", from.Base(), leaf.Base())
	}
	d, err := r.array(leaf, lengths)
	if err != nil {
		return types.Datum{}, err
	}
	if !r.ok || len(r.b) != 0 {
		return types.Datum{}, badBinary(t)
	}
	return d, nil
}

func (r *itemsReader) array(leaf types.Type, lengths []int) (types.Datum, error) {
	d := types.Datum{Items: make([]types.Datum, 0, lengths[0])}
	for range lengths[0] {
		var item types.Datum
		var err error
		if len(lengths) > 1 {
			item, err = r.array(leaf, lengths[1:])
		} else if b, null := r.item(); null {
			item = types.NullDatum()
		} else {
			item, err = decodeBinary(leaf, b)
		}
		if err != nil {
			return types.Datum{}, err
		}
		d.Items = append(d.Items, item)
	}
	return d, nil
}

func decodeBinaryRow(t types.Type, b []byte) (types.Datum, error) {
	r := &itemsReader{b: b, ok: true}
	if n := r.int32(); !r.ok || n != len(t.Fields) {
		return types.Datum{}, badBinary(t)
	}
	d := types.Datum{Items: make([]types.Datum, len(t.Fields))}
	for i, f := range t.Fields {
		r.int32() // the field's type
		b, null := r.item()
		if !r.ok {
			return types.Datum{}, badBinary(t)
		}
		d.Items[i] = types.NullDatum()
		if !null {
			item, err := decodeBinary(f.Type, b)
			if err != nil {
				return types.Datum{}, err
			}
			d.Items[i] = item
		}
	}
	if len(r.b) != 0 {
		return types.Datum{}, badBinary(t)
	}
	return d, nil
}
