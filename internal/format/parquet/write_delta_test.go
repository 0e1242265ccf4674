package parquet

import (
	"fmt"
	"math"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/tarnlake/tarn/internal/types"
	"github.com/tarnlake/tarn/internal/vec"
)

// deltasComeBack encodes values and reads them with the reader's decoder.
func deltasComeBack[T int32 | int64](t interface{ Fatalf(string, ...any) }, values []T) {
	data := append(appendDeltas(nil, values), make([]byte, slack)...)
	data = data[:len(data)-slack]
	var r deltaReader
	if err := r.open(data, len(values)); err != nil {
		t.Fatalf("%d values: %v", len(values), err)
	}
	back := make([]T, len(values))
	if err := readDeltas(&r, back); err != nil {
		t.Fatalf("%d values: %v", len(values), err)
	}
	if r.total != len(values) || !slices.Equal(back, values) {
		t.Fatalf("%v came back as %v", values, back)
	}
	if len(values) > 0 && r.at != len(data) {
		t.Fatalf("%d values: %d of %d bytes read", len(values), r.at, len(data))
	}
}

func TestDeltasComeBack(t *testing.T) {
	deltasComeBack(t, []int64{})
	deltasComeBack(t, []int64{math.MaxInt64, math.MinInt64, 0, math.MaxInt64, -1, math.MinInt64})
	deltasComeBack(t, []int32{math.MaxInt32, math.MinInt32, 0, math.MaxInt32, -1, math.MinInt32})
	for _, n := range []int{1, 2, 32, 33, 128, 129, 130, 1000, 5000} {
		wide, narrow := make([]int64, n), make([]int32, n)
		for i := range wide {
			wide[i], narrow[i] = int64(i*i*i)*-7777, int32(i%17)
		}
		deltasComeBack(t, wide)
		deltasComeBack(t, narrow)
	}
	rapid.Check(t, func(t *rapid.T) {
		bits := rapid.IntRange(0, 63).Draw(t, "bits")
		deltasComeBack(t, rapid.SliceOfN(rapid.Int64Range(-1<<bits, 1<<bits-1), 0, 300).Draw(t, "values"))
		deltasComeBack(t, rapid.SliceOfN(rapid.Int32(), 0, 300).Draw(t, "narrow values"))
	})
}

// TestDifferencesOfNarrowColumnsAreNarrow holds what readers of 32-bit columns rely on.
func TestDifferencesOfNarrowColumnsAreNarrow(t *testing.T) {
	data := appendDeltas(nil, []int32{math.MinInt32, math.MaxInt32, math.MinInt32, 5})
	var r deltaReader
	if err := r.open(append(data, make([]byte, slack)...)[:len(data)], 4); err != nil {
		t.Fatal(err)
	}
	if err := r.nextMiniBlock(); err != nil {
		t.Fatal(err)
	}
	for _, width := range r.widths {
		if width > 32 {
			t.Errorf("a width of %d bits", width)
		}
	}
}

// TestKeysBecomeDeltas: a key by which rows are sorted takes a few bits a row although its values repeat, numbers that
// repeat in no order stay in a dictionary, and both come back.
func TestKeysBecomeDeltas(t *testing.T) {
	store := openStore(t, t.TempDir())
	const rows = 100_000
	schema := types.Schema{{Name: "key", Type: types.Of(types.Int64)}, {Name: "day", Type: types.Of(types.Int32)}, {Name: "sorted_day", Type: types.Of(types.Int32)}}
	b := vec.NewBatch(schema.Types(), rows)
	for i := range rows {
		vec.Values[int64](&b.Cols[0])[i] = int64(i/4) * 8
		vec.Values[int32](&b.Cols[1])[i] = int32(hashOf(int64(i), 1) % 2500)
		vec.Values[int32](&b.Cols[2])[i] = int32(i / 2000)
	}
	summary := writeFile(t, store.Root(), "k.parquet", schema, WriterOptions{Compression: Uncompressed}, b)
	if summary.Bytes > rows*(6+12+1)/8*11/10 {
		t.Errorf("%d rows take %d bytes", rows, summary.Bytes)
	}
	f, err := Open(t.Context(), store, "k.parquet")
	if err != nil {
		t.Fatal(err)
	}
	for c, want := range []bool{false, true, true} {
		if chunk := f.meta.groups[0].chunks[c]; chunk.dictOffset > 0 != want {
			t.Errorf("column %q has a dictionary: %v, want %v", schema[c].Name, !want, want)
		}
	}
	for i, row := range readText(t, f, ReadOptions{Columns: allColumns(f)}) {
		if row[0] != fmt.Sprint(i/4*8) || row[1] != fmt.Sprint(hashOf(int64(i), 1)%2500) || row[2] != fmt.Sprint(i/2000) {
			t.Fatal(i, row)
		}
	}
}
