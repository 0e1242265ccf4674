package orc

import (
	"bufio"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"math/big"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/tarnlake/tarn/internal/objstore"
	"github.com/tarnlake/tarn/internal/sqlerr"
	"github.com/tarnlake/tarn/internal/types"
)

// examplesFolder holds the Apache ORC project's example files, "" where they are not at hand.
func examplesFolder(t testing.TB) string {
	for _, up := range []string{"../../../../shared/fixtures/orc", "../../../../../shared/fixtures/orc"} {
		if _, err := os.Stat(up); err == nil {
			return up
		}
	}
	t.Log("the public ORC example files are not at hand: they are not compared")
	return ""
}

func openStore(t testing.TB, dir string) *objstore.Local {
	t.Helper()
	store, err := objstore.OpenLocal(dir, objstore.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return store
}

// eachRow reads a file and hands over its rows as one value a column.
func eachRow(t testing.TB, f *File, options ReadOptions, visit func(row []types.Datum)) error {
	t.Helper()
	r, err := f.Reader(options)
	if err != nil {
		return err
	}
	defer r.Close()
	for {
		b, err := r.Next(context.Background())
		if err != nil || b == nil {
			return err
		}
		for i := range b.Rows() {
			at := i
			if b.Sel != nil {
				at = int(b.Sel[i])
			}
			row := make([]types.Datum, len(b.Cols))
			for c := range b.Cols {
				if v := &b.Cols[c]; v.Len != b.Len || !v.Type.Equal(options.Columns[c].Type) {
					t.Fatalf("column %d has %d rows of %s, want %d of %s", c, v.Len, v.Type, b.Len, options.Columns[c].Type)
				}
				row[c] = b.Cols[c].Datum(at)
			}
			visit(row)
		}
	}
}

// readable lists the columns that can be read.
func readable(f *File) (out []ColumnRequest) {
	for i, field := range f.Schema() {
		if field.Type.Kind != types.Unknown {
			out = append(out, ColumnRequest{Field: i, Type: field.Type})
		}
	}
	return out
}

// sameValue compares a value with the examples' JSON.
func sameValue(d types.Datum, t types.Type, want any) bool {
	if d.Null || want == nil {
		return d.Null && want == nil
	}
	switch t.Kind {
	case types.Bool:
		return want == (d.I64 != 0)
	case types.Float32, types.Float64:
		number, err := want.(json.Number).Float64()
		tolerance := map[types.Kind]float64{types.Float32: 1e-6, types.Float64: 1e-13}[t.Kind]
		return err == nil && math.Abs(number-d.F64) <= tolerance*math.Max(math.Abs(number), 1e-30)
	case types.Decimal:
		v := d.I128
		if t.Physical() == types.PhysInt64 {
			v = types.Int128FromInt64(d.I64)
		}
		got, _ := new(big.Rat).SetString(string(types.AppendDecimal(nil, v, int(t.Scale))))
		number, _ := new(big.Rat).SetString(want.(json.Number).String())
		difference := new(big.Rat).Sub(got, number)
		if got.Cmp(number) != 0 && t.Precision == 38 && t.Scale == 10 { // no declared scale: the reference cuts at six digits
			return difference.Abs(difference).Cmp(big.NewRat(1, 1_000_000)) < 0
		}
		return difference.Sign() == 0
	case types.Text, types.Char:
		return strings.TrimRight(want.(string), " ") == strings.TrimRight(d.Str, " ")
	case types.Bytea:
		list := want.([]any)
		for i, b := range list {
			if i >= len(d.Str) || b.(json.Number).String() != fmt.Sprint(d.Str[i]) {
				return false
			}
		}
		return len(list) == len(d.Str)
	case types.Date:
		return want == time.Unix(d.I64*86400, 0).UTC().Format("2006-01-02")
	case types.Timestamp:
		moment, err := time.Parse("2006-01-02 15:04:05.999999999", want.(string))
		return err == nil && moment.UnixMicro() == d.I64
	case types.Array:
		list := want.([]any)
		if len(list) != len(d.Items) {
			return false
		}
		for i := range list {
			if !sameValue(d.Items[i], *t.Elem, list[i]) {
				return false
			}
		}
		return true
	case types.Map:
		list := want.([]any)
		if len(list)*2 != len(d.Items) {
			return false
		}
		for i := range list {
			pair := list[i].(map[string]any)
			if !sameValue(d.Items[2*i], *t.Key, pair["key"]) || !sameValue(d.Items[2*i+1], *t.Elem, pair["value"]) {
				return false
			}
		}
		return true
	case types.Row:
		fields := want.(map[string]any)
		if _, isUnion := fields["tag"]; isUnion && len(fields) == 2 && t.Fields[0].Name == "tag" {
			return sameUnion(d, t, fields)
		}
		for i, f := range t.Fields {
			if !sameValue(d.Items[i], f.Type, fields[f.Name]) {
				return false
			}
		}
		return len(fields) == len(t.Fields)
	}
	return want.(json.Number).String() == fmt.Sprint(d.I64)
}

// sameUnion compares a union: the field of its tag, the others being NULL.
func sameUnion(d types.Datum, t types.Type, want map[string]any) bool {
	if want["tag"].(json.Number).String() != fmt.Sprint(d.Items[0].I64) {
		return false
	}
	for i, item := range d.Items[1:] {
		value := any(nil)
		if int64(i) == d.Items[0].I64 {
			value = want["value"]
		}
		if !sameValue(item, t.Fields[1+i].Type, value) {
			return false
		}
	}
	return true
}

func TestApacheExamplesHaveTheirPublishedValues(t *testing.T) {
	folder := examplesFolder(t)
	if folder == "" {
		return
	}
	names, err := filepath.Glob(filepath.Join(folder, "expected", "*.jsn.gz"))
	if err != nil || len(names) < 20 {
		t.Fatal(len(names), err)
	}
	for _, name := range names {
		base := strings.TrimSuffix(filepath.Base(name), ".jsn.gz")
		for _, batchSize := range []int{2048, 7} {
			t.Run(fmt.Sprintf("%s/%d", base, batchSize), func(t *testing.T) { compareExample(t, folder, base, name, batchSize) })
		}
	}
}

func compareExample(t *testing.T, folder, base, expected string, batchSize int) {
	f, err := Open(context.Background(), openStore(t, folder), base+".orc")
	if err != nil {
		t.Fatal(err)
	}
	packed, err := os.Open(expected)
	if err != nil {
		t.Fatal(err)
	}
	defer packed.Close()
	lines, err := gzip.NewReader(packed)
	if err != nil {
		t.Fatal(err)
	}
	if batchSize < 100 && f.Rows() > 20_000 {
		return
	}
	decoder := json.NewDecoder(bufio.NewReaderSize(lines, 1<<20))
	decoder.UseNumber()
	options := ReadOptions{Columns: readable(f), BatchSize: batchSize}
	schema, wrong, count := f.Schema(), 0, 0
	err = eachRow(t, f, options, func(row []types.Datum) {
		var want any
		if err := decoder.Decode(&want); err != nil {
			t.Fatalf("row %d: %v", count, err)
		}
		for c, request := range options.Columns {
			field := schema[request.Field]
			value := want
			if object, isObject := want.(map[string]any); isObject {
				value = object[field.Name]
			}
			if !sameValue(row[c], field.Type, value) {
				if wrong++; wrong < 5 {
					t.Errorf("row %d, column %s: %v, want %v", count, field.Name, row[c], value)
				}
			}
		}
		count++
	})
	if err != nil {
		t.Fatal(err)
	}
	var rest any
	if err := decoder.Decode(&rest); !errors.Is(err, io.EOF) {
		t.Fatalf("only %d rows, then should come %v", count, rest)
	}
	if int64(count) != f.Rows() {
		t.Fatalf("%d rows of %d", count, f.Rows())
	}
}

func TestEveryApacheExampleIsRead(t *testing.T) {
	folder := examplesFolder(t)
	if folder == "" {
		return
	}
	names, _ := filepath.Glob(filepath.Join(folder, "*.orc"))
	for _, name := range names {
		f, err := Open(context.Background(), openStore(t, folder), filepath.Base(name))
		if err != nil {
			t.Error(err)
			continue
		}
		if rows, err := countRows(f); err != nil || rows != f.Rows() {
			t.Errorf("%s: %d of %d rows, %v", name, rows, f.Rows(), err)
		}
	}
	damaged, _ := filepath.Glob(filepath.Join(folder, "corrupt", "*.orc"))
	for _, name := range damaged {
		f, err := Open(context.Background(), openStore(t, filepath.Dir(name)), filepath.Base(name))
		if err == nil {
			_, err = countRows(f)
		}
		if sqlerr.CodeOf(err) != sqlerr.DataCorrupted {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// countRows reads a file through.
func countRows(f *File) (rows int64, err error) {
	r, err := f.Reader(ReadOptions{Columns: readable(f)})
	if err != nil {
		return 0, err
	}
	defer r.Close()
	for {
		b, err := r.Next(context.Background())
		if err != nil || b == nil {
			return rows, err
		}
		rows += int64(b.Rows())
	}
}
