package csv

import (
	"bytes"
	"io"
	"time"

	"github.com/tarnlake/tarn/internal/format/stream"
	"github.com/tarnlake/tarn/internal/sqlerr"
	"github.com/tarnlake/tarn/internal/types"
	"github.com/tarnlake/tarn/internal/vec"
)

// Writer writes batches as records. It is used by one goroutine at a time; nothing is complete
// before Finish.
type Writer struct {
	out     *stream.Output
	format  Format
	schema  types.Schema
	zone    *time.Location
	special [256]bool // bytes that make a field be quoted
	buffer  []byte
	text    []byte
	rows    int64
	problem error
}

// NewWriter starts a file; timestamptz values are shown in zone (nil is UTC). Compression Auto means
// none.
func NewWriter(out io.Writer, schema types.Schema, format Format, zone *time.Location) (*Writer, error) {
	if err := format.check(); err != nil {
		return nil, err
	}
	if format.Encoding != UTF8 {
		return nil, sqlerr.New(sqlerr.FeatureNotSupported, "CSV files are written in UTF-8 only")
	}
	if zone == nil {
		zone = time.UTC
	}
	packed, err := stream.Compress(out, format.Compression)
	if err != nil {
		return nil, err
	}
	w := &Writer{out: packed, format: format, schema: schema, zone: zone}
	for _, c := range []byte{format.Delimiter, format.Quote, '\n', '\r'} {
		w.special[c] = c != 0
	}
	if format.Header {
		for i, f := range schema {
			w.separate(i)
			w.field([]byte(f.Name))
		}
		w.buffer = append(w.buffer, w.newline())
	}
	return w, nil
}

func (w *Writer) newline() byte {
	if w.format.Newline != 0 {
		return w.format.Newline
	}
	return '\n'
}

func (w *Writer) separate(column int) {
	if column > 0 {
		w.buffer = append(w.buffer, w.format.Delimiter)
	}
}

func (w *Writer) null() {
	if len(w.format.Null) > 0 {
		w.buffer = append(w.buffer, w.format.Null[0]...)
	}
}

// field appends text, quoted where it must be.
func (w *Writer) field(text []byte) {
	quote := len(text) == 0 && w.isNullText(text) || w.begun() && bytes.HasPrefix(text, byteOrderMark)
	for _, c := range text {
		quote = quote || w.special[c]
	}
	if !quote && !w.isNullText(text) || w.format.Quote == 0 {
		if quote && w.problem == nil && len(text) > 0 {
			w.problem = sqlerr.New(sqlerr.InvalidParameterValue, "CSV value %q needs quotes, but the quote character is none", text[:min(len(text), 100)])
		}
		w.buffer = append(w.buffer, text...)
		return
	}
	escape := w.format.Escape
	if escape == 0 {
		escape = w.format.Quote
	}
	w.buffer = append(w.buffer, w.format.Quote)
	for _, c := range text {
		if c == w.format.Quote || c == escape {
			w.buffer = append(w.buffer, escape)
		}
		w.buffer = append(w.buffer, c)
	}
	w.buffer = append(w.buffer, w.format.Quote)
}

// begun tells that the file's first field is next: a byte order mark there would be none of its text.
func (w *Writer) begun() bool { return w.rows == 0 && len(w.buffer) == 0 && w.out.Written() == 0 }

func (w *Writer) isNullText(text []byte) bool {
	for _, null := range w.format.Null {
		if string(text) == null {
			return true
		}
	}
	return false
}

const flushAt = 256 << 10

// Append writes the selected rows of b.
func (w *Writer) Append(b *vec.Batch) error {
	if len(b.Cols) != len(w.schema) {
		return sqlerr.Internal("CSV writer of %d columns got %d", len(w.schema), len(b.Cols))
	}
	for i := range b.Rows() {
		row := i
		if b.Sel != nil {
			row = int(b.Sel[i])
		}
		for c := range b.Cols {
			w.separate(c)
			w.value(&b.Cols[c], c, row)
		}
		w.buffer = append(w.buffer, w.newline())
		if w.problem != nil {
			return w.problem
		}
		if len(w.buffer) >= flushAt {
			if err := w.flush(); err != nil {
				return err
			}
		}
	}
	w.rows += int64(b.Rows())
	return nil
}

// value appends one value: strings as they are, other types in PostgreSQL's text form.
func (w *Writer) value(v *vec.Vector, column, row int) {
	if v.IsNull(row) {
		w.null()
		return
	}
	t := w.schema[column].Type
	if t.Physical() == types.PhysString && t.Kind != types.Bytea {
		w.field(v.Bytes(row))
		return
	}
	w.text = types.AppendText(w.text[:0], t, v.Datum(row), w.zone)
	w.field(w.text)
}

func (w *Writer) flush() error {
	_, err := w.out.Write(w.buffer)
	w.buffer = w.buffer[:0]
	return err
}

// Rows is the number of rows appended.
func (w *Writer) Rows() int64 { return w.rows }

// Bytes is the number of bytes written so far, with those still buffered.
func (w *Writer) Bytes() int64 { return w.out.Written() + int64(len(w.buffer)) }

// Finish writes what is buffered. It does not close the underlying writer.
func (w *Writer) Finish() error {
	if err := w.flush(); err != nil {
		return err
	}
	return w.out.Finish()
}
