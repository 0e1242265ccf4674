package eval

import (
	"math"

	"github.com/tarnlake/tarn/exec/kernel"
	"github.com/tarnlake/tarn/internal/expr"
	"github.com/tarnlake/tarn/internal/types"
	"github.com/tarnlake/tarn/internal/vec"
)

// comparison is left op right as a condition: rows on which it is true.
type comparison struct {
	op          expr.Operator
	left, right node
	table       truthTable
	flat        [2]vec.Vector
	scratch     [2][]int32
}

// compare compiles a comparison; on rows where want is false the negated operator must hold, which
// leaves out NULLs just as well.
func (c *compiler) compare(e *expr.Compare, want bool) (chooser, error) {
	op := e.Op
	if !want {
		op = op.Negate()
	}
	left, err := c.node(e.Left)
	if err != nil {
		return nil, err
	}
	right, err := c.node(e.Right)
	if err != nil {
		return nil, err
	}
	if _, ok := constantOf(left); ok {
		left, right, op = right, left, op.Inverse()
	}
	return &comparison{op: op, left: left, right: right}, nil
}

func (c *comparison) choose(f *frame, rows, dst []int32) ([]int32, error) {
	left, err := c.left.eval(f, rows)
	if err != nil {
		return nil, err
	}
	right, err := c.right.eval(f, rows)
	if err != nil {
		return nil, err
	}
	op := c.op
	if left.Enc == vec.Const && right.Enc != vec.Const {
		left, right, op = right, left, op.Inverse()
	}
	if op == expr.Distinct || op == expr.NotDistinct {
		return c.distinct(f, op, left, right, rows, dst), nil
	}
	return c.plain(f, op, left, right, rows, dst), nil
}

// plain lists the rows on which neither side is NULL and op holds.
func (c *comparison) plain(f *frame, op expr.Operator, left, right *vec.Vector, rows, dst []int32) []int32 {
	if right.Enc != vec.Const {
		return c.columns(f, op, left, right, rows, dst)
	}
	if right.IsNull(0) || left.Type.Kind == types.Unknown {
		return kernel.Room(dst, 0)
	}
	constant, ok := constantOf(c.right)
	if !ok {
		constant = right.Datum(0)
	}
	switch left.Enc {
	case vec.Const:
		if left.IsNull(0) || !kernel.Holds(op, types.CompareDatums(left.Type, left.Datum(0), constant)) {
			return kernel.Room(dst, 0)
		}
		return copyRows(dst, rows, f.n)
	case vec.Dict:
		if flags, ok := c.table.lookup(left.Dict, op, constant, kernel.Count(rows, f.n), func(dst []int32) []int32 {
			return kernel.PickConst(dst, op, left.Dict, constant, nil)
		}); ok {
			return kernel.PickCodes(dst, left.Codes(), flags, 1, left.Valid, rows)
		}
		kernel.Flatten(&c.flat[0], left, kernel.Valid(nil, rows, left.Valid, f.n))
		left = &c.flat[0]
	}
	return pickConstValid(dst, op, left, constant, rows)
}

// pickConstValid compares a flat vector with a constant and leaves out its NULLs: afterwards where
// every lane may be looked at, before where it may not.
func pickConstValid(dst []int32, op expr.Operator, v *vec.Vector, constant types.Datum, rows []int32) []int32 {
	switch v.Type.Physical() {
	case types.PhysString, types.PhysList, types.PhysRow:
		if v.Valid != nil {
			rows = kernel.Valid(dst, rows, v.Valid, v.Len)
			dst = rows
		}
		return kernel.PickConst(dst, op, v, constant, rows)
	}
	picked := kernel.PickConst(dst, op, v, constant, rows)
	return kernel.Valid(picked, picked, v.Valid, v.Len)
}

func (c *comparison) columns(f *frame, op expr.Operator, left, right *vec.Vector, rows, dst []int32) []int32 {
	if left.Type.Kind == types.Unknown || right.Type.Kind == types.Unknown {
		return kernel.Room(dst, 0)
	}
	if left.Valid != nil || right.Valid != nil {
		rows = kernel.Valid(c.scratch[0], rows, left.Valid, f.n)
		if left.Valid != nil {
			c.scratch[0] = rows
		}
		if right.Valid != nil {
			rows = kernel.Valid(c.scratch[1], rows, right.Valid, f.n)
			c.scratch[1] = rows
		}
	}
	if left.Enc != vec.Flat {
		kernel.Flatten(&c.flat[0], left, rows)
		left = &c.flat[0]
	}
	if right.Enc != vec.Flat {
		kernel.Flatten(&c.flat[1], right, rows)
		right = &c.flat[1]
	}
	return kernel.PickColumns(dst, op, left, right, rows)
}

// distinct is IS [NOT] DISTINCT FROM: NULL is a value.
func (c *comparison) distinct(f *frame, op expr.Operator, left, right *vec.Vector, rows, dst []int32) []int32 {
	equal := c.plain(f, expr.Equal, left, right, rows, nil)
	leftNull := pickNull(nil, left, true, rows)
	bothNull := pickNull(nil, right, true, leftNull)
	same := kernel.Union(nil, equal, bothNull)
	if op == expr.NotDistinct {
		dst = kernel.Room(dst, len(same))
		return dst[:copy(dst, same)]
	}
	return kernel.Subtract(dst, rows, same, f.n)
}

// truthTable remembers for the entries of a dictionary whether a condition holds.
type truthTable struct {
	dict     *vec.Vector
	op       expr.Operator
	constant types.Datum
	flags    []uint8
	rows     []int32
	seen     int
	ready    bool
}

// lookup gives the flags for dict's entries; ok is false as long as the dictionary is too big for the
// rows that it served. The condition must not be able to fail.
func (t *truthTable) lookup(dict *vec.Vector, op expr.Operator, constant types.Datum, rows int, pick func([]int32) []int32) (flags []uint8, ok bool) {
	if t.dict != dict || t.op != op || !expr.SameDatum(t.constant, constant) {
		t.dict, t.op, t.constant, t.seen, t.ready = dict, op, constant, 0, false
	}
	if t.ready {
		return t.flags, true
	}
	t.seen += rows
	if !worthwhile(dict, t.seen) {
		return nil, false
	}
	t.rows = pick(t.rows)
	if cap(t.flags) < dict.Len {
		t.flags = make([]uint8, dict.Len)
	}
	t.flags = t.flags[:dict.Len]
	clear(t.flags)
	for _, r := range t.rows {
		t.flags[r] = 1
	}
	t.ready = true
	return t.flags, true
}

// worthwhile tells whether to evaluate all entries of a dictionary that served so many rows.
func worthwhile(dict *vec.Vector, rows int) bool { return dict.Len <= 4096 || rows >= dict.Len }

// condition makes a value of a comparison or an IN list: true on the rows chosen for true, false on
// those chosen for false, NULL elsewhere.
func (c *compiler) condition(e expr.Expr) (node, error) {
	yes, err := c.chooser(e, true)
	if err != nil {
		return nil, err
	}
	old := c.conditional
	c.conditional = true
	no, err := c.chooser(e, false)
	c.conditional = old
	return &conditionNode{yes: yes, no: no}, err
}

type conditionNode struct {
	yes, no chooser
	out     vec.Vector
	scratch [3][]int32
}

func (n *conditionNode) eval(f *frame, rows []int32) (*vec.Vector, error) {
	all := kernel.Count(rows, f.n)
	yes, err := n.yes.choose(f, rows, kernel.Room(n.scratch[0], all))
	if err != nil {
		return nil, err
	}
	n.scratch[0] = yes
	flags(&n.out, f.n, yes)
	if len(yes) == all {
		return &n.out, nil
	}
	rest := kernel.Subtract(n.scratch[1], rows, yes, f.n)
	n.scratch[1] = rest
	no, err := n.no.choose(f, rest, kernel.Room(n.scratch[2], len(rest)))
	if err != nil {
		return nil, err
	}
	n.scratch[2] = no
	if len(no) < len(rest) {
		kernel.SetNulls(&n.out, kernel.Subtract(rest, rest, no, f.n))
	}
	return &n.out, nil
}

// span is low ≤ column ≤ high in one pass.
type span struct {
	arg       node
	low, high types.Datum
	table     truthTable
	flat      vec.Vector
}

// between recognises two conjuncts that bound one column by constants from both sides.
func (c *compiler) between(a, b expr.Expr) chooser {
	x, ok1 := a.(*expr.Compare)
	y, ok2 := b.(*expr.Compare)
	if !ok1 || !ok2 {
		return nil
	}
	column, ok := x.Left.(*expr.Column)
	if !ok || !expr.Same(x.Left, y.Left) {
		return nil
	}
	low, okLow := boundOf(x, expr.Greater, expr.GreaterEqual)
	high, okHigh := boundOf(y, expr.Less, expr.LessEqual)
	if !okLow || !okHigh {
		low, okLow = boundOf(y, expr.Greater, expr.GreaterEqual)
		high, okHigh = boundOf(x, expr.Less, expr.LessEqual)
	}
	if !okLow || !okHigh {
		return nil
	}
	arg, err := c.node(column)
	if err != nil {
		return nil
	}
	return &span{arg: arg, low: low, high: high}
}

// boundOf gives the inclusive bound that column op literal sets, where it can be one.
func boundOf(e *expr.Compare, strict, inclusive expr.Operator) (types.Datum, bool) {
	literal, ok := e.Right.(*expr.Literal)
	if !ok || literal.Value.Null || e.Op != strict && e.Op != inclusive {
		return types.Datum{}, false
	}
	d := literal.Value
	switch e.Left.Type().Physical() {
	case types.PhysInt16, types.PhysInt32, types.PhysInt64:
		if e.Op == strict {
			step := int64(1)
			if strict == expr.Less {
				step = -1
			}
			d.I64 += step
			limit := int64(math.MaxInt64)
			switch e.Left.Type().Physical() {
			case types.PhysInt16:
				limit = math.MaxInt16
			case types.PhysInt32:
				limit = math.MaxInt32
			}
			if literal.Value.I64 == limit && step > 0 || literal.Value.I64 == -limit-1 && step < 0 {
				return d, false
			}
		}
		return d, true
	case types.PhysFloat64:
		return d, e.Op == inclusive && !math.IsNaN(d.F64)
	}
	return d, false
}

func (s *span) choose(f *frame, rows, dst []int32) ([]int32, error) {
	v, err := s.arg.eval(f, rows)
	if err != nil {
		return nil, err
	}
	switch v.Enc {
	case vec.Const:
		if v.IsNull(0) || types.CompareDatums(v.Type, v.Datum(0), s.low) < 0 || types.CompareDatums(v.Type, v.Datum(0), s.high) > 0 {
			return kernel.Room(dst, 0), nil
		}
		return copyRows(dst, rows, f.n), nil
	case vec.Dict:
		if flags, ok := s.table.lookup(v.Dict, expr.Equal, s.low, kernel.Count(rows, f.n), func(dst []int32) []int32 {
			picked, _ := kernel.PickRange(dst, v.Dict, s.low, s.high, nil)
			return picked
		}); ok {
			return kernel.PickCodes(dst, v.Codes(), flags, 1, v.Valid, rows), nil
		}
		kernel.Flatten(&s.flat, v, kernel.Valid(nil, rows, v.Valid, f.n))
		v = &s.flat
	}
	picked, _ := kernel.PickRange(dst, v, s.low, s.high, rows)
	return kernel.Valid(picked, picked, v.Valid, f.n), nil
}
