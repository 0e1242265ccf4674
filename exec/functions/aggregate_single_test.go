package functions

import (
	"math/big"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/tarnlake/tarn/internal/vec"
)

// What the only group of an aggregate gets by the fast loops is what big integers and a plain search give, for values
// of any magnitude, in pieces of any length, by positions or not.
func TestTheOnlyGroup(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 3))
	for range 3000 {
		s := &exactSum{}
		s.Resize(1)
		low, high := []int64{0}, []int64{0}
		lowSeen, highSeen := vec.Bitmap{0}, vec.Bitmap{0}
		want, rows := new(big.Int), int64(0)
		var all []int64
		width := random.IntN(65)
		for range 1 + random.IntN(4) {
			values := make([]int64, 1+random.IntN(70))
			for i := range values {
				values[i] = int64(random.Uint64()) >> min(63, 64-width+random.IntN(4))
				if random.IntN(50) == 0 {
					values[i] = -1 << 63 >> min(63, 64-width)
				}
			}
			var at []int32
			used := values
			if random.IntN(2) == 0 {
				used = nil
				for range 1 + random.IntN(90) {
					at = append(at, int32(random.IntN(len(values))))
					used = append(used, values[at[len(at)-1]])
				}
			}
			addToOne(s, values, len(used), at)
			groups := make([]int32, len(used))
			minOrdered(low, values, lowSeen, groups, at)
			maxOrdered(high, values, highSeen, groups, at)
			for _, v := range used {
				want.Add(want, big.NewInt(v))
			}
			rows += int64(len(used))
			all = append(all, used...)
		}
		got := new(big.Int).Lsh(big.NewInt(s.high[0]), 64)
		got.Add(got, new(big.Int).SetUint64(s.low[0]))
		if got.Cmp(want) != 0 || s.counts[0] != rows {
			t.Fatalf("sum %v of %d rows, want %v of %d", got, s.counts[0], want, rows)
		}
		if low[0] != slices.Min(all) || high[0] != slices.Max(all) || lowSeen[0] != 1 || highSeen[0] != 1 {
			t.Fatalf("%d to %d, want %d to %d", low[0], high[0], slices.Min(all), slices.Max(all))
		}
	}
}
