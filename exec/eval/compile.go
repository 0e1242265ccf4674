package eval

import (
	"time"

	"github.com/tarnlake/tarn/exec/kernel"
	"github.com/tarnlake/tarn/internal/expr"
	"github.com/tarnlake/tarn/internal/fn"
	"github.com/tarnlake/tarn/internal/sqlerr"
	"github.com/tarnlake/tarn/internal/types"
	"github.com/tarnlake/tarn/internal/vec"
)

// Env is what expressions need besides their input. Session may be nil where no stable function and
// no time zone matters.
type Env struct {
	Registry *fn.Registry
	Session  *fn.Session
}

// Zone is the session's time zone, UTC when there is none.
func (e Env) Zone() (*time.Location, error) {
	if e.Session == nil || e.Session.TimeZone == "" {
		return time.UTC, nil
	}
	return types.LoadZone(e.Session.TimeZone)
}

// Evaluator computes one expression.
type Evaluator struct {
	root node
	f    frame
}

// Compile prepares e for batches whose columns have the input types.
func Compile(e expr.Expr, input []types.Type, env Env) (*Evaluator, error) {
	c := &compiler{env: env, input: input}
	root, err := c.node(e)
	if err != nil {
		return nil, err
	}
	return &Evaluator{root: root}, nil
}

// Eval gives the value for every row of b: aligned with b's Len rows, valid on the selected ones
// only, until the next Eval. The result may be a column of b or share its memory.
func (e *Evaluator) Eval(b *vec.Batch) (*vec.Vector, error) {
	e.f.columns, e.f.n, e.f.rows = b.Cols, b.Len, b.Sel
	e.f.number++
	return e.root.eval(&e.f, b.Sel)
}

// Projection computes several expressions.
type Projection struct {
	roots []node
	f     frame
}

// CompileProjection is Compile for several expressions; what they have in common is computed once.
func CompileProjection(list []expr.Expr, input []types.Type, env Env) (*Projection, error) {
	c := &compiler{env: env, input: input}
	p := &Projection{}
	for _, e := range list {
		root, err := c.node(e)
		if err != nil {
			return nil, err
		}
		p.roots = append(p.roots, root)
	}
	return p, nil
}

// Eval makes out[i] an alias of expression i's result, under the same rules as Evaluator.Eval. out
// has as many vectors as there are expressions and must not be b.Cols.
func (p *Projection) Eval(b *vec.Batch, out []vec.Vector) error {
	p.f.columns, p.f.n, p.f.rows = b.Cols, b.Len, b.Sel
	p.f.number++
	for i, root := range p.roots {
		v, err := root.eval(&p.f, b.Sel)
		if err != nil {
			return err
		}
		out[i].Alias(v)
	}
	return nil
}

// Predicate lists the rows for which a condition is true.
type Predicate struct {
	of  chooser
	f   frame
	dst []int32
}

// CompilePredicate prepares a boolean expression. Its conjuncts run in the order given, each on the
// rows that the ones before it let through.
func CompilePredicate(e expr.Expr, input []types.Type, env Env) (*Predicate, error) {
	c := &compiler{env: env, input: input}
	of, err := c.chooser(e, true)
	if err != nil {
		return nil, err
	}
	return &Predicate{of: of}, nil
}

// Select gives the rows of sel (nil: all of b) for which the condition is true, valid until the next
// Select; never nil.
func (p *Predicate) Select(b *vec.Batch, sel []int32) ([]int32, error) {
	p.f.columns, p.f.n, p.f.rows = b.Cols, b.Len, sel
	p.f.number++
	p.dst = kernel.Room(p.dst, kernel.Count(sel, b.Len))
	return p.of.choose(&p.f, sel, p.dst)
}

// Fold computes an expression that reads no columns.
func Fold(e expr.Expr, env Env) (types.Datum, error) {
	evaluator, err := Compile(e, nil, env)
	if err != nil {
		return types.Datum{}, err
	}
	v, err := evaluator.Eval(&vec.Batch{Len: 1})
	if err != nil {
		return types.Datum{}, err
	}
	return v.Datum(0), nil
}

// compiler turns expressions into nodes.
type compiler struct {
	env    Env
	input  []types.Type
	shared []sharedPart
	// conditional tells that the part being compiled may see fewer rows than the evaluation.
	conditional bool
	params      *lambdaScope
}

type sharedPart struct {
	e expr.Expr
	m *memo
}

// maxShared bounds the search for common parts.
const maxShared = 256

// under compiles a part that may see fewer rows.
func (c *compiler) under(e expr.Expr) (node, error) {
	old := c.conditional
	c.conditional = true
	n, err := c.node(e)
	c.conditional = old
	return n, err
}

func (c *compiler) node(e expr.Expr) (node, error) {
	switch e := e.(type) {
	case *expr.Column:
		return c.column(e)
	case *expr.Literal:
		return newLiteral(e.T, e.Value), nil
	case *expr.Parameter:
		return nil, sqlerr.Internal("parameter $%d has no value", e.Index)
	case *expr.Lambda:
		return nil, sqlerr.New(sqlerr.DatatypeMismatch, "a lambda can only be an argument of a function")
	}
	if c.isVolatile(e) {
		return c.build(e)
	}
	for _, s := range c.shared {
		if !expr.Same(s.e, e) {
			continue
		}
		if !c.conditional {
			return s.m, nil
		}
		own, err := c.build(e)
		if err != nil {
			return nil, err
		}
		return &peek{shared: s.m, own: own}, nil
	}
	built, err := c.build(e)
	if err != nil || c.conditional || len(c.shared) >= maxShared {
		return built, err
	}
	if _, ok := built.(*literalNode); ok {
		return built, nil
	}
	m := &memo{of: built}
	c.shared = append(c.shared, sharedPart{e, m})
	return m, nil
}

// isVolatile tells whether two evaluations of e may differ.
func (c *compiler) isVolatile(e expr.Expr) bool {
	found := false
	expr.Walk(e, func(x expr.Expr) bool {
		if call, ok := x.(*expr.Call); ok {
			o := c.env.Registry.Overload(call.Function)
			found = found || o != nil && o.Volatility == fn.Volatile
		}
		return !found
	})
	return found
}

func (c *compiler) column(e *expr.Column) (node, error) {
	if c.params != nil {
		if n := c.params.node(e); n != nil {
			return n, nil
		}
	}
	if int(e.ID) < 0 || int(e.ID) >= len(c.input) {
		return nil, sqlerr.Internal("column %d (%s) of an input with %d columns", e.ID, e.Name, len(c.input))
	}
	return &columnNode{int(e.ID)}, nil
}

func (c *compiler) build(e expr.Expr) (node, error) {
	switch e := e.(type) {
	case *expr.Call:
		return c.call(e)
	case *expr.Cast:
		return c.cast(e)
	case *expr.Compare, *expr.In:
		return c.condition(e)
	case *expr.IsNull:
		arg, err := c.node(e.Arg)
		return &isNullNode{arg: arg}, err
	case *expr.Not:
		arg, err := c.node(e.Arg)
		return &notNode{arg: arg}, err
	case *expr.And:
		return c.logic(e.Args, false)
	case *expr.Or:
		return c.logic(e.Args, true)
	case *expr.Case:
		return c.caseNode(e)
	case *expr.Coalesce:
		return c.coalesce(e)
	case *expr.Try:
		arg, err := c.under(e.Arg)
		return &tryNode{arg: arg, t: e.Type()}, err
	}
	return nil, sqlerr.Internal("no evaluator for expression %T", e)
}
