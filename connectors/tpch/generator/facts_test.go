package generator

import (
	"math"
	"testing"

	"github.com/tarnlake/tarn/internal/types"
)

// TestFacts compares what is said of each column with its values at scales 0.01 and 0.05.
func TestFacts(t *testing.T) {
	for _, size := range []string{"0.01", "0.05"} {
		s := scale(t, size)
		for _, table := range Tables() {
			facts := table.Facts(s)
			for column, info := range table.Columns() {
				checkFacts(t, size, info, facts[column], columnDatums(table, s, column))
			}
		}
	}
}

func columnDatums(table Table, s Scale, column int) []types.Datum {
	var all []types.Datum
	r := shared.Reader(table, s, 0, table.Units(s), 4096)
	for n := r.Next(); n > 0; n = r.Next() {
		for row := range n {
			all = append(all, r.Column(column).Datum(row))
		}
	}
	return all
}

func checkFacts(t *testing.T, size string, info ColumnInfo, f Facts, values []types.Datum) {
	t.Helper()
	texts, numbers := map[string]bool{}, map[int64]bool{}
	width := 0
	for _, d := range values {
		if info.Type.Physical() == types.PhysString {
			texts[d.Str] = true
			width += len(d.Str)
			if f.Minimum != nil && (d.Str < f.Minimum.Str || d.Str > f.Maximum.Str) {
				t.Fatalf("scale %s: %s holds %q, said to lie in %q … %q", size, info.Name, d.Str, f.Minimum.Str, f.Maximum.Str)
			}
			continue
		}
		numbers[d.I64] = true
		if d.I64 < f.Minimum.I64 || d.I64 > f.Maximum.I64 {
			t.Fatalf("scale %s: %s holds %d, said to lie in %d … %d", size, info.Name, d.I64, f.Minimum.I64, f.Maximum.I64)
		}
	}
	distinct := float64(len(texts) + len(numbers))
	if slack := math.Abs(f.Distinct-distinct) / distinct; slack > 0.1 {
		t.Errorf("scale %s: %s holds %v different values, said to hold %v", size, info.Name, distinct, f.Distinct)
	}
	if average := float64(width) / float64(len(values)); math.Abs(average-f.Width) > 0.2*f.Width {
		t.Errorf("scale %s: %s is %.1f bytes wide, said to be %.1f", size, info.Name, average, f.Width)
	}
}
