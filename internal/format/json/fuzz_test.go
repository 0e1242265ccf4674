package json

import (
	"bytes"
	"context"
	reference "encoding/json"
	"io"
	"math"
	"reflect"
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/tarnlake/tarn/internal/objstore"
	"github.com/tarnlake/tarn/internal/types"
	"github.com/tarnlake/tarn/internal/vec"
)

// oneObject is a store that holds one object in memory.
type oneObject struct {
	objstore.Store
	data []byte
}

func (o oneObject) ReadRanges(_ context.Context, _, _ string, ranges []objstore.Range, buffers [][]byte) error {
	for i, r := range ranges {
		copy(buffers[i][:r.Length], o.data[r.Offset:r.Offset+r.Length])
	}
	return nil
}

// drain reads all rows as text, NULL for nulls.
func drain(data []byte, format Format, options ReadOptions) (rows [][]string, err error) {
	return drainObject(oneObject{data: data}, objstore.Object{Path: "f.json", Size: int64(len(data))}, format, options)
}

func drainObject(store objstore.Store, object objstore.Object, format Format, options ReadOptions) (rows [][]string, err error) {
	r, err := NewReader(store, object, format, options)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	for {
		b, err := r.Next(context.Background())
		if err != nil || b == nil {
			return rows, err
		}
		rows = append(rows, texts(b)...)
	}
}

func texts(b *vec.Batch) (rows [][]string) {
	for i := range b.Rows() {
		at := i
		if b.Sel != nil {
			at = int(b.Sel[i])
		}
		row := make([]string, len(b.Cols))
		for c := range b.Cols {
			if row[c] = "NULL"; !b.Cols[c].IsNull(at) {
				row[c] = types.Format(b.Cols[c].Type, b.Cols[c].Datum(at), nil)
			}
		}
		rows = append(rows, row)
	}
	return rows
}

// wanted is what the fuzz target asks for.
func wanted() []ColumnRequest {
	return []ColumnRequest{{Key: "a", Type: types.Of(types.JSON)}, {Key: "a", Type: types.Of(types.Text)}, {Key: "b", Type: types.Of(types.Text)}}
}

// referenceRow is a record as encoding/json understands it; false when it is to be refused.
func referenceRow(text []byte) (row []string, ok bool) {
	if !reference.Valid(text) || !utf8.Valid(text) || !strings.HasPrefix(strings.TrimLeft(string(text), " \t\r\n"), "{") || !pairedAndShallow(text) {
		return nil, false
	}
	decoder := reference.NewDecoder(bytes.NewReader(text))
	_, _ = decoder.Token()
	values, folded := map[string]string{}, map[string]string{}
	for decoder.More() {
		key, _ := decoder.Token()
		var value reference.RawMessage
		if decoder.Decode(&value) != nil {
			return nil, false
		}
		if name := key.(string); name == "a" || name == "b" {
			values[name] = string(value)
		} else {
			folded[strings.ToLower(name)] = string(value)
		}
	}
	for _, name := range []string{"a", "b"} {
		if _, exact := values[name]; !exact {
			values[name] = folded[name]
		}
	}
	for i, name := range []string{"a", "a", "b"} {
		raw := values[name]
		switch {
		case raw == "null" || raw == "":
			raw = "NULL"
		case raw[0] == '"' && i > 0:
			_ = reference.Unmarshal([]byte(raw), &raw)
			if strings.ContainsRune(raw, 0) {
				return nil, false
			}
		}
		row = append(row, raw)
	}
	return row, true
}

// pairedAndShallow checks what encoding/json does not: surrogates come in pairs, nesting has a limit.
func pairedAndShallow(text []byte) bool {
	depth, quoted := 0, false
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case c == '"':
			quoted = !quoted
		case c == '\\' && text[i+1] == 'u':
			unit, _ := strconv.ParseUint(string(text[i+2:i+6]), 16, 16)
			i += 5
			if unit < 0xD800 || unit > 0xDFFF {
				continue
			}
			if unit >= 0xDC00 || i+6 >= len(text) || text[i+1] != '\\' || text[i+2] != 'u' {
				return false
			}
			if low, _ := strconv.ParseUint(string(text[i+3:i+7]), 16, 16); low < 0xDC00 || low > 0xDFFF {
				return false
			}
			i += 6
		case c == '\\':
			i++
		case !quoted && (c == '{' || c == '['):
			if depth++; depth > maxDepth {
				return false
			}
		case !quoted && (c == '}' || c == ']'):
			depth--
		}
	}
	return true
}

// FuzzJSONReader compares with encoding/json which records are read, and their values: line by line,
// in splits, as an array and as a sequence.
func FuzzJSONReader(f *testing.F) {
	for _, seed := range seeds() {
		f.Add([]byte(seed), uint8(7), uint8(1))
	}
	f.Fuzz(compare)
}

func seeds() []string {
	return []string{
		"{\"a\":1,\"b\":\"x\"}\n{\"b\":null}\n", "{\"a\": {\"k\": [1, \"}\"]} , \"b\" : true}\r\n\n{\"a\":-0.5e+10}", "[{\"a\":1},\n {\"b\":\"y\"}]", "[]", "[ ]\n",
		"{\"a\":\"\\u00e9\\ud83d\\ude00\\n\"}", "{\"a\":\"\\ud83d\"}", "{\"a\":\"\\u0000\"}", "{\"a\":1,\"a\":2}", "{\"A\":1}\n{\"a\":null,\"A\":2}", "{\n\"a\":1\n}\n{\"a\":2}",
		"{\"a\":01}\n{\"a\":1.}\n{\"a\":.5}\n{\"a\":tru}\n{\"a\":1 2}\n{\"a\" 1}\n{,}\n{\"a\":1,}\n[1]\n{} {}\n", "\xef\xbb\xbf{\"a\":1}", "{\"a\":\"\xff\"}\n{\"\xc3\xa9\":1,\"b\":\"\xc3\xa9\"}",
		"{\"a\":[[[[]]],{}]}", "{\"\\u0061\":\"long enough to be no inline string \\\\\"}", "{\"a\":12345678901234567890,\"b\":1e400}", "[{\"a\":1}] x", "[{\"a\":1},]", "{\"a\":9007199254740993.5}",
	}
}

// compare reads any bytes in all ways.
func compare(t *testing.T, data []byte, target, batch uint8) {
	lines := Format{Layout: Lines, IgnoreErrors: true}
	options := ReadOptions{Columns: wanted(), BatchSize: int(batch)}
	whole, err := drain(data, lines, options)
	if err != nil {
		t.Fatal(err)
	}
	var want [][]string
	for line := range bytes.SplitSeq(bytes.TrimPrefix(data, byteOrderMark), newline) {
		if row, ok := referenceRow(line); ok {
			want = append(want, row)
			checkNumbers(t, line, row)
		}
	}
	if !reflect.DeepEqual(whole, want) {
		t.Fatalf("lines give %q, encoding/json %q", whole, want)
	}
	checkSplits(t, data, lines, options, int64(target)+1+int64(len(data)/8), whole)
	checkArray(t, data, options)
	checkSequence(t, data, options)
	if _, err := Infer(context.Background(), oneObject{data: data}, objstore.Object{Path: "f", Size: int64(len(data))}, lines, 1); err != nil {
		t.Fatal(err)
	}
	checkInferred(t, data)
}

// checkNumbers reads a record alone with columns of numbers.
func checkNumbers(t *testing.T, line []byte, row []string) {
	value, err := drain(line, Format{Layout: Lines}, ReadOptions{Columns: []ColumnRequest{{Key: "a", Type: types.Of(types.Float64)}}})
	number, parse := strconv.ParseFloat(row[0], 64)
	if c := row[0][0]; c == '-' || c >= '0' && c <= '9' {
		vanished := number == 0 && strings.ContainsAny(strings.FieldsFunc(row[0], func(r rune) bool { return r|0x20 == 'e' })[0], "123456789")
		if refused := parse != nil || vanished; refused != (err != nil) {
			t.Fatalf("%q as a double: %q, %v", row[0], value, err)
		} else if got, _ := strconv.ParseFloat(first(value), 64); !refused && math.Float64bits(got) != math.Float64bits(number) {
			t.Fatalf("%q as a double: %q", row[0], value)
		}
		value, err = drain(line, Format{Layout: Lines}, ReadOptions{Columns: []ColumnRequest{{Key: "a", Type: types.Of(types.Int64)}}})
		if long, parse := strconv.ParseInt(row[0], 10, 64); parse == nil && first(value) != strconv.FormatInt(long, 10) {
			t.Fatalf("%q as a bigint: %q, %v", row[0], value, err)
		} else if parse != nil && err == nil && !strings.ContainsAny(row[0], ".eE") {
			t.Fatalf("%q as a bigint: %q", row[0], value)
		}
	}
}

func first(rows [][]string) string {
	if len(rows) != 1 {
		return ""
	}
	return rows[0][0]
}

// checkSplits reads the file in pieces.
func checkSplits(t *testing.T, data []byte, format Format, options ReadOptions, target int64, whole [][]string) {
	object := objstore.Object{Path: "f.json", Size: int64(len(data))}
	splitter := NewSplitter(oneObject{data: data}, object, format, target)
	var parts [][]string
	next := int64(0)
	for {
		split, more, err := splitter.Next(context.Background())
		if err != nil {
			t.Fatal(err)
		}
		if !more {
			break
		}
		if split.Offset != next || split.Length <= 0 {
			t.Fatal(split, next)
		}
		next += split.Length
		options.Split = split
		rows, err := drainObject(oneObject{data: data}, object, format, options)
		if err != nil {
			t.Fatal(err)
		}
		parts = append(parts, rows...)
	}
	if next != object.Size || !reflect.DeepEqual(parts, whole) {
		t.Fatalf("splits up to %d of %d give %q, the whole file %q", next, object.Size, parts, whole)
	}
}

// checkArray reads an array of objects.
func checkArray(t *testing.T, data []byte, options ReadOptions) {
	var items []reference.RawMessage
	text := bytes.TrimPrefix(data, byteOrderMark)
	ok := reference.Unmarshal(text, &items) == nil && items != nil
	var want [][]string
	for _, item := range items {
		row, good := referenceRow(item)
		want = append(want, row)
		ok = ok && good
	}
	if len(bytes.Trim(text, " \t\r\n")) == 0 {
		ok = true
	}
	got, err := drain(data, Format{Layout: Array}, options)
	if ok != (err == nil) || ok && !reflect.DeepEqual(got, want) {
		t.Fatalf("the array gives %q, %v, encoding/json %q", got, err, want)
	}
}

// checkSequence reads objects one after the other.
func checkSequence(t *testing.T, data []byte, options ReadOptions) {
	decoder := reference.NewDecoder(bytes.NewReader(bytes.TrimPrefix(data, byteOrderMark)))
	var want [][]string
	ok := true
	for ok {
		var item reference.RawMessage
		err := decoder.Decode(&item)
		if err == io.EOF {
			break
		}
		row, good := referenceRow(item)
		want, ok = append(want, row), err == nil && good
	}
	got, err := drain(data, Format{Layout: Objects}, options)
	if ok != (err == nil) || ok && !reflect.DeepEqual(got, want) {
		t.Fatalf("the sequence gives %q, %v, encoding/json %q", got, err, want)
	}
}

// checkInferred reads a file by the columns that it was seen to have: nothing that was seen is refused.
func checkInferred(t *testing.T, data []byte) {
	object := objstore.Object{Path: "f", Size: int64(len(data))}
	sample, err := Infer(context.Background(), oneObject{data: data}, object, DefaultFormat(), 1)
	if err != nil {
		return
	}
	var options ReadOptions
	for _, f := range sample.Schema() {
		options.Columns = append(options.Columns, ColumnRequest{Key: f.Name, Type: f.Type})
		options.Keys = append(options.Keys, f.Name)
	}
	if _, err := drain(data, DefaultFormat(), options); err != nil && !strings.Contains(err.Error(), "out of range") && !strings.Contains(err.Error(), "Unicode escape") {
		t.Fatalf("read as %v: %v", sample.Schema(), err)
	}
}
