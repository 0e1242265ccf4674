package eval

import (
	"github.com/tarnlake/tarn/exec/kernel"
	"github.com/tarnlake/tarn/internal/expr"
	"github.com/tarnlake/tarn/internal/types"
	"github.com/tarnlake/tarn/internal/vec"
)

var boolean = types.Of(types.Bool)

// chooser compiles a condition into the rows on which it is want.
func (c *compiler) chooser(e expr.Expr, want bool) (chooser, error) {
	switch e := e.(type) {
	case *expr.Not:
		return c.chooser(e.Arg, !want)
	case *expr.And:
		return c.junction(e.Args, want, want)
	case *expr.Or:
		return c.junction(e.Args, !want, want)
	case *expr.Compare:
		return c.compare(e, want)
	case *expr.In:
		return c.in(e, want)
	case *expr.IsNull:
		arg, err := c.node(e.Arg)
		return &nullChooser{arg: arg, want: want}, err
	}
	of, err := c.node(e)
	return &truth{of: of, want: want}, err
}

// junction compiles args so that all (or, if not all, any) of them must be want.
func (c *compiler) junction(args []expr.Expr, all, want bool) (chooser, error) {
	if all {
		args = c.flatten(args, want)
	}
	list := make([]chooser, 0, len(args))
	old := c.conditional
	defer func() { c.conditional = old }()
	for i := 0; i < len(args); i++ {
		if all && want && i+1 < len(args) {
			if r := c.between(args[i], args[i+1]); r != nil {
				list = append(list, r)
				c.conditional = true
				i++
				continue
			}
		}
		one, err := c.chooser(args[i], want)
		if err != nil {
			return nil, err
		}
		list = append(list, one)
		c.conditional = true
	}
	if all {
		return &allOf{list: list}, nil
	}
	return &anyOf{list: list, scratch: make([][]int32, 3)}, nil
}

// flatten lifts nested conjunctions.
func (c *compiler) flatten(args []expr.Expr, want bool) []expr.Expr {
	var out []expr.Expr
	for _, a := range args {
		switch x := a.(type) {
		case *expr.And:
			if want {
				out = append(out, c.flatten(x.Args, want)...)
				continue
			}
		case *expr.Or:
			if !want {
				out = append(out, c.flatten(x.Args, want)...)
				continue
			}
		}
		out = append(out, a)
	}
	return out
}

// allOf narrows rows by one condition after the other.
type allOf struct{ list []chooser }

func (a *allOf) choose(f *frame, rows, dst []int32) ([]int32, error) {
	var err error
	for _, c := range a.list {
		if rows, err = c.choose(f, rows, dst); err != nil || len(rows) == 0 {
			return rows, err
		}
		dst = rows
	}
	return rows, nil
}

// anyOf asks each condition about the rows that none before it took.
type anyOf struct {
	list    []chooser
	scratch [][]int32
}

func (a *anyOf) choose(f *frame, rows, dst []int32) ([]int32, error) {
	taken, rest := a.scratch[0][:0], rows
	for i, c := range a.list {
		hits, err := c.choose(f, rest, kernel.Room(a.scratch[1], kernel.Count(rest, f.n)))
		if err != nil {
			return nil, err
		}
		a.scratch[1] = hits
		if len(hits) == 0 {
			continue
		}
		if i < len(a.list)-1 {
			rest = kernel.Subtract(a.scratch[2], rest, hits, f.n)
			a.scratch[2] = rest
		}
		merged := kernel.Union(nil, taken, hits)
		taken = merged
		if i < len(a.list)-1 && len(rest) == 0 {
			break
		}
	}
	dst = kernel.Room(dst, len(taken))
	return dst[:copy(dst, taken)], nil
}

// nullChooser lists rows that are NULL (want) or not.
type nullChooser struct {
	arg  node
	want bool
}

func (n *nullChooser) choose(f *frame, rows, dst []int32) ([]int32, error) {
	v, err := n.arg.eval(f, rows)
	if err != nil {
		return nil, err
	}
	return pickNull(dst, v, n.want, rows), nil
}

// pickNull lists the rows on which v is NULL (want) or not NULL.
func pickNull(dst []int32, v *vec.Vector, want bool, rows []int32) []int32 {
	if v.Enc == vec.Const || v.Type.Kind == types.Unknown || v.Valid == nil {
		if v.MayHaveNulls() && v.IsNull(0) != want || !v.MayHaveNulls() && want {
			return kernel.Room(dst, 0)
		}
		return copyRows(dst, rows, v.Len)
	}
	if want {
		return kernel.Invalid(dst, rows, v.Valid, v.Len)
	}
	return kernel.Valid(dst, rows, v.Valid, v.Len)
}

// copyRows writes rows (nil: all n) to dst's memory; the result is never nil.
func copyRows(dst, rows []int32, n int) []int32 {
	if rows == nil {
		return kernel.All(dst, n)
	}
	dst = kernel.Room(dst, len(rows))
	return dst[:copy(dst, rows)]
}

// isNullNode is IS NULL as a value.
type isNullNode struct {
	arg node
	out vec.Vector
	dst []int32
}

func (n *isNullNode) eval(f *frame, rows []int32) (*vec.Vector, error) {
	v, err := n.arg.eval(f, rows)
	if err != nil {
		return nil, err
	}
	if v.Enc == vec.Const {
		n.out.ResizeConst(boolean, f.n)
		n.out.SetDatum(0, types.BoolDatum(v.IsNull(0)))
		return &n.out, nil
	}
	n.dst = pickNull(n.dst, v, true, rows)
	flags(&n.out, f.n, n.dst)
	return &n.out, nil
}

// flags makes out a boolean vector that is true on the rows listed.
func flags(out *vec.Vector, n int, set []int32) {
	out.Resize(boolean, n)
	data := vec.Values[uint8](out)
	clear(data)
	for _, r := range set {
		data[r] = 1
	}
}

// notNode is NOT as a value.
type notNode struct {
	arg node
	out vec.Vector
}

func (n *notNode) eval(f *frame, rows []int32) (*vec.Vector, error) {
	v, err := n.arg.eval(f, rows)
	if err != nil {
		return nil, err
	}
	if v.Type.Kind == types.Unknown {
		n.out.ResizeConst(boolean, f.n)
		n.out.SetDatum(0, types.NullDatum())
		return &n.out, nil
	}
	if v.Enc == vec.Const {
		n.out.ResizeConst(boolean, f.n)
		d := v.Datum(0)
		d.I64 = 1 - d.I64
		n.out.SetDatum(0, d)
		return &n.out, nil
	}
	var flat vec.Vector
	kernel.Flatten(&flat, v, rows)
	n.out.Resize(boolean, f.n)
	kernel.Map(vec.Values[uint8](&n.out), vec.Values[uint8](&flat), func(x uint8) uint8 { return x ^ 1 })
	n.out.Valid = v.Valid
	return &n.out, nil
}

// logicNode is AND (or OR) as a value, under three-valued logic: a row leaves as soon as it is
// decided, so that later operands are not computed for it.
type logicNode struct {
	args    []node
	or      bool
	out     vec.Vector
	scratch [3][]int32
}

func (c *compiler) logic(args []expr.Expr, or bool) (node, error) {
	l := &logicNode{or: or}
	old := c.conditional
	defer func() { c.conditional = old }()
	for _, a := range args {
		n, err := c.node(a)
		if err != nil {
			return nil, err
		}
		l.args = append(l.args, n)
		c.conditional = true
	}
	return l, nil
}

func (l *logicNode) eval(f *frame, rows []int32) (*vec.Vector, error) {
	l.out.Resize(boolean, f.n)
	data := vec.Values[uint8](&l.out)
	neutral, decided := uint8(1), uint8(0)
	if l.or {
		neutral, decided = 0, 1
	}
	for i := range data {
		data[i] = neutral
	}
	open := copyRows(l.scratch[0], rows, f.n)
	l.scratch[0] = open
	for _, arg := range l.args {
		if len(open) == 0 {
			break
		}
		v, err := arg.eval(f, open)
		if err != nil {
			return nil, err
		}
		hits := kernel.PickTruth(l.scratch[1], v, l.or, open)
		l.scratch[1] = hits
		unknown := pickNull(l.scratch[2], v, true, open)
		l.scratch[2] = unknown
		kernel.SetNulls(&l.out, unknown)
		for _, r := range hits {
			data[r] = decided
		}
		if l.out.Valid != nil {
			for _, r := range hits {
				l.out.Valid.Set(int(r))
			}
		}
		open = kernel.Subtract(open, open, hits, f.n)
	}
	return &l.out, nil
}
