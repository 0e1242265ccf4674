package parquet

import (
	"context"
	"reflect"
	"sync/atomic"
	"testing"

	"github.com/tarnlake/tarn/internal/format/formattest"
	"github.com/tarnlake/tarn/internal/types"
)

// TestOnlyWantedSubfieldsAreRead: the others are NULL and their bytes stay unread.
func TestOnlyWantedSubfieldsAreRead(t *testing.T) {
	dir := t.TempDir()
	schema, batch, values := formattest.DeepRows(25_000)
	writeFile(t, dir, "deep.parquet", schema, WriterOptions{Compression: Zstd, RowGroupRows: 10_000}, batch)
	f, err := Open(context.Background(), openStore(t, dir), "deep.parquet")
	if err != nil {
		t.Fatal(err)
	}
	var whole int64
	for _, c := range []struct {
		paths [][]int
		share float64 // of the bytes, at most
	}{{nil, 1}, {[][]int{{0}}, 0.1}, {[][]int{{2, 0}}, 0.1}, {[][]int{{0}, {2, 2}}, 0.5}, {[][]int{{1}, {2, 0}}, 0.5}} {
		var read, gets atomic.Int64
		columns := []ColumnRequest{{Field: PositionField, Type: types.Of(types.Int64)}, {Field: 0, Type: schema[0].Type, Subfields: c.paths}}
		var want, some [][]types.Datum
		filter := &randomFilter{columns: [][]int{{0}}, keep: func(_ int, id int64) bool { return id/3000%3 == 1 || id%7 == 2 }}
		for i, v := range values {
			row := []types.Datum{types.IntDatum(int64(i)), formattest.Only(v, schema[0].Type, c.paths)}
			want = append(want, row)
			if filter.keep(0, int64(i)) {
				some = append(some, row)
			}
		}
		compareData(t, f, ReadOptions{Columns: columns, Counters: Counters{BytesRead: &read, Gets: &gets}}, want)
		if whole = max(whole, read.Load()); float64(read.Load()) > c.share*float64(whole) {
			t.Errorf("%v: %d of %d bytes are read", c.paths, read.Load(), whole)
		}
		compareData(t, f, ReadOptions{Columns: columns, Filter: filter}, some)
	}
}

// TestNewSubfields: fields that a file does not have are NULL, also when there is no other.
func TestNewSubfields(t *testing.T) {
	dir := t.TempDir()
	schema, batch, values := formattest.DeepRows(300)
	writeFile(t, dir, "deep.parquet", schema, WriterOptions{}, batch)
	f, err := Open(context.Background(), openStore(t, dir), "deep.parquet")
	if err != nil {
		t.Fatal(err)
	}
	fresh := types.RowOf(types.Field{Name: "fresh", Type: types.Of(types.Int64)})
	var want [][]types.Datum
	for _, v := range values {
		if !v.Null {
			v = types.Datum{Items: []types.Datum{types.NullDatum()}}
		}
		want = append(want, []types.Datum{v})
	}
	compareData(t, f, ReadOptions{Columns: []ColumnRequest{{Field: 0, Type: fresh}}}, want)
}

// compareData reads a file and compares each row.
func compareData(t *testing.T, f *File, options ReadOptions, want [][]types.Datum) {
	t.Helper()
	r, err := f.Reader(options)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	at := 0
	for {
		b, err := r.Next(context.Background())
		if err != nil {
			t.Fatal(err)
		}
		if b == nil {
			break
		}
		for i := range b.Rows() {
			row := i
			if b.Sel != nil {
				row = int(b.Sel[i])
			}
			for c := range b.Cols {
				if got := b.Cols[c].Datum(row); at >= len(want) || !reflect.DeepEqual(got, want[at][c]) {
					t.Fatalf("row %d, column %d: %v, want %v", at, c, got, want[min(at, len(want)-1)][c])
				}
			}
			at++
		}
	}
	if at != len(want) {
		t.Fatalf("%d rows, want %d", at, len(want))
	}
}
