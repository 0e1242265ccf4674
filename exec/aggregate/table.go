package aggregate

import (
	"github.com/tarnlake/tarn/exec/rows"
	"github.com/tarnlake/tarn/internal/fn"
	"github.com/tarnlake/tarn/internal/memory"
	"github.com/tarnlake/tarn/internal/types"
	"github.com/tarnlake/tarn/internal/vec"
)

// grouper numbers distinct keys 0, 1, 2 … It is used by one goroutine at a time.
type grouper interface {
	// Find puts the group of each listed row of the key columns into groups, adding new keys.
	Find(keys []*vec.Vector, list []int32, groups []int32) error
	Count() int
	// Keys writes the keys of groups from … from+n-1 into out.
	Keys(from, n int, out []*vec.Vector)
	Bytes() int64
	// Reset forgets all groups, keeping memory.
	Reset()
	Free()
}

// table aggregates: groups and their states. It is used by one goroutine at a time.
type table struct {
	spec     *spec
	pool     *memory.Pool
	operator string
	groups   grouper
	states   []fn.Accumulator
	extras   []extra // per call: DISTINCT and ORDER BY, nil entries for neither
	reserved int64   // for the states
	skip     int     // bits of the keys' hashes that are the same

	ids    []int32
	keys   []*vec.Vector
	args   []*vec.Vector
	subset []int32
	subids []int32
}

func newTable(s *spec, skip int, pool *memory.Pool, operator string) (*table, error) {
	t := &table{spec: s, pool: pool, operator: operator, skip: skip, keys: make([]*vec.Vector, len(s.keys))}
	var err error
	if t.states, err = s.accumulators(); err != nil {
		return nil, err
	}
	if len(s.keys) == 0 {
		t.groups = single{}
		for _, state := range t.states {
			state.Resize(1)
		}
	} else if t.groups, err = newGrouper(s.keyTypes, skip, pool, operator); err != nil {
		return nil, err
	}
	if s.raw {
		t.extras = make([]extra, len(s.calls))
		for i := range s.calls {
			if t.extras[i], err = newExtra(s, i, pool, operator); err != nil {
				return nil, err
			}
		}
	}
	return t, nil
}

// single is the grouper of an aggregation without keys: one group, which is there from the start.
type single struct{}

func (single) Find(_ []*vec.Vector, list []int32, groups []int32) error {
	clear(groups[:len(list)])
	return nil
}
func (single) Count() int                   { return 1 }
func (single) Keys(int, int, []*vec.Vector) {}
func (single) Bytes() int64                 { return 0 }
func (single) Reset()                       {}
func (single) Free()                        {}

// find numbers the groups of the listed rows and makes room for the new ones.
func (t *table) find(keys []*vec.Vector, list []int32) ([]int32, error) {
	if cap(t.ids) < len(list) {
		t.ids = make([]int32, len(list))
	}
	ids := t.ids[:len(list)]
	before := t.groups.Count()
	if err := t.groups.Find(keys, list, ids); err != nil {
		return nil, err
	}
	if n := t.groups.Count(); n > before {
		for _, state := range t.states {
			state.Resize(n)
		}
	}
	return ids, nil
}

// update adds input rows; at(c) is the vector of input column c. all tells that the list is all rows.
func (t *table) update(cols []vec.Vector, position []int, list []int32, all bool) error {
	at := func(c int) *vec.Vector {
		if position != nil {
			c = position[c]
		}
		return &cols[c]
	}
	for i, k := range t.spec.keys {
		t.keys[i] = at(k)
	}
	ids, err := t.find(t.keys, list)
	if err != nil {
		return err
	}
	for i := range t.spec.calls {
		c := &t.spec.calls[i]
		t.args = t.args[:0]
		for _, a := range c.Args {
			t.args = append(t.args, at(a))
		}
		rows, groups := list, ids
		if c.Filter >= 0 {
			rows, groups = t.filter(at(c.Filter), list, ids)
		}
		if len(rows) == 0 {
			continue
		}
		if t.extras != nil && t.extras[i] != nil {
			err = t.extras[i].add(t.states[i], groups, t.args, rows, at)
		} else if all && c.Filter < 0 {
			err = t.states[i].Update(groups, t.args, nil)
		} else {
			err = t.states[i].Update(groups, t.args, rows)
		}
		if err != nil {
			return err
		}
	}
	return t.account()
}

// filter keeps the rows for which the boolean column is true.
func (t *table) filter(v *vec.Vector, list, ids []int32) (rows, groups []int32) {
	t.subset, t.subids = t.subset[:0], t.subids[:0]
	flat, index, constant := v.Base()
	values := vec.Values[uint8](flat)
	for i, r := range list {
		at := r
		switch {
		case constant:
			at = 0
		case index != nil:
			at = index[r]
		}
		if !v.IsNull(int(r)) && values[at] != 0 {
			t.subset, t.subids = append(t.subset, r), append(t.subids, ids[i])
		}
	}
	return t.subset, t.subids
}

// merge adds partial states: keys, then the partial columns of every call.
func (t *table) merge(keys, partial []*vec.Vector, list []int32, all bool) error {
	ids, err := t.find(keys, list)
	if err != nil {
		return err
	}
	rows := list
	if all {
		rows = nil
	}
	for i := range t.spec.calls {
		n := len(t.spec.calls[i].partial)
		if err := t.states[i].Merge(ids, partial[:n], rows); err != nil {
			return err
		}
		partial = partial[n:]
	}
	return t.account()
}

// account reserves what the states have grown by.
func (t *table) account() error {
	bytes := int64(0)
	for _, state := range t.states {
		bytes += state.Bytes()
	}
	if bytes > t.reserved {
		if err := t.pool.Reserve(bytes-t.reserved, t.operator); err != nil {
			return err
		}
	} else {
		t.pool.Release(t.reserved - bytes)
	}
	t.reserved = bytes
	return nil
}

// bytes is the memory held.
func (t *table) bytes() int64 {
	n := t.groups.Bytes() + t.reserved
	for _, e := range t.extras {
		if e != nil {
			n += e.bytes()
		}
	}
	return n
}

// finish makes the states complete before they are read.
func (t *table) finish() error {
	for i, e := range t.extras {
		if e != nil {
			if err := e.finish(t.states[i]); err != nil {
				return err
			}
		}
	}
	return nil
}

// state writes keys and partial columns of groups from … from+n-1.
func (t *table) state(from, n int, out []*vec.Vector) error {
	k := len(t.spec.keys)
	t.groups.Keys(from, n, out[:k])
	out = out[k:]
	for i, state := range t.states {
		width := len(t.spec.calls[i].partial)
		if err := state.Partial(from, n, out[:width]); err != nil {
			return err
		}
		out = out[width:]
	}
	return nil
}

// result writes the node's output for groups from … from+n-1.
func (t *table) result(from, n int, out *vec.Batch) error {
	k := len(t.spec.keys)
	out.Len, out.Sel = n, nil
	width := k + len(t.spec.calls)
	if t.spec.phase.GivesStates() {
		width = k + len(t.spec.partial)
	}
	if out.Cols == nil {
		out.Cols = make([]vec.Vector, width)
	}
	cols := make([]*vec.Vector, width)
	for i := range cols {
		cols[i] = &out.Cols[i]
	}
	if t.spec.phase.GivesStates() {
		return t.state(from, n, cols)
	}
	t.groups.Keys(from, n, cols[:k])
	for i, state := range t.states {
		if err := state.Final(from, n, cols[k+i]); err != nil {
			return err
		}
	}
	return nil
}

// free gives all memory back.
func (t *table) free() {
	if t == nil {
		return
	}
	t.groups.Free()
	for _, e := range t.extras {
		if e != nil {
			e.free()
		}
	}
	t.pool.Release(t.reserved)
	t.reserved, t.states = 0, nil
}

// newGrouper chooses the grouper for keys of the given types.
func newGrouper(keys []types.Type, skip int, pool *memory.Pool, operator string) (grouper, error) {
	if len(keys) == 1 {
		switch keys[0].Physical() {
		case types.PhysBool, types.PhysInt16, types.PhysInt32, types.PhysInt64:
			return rows.NewIntGroups(keys[0], skip, pool, operator)
		}
	}
	return rows.NewGroups(keys, skip, pool, operator)
}
