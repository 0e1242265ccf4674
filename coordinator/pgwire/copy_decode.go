package pgwire

import (
	"bytes"
	"encoding/binary"
	"io"
	"strings"
	"time"

	"github.com/tarnlake/tarn/internal/sqlerr"
	"github.com/tarnlake/tarn/internal/types"
	"github.com/tarnlake/tarn/internal/vec"
)

func newCopySource(input io.Reader, o *copyOptions, columns types.Schema, table string, zone *time.Location) vec.Source {
	lines := &lineReader{input: input}
	common := copyReader{lines: lines, options: o, columns: columns, table: table, zone: zone}
	source := &copySource{batch: vec.NewBatch(columns.Types(), 0)}
	switch o.format {
	case copyBinary:
		source.rows = &binaryRows{copyReader: common}
	case copyCSV:
		r := &csvRows{copyReader: common}
		for _, column := range columns {
			r.forceNull = append(r.forceNull, o.forceNull["*"] || o.forceNull[column.Name])
			r.notNull = append(r.notNull, o.notNull["*"] || o.notNull[column.Name])
		}
		source.rows = r
	default:
		source.rows = &textRows{copyReader: common}
	}
	return source
}

// mostLine bounds one line of input.
const mostLine = 1 << 30

// lineReader gives lines of any length from a stream.
type lineReader struct {
	input io.Reader
	buf   []byte
	r, w  int
	ended bool
}

// more reads at least one further byte after buf[r:w].
func (l *lineReader) more() error {
	if l.ended {
		return io.EOF
	}
	if l.r > 0 {
		l.w = copy(l.buf, l.buf[l.r:l.w])
		l.r = 0
	}
	if l.w == len(l.buf) {
		if l.w >= mostLine {
			return sqlerr.New(sqlerr.ProgramLimitExceeded, "a line of COPY data is longer than %d bytes", mostLine)
		}
		l.buf = append(l.buf, make([]byte, max(64<<10, len(l.buf)))...)
	}
	n, err := l.input.Read(l.buf[l.w:])
	l.w += n
	if err == io.EOF {
		l.ended = true
		if n > 0 {
			return nil
		}
	}
	return err
}

// line gives the next line without its end, valid until the next call; quote ≠ 0 lets lines go on
// inside quotes.
func (l *lineReader) line(quote, escape byte) ([]byte, error) {
	at, inQuote, escaped := 0, false, false
	for {
		for ; l.r+at < l.w; at++ {
			c := l.buf[l.r+at]
			switch {
			case escaped:
				escaped = false
			case inQuote && c == escape && escape != quote:
				escaped = true
			case quote != 0 && c == quote:
				inQuote = !inQuote
			case c == '\n' && !inQuote:
				line := l.buf[l.r : l.r+at]
				l.r += at + 1
				return bytes.TrimSuffix(line, []byte("\r")), nil
			}
		}
		if err := l.more(); err == io.EOF {
			if at == 0 {
				return nil, io.EOF
			}
			if inQuote {
				return nil, sqlerr.New(sqlerr.BadCopyFileFormat, "unterminated CSV quoted field")
			}
			line := l.buf[l.r:l.w]
			l.r = l.w
			return bytes.TrimSuffix(line, []byte("\r")), nil
		} else if err != nil {
			return nil, err
		}
	}
}

// bytes gives exactly n bytes, valid until the next call.
func (l *lineReader) bytes(n int) ([]byte, error) {
	for l.w-l.r < n {
		if err := l.more(); err != nil {
			return nil, err
		}
	}
	b := l.buf[l.r : l.r+n]
	l.r += n
	return b, nil
}

// copyReader is what the formats share.
type copyReader struct {
	lines   *lineReader
	options *copyOptions
	columns types.Schema
	table   string
	zone    *time.Location
	number  int // of the line that is being read
	field   []byte
}

// locate adds table, line, column and value to an error.
func (r *copyReader) locate(err error, column int, value []byte) error {
	known := *sqlerr.From(err)
	if column < 0 {
		return known.In("COPY %s, line %d", r.table, r.number)
	}
	return known.In("COPY %s, line %d, column %s: %q", r.table, r.number, r.columns[column].Name, shorten(value))
}

func shorten(b []byte) string {
	if len(b) > 100 {
		return string(b[:types.PrefixOfCharacters(string(b), 100)]) + "..."
	}
	return string(b)
}

func (r *copyReader) badLine(format string, args ...any) error {
	return r.locate(sqlerr.New(sqlerr.BadCopyFileFormat, format, args...), -1, nil)
}

// store reads a value's text into a column.
func (r *copyReader) store(b *vec.Batch, column, row int, text []byte, null bool) error {
	v := &b.Cols[column]
	if null {
		v.SetDatum(row, types.NullDatum())
		return nil
	}
	if err := checkText(text); err != nil {
		return r.locate(err, column, nil)
	}
	if err := setText(v, row, text, r.zone); err != nil {
		return r.locate(err, column, text)
	}
	return nil
}

// setText parses a value into a row of a flat vector, the frequent types without a detour.
func setText(v *vec.Vector, row int, text []byte, zone *time.Location) error {
	var err error
	switch v.Type.Kind {
	case types.Int32:
		vec.Values[int32](v)[row], err = types.ParseInt32(text)
	case types.Int64:
		vec.Values[int64](v)[row], err = types.ParseInt64(text)
	case types.Float64:
		vec.Values[float64](v)[row], err = types.ParseFloat64(text)
	case types.Date:
		vec.Values[int32](v)[row], err = types.ParseDate(text)
	case types.Timestamp:
		var micros int64
		micros, err = types.ParseTimestamp(text)
		vec.Values[int64](v)[row] = types.RoundFraction(v.Type, micros)
	default:
		if v.Type.Kind == types.Text && v.Type.Length == 0 {
			v.SetBytes(row, text)
			return nil
		}
		var d types.Datum
		if d, err = types.Parse(v.Type, string(text), zone); err == nil {
			v.SetDatum(row, d)
		}
	}
	return err
}

// header skips the first line, or checks that it names the columns.
func (r *copyReader) header(fields func(line []byte) ([]string, error), quote, escape byte) error {
	line, err := r.lines.line(quote, escape)
	if err != nil {
		return err
	}
	r.number++
	if !r.options.match {
		return nil
	}
	names, err := fields(line)
	if err != nil {
		return err
	}
	if len(names) != len(r.columns) {
		return r.badLine("wrong number of fields in header line: got %d, expected %d", len(names), len(r.columns))
	}
	for i, name := range names {
		if name != r.columns[i].Name {
			return r.badLine("column name mismatch in header line field %d: got %q, expected %q", i+1, name, r.columns[i].Name)
		}
	}
	return nil
}

// textRows reads COPY's text format.
type textRows struct{ copyReader }

func (r *textRows) row(b *vec.Batch, i int) error {
	if r.number == 0 && r.options.header {
		if err := r.header(func(line []byte) ([]string, error) {
			return strings.Split(string(line), string(r.options.delimiter)), nil
		}, 0, 0); err != nil {
			return err
		}
	}
	line, err := r.lines.line(0, 0)
	if err != nil {
		return err
	}
	r.number++
	if string(line) == `\.` {
		return io.EOF
	}
	if len(r.columns) == 0 {
		if len(line) > 0 {
			return r.badLine("extra data after last expected column")
		}
		return nil
	}
	for column := range r.columns {
		if line == nil {
			return r.badLine("missing data for column %q", r.columns[column].Name)
		}
		end, escaped := r.fieldEnd(line)
		raw := line[:end]
		if end == len(line) {
			line = nil
		} else {
			line = line[end+1:]
		}
		null := string(raw) == r.options.null
		if escaped && !null {
			raw = r.unescape(raw)
		}
		if err := r.store(b, column, i, raw, null); err != nil {
			return err
		}
	}
	if line != nil {
		return r.badLine("extra data after last expected column")
	}
	return nil
}

// fieldEnd finds the delimiter, and whether a backslash stands before it.
func (r *textRows) fieldEnd(line []byte) (end int, escaped bool) {
	for i := 0; i < len(line); i++ {
		switch line[i] {
		case r.options.delimiter:
			return i, escaped
		case '\\':
			escaped = true
			i++
		}
	}
	return len(line), escaped
}

// unescape resolves backslashes into the reader's own memory.
func (r *textRows) unescape(raw []byte) []byte {
	out := r.field[:0]
	for i := 0; i < len(raw); i++ {
		c := raw[i]
		if c != '\\' || i+1 == len(raw) {
			out = append(out, c)
			continue
		}
		i++
		switch c = raw[i]; c {
		case 'b':
			c = '\b'
		case 'f':
			c = '\f'
		case 'n':
			c = '\n'
		case 'r':
			c = '\r'
		case 't':
			c = '\t'
		case 'v':
			c = '\v'
		case 'x':
			value, digits := readDigits(raw[i+1:], 16, 2)
			if digits > 0 {
				c, i = value, i+digits
			}
		default:
			if value, digits := readDigits(raw[i:], 8, 3); digits > 0 {
				c, i = value, i+digits-1
			}
		}
		out = append(out, c)
	}
	r.field = out
	return out
}

func readDigits(b []byte, base, most int) (value byte, digits int) {
	total := 0
	for digits < len(b) && digits < most {
		d := strings.IndexByte("0123456789abcdef", b[digits]|0x20)
		if b[digits] < '0' || d < 0 || d >= base {
			break
		}
		total = total*base + d
		digits++
	}
	return byte(total), digits
}

// csvRows reads COPY's CSV format.
type csvRows struct {
	copyReader
	forceNull, notNull []bool
}

func (r *csvRows) row(b *vec.Batch, i int) error {
	o := r.options
	if r.number == 0 && o.header {
		if err := r.header(r.headerFields, o.quote, o.escape); err != nil {
			return err
		}
	}
	line, err := r.lines.line(o.quote, o.escape)
	if err != nil {
		return err
	}
	r.number++
	if string(line) == `\.` {
		return io.EOF
	}
	rest := line
	for column := range r.columns {
		if rest == nil {
			return r.badLine("missing data for column %q", r.columns[column].Name)
		}
		var value []byte
		var quoted bool
		value, rest, quoted = r.nextField(rest)
		null := string(value) == o.null && (!quoted && !r.notNull[column] || quoted && r.forceNull[column])
		if err := r.store(b, column, i, value, null); err != nil {
			return err
		}
	}
	if rest != nil {
		return r.badLine("extra data after last expected column")
	}
	return nil
}

func (r *csvRows) headerFields(line []byte) ([]string, error) {
	var names []string
	for rest := line; rest != nil; {
		var value []byte
		value, rest, _ = r.nextField(rest)
		names = append(names, string(value))
	}
	return names, nil
}

// nextField takes a field off the line; rest is nil after the last one. The value may lie in the
// reader's own memory.
func (r *csvRows) nextField(line []byte) (value, rest []byte, quoted bool) {
	o := r.options
	if len(line) == 0 || line[0] != o.quote {
		if end := bytes.IndexByte(line, o.delimiter); end >= 0 && bytes.IndexByte(line[:end], o.quote) < 0 {
			return line[:end], line[end+1:], false
		} else if end < 0 && bytes.IndexByte(line, o.quote) < 0 {
			return line, nil, false
		}
	}
	out, inQuote := r.field[:0], false
	for i := 0; i < len(line); i++ {
		c := line[i]
		switch {
		case inQuote && c == o.escape && i+1 < len(line) && (line[i+1] == o.quote || line[i+1] == o.escape):
			i++
			out = append(out, line[i])
		case c == o.quote:
			inQuote, quoted = !inQuote, true
		case c == o.delimiter && !inQuote:
			r.field = out
			return out, line[i+1:], quoted
		default:
			out = append(out, c)
		}
	}
	r.field = out
	return out, nil, quoted
}

// binaryRows reads COPY's binary format.
type binaryRows struct {
	copyReader
	started bool
}

func (r *binaryRows) row(b *vec.Batch, i int) error {
	if !r.started {
		r.started = true
		if err := r.signature(); err != nil {
			return err
		}
	}
	r.number++
	head, err := r.lines.bytes(2)
	if err != nil {
		return err // the end marker may be missing: many clients send none
	}
	count := int(int16(binary.BigEndian.Uint16(head)))
	if count == -1 {
		return io.EOF
	}
	if count != len(r.columns) {
		return r.badLine("row field count is %d, expected %d", count, len(r.columns))
	}
	for column := range r.columns {
		if err := r.value(b, column, i); err != nil {
			if err == io.EOF {
				err = r.badLine("unexpected EOF in COPY data")
			}
			return err
		}
	}
	return nil
}

func (r *binaryRows) value(b *vec.Batch, column, i int) error {
	head, err := r.lines.bytes(4)
	if err != nil {
		return err
	}
	n := int32(binary.BigEndian.Uint32(head))
	if n == -1 {
		return r.store(b, column, i, nil, true)
	}
	if n < 0 || n > mostLine {
		return r.badLine("invalid field size")
	}
	raw, err := r.lines.bytes(int(n))
	if err != nil {
		return err
	}
	d, err := decodeBinary(r.columns[column].Type, raw)
	if err != nil {
		return r.locate(err, column, nil)
	}
	b.Cols[column].SetDatum(i, d)
	return nil
}

func (r *binaryRows) signature() error {
	head, err := r.lines.bytes(len(binaryCopyHeader))
	if err != nil || string(head[:11]) != binaryCopyHeader[:11] {
		return sqlerr.New(sqlerr.BadCopyFileFormat, "COPY file signature not recognized")
	}
	if binary.BigEndian.Uint32(head[11:])&0xffff0000 != 0 {
		return sqlerr.New(sqlerr.BadCopyFileFormat, "unrecognized critical flags in COPY file header")
	}
	skip := int32(binary.BigEndian.Uint32(head[15:]))
	if skip < 0 || skip > 1<<20 {
		return sqlerr.New(sqlerr.BadCopyFileFormat, "invalid COPY file header (wrong length)")
	}
	if _, err := r.lines.bytes(int(skip)); err != nil {
		return sqlerr.New(sqlerr.BadCopyFileFormat, "invalid COPY file header (wrong length)")
	}
	return nil
}
