package pgwire

import (
	"bytes"
	"context"
	"encoding/binary"

	"github.com/tarnlake/tarn/coordinator/session"
	"github.com/tarnlake/tarn/internal/sqlerr"
	"github.com/tarnlake/tarn/internal/types"
	"github.com/tarnlake/tarn/planner/parser/ast"
)

// copyOut sends the rows of a COPY … TO STDOUT that has been started: one CopyData a row.
func (c *conn) copyOut(ctx context.Context, portal *session.Portal) error {
	tree, ok := portal.Statement.Tree.(*ast.Copy)
	if !ok {
		return sqlerr.Internal("COPY without its statement")
	}
	options, err := readCopyOptions(tree)
	if err != nil {
		return err
	}
	w := newCopyWriter(options, portal.Statement.Prepared.Columns, c)
	c.out = appendCopyResponse(c.out, 'H', options, len(w.encoder.columns))
	c.out = w.appendHeader(c.out)
	for {
		b, from, to, err := portal.Next(ctx)
		if err != nil {
			return err
		}
		if b == nil {
			break
		}
		w.encoder.use(b)
		c.rows += int64(to - from)
		for ; from < to; from++ {
			row := from
			if b.Sel != nil {
				row = int(b.Sel[from])
			}
			c.out = w.appendRow(c.out, row)
			if len(c.out) >= flushOutput {
				c.sendNotices()
				if err := c.flush(); err != nil {
					return err
				}
				if err := ctx.Err(); err != nil {
					return err
				}
			}
		}
	}
	c.out = w.appendTrailer(c.out)
	c.out = appendEmpty(c.out, 'c')
	return nil
}

// copyWriter writes rows in one of COPY's formats.
type copyWriter struct {
	options *copyOptions
	names   []string
	plain   []bool // the column's text never needs escaping
	force   []bool // CSV: always quoted
	encoder *rowEncoder
	pending string // bytes that belong before the first row
	scratch []byte
}

func newCopyWriter(o *copyOptions, columns types.Schema, c *conn) *copyWriter {
	format := textFormat
	if o.format == copyBinary {
		format = binaryFormat
	}
	w := &copyWriter{options: o, encoder: newRowEncoder(columns, []int16{format}, c.session.State())}
	for _, column := range columns {
		w.names = append(w.names, column.Name)
		numeric := column.Type.IsNumeric() || column.Type.IsOID()
		w.plain = append(w.plain, numeric && o.delimiter != '.' && o.delimiter != '-' && (o.delimiter < '0' || o.delimiter > '9') &&
			o.delimiter != '+' && o.delimiter != 'e' && !isLetter(o.delimiter) && !isLetter(o.quote) && o.null != "0")
		w.force = append(w.force, o.forceQuote["*"] || o.forceQuote[column.Name])
	}
	if o.format == copyBinary {
		w.pending = binaryCopyHeader
	}
	return w
}

func isLetter(c byte) bool { return c|0x20 >= 'a' && c|0x20 <= 'z' }

func (w *copyWriter) appendHeader(dst []byte) []byte {
	if !w.options.header {
		return dst
	}
	dst, start := startMessage(dst, 'd')
	for i, name := range w.names {
		if i > 0 {
			dst = append(dst, w.options.delimiter)
		}
		at := len(dst)
		dst = append(dst, name...)
		if w.options.format == copyCSV {
			dst = w.quoteCSV(dst, at, false)
		} else {
			dst = w.escapeText(dst, at)
		}
	}
	return endMessage(append(dst, '\n'), start)
}

func (w *copyWriter) appendRow(dst []byte, row int) []byte {
	dst, start := startMessage(dst, 'd')
	columns := w.encoder.columns
	if w.options.format == copyBinary {
		dst = append(dst, w.pending...)
		w.pending = ""
		dst = append16(dst, len(columns))
		for i := range columns {
			dst = columns[i].append(dst, row)
		}
		return endMessage(dst, start)
	}
	for i := range columns {
		if i > 0 {
			dst = append(dst, w.options.delimiter)
		}
		at := len(dst)
		var null bool
		if dst, null = columns[i].appendBare(dst, row); null {
			dst = append(dst, w.options.null...)
			continue
		}
		switch {
		case w.options.format == copyCSV && (w.force[i] || !w.plain[i]):
			dst = w.quoteCSV(dst, at, w.force[i])
		case w.options.format == copyText && !w.plain[i]:
			dst = w.escapeText(dst, at)
		}
	}
	return endMessage(append(dst, '\n'), start)
}

// appendBare appends a value without its length, or tells that it is NULL.
func (c *column) appendBare(dst []byte, row int) (out []byte, null bool) {
	start := len(dst)
	dst = c.append(dst, row)
	if int32(binary.BigEndian.Uint32(dst[start:])) < 0 {
		return dst[:start], true
	}
	n := copy(dst[start:], dst[start+4:])
	return dst[:start+n], false
}

func (w *copyWriter) appendTrailer(dst []byte) []byte {
	if w.options.format != copyBinary {
		return dst
	}
	dst, start := startMessage(dst, 'd')
	return endMessage(append16(append(dst, w.pending...), -1), start)
}

// escapeText puts backslashes into the value that starts at.
func (w *copyWriter) escapeText(dst []byte, at int) []byte {
	special := false
	for _, c := range dst[at:] {
		if c < ' ' || c == '\\' || c == w.options.delimiter {
			special = true
			break
		}
	}
	if !special {
		return dst
	}
	w.scratch = append(w.scratch[:0], dst[at:]...)
	dst = dst[:at]
	for _, c := range w.scratch {
		switch c {
		case '\b':
			dst = append(dst, '\\', 'b')
		case '\f':
			dst = append(dst, '\\', 'f')
		case '\n':
			dst = append(dst, '\\', 'n')
		case '\r':
			dst = append(dst, '\\', 'r')
		case '\t':
			dst = append(dst, '\\', 't')
		case '\v':
			dst = append(dst, '\\', 'v')
		case '\\', w.options.delimiter:
			dst = append(dst, '\\', c)
		default:
			dst = append(dst, c)
		}
	}
	return dst
}

// quoteCSV puts the value that starts at into quotes where a reader needs them.
func (w *copyWriter) quoteCSV(dst []byte, at int, force bool) []byte {
	o, value := w.options, dst[at:]
	if !force && string(value) != o.null && !(len(w.names) == 1 && string(value) == `\.`) &&
		bytes.IndexByte(value, o.delimiter) < 0 && bytes.IndexByte(value, o.quote) < 0 && bytes.IndexByte(value, '\n') < 0 && bytes.IndexByte(value, '\r') < 0 {
		return dst
	}
	w.scratch = append(w.scratch[:0], value...)
	dst = append(dst[:at], o.quote)
	for _, c := range w.scratch {
		if c == o.quote || c == o.escape {
			dst = append(dst, o.escape)
		}
		dst = append(dst, c)
	}
	return append(dst, o.quote)
}
