package kernel

import (
	"bytes"
	"math/bits"
	"unsafe"

	"github.com/tarnlake/tarn/internal/expr"
	"github.com/tarnlake/tarn/internal/vec"
)

// CompareViews orders two strings by their bytes: the first four decide most pairs.
func CompareViews(a *vec.View, aBuffers [][]byte, b *vec.View, bBuffers [][]byte) int {
	x, y := bits.ReverseBytes32(uint32(a.Head>>32)), bits.ReverseBytes32(uint32(b.Head>>32))
	if x != y {
		if x < y {
			return -1
		}
		return 1
	}
	return bytes.Compare(a.Bytes(aBuffers), b.Bytes(bBuffers))
}

// EqualViews tells whether two strings are the same bytes.
func EqualViews(a *vec.View, aBuffers [][]byte, b *vec.View, bBuffers [][]byte) bool {
	if a.Head != b.Head {
		return false
	}
	if a.Inline() {
		return a.Tail == b.Tail
	}
	return bytes.Equal(a.Bytes(aBuffers), b.Bytes(bBuffers))
}

func pickString(dst []int32, op expr.Operator, v *vec.Vector, constant string, rows []int32) []int32 {
	views := vec.Values[vec.View](v)[:v.Len]
	text := unsafe.Slice(unsafe.StringData(constant), len(constant))
	switch op {
	case expr.Equal, expr.NotDistinct:
		return pickStringEqual(dst, views, v.Buffers, text, true, rows)
	case expr.NotEqual, expr.Distinct:
		return pickStringEqual(dst, views, v.Buffers, text, false, rows)
	}
	c, buffers := viewOf(text)
	n := 0
	for k := range Count(rows, v.Len) {
		r := rowAt(rows, k)
		dst[n] = int32(r)
		if Holds(op, CompareViews(&views[r], v.Buffers, &c, buffers)) {
			n++
		}
	}
	return dst[:n]
}

// viewOf makes a view of text and the buffer that it lies in.
func viewOf(text []byte) (vec.View, [][]byte) {
	if len(text) <= vec.InlineLength {
		return vec.InlineView(text), nil
	}
	return vec.LongView(text, 0, 0), [][]byte{text}
}

func pickStringEqual(dst []int32, views []vec.View, buffers [][]byte, text []byte, want bool, rows []int32) []int32 {
	c, _ := viewOf(text)
	if len(text) <= vec.InlineLength {
		if rows == nil {
			return dst[:pick(dst, views, func(x vec.View) bool { return (x == c) == want })]
		}
		return dst[:pickAt(dst, views, rows, func(x vec.View) bool { return (x == c) == want })]
	}
	n := 0
	for k := range Count(rows, len(views)) {
		r := rowAt(rows, k)
		dst[n] = int32(r)
		if (views[r].Head == c.Head && bytes.Equal(views[r].Bytes(buffers), text)) == want {
			n++
		}
	}
	return dst[:n]
}

func pickColumnsString(dst []int32, op expr.Operator, a, b *vec.Vector, rows []int32) []int32 {
	x, y := vec.Values[vec.View](a), vec.Values[vec.View](b)
	n := 0
	if op == expr.Equal || op == expr.NotEqual {
		want := op == expr.Equal
		for k := range Count(rows, a.Len) {
			r := rowAt(rows, k)
			dst[n] = int32(r)
			if EqualViews(&x[r], a.Buffers, &y[r], b.Buffers) == want {
				n++
			}
		}
		return dst[:n]
	}
	for k := range Count(rows, a.Len) {
		r := rowAt(rows, k)
		dst[n] = int32(r)
		if Holds(op, CompareViews(&x[r], a.Buffers, &y[r], b.Buffers)) {
			n++
		}
	}
	return dst[:n]
}
