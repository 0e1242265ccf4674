package binder

import (
	"github.com/tarnlake/tarn/internal/expr"
	"github.com/tarnlake/tarn/internal/types"
	"github.com/tarnlake/tarn/planner/logical"
)

// computer makes columns of expressions: those that a node already gives are used as they are, the
// others are computed in a Project above it.
type computer struct {
	*binder
	node     logical.Node
	has      map[logical.ColID]bool
	computed []logical.Computed
	known    map[uint64][]int // places in computed, by the hash of the expression
}

// computing starts on a node, with the joins for the subqueries that the expressions read.
func (b *binder) computing(node logical.Node, list ...expr.Expr) *computer {
	c := &computer{binder: b, node: b.attach(node, list...), has: map[logical.ColID]bool{}, known: map[uint64][]int{}}
	for _, id := range c.node.Columns() {
		c.has[id] = true
	}
	return c
}

// column gives the column that holds an expression's value.
func (c *computer) column(e expr.Expr) logical.ColID {
	if ref, ok := e.(*expr.Column); ok && c.has[ref.ID] {
		return ref.ID
	}
	hash := expr.Hash(e)
	for _, i := range c.known[hash] {
		if have := c.computed[i]; expr.Same(have.Expr, e) && !c.volatile(e) && e.Type().Kind != types.Unknown {
			return have.ID
		}
	}
	c.known[hash] = append(c.known[hash], len(c.computed))
	id := c.binder.column(exprName(e), e.Type(), c.nullable(e))
	c.computed = append(c.computed, logical.Computed{ID: id, Expr: e})
	return id
}

// all passes every column of the node through.
func (c *computer) all() logical.Node {
	if len(c.computed) == 0 {
		return c.node
	}
	return &logical.Project{Input: c.node, Exprs: append(c.pass(c.node.Columns()), c.computed...)}
}

// only gives just the columns named; without computed ones no Project is made.
func (c *computer) only(ids []logical.ColID) logical.Node {
	if len(c.computed) == 0 {
		return c.node
	}
	return c.project(ids)
}

// project gives exactly the columns named, each once.
func (c *computer) project(ids []logical.ColID) *logical.Project {
	p := &logical.Project{Input: c.node}
	made := make(map[logical.ColID]expr.Expr, len(c.computed))
	for _, x := range c.computed {
		made[x.ID] = x.Expr
	}
	done := map[logical.ColID]bool{}
	for _, id := range ids {
		if done[id] {
			continue
		}
		done[id] = true
		definition := made[id]
		if definition == nil {
			definition = c.columnRef(id)
		}
		p.Exprs = append(p.Exprs, logical.Computed{ID: id, Expr: definition})
	}
	return p
}

func (c *computer) pass(ids []logical.ColID) []logical.Computed {
	out := make([]logical.Computed, len(ids))
	for i, id := range ids {
		out[i] = logical.Computed{ID: id, Expr: c.columnRef(id)}
	}
	return out
}

func (c *computer) sortKeys(order []sortExpr) []logical.SortKey {
	var out []logical.SortKey
	for _, o := range order {
		out = append(out, logical.SortKey{Column: c.column(o.Expr), Descending: o.descending, NullsFirst: o.nullsFirst})
	}
	return out
}

func (c *computer) aggregateCall(a *aggregateColumn) logical.AggregateCall {
	call := logical.AggregateCall{ID: a.pendingColumn.column, Function: a.overload.ID, Name: a.overload.Name,
		Distinct: a.distinct, Type: a.t}
	for _, arg := range a.args {
		call.Args = append(call.Args, c.column(c.where(a.filter, arg)))
	}
	for _, o := range a.order {
		call.OrderBy = append(call.OrderBy, logical.SortKey{Column: c.column(c.where(a.filter, o.Expr)), Descending: o.descending, NullsFirst: o.nullsFirst})
	}
	if a.filter != nil {
		call.Filter = c.column(a.filter)
	}
	return call
}

// where lets an argument that may fail be computed only for the rows that pass its aggregate's FILTER; it is NULL for others.
func (c *computer) where(filter, arg expr.Expr) expr.Expr {
	if filter == nil || c.volatile(filter) || !c.mayFail(arg) {
		return arg
	}
	return &expr.Case{Whens: []expr.When{{Condition: filter, Result: arg}}, T: arg.Type()}
}

// mayFail tells whether computing e from a row may raise an error, as far as is plain to see.
func (b *binder) mayFail(e expr.Expr) bool {
	reads, fails := false, false
	expr.Walk(e, func(x expr.Expr) bool {
		switch x := x.(type) {
		case *expr.Column:
			reads = true
		case *expr.Call:
			o := b.env.Registry.Overload(x.Function)
			fails = fails || o == nil || o.MayFail
		case *expr.Cast:
			from := x.Arg.Type()
			widens := from.IsInteger() && (x.To.IsInteger() && from.Kind <= x.To.Kind || x.To.Kind == types.Float32 || x.To.Kind == types.Float64)
			fails = fails || !x.Try && !widens && !x.To.IsString()
		}
		return true
	})
	return reads && fails
}

// exprName names a computed column for EXPLAIN.
func exprName(e expr.Expr) string {
	switch e := e.(type) {
	case *expr.Column:
		return e.Name
	case *expr.Call:
		return e.Name
	case *expr.Cast:
		return exprName(e.Arg)
	case *expr.Case:
		return "case"
	case *expr.Coalesce:
		return "coalesce"
	}
	return "expr"
}

// nullable tells whether e may be NULL, as far as is plain to see.
func (b *binder) nullable(e expr.Expr) bool {
	switch e := e.(type) {
	case *expr.Literal:
		return e.Value.Null
	case *expr.Column:
		return b.columns.Info(e.ID).Nullable
	case *expr.IsNull:
		return false
	case *expr.Compare:
		if e.Op >= expr.Distinct {
			return false
		}
	case *expr.Coalesce:
		return b.nullable(e.Args[len(e.Args)-1])
	case *expr.And, *expr.Or, *expr.Not, *expr.In:
	case *expr.Cast:
		return e.Try || b.nullable(e.Arg)
	default:
		return true
	}
	for _, c := range e.Children() {
		if b.nullable(c) {
			return true
		}
	}
	return false
}
