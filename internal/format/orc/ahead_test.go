package orc

import (
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"github.com/tarnlake/tarn/internal/format/formattest"
	"github.com/tarnlake/tarn/internal/memory"
	"github.com/tarnlake/tarn/internal/objstore/metadata"
	"github.com/tarnlake/tarn/internal/types"
	"github.com/tarnlake/tarn/internal/vec"
)

// TestReadingAhead: rows of a distant file are those of a near one, in few requests, within the pool;
// with small stripes, and with streams of several windows.
func TestReadingAhead(t *testing.T) {
	dir := t.TempDir()
	store := openStore(t, dir)
	schema := types.Schema{{Name: "id", Type: types.Of(types.Int64)}, {Name: "long", Type: types.Of(types.Text)}, {Name: "few", Type: types.Of(types.Text)}}
	const rows = 150_000
	var batches []*vec.Batch
	var want [][]types.Datum
	for from := 0; from < rows; from += 1000 {
		b := vec.NewBatch(schema.Types(), 1000)
		for i := range 1000 {
			id := from + i
			row := []types.Datum{types.IntDatum(int64(id)), types.StringDatum(fmt.Sprintf("%08d-%x-%x", id, uint64(id)*0x9e3779b97f4a7c15, uint64(id)*0xbf58476d1ce4e5b9)),
				types.StringDatum(fmt.Sprint("one of ", id%5))}
			for c := range row {
				b.Cols[c].SetDatum(i, row[c])
			}
			want = append(want, row)
		}
		batches = append(batches, b)
	}
	var columns []ColumnRequest
	for i, field := range schema {
		columns = append(columns, ColumnRequest{Field: i, Type: field.Type})
	}
	for compression := range Compression(5) {
		for _, stripe := range []int64{400_000, 1 << 30} {
			name := fmt.Sprintf("%d-%d.orc", compression, stripe)
			writeFile(t, filepath.Join(dir, name), schema, batches, WriterOptions{Compression: compression, StripeBytes: stripe})
			d := &formattest.Distant{Store: store, Delay: time.Millisecond}
			f, err := Open(t.Context(), d, name)
			if err != nil {
				t.Fatal(err)
			}
			pool := memory.NewRoot("query", memory.Unlimited)
			compareRows(t, f, ReadOptions{Columns: columns, Metadata: metadata.New(1 << 20), Pool: pool}, want)
			if pool.Used() != 0 || d.Active.Load() != 0 {
				t.Errorf("%s: %d bytes and %d requests are left", name, pool.Used(), d.Active.Load())
			}
			if most := int64(2*f.Stripes() + 12); d.Reads.Load() > most {
				t.Errorf("%s: %d requests for %d stripes", name, d.Reads.Load(), f.Stripes())
			}
			filter := &hashFilter{seed: 3, block: 4000, keep: [2]uint64{300, 1000}, columns: [][]int{{0}, {2}}, at: 0}
			var kept [][]types.Datum
			for row, values := range want {
				if filter.wants(0, int64(row)) && filter.wants(1, int64(row)) {
					kept = append(kept, values)
				}
			}
			compareRows(t, f, ReadOptions{Columns: columns, Filter: filter, Pool: pool}, kept)
			if pool.Used() != 0 {
				t.Errorf("%s: %d bytes are left", name, pool.Used())
			}
		}
	}
}
