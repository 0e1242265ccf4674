package window

import (
	"bytes"

	"github.com/tarnlake/tarn/internal/plan"
	"github.com/tarnlake/tarn/internal/types"
	"github.com/tarnlake/tarn/internal/vec"
)

// peers tells for every row of a sorted partition where its group of equal rows begins and ends.
type peers struct {
	start, end []int32
	group      []int32 // number of the row's group
	first      []int32 // first row of each group, and the number of rows at the end
}

// find fills p for n rows; without keys all rows are peers.
func (p *peers) find(in []vec.Vector, order []plan.SortKey, n int) {
	p.start, p.end, p.group = sized(p.start, n), sized(p.end, n), sized(p.group, n)
	differs := make([]bool, n)
	for _, key := range order {
		MarkChanges(&in[key.Column], differs)
	}
	p.first = p.first[:0]
	for i := range n {
		if i == 0 || differs[i] {
			p.first = append(p.first, int32(i))
		}
		p.group[i] = int32(len(p.first) - 1)
	}
	p.first = append(p.first, int32(n))
	for i, g := range p.group {
		p.start[i], p.end[i] = p.first[g], p.first[g+1]
	}
}

func sized(s []int32, n int) []int32 {
	if cap(s) < n {
		return make([]int32, n)
	}
	return s[:n]
}

// MarkChanges sets differs[i] where row i's value is not the same as row i-1's. NULLs are the same.
func MarkChanges(v *vec.Vector, differs []bool) {
	switch v.Type.Physical() {
	case types.PhysBool:
		changes(v, differs, func(a, b uint8) bool { return a != b })
	case types.PhysInt16:
		changes(v, differs, func(a, b int16) bool { return a != b })
	case types.PhysInt32:
		changes(v, differs, func(a, b int32) bool { return a != b })
	case types.PhysInt64:
		changes(v, differs, func(a, b int64) bool { return a != b })
	case types.PhysInt128:
		changes(v, differs, func(a, b types.Int128) bool { return a != b })
	case types.PhysFloat32:
		changes(v, differs, func(a, b float32) bool { return a != b && (a == a || b == b) })
	case types.PhysFloat64:
		changes(v, differs, func(a, b float64) bool { return a != b && (a == a || b == b) })
	case types.PhysString:
		for i := 1; i < len(differs); i++ {
			if null := v.IsNull(i); null != v.IsNull(i-1) || !null && !bytes.Equal(v.Bytes(i), v.Bytes(i-1)) {
				differs[i] = true
			}
		}
	default:
		for i := 1; i < len(differs); i++ {
			if types.CompareDatums(v.Type, v.Datum(i-1), v.Datum(i)) != 0 {
				differs[i] = true
			}
		}
	}
}

func changes[T vec.Fixed](v *vec.Vector, differs []bool, unequal func(a, b T) bool) {
	values := vec.Values[T](v)
	for i := 1; i < len(differs); i++ {
		null := v.IsNull(i)
		if null != v.IsNull(i-1) || !null && unequal(values[i-1], values[i]) {
			differs[i] = true
		}
	}
}
