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
	groups  []group
	scratch []byte
}

// group is the rows of a batch that belong to one partition; nil rows are all.
type group struct {
	number int
	rows   []int32
}

func newRouter(handle *connectors.FileTable) router {
	r := router{types: handle.PartitionTypes(), ordinal: handle.Partition, numbers: map[string]int{}}
	for _, ordinal := range handle.Partition {
		r.names = append(r.names, handle.Columns[ordinal].StorageName)
	}
	return r
}

// route groups the batch's selected rows. The groups are valid until the next call.
func (r *router) route(b *vec.Batch) ([]group, error) {
	r.groups = r.groups[:0]
	if len(r.ordinal) == 0 {
		if len(r.values) == 0 {
			r.values = append(r.values, nil)
		}
		return append(r.groups, group{0, b.Sel}), nil
	}
	constant := true
	for _, ordinal := range r.ordinal {
		constant = constant && b.Cols[ordinal].Enc == vec.Const
	}
	if constant {
		r.groups = append(r.groups, group{r.number(b, 0), b.Sel})
		return r.groups, nil
	}
	at := map[int]int{} // group by number
	last := -1
	var previous int
	for i := range b.Rows() {
		row := i
		if b.Sel != nil {
			row = int(b.Sel[i])
		}
		if last < 0 || !r.sameAs(b, previous, row) {
			number := r.number(b, row)
			known, ok := at[number]
			if !ok {
				known = len(r.groups)
				at[number] = known
				r.groups = append(r.groups, group{number: number})
			}
			last = known
		}
		previous = row
		r.groups[last].rows = append(r.groups[last].rows, int32(row))
	}
	return r.groups, nil
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
