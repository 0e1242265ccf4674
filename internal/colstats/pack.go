package colstats

import (
	"encoding/binary"
	"math"
	"strings"
	"unsafe"

	"github.com/tarnlake/tarn/internal/sqlerr"
	"github.com/tarnlake/tarn/internal/types"
)

// formatVersion starts every packed Summary.
const formatVersion = 1

const (
	hasMinimum = 1 << iota
	hasMaximum
	hasDistinct
)

// Pack gives the summary's bytes.
func (s *Summary) Pack() []byte {
	b := make([]byte, 0, 8+24*len(s.Columns))
	b = append(b, formatVersion)
	b = binary.AppendUvarint(b, uint64(s.Rows))
	b = binary.AppendUvarint(b, uint64(len(s.Columns)))
	for i := range s.Columns {
		c := &s.Columns[i]
		var flags byte
		if c.Minimum != nil {
			flags |= hasMinimum
		}
		if c.Maximum != nil {
			flags |= hasMaximum
		}
		if c.Distinct > 0 {
			flags |= hasDistinct
		}
		b = binary.AppendVarint(b, int64(c.ID))
		b = append(b, byte(c.Physical), flags)
		b = binary.AppendUvarint(b, uint64(c.Nulls))
		b = binary.AppendUvarint(b, uint64(c.Bytes))
		if c.Minimum != nil {
			b = appendDatum(b, c.Physical, *c.Minimum)
		}
		if c.Maximum != nil {
			b = appendDatum(b, c.Physical, *c.Maximum)
		}
		if c.Distinct > 0 {
			b = binary.AppendUvarint(b, uint64(math.Round(c.Distinct)))
		}
	}
	return b
}

// Unpack reads what Pack wrote.
func Unpack(packed []byte) (*Summary, error) {
	r := reader{rest: packed}
	if v := r.byte(); v != formatVersion {
		return nil, corrupt("version %d", v)
	}
	s := &Summary{Rows: int64(r.uvarint())}
	count := r.uvarint()
	if count > uint64(len(packed)) {
		return nil, corrupt("%d columns in %d bytes", count, len(packed))
	}
	s.Columns = make([]Column, count)
	for i := range s.Columns {
		c := &s.Columns[i]
		c.ID = int32(r.varint())
		c.Physical = types.Physical(r.byte())
		flags := r.byte()
		c.Nulls, c.Bytes = int64(r.uvarint()), int64(r.uvarint())
		if flags&hasMinimum != 0 {
			c.Minimum = r.datum(c.Physical)
		}
		if flags&hasMaximum != 0 {
			c.Maximum = r.datum(c.Physical)
		}
		if flags&hasDistinct != 0 {
			c.Distinct = float64(r.uvarint())
		}
		if r.failed {
			return nil, corrupt("column %d is cut short", i)
		}
	}
	if r.failed || len(r.rest) != 0 {
		return nil, corrupt("%d bytes left", len(r.rest))
	}
	return s, nil
}

// Bounds is what Lookup finds of one column. Minimum and Maximum are valid when Low and High say so.
type Bounds struct {
	Physical         types.Physical
	Nulls            int64
	Low, High        bool
	Minimum, Maximum types.Datum
}

// Lookup reads one column of a packed summary without unpacking the others: strings in out share
// packed's memory. rows is that of the summary; found is false when nothing is known of the column.
func Lookup(packed []byte, id int32, out *Bounds) (rows int64, found bool, err error) {
	r := reader{rest: packed}
	if v := r.byte(); v != formatVersion {
		return 0, false, corrupt("version %d", v)
	}
	rows = int64(r.uvarint())
	for count := r.uvarint(); count > 0 && !r.failed; count-- {
		column := int32(r.varint())
		physical, flags := types.Physical(r.byte()), r.byte()
		nulls := int64(r.uvarint())
		r.uvarint()
		if column == id {
			*out = Bounds{Physical: physical, Nulls: nulls, Low: flags&hasMinimum != 0, High: flags&hasMaximum != 0}
			if out.Low {
				r.datumInto(physical, &out.Minimum)
			}
			if out.High {
				r.datumInto(physical, &out.Maximum)
			}
			if !r.failed {
				return rows, true, nil
			}
			break
		}
		if flags&hasMinimum != 0 {
			r.skipDatum(physical)
		}
		if flags&hasMaximum != 0 {
			r.skipDatum(physical)
		}
		if flags&hasDistinct != 0 {
			r.uvarint()
		}
	}
	if r.failed {
		return rows, false, corrupt("cut short")
	}
	return rows, false, nil
}

func corrupt(format string, args ...any) error {
	return sqlerr.New(sqlerr.DataCorrupted, "column statistics are corrupt: "+format, args...)
}

func appendDatum(b []byte, p types.Physical, d types.Datum) []byte {
	switch p {
	case types.PhysFloat32, types.PhysFloat64:
		return binary.LittleEndian.AppendUint64(b, math.Float64bits(d.F64))
	case types.PhysInt128:
		return binary.LittleEndian.AppendUint64(binary.LittleEndian.AppendUint64(b, d.I128.Lo), uint64(d.I128.Hi))
	case types.PhysInterval:
		b = binary.AppendVarint(b, int64(d.Span.Months))
		b = binary.AppendVarint(b, int64(d.Span.Days))
		return binary.AppendVarint(b, d.Span.Micros)
	case types.PhysString:
		return append(binary.AppendUvarint(b, uint64(len(d.Str))), d.Str...)
	}
	return binary.AppendVarint(b, d.I64)
}

// reader takes values off a byte slice; after a failure it gives zeros.
type reader struct {
	rest   []byte
	failed bool
}

func (r *reader) byte() byte {
	if len(r.rest) == 0 {
		r.failed = true
		return 0
	}
	c := r.rest[0]
	r.rest = r.rest[1:]
	return c
}

func (r *reader) uvarint() uint64 {
	v, n := binary.Uvarint(r.rest)
	r.skip(n)
	return v
}

func (r *reader) varint() int64 {
	v, n := binary.Varint(r.rest)
	r.skip(n)
	return v
}

func (r *reader) skip(n int) {
	if n <= 0 || n > len(r.rest) {
		r.failed, r.rest = true, nil
		return
	}
	r.rest = r.rest[n:]
}

func (r *reader) uint64() uint64 {
	if len(r.rest) < 8 {
		r.failed, r.rest = true, nil
		return 0
	}
	v := binary.LittleEndian.Uint64(r.rest)
	r.rest = r.rest[8:]
	return v
}

func (r *reader) bytes(n uint64) []byte {
	if n > uint64(len(r.rest)) {
		r.failed, r.rest = true, nil
		return nil
	}
	b := r.rest[:n]
	r.rest = r.rest[n:]
	return b
}

// datum reads a value into memory of its own.
func (r *reader) datum(p types.Physical) *types.Datum {
	d := &types.Datum{}
	r.datumInto(p, d)
	d.Str = strings.Clone(d.Str)
	return d
}

// datumInto reads a value; a string shares the reader's memory.
func (r *reader) datumInto(p types.Physical, d *types.Datum) {
	switch p {
	case types.PhysFloat32, types.PhysFloat64:
		d.F64 = math.Float64frombits(r.uint64())
	case types.PhysInt128:
		d.I128.Lo = r.uint64()
		d.I128.Hi = int64(r.uint64())
	case types.PhysInterval:
		d.Span.Months, d.Span.Days = int32(r.varint()), int32(r.varint())
		d.Span.Micros = r.varint()
	case types.PhysString:
		b := r.bytes(r.uvarint())
		d.Str = unsafe.String(unsafe.SliceData(b), len(b))
	default:
		d.I64 = r.varint()
	}
}

func (r *reader) skipDatum(p types.Physical) {
	switch p {
	case types.PhysFloat32, types.PhysFloat64:
		r.bytes(8)
	case types.PhysInt128:
		r.bytes(16)
	case types.PhysInterval:
		r.varint()
		r.varint()
		r.varint()
	case types.PhysString:
		r.bytes(r.uvarint())
	default:
		r.varint()
	}
}
