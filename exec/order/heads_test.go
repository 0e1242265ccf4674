package order

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
)

func TestHeadsMergeRuns(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for round := range 200 {
		runs := make([][]string, random.IntN(9))
		var want []string
		for i := range runs {
			for range random.IntN(30) {
				runs[i] = append(runs[i], fmt.Sprintf("%02d", random.IntN(20)))
			}
			slices.Sort(runs[i])
			for _, key := range runs[i] {
				want = append(want, fmt.Sprint(key, " of ", i)) // equal keys by number of the run
			}
		}
		slices.Sort(want)
		var h Heads
		at := make([]int, len(runs))
		for i, keys := range runs {
			if len(keys) > 0 {
				h.Add(i, []byte(keys[0]))
			}
		}
		var got []string
		for h.Len() > 0 {
			i := h.First()
			got = append(got, fmt.Sprint(runs[i][at[i]], " of ", i))
			if at[i]++; at[i] < len(runs[i]) {
				h.Advance([]byte(runs[i][at[i]]))
			} else {
				h.Drop()
			}
		}
		if !slices.Equal(got, want) {
			t.Fatalf("round %d: %v, want %v", round, got, want)
		}
	}
}
