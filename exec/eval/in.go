package eval

import (
	"slices"

	"github.com/tarnlake/tarn/exec/kernel"
	"github.com/tarnlake/tarn/internal/expr"
	"github.com/tarnlake/tarn/internal/types"
	"github.com/tarnlake/tarn/internal/vec"
)

// in compiles arg [NOT] IN (list): constants go to a set, everything else becomes comparisons.
func (c *compiler) in(e *expr.In, want bool) (chooser, error) {
	set := newConstantSet(e.Arg.Type())
	var rest []expr.Expr
	for _, item := range e.List {
		if l, ok := item.(*expr.Literal); ok {
			set.add(l.Value)
		} else {
			rest = append(rest, &expr.Compare{Op: expr.Equal, Left: e.Arg, Right: item})
		}
	}
	arg, err := c.node(e.Arg)
	if err != nil {
		return nil, err
	}
	member := &membership{arg: arg, set: set, want: want}
	if len(rest) == 0 {
		return member, nil
	}
	list := []chooser{member}
	old := c.conditional
	defer func() { c.conditional = old }()
	for _, r := range rest {
		c.conditional = true
		one, err := c.chooser(r, want)
		if err != nil {
			return nil, err
		}
		list = append(list, one)
	}
	if want {
		return &anyOf{list: list, scratch: make([][]int32, 3)}, nil
	}
	return &allOf{list: list}, nil
}

// membership lists the rows whose value is (want) or is not in a set of constants.
type membership struct {
	arg   node
	set   *constantSet
	want  bool
	table truthTable
	flat  vec.Vector
}

func (m *membership) choose(f *frame, rows, dst []int32) ([]int32, error) {
	v, err := m.arg.eval(f, rows)
	if err != nil {
		return nil, err
	}
	if m.set.empty() && !m.set.null && !m.want { // NOT IN of no constants
		return copyRows(dst, rows, f.n), nil
	}
	if !m.want && m.set.null || v.Type.Kind == types.Unknown {
		return kernel.Room(dst, 0), nil
	}
	switch v.Enc {
	case vec.Const:
		if v.IsNull(0) || m.set.has(v.Datum(0)) != m.want {
			return kernel.Room(dst, 0), nil
		}
		return copyRows(dst, rows, f.n), nil
	case vec.Dict:
		if flags, ok := m.table.lookup(v.Dict, expr.Equal, types.Datum{}, kernel.Count(rows, f.n), func(dst []int32) []int32 {
			return m.set.pick(dst, v.Dict, m.want, nil)
		}); ok {
			return kernel.PickCodes(dst, v.Codes(), flags, 1, v.Valid, rows), nil
		}
		kernel.Flatten(&m.flat, v, kernel.Valid(nil, rows, v.Valid, f.n))
		v = &m.flat
	}
	if v.Valid != nil {
		rows = kernel.Valid(dst, rows, v.Valid, f.n)
		dst = rows
	}
	return m.set.pick(dst, v, m.want, rows), nil
}

// constantSet answers membership for constants of one type.
type constantSet struct {
	t       types.Type
	null    bool
	integer map[int64]struct{}
	sorted  []int64 // the same, when few
	text    map[string]struct{}
	other   []types.Datum
	// dense marks integers low … low+len-1, when the span is small.
	low   int64
	dense []uint8
}

const (
	fewConstants  = 6
	maxDenseRange = 1 << 16
)

func newConstantSet(t types.Type) *constantSet {
	return &constantSet{t: t, integer: map[int64]struct{}{}, text: map[string]struct{}{}}
}

func (s *constantSet) empty() bool { return len(s.integer)+len(s.text)+len(s.other) == 0 }

func (s *constantSet) add(d types.Datum) {
	if d.Null {
		s.null = true
		return
	}
	switch s.t.Physical() {
	case types.PhysBool, types.PhysInt16, types.PhysInt32, types.PhysInt64:
		if _, known := s.integer[d.I64]; !known {
			s.integer[d.I64] = struct{}{}
			s.sorted = append(s.sorted, d.I64)
			s.dense = nil
		}
	case types.PhysString:
		s.text[d.Str] = struct{}{}
	default:
		s.other = append(s.other, d)
	}
}

// spread prepares the dense table when the integers lie close together.
func (s *constantSet) spread() {
	if s.dense != nil || len(s.sorted) <= fewConstants {
		return
	}
	low, high := slices.Min(s.sorted), slices.Max(s.sorted)
	if width := uint64(high) - uint64(low); width < maxDenseRange {
		s.low, s.dense = low, make([]uint8, width+1)
		for _, v := range s.sorted {
			s.dense[v-low] = 1
		}
	}
}

func (s *constantSet) has(d types.Datum) bool {
	switch s.t.Physical() {
	case types.PhysBool, types.PhysInt16, types.PhysInt32, types.PhysInt64:
		_, found := s.integer[d.I64]
		return found
	case types.PhysString:
		_, found := s.text[d.Str]
		return found
	}
	for _, x := range s.other {
		if types.CompareDatums(s.t, x, d) == 0 {
			return true
		}
	}
	return false
}

// pick lists the rows of a flat vector, none of them NULL, whose membership is want.
func (s *constantSet) pick(dst []int32, v *vec.Vector, want bool, rows []int32) []int32 {
	dst = kernel.Room(dst, kernel.Count(rows, v.Len))
	switch v.Type.Physical() {
	case types.PhysBool:
		return pickIntegers(dst, s, vec.Values[uint8](v)[:v.Len], want, rows)
	case types.PhysInt16:
		return pickIntegers(dst, s, vec.Values[int16](v)[:v.Len], want, rows)
	case types.PhysInt32:
		return pickIntegers(dst, s, vec.Values[int32](v)[:v.Len], want, rows)
	case types.PhysInt64:
		return pickIntegers(dst, s, vec.Values[int64](v)[:v.Len], want, rows)
	case types.PhysString:
		return s.pickText(dst, v, want, rows)
	}
	n := 0
	for k := range kernel.Count(rows, v.Len) {
		r := rowAt(rows, k)
		dst[n] = int32(r)
		if s.has(v.Datum(r)) == want {
			n++
		}
	}
	return dst[:n]
}

func rowAt(rows []int32, k int) int {
	if rows == nil {
		return k
	}
	return int(rows[k])
}

func (s *constantSet) pickText(dst []int32, v *vec.Vector, want bool, rows []int32) []int32 {
	views := vec.Values[vec.View](v)
	n := 0
	for k := range kernel.Count(rows, v.Len) {
		r := rowAt(rows, k)
		dst[n] = int32(r)
		if _, found := s.text[views[r].String(v.Buffers)]; found == want {
			n++
		}
	}
	return dst[:n]
}

func pickIntegers[T uint8 | int16 | int32 | int64](dst []int32, s *constantSet, a []T, want bool, rows []int32) []int32 {
	s.spread()
	n := 0
	switch {
	case len(s.sorted) <= fewConstants:
		for k := range kernel.Count(rows, len(a)) {
			r := rowAt(rows, k)
			x, found := int64(a[r]), false
			for _, c := range s.sorted {
				found = found || x == c
			}
			dst[n] = int32(r)
			if found == want {
				n++
			}
		}
	case s.dense != nil:
		for k := range kernel.Count(rows, len(a)) {
			r := rowAt(rows, k)
			at := uint64(int64(a[r]) - s.low)
			dst[n] = int32(r)
			if (at < uint64(len(s.dense)) && s.dense[at] != 0) == want {
				n++
			}
		}
	default:
		for k := range kernel.Count(rows, len(a)) {
			r := rowAt(rows, k)
			_, found := s.integer[int64(a[r])]
			dst[n] = int32(r)
			if found == want {
				n++
			}
		}
	}
	return dst[:n]
}
