package binder

import (
	"github.com/tarnlake/tarn/internal/expr"
	"github.com/tarnlake/tarn/internal/fn"
	"github.com/tarnlake/tarn/internal/plan"
	"github.com/tarnlake/tarn/internal/types"
	"github.com/tarnlake/tarn/planner/logical"
	"github.com/tarnlake/tarn/planner/parser/ast"
)

// placeholder is a column whose value is computed by a node that the assembly of the plan adds.
type placeholder interface {
	id() logical.ColID
	written() ast.Pos
	level() *scope
}

type pendingColumn struct {
	column logical.ColID
	at     ast.Pos
	scope  *scope // the level that computes it
}

func (p *pendingColumn) id() logical.ColID { return p.column }
func (p *pendingColumn) written() ast.Pos  { return p.at }
func (p *pendingColumn) level() *scope     { return p.scope }

// subqueryColumn is the value of a scalar subquery (Single) or the truth of IN, EXISTS, ANY (Mark).
type subqueryColumn struct {
	pendingColumn
	kind      plan.JoinKind
	node      logical.Node
	condition expr.Expr // of Mark, over the columns around it and node's; nil: any row counts
	nullAware bool
}

// onceColumn is a value that several expressions read though it must be computed once a row: the
// operand of CASE when it is volatile.
type onceColumn struct {
	pendingColumn
	value expr.Expr
}

// sortExpr is a bound ORDER BY key.
type sortExpr struct {
	operand
	descending, nullsFirst bool
}

// aggregateColumn is an aggregate over the groups of its scope's SELECT.
type aggregateColumn struct {
	hash uint64 // of the arguments
	pendingColumn
	overload *fn.Overload
	args     []expr.Expr
	filter   expr.Expr
	distinct bool
	order    []sortExpr
	t        types.Type
}

// windowColumn is a window function.
type windowColumn struct {
	pendingColumn
	aggregateColumn aggregateColumn // function, arguments and filter
	isAggregate     bool
	ignoreNulls     bool
	window          *boundWindow
}

// boundWindow is an OVER clause.
type boundWindow struct {
	partition  []expr.Expr
	order      []sortExpr
	frame      plan.Frame
	start, end expr.Expr // offsets; for RANGE the bounds themselves
}

// tableColumn is a set-returning function in a select list.
type tableColumn struct {
	pendingColumn
	ids      []logical.ColID // all that it gives; several make a row
	overload *fn.Overload
	args     []expr.Expr
	depth    int // 0: its arguments contain no other set-returning function
}

// groupingColumn is GROUPING(…).
type groupingColumn struct {
	pendingColumn
	args []operand
}

// hold makes a placeholder's column and remembers it; fill gets the column's number.
func (b *binder) hold(p placeholder) *expr.Column {
	b.pending[p.id()] = p
	c := b.columnRef(p.id())
	b.places[c] = p.written()
	return c
}

// attach adds to node the joins that compute the subqueries read by the expressions.
func (b *binder) attach(node logical.Node, list ...expr.Expr) logical.Node {
	for _, e := range list {
		expr.Walk(e, func(x expr.Expr) bool {
			c, ok := x.(*expr.Column)
			if !ok {
				return true
			}
			switch p := b.pending[c.ID].(type) {
			case *subqueryColumn:
				if !produces(node, c.ID) {
					node = b.attachSubquery(node, p)
				}
			case *onceColumn:
				if !produces(node, c.ID) {
					node = b.attachOnce(node, p)
				}
			}
			return true
		})
	}
	return node
}

func (b *binder) attachOnce(node logical.Node, p *onceColumn) logical.Node {
	c := b.computing(node, p.value)
	return &logical.Project{Input: c.node, Exprs: append(c.pass(c.node.Columns()), logical.Computed{ID: p.column, Expr: p.value})}
}

func (b *binder) attachSubquery(node logical.Node, s *subqueryColumn) logical.Node {
	node = b.attach(node, s.condition)
	j := &logical.Join{Kind: s.kind, Left: node, Right: s.node, Condition: s.condition, NullAware: s.nullAware}
	if s.kind == plan.Mark {
		j.MarkID = s.column
	}
	j.Dependent = dependent(j.Left, j.Right)
	return j
}

// dependent tells whether right reads columns that left produces.
func dependent(left, right logical.Node) bool {
	free := logical.FreeColumns(right)
	if len(free) == 0 {
		return false
	}
	for _, id := range left.Columns() {
		if free[id] {
			return true
		}
	}
	return false
}

func produces(node logical.Node, id logical.ColID) bool {
	for _, c := range node.Columns() {
		if c == id {
			return true
		}
	}
	return false
}
