package binder

import (
	"github.com/tarnlake/tarn/internal/expr"
	"github.com/tarnlake/tarn/internal/sqlerr"
	"github.com/tarnlake/tarn/internal/types"
	"github.com/tarnlake/tarn/planner/logical"
	"github.com/tarnlake/tarn/planner/parser/ast"
)

// query binds a whole query in its own, new scope. With resolve, untyped outputs become text; else
// they stay Unknown for the caller to decide.
func (b *binder) query(sc *scope, q *ast.Query, resolve bool) (*result, error) {
	if err := b.enter(q.Pos); err != nil {
		return nil, err
	}
	defer b.leave()
	if err := b.ctx.Err(); err != nil {
		return nil, err
	}
	if err := b.with(sc, q.With); err != nil {
		return nil, err
	}
	var r *result
	var err error
	switch body := q.Body.(type) {
	case *ast.SelectCore:
		r, err = b.selectCore(sc, body, q, resolve)
	case *ast.Values:
		if r, err = b.values(sc, body); err == nil {
			err = b.orderResult(sc, q, r)
		}
	case *ast.SetOperation:
		if r, err = b.setOperation(sc, body); err == nil {
			err = b.orderResult(sc, q, r)
		}
	default:
		return nil, sqlerr.Internal("unknown query body %T", q.Body)
	}
	if err != nil {
		return nil, err
	}
	if resolve {
		if err := b.resolveColumns(r); err != nil {
			return nil, err
		}
	}
	b.wrapWith(sc, r)
	b.forget(sc)
	return r, nil
}

// forget drops the placeholders of a level whose plan is complete: above it their columns are like
// any other.
func (b *binder) forget(sc *scope) {
	for id, p := range b.pending {
		if p.level() == sc {
			delete(b.pending, id)
		}
	}
}

// resolveColumns makes text of output columns that are still untyped.
func (b *binder) resolveColumns(r *result) error {
	for i := range r.columns {
		if b.columns.Info(r.columns[i].id).Type.Kind == types.Unknown {
			if err := b.typeColumn(r, i, textType); err != nil {
				return err
			}
		}
	}
	return nil
}

// typeColumn gives an untyped output column a type, in the Project that computes it.
func (b *binder) typeColumn(r *result, i int, t types.Type) error {
	c := r.columns[i]
	for p := range r.project.Exprs {
		x := &r.project.Exprs[p]
		if x.ID != c.id {
			continue
		}
		e, err := b.convert(operandAt(x.Expr, c.at), t)
		if err != nil {
			return err
		}
		x.Expr = e
		b.columns.Info(c.id).Type = e.Type()
		r.handOn(b.columnRef(c.id))
		return nil
	}
	return sqlerr.Internal("untyped column %q has no expression", c.name)
}

// handOn corrects the type of a column in the Project that drops what only the order needed.
func (r *result) handOn(c *expr.Column) {
	if r.kept == nil {
		return
	}
	for i := range r.kept.Exprs {
		if r.kept.Exprs[i].ID == c.ID {
			r.kept.Exprs[i].Expr = c
		}
	}
}

// limits is LIMIT and OFFSET.
type limits struct {
	limit, offset expr.Expr
	withTies      bool
}

func (b *binder) limits(sc *scope, q *ast.Query) (*limits, error) {
	out := &limits{withTies: q.WithTies}
	var err error
	if out.offset, err = b.limitExpr(sc, q.Offset, clauseOffset); err != nil {
		return nil, err
	}
	if out.limit, err = b.limitExpr(sc, q.Limit, clauseLimit); err != nil {
		return nil, err
	}
	if q.WithTies && len(q.OrderBy) == 0 {
		return nil, b.fail(q.Limit.Offset(), sqlerr.SyntaxError, "WITH TIES cannot be specified without ORDER BY clause")
	}
	return out, nil
}

func (b *binder) limitExpr(sc *scope, e ast.Expr, in clause) (expr.Expr, error) {
	if e == nil {
		return nil, nil
	}
	x, err := within(sc, in, func() (operand, error) { return b.operand(sc, e) })
	if err != nil {
		return nil, err
	}
	n, err := b.coerceTo(x, bigintType, assignment, in.name())
	if err != nil {
		return nil, err
	}
	if at, reads := b.readsColumn(x.Expr); reads {
		if b.readsSubquery(x.Expr) {
			return nil, b.fail(x.place(), sqlerr.FeatureNotSupported, "subqueries are not supported in %s", in.name()).
				WithHint("Compute the number first and pass it as a parameter.")
		}
		return nil, b.fail(at, sqlerr.InvalidColumnReference, "argument of %s must not contain variables", in.name())
	}
	if n, err = b.foldIfConstant(n, x.place()); err != nil {
		return nil, err
	}
	lit, ok := n.(*expr.Literal)
	switch {
	case ok && lit.Value.Null:
		return nil, nil
	case ok && lit.Value.I64 < 0 && in == clauseLimit:
		return nil, sqlerr.New(sqlerr.InvalidRowCountInLimit, "LIMIT must not be negative")
	case ok && lit.Value.I64 < 0:
		return nil, sqlerr.New(sqlerr.InvalidRowCountInOffset, "OFFSET must not be negative")
	}
	return n, nil
}

// apply adds a Limit where there is something to limit.
func (l *limits) apply(node logical.Node) logical.Node {
	if l == nil || l.limit == nil && l.offset == nil {
		return node
	}
	return &logical.Limit{Input: node, Limit: l.limit, Offset: l.offset, WithTies: l.withTies}
}

// orderResult applies ORDER BY and LIMIT to a set operation or VALUES, whose output columns are all
// that ORDER BY may name.
func (b *binder) orderResult(sc *scope, q *ast.Query, r *result) error {
	sc.clause = clauseOrderBy
	_, isSet := q.Body.(*ast.SetOperation)
	for _, item := range q.OrderBy {
		i, err := b.outputNamed(sc, r, item.Expr, isSet)
		if err != nil {
			return err
		}
		c := r.columns[i]
		if b.columns.Info(c.id).Type.Kind == types.Unknown {
			if err := b.typeColumn(r, i, textType); err != nil {
				return err
			}
		}
		key, err := b.sortKey(operandAt(b.columnRef(c.id), ast.Leftmost(item.Expr)), item)
		if err != nil {
			return err
		}
		r.order = append(r.order, logical.SortKey{Column: c.id, Descending: key.descending, NullsFirst: key.nullsFirst})
	}
	if len(r.order) > 0 {
		r.node = &logical.Sort{Input: r.node, Keys: r.order}
	}
	l, err := b.limits(sc, q)
	if err != nil {
		return err
	}
	r.node = l.apply(r.node)
	sc.clause = clauseNone
	return nil
}

// outputNamed finds the output column that an ORDER BY item of a set operation means.
func (b *binder) outputNamed(sc *scope, r *result, e ast.Expr, isSet bool) (int, error) {
	s := &selectBinder{binder: b, sc: sc}
	for _, c := range r.columns {
		s.targets = append(s.targets, target{expr: b.columnRef(c.id), name: c.name, at: c.at})
	}
	if _, named := e.(*ast.ColumnRef); !named {
		if lit, ok := e.(*ast.Literal); !ok || lit.Kind == ast.LitBool {
			return 0, b.notOutput(e, isSet)
		}
	}
	outputs := len(s.targets)
	r0 := &relation{name: "*SELECT*", byColumn: true}
	for _, c := range r.columns {
		r0.columns = append(r0.columns, relationColumn{c.name, b.columnRef(c.id)})
	}
	sc.relations = []*relation{r0}
	i, err := s.findTarget(e, clauseOrderBy)
	sc.relations = nil
	if err != nil {
		return 0, err
	}
	if i >= outputs {
		return 0, b.notOutput(e, isSet)
	}
	return i, nil
}

func (b *binder) notOutput(e ast.Expr, isSet bool) error {
	if !isSet {
		return b.fail(ast.Leftmost(e), sqlerr.FeatureNotSupported, "ORDER BY of VALUES must name an output column")
	}
	return b.fail(ast.Leftmost(e), sqlerr.FeatureNotSupported, "invalid UNION/INTERSECT/EXCEPT ORDER BY clause").
		WithDetail("Only result column names can be used, not expressions or functions.").
		WithHint("Add the expression/function to every SELECT, or move the UNION into a FROM clause.")
}
