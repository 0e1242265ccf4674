package json

import (
	"bytes"
	"unicode/utf8"

	"github.com/tarnlake/tarn/internal/sqlerr"
	"github.com/tarnlake/tarn/internal/types"
	"github.com/tarnlake/tarn/internal/vec"
)

// column turns the values of one key, or of one place in nested values, into a vector.
type column struct {
	reader *Reader
	name   string // key, or path to the place
	typ    types.Type
	slot   int     // of a record's value in the top scanner's spans
	rows   []int32 // the record that each value belongs to; nil: value i is of record i
	valid  vec.Bitmap
	nulls  bool
	arena  []byte // of strings that had escapes
	nested *nestedColumn
}

// begin prepares dst for rows.
func (c *column) begin(dst *vec.Vector, rows int) {
	dst.Resize(c.typ, rows)
	words := vec.BitmapWords(max(rows, 1))
	if cap(c.valid) < words {
		c.valid = make(vec.Bitmap, words)
	}
	c.valid = c.valid[:words]
	c.valid.FillOnes(rows)
	c.nulls = false
}

func (c *column) setNull(i int) {
	c.nulls = true
	c.valid.Clear(i)
}

// refuse reports a value that is not the column's, or marks its record to be left out.
func (c *column) refuse(i int, s span, err error) error {
	text := s.text(c.reader.records.data)
	if k := s.kind(); k == kindString || k == kindEscaped {
		text = c.raw(s).text(c.reader.records.data)
	}
	if c.rows != nil {
		i = int(c.rows[i])
	}
	return c.reader.refuse(i, c.name, text, err)
}

// raw is the span of a value's JSON text.
func (c *column) raw(s span) span {
	if k := s.kind(); k == kindString || k == kindEscaped {
		return span{s.at - 1, k | uint32(s.length()+2)}
	}
	return s
}

// convert makes dst the values at spans.
func (c *column) convert(dst *vec.Vector, spans []span) error {
	c.begin(dst, len(spans))
	var err error
	switch c.typ.Kind {
	case types.Int64:
		err = integers(c, vec.Values[int64](dst), spans, types.ParseInt64)
	case types.Int32:
		err = integers(c, vec.Values[int32](dst), spans, types.ParseInt32)
	case types.Int16:
		err = integers(c, vec.Values[int16](dst), spans, types.ParseInt16)
	case types.Float64:
		err = c.floats(vec.Values[float64](dst), spans)
	case types.Bool:
		err = c.booleans(vec.Values[uint8](dst), spans)
	case types.Float32:
		err = fixed(c, vec.Values[float32](dst), spans, types.ParseFloat32)
	case types.Date:
		err = fixed(c, vec.Values[int32](dst), spans, types.ParseDate)
	case types.Timestamp:
		err = fixed(c, vec.Values[int64](dst), spans, c.rounded(types.ParseTimestamp))
	case types.TimestampTZ:
		zone := c.reader.options.Zone
		err = fixed(c, vec.Values[int64](dst), spans, c.rounded(func(b []byte) (int64, error) { return types.ParseTimestampTZ(b, zone) }))
	case types.Time:
		err = fixed(c, vec.Values[int64](dst), spans, c.rounded(types.ParseTime))
	case types.UUID:
		err = fixed(c, vec.Values[types.Int128](dst), spans, types.ParseUUID)
	case types.Decimal:
		err = c.decimals(dst, spans)
	case types.Text, types.Name, types.InternalChar:
		err = c.texts(dst, spans)
	case types.JSON:
		c.documents(dst, spans)
	case types.Array:
		err = c.lists(dst, spans)
	case types.Map:
		err = c.maps(dst, spans)
	case types.Row:
		err = c.structs(dst, spans)
	default:
		err = c.others(dst, spans)
	}
	if dst.Valid = nil; c.nulls {
		dst.Valid = c.valid
	}
	return err
}

// plain gives the text that a value has outside JSON; scratch may be used for it.
func (c *column) plain(s span) ([]byte, error) {
	text := s.text(c.reader.records.data)
	switch s.kind() {
	case kindEscaped:
		text = types.UnescapeJSON(text)
		return text, noZero(text)
	case kindObject, kindArray:
		what := "object"
		if s.kind() == kindArray {
			what = "array"
		}
		return text, sqlerr.New(sqlerr.InvalidTextRepresentation, "a JSON %s is no %s", what, c.typ)
	}
	return text, nil
}

// noZero refuses \u0000.
func noZero(text []byte) error {
	if bytes.IndexByte(text, 0) < 0 {
		return nil
	}
	return sqlerr.New(sqlerr.UntranslatableCharacter, "unsupported Unicode escape sequence").WithDetail("\\u0000 cannot be converted to text.")
}

// fixed parses the values of a fixed-width column.
func fixed[T vec.Fixed](c *column, out []T, spans []span, parse func([]byte) (T, error)) error {
	out = out[:len(spans)]
	data := c.reader.records.data
	for i, s := range spans {
		var v T
		if s.kind() == kindNull {
			out[i] = v
			c.setNull(i)
			continue
		}
		text := s.text(data)
		var err error
		if k := s.kind(); k == kindEscaped || k >= kindObject {
			text, err = c.plain(s)
		}
		if err == nil {
			v, err = parse(text)
		}
		if err != nil {
			if err := c.refuse(i, s, err); err != nil {
				return err
			}
		}
		out[i] = v
	}
	return nil
}

// rounded brings parsed times to the digits of seconds that the column's type declares.
func (c *column) rounded(parse func([]byte) (int64, error)) func([]byte) (int64, error) {
	if digits, declared := c.typ.FractionDigits(); !declared || digits == types.MaxFractionDigits {
		return parse
	}
	return func(b []byte) (int64, error) {
		micros, err := parse(b)
		return types.RoundFraction(c.typ, micros), err
	}
}

func (c *column) decimals(dst *vec.Vector, spans []span) error {
	precision, scale := int(c.typ.Precision), int(c.typ.Scale)
	if c.typ.Physical() == types.PhysInt128 {
		return fixed(c, vec.Values[types.Int128](dst), spans, func(b []byte) (types.Int128, error) { return types.ParseDecimal(b, precision, scale) })
	}
	return fixed(c, vec.Values[int64](dst), spans, func(b []byte) (int64, error) { return types.ParseDecimal64(b, precision, scale) })
}

func (c *column) booleans(out []uint8, spans []span) error {
	data := c.reader.records.data
	for i, s := range spans {
		var v uint8
		switch {
		case s.kind() == kindBool:
			v = data[s.at] >> 1 & 1 // t is 0x74, f is 0x66
			v ^= 1
		case s.kind() == kindNull:
			c.setNull(i)
		default:
			text, err := c.plain(s)
			var b bool
			if err == nil {
				b, err = types.ParseBool(text)
			}
			if err != nil {
				if err := c.refuse(i, s, err); err != nil {
					return err
				}
			}
			if b {
				v = 1
			}
		}
		out[i] = v
	}
	return nil
}

// texts makes views of strings; they refer to the block, or to an arena when they had escapes.
func (c *column) texts(dst *vec.Vector, spans []span) error {
	r := c.reader.records
	data := r.data
	views := vec.Values[vec.View](dst)[:len(spans)]
	r.lent = true
	c.arena = nil
	dst.Buffers = append(make([][]byte, 0, 2), data[:r.end])
	limit := int(c.typ.Length)
	for i, s := range spans {
		switch s.kind() {
		case kindNull:
			views[i] = vec.View{}
			c.setNull(i)
			continue
		case kindEscaped:
			text, err := c.plain(s)
			if err != nil {
				if err := c.refuse(i, s, err); err != nil {
					return err
				}
				text = nil
			}
			views[i] = c.keep(text)
		default:
			views[i] = vec.ViewAt(data, int(s.at), s.length(), 0)
		}
		if limit > 0 && views[i].Len() > limit {
			if err := c.shorten(&views[i], i, s, limit); err != nil {
				return err
			}
		}
	}
	if c.arena != nil {
		dst.Buffers = append(dst.Buffers, c.arena)
	}
	return nil
}

// shorten cuts blanks beyond the limit, as an assignment does, and refuses other characters there.
func (c *column) shorten(v *vec.View, i int, s span, limit int) error {
	text, _ := c.plain(s)
	if s.kind() >= kindObject {
		text = s.text(c.reader.records.data)
	}
	if utf8.RuneCount(text) <= limit {
		return nil
	}
	if at := types.CharacterOffset(string(text), limit); len(bytes.TrimLeft(text[at:], " ")) == 0 {
		*v = c.keep(text[:at])
		return nil
	}
	*v = vec.View{}
	return c.refuse(i, s, sqlerr.New(sqlerr.StringDataRightTruncation, "value too long for type %s", c.typ))
}

// keep copies a string to the arena.
func (c *column) keep(text []byte) vec.View {
	if len(text) <= vec.InlineLength {
		return vec.InlineView(text)
	}
	at := len(c.arena)
	c.arena = append(c.arena, text...)
	return vec.LongView(text, 1, at)
}

// documents makes views of the values' JSON text.
func (c *column) documents(dst *vec.Vector, spans []span) {
	r := c.reader.records
	views := vec.Values[vec.View](dst)[:len(spans)]
	r.lent = true
	dst.Buffers = append(make([][]byte, 0, 1), r.data[:r.end])
	for i, s := range spans {
		if s.kind() == kindNull {
			views[i] = vec.View{}
			c.setNull(i)
			continue
		}
		s = c.raw(s)
		views[i] = vec.ViewAt(r.data, int(s.at), s.length(), 0)
	}
}

// others parses types that are rare in files through their text form.
func (c *column) others(dst *vec.Vector, spans []span) error {
	for i, s := range spans {
		if s.kind() == kindNull {
			dst.SetDatum(i, types.NullDatum())
			c.setNull(i)
			continue
		}
		var text []byte
		var err error
		if c.typ.Kind == types.JSONB {
			text = c.raw(s).text(c.reader.records.data)
		} else {
			text, err = c.plain(s)
		}
		d := types.NullDatum()
		if err == nil {
			d, err = types.Parse(c.typ, string(text), c.reader.options.Zone)
		}
		if err != nil {
			if err := c.refuse(i, s, err); err != nil {
				return err
			}
			d = types.NullDatum()
		}
		dst.SetDatum(i, d)
	}
	return nil
}
