package json

import (
	"bytes"
	"io"
	"math"
	"strconv"
	"time"

	"github.com/tarnlake/tarn/internal/format/stream"
	"github.com/tarnlake/tarn/internal/sqlerr"
	"github.com/tarnlake/tarn/internal/types"
	"github.com/tarnlake/tarn/internal/vec"
)

// Writer writes batches as objects, one a line or, with the Array layout, as one array. It is used
// by one goroutine at a time; nothing is complete before Finish.
type Writer struct {
	out    *stream.Output
	keys   [][]byte // what stands before each value
	array  bool
	zone   *time.Location
	buffer []byte
	text   []byte
	rows   int64
}

// NewWriter starts a file; timestamptz values are shown in zone (nil is UTC). Compression Auto means
// none.
func NewWriter(out io.Writer, schema types.Schema, format Format, zone *time.Location) (*Writer, error) {
	if zone == nil {
		zone = time.UTC
	}
	w := &Writer{array: format.Layout == Array, zone: zone}
	known := map[string]bool{}
	for i, f := range schema {
		if known[f.Name] {
			return nil, sqlerr.New(sqlerr.DuplicateColumn, "column name %q appears more than once", f.Name).
				WithHint("Objects of JSON need different keys: give the columns names of their own with AS.")
		}
		known[f.Name] = true
		before := []byte{','}
		if i == 0 {
			before[0] = '{'
		}
		w.keys = append(w.keys, append(types.AppendJSONString(before, f.Name), ':'))
	}
	var err error
	w.out, err = stream.Compress(out, format.Compression)
	return w, err
}

const flushAt = 256 << 10

// Append writes the selected rows of b.
func (w *Writer) Append(b *vec.Batch) error {
	if len(b.Cols) != len(w.keys) {
		return sqlerr.Internal("JSON writer of %d columns got %d", len(w.keys), len(b.Cols))
	}
	for i := range b.Rows() {
		row := i
		if b.Sel != nil {
			row = int(b.Sel[i])
		}
		w.separate()
		for c := range b.Cols {
			w.buffer = append(w.buffer, w.keys[c]...)
			w.value(&b.Cols[c], row)
		}
		if len(b.Cols) == 0 {
			w.buffer = append(w.buffer, '{')
		}
		w.buffer = append(w.buffer, '}')
		w.rows++
		if len(w.buffer) >= flushAt {
			if err := w.flush(); err != nil {
				return err
			}
		}
	}
	return nil
}

// separate writes what stands before an object.
func (w *Writer) separate() {
	switch {
	case !w.array && w.rows == 0:
	case !w.array:
		w.buffer = append(w.buffer, '\n')
	case w.rows == 0:
		w.buffer = append(w.buffer, "[\n"...)
	default:
		w.buffer = append(w.buffer, ",\n"...)
	}
}

// value appends one value: numbers, booleans and nested values as such, all others as strings of
// their text.
func (w *Writer) value(v *vec.Vector, row int) {
	if v.IsNull(row) {
		w.buffer = append(w.buffer, "null"...)
		return
	}
	switch v.Enc {
	case vec.Const:
		row = 0
	case vec.Dict:
		v, row = v.Dict, int(v.Codes()[row])
	}
	switch v.Type.Kind {
	case types.Int64, types.OID:
		w.buffer = strconv.AppendInt(w.buffer, vec.Values[int64](v)[row], 10)
	case types.Int32:
		w.buffer = strconv.AppendInt(w.buffer, int64(vec.Values[int32](v)[row]), 10)
	case types.Int16:
		w.buffer = strconv.AppendInt(w.buffer, int64(vec.Values[int16](v)[row]), 10)
	case types.Float64:
		f := vec.Values[float64](v)[row]
		w.float(f, types.AppendFloat64(w.text[:0], f))
	case types.Float32:
		f := vec.Values[float32](v)[row]
		w.float(float64(f), types.AppendFloat32(w.text[:0], f))
	case types.Bool:
		w.buffer = strconv.AppendBool(w.buffer, vec.Values[uint8](v)[row] != 0)
	case types.Decimal, types.Int128Kind:
		w.buffer = types.AppendDecimal(w.buffer, v.Datum(row).Unscaled(v.Type), int(v.Type.Scale))
	case types.Text, types.Char, types.Name, types.InternalChar:
		w.buffer = types.AppendJSONString(w.buffer, v.Str(row))
	case types.JSON, types.JSONB:
		w.document(v.Bytes(row))
	case types.Timestamp:
		w.moment(types.AppendTimestamp(w.text[:0], vec.Values[int64](v)[row]))
	case types.TimestampTZ:
		text := types.AppendTimestampTZ(w.text[:0], vec.Values[int64](v)[row], w.zone)
		if n := len(text); n > 3 && (text[n-3] == '+' || text[n-3] == '-') {
			text = append(text, ":00"...)
		}
		w.moment(text)
	case types.Array, types.Map, types.Row:
		w.nested(v, row)
	default:
		w.text = types.AppendText(w.text[:0], v.Type, v.Datum(row), w.zone)
		w.buffer = types.AppendJSONString(w.buffer, string(w.text))
	}
}

// float appends the text of a number, quoted where JSON has no such number.
func (w *Writer) float(f float64, text []byte) {
	w.text = text
	if math.IsNaN(f) || math.IsInf(f, 0) {
		w.buffer = append(append(append(w.buffer, '"'), text...), '"')
		return
	}
	w.buffer = append(w.buffer, text...)
}

// moment appends a timestamp as ISO 8601 writes it.
func (w *Writer) moment(text []byte) {
	w.text = text
	if at := bytes.IndexByte(text, ' '); at >= 0 {
		text[at] = 'T'
	}
	w.buffer = append(append(append(w.buffer, '"'), text...), '"')
}

// document appends JSON text, without line breaks: those of JSON stand between tokens only.
func (w *Writer) document(text []byte) {
	from := len(w.buffer)
	w.buffer = append(w.buffer, text...)
	for i, c := range w.buffer[from:] {
		if c == '\n' || c == '\r' {
			w.buffer[from+i] = ' '
		}
	}
}

func (w *Writer) nested(v *vec.Vector, row int) {
	if v.Type.Kind == types.Row {
		w.buffer = append(w.buffer, '{')
		for i, f := range v.Type.Fields {
			if i > 0 {
				w.buffer = append(w.buffer, ',')
			}
			w.buffer = append(types.AppendJSONString(w.buffer, f.Name), ':')
			w.value(&v.Children[i], row)
		}
		w.buffer = append(w.buffer, '}')
		return
	}
	list := vec.Values[vec.List](v)[row]
	brackets := "[]"
	if v.Type.Kind == types.Map {
		brackets = "{}"
	}
	w.buffer = append(w.buffer, brackets[0])
	for i := range int(list.Length) {
		if i > 0 {
			w.buffer = append(w.buffer, ',')
		}
		at := int(list.Offset) + i
		if v.Type.Kind == types.Map {
			key := types.Format(*v.Type.Key, v.Children[0].Datum(at), w.zone)
			w.buffer = append(types.AppendJSONString(w.buffer, key), ':')
		}
		w.value(&v.Children[len(v.Children)-1], at)
	}
	w.buffer = append(w.buffer, brackets[1])
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
	switch {
	case w.array && w.rows == 0:
		w.buffer = append(w.buffer, "[]\n"...)
	case w.array:
		w.buffer = append(w.buffer, "\n]\n"...)
	case w.rows > 0:
		w.buffer = append(w.buffer, '\n')
	}
	if err := w.flush(); err != nil {
		return err
	}
	return w.out.Finish()
}
