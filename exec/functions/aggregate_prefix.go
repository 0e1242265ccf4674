package functions

import (
	"cmp"
	"math/bits"

	"github.com/tarnlake/tarn/internal/vec"
)

// Prefix makes the counts running ones.
func (c *counts) Prefix(n int) error {
	sum := int64(0)
	for i, v := range c.values[:n] {
		sum += v
		c.values[i] = sum
	}
	return nil
}

// Prefix makes the sums running ones.
func (s *exactSum) Prefix(n int) error {
	low, high, counts := uint64(0), int64(0), int64(0)
	flags := int64(0)
	for g := range n {
		sum, carry := bits.Add64(low, s.low[g], 0)
		t := high + s.high[g] + int64(carry)
		flags |= (high ^ t) & (s.high[g] ^ t)
		low, high = sum, t
		counts += s.counts[g]
		s.low[g], s.high[g], s.counts[g] = low, high, counts
	}
	s.over = s.over || flags < 0
	return s.check()
}

// Prefix makes the sums running ones, adding from the first row on as a plain loop would.
func (s *floatSum) Prefix(n int) error {
	for g := 1; g < n; g++ {
		s.sums[g] += s.sums[g-1]
		s.counts[g] += s.counts[g-1]
	}
	return nil
}

// Prefix makes the extremes running ones.
func (e *extremes[T]) Prefix(n int) error {
	e.prefix(e.values[:n], e.seen.words)
	return nil
}

func prefixMin[T cmp.Ordered](values []T, seen vec.Bitmap) {
	for g := 1; g < len(values); g++ {
		if seen.Get(g-1) && (!seen.Get(g) || values[g-1] < values[g]) {
			values[g] = values[g-1]
			seen.Set(g)
		}
	}
}

func prefixMax[T cmp.Ordered](values []T, seen vec.Bitmap) {
	for g := 1; g < len(values); g++ {
		if seen.Get(g-1) && (!seen.Get(g) || values[g-1] > values[g]) {
			values[g] = values[g-1]
			seen.Set(g)
		}
	}
}

// prefixCompared is for types whose order is a function; sign 1 looks for the greatest.
func prefixCompared[T vec.Fixed](values []T, seen vec.Bitmap, sign int, compare func(a, b T) int) {
	for g := 1; g < len(values); g++ {
		if seen.Get(g-1) && (!seen.Get(g) || compare(values[g-1], values[g])*sign > 0) {
			values[g] = values[g-1]
			seen.Set(g)
		}
	}
}
