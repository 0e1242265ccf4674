package aggregate

import (
	"bytes"
	"sort"

	"github.com/tarnlake/tarn/exec/order"
	"github.com/tarnlake/tarn/exec/rows"
	"github.com/tarnlake/tarn/internal/fn"
	"github.com/tarnlake/tarn/internal/memory"
	"github.com/tarnlake/tarn/internal/plan"
	"github.com/tarnlake/tarn/internal/types"
	"github.com/tarnlake/tarn/internal/vec"
)

// extra stands between a call's rows and its accumulator.
type extra interface {
	// add takes rows of groups; at gives input columns.
	add(state fn.Accumulator, groups []int32, args []*vec.Vector, list []int32, at func(int) *vec.Vector) error
	// finish hands over what was held back.
	finish(state fn.Accumulator) error
	bytes() int64
	free()
}

func newExtra(s *spec, i int, pool *memory.Pool, operator string) (extra, error) {
	c := &s.calls[i]
	argTypes := make([]types.Type, len(c.Args))
	for a, column := range c.Args {
		argTypes[a] = s.input[column]
	}
	var next extra
	if c.ordered() {
		store, err := rows.NewStore(rows.NewLayout(append([]types.Type{types.Of(types.Int32), types.Of(types.Bytea)}, argTypes...)), pool, operator)
		if err != nil {
			return nil, err
		}
		next = &ordered{keys: c.OrderBy, store: store, writer: store.NewWriter()}
	}
	if !c.distinct() {
		return next, nil
	}
	seen, err := rows.NewGroups(append([]types.Type{types.Of(types.Int32)}, argTypes...), 0, pool, operator)
	if err != nil {
		if next != nil {
			next.free()
		}
		return nil, err
	}
	return &distinct{seen: seen, next: next}, nil
}

// groupColumn makes a column that holds each listed row's group.
func groupColumn(v *vec.Vector, groups, list []int32) {
	n := 0
	for _, r := range list {
		n = max(n, int(r)+1)
	}
	v.Resize(types.Of(types.Int32), n)
	values := vec.Values[int32](v)
	for i, r := range list {
		values[r] = groups[i]
	}
}

// distinct lets the first row of each (group, arguments) through.
type distinct struct {
	seen  *rows.Groups
	next  extra // nil: the accumulator itself
	group vec.Vector
	ids   []int32
	first vec.Bitmap
	rows  []int32
	kept  []int32
}

func (d *distinct) add(state fn.Accumulator, groups []int32, args []*vec.Vector, list []int32, at func(int) *vec.Vector) error {
	groupColumn(&d.group, groups, list)
	if cap(d.ids) < len(list) {
		d.ids = make([]int32, len(list))
	}
	before := d.seen.Count()
	ids := d.ids[:len(list)]
	if err := d.seen.Find(append([]*vec.Vector{&d.group}, args...), list, ids); err != nil {
		return err
	}
	fresh := d.seen.Count() - before
	if fresh == 0 {
		return nil
	}
	d.first = append(d.first[:0], make(vec.Bitmap, vec.BitmapWords(fresh))...)
	d.rows, d.kept = d.rows[:0], d.kept[:0]
	for i, id := range ids {
		if n := int(id) - before; n >= 0 && !d.first.Get(n) {
			d.first.Set(n)
			d.rows, d.kept = append(d.rows, list[i]), append(d.kept, groups[i])
		}
	}
	if d.next != nil {
		return d.next.add(state, d.kept, args, d.rows, at)
	}
	return state.Update(d.kept, args, d.rows)
}

func (d *distinct) finish(state fn.Accumulator) error {
	if d.next != nil {
		return d.next.finish(state)
	}
	return nil
}

func (d *distinct) bytes() int64 {
	n := d.seen.Bytes()
	if d.next != nil {
		n += d.next.bytes()
	}
	return n
}

func (d *distinct) free() {
	d.seen.Free()
	if d.next != nil {
		d.next.free()
	}
}

// ordered holds all rows back and hands them over sorted within each group.
type ordered struct {
	keys    []plan.SortKey
	store   *rows.Store // group, sort key, arguments
	writer  *rows.Writer
	group   vec.Vector
	encoded vec.Vector
	scratch []byte
}

func (o *ordered) add(_ fn.Accumulator, groups []int32, args []*vec.Vector, list []int32, at func(int) *vec.Vector) error {
	groupColumn(&o.group, groups, list)
	o.encoded.Resize(types.Of(types.Bytea), o.group.Len)
	for _, r := range list {
		o.scratch = o.scratch[:0]
		for _, k := range o.keys {
			o.scratch = order.AppendKey(o.scratch, at(k.Column), int(r), k)
		}
		o.encoded.SetBytes(int(r), o.scratch)
	}
	return o.writer.Append(append([]*vec.Vector{&o.group, &o.encoded}, args...), list, nil)
}

func (o *ordered) finish(state fn.Accumulator) error {
	o.writer.Flush()
	var numbers []uint32
	for _, chunk := range o.store.Chunks() {
		for i := range chunk.Rows {
			numbers = append(numbers, chunk.First+i)
		}
	}
	buffers := o.store.Buffers()
	group := func(n uint32) int32 { return *(*int32)(o.store.Field(0, n)) }
	key := func(n uint32) []byte { return (*vec.View)(o.store.Field(1, n)).Bytes(buffers) }
	sort.SliceStable(numbers, func(a, b int) bool {
		x, y := numbers[a], numbers[b]
		if group(x) != group(y) {
			return group(x) < group(y)
		}
		return bytes.Compare(key(x), key(y)) < 0
	})
	args := vectors(len(o.store.Layout.Types) - 2)
	groups := make([]int32, 0, batchRows)
	for len(numbers) > 0 {
		n := min(len(numbers), batchRows)
		groups = groups[:0]
		for _, number := range numbers[:n] {
			groups = append(groups, group(number))
		}
		for a := range args {
			o.store.Gather(a+2, numbers[:n], args[a])
		}
		if err := state.Update(groups, args, nil); err != nil {
			return err
		}
		numbers = numbers[n:]
	}
	return nil
}

func (o *ordered) bytes() int64 { return o.store.Bytes() }
func (o *ordered) free()        { o.store.Free() }
