package scan

import (
	"math/rand/v2"
	"testing"
)

// However a file is cut, each row group belongs to just one share.
func TestShares(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 9))
	for range 2000 {
		var groups []int64
		total := int64(0)
		for range random.IntN(20) {
			groups = append(groups, 1+random.Int64N(1000))
			total += groups[len(groups)-1]
		}
		parts := 1 + random.IntN(40)
		var shares []Share
		for at := 0; at < parts; {
			span := min(1+random.IntN(5), parts-at)
			shares = append(shares, Share{Part: at, Span: span, Parts: parts})
			at += span
		}
		first, last := int64(0), 0
		for _, rows := range groups {
			holders, holder := 0, 0
			for i, s := range shares {
				if s.Holds(first, rows, total) {
					holders, holder = holders+1, i
				}
			}
			if holders != 1 || holder < last {
				t.Fatalf("rows %d to %d of %d: %d of %v, the last is %d", first, first+rows, total, holders, shares, holder)
			}
			first, last = first+rows, holder
		}
	}
	if !(Share{}).Holds(5, 1, 10) {
		t.Error("the zero share is not the whole file")
	}
}
