package parquet

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/tarnlake/tarn/internal/objstore"
	"github.com/tarnlake/tarn/internal/types"
	"github.com/tarnlake/tarn/internal/vec"
)

func openStore(t testing.TB, dir string) *objstore.Local {
	t.Helper()
	store, err := objstore.OpenLocal(dir, objstore.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return store
}

func openFixture(t testing.TB, name string) *File {
	t.Helper()
	f, err := Open(context.Background(), openStore(t, "testdata"), name)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// expected are a fixture's rows in the text form that testdata/generate.py describes.
type expected struct {
	Columns []string
	Rows    [][]any
}

func readExpected(t testing.TB, name string) expected {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	var e expected
	if err := json.Unmarshal(data, &e); err != nil {
		t.Fatal(err)
	}
	return e
}

// datumText gives a value in the fixtures' text form.
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
	case types.Text, types.JSON, types.Char:
		return d.Str
	case types.Bytea:
		return hex.EncodeToString([]byte(d.Str))
	case types.UUID:
		return fmt.Sprintf("%016x%016x", uint64(d.I128.Hi), d.I128.Lo)
	case types.Interval:
		return fmt.Sprintf("%d months", d.Span.Months)
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

func allColumns(f *File) (out []ColumnRequest) {
	for i, field := range f.Schema() {
		out = append(out, ColumnRequest{Field: i, Type: field.Type})
	}
	return out
}

// readText reads all rows of the given columns as text.
func readText(t testing.TB, f *File, options ReadOptions) (rows [][]any) {
	t.Helper()
	r, err := f.Reader(options)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	for {
		b, err := r.Next(context.Background())
		if err != nil {
			t.Fatal(err)
		}
		if b == nil {
			return rows
		}
		rows = append(rows, batchText(t, b, options.Columns)...)
	}
}

func batchText(t testing.TB, b *vec.Batch, columns []ColumnRequest) (rows [][]any) {
	t.Helper()
	for i := range b.Rows() {
		at := i
		if b.Sel != nil {
			at = int(b.Sel[i])
		}
		row := make([]any, len(columns))
		for c := range columns {
			v := &b.Cols[c]
			if v.Len != b.Len || !v.Type.Equal(columns[c].Type) {
				t.Fatalf("column %d has %d rows of %s, want %d of %s", c, v.Len, v.Type, b.Len, columns[c].Type)
			}
			row[c] = datumText(v.Datum(at), columns[c].Type)
		}
		rows = append(rows, row)
	}
	return rows
}

func compareRows(t testing.TB, got, want [][]any, columns []string) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("%d rows, want %d", len(got), len(want))
	}
	wrong := 0
	for i := range want {
		for c := range want[i] {
			if !reflect.DeepEqual(got[i][c], want[i][c]) {
				if wrong++; wrong < 10 {
					t.Errorf("row %d, column %s: %v, want %v", i, columns[c], got[i][c], want[i][c])
				}
			}
		}
	}
}

var fixtures = map[string]string{
	"pyarrow_v1_snappy.parquet": "", "pyarrow_v2_zstd.parquet": "", "pyarrow_decimal_int.parquet": "", "pyarrow_encodings.parquet": "",
	"pyarrow_codec_gzip.parquet": "pyarrow_codec", "pyarrow_codec_brotli.parquet": "pyarrow_codec", "pyarrow_codec_lz4.parquet": "pyarrow_codec",
	"pyarrow_codec_none.parquet": "pyarrow_codec", "pyarrow_int96.parquet": "", "pyarrow_empty.parquet": "",
	"pyarrow_nested.parquet": "", "duckdb.parquet": "", "duckdb_uuid.parquet": "",
}

func TestFilesOfOtherWriters(t *testing.T) {
	for name, values := range fixtures {
		t.Run(name, func(t *testing.T) {
			if values == "" {
				values = strings.TrimSuffix(name, ".parquet")
			}
			want := readExpected(t, values+".json")
			f := openFixture(t, name)
			for _, batchSize := range []int{1, 3, 64, 2048} {
				got := readText(t, f, ReadOptions{Columns: allColumns(f), BatchSize: batchSize})
				compareRows(t, got, want.Rows, want.Columns)
				if t.Failed() {
					t.Fatal("batch size", batchSize)
				}
			}
		})
	}
}
