package functions

import (
	"fmt"
	"math"
	"math/rand/v2"
	"sort"
	"testing"

	"github.com/tarnlake/tarn/internal/fn"
	"github.com/tarnlake/tarn/internal/types"
	"github.com/tarnlake/tarn/internal/vec"
)

// approx_distinct stays within four standard errors, for integers in a row too, and however its parts
// are merged.
func TestApproxDistinctError(t *testing.T) {
	for _, n := range []int{10, 190, 1000, 20_000, 300_000} {
		for name, column := range map[string]func(i int) types.Datum{
			"sequence": func(i int) types.Datum { return types.IntDatum(int64(i)) },
			"strided":  func(i int) types.Datum { return types.IntDatum(int64(i) * 4096) },
		} {
			whole, parts := &distinctCounts{}, &distinctCounts{}
			whole.Resize(1)
			parts.Resize(1)
			for from := 0; from < n; from += 50_000 {
				count := min(50_000, n-from)
				v := filled(bigint, count, func(i int) types.Datum { return column(from + i) })
				part := &distinctCounts{}
				part.Resize(1)
				for _, state := range []*distinctCounts{whole, part} {
					if err := state.Update(make([]int32, count), []*vec.Vector{v}, nil); err != nil {
						t.Fatal(err)
					}
				}
				partial := []*vec.Vector{{}}
				if err := part.Partial(0, 1, partial); err != nil {
					t.Fatal(err)
				}
				if err := parts.Merge([]int32{0}, partial, nil); err != nil {
					t.Fatal(err)
				}
			}
			got, merged := whole.states[0].count(), parts.states[0].count()
			if got != merged {
				t.Errorf("%s of %d: %d at once, %d merged", name, n, got, merged)
			}
			if deviation := math.Abs(float64(got)/float64(n) - 1); deviation > 4*0.023 || n < fewHashes && int(got) != n {
				t.Errorf("%s of %d: estimated %d", name, n, got)
			}
		}
	}
}

// approx_percentile's rank stays within half a percent.
func TestApproxPercentileError(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	values := make([]float64, 100_000)
	for i := range values {
		values[i] = math.Exp(r.NormFloat64())
	}
	fractions := []float64{0, 0.01, 0.25, 0.5, 0.9, 0.99, 1}
	call := fn.Call{Args: []types.Type{double, types.ArrayOf(double)}, Result: types.ArrayOf(double)}
	list := types.Datum{}
	for _, f := range fractions {
		list.Items = append(list.Items, types.FloatDatum(f))
	}
	total := &digests{call: call}
	total.Resize(1)
	for from := 0; from < len(values); from += 10_000 {
		part := &digests{call: call}
		part.Resize(1)
		v := filled(double, 10_000, func(i int) types.Datum { return types.FloatDatum(values[from+i]) })
		if err := part.Update(make([]int32, 10_000), []*vec.Vector{v, vec.NewConst(types.ArrayOf(double), list, 10_000)}, nil); err != nil {
			t.Fatal(err)
		}
		partial := []*vec.Vector{{}, {}}
		if err := part.Partial(0, 1, partial); err != nil {
			t.Fatal(err)
		}
		if err := total.Merge([]int32{0}, partial, nil); err != nil {
			t.Fatal(err)
		}
	}
	out := &vec.Vector{}
	if err := total.Final(0, 1, out); err != nil {
		t.Fatal(err)
	}
	sort.Float64s(values)
	for i, d := range out.Datum(0).Items {
		rank := float64(sort.SearchFloat64s(values, d.F64)) / float64(len(values))
		if math.Abs(rank-fractions[i]) > 0.005 {
			t.Errorf("fraction %v gives %v, whose rank is %v", fractions[i], d.F64, rank)
		}
	}
	if fmt.Sprint(out.Datum(0).Items[0].F64, out.Datum(0).Items[6].F64) != fmt.Sprint(values[0], values[len(values)-1]) {
		t.Errorf("extremes %v and %v", out.Datum(0).Items[0], out.Datum(0).Items[6])
	}
}
