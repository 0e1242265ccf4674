package eval

import (
	"errors"

	"github.com/tarnlake/tarn/exec/kernel"
	"github.com/tarnlake/tarn/internal/expr"
	"github.com/tarnlake/tarn/internal/sqlerr"
	"github.com/tarnlake/tarn/internal/types"
	"github.com/tarnlake/tarn/internal/vec"
)

// caseNode gives each row the result of the first arm whose condition is true.
type caseNode struct {
	conditions []chooser
	results    []node
	otherwise  node // nil: NULL
	t          types.Type
	out        vec.Vector
	scratch    [2][]int32
}

func (c *compiler) caseNode(e *expr.Case) (node, error) {
	n := &caseNode{t: e.T}
	old := c.conditional
	defer func() { c.conditional = old }()
	for _, w := range e.Whens {
		condition, err := c.chooser(w.Condition, true)
		if err != nil {
			return nil, err
		}
		c.conditional = true
		result, err := c.node(w.Result)
		if err != nil {
			return nil, err
		}
		n.conditions, n.results = append(n.conditions, condition), append(n.results, result)
	}
	if e.Else == nil {
		return n, nil
	}
	c.conditional = true
	otherwise, err := c.node(e.Else)
	n.otherwise = otherwise
	return n, err
}

func (n *caseNode) eval(f *frame, rows []int32) (*vec.Vector, error) {
	n.out.Resize(n.t, f.n)
	if n.t.Physical() == types.PhysList || n.t.Physical() == types.PhysRow {
		clear(n.out.Data)
	}
	rest := rows
	for i, condition := range n.conditions {
		hits, err := condition.choose(f, rest, kernel.Room(n.scratch[0], kernel.Count(rest, f.n)))
		if err != nil {
			return nil, err
		}
		n.scratch[0] = hits
		if len(hits) == 0 {
			continue
		}
		v, err := n.results[i].eval(f, hits)
		if err != nil {
			return nil, err
		}
		kernel.Scatter(&n.out, v, hits)
		rest = kernel.Subtract(n.scratch[1], rest, hits, f.n)
		n.scratch[1] = rest
		if len(rest) == 0 {
			return &n.out, nil
		}
	}
	if n.otherwise == nil {
		nullRows(&n.out, rest)
		return &n.out, nil
	}
	v, err := n.otherwise.eval(f, rest)
	if err != nil {
		return nil, err
	}
	kernel.Scatter(&n.out, v, rest)
	return &n.out, nil
}

func nullRows(v *vec.Vector, rows []int32) {
	if rows == nil {
		kernel.NullAll(v)
		return
	}
	kernel.SetNulls(v, rows)
}

// coalesceNode gives each row the first operand that is not NULL.
type coalesceNode struct {
	args    []node
	t       types.Type
	out     vec.Vector
	scratch [2][]int32
}

func (c *compiler) coalesce(e *expr.Coalesce) (node, error) {
	n := &coalesceNode{t: e.T}
	old := c.conditional
	defer func() { c.conditional = old }()
	for _, a := range e.Args {
		arg, err := c.node(a)
		if err != nil {
			return nil, err
		}
		n.args = append(n.args, arg)
		c.conditional = true
	}
	return n, nil
}

func (n *coalesceNode) eval(f *frame, rows []int32) (*vec.Vector, error) {
	rest := rows
	for i, arg := range n.args {
		v, err := arg.eval(f, rest)
		if err != nil {
			return nil, err
		}
		if i == 0 {
			if !v.MayHaveNulls() || len(n.args) == 1 {
				return v, nil
			}
			n.out.Resize(n.t, f.n)
			clear(n.out.Data)
		}
		found := pickNull(n.scratch[0], v, false, rest)
		n.scratch[0] = found
		kernel.Scatter(&n.out, v, found)
		rest = kernel.Subtract(n.scratch[1], rest, found, f.n)
		n.scratch[1] = rest
		if len(rest) == 0 {
			return &n.out, nil
		}
	}
	nullRows(&n.out, rest)
	return &n.out, nil
}

// tryNode gives NULL where its operand raises a data error.
type tryNode struct {
	arg node
	t   types.Type
	out vec.Vector
}

func (n *tryNode) eval(f *frame, rows []int32) (*vec.Vector, error) {
	v, err := n.arg.eval(f, rows)
	if err == nil {
		return v, nil
	}
	if !isDataError(err) {
		return nil, err
	}
	n.out.Resize(n.t, f.n)
	clear(n.out.Data)
	if err := n.halves(f, copyRows(nil, rows, f.n)); err != nil {
		return nil, err
	}
	return &n.out, nil
}

// halves evaluates ever fewer rows until those that fail stand alone.
func (n *tryNode) halves(f *frame, rows []int32) error {
	for _, part := range [2][]int32{rows[:len(rows)/2], rows[len(rows)/2:]} {
		if len(part) == 0 {
			continue
		}
		v, err := n.arg.eval(f, part)
		switch {
		case err == nil:
			kernel.Scatter(&n.out, v, part)
		case !isDataError(err):
			return err
		case len(part) == 1:
			nullRows(&n.out, part)
		default:
			if err := n.halves(f, part); err != nil {
				return err
			}
		}
	}
	return nil
}

func isDataError(err error) bool {
	var e *sqlerr.Error
	return errors.As(err, &e) && e.Code.Class() == "22"
}
