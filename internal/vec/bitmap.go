package vec

import "math/bits"

// Bitmap marks valid (non-null) rows, bit i of word i/64. A nil Bitmap means all rows are valid.
type Bitmap []uint64

// BitmapWords is the number of words for n bits.
func BitmapWords(n int) int { return (n + 63) >> 6 }

// Get tells whether bit i is set; a nil bitmap has all bits set.
func (b Bitmap) Get(i int) bool { return b == nil || b[i>>6]>>(uint(i)&63)&1 != 0 }

// Set sets bit i; b must not be nil.
func (b Bitmap) Set(i int) { b[i>>6] |= 1 << (uint(i) & 63) }

// Clear clears bit i; b must not be nil.
func (b Bitmap) Clear(i int) { b[i>>6] &^= 1 << (uint(i) & 63) }

// SetTo sets bit i to v; b must not be nil.
func (b Bitmap) SetTo(i int, v bool) {
	if v {
		b.Set(i)
	} else {
		b.Clear(i)
	}
}

// FillOnes sets the first n bits and clears the rest of the last word.
func (b Bitmap) FillOnes(n int) {
	words := BitmapWords(n)
	for i := range words {
		b[i] = ^uint64(0)
	}
	if tail := uint(n) & 63; tail != 0 {
		b[words-1] = 1<<tail - 1
	}
}

// CountSet counts the set bits among the first n; a nil bitmap counts n.
func (b Bitmap) CountSet(n int) int {
	if b == nil {
		return n
	}
	count := 0
	full := n >> 6
	for _, w := range b[:full] {
		count += bits.OnesCount64(w)
	}
	if tail := uint(n) & 63; tail != 0 {
		count += bits.OnesCount64(b[full] & (1<<tail - 1))
	}
	return count
}

// AndInto stores a AND b of n bits in dst's memory and returns it; nil when both are nil.
func AndInto(dst, a, b Bitmap, n int) Bitmap {
	words := BitmapWords(n)
	switch {
	case a == nil && b == nil:
		return nil
	case a == nil:
		return append(dst[:0], b[:words]...)
	case b == nil:
		return append(dst[:0], a[:words]...)
	}
	dst = append(dst[:0], a[:words]...)
	for i, w := range b[:words] {
		dst[i] &= w
	}
	return dst
}
