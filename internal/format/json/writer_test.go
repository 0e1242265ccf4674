package json

import (
	"bytes"
	reference "encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"

	"github.com/tarnlake/tarn/internal/format/stream"
	"github.com/tarnlake/tarn/internal/objstore"
	"github.com/tarnlake/tarn/internal/types"
	"github.com/tarnlake/tarn/internal/vec"
)

func write(t *testing.T, schema types.Schema, format Format, rows [][]types.Datum) []byte {
	t.Helper()
	var out bytes.Buffer
	w, err := NewWriter(&out, schema, format, nil)
	if err != nil {
		t.Fatal(err)
	}
	b := vec.NewBatch(schema.Types(), 0)
	for _, row := range rows {
		for c := range row {
			b.Cols[c].AppendDatum(row[c])
		}
	}
	b.Len = len(rows)
	if err := w.Append(b); err != nil {
		t.Fatal(err)
	}
	if err := w.Finish(); err != nil {
		t.Fatal(err)
	}
	if w.Rows() != int64(len(rows)) || w.Bytes() != int64(out.Len()) {
		t.Errorf("%d rows, %d bytes of %d", w.Rows(), w.Bytes(), out.Len())
	}
	return out.Bytes()
}

func TestWriter(t *testing.T) {
	fields := []types.Field{{Name: "x", Type: types.Of(types.Int32)}, {Name: "y\"", Type: types.Of(types.Text)}}
	schema := types.Schema{{Name: "id", Type: types.Of(types.Int64)}, {Name: "n", Type: types.DecimalOf(10, 2)}, {Name: "f", Type: types.Of(types.Float64)}, {Name: "s", Type: types.Of(types.Text)},
		{Name: "j", Type: types.Of(types.JSON)}, {Name: "ts", Type: types.Of(types.Timestamp)}, {Name: "tz", Type: types.Of(types.TimestampTZ)}, {Name: "b", Type: types.Of(types.Bool)},
		{Name: "r", Type: types.RowOf(fields...)}, {Name: "m", Type: types.MapOf(types.Of(types.Date), types.ArrayOf(types.Of(types.Int16)))}}
	row := []types.Datum{types.IntDatum(-1), types.IntDatum(150), types.FloatDatum(math.Inf(1)), types.StringDatum("a\n\"é"), types.StringDatum("{\"k\":\n1}"), types.IntDatum(1_500_000), types.IntDatum(0),
		types.BoolDatum(true), {Items: []types.Datum{types.IntDatum(1), types.StringDatum("z")}}, {Items: []types.Datum{types.IntDatum(0), {Items: []types.Datum{types.IntDatum(2), types.NullDatum()}}}}}
	nulls := make([]types.Datum, len(schema))
	for i := range nulls {
		nulls[i] = types.NullDatum()
	}
	first := `{"id":-1,"n":1.50,"f":"Infinity","s":"a\n\"é","j":{"k": 1},"ts":"1970-01-01T00:00:01.5","tz":"1970-01-01T00:00:00+00:00","b":true,"r":{"x":1,"y\"":"z"},"m":{"1970-01-01":[2,null]}}`
	second := `{"id":null,"n":null,"f":null,"s":null,"j":null,"ts":null,"tz":null,"b":null,"r":null,"m":null}`
	if got := string(write(t, schema, DefaultFormat(), [][]types.Datum{row, nulls})); got != first+"\n"+second+"\n" {
		t.Errorf("lines: %s", got)
	}
	if got := string(write(t, schema, Format{Layout: Array}, [][]types.Datum{row, nulls})); got != "[\n"+first+",\n"+second+"\n]\n" {
		t.Errorf("array: %s", got)
	}
	if got := string(write(t, schema, Format{Layout: Array}, nil)) + string(write(t, schema, DefaultFormat(), nil)); got != "[]\n" {
		t.Errorf("nothing: %q", got)
	}
	if _, err := NewWriter(&bytes.Buffer{}, types.Schema{schema[0], schema[0]}, DefaultFormat(), nil); err == nil {
		t.Error("two columns of one name are written")
	}
}

// randomType gives scalars, and nested types down to depth.
func randomType(r *rand.Rand, depth int) types.Type {
	scalars := []types.Kind{types.Bool, types.Int16, types.Int32, types.Int64, types.Float64, types.Text, types.Date, types.Timestamp, types.TimestampTZ, types.Time, types.UUID, types.JSON}
	if depth > 0 {
		switch r.IntN(8) {
		case 0:
			return types.ArrayOf(randomType(r, depth-1))
		case 1:
			return types.MapOf(types.Of(types.Text), randomType(r, depth-1))
		case 2:
			var fields []types.Field
			for i := range 1 + r.IntN(3) {
				fields = append(fields, types.Field{Name: fmt.Sprintf("f%d", i), Type: randomType(r, depth-1), Nullable: true})
			}
			return types.RowOf(fields...)
		case 3:
			return types.DecimalOf(1+r.IntN(38), 0)
		}
	}
	return types.Of(scalars[r.IntN(len(scalars))])
}

func randomText(r *rand.Rand) string {
	var out strings.Builder
	for range r.IntN(30) {
		out.WriteRune([]rune("abcXYZ \"\\/\n\t\u0001é漢😀{}[]:,")[r.IntN(22)])
	}
	return out.String()
}

func randomDatum(r *rand.Rand, t types.Type) types.Datum {
	if r.IntN(6) == 0 {
		return types.NullDatum()
	}
	switch t.Kind {
	case types.Bool:
		return types.BoolDatum(r.IntN(2) == 0)
	case types.Int16, types.Int32, types.Int64:
		width := map[types.Kind]int{types.Int16: 16, types.Int32: 32, types.Int64: 64}[t.Kind]
		return types.IntDatum(int64(r.Uint64()) >> (64 - width + r.IntN(width)))
	case types.Float64:
		if f := math.Float64frombits(r.Uint64()); r.IntN(2) == 0 && f == f {
			return types.FloatDatum(f)
		}
		return types.FloatDatum(float64(r.IntN(100000)) / 100)
	case types.Decimal:
		v, _ := types.ParseDecimal([]byte(strings.Repeat("7", 1+r.IntN(int(t.Precision)))), int(t.Precision), 0)
		return types.DecimalDatum(t, v)
	case types.Text:
		return types.StringDatum(randomText(r))
	case types.JSON:
		text, _ := reference.Marshal(map[string]any{randomText(r): []any{1.5, nil, randomText(r)}})
		return types.StringDatum(string(text))
	case types.Date:
		return types.IntDatum(int64(r.IntN(60000) - 20000))
	case types.Timestamp, types.TimestampTZ:
		return types.IntDatum(r.Int64N(4e15) - 1e15)
	case types.Time:
		return types.IntDatum(r.Int64N(types.MicrosPerDay))
	case types.UUID:
		return types.Datum{I128: types.Int128{Lo: r.Uint64(), Hi: int64(r.Uint64())}}
	}
	out := types.Datum{Items: []types.Datum{}}
	if t.Kind == types.Row {
		for _, f := range t.Fields {
			out.Items = append(out.Items, randomDatum(r, f.Type))
		}
		return out
	}
	for i := range r.IntN(4) {
		if t.Kind == types.Map {
			out.Items = append(out.Items, types.StringDatum(fmt.Sprintf("%d\n%s", i, randomText(r))))
		}
		out.Items = append(out.Items, randomDatum(r, *t.Elem))
	}
	return out
}

// TestRoundTrip writes random rows of random types, whole and in splits, and reads them again.
func TestRoundTrip(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for round := range 40 {
		var schema types.Schema
		var options ReadOptions
		for i := range 1 + r.IntN(6) {
			f := types.Field{Name: fmt.Sprintf("c%d %s", i, randomText(r)), Type: randomType(r, 3), Nullable: true}
			schema = append(schema, f)
			options.Columns = append(options.Columns, ColumnRequest{Key: f.Name, Type: f.Type})
		}
		var rows [][]types.Datum
		var want [][]string
		for range r.IntN(50) {
			row, shown := make([]types.Datum, len(schema)), make([]string, len(schema))
			for c, f := range schema {
				row[c] = randomDatum(r, f.Type)
				if shown[c] = "NULL"; !row[c].Null {
					shown[c] = types.Format(f.Type, row[c], nil)
				}
			}
			rows, want = append(rows, row), append(want, shown)
		}
		options.BatchSize = 64
		format := Format{Layout: []Layout{Auto, Array}[round%2], Compression: []stream.Compression{stream.None, stream.Gzip, stream.Zstd}[round%3]}
		data := write(t, schema, format, rows)
		format.Layout = Auto
		object := objstore.Object{Path: "f.json", Size: int64(len(data))}
		got, err := drainObject(oneObject{data: data}, object, format, options)
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Fatalf("%v of %v: %v\n%q\n%q", format, schema, err, got, want)
		}
		if format.Compression == stream.None && round%2 == 0 {
			for line := range bytes.Lines(data) {
				if !reference.Valid(line) {
					t.Fatalf("%q is no JSON", line)
				}
			}
			checkSplits(t, data, Format{Layout: Lines}, options, 300, want)
		}
	}
}
