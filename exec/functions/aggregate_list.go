package functions

import (
	"github.com/tarnlake/tarn/internal/fn"
	"github.com/tarnlake/tarn/internal/types"
	"github.com/tarnlake/tarn/internal/vec"
)

// lists keeps all values of every group, in the order in which they came: one vector for the values
// and a chain through it for each group.
type lists struct {
	values     []*vec.Vector // one an argument kept
	head, tail []int32       // by group; 0 is none, else the value's number + 1
	next       []int32       // by value
	lengths    []int32
	session    *fn.Session
}

func newLists(session *fn.Session, argTypes ...types.Type) lists {
	l := lists{session: session}
	for _, t := range argTypes {
		if t.Kind == types.Unknown {
			t = text
		}
		l.values = append(l.values, vec.NewFlat(t, 0))
	}
	return l
}

func (l *lists) Resize(n int) {
	l.head, l.tail, l.lengths = grow(l.head, n), grow(l.tail, n), grow(l.lengths, n)
}

func (l *lists) Reset() {
	l.head, l.tail, l.lengths, l.next = l.head[:0], l.tail[:0], l.lengths[:0], l.next[:0]
	for i, v := range l.values {
		l.values[i] = vec.NewFlat(v.Type, 0)
	}
}

func (l *lists) Bytes() int64 {
	n := int64(cap(l.head))*12 + int64(cap(l.next))*4
	for _, v := range l.values {
		n += v.Bytes64()
	}
	return n
}

// add appends a row of values to a group.
func (l *lists) add(g int32, row ...types.Datum) {
	for i, d := range row {
		l.values[i].AppendDatum(d)
	}
	l.next = append(l.next, 0)
	number := int32(len(l.next))
	if l.tail[g] == 0 {
		l.head[g] = number
	} else {
		l.next[l.tail[g]-1] = number
	}
	l.tail[g] = number
	l.lengths[g]++
}

// rows gives the places of a group's values, in dst's memory.
func (l *lists) rows(g int, dst []int32) []int32 {
	dst = dst[:0]
	for at := l.head[g]; at != 0; at = l.next[at-1] {
		dst = append(dst, at-1)
	}
	return dst
}

// partial writes the groups' values as one array column an argument.
func (l *lists) partial(from, n int, out []*vec.Vector) {
	var all []int32
	bounds := make([]vec.List, n)
	for i := range n {
		start := len(all)
		for at := l.head[from+i]; at != 0; at = l.next[at-1] {
			all = append(all, at-1)
		}
		bounds[i] = vec.List{Offset: int32(start), Length: int32(len(all) - start)}
	}
	if all == nil {
		all = []int32{}
	}
	for c, v := range l.values {
		out[c].Resize(types.ArrayOf(v.Type), n)
		copy(vec.Values[vec.List](out[c]), bounds)
		var child vec.Vector
		vec.Gather(&child, v, all)
		out[c].Children[0] = child
	}
}

// merge appends partial columns to the groups.
func (l *lists) merge(groups []int32, partial []*vec.Vector, rows []int32) {
	for k, g := range groups {
		at := rowAt(rows, k)
		first := partial[0].Datum(at)
		for i := range first.Items {
			row := make([]types.Datum, len(l.values))
			row[0] = first.Items[i]
			for c := 1; c < len(l.values); c++ {
				row[c] = partial[c].Datum(at).Items[i]
			}
			l.add(g, row...)
		}
	}
}

func (l *lists) partialTypes() []types.Type {
	var out []types.Type
	for _, v := range l.values {
		out = append(out, types.ArrayOf(v.Type))
	}
	return out
}

// listAggregate is an accumulator over lists: keep says which rows count, finish makes a result of a
// group's values.
type listAggregate struct {
	lists
	result   types.Type
	skipNull bool // rows whose first argument is NULL do not count
	finish   func(l *lists, rows []int32) (types.Datum, error)
	scratch  []int32
}

func (l *listAggregate) Update(groups []int32, args []*vec.Vector, rows []int32) error {
	row := make([]types.Datum, len(l.values))
	memory := budget{session: l.session}
	for k, g := range groups {
		at := rowAt(rows, k)
		if l.skipNull && args[0].IsNull(at) {
			continue
		}
		for i := range row {
			row[i] = args[i].Datum(at)
			if err := memory.add(len(row[i].Str) + datumBytes*len(row[i].Items)); err != nil {
				return err
			}
		}
		l.add(g, row...)
	}
	return nil
}

func (l *listAggregate) Merge(groups []int32, partial []*vec.Vector, rows []int32) error {
	l.merge(groups, partial, rows)
	return nil
}

func (l *listAggregate) Partial(from, n int, out []*vec.Vector) error {
	l.partial(from, n, out)
	return nil
}

func (l *listAggregate) Final(from, n int, out *vec.Vector) error {
	out.Resize(l.result, n)
	clear(out.Data)
	for i := range n {
		l.scratch = l.rows(from+i, l.scratch)
		d := types.NullDatum()
		if len(l.scratch) > 0 {
			var err error
			if d, err = l.finish(&l.lists, l.scratch); err != nil {
				return err
			}
		}
		out.SetDatum(i, d)
	}
	return nil
}

// listImpl makes the implementation of a list aggregate over its first kept arguments.
func listImpl(kept int, skipNull bool, finish func(call fn.Call) func(l *lists, rows []int32) (types.Datum, error)) fn.Aggregate {
	return fn.Aggregate{
		New: accumulate(func(call fn.Call) fn.Accumulator {
			return &listAggregate{lists: newLists(call.Session, call.Args[:kept]...), result: call.Result, skipNull: skipNull, finish: finish(call)}
		}),
		Partial: func(call fn.Call) []types.Type {
			l := newLists(nil, call.Args[:kept]...)
			return l.partialTypes()
		},
	}
}

// arrays is array_agg: its result is what lists hold.
type arrays struct{ listAggregate }

func (a *arrays) Final(from, n int, out *vec.Vector) error {
	a.partial(from, n, []*vec.Vector{out})
	out.Type = a.result
	for i := range n {
		if a.lengths[from+i] == 0 {
			out.SetNull(i)
		}
	}
	return nil
}

func listAggregates() []fn.Overload {
	array := aggregateRow("array_agg", "The values as an array, NULLs too.", "array_agg(x) → {1,2,3}", []fn.Param{family("x", fn.Any)}, types.Type{}, fn.Aggregate{
		New: accumulate(func(call fn.Call) fn.Accumulator {
			return &arrays{listAggregate{lists: newLists(call.Session, call.Args[0]), result: call.Result}}
		}),
		Partial: func(call fn.Call) []types.Type {
			l := newLists(nil, call.Args[0])
			return l.partialTypes()
		},
	})
	array.Result = func(args []types.Type) (types.Type, error) { return types.ArrayOf(args[0]), nil }
	out := []fn.Overload{array}
	joined := listImpl(2, true, func(fn.Call) func(l *lists, rows []int32) (types.Datum, error) { return joinTexts })
	for _, name := range []string{"string_agg", "listagg"} {
		out = append(out, aggregateRow(name, "The values that are not NULL, joined with a delimiter between them.", name+"(x, ',') → a,b", params("x", text, "delimiter", text), text, joined))
	}
	plain := listImpl(1, true, func(fn.Call) func(l *lists, rows []int32) (types.Datum, error) { return joinTexts })
	out = append(out,
		aggregateRow("listagg", "The values that are not NULL, joined.", "listagg(x) → ab", params("x", text), text, plain),
		aggregateRow("string_agg", "The byte strings that are not NULL, joined with a delimiter between them.", `string_agg(x, '\x00'::bytea) → \x610062`, params("x", bytea, "delimiter", bytea), bytea, joined))
	return append(out, mapAggregates()...)
}

// joinTexts puts each value's own delimiter before it, but for the first.
func joinTexts(l *lists, rows []int32) (types.Datum, error) {
	length := 0
	for _, r := range rows {
		if length += len(l.values[0].Bytes(int(r))); len(l.values) > 1 && !l.values[1].IsNull(int(r)) {
			length += len(l.values[1].Bytes(int(r)))
		}
	}
	if length > maxText {
		return types.Datum{}, tooLongText()
	}
	b := make([]byte, 0, length)
	for k, r := range rows {
		if k > 0 && len(l.values) > 1 && !l.values[1].IsNull(int(r)) {
			b = append(b, l.values[1].Bytes(int(r))...)
		}
		b = append(b, l.values[0].Bytes(int(r))...)
	}
	return types.StringDatum(string(b)), nil
}

func mapAggregates() []fn.Overload {
	two := []fn.Param{family("key", fn.Any), family("value", fn.Any)}
	collect := aggregateRow("map_agg", "A map of keys and values; of several values for a key the first counts.", "map_agg(k, v) → {a=1,b=2}", two, types.Type{},
		listImpl(2, true, func(call fn.Call) func(l *lists, rows []int32) (types.Datum, error) {
			return func(l *lists, rows []int32) (types.Datum, error) {
				out, t := types.Datum{}, call.Args[0]
				var keys []types.Datum
				for _, r := range rows {
					if k := l.values[0].Datum(int(r)); indexOf(t, keys, k, 0) < 0 {
						keys = append(keys, k)
						out.Items = append(out.Items, k, l.values[1].Datum(int(r)))
					}
				}
				return out, nil
			}
		}))
	collect.Result = func(args []types.Type) (types.Type, error) { return types.MapOf(args[0], args[1]), nil }
	histogram := aggregateRow("histogram", "A map of the values and how often each occurs.", "histogram(x) → {a=2,b=1}", []fn.Param{family("x", fn.Any)}, types.Type{},
		listImpl(1, true, func(call fn.Call) func(l *lists, rows []int32) (types.Datum, error) {
			return func(l *lists, rows []int32) (types.Datum, error) {
				items := make([]types.Datum, len(rows))
				for k, r := range rows {
					items[k] = l.values[0].Datum(int(r))
				}
				sortItems(call.Args[0], items)
				out := types.Datum{}
				for _, d := range items {
					if n := len(out.Items); n > 0 && sameItem(call.Args[0], out.Items[n-2], d) {
						out.Items[n-1].I64++
						continue
					}
					out.Items = append(out.Items, d, types.IntDatum(1))
				}
				return out, nil
			}
		}))
	histogram.Result = func(args []types.Type) (types.Type, error) { return types.MapOf(args[0], bigint), nil }
	return []fn.Overload{collect, histogram}
}
