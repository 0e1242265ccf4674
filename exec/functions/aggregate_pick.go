package functions

import (
	"slices"

	"github.com/tarnlake/tarn/internal/fn"
	"github.com/tarnlake/tarn/internal/types"
	"github.com/tarnlake/tarn/internal/vec"
)

// picked keeps one value a group, chosen by another: any_value, min_by, max_by.
type picked struct {
	values []types.Datum
	keys   []types.Datum
	seen   bitset
	t      types.Type
	key    types.Type
	sign   int // -1 least key, 1 greatest, 0 the first value that is not NULL
}

func (p *picked) Resize(n int) {
	p.values, p.seen.words = grow(p.values, n), grow(p.seen.words, vec.BitmapWords(n))
	if p.sign != 0 {
		p.keys = grow(p.keys, n)
	}
}

func (p *picked) Reset() {
	clear(p.values)
	clear(p.keys)
	p.values, p.keys = p.values[:0], p.keys[:0]
	p.seen.reset()
}

func (p *picked) Bytes() int64 { return int64(cap(p.values)+cap(p.keys))*128 + p.seen.bytes() }

func (p *picked) Update(groups []int32, args []*vec.Vector, rows []int32) error {
	for k, g := range groups {
		at := rowAt(rows, k)
		if p.sign == 0 {
			if !p.seen.has(g) && !args[0].IsNull(at) {
				p.values[g] = args[0].Datum(at)
				p.seen.set(g)
			}
			continue
		}
		if args[1].IsNull(at) {
			continue
		}
		key := args[1].Datum(at)
		if !p.seen.has(g) || types.CompareDatums(p.key, key, p.keys[g])*p.sign > 0 {
			p.values[g], p.keys[g] = args[0].Datum(at), key
			p.seen.set(g)
		}
	}
	return nil
}

func (p *picked) Merge(groups []int32, partial []*vec.Vector, rows []int32) error {
	return p.Update(groups, partial, rows)
}

func (p *picked) Partial(from, n int, out []*vec.Vector) error {
	if err := p.Final(from, n, out[0]); err != nil || p.sign == 0 {
		return err
	}
	out[1].Resize(p.key, n)
	clear(out[1].Data)
	for i := range n {
		d := p.keys[from+i]
		d.Null = d.Null || !p.seen.has(int32(from+i))
		out[1].SetDatum(i, d)
	}
	return nil
}

func (p *picked) Final(from, n int, out *vec.Vector) error {
	out.Resize(p.t, n)
	clear(out.Data)
	for i := range n {
		d := p.values[from+i]
		d.Null = d.Null || !p.seen.has(int32(from+i))
		out.SetDatum(i, d)
	}
	return nil
}

func pickAggregates() []fn.Overload {
	first := aggregateRow("any_value", "Some value that is not NULL.", "any_value(x) → 1", []fn.Param{family("x", fn.Any)}, types.Type{}, fn.Aggregate{
		New:     accumulate(func(call fn.Call) fn.Accumulator { return &picked{t: call.Args[0]} }),
		Partial: func(call fn.Call) []types.Type { return call.Args[:1] }, DistinctIsNoop: true, IgnoresOrder: true})
	first.Result = sameType
	out := aliases([]fn.Overload{first}, "arbitrary")
	ordered := first
	ordered.Name, ordered.Doc, ordered.Example = "first", "The first value that is not NULL, in the aggregate's ORDER BY.", "first(x ORDER BY x) → 1"
	ordered.Impl = fn.Aggregate{New: accumulate(func(call fn.Call) fn.Accumulator { return &picked{t: call.Args[0]} }),
		Partial: func(call fn.Call) []types.Type { return call.Args[:1] }}
	out = append(out, ordered)
	by := func(name, doc, example string, sign int) []fn.Overload {
		two := []fn.Param{family("x", fn.Any), family("key", fn.Any)}
		o := aggregateRow(name, doc, example, two, types.Type{}, fn.Aggregate{
			New:     accumulate(func(call fn.Call) fn.Accumulator { return &picked{t: call.Args[0], key: call.Args[1], sign: sign} }),
			Partial: func(call fn.Call) []types.Type { return call.Args[:2] }, DistinctIsNoop: true, IgnoresOrder: true})
		o.Result = sameType
		several := aggregateRow(name, doc+" With n, the values for the n such keys, as an array.", name+"(x, y, 2) → {c,b}", append(two[:2:2], fn.Param{Name: "n", Type: bigint}), types.Type{},
			listImpl(3, false, func(call fn.Call) func(l *lists, rows []int32) (types.Datum, error) {
				return func(l *lists, rows []int32) (types.Datum, error) { return bestValues(l, rows, call.Args[1], sign) }
			}))
		several.Result = func(args []types.Type) (types.Type, error) { return types.ArrayOf(args[0]), nil }
		return []fn.Overload{o, several}
	}
	out = append(out, by("max_by", "The value of x on the row with the greatest key.", "max_by(x, y) → c", 1)...)
	return append(out, by("min_by", "The value of x on the row with the least key.", "min_by(x, y) → a", -1)...)
}

// bestValues sorts a group's rows by key and gives the first n values.
func bestValues(l *lists, rows []int32, key types.Type, sign int) (types.Datum, error) {
	n := l.values[2].Datum(int(rows[0])).I64
	kept := slices.DeleteFunc(slices.Clone(rows), func(r int32) bool { return l.values[1].IsNull(int(r)) })
	slices.SortStableFunc(kept, func(a, b int32) int {
		return -sign * types.CompareDatums(key, l.values[1].Datum(int(a)), l.values[1].Datum(int(b)))
	})
	out := types.Datum{Items: []types.Datum{}}
	for _, r := range kept[:max(0, min(n, int64(len(kept))))] {
		out.Items = append(out.Items, l.values[0].Datum(int(r)))
	}
	return out, nil
}
