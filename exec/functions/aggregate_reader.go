package functions

import (
	"github.com/tarnlake/tarn/internal/fn"
	"github.com/tarnlake/tarn/internal/types"
	"github.com/tarnlake/tarn/internal/vec"
)

// argument prepares one argument of an aggregate's update: NULLs are taken out and encodings reduced
// to positions in a flat vector. Its memory is reused from call to call.
type argument struct {
	flat   *vec.Vector // holds the values
	groups []int32     // of the rows that are not NULL
	at     []int32     // their positions in flat; nil: the k-th row is value k

	groupScratch, atScratch []int32
}

// read prepares v for the rows listed, groups[k] being the group of the k-th.
func (a *argument) read(groups []int32, v *vec.Vector, rows []int32) {
	flat, index, constant := v.Base()
	a.flat, a.groups, a.at = flat, groups, rows
	if v.Type.Kind == types.Unknown || constant && v.IsNull(0) {
		a.groups, a.at = nil, nil
		return
	}
	if !constant && v.Valid != nil {
		a.dropNulls(groups, v.Valid, rows)
	}
	switch {
	case constant:
		a.at = zeros(a.atScratch, len(a.groups))
		a.atScratch = a.at
	case index != nil:
		a.throughIndex(index)
	}
}

func zeros(scratch []int32, n int) []int32 {
	if cap(scratch) < n {
		return make([]int32, n)
	}
	scratch = scratch[:n]
	clear(scratch)
	return scratch
}

// dropNulls compacts groups and rows to the valid ones.
func (a *argument) dropNulls(groups []int32, valid vec.Bitmap, rows []int32) {
	n := len(groups)
	if cap(a.groupScratch) < n {
		a.groupScratch = make([]int32, n)
	}
	if cap(a.atScratch) < n {
		a.atScratch = make([]int32, n)
	}
	g, at, count := a.groupScratch[:n], a.atScratch[:n], 0
	for k, group := range groups {
		r := int32(k)
		if rows != nil {
			r = rows[k]
		}
		g[count], at[count] = group, r
		count += int(valid[r>>6] >> (uint(r) & 63) & 1)
	}
	if count == n && rows == nil {
		return
	}
	a.groups, a.at = g[:count], at[:count]
}

func (a *argument) throughIndex(index []int32) {
	n := len(a.groups)
	if cap(a.atScratch) < n {
		a.atScratch = make([]int32, n)
	}
	out := a.atScratch[:n]
	if a.at == nil {
		copy(out, index[:n])
	} else {
		for k, r := range a.at {
			out[k] = index[r]
		}
	}
	a.at = out
}

// position gives where the k-th value lies.
func (a *argument) position(k int) int {
	if a.at == nil {
		return k
	}
	return int(a.at[k])
}

// grow gives s length n, new elements zero.
func grow[T any](s []T, n int) []T {
	if n <= len(s) {
		return s[:n]
	}
	if n <= cap(s) {
		old := len(s)
		s = s[:n]
		clear(s[old:])
		return s
	}
	out := make([]T, n, max(n, 2*cap(s)))
	copy(out, s)
	return out
}

// bitset marks groups.
type bitset struct{ words vec.Bitmap }

func (b *bitset) resize(n int)     { b.words = grow(b.words, vec.BitmapWords(n)) }
func (b *bitset) reset()           { b.words = b.words[:0] }
func (b *bitset) set(i int32)      { b.words[i>>6] |= 1 << (uint(i) & 63) }
func (b *bitset) has(i int32) bool { return b.words[i>>6]>>(uint(i)&63)&1 != 0 }
func (b *bitset) bytes() int64     { return int64(cap(b.words)) * 8 }

// writeNulls makes the rows of out NULL whose group from+i is not marked.
func (b *bitset) writeNulls(from, n int, out *vec.Vector) {
	for i := range n {
		if !b.has(int32(from + i)) {
			out.SetNull(i)
		}
	}
}

// aggregateRow is a row of the registry for an aggregate.
func aggregateRow(name, doc, example string, p []fn.Param, result types.Type, impl fn.Aggregate) fn.Overload {
	return fn.Overload{Name: name, Params: p, ResultType: result, Nulls: fn.Called, Category: categoryAggregate, Doc: doc, Example: example, Impl: impl}
}

// accumulate wraps a constructor that cannot fail.
func accumulate(f func(call fn.Call) fn.Accumulator) func(fn.Call) (fn.Accumulator, error) {
	return func(call fn.Call) (fn.Accumulator, error) { return f(call), nil }
}

// partialTypes gives fixed partial columns.
func partialTypes(list ...types.Type) func(fn.Call) []types.Type {
	return func(fn.Call) []types.Type { return list }
}
