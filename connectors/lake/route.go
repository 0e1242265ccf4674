package lake

import (
	"github.com/tarnlake/tarn/connectors"
	"github.com/tarnlake/tarn/internal/types"
	"github.com/tarnlake/tarn/internal/vec"
)

// router tells which partition each row belongs to, numbering partitions as they appear.
type router struct {
	names   []string
	types   []types.Type
	ordinal []int
	numbers map[string]int
	values  [][]types.Datum // by number
	scratch []byte

	// Numbers of a lone column's values near the first one, less than none: number+1, 0 is not known.
	near     []int32
	nearBase int64
	// Numbers of a lone column's dictionary: the same.
	codes     []int32
	codesFrom uint64
}

// nearValues is how many values of a lone partition column are looked up in a table.
const nearValues = 1 << 16

func newRouter(handle *connectors.FileTable) router {
	r := router{types: handle.PartitionTypes(), ordinal: handle.Partition, numbers: map[string]int{}}
	for _, ordinal := range handle.Partition {
		r.names = append(r.names, handle.Columns[ordinal].StorageName)
	}
	if len(r.ordinal) == 0 {
		r.values = append(r.values, nil)
	}
	return r
}

// known is the number of partitions so far.
func (r *router) known() int { return len(r.values) }

// single gives the number of the partition that all rows of a non-empty batch belong to, if that is easily seen.
func (r *router) single(b *vec.Batch) (number int, ok bool) {
	for _, ordinal := range r.ordinal {
		if b.Cols[ordinal].Enc != vec.Const {
			return 0, false
		}
	}
	if len(r.ordinal) == 0 {
		return 0, true
	}
	return r.number(b, 0), true
}

// route appends the number of each selected row's partition.
func (r *router) route(to []int32, b *vec.Batch) []int32 {
	if number, ok := r.single(b); ok {
		for range b.Rows() {
			to = append(to, int32(number))
		}
		return to
	}
	if len(r.ordinal) == 1 {
		v := &b.Cols[r.ordinal[0]]
		switch physical := v.Type.Physical(); {
		case v.Enc == vec.Dict && v.Valid == nil && v.DictID != 0:
			return r.routeCodes(to, b, v)
		case v.Enc == vec.Flat && v.Valid == nil && physical == types.PhysInt32:
			return routeNear(r, to, b, vec.Values[int32](v))
		case v.Enc == vec.Flat && v.Valid == nil && physical == types.PhysInt64:
			return routeNear(r, to, b, vec.Values[int64](v))
		}
	}
	previous, last := -1, int32(0)
	for i := range b.Rows() {
		row := rowAt(b, i)
		if previous < 0 || !r.sameAs(b, previous, row) {
			last = int32(r.number(b, row))
		}
		previous = row
		to = append(to, last)
	}
	return to
}

func rowAt(b *vec.Batch, i int) int {
	if b.Sel != nil {
		return int(b.Sel[i])
	}
	return i
}

// routeNear routes by a column of integers.
func routeNear[T int32 | int64](r *router, to []int32, b *vec.Batch, values []T) []int32 {
	if r.near == nil {
		r.near, r.nearBase = make([]int32, nearValues), int64(values[rowAt(b, 0)])-nearValues/2
	}
	for i := range b.Rows() {
		row := i
		if b.Sel != nil {
			row = int(b.Sel[i])
		}
		at := uint64(int64(values[row]) - r.nearBase)
		if at >= nearValues {
			to = append(to, int32(r.number(b, row)))
			continue
		}
		if r.near[at] == 0 {
			r.near[at] = int32(r.number(b, row)) + 1
		}
		to = append(to, r.near[at]-1)
	}
	return to
}

// routeCodes routes by a column of a dictionary.
func (r *router) routeCodes(to []int32, b *vec.Batch, v *vec.Vector) []int32 {
	if r.codesFrom != v.DictID || len(r.codes) != v.Dict.Len {
		r.codes, r.codesFrom = make([]int32, v.Dict.Len), v.DictID
	}
	codes := v.Codes()
	for i := range b.Rows() {
		row := rowAt(b, i)
		code := codes[row]
		if r.codes[code] == 0 {
			r.codes[code] = int32(r.number(b, row)) + 1
		}
		to = append(to, r.codes[code]-1)
	}
	return to
}

// sameAs tells that two rows have the same partition values for sure.
func (r *router) sameAs(b *vec.Batch, a, c int) bool {
	for _, ordinal := range r.ordinal {
		v := &b.Cols[ordinal]
		if v.Enc == vec.Const {
			continue
		}
		if v.IsNull(a) != v.IsNull(c) {
			return false
		}
		width := v.Type.Physical().Width()
		if v.Enc == vec.Dict {
			width = 4
		} else if v.Type.Physical() == types.PhysString {
			if string(v.Bytes(a)) != string(v.Bytes(c)) {
				return false
			}
			continue
		}
		if string(v.Data[a*width:(a+1)*width]) != string(v.Data[c*width:(c+1)*width]) {
			return false
		}
	}
	return true
}

// number finds or makes the number of a row's partition.
func (r *router) number(b *vec.Batch, row int) int {
	r.scratch = r.scratch[:0]
	for _, ordinal := range r.ordinal {
		v := &b.Cols[ordinal]
		if v.IsNull(row) {
			r.scratch = append(r.scratch, 0)
			continue
		}
		r.scratch = append(r.scratch, 1)
		base, at := v, row
		switch v.Enc {
		case vec.Const:
			at = 0
		case vec.Dict:
			base, at = v.Dict, int(vec.Values[int32](v)[row])
		}
		if width := base.Type.Physical().Width(); base.Type.Physical() != types.PhysString {
			r.scratch = append(r.scratch, base.Data[at*width:(at+1)*width]...)
			continue
		}
		s := base.Bytes(at)
		r.scratch = append(r.scratch, byte(len(s)), byte(len(s)>>8), byte(len(s)>>16), byte(len(s)>>24))
		r.scratch = append(r.scratch, s...)
	}
	if number, ok := r.numbers[string(r.scratch)]; ok {
		return number
	}
	values := make([]types.Datum, len(r.ordinal))
	for i, ordinal := range r.ordinal {
		values[i] = b.Cols[ordinal].Datum(row)
	}
	number := len(r.values)
	r.values = append(r.values, values)
	r.numbers[string(r.scratch)] = number
	return number
}
