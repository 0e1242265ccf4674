package orc

import (
	"context"
	"path/filepath"
	"sync/atomic"
	"testing"

	"github.com/tarnlake/tarn/internal/format/formattest"
	"github.com/tarnlake/tarn/internal/format/scan"
	"github.com/tarnlake/tarn/internal/types"
	"github.com/tarnlake/tarn/internal/vec"
)

// TestOnlyWantedSubfieldsAreRead: the others are NULL and their bytes stay unread.
func TestOnlyWantedSubfieldsAreRead(t *testing.T) {
	dir := t.TempDir()
	schema, batch, values := formattest.DeepRows(25_000)
	writeFile(t, filepath.Join(dir, "deep.orc"), schema, []*vec.Batch{batch}, WriterOptions{Compression: Zstd})
	f, err := Open(context.Background(), openStore(t, dir), "deep.orc")
	if err != nil {
		t.Fatal(err)
	}
	var whole int64
	for _, c := range []struct {
		paths [][]int
		share float64 // of the bytes, at most
	}{{nil, 1}, {[][]int{{0}}, 0.1}, {[][]int{{2, 0}}, 0.1}, {[][]int{{0}, {2, 2}}, 0.5}, {[][]int{{1}, {2, 0}}, 0.5}} {
		var read, gets atomic.Int64
		columns := []ColumnRequest{{Field: 0, Type: schema[0].Type, Subfields: c.paths}, {Field: PositionField, Type: types.Of(types.Int64)}}
		var want, some [][]types.Datum
		filter := &hashFilter{seed: 9, block: 3000, at: 1, keep: [2]uint64{600, 1000}, columns: [][]int{{1}, {1}}}
		for i, v := range values {
			row := []types.Datum{formattest.Only(v, schema[0].Type, c.paths), types.IntDatum(int64(i))}
			want = append(want, row)
			if filter.wants(0, int64(i)) {
				some = append(some, row)
			}
		}
		compareRows(t, f, ReadOptions{Columns: columns, Counters: Counters{BytesRead: &read, Gets: &gets}}, want)
		if whole = max(whole, read.Load()); float64(read.Load()) > c.share*float64(whole) {
			t.Errorf("%v: %d of %d bytes are read", c.paths, read.Load(), whole)
		}
		compareRows(t, f, ReadOptions{Columns: columns, Filter: filter}, some)
		for part := range 3 { // begins within the stripe
			if err := eachRow(t, f, ReadOptions{Columns: columns, Share: scan.Share{Part: part, Parts: 3}}, func(row []types.Datum) {
				if at := row[1].I64; !sameDatum(row[0], want[at][0], schema[0].Type) {
					t.Fatalf("row %d: %v, want %v", at, row[0], want[at][0])
				}
			}); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// TestNewSubfields: fields that a file does not have are NULL, also when there is no other.
func TestNewSubfields(t *testing.T) {
	dir := t.TempDir()
	schema, batch, values := formattest.DeepRows(300)
	writeFile(t, filepath.Join(dir, "deep.orc"), schema, []*vec.Batch{batch}, WriterOptions{})
	f, err := Open(context.Background(), openStore(t, dir), "deep.orc")
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
	compareRows(t, f, ReadOptions{Columns: []ColumnRequest{{Field: 0, Type: fresh}}}, want)
}
