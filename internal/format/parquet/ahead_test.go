package parquet

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/tarnlake/tarn/internal/format/formattest"
	"github.com/tarnlake/tarn/internal/memory"
	"github.com/tarnlake/tarn/internal/objstore"
	"github.com/tarnlake/tarn/internal/types"
	"github.com/tarnlake/tarn/internal/vec"
)

// third keeps every third thousand of rows, by the first column.
type third struct{}

func (third) Stages() int         { return 1 }
func (third) Columns(int) []int   { return []int{0} }
func (third) keeps(id int64) bool { return id/1000%3 == 1 && id < 150_000 }
func (f third) Apply(_ int, b *vec.Batch) error {
	b.Sel = make([]int32, 0, b.Len)
	for i, id := range vec.Values[int64](&b.Cols[0])[:b.Len] {
		if f.keeps(id) {
			b.Sel = append(b.Sel, int32(i))
		}
	}
	return nil
}

func writeWide(t *testing.T, store *objstore.Local, rows, group int) ([]ColumnRequest, func(d *formattest.Distant) *File) {
	schema := types.Schema{{Name: "id", Type: types.Of(types.Int64)}, {Name: "long", Type: types.Of(types.Text)}, {Name: "n", Type: types.Of(types.Int32)},
		{Name: "few", Type: types.Of(types.Text)}}
	b := vec.NewBatch(schema.Types(), rows)
	for i := range rows {
		vec.Values[int64](&b.Cols[0])[i] = int64(i)
		b.Cols[1].SetString(i, fmt.Sprintf("%08d-%016x-%016x-%016x", i, hashOf(int64(i), 1), hashOf(int64(i), 2), hashOf(int64(i), 3)))
		vec.Values[int32](&b.Cols[2])[i] = int32(hashOf(int64(i), 4))
		b.Cols[3].SetString(i, fmt.Sprintf("one of %d", i%7))
	}
	writeFile(t, store.Root(), "w.parquet", schema, WriterOptions{Compression: Uncompressed, RowGroupRows: group, RowGroupBytes: 1 << 30}, b)
	var columns []ColumnRequest
	for i, field := range schema {
		columns = append(columns, ColumnRequest{Field: i, Type: field.Type})
	}
	return columns, func(d *formattest.Distant) *File {
		d.Store = store
		f, err := Open(t.Context(), d, "w.parquet")
		if err != nil {
			t.Fatal(err)
		}
		return f
	}
}

// TestReadingAhead: rows of a distant file are those of a near one, in fewer requests, within the pool.
func TestReadingAhead(t *testing.T) {
	store := openStore(t, t.TempDir())
	for _, group := range []int{10_000, 200_000} { // small chunks, and chunks of several windows
		columns, open := writeWide(t, store, 200_000, group)
		near, err := Open(t.Context(), store, "w.parquet")
		if err != nil {
			t.Fatal(err)
		}
		for _, filter := range []RowFilter{nil, third{}} {
			for _, limit := range []int64{memory.Unlimited, 64 << 20, 24 << 20} {
				d := &formattest.Distant{Delay: time.Millisecond}
				pool := memory.NewRoot("query", limit)
				want := readText(t, near, ReadOptions{Columns: columns, Filter: filter})
				got := readText(t, open(d), ReadOptions{Columns: columns, Filter: filter, Pool: pool})
				if !slices.EqualFunc(got, want, func(a, b []any) bool { return slices.Equal(a, b) }) {
					t.Fatalf("groups of %d: %d rows, want %d, or others", group, len(got), len(want))
				}
				if pool.Used() != 0 || d.Active.Load() != 0 {
					t.Errorf("groups of %d: %d bytes and %d requests are left", group, pool.Used(), d.Active.Load())
				}
				if most := map[int]int64{10_000: 6, 200_000: 9}[group]; limit == memory.Unlimited && d.Reads.Load() > most {
					t.Errorf("groups of %d: %d requests", group, d.Reads.Load())
				}
			}
		}
	}
}

// TestReadingAheadEnds: a reader that is closed early, or whose store fails, leaves nothing.
func TestReadingAheadEnds(t *testing.T) {
	store := openStore(t, t.TempDir())
	columns, open := writeWide(t, store, 200_000, 10_000)
	for _, d := range []*formattest.Distant{{HangAfter: 2}, {FailAfter: 2}} {
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		d.Hanging = cancel
		f := open(d)
		pool := memory.NewRoot("query", memory.Unlimited)
		r, err := f.Reader(ReadOptions{Columns: columns, Pool: pool})
		if err != nil {
			t.Fatal(err)
		}
		rows := 0
		for range 40 {
			b, err := r.Next(ctx)
			if d.FailAfter > 0 && errors.Is(err, formattest.ErrBroken) || d.HangAfter > 0 && errors.Is(err, context.Canceled) || b == nil {
				break
			}
			if err != nil {
				t.Fatal(err)
			}
			rows += b.Rows()
		}
		if rows == 200_000 {
			t.Error("the failure was not noticed")
		}
		if d.HangAfter > 0 && d.Active.Load() == 0 {
			t.Error("no request is under way")
		}
		if err := r.Close(); err != nil { // it does not wait for answers that never come
			t.Fatal(err)
		}
		if pool.Used() != 0 || d.Active.Load() != 0 {
			t.Errorf("%d bytes and %d requests are left", pool.Used(), d.Active.Load())
		}
	}
}
