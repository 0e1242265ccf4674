package functions

import (
	"strings"

	"github.com/tarnlake/tarn/internal/fn"
	"github.com/tarnlake/tarn/internal/types"
	"github.com/tarnlake/tarn/internal/vec"
)

// extremes is min (or max) over fixed-width values: less(a, b) tells that a goes before b.
type extremes[T vec.Fixed] struct {
	values []T
	seen   bitset
	arg    argument
	t      types.Type
	update func(e *extremes[T], values []T)
	prefix func(values []T, seen vec.Bitmap)
}

func (e *extremes[T]) Resize(n int) { e.values = grow(e.values, n); e.seen.resize(n) }
func (e *extremes[T]) Reset()       { e.values = e.values[:0]; e.seen.reset() }
func (e *extremes[T]) Bytes() int64 {
	return int64(cap(e.values)*e.t.Physical().Width()) + e.seen.bytes()
}

func (e *extremes[T]) Update(groups []int32, args []*vec.Vector, rows []int32) error {
	e.arg.read(groups, args[0], rows)
	if len(e.arg.groups) > 0 {
		e.update(e, vec.Values[T](e.arg.flat))
	}
	return nil
}

func (e *extremes[T]) Merge(groups []int32, partial []*vec.Vector, rows []int32) error {
	return e.Update(groups, partial, rows)
}

func (e *extremes[T]) Partial(from, n int, out []*vec.Vector) error { return e.Final(from, n, out[0]) }

func (e *extremes[T]) Final(from, n int, out *vec.Vector) error {
	out.Resize(e.t, n)
	copy(vec.Values[T](out), e.values[from:from+n])
	e.seen.writeNulls(from, n, out)
	return nil
}

// whole are the types that Go orders as SQL does.
type whole interface{ uint8 | int16 | int32 | int64 }

// minOrdered and maxOrdered are their loops; there is at least one value.
func minOrdered[T whole](values, in []T, seen vec.Bitmap, groups, at []int32) {
	if len(values) == 1 {
		x := least(in, len(groups), at)
		if x < values[0] || seen[0]&1 == 0 {
			values[0] = x
			seen[0] |= 1
		}
		return
	}
	for k, g := range groups {
		p := k
		if at != nil {
			p = int(at[k])
		}
		x := in[p]
		if bit := uint64(1) << (uint(g) & 63); x < values[g] || seen[g>>6]&bit == 0 {
			values[g] = x
			seen[g>>6] |= bit
		}
	}
}

func maxOrdered[T whole](values, in []T, seen vec.Bitmap, groups, at []int32) {
	if len(values) == 1 {
		x := greatest(in, len(groups), at)
		if x > values[0] || seen[0]&1 == 0 {
			values[0] = x
			seen[0] |= 1
		}
		return
	}
	for k, g := range groups {
		p := k
		if at != nil {
			p = int(at[k])
		}
		x := in[p]
		if bit := uint64(1) << (uint(g) & 63); x > values[g] || seen[g>>6]&bit == 0 {
			values[g] = x
			seen[g>>6] |= bit
		}
	}
}

// least and greatest fold n values, those listed by at if that is not nil, by several chains at once.
func least[T whole](in []T, n int, at []int32) T {
	if at != nil {
		a := in[at[0]]
		b := a
		for at = at[:n]; len(at) >= 2; at = at[2:] {
			a, b = min(a, in[at[0]]), min(b, in[at[1]])
		}
		if len(at) > 0 {
			a = min(a, in[at[0]])
		}
		return min(a, b)
	}
	in = in[:n]
	a := in[0]
	b, c, d := a, a, a
	for ; len(in) >= 4; in = in[4:] {
		a, b, c, d = min(a, in[0]), min(b, in[1]), min(c, in[2]), min(d, in[3])
	}
	for _, x := range in {
		a = min(a, x)
	}
	return min(a, b, c, d)
}

func greatest[T whole](in []T, n int, at []int32) T {
	if at != nil {
		a := in[at[0]]
		b := a
		for at = at[:n]; len(at) >= 2; at = at[2:] {
			a, b = max(a, in[at[0]]), max(b, in[at[1]])
		}
		if len(at) > 0 {
			a = max(a, in[at[0]])
		}
		return max(a, b)
	}
	in = in[:n]
	a := in[0]
	b, c, d := a, a, a
	for ; len(in) >= 4; in = in[4:] {
		a, b, c, d = max(a, in[0]), max(b, in[1]), max(c, in[2]), max(d, in[3])
	}
	for _, x := range in {
		a = max(a, x)
	}
	return max(a, b, c, d)
}

func newOrdered[T whole](t types.Type, greatest bool) fn.Accumulator {
	if greatest {
		return &extremes[T]{t: t, prefix: prefixMax[T], update: func(e *extremes[T], in []T) {
			maxOrdered(e.values, in, e.seen.words, e.arg.groups, e.arg.at)
		}}
	}
	return &extremes[T]{t: t, prefix: prefixMin[T], update: func(e *extremes[T], in []T) {
		minOrdered(e.values, in, e.seen.words, e.arg.groups, e.arg.at)
	}}
}

// newCompared is for types whose order is a function; sign 1 looks for the greatest.
func newCompared[T vec.Fixed](t types.Type, greatest bool, compare func(a, b T) int) fn.Accumulator {
	sign := -1
	if greatest {
		sign = 1
	}
	prefix := func(values []T, seen vec.Bitmap) { prefixCompared(values, seen, sign, compare) }
	return &extremes[T]{t: t, prefix: prefix, update: func(e *extremes[T], in []T) {
		for k, g := range e.arg.groups {
			x := in[e.arg.position(k)]
			if !e.seen.has(g) || compare(x, e.values[g])*sign > 0 {
				e.values[g] = x
				e.seen.set(g)
			}
		}
	}}
}

// textExtremes is min (or max) over strings.
type textExtremes struct {
	values []string
	seen   bitset
	arg    argument
	t      types.Type
	sign   int
	held   int64
}

func (e *textExtremes) Resize(n int) { e.values = grow(e.values, n); e.seen.resize(n) }
func (e *textExtremes) Bytes() int64 { return int64(cap(e.values))*16 + e.held + e.seen.bytes() }
func (e *textExtremes) Reset() {
	clear(e.values)
	e.values, e.held = e.values[:0], 0
	e.seen.reset()
}

func (e *textExtremes) Update(groups []int32, args []*vec.Vector, rows []int32) error {
	e.arg.read(groups, args[0], rows)
	for k, g := range e.arg.groups {
		s := e.arg.flat.Str(e.arg.position(k))
		if !e.seen.has(g) || strings.Compare(s, e.values[g])*e.sign > 0 {
			e.held += int64(len(s) - len(e.values[g]))
			e.values[g] = strings.Clone(s)
			e.seen.set(g)
		}
	}
	return nil
}

func (e *textExtremes) Merge(groups []int32, partial []*vec.Vector, rows []int32) error {
	return e.Update(groups, partial, rows)
}

func (e *textExtremes) Partial(from, n int, out []*vec.Vector) error { return e.Final(from, n, out[0]) }

func (e *textExtremes) Final(from, n int, out *vec.Vector) error {
	out.Resize(e.t, n)
	for i, s := range e.values[from : from+n] {
		out.SetString(i, s)
	}
	e.seen.writeNulls(from, n, out)
	return nil
}

// datumExtremes is min (or max) over nested values.
type datumExtremes struct {
	values []types.Datum
	seen   bitset
	arg    argument
	t      types.Type
	sign   int
}

func (e *datumExtremes) Resize(n int) { e.values = grow(e.values, n); e.seen.resize(n) }
func (e *datumExtremes) Bytes() int64 { return int64(cap(e.values))*128 + e.seen.bytes() }
func (e *datumExtremes) Reset() {
	clear(e.values)
	e.values = e.values[:0]
	e.seen.reset()
}

func (e *datumExtremes) Update(groups []int32, args []*vec.Vector, rows []int32) error {
	e.arg.read(groups, args[0], rows)
	for k, g := range e.arg.groups {
		d := e.arg.flat.Datum(e.arg.position(k))
		if !e.seen.has(g) || types.CompareDatums(e.t, d, e.values[g])*e.sign > 0 {
			e.values[g] = d
			e.seen.set(g)
		}
	}
	return nil
}

func (e *datumExtremes) Merge(groups []int32, partial []*vec.Vector, rows []int32) error {
	return e.Update(groups, partial, rows)
}

func (e *datumExtremes) Partial(from, n int, out []*vec.Vector) error {
	return e.Final(from, n, out[0])
}

func (e *datumExtremes) Final(from, n int, out *vec.Vector) error {
	out.Resize(e.t, n)
	for i := range n {
		d := e.values[from+i]
		d.Null = !e.seen.has(int32(from + i))
		out.SetDatum(i, d)
	}
	return nil
}

func newExtreme(t types.Type, greatest bool) fn.Accumulator {
	sign := -1
	if greatest {
		sign = 1
	}
	switch t.Physical() {
	case types.PhysBool:
		return newOrdered[uint8](t, greatest)
	case types.PhysInt16:
		return newOrdered[int16](t, greatest)
	case types.PhysInt32:
		return newOrdered[int32](t, greatest)
	case types.PhysInt64:
		return newOrdered[int64](t, greatest)
	case types.PhysFloat32:
		return newCompared(t, greatest, func(a, b float32) int { return types.CompareFloats(float64(a), float64(b)) })
	case types.PhysFloat64:
		return newCompared(t, greatest, types.CompareFloats)
	case types.PhysInt128:
		if t.Kind == types.UUID {
			return newCompared(t, greatest, types.CompareUUIDs)
		}
		return newCompared(t, greatest, types.Int128.Compare)
	case types.PhysInterval:
		return newCompared(t, greatest, types.IntervalValue.Compare)
	case types.PhysString:
		return &textExtremes{t: t, sign: sign}
	}
	return &datumExtremes{t: t, sign: sign}
}

func extremeAggregate(greatest bool) fn.Aggregate {
	return fn.Aggregate{New: accumulate(func(call fn.Call) fn.Accumulator { return newExtreme(call.Args[0], greatest) }),
		Partial:      func(call fn.Call) []types.Type { return []types.Type{call.Args[0]} },
		IgnoresOrder: true, DistinctIsNoop: true}
}

func extremeAggregates() []fn.Overload {
	row := func(name, doc, example string, greatest bool) fn.Overload {
		o := aggregateRow(name, doc, example, []fn.Param{family("x", fn.Any)}, types.Type{}, extremeAggregate(greatest))
		o.Result = sameType
		return o
	}
	return []fn.Overload{
		row("min", "Least value that is not NULL.", "min(x) → 1", false),
		row("max", "Greatest value that is not NULL.", "max(x) → 3", true),
	}
}
