package orc

import (
	"compress/gzip"
	"context"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/tarnlake/tarn/internal/types"
)

// readValues gives what testdata/generate.py wrote: text by column and row.
func readValues(t testing.TB) map[string][]any {
	t.Helper()
	file, err := os.Open("testdata/values.json.gz")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	unpacked, err := gzip.NewReader(file)
	if err != nil {
		t.Fatal(err)
	}
	values := map[string][]any{}
	if err := json.NewDecoder(unpacked).Decode(&values); err != nil {
		t.Fatal(err)
	}
	return values
}

// datumText gives a value in that text form.
func datumText(d types.Datum, t types.Type) any {
	if d.Null {
		return nil
	}
	switch t.Kind {
	case types.Bool:
		return fmt.Sprint(d.I64 != 0)
	case types.Float32, types.Float64:
		return fmt.Sprintf("%016x", math.Float64bits(d.F64))
	case types.Decimal:
		v := d.I128
		if t.Physical() == types.PhysInt64 {
			v = types.Int128FromInt64(d.I64)
		}
		return string(types.AppendDecimal(nil, v, int(t.Scale)))
	case types.Text, types.Char:
		return d.Str
	case types.Bytea:
		return hex.EncodeToString([]byte(d.Str))
	case types.Array:
		out := []any{}
		for _, item := range d.Items {
			out = append(out, datumText(item, *t.Elem))
		}
		return out
	case types.Map:
		out := []any{}
		for i := 0; i < len(d.Items); i += 2 {
			out = append(out, []any{datumText(d.Items[i], *t.Key), datumText(d.Items[i+1], *t.Elem)})
		}
		return out
	case types.Row:
		out := []any{}
		for i, item := range d.Items {
			out = append(out, datumText(item, t.Fields[i].Type))
		}
		return out
	}
	return fmt.Sprint(d.I64)
}

var fixtures = []string{"cpp_none", "cpp_zlib", "cpp_snappy", "cpp_lz4", "cpp_zstd", "cpp_v11", "java_new_york"}

func openFixture(t testing.TB, name string) *File {
	t.Helper()
	f, err := Open(context.Background(), openStore(t, "testdata"), name+".orc")
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func compareFixture(t *testing.T, f *File, options ReadOptions, values map[string][]any, rows []int) {
	t.Helper()
	schema, at, wrong := f.Schema(), 0, 0
	err := eachRow(t, f, options, func(row []types.Datum) {
		for c, request := range options.Columns {
			if request.Field < 0 || at >= len(rows) {
				continue
			}
			field := schema[request.Field]
			want := values[field.Name][rows[at]]
			if s, isText := want.(string); isText && field.Type.Kind == types.Char {
				want = strings.TrimRight(s, " ")
			}
			if got := datumText(row[c], field.Type); !reflect.DeepEqual(got, want) {
				if wrong++; wrong < 5 {
					t.Errorf("row %d, column %s: %v, want %v", rows[at], field.Name, got, want)
				}
			}
		}
		at++
	})
	if err != nil {
		t.Fatal(err)
	}
	if at != len(rows) {
		t.Fatalf("%d rows, want %d", at, len(rows))
	}
}

func TestFilesOfOtherWriters(t *testing.T) {
	values := readValues(t)
	var rows []int
	for i := range values["id"] {
		rows = append(rows, i)
	}
	for _, name := range fixtures {
		t.Run(name, func(t *testing.T) {
			f := openFixture(t, name)
			for _, batchSize := range []int{1, 3, 64, 2048} {
				compareFixture(t, f, ReadOptions{Columns: readable(f), BatchSize: batchSize}, values, rows)
			}
			random := rand.New(rand.NewPCG(3, 4))
			columns := append(readable(f), ColumnRequest{Field: PositionField, Type: types.Of(types.Int64)})
			at := len(columns) - 1
			for range 40 {
				filter := &hashFilter{seed: random.Uint64(), block: []int64{1, 30, 150}[random.IntN(3)], at: at,
					keep: [2]uint64{random.Uint64N(1001), random.Uint64N(1001)}, columns: [][]int{{at}, {random.IntN(at)}}}
				var kept []int
				for _, row := range rows {
					if filter.wants(0, int64(row)) && filter.wants(1, int64(row)) {
						kept = append(kept, row)
					}
				}
				compareFixture(t, f, ReadOptions{Columns: columns, Filter: filter, BatchSize: []int{5, 40, 2048}[random.IntN(3)]}, values, kept)
			}
		})
	}
}

func TestRowGroupsOfOtherWritersArePruned(t *testing.T) {
	for _, name := range fixtures[:5] {
		f := openFixture(t, name)
		id := func(v int64) *types.Datum { d := types.IntDatum(v); return &d }
		column := []ColumnRequest{{Field: f.Lookup("ID"), Type: types.Of(types.Int64)}, {Field: f.Lookup("unique"), Type: types.Of(types.Text)}}
		count := func(d Domain) (rows int) {
			if err := eachRow(t, f, ReadOptions{Columns: column, Domains: func() []Domain { return []Domain{d} }}, func([]types.Datum) { rows++ }); err != nil {
				t.Fatal(err)
			}
			return rows
		}
		if rows := count(Domain{Minimum: id(250), Maximum: id(250)}); rows != 100 {
			t.Errorf("%s: %d rows read for one id", name, rows)
		}
		if rows := count(Domain{Minimum: id(700)}); rows != 0 {
			t.Errorf("%s: %d rows read where none is", name, rows)
		}
		if rows := count(Domain{Column: 1, Values: []types.Datum{types.StringDatum("row 999999")}}); rows != 0 {
			t.Errorf("%s: %d rows read where no string is", name, rows)
		}
		inside := count(Domain{Column: 1, Values: []types.Datum{types.StringDatum("row 050000")}})
		if name == "cpp_zlib" && inside != 0 {
			t.Errorf("%s: Bloom filters left %d rows", name, inside)
		}
	}
}

// Arrow's writer keeps milliseconds of moments rounded towards zero, in bounds and in Bloom filters.
func TestMomentsBefore1970AreNotPruned(t *testing.T) {
	f := openFixture(t, "cpp_before_1970")
	column := []ColumnRequest{{Field: 0, Type: types.Of(types.Timestamp)}}
	var all []int64
	read := func(d *Domain) (rows []int64) {
		options := ReadOptions{Columns: column}
		if d != nil {
			options.Domains = func() []Domain { return []Domain{*d} }
		}
		if err := eachRow(t, f, options, func(row []types.Datum) { rows = append(rows, row[0].I64) }); err != nil {
			t.Fatal(err)
		}
		return rows
	}
	if all = read(nil); !reflect.DeepEqual(all, []int64{-2, -2_000_500, -1_000_001, -86_400_000_001, 1}) {
		t.Fatal(all)
	}
	for _, v := range all {
		at := types.IntDatum(v)
		for name, d := range map[string]Domain{"up to": {Maximum: &at}, "one": {Values: []types.Datum{at}}} {
			if !slices.Contains(read(&d), v) {
				t.Errorf("%s %d: the row is lost", name, v)
			}
		}
	}
}
