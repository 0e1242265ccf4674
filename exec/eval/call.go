package eval

import (
	"errors"

	"github.com/tarnlake/tarn/exec/kernel"
	"github.com/tarnlake/tarn/internal/expr"
	"github.com/tarnlake/tarn/internal/fn"
	"github.com/tarnlake/tarn/internal/sqlerr"
	"github.com/tarnlake/tarn/internal/types"
	"github.com/tarnlake/tarn/internal/vec"
)

// callNode runs a kernel: it evaluates the arguments, removes encodings and applies the null rule.
type callNode struct {
	args     []node // nil for a lambda
	kernel   fn.Kernel
	result   types.Type
	strict   bool
	volatile bool
	lambdas  []*lambda
	position int

	vectors []*vec.Vector
	flat    []vec.Vector
	out     vec.Vector
	rows    []int32
	dict    dictionaryCache
}

func (c *compiler) call(e *expr.Call) (node, error) {
	o := c.env.Registry.Overload(e.Function)
	if o == nil {
		return nil, sqlerr.Internal("function %s has number %d, which the registry lacks", e.Name, e.Function)
	}
	scalar, ok := o.Impl.(fn.Scalar)
	if !ok {
		return nil, sqlerr.Internal("function %s is not scalar", e.Name)
	}
	n := &callNode{result: e.T, strict: o.Nulls == fn.Strict, volatile: o.Volatility == fn.Volatile, position: e.Position}
	call := fn.Call{Name: o.Name, Result: e.T, Session: c.env.Session}
	for i, a := range e.Args {
		call.Args = append(call.Args, a.Type())
		call.Constants = append(call.Constants, nil)
		if l, ok := a.(*expr.Lambda); ok {
			bound, err := c.lambda(l)
			if err != nil {
				return nil, err
			}
			if call.Lambdas == nil {
				call.Lambdas = make([]fn.Lambda, len(e.Args))
			}
			call.Lambdas[i] = bound
			n.lambdas = append(n.lambdas, bound)
			n.args = append(n.args, nil)
			continue
		}
		arg, err := c.node(a)
		if err != nil {
			return nil, err
		}
		n.args = append(n.args, arg)
		if d, ok := constantOf(arg); ok {
			call.Constants[i] = &d
		}
	}
	k, err := scalar.New(call)
	if err != nil {
		return nil, at(err, e.Position)
	}
	n.kernel = k
	return n.prepare(o.Volatility == fn.Immutable), nil
}

// at gives a user error the place in the statement, unless it has one.
func at(err error, position int) error {
	var e *sqlerr.Error
	if position > 0 && errors.As(err, &e) && e.Position == 0 {
		e.Position = position
	}
	return err
}

// prepare makes room, and computes a call of constants at once. A call that fails stays: it may never
// be asked for a row.
func (n *callNode) prepare(immutable bool) node {
	n.vectors, n.flat = make([]*vec.Vector, len(n.args)), make([]vec.Vector, len(n.args))
	if !immutable || len(n.lambdas) > 0 {
		return n
	}
	for _, a := range n.args {
		if _, ok := constantOf(a); !ok {
			return n
		}
	}
	v, err := n.eval(&frame{n: 1}, nil)
	if err != nil {
		return n
	}
	return newLiteral(n.result, v.Datum(0))
}

func (n *callNode) eval(f *frame, rows []int32) (*vec.Vector, error) {
	constants, dictionary, null := 0, -1, false
	for i, a := range n.args { // all of them, also behind a NULL: whether a row fails must not depend on its batch
		if a == nil {
			n.vectors[i] = nil
			continue
		}
		v, err := a.eval(f, rows)
		if err != nil {
			return nil, err
		}
		if v.Type.Kind == types.Unknown && v.Enc != vec.Const {
			n.flat[i].ResizeConst(v.Type, f.n)
			n.flat[i].SetNull(0)
			v = &n.flat[i]
		}
		n.vectors[i] = v
		switch v.Enc {
		case vec.Const:
			constants++
			null = null || n.strict && v.IsNull(0)
		case vec.Dict:
			dictionary = i
		}
	}
	if null || kernel.Count(rows, f.n) == 0 {
		return n.null(f), nil
	}
	for _, l := range n.lambdas {
		l.outer = f
	}
	if len(n.lambdas) == 0 && !n.volatile {
		if constants == len(n.args) {
			return n.constant(f)
		}
		if dictionary >= 0 && constants == len(n.args)-1 && n.strict && n.othersAreLiterals(dictionary) {
			v, err := n.dict.eval(n, f, dictionary, rows)
			if v != nil || err != nil {
				return v, err
			}
		}
	}
	return n.general(f, rows)
}

func (n *callNode) othersAreLiterals(except int) bool {
	for i, a := range n.args {
		if i == except {
			continue
		}
		if _, ok := a.(*literalNode); !ok {
			return false
		}
	}
	return true
}

func (n *callNode) null(f *frame) *vec.Vector {
	n.out.ResizeConst(n.result, f.n)
	n.out.SetDatum(0, types.NullDatum())
	return &n.out
}

// constant runs the kernel on one row.
func (n *callNode) constant(f *frame) (*vec.Vector, error) {
	for i, v := range n.vectors {
		n.flat[i].Alias(v)
		n.flat[i].Len = 1
		n.vectors[i] = &n.flat[i]
	}
	n.out.Resize(n.result, 1)
	clear(n.out.Data)
	if err := n.kernel(n.vectors, 1, nil, &n.out); err != nil {
		return nil, err
	}
	n.out.Enc, n.out.Len = vec.Const, f.n
	return &n.out, nil
}

// general removes encodings and NULLs and runs the kernel on the rows that are left.
func (n *callNode) general(f *frame, rows []int32) (*vec.Vector, error) {
	var valid vec.Bitmap
	if n.strict {
		shared := false
		for _, v := range n.vectors {
			if v == nil || v.Enc == vec.Const || v.Valid == nil {
				continue
			}
			switch {
			case valid == nil:
				valid, shared = v.Valid, true
			case shared:
				valid, shared = vec.AndInto(nil, valid, v.Valid, f.n), false
			default:
				valid = vec.AndInto(valid, valid, v.Valid, f.n)
			}
		}
		if valid != nil {
			n.rows = kernel.Valid(n.rows, rows, valid, f.n)
			rows = n.rows
			if len(rows) == 0 {
				return n.null(f), nil
			}
		}
	}
	for i, v := range n.vectors {
		if v != nil && v.Enc == vec.Dict {
			wanted := rows
			if !n.strict {
				wanted = kernel.Valid(nil, rows, v.Valid, f.n)
			}
			kernel.Flatten(&n.flat[i], v, wanted)
			n.vectors[i] = &n.flat[i]
		}
	}
	n.out.Resize(n.result, f.n)
	if err := n.kernel(n.vectors, f.n, rows, &n.out); err != nil {
		return nil, err
	}
	if valid != nil {
		n.out.Valid = vec.AndInto(nil, n.out.Valid, valid, f.n)
	}
	return &n.out, nil
}
