package parquet

import (
	"math"
	"slices"
	"testing"

	"pgregory.net/rapid"
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
