package binder

import (
	"github.com/tarnlake/tarn/internal/expr"
	"github.com/tarnlake/tarn/internal/plan"
	"github.com/tarnlake/tarn/internal/sqlerr"
	"github.com/tarnlake/tarn/internal/types"
	"github.com/tarnlake/tarn/planner/logical"
	"github.com/tarnlake/tarn/planner/parser/ast"
)

// subquery binds a query in an expression of sc.
func (b *binder) subquery(sc *scope, q *ast.Query) (*result, error) {
	inner := sc.child()
	inner.sublink = true
	return b.query(inner, q, true)
}

func (b *binder) scalarSubquery(sc *scope, e *ast.ScalarSubquery) (expr.Expr, error) {
	r, err := b.subquery(sc, e.Query)
	if err != nil {
		return nil, err
	}
	if len(r.columns) != 1 {
		return nil, b.fail(e.Pos, sqlerr.SyntaxError, "subquery must return only one column")
	}
	id := r.columns[0].id
	b.columns.Info(id).Nullable = true
	return b.hold(&subqueryColumn{pendingColumn: pendingColumn{id, e.Pos, sc}, kind: plan.Single, node: r.node}), nil
}

// mark makes the placeholder for the truth of a condition over a subquery's rows.
func (b *binder) mark(sc *scope, node logical.Node, condition expr.Expr, nullAware bool, at ast.Pos) expr.Expr {
	id := b.column("mark", boolType, nullAware)
	return b.hold(&subqueryColumn{pendingColumn: pendingColumn{id, at, sc}, kind: plan.Mark, node: node,
		condition: condition, nullAware: nullAware})
}

func (b *binder) exists(sc *scope, e *ast.Exists) (expr.Expr, error) {
	r, err := b.subquery(sc, e.Query)
	if err != nil {
		return nil, err
	}
	return b.mark(sc, r.node, nil, false, e.Pos), nil
}

func (b *binder) inSubquery(sc *scope, e *ast.InSubquery) (expr.Expr, error) {
	r, condition, err := b.membership(sc, e.X, "=", e.Query, e.Pos)
	if err != nil {
		return nil, err
	}
	return negateIf(b.mark(sc, r.node, condition, true, e.Pos), e.Not), nil
}

// membership binds x op (query): the query and the comparison of x with its columns.
func (b *binder) membership(sc *scope, x ast.Expr, op string, q *ast.Query, at ast.Pos) (*result, expr.Expr, error) {
	left, err := b.rowOperands(sc, x)
	if err != nil {
		return nil, nil, err
	}
	r, err := b.subquery(sc, q)
	if err != nil {
		return nil, nil, err
	}
	switch {
	case len(r.columns) > len(left):
		return nil, nil, b.fail(at, sqlerr.SyntaxError, "subquery has too many columns")
	case len(r.columns) < len(left):
		return nil, nil, b.fail(at, sqlerr.SyntaxError, "subquery has too few columns")
	}
	condition, err := b.compareLists(op, left, b.resultOperands(r, at), at)
	if err != nil {
		return nil, nil, err
	}
	if condition.Type().Kind != types.Bool {
		return nil, nil, b.fail(at, sqlerr.DatatypeMismatch, "row comparison operator must yield type boolean, not type %s",
			condition.Type().Base())
	}
	return r, condition, nil
}

// rowOperands gives the fields of a row literal, or the one value.
func (b *binder) rowOperands(sc *scope, x ast.Expr) ([]operand, error) {
	if row, ok := x.(*ast.RowLiteral); ok {
		return b.operands(sc, row.Fields)
	}
	one, err := b.operand(sc, x)
	return []operand{one}, err
}

func (b *binder) resultOperands(r *result, at ast.Pos) []operand {
	out := make([]operand, len(r.columns))
	for i, c := range r.columns {
		out[i] = operandAt(b.columnRef(c.id), at)
	}
	return out
}

// quantifiedSubquery is x op ANY | ALL (query): ALL is NOT ANY of the negated operator.
func (b *binder) quantifiedSubquery(sc *scope, e *ast.Quantified) (expr.Expr, error) {
	r, condition, err := b.membership(sc, e.Left, e.Op.Name, e.Query, e.Pos)
	if err != nil {
		return nil, err
	}
	if !e.All {
		return b.mark(sc, r.node, condition, true, e.Pos), nil
	}
	return &expr.Not{Arg: b.mark(sc, r.node, negateCondition(condition), true, e.Pos)}, nil
}

func negateCondition(e expr.Expr) expr.Expr {
	switch e := e.(type) {
	case *expr.Compare:
		return &expr.Compare{Op: e.Op.Negate(), Left: e.Left, Right: e.Right}
	case *expr.Not:
		return e.Arg
	}
	return &expr.Not{Arg: e}
}

// compareRowSubquery is (a, b) op (SELECT c, d …): the subquery's only row.
func (b *binder) compareRowSubquery(sc *scope, e *ast.Binary, row *ast.RowLiteral, q *ast.ScalarSubquery) (expr.Expr, error) {
	left, err := b.operands(sc, row.Fields)
	if err != nil {
		return nil, err
	}
	r, err := b.subquery(sc, q.Query)
	if err != nil {
		return nil, err
	}
	switch {
	case len(r.columns) > len(left):
		return nil, b.fail(e.Pos, sqlerr.SyntaxError, "subquery has too many columns")
	case len(r.columns) < len(left):
		return nil, b.fail(e.Pos, sqlerr.SyntaxError, "subquery has too few columns")
	}
	right := make([]operand, len(r.columns))
	for i, c := range r.columns {
		b.columns.Info(c.id).Nullable = true
		right[i] = operandAt(b.hold(&subqueryColumn{pendingColumn: pendingColumn{c.id, q.Pos, sc}, kind: plan.Single,
			node: r.node}), q.Pos)
	}
	return b.compareLists(e.Op.Name, left, right, e.Pos)
}

// arraySubquery is ARRAY(query): array_agg in the query's order, an empty array for no rows.
func (b *binder) arraySubquery(sc *scope, e *ast.ArraySubquery) (expr.Expr, error) {
	inner := sc.child()
	inner.sublink, inner.keepOrder = true, true
	r, err := b.query(inner, e.Query, true)
	if err != nil {
		return nil, err
	}
	if len(r.columns) != 1 {
		return nil, b.fail(e.Pos, sqlerr.SyntaxError, "subquery must return only one column")
	}
	c := r.columns[0]
	call, err := b.named("array_agg", e.Pos, operandAt(b.columnRef(c.id), e.Pos))
	if err != nil {
		return nil, err
	}
	id := b.column("array", call.T, true)
	node := &logical.Aggregate{Input: r.node, Calls: []logical.AggregateCall{{ID: id, Function: call.Function,
		Name: call.Name, Args: []logical.ColID{c.id}, OrderBy: r.order, Type: call.T}}}
	held := b.hold(&subqueryColumn{pendingColumn: pendingColumn{id, e.Pos, sc}, kind: plan.Single, node: node})
	empty := &expr.Literal{Value: types.Datum{Items: []types.Datum{}}, T: call.T}
	return &expr.Coalesce{Args: []expr.Expr{held, empty}, T: call.T}, nil
}

// conjunct is one part of a WHERE: a condition, or a join that keeps or drops rows.
type conjunct struct {
	condition expr.Expr
	join      *subqueryColumn // kind Semi, Anti or NullAwareAnti
}

// conjuncts binds a WHERE, HAVING or QUALIFY clause, split at its ANDs.
func (b *binder) conjuncts(sc *scope, e ast.Expr, name string) ([]conjunct, error) {
	if and, ok := e.(*ast.Logical); ok && !and.Or {
		var out []conjunct
		for _, a := range and.Args {
			part, err := b.conjuncts(sc, a, "AND")
			if err != nil {
				return nil, err
			}
			out = append(out, part...)
		}
		return out, nil
	}
	switch x := e.(type) {
	case *ast.Exists:
		return b.existsConjunct(sc, x, plan.Semi)
	case *ast.Not:
		if inner, ok := x.X.(*ast.Exists); ok {
			return b.existsConjunct(sc, inner, plan.Anti)
		}
	case *ast.InSubquery:
		_, row := x.X.(*ast.RowLiteral)
		if !row || !x.Not {
			return b.inConjunct(sc, x)
		}
	}
	condition, err := b.condition(sc, e, name)
	if err != nil {
		return nil, err
	}
	return []conjunct{{condition: condition}}, nil
}

func (b *binder) existsConjunct(sc *scope, e *ast.Exists, kind plan.JoinKind) ([]conjunct, error) {
	r, err := b.subquery(sc, e.Query)
	if err != nil {
		return nil, err
	}
	return []conjunct{{join: &subqueryColumn{pendingColumn: pendingColumn{0, e.Pos, sc}, kind: kind, node: r.node}}}, nil
}

func (b *binder) inConjunct(sc *scope, e *ast.InSubquery) ([]conjunct, error) {
	r, condition, err := b.membership(sc, e.X, "=", e.Query, e.Pos)
	if err != nil {
		return nil, err
	}
	kind := plan.Semi
	if e.Not {
		kind = plan.NullAwareAnti
	}
	return []conjunct{{join: &subqueryColumn{pendingColumn: pendingColumn{0, e.Pos, sc}, kind: kind, node: r.node,
		condition: condition, nullAware: e.Not}}}, nil
}

// filter applies conjuncts to a node: plain conditions first, then joins, then what reads subqueries.
func (b *binder) filter(node logical.Node, list []conjunct) logical.Node {
	var plain, late []expr.Expr
	for _, c := range list {
		switch {
		case c.join != nil:
		case b.readsSubquery(c.condition):
			late = append(late, c.condition)
		default:
			plain = append(plain, c.condition)
		}
	}
	if len(plain) > 0 {
		node = &logical.Filter{Input: node, Predicate: expr.Conjoin(plain)}
	}
	for _, c := range list {
		if c.join != nil {
			node = b.attachSubquery(node, c.join)
		}
	}
	if len(late) > 0 {
		node = &logical.Filter{Input: b.attach(node, late...), Predicate: expr.Conjoin(late)}
	}
	return node
}

func (b *binder) readsSubquery(e expr.Expr) bool {
	reads := false
	expr.Walk(e, func(x expr.Expr) bool {
		if c, ok := x.(*expr.Column); ok {
			switch b.pending[c.ID].(type) {
			case *subqueryColumn, *onceColumn:
				reads = true
			}
		}
		return !reads
	})
	return reads
}
