package functions

import (
	"github.com/tarnlake/tarn/exec/kernel"
	"github.com/tarnlake/tarn/internal/fn"
	"github.com/tarnlake/tarn/internal/types"
	"github.com/tarnlake/tarn/internal/vec"
)

// folded keeps one word a group: bool_and, bit_or, checksum and the like.
type folded struct {
	values []int64
	seen   bitset
	arg    argument
	t      types.Type
	fold   func(state, x int64) int64
}

func (f *folded) Resize(n int) { f.values = grow(f.values, n); f.seen.resize(n) }
func (f *folded) Reset()       { f.values = f.values[:0]; f.seen.reset() }
func (f *folded) Bytes() int64 { return int64(cap(f.values))*8 + f.seen.bytes() }

func (f *folded) Update(groups []int32, args []*vec.Vector, rows []int32) error {
	f.arg.read(groups, args[0], rows)
	if len(f.arg.groups) == 0 {
		return nil
	}
	switch f.arg.flat.Type.Physical() {
	case types.PhysBool:
		foldValues(f, vec.Values[uint8](f.arg.flat))
	case types.PhysInt16:
		foldValues(f, vec.Values[int16](f.arg.flat))
	case types.PhysInt32:
		foldValues(f, vec.Values[int32](f.arg.flat))
	default:
		foldValues(f, vec.Values[int64](f.arg.flat))
	}
	return nil
}

func foldValues[T uint8 | int16 | int32 | int64](f *folded, values []T) {
	for k, g := range f.arg.groups {
		x := int64(values[f.arg.position(k)])
		if f.seen.has(g) {
			x = f.fold(f.values[g], x)
		}
		f.values[g] = x
		f.seen.set(g)
	}
}

func (f *folded) Merge(groups []int32, partial []*vec.Vector, rows []int32) error {
	return f.Update(groups, partial, rows)
}

func (f *folded) Partial(from, n int, out []*vec.Vector) error { return f.Final(from, n, out[0]) }

func (f *folded) Final(from, n int, out *vec.Vector) error {
	out.Resize(f.t, n)
	for i := range n {
		d := types.IntDatum(f.values[from+i])
		d.Null = !f.seen.has(int32(from + i))
		out.SetDatum(i, d)
	}
	return nil
}

func foldAggregate(t types.Type, noop bool, fold func(state, x int64) int64) fn.Aggregate {
	return fn.Aggregate{New: accumulate(func(fn.Call) fn.Accumulator { return &folded{t: t, fold: fold} }),
		Partial: partialTypes(t), IgnoresOrder: true, DistinctIsNoop: noop}
}

func logicAggregates() []fn.Overload {
	and := func(a, b int64) int64 { return a & b }
	or := func(a, b int64) int64 { return a | b }
	out := aliases([]fn.Overload{aggregateRow("bool_and", "True if all values are true.", "bool_and(x > 0) → true", params("x", boolean), boolean, foldAggregate(boolean, true, and))}, "every")
	out = append(out, aggregateRow("bool_or", "True if some value is true.", "bool_or(x > 2) → true", params("x", boolean), boolean, foldAggregate(boolean, true, or)))
	for _, t := range []types.Type{smallint, integer, bigint} {
		out = append(out,
			aggregateRow("bit_and", "Bitwise and of the values.", "bit_and(x) → 0", params("x", t), t, foldAggregate(t, true, and)),
			aggregateRow("bit_or", "Bitwise or of the values.", "bit_or(x) → 3", params("x", t), t, foldAggregate(t, true, or)),
			aggregateRow("bit_xor", "Bitwise exclusive or of the values.", "bit_xor(x) → 0", params("x", t), t, foldAggregate(t, false, func(a, b int64) int64 { return a ^ b })))
	}
	return append(out, aggregateRow("checksum", "A number that is equal for equal sets of rows, in any order.", "checksum(x) → 3421571938163867921", []fn.Param{family("x", fn.Any)}, bigint,
		fn.Aggregate{New: accumulate(func(fn.Call) fn.Accumulator { return &checksums{} }), Partial: partialTypes(bigint), IgnoresOrder: true}))
}

// checksums adds up the rows' hashes.
type checksums struct {
	values []int64
	seen   bitset
	hashes []uint64
	arg    argument
}

func (c *checksums) Resize(n int) { c.values = grow(c.values, n); c.seen.resize(n) }
func (c *checksums) Reset()       { c.values = c.values[:0]; c.seen.reset() }
func (c *checksums) Bytes() int64 { return int64(cap(c.values))*8 + c.seen.bytes() }

func (c *checksums) Update(groups []int32, args []*vec.Vector, rows []int32) error {
	if cap(c.hashes) < args[0].Len {
		c.hashes = make([]uint64, args[0].Len)
	}
	hashes := c.hashes[:args[0].Len]
	kernel.Hash(hashes, args[0], rows, true)
	for k, g := range groups {
		c.values[g] += int64(hashes[rowAt(rows, k)])
		c.seen.set(g)
	}
	return nil
}

func (c *checksums) Merge(groups []int32, partial []*vec.Vector, rows []int32) error {
	c.arg.read(groups, partial[0], rows)
	if len(c.arg.groups) == 0 {
		return nil
	}
	values := vec.Values[int64](c.arg.flat)
	for k, g := range c.arg.groups {
		c.values[g] += values[c.arg.position(k)]
		c.seen.set(g)
	}
	return nil
}

func (c *checksums) Partial(from, n int, out []*vec.Vector) error { return c.Final(from, n, out[0]) }

func (c *checksums) Final(from, n int, out *vec.Vector) error {
	out.Resize(bigint, n)
	copy(vec.Values[int64](out), c.values[from:from+n])
	c.seen.writeNulls(from, n, out)
	return nil
}
