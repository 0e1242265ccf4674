package csv

import (
	"bytes"
	"context"
	stdcsv "encoding/csv"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/klauspost/compress/gzip"

	"github.com/tarnlake/tarn/internal/format/stream"
	"github.com/tarnlake/tarn/internal/objstore"
	"github.com/tarnlake/tarn/internal/sqlerr"
	"github.com/tarnlake/tarn/internal/types"
	"github.com/tarnlake/tarn/internal/vec"
)

// place stores content as a file and gives its store and object.
func place(t testing.TB, name, content string) (objstore.Store, objstore.Object) {
	t.Helper()
	store, err := objstore.OpenLocal(t.TempDir(), objstore.Options{})
	if err != nil {
		t.Fatal(err)
	}
	object, err := store.Put(context.Background(), name, []byte(content))
	if err != nil {
		t.Fatal(err)
	}
	return store, object
}

// kinds turns a word per column into requests: "int text date …".
func kinds(t testing.TB, words string) (out []ColumnRequest) {
	t.Helper()
	known := map[string]types.Type{"int": types.Of(types.Int32), "bigint": types.Of(types.Int64), "text": types.Of(types.Text),
		"date": types.Of(types.Date), "ts": types.Of(types.Timestamp), "dec": types.DecimalOf(10, 2), "wide": types.DecimalOf(38, 3),
		"double": types.Of(types.Float64), "bool": types.Of(types.Bool), "v3": types.VarcharOf(3), "smallint": types.Of(types.Int16),
		"uuid": types.Of(types.UUID), "bytea": types.Of(types.Bytea), "tz": types.Of(types.TimestampTZ), "char5": {Kind: types.Char, Length: 5},
		"ints": types.ArrayOf(types.Of(types.Int32)), "interval": types.Of(types.Interval), "time": types.Of(types.Time), "real": types.Of(types.Float32),
		"json": types.Of(types.JSON)}
	for i, w := range strings.Fields(words) {
		typ, ok := known[w]
		if !ok {
			t.Fatal(w)
		}
		out = append(out, ColumnRequest{Field: i, Type: typ, Name: fmt.Sprintf("c%d", i)})
	}
	return out
}

// drain reads all rows as text, NULL as "NULL".
func drain(source vec.Source, columns []ColumnRequest) (rows [][]string, err error) {
	defer source.Close()
	for {
		b, err := source.Next(context.Background())
		if err != nil || b == nil {
			return rows, err
		}
		for i := range b.Rows() {
			at := i
			if b.Sel != nil {
				at = int(b.Sel[i])
			}
			row := make([]string, len(columns))
			for c := range columns {
				if d := b.Cols[c].Datum(at); d.Null {
					row[c] = "NULL"
				} else {
					row[c] = types.Format(columns[c].Type, d, time.UTC)
				}
			}
			rows = append(rows, row)
		}
	}
}

func readAll(t testing.TB, content, words string, change func(*Format)) ([][]string, error) {
	t.Helper()
	store, object := place(t, "f.csv", content)
	format := DefaultFormat()
	if change != nil {
		change(&format)
	}
	columns := kinds(t, words)
	r, err := NewReader(store, object, format, ReadOptions{Columns: columns, Fields: len(columns)})
	if err != nil {
		return nil, err
	}
	return drain(r, columns)
}

func TestFieldsOfEveryShape(t *testing.T) {
	for _, c := range []struct {
		name, content, words string
		change               func(*Format)
		want                 string
	}{
		{"plain", "1,a\n2,b\n", "int text", nil, "1 a|2 b"},
		{"no newline at the end", "1,a\n2,b", "int text", nil, "1 a|2 b"},
		{"windows", "1,a\r\n2,\"b\"\r\n", "int text", nil, "1 a|2 b"},
		{"windows, cut", "1,a\r\n2,\"b\"\r", "int text", nil, "1 a|2 b"},
		{"old mac", "1,a\r2,b\r", "int text", func(f *Format) { f.Newline = '\r' }, "1 a|2 b"},
		{"quotes", "\"1\",\"say \"\"hi\"\", a longer text\"\n2,\"\"\"\"\n", "int text", nil, `1 say "hi", a longer text|2 "`},
		{"breaks in quotes", "1,\"a\nb\"\n2,c\n", "int text", nil, "1 a\nb|2 c"},
		{"quote inside a field", "1,5\" pipe\n2,6\" pipe\n", "int text", nil, `1 5" pipe|2 6" pipe`},
		{"null and empty", "1,\n2,\"\"\n,x\n", "int text", nil, "1 NULL|2 |NULL x"},
		{"null word", "1,NULL\n2,\"NULL\"\n3,\n", "int text", func(f *Format) { f.Null = []string{"NULL", "\\N"} }, "1 NULL|2 NULL|3 "},
		{"blank lines", "\n1,a\n\n\r\n2,b\n\n", "int text", nil, "1 a|2 b"},
		{"one column", "a\n\nb\n", "text", nil, "a|NULL|b"},
		{"header", "id,name\n1,a\n", "int text", func(f *Format) { f.Header = true }, "1 a"},
		{"header of other width", "id\n1,a\n", "int text", func(f *Format) { f.Header = true }, "1 a"},
		{"skip", "# made by x\n# \"unbalanced\nid,name\n1,a\n", "int text", func(f *Format) { f.Header, f.Skip = true, 2 }, "1 a"},
		{"byte order mark", "\xef\xbb\xbf\"1\",a\n", "int text", nil, "1 a"},
		{"tabs", "1\ta\n2\tb\n", "int text", func(f *Format) { f.Delimiter = '\t' }, "1 a|2 b"},
		{"backslash", "1,\"a\\\"b\\\\\"\n2,\"\"\n", "int text", func(f *Format) { f.Escape = '\\' }, `1 a"b\|2 `},
		{"no quotes", "1,\"a\n2,b\"\n", "int text", func(f *Format) { f.Quote = 0 }, `1 "a|2 b"`},
		{"padding", "1\n2,b\n", "int text", func(f *Format) { f.NullPadding = true }, "1 NULL|2 b"},
		{"latin1", "1,gr\xf6\xdfe\n", "int text", func(f *Format) { f.Encoding = Latin1 }, "1 größe"},
		{"types", "-5,9223372036854775807,1.5,2024-02-29,2024-02-29 12:34:56.789,12.345,t,12345678901234567890123.456\n",
			"smallint bigint double date ts dec bool wide", nil, "-5 9223372036854775807 1.5 2024-02-29 2024-02-29 12:34:56.789 12.35 t 12345678901234567890123.456"},
		{"more types", "6b8b4567-327b-23c6-643c-986966334873,\\x00ff,2024-01-01 00:00:00+02,ab,\"{1,NULL,3}\",1 day,12:00:01,0.25,{}\n",
			"uuid bytea tz char5 ints interval time real json", nil, `6b8b4567-327b-23c6-643c-986966334873 \x00ff 2023-12-31 22:00:00+00 ab    {1,NULL,3} 1 day 12:00:01 0.25 {}`},
		{"ignored", "1,a\nx,b\n3\n4,d,e\n\"5\"6,f\n7,g\n", "int text", func(f *Format) { f.IgnoreErrors = true }, "1 a|7 g"},
		{"empty", "", "int text", nil, ""},
		{"blanks beyond the length", "1,ab    \n2,\"é\"\"c \"\n3,\"a longer \"\"      \"\n", "int v3", func(f *Format) { f.IgnoreErrors = true }, `1 ab |2 é"c`},
	} {
		rows, err := readAll(t, c.content, c.words, c.change)
		var got []string
		for _, row := range rows {
			got = append(got, strings.Join(row, " "))
		}
		if err != nil || strings.Join(got, "|") != c.want {
			t.Errorf("%s: %q, want %q (%v)", c.name, strings.Join(got, "|"), c.want, err)
		}
	}
}

func TestErrorsNameFileLineColumnAndValue(t *testing.T) {
	for _, c := range []struct {
		content, words string
		code           sqlerr.Code
		where          string
	}{
		{"1,a\n\"x\ny\",b\n", "int text", sqlerr.InvalidTextRepresentation, "CSV file \"f.csv\", line 2, column c0: \"x\\ny\""},
		{"1,\"a\n\nb\"\n2,c\nbad,d\n", "int text", sqlerr.InvalidTextRepresentation, `CSV file "f.csv", line 5, column c0: "bad"`},
		{"1,2024-02-30\n", "int date", sqlerr.DatetimeFieldOverflow, `CSV file "f.csv", line 1, column c1: "2024-02-30"`},
		{"99999999999,a\n", "int text", sqlerr.NumericValueOutOfRange, `CSV file "f.csv", line 1, column c0: "99999999999"`},
		{"1,abcd\n", "int v3", sqlerr.StringDataRightTruncation, `CSV file "f.csv", line 1, column c1: "abcd"`},
		{"1,a\n2\n", "int text", sqlerr.BadCopyFileFormat, `CSV file "f.csv", line 2`},
		{"1,a\n2,b,c\n", "int text", sqlerr.BadCopyFileFormat, `CSV file "f.csv", line 2`},
		{"1,a\n2,\"b\n", "int text", sqlerr.BadCopyFileFormat, `CSV file "f.csv", line 2`},
		{"1,\"a\"b\n", "int text", sqlerr.BadCopyFileFormat, `CSV file "f.csv", line 1`},
		{"1,\xff\xfe\n", "int text", sqlerr.CharacterNotInRepertoire, "CSV file \"f.csv\", line 1, column c1: \"\\xff\\xfe\""},
	} {
		_, err := readAll(t, c.content, c.words, nil)
		if sqlerr.CodeOf(err) != c.code || sqlerr.From(err).Where != c.where {
			t.Errorf("%q: %v %v in %v", c.content, sqlerr.CodeOf(err), err, sqlerr.From(err).Where)
		}
	}
}

// randomCSV makes records of every unpleasant kind, and their text.
func randomCSV(r *rand.Rand, records, fields int) (rows [][]string, text string) {
	pieces := []string{"", "a", "plain", "with,comma", "with\nbreak", "say \"x\"", "\"", "\"\"", "\n", "größe", "a somewhat longer text", "\r\nx"}
	var b bytes.Buffer
	w := stdcsv.NewWriter(&b)
	for range records {
		row := make([]string, fields)
		for i := range row {
			row[i] = pieces[r.IntN(len(pieces))] + pieces[r.IntN(len(pieces))]
		}
		row[0] = fmt.Sprint(r.IntN(1000))
		rows = append(rows, row)
		w.Write(row)
	}
	w.Flush()
	return rows, b.String()
}

func TestSplitsGiveEveryRecordOnce(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	ctx := context.Background()
	for range 30 {
		fields := 2 + r.IntN(4)
		rows, text := randomCSV(r, 1+r.IntN(400), fields)
		// encoding/csv reads \r\n in quotes as \n; the field is kept here as it was written.
		store, object := place(t, "f.csv", text)
		columns := kinds(t, strings.TrimSpace(strings.Repeat("text ", fields)))
		format := DefaultFormat()
		format.Null, format.Multiline = nil, true
		splitter, err := NewSplitter(store, object, format, 1+r.Int64N(3000))
		if err != nil {
			t.Fatal(err)
		}
		var got [][]string
		next, line := int64(0), int64(1)
		for {
			split, more, err := splitter.Next(ctx)
			if err != nil {
				t.Fatal(err)
			}
			if !more {
				break
			}
			if split.Offset != next || split.Line != line {
				t.Fatalf("split %+v, want it at %d, line %d", split, next, line)
			}
			next += split.Length
			line += int64(strings.Count(text[split.Offset:next], "\n"))
			reader, err := NewReader(store, object, format, ReadOptions{Columns: columns, Fields: fields, Split: split, BatchSize: 1 + r.IntN(50)})
			if err != nil {
				t.Fatal(err)
			}
			part, err := drain(reader, columns)
			if err != nil {
				t.Fatal(err)
			}
			got = append(got, part...)
		}
		if next != object.Size || !reflect.DeepEqual(got, rows) {
			t.Fatalf("read %d rows of %d bytes, want %d of %d", len(got), next, len(rows), object.Size)
		}
	}
}

func TestRecordsAreCountedWithoutColumns(t *testing.T) {
	store, object := place(t, "f.csv", "1,a\n2,\"b\nc\"\n\n3,c")
	reader, err := NewReader(store, object, DefaultFormat(), ReadOptions{Fields: 2, BatchSize: 2})
	if err != nil {
		t.Fatal(err)
	}
	rows, err := drain(reader, nil)
	if err != nil || len(rows) != 3 {
		t.Fatalf("%d rows, %v", len(rows), err)
	}
}

func TestProjectionFilterAndMissingColumns(t *testing.T) {
	store, object := place(t, "f.csv", "1,a,x\n2,b,y\n3,c,z\n")
	columns := []ColumnRequest{{Field: 2, Type: types.Of(types.Text)}, {Field: MissingField, Type: types.Of(types.Date)}, {Field: 0, Type: types.Of(types.Int32)}, {Field: 0, Type: types.Of(types.Text)}}
	var rows, selected atomic.Int64
	r, err := NewReader(store, object, DefaultFormat(), ReadOptions{Columns: columns, Fields: 3, Filter: oddOnly{}, Counters: Counters{RowsRead: &rows, RowsSelected: &selected}})
	if err != nil {
		t.Fatal(err)
	}
	got, err := drain(r, columns)
	if want := [][]string{{"x", "NULL", "1", "1"}, {"z", "NULL", "3", "3"}}; err != nil || !reflect.DeepEqual(got, want) {
		t.Fatal(got, err)
	}
	if rows.Load() != 3 || selected.Load() != 2 {
		t.Fatal(rows.Load(), selected.Load())
	}
}

// oddOnly keeps rows whose third column is odd.
type oddOnly struct{}

func (oddOnly) Stages() int       { return 1 }
func (oddOnly) Columns(int) []int { return []int{2} }
func (oddOnly) Apply(_ int, b *vec.Batch) error {
	b.Sel = []int32{}
	for i, v := range vec.Values[int32](&b.Cols[2])[:b.Len] {
		if v%2 == 1 {
			b.Sel = append(b.Sel, int32(i))
		}
	}
	return nil
}

func TestCompressedFiles(t *testing.T) {
	var packed bytes.Buffer
	z := gzip.NewWriter(&packed)
	z.Write([]byte("id,name\n1,a\n2,b\n"))
	z.Close()
	store, object := place(t, "f.csv.gz", packed.String())
	format := DefaultFormat()
	s, err := Sniff(context.Background(), store, object, format, Known{})
	if err != nil || !s.Format.Header || len(s.Schema) != 2 || s.Schema[0].Type.Kind != types.Int64 {
		t.Fatal(s, err)
	}
	columns := kinds(t, "int text")
	r, err := NewReader(store, object, s.Format, ReadOptions{Columns: columns, Fields: 2})
	if err != nil {
		t.Fatal(err)
	}
	if got, err := drain(r, columns); err != nil || len(got) != 2 {
		t.Fatal(got, err)
	}
	store, object = place(t, "f.csv.gz", packed.String()[:packed.Len()-6])
	if r, err = NewReader(store, object, s.Format, ReadOptions{Columns: columns, Fields: 2}); err != nil {
		t.Fatal(err)
	}
	if _, err := drain(r, columns); sqlerr.CodeOf(err) != sqlerr.DataCorrupted {
		t.Fatal(err)
	}
}

func TestSniff(t *testing.T) {
	for _, c := range []struct{ content, want string }{
		{"id,name,at\n1,a,2024-01-01\n2,b,\n", "',' true id bigint, name text, at date"},
		{"1;2,5;x\n2;3,5;y\n", "';' false column0 bigint, column1 text, column2 text"},
		{"a|b\n1.5|true\n2|false\n", "'|' true a double precision, b boolean"},
		{"x\ty\nfoo\t2024-01-01 00:00:00\n", "'\\t' true x text, y timestamp without time zone"},
		{"name,city\nann,rome\nbob,oslo\n", "',' true name text, city text"},
		{"ann,rome\nbob,rome\n", "',' false column0 text, column1 text"},
		{"id,id,\n1,2,3\n", "',' true id bigint, id_1 bigint, column2 bigint"},
		{"one\n1\n2\n", "',' true one bigint"},
		{"t,u\n12:00:00,2024-01-01T00:00:00Z\n", "',' true t time without time zone, u timestamp with time zone"},
		{"a,b\n\"x,y\",\"l1\nl2\"\n", "',' true a text, b text"},
	} {
		store, object := place(t, "f.csv", c.content)
		s, err := Sniff(context.Background(), store, object, DefaultFormat(), Known{})
		var columns []string
		for _, f := range s.Schema {
			columns = append(columns, f.Name+" "+f.Type.String())
		}
		if got := fmt.Sprintf("%q %v %s", rune(s.Format.Delimiter), s.Format.Header, strings.Join(columns, ", ")); got != c.want || err != nil {
			t.Errorf("%q: %s, want %s (%v)", c.content, got, c.want, err)
		}
	}
	store, object := place(t, "f.csv", "")
	if s, err := Sniff(context.Background(), store, object, DefaultFormat(), Known{}); len(s.Schema) > 0 || err != nil {
		t.Error("an empty file has a schema", s.Schema, err)
	}
}

func TestWriterRoundTrip(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 8))
	for round := range 20 {
		rows, _ := randomCSV(r, 50, 3)
		schema := types.Schema{{Name: "id", Type: types.Of(types.Int32)}, {Name: "a,b", Type: types.Of(types.Text)}, {Name: "c", Type: types.Of(types.Text)}}
		b := vec.NewBatch(schema.Types(), 0)
		for i, row := range rows {
			id, _ := types.ParseInt32([]byte(row[0]))
			b.Cols[0].AppendDatum(types.IntDatum(int64(id)))
			b.Cols[1].AppendDatum(types.StringDatum(row[1]))
			if i%7 == 0 {
				b.Cols[2].AppendDatum(types.NullDatum())
				row[2] = "NULL"
			} else {
				b.Cols[2].AppendDatum(types.StringDatum(row[2]))
			}
		}
		b.Len = len(rows)
		format := DefaultFormat()
		format.Header = round%2 == 0
		format.Compression = []stream.Compression{stream.None, stream.Gzip, stream.Zstd}[round%3]
		if round%5 == 0 {
			format.Escape = '\\'
		}
		var out bytes.Buffer
		w, err := NewWriter(&out, schema, format, nil)
		if err != nil {
			t.Fatal(err)
		}
		if err := w.Append(b); err != nil {
			t.Fatal(err)
		}
		if err := w.Finish(); err != nil {
			t.Fatal(err)
		}
		path := filepath.Join(t.TempDir(), "f.csv")
		if err := os.WriteFile(path, out.Bytes(), 0o600); err != nil {
			t.Fatal(err)
		}
		store, object := place(t, "f.csv", out.String())
		columns := []ColumnRequest{{Field: 0, Type: schema[0].Type}, {Field: 1, Type: schema[1].Type}, {Field: 2, Type: schema[2].Type}}
		reader, err := NewReader(store, object, format, ReadOptions{Columns: columns, Fields: 3})
		if err != nil {
			t.Fatal(err)
		}
		got, err := drain(reader, columns)
		if err != nil || !reflect.DeepEqual(got, rows) {
			t.Fatalf("%v\n%q\n%q", err, got, rows)
		}
	}
}

func TestByteOrderMarkAtTheStartIsText(t *testing.T) {
	var out bytes.Buffer
	schema := types.Schema{{Name: "a", Type: types.Of(types.Text)}}
	w, err := NewWriter(&out, schema, DefaultFormat(), nil)
	if err != nil {
		t.Fatal(err)
	}
	b := vec.NewBatch(schema.Types(), 0)
	for range 2 {
		b.Cols[0].AppendDatum(types.StringDatum("\ufeffa"))
	}
	b.Len = 2
	if err := errors.Join(w.Append(b), w.Finish()); err != nil {
		t.Fatal(err)
	}
	rows, err := readAll(t, out.String(), "text", nil)
	if err != nil || !reflect.DeepEqual(rows, [][]string{{"\ufeffa"}, {"\ufeffa"}}) {
		t.Errorf("%q, %v", rows, err)
	}
}

func TestParseFormat(t *testing.T) {
	f, unknown, err := ParseFormat(DefaultFormat(), map[string]string{"DELIM": `\t`, "quote": "'", "header": "TRUE", "nullstr": `\N`, "skip": "2", "union_by_name": "x"})
	if err != nil || f.Delimiter != '\t' || f.Quote != '\'' || f.Escape != '\'' || !f.Header || f.Null[0] != `\N` || f.Skip != 2 || len(unknown) != 1 {
		t.Fatal(f, unknown, err)
	}
	for name, value := range map[string]string{"delimiter": "ab", "header": "maybe", "skip": "-1", "encoding": "ebcdic", "quote": ","} {
		if _, _, err := ParseFormat(DefaultFormat(), map[string]string{name: value}); sqlerr.CodeOf(err) != sqlerr.InvalidParameterValue {
			t.Error(name, value, err)
		}
	}
}

func TestBooleanOptions(t *testing.T) {
	for text, want := range map[string]bool{"on": true, "TRUE": true, "yes": true, "1": true, "t": true, "off": false, "False": false, "no": false, "0": false, "n": false} {
		format, _, err := ParseFormat(DefaultFormat(), map[string]string{"header": text, "null_padding": text, "ignore_errors": text})
		if err != nil || format.Header != want || format.NullPadding != want || format.IgnoreErrors != want {
			t.Errorf("%s: %+v, %v", text, format, err)
		}
	}
	for _, text := range []string{"", "o", "maybe", "2"} {
		if _, _, err := ParseFormat(DefaultFormat(), map[string]string{"header": text}); sqlerr.CodeOf(err) != sqlerr.InvalidParameterValue {
			t.Errorf("%q: %v", text, err)
		}
	}
}
