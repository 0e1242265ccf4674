package csv

import (
	"bytes"
	"time"
	"unicode/utf8"

	"github.com/tarnlake/tarn/internal/sqlerr"
	"github.com/tarnlake/tarn/internal/types"
	"github.com/tarnlake/tarn/internal/vec"
)

// converter turns the fields of one column into a vector.
type converter struct {
	reader *Reader
	typ    types.Type
	field  int // in the record
	slot   int // where its part of the tokenizer's spans begins
	valid  vec.Bitmap
	nulls  bool
	arena  []byte
}

// begin prepares dst for rows.
func (c *converter) begin(dst *vec.Vector, rows int) {
	dst.Resize(c.typ, rows)
	words := vec.BitmapWords(max(rows, 1))
	if cap(c.valid) < words {
		c.valid = make(vec.Bitmap, words)
	}
	c.valid = c.valid[:words]
	c.valid.FillOnes(rows)
	c.nulls = false
}

// convert makes dst the first rows fields of the column. Rows whose value is bad are handed to the
// reader, which fails or leaves them out.
func (c *converter) convert(dst *vec.Vector, rows int) error {
	c.begin(dst, rows)
	spans := c.reader.tokens.spans[c.slot:][:rows]
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
	case types.Float32:
		err = fixed(c, vec.Values[float32](dst), spans, types.ParseFloat32)
	case types.Date:
		err = c.dates(vec.Values[int32](dst), spans)
	case types.Timestamp:
		err = c.timestamps(vec.Values[int64](dst), spans)
	case types.TimestampTZ:
		zone := c.reader.options.Zone
		if zone == nil {
			zone = time.UTC
		}
		err = fixed(c, vec.Values[int64](dst), spans, c.rounded(func(b []byte) (int64, error) { return types.ParseTimestampTZ(b, zone) }))
	case types.Time:
		err = fixed(c, vec.Values[int64](dst), spans, c.rounded(types.ParseTime))
	case types.Bool:
		err = fixed(c, vec.Values[uint8](dst), spans, parseBool)
	case types.UUID:
		err = fixed(c, vec.Values[types.Int128](dst), spans, types.ParseUUID)
	case types.Interval:
		err = fixed(c, vec.Values[types.IntervalValue](dst), spans, types.ParseInterval)
	case types.Decimal:
		err = c.decimals(dst, spans)
	case types.Text, types.Name, types.InternalChar:
		err = c.texts(dst, spans)
	default:
		err = c.others(dst, spans)
	}
	if c.nulls {
		dst.Valid = c.valid
	}
	return err
}

func parseBool(b []byte) (uint8, error) {
	v, err := types.ParseBool(b)
	if v {
		return 1, err
	}
	return 0, err
}

func (c *converter) decimals(dst *vec.Vector, spans []span) error {
	precision, scale := int(c.typ.Precision), int(c.typ.Scale)
	if c.typ.Physical() == types.PhysInt128 {
		return fixed(c, vec.Values[types.Int128](dst), spans, func(b []byte) (types.Int128, error) { return types.ParseDecimal(b, precision, scale) })
	}
	return c.shortDecimals(vec.Values[int64](dst), spans)
}

// fixed parses the fields of a fixed-width column.
func fixed[T vec.Fixed](c *converter, out []T, spans []span, parse func([]byte) (T, error)) error {
	out = out[:len(spans)]
	for i, s := range spans {
		if err := slow(c, out, i, s, parse); err != nil {
			return err
		}
	}
	return nil
}

// slow makes out[i] the value of any field: NULL, with escapes, bad.
func slow[T vec.Fixed](c *converter, out []T, i int, s span, parse func([]byte) (T, error)) error {
	if s.flags <= c.reader.longestNull && c.isNull(s) {
		var zero T
		out[i] = zero
		c.setNull(i)
		return nil
	}
	text := c.reader.tokens.data[s.at : s.at+s.flags&lengthMask]
	if s.flags&escapedFlag != 0 {
		text = c.reader.tokens.unescape(nil, text)
	}
	v, err := parse(text)
	out[i] = v
	if err != nil {
		return c.reader.badValue(i, c.field, text, err)
	}
	return nil
}

func (c *converter) setNull(i int) {
	c.nulls = true
	c.valid.Clear(i)
}

// isNull tells whether an unquoted field is one of the NULL texts.
func (c *converter) isNull(s span) bool {
	if s.at == missing {
		return true
	}
	text := c.reader.tokens.data[s.at : s.at+s.flags]
	for _, null := range c.reader.format.Null {
		if string(text) == null {
			return true
		}
	}
	return false
}

// texts makes views of the fields; they refer to the block, or to an arena when they had escapes.
func (c *converter) texts(dst *vec.Vector, spans []span) error {
	r := c.reader
	data := r.tokens.data
	views := vec.Values[vec.View](dst)[:len(spans)]
	r.lent = true
	c.arena = nil
	dst.Buffers = append(make([][]byte, 0, 2), data[:r.tokens.end])
	limit := int(c.typ.Length)
	for i, s := range spans {
		if s.flags <= r.longestNull && c.isNull(s) {
			views[i] = vec.View{}
			c.setNull(i)
			continue
		}
		n := int(s.flags & lengthMask)
		escaped := s.flags&escapedFlag != 0
		if escaped {
			views[i] = c.escapedText(data[s.at : int(s.at)+n])
		} else {
			views[i] = vec.ViewAt(data, int(s.at), n, 0)
		}
		if r.ascii && (limit == 0 || n <= limit) {
			continue
		}
		text := data[s.at : int(s.at)+n]
		if escaped {
			text = c.arena[len(c.arena)-views[i].Len():]
		}
		length, err := c.checkText(text, limit)
		switch {
		case err != nil:
			if err := r.badValue(i, c.field, data[s.at:int(s.at)+n], err); err != nil {
				return err
			}
			views[i] = vec.View{}
		case length < len(text) && escaped:
			views[i] = c.arenaView(len(c.arena)-len(text), length)
		case length < len(text):
			views[i] = vec.ViewAt(data, int(s.at), length, 0)
		}
	}
	if c.arena != nil {
		dst.Buffers = append(dst.Buffers, c.arena)
	}
	return nil
}

func (c *converter) escapedText(text []byte) vec.View {
	at := len(c.arena)
	c.arena = c.reader.tokens.unescape(c.arena, text)
	return c.arenaView(at, len(c.arena)-at)
}

func (c *converter) arenaView(at, n int) vec.View {
	if b := c.arena[at : at+n]; n > vec.InlineLength {
		return vec.LongView(b, 1, at)
	} else {
		return vec.InlineView(b)
	}
}

// checkText verifies encoding and length of a string, and gives the bytes of it to keep: as in an
// assignment, blanks beyond varchar(n) are cut.
func (c *converter) checkText(text []byte, limit int) (int, error) {
	if !utf8.Valid(text) {
		return 0, errNotUTF8(text)
	}
	if limit == 0 || len(text) <= limit || utf8.RuneCount(text) <= limit {
		return len(text), nil
	}
	at := types.CharacterOffset(string(text), limit)
	if len(bytes.TrimLeft(text[at:], " ")) > 0 {
		return 0, sqlerr.New(sqlerr.StringDataRightTruncation, "value too long for type %s", c.typ)
	}
	return at, nil
}

// others parses types that are rare in files through their text form.
func (c *converter) others(dst *vec.Vector, spans []span) error {
	zone := c.reader.options.Zone
	if zone == nil {
		zone = time.UTC
	}
	for i, s := range spans {
		if s.flags <= c.reader.longestNull && c.isNull(s) {
			dst.SetDatum(i, types.NullDatum())
			c.setNull(i)
			continue
		}
		text := c.reader.tokens.data[s.at : s.at+s.flags&lengthMask]
		if s.flags&escapedFlag != 0 {
			text = c.reader.tokens.unescape(nil, text)
		}
		d, err := types.Parse(c.typ, string(text), zone)
		if err == nil && !c.reader.ascii && !utf8.Valid(text) && c.typ.Kind != types.Bytea {
			err = errNotUTF8(text)
		}
		if err != nil {
			if err := c.reader.badValue(i, c.field, text, err); err != nil {
				return err
			}
			d = types.NullDatum()
		}
		dst.SetDatum(i, d)
	}
	dst.Valid = nil
	return nil
}

// rounded brings parsed times to the digits of seconds that the column's type declares.
func (c *converter) rounded(parse func([]byte) (int64, error)) func([]byte) (int64, error) {
	if digits, declared := c.typ.FractionDigits(); !declared || digits == types.MaxFractionDigits {
		return parse
	}
	return func(b []byte) (int64, error) {
		micros, err := parse(b)
		return types.RoundFraction(c.typ, micros), err
	}
}
