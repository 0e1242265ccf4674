package pgwire

import (
	"encoding/binary"
	"math"
	"strconv"
	"time"

	"github.com/tarnlake/tarn/coordinator/session"
	"github.com/tarnlake/tarn/internal/types"
	"github.com/tarnlake/tarn/internal/vec"
)

// encoding is how one column's values become bytes: resolved once a result, switched on once a value.
type encoding uint8

const (
	encodeNull encoding = iota
	encodeTextBool
	encodeTextInt16
	encodeTextInt32
	encodeTextInt64
	encodeTextFloat32
	encodeTextFloat64
	encodeTextDecimal64
	encodeTextDecimal128
	encodeTextDate
	encodeTextTime
	encodeTextTimestamp
	encodeTextTimestampTZ
	encodeTextInterval
	encodeISOInterval
	encodeTextUUID
	encodeTextBytea
	encodePadded // char(n), both formats
	encodeBytes  // strings, both formats
	encodeTextNested
	encodeTextCatalogName // regclass and its like
	encodeBinaryBool
	encodeBinaryInt16
	encodeBinaryInt32
	encodeBinaryInt64
	encodeBinaryOID
	encodeBinaryFloat32
	encodeBinaryFloat64
	encodeBinaryDecimal64
	encodeBinaryDecimal128
	encodeBinaryDate
	encodeBinaryTimestamp
	encodeBinaryInterval
	encodeBinaryUUID
	encodeBinaryJSONB
	encodeBinaryNested
)

// Moments of PostgreSQL's binary formats count from 2000-01-01.
const (
	postgresEpochDays   = 10957
	postgresEpochMicros = postgresEpochDays * 86_400_000_000
)

// column encodes the values of one result column.
type column struct {
	enc   encoding
	typ   types.Type
	scale int
	width int // char(n)
	zone  *time.Location
	names func(kind types.Kind, oid int64) string

	// The batch that is being sent.
	vector   *vec.Vector
	special  bool       // nulls, a dictionary or a constant: not simply value row
	valid    vec.Bitmap // by row; nil: no nulls
	index    []int32    // codes of a dictionary; nil: the row itself
	constant bool
	fixed    []byte // the one value of a constant, framed
	u8       []uint8
	i16      []int16
	i32      []int32
	i64      []int64
	i128     []types.Int128
	f32      []float32
	f64      []float64
	spans    []types.IntervalValue
	views    []vec.View
	buffers  [][]byte
}

// encodingOf chooses by type and format.
func encodingOf(t types.Type, binaryForm bool) encoding {
	pick := func(text, bin encoding) encoding {
		if binaryForm {
			return bin
		}
		return text
	}
	wide := t.Physical() == types.PhysInt128
	switch t.Kind {
	case types.Bool:
		return pick(encodeTextBool, encodeBinaryBool)
	case types.Int16:
		return pick(encodeTextInt16, encodeBinaryInt16)
	case types.Int32:
		return pick(encodeTextInt32, encodeBinaryInt32)
	case types.Int64:
		return pick(encodeTextInt64, encodeBinaryInt64)
	case types.OID:
		return pick(encodeTextInt64, encodeBinaryOID)
	case types.RegClass, types.RegType, types.RegProc, types.RegNamespace:
		return pick(encodeTextCatalogName, encodeBinaryOID)
	case types.Float32:
		return pick(encodeTextFloat32, encodeBinaryFloat32)
	case types.Float64:
		return pick(encodeTextFloat64, encodeBinaryFloat64)
	case types.Decimal, types.Int128Kind:
		if wide {
			return pick(encodeTextDecimal128, encodeBinaryDecimal128)
		}
		return pick(encodeTextDecimal64, encodeBinaryDecimal64)
	case types.Date:
		return pick(encodeTextDate, encodeBinaryDate)
	case types.Time:
		return pick(encodeTextTime, encodeBinaryInt64)
	case types.Timestamp:
		return pick(encodeTextTimestamp, encodeBinaryTimestamp)
	case types.TimestampTZ:
		return pick(encodeTextTimestampTZ, encodeBinaryTimestamp)
	case types.Interval:
		return pick(encodeTextInterval, encodeBinaryInterval)
	case types.UUID:
		return pick(encodeTextUUID, encodeBinaryUUID)
	case types.Bytea:
		return pick(encodeTextBytea, encodeBytes)
	case types.JSONB:
		return pick(encodeBytes, encodeBinaryJSONB)
	case types.Char:
		return encodePadded
	case types.Text, types.JSON, types.Name, types.InternalChar:
		return encodeBytes
	case types.Array, types.Row:
		return pick(encodeTextNested, encodeBinaryNested)
	case types.Map:
		return encodeTextNested
	}
	return encodeNull
}

// rowEncoder turns batches into DataRow messages (or the rows of a binary COPY).
type rowEncoder struct {
	columns []column
	batch   *vec.Batch
}

// newRowEncoder makes an encoder for a client's result formats and settings.
func newRowEncoder(schema types.Schema, formats []int16, state *session.State) *rowEncoder {
	settings := state.Settings
	e := newEncoder(schema, formats, settings.TimeZone())
	for i := range e.columns {
		e.columns[i].names = state.CatalogName
	}
	if settings.Get("IntervalStyle") == "iso_8601" {
		for i := range e.columns {
			if e.columns[i].enc == encodeTextInterval {
				e.columns[i].enc = encodeISOInterval
			}
		}
	}
	return e
}

func newEncoder(schema types.Schema, formats []int16, zone *time.Location) *rowEncoder {
	e := &rowEncoder{columns: make([]column, len(schema))}
	for i, field := range schema {
		e.columns[i] = column{enc: encodingOf(field.Type, formatOf(formats, i) == binaryFormat), typ: field.Type,
			scale: int(field.Type.Scale), width: int(field.Type.Length), zone: zone}
	}
	return e
}

// use makes b the batch that rows are taken from.
func (e *rowEncoder) use(b *vec.Batch) {
	e.batch = b
	for i := range e.columns {
		e.columns[i].use(&b.Cols[i])
	}
}

func (c *column) use(v *vec.Vector) {
	c.valid, c.fixed = v.Valid, nil
	if v.Type.Kind == types.Unknown {
		c.enc = encodeNull
	}
	c.vector, c.index, c.constant = v.Base()
	flat := c.vector
	switch flat.Type.Physical() {
	case types.PhysBool:
		c.u8 = vec.Values[uint8](flat)
	case types.PhysInt16:
		c.i16 = vec.Values[int16](flat)
	case types.PhysInt32:
		c.i32 = vec.Values[int32](flat)
	case types.PhysInt64:
		c.i64 = vec.Values[int64](flat)
	case types.PhysInt128:
		c.i128 = vec.Values[types.Int128](flat)
	case types.PhysFloat32:
		c.f32 = vec.Values[float32](flat)
	case types.PhysFloat64:
		c.f64 = vec.Values[float64](flat)
	case types.PhysInterval:
		c.spans = vec.Values[types.IntervalValue](flat)
	case types.PhysString:
		c.views, c.buffers = vec.Values[vec.View](flat), flat.Buffers
	}
	c.special = c.constant || c.index != nil || c.valid != nil || c.enc == encodeNull
	if c.constant {
		if c.valid.Get(0) && c.enc != encodeNull {
			c.fixed = c.appendFramed(nil, 0)
		} else {
			c.fixed = []byte{0xff, 0xff, 0xff, 0xff}
		}
	}
}

// appendRows appends rows from ≤ i < to until dst is longer than limit, and gives the next row.
func (e *rowEncoder) appendRows(dst []byte, from, to, limit int) ([]byte, int) {
	sel := e.batch.Sel
	count := len(e.columns)
	for from < to && len(dst) < limit {
		row := from
		if sel != nil {
			row = int(sel[from])
		}
		start := len(dst) + 1
		dst = append(dst, 'D', 0, 0, 0, 0, byte(count>>8), byte(count))
		for i := range e.columns {
			dst = e.columns[i].append(dst, row)
		}
		binary.BigEndian.PutUint32(dst[start:], uint32(len(dst)-start))
		from++
	}
	return dst, from
}

// append appends the value of a row with its length before it.
func (c *column) append(dst []byte, row int) []byte {
	if c.special {
		switch {
		case c.fixed != nil:
			return append(dst, c.fixed...)
		case c.enc == encodeNull || !c.valid.Get(row):
			return append(dst, 0xff, 0xff, 0xff, 0xff)
		case c.index != nil:
			row = int(c.index[row])
		}
	}
	return c.appendFramed(dst, row)
}

// appendFramed appends value at of the flat vector with its length; the most frequent forms, whose
// length is known beforehand, come first.
func (c *column) appendFramed(dst []byte, at int) []byte {
	switch c.enc {
	case encodeBytes:
		b := c.views[at].Bytes(c.buffers)
		n := len(b)
		return append(append(dst, byte(n>>24), byte(n>>16), byte(n>>8), byte(n)), b...)
	case encodeBinaryInt64:
		return appendFramed64(dst, uint64(c.i64[at]))
	case encodeBinaryFloat64:
		return appendFramed64(dst, math.Float64bits(c.f64[at]))
	case encodeBinaryInt32:
		v := c.i32[at]
		return append(dst, 0, 0, 0, 4, byte(v>>24), byte(v>>16), byte(v>>8), byte(v))
	case encodeBinaryBool:
		return append(dst, 0, 0, 0, 1, c.u8[at])
	case encodeTextBool:
		return append(dst, 0, 0, 0, 1, "ft"[c.u8[at]&1])
	}
	start := len(dst)
	dst = c.appendValue(append(dst, 0, 0, 0, 0), at)
	binary.BigEndian.PutUint32(dst[start:], uint32(len(dst)-start-4))
	return dst
}

func appendFramed64(dst []byte, v uint64) []byte {
	return append(dst, 0, 0, 0, 8, byte(v>>56), byte(v>>48), byte(v>>40), byte(v>>32), byte(v>>24), byte(v>>16), byte(v>>8), byte(v))
}

// appendValue appends value at of the flat vector, which is not null.
func (c *column) appendValue(dst []byte, at int) []byte {
	switch c.enc {
	case encodeBytes:
		return append(dst, c.views[at].Bytes(c.buffers)...)
	case encodeTextInt32:
		return strconv.AppendInt(dst, int64(c.i32[at]), 10)
	case encodeTextInt64:
		return strconv.AppendInt(dst, c.i64[at], 10)
	case encodeTextFloat64:
		return types.AppendFloat64(dst, c.f64[at])
	case encodeTextDecimal64:
		return appendDecimal64(dst, c.i64[at], c.scale)
	case encodeTextDate:
		return types.AppendDate(dst, c.i32[at])
	case encodeTextTimestamp:
		return types.AppendTimestamp(dst, c.i64[at])
	case encodeTextTimestampTZ:
		return types.AppendTimestampTZ(dst, c.i64[at], c.zone)
	case encodeTextBool:
		return types.AppendBool(dst, c.u8[at] != 0)
	case encodeTextInt16:
		return strconv.AppendInt(dst, int64(c.i16[at]), 10)
	case encodeTextDecimal128:
		return types.AppendDecimal(dst, c.i128[at], c.scale)
	case encodeTextFloat32:
		return types.AppendFloat32(dst, c.f32[at])
	case encodeTextTime:
		return types.AppendTime(dst, c.i64[at])
	case encodeTextInterval:
		return types.AppendInterval(dst, c.spans[at])
	case encodeISOInterval:
		return appendISOInterval(dst, c.spans[at])
	case encodeTextUUID:
		return types.AppendUUID(dst, c.i128[at])
	case encodeTextBytea:
		return types.AppendBytea(dst, c.views[at].String(c.buffers))
	case encodePadded:
		return types.AppendPadded(dst, c.views[at].String(c.buffers), max(c.width, 1))
	case encodeTextCatalogName:
		if c.names == nil {
			return strconv.AppendInt(dst, c.i64[at], 10)
		}
		return append(dst, c.names(c.typ.Kind, c.i64[at])...)
	case encodeTextNested:
		return types.AppendText(dst, c.typ, c.vector.Datum(at), c.zone)
	}
	return c.appendBinary(dst, at)
}

func (c *column) appendBinary(dst []byte, at int) []byte {
	switch c.enc {
	case encodeBinaryInt64:
		return binary.BigEndian.AppendUint64(dst, uint64(c.i64[at]))
	case encodeBinaryInt32:
		return binary.BigEndian.AppendUint32(dst, uint32(c.i32[at]))
	case encodeBinaryFloat64:
		return binary.BigEndian.AppendUint64(dst, math.Float64bits(c.f64[at]))
	case encodeBinaryTimestamp:
		return appendBinaryTimestamp(dst, c.i64[at])
	case encodeBinaryDate:
		return appendBinaryDate(dst, c.i32[at])
	case encodeBinaryDecimal64:
		return appendBinaryNumeric(dst, types.Int128FromInt64(c.i64[at]), c.scale)
	case encodeBinaryDecimal128:
		return appendBinaryNumeric(dst, c.i128[at], c.scale)
	case encodeBinaryBool:
		return append(dst, c.u8[at])
	case encodeBinaryInt16:
		return binary.BigEndian.AppendUint16(dst, uint16(c.i16[at]))
	case encodeBinaryOID:
		return binary.BigEndian.AppendUint32(dst, uint32(c.i64[at]))
	case encodeBinaryFloat32:
		return binary.BigEndian.AppendUint32(dst, math.Float32bits(c.f32[at]))
	case encodeBinaryInterval:
		return appendBinaryInterval(dst, c.spans[at])
	case encodeBinaryUUID:
		return appendBinaryUUID(dst, c.i128[at])
	case encodeBinaryJSONB:
		return append(append(dst, 1), c.views[at].Bytes(c.buffers)...)
	case encodeBinaryNested:
		return appendBinaryDatum(dst, c.typ, c.vector.Datum(at))
	}
	return dst
}

// appendDecimal64 appends v / 10^scale without going through 128 bits.
func appendDecimal64(dst []byte, v int64, scale int) []byte {
	if scale == 0 {
		return strconv.AppendInt(dst, v, 10)
	}
	magnitude := uint64(v)
	if v < 0 {
		dst = append(dst, '-')
		magnitude = -magnitude
	}
	var digits [24]byte
	at := len(digits)
	for n := 0; n <= scale || magnitude > 0; n++ {
		if n == scale {
			at--
			digits[at] = '.'
		}
		at--
		digits[at] = byte('0' + magnitude%10)
		magnitude /= 10
	}
	return append(dst, digits[at:]...)
}

// appendISOInterval appends an interval as ISO 8601 writes it: P1Y2M3DT4H5M6.7S. Each part has its
// own sign.
func appendISOInterval(dst []byte, v types.IntervalValue) []byte {
	dst = append(dst, 'P')
	part := func(n int64, unit byte) {
		if n != 0 {
			dst = append(strconv.AppendInt(dst, n, 10), unit)
		}
	}
	part(int64(v.Months/12), 'Y')
	part(int64(v.Months%12), 'M')
	part(int64(v.Days), 'D')
	if v.Micros == 0 {
		if v == (types.IntervalValue{}) {
			return append(dst, "T0S"...)
		}
		return dst
	}
	dst = append(dst, 'T')
	part(v.Micros/3_600_000_000, 'H')
	part(v.Micros/60_000_000%60, 'M')
	if rest := v.Micros % 60_000_000; rest != 0 {
		if rest%1_000_000 == 0 {
			dst = strconv.AppendInt(dst, rest/1_000_000, 10)
		} else {
			dst = appendDecimal64(dst, rest, 6)
			for dst[len(dst)-1] == '0' {
				dst = dst[:len(dst)-1]
			}
		}
		dst = append(dst, 'S')
	}
	return dst
}
