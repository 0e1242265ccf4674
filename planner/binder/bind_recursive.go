package binder

import (
	"github.com/tarnlake/tarn/internal/sqlerr"
	"github.com/tarnlake/tarn/internal/types"
	"github.com/tarnlake/tarn/planner/logical"
	"github.com/tarnlake/tarn/planner/parser/ast"
)

// recursion is the state of a recursive query while its terms are bound.
type recursion struct {
	cte     *cte
	scope   *scope
	inStep  bool
	seen    int // references to itself
	columns []resultColumn
	number  int
}

// recursiveQuery binds base UNION [ALL] step.
func (b *binder) recursiveQuery(sc *scope, c *cte) (*result, error) {
	q := c.item.Query
	union, err := b.recursiveForm(c, q)
	if err != nil {
		return nil, err
	}
	if err := b.with(sc, q.With); err != nil {
		return nil, err
	}
	rec := &recursion{cte: c, scope: sc}
	sc.recursion, c.recursion = rec, rec
	defer func() { sc.recursion, c.recursion = nil, nil }()
	base, err := b.query(sc.child(), union.Left, true)
	if err != nil {
		return nil, err
	}
	r, err := b.recursiveStep(sc, c, rec, union, base, 0)
	if err != nil {
		return nil, err
	}
	b.wrapWith(sc, r)
	return r, nil
}

// recursiveForm checks the shape of the query.
func (b *binder) recursiveForm(c *cte, q *ast.Query) (*ast.SetOperation, error) {
	union, ok := q.Body.(*ast.SetOperation)
	if !ok || union.Op != ast.Union {
		return nil, b.fail(c.item.Pos, sqlerr.InvalidRecursion,
			"recursive query %q does not have the form non-recursive-term UNION [ALL] recursive-term", c.name)
	}
	switch {
	case len(q.OrderBy) > 0:
		return nil, b.fail(ast.Leftmost(q.OrderBy[0].Expr), sqlerr.FeatureNotSupported, "ORDER BY in a recursive query is not implemented")
	case q.Offset != nil:
		return nil, b.fail(ast.Leftmost(q.Offset), sqlerr.FeatureNotSupported, "OFFSET in a recursive query is not implemented")
	case q.Limit != nil:
		return nil, b.fail(ast.Leftmost(q.Limit), sqlerr.FeatureNotSupported, "LIMIT in a recursive query is not implemented")
	case len(q.Locks) > 0:
		return nil, b.fail(ast.NoPos, sqlerr.FeatureNotSupported, "FOR UPDATE/SHARE in a recursive query is not implemented")
	}
	return union, nil
}

// maxRounds bounds how often the step is bound anew because its decimals need a larger scale.
const maxRounds = 2

// recursiveStep binds the step over the base's columns. Decimals take all 38 digits, for their
// precision grows with every round otherwise.
func (b *binder) recursiveStep(sc *scope, c *cte, rec *recursion, union *ast.SetOperation, base *result, round int) (*result, error) {
	n := &logical.Recursive{Distinct: !union.All}
	b.names++
	n.Name, rec.number = b.names, b.names
	names := append([]resultColumn(nil), base.columns...)
	if err := b.nameColumns(c, names); err != nil {
		return nil, err
	}
	wanted := make([]types.Type, len(base.columns))
	rec.columns = nil
	for i, col := range names {
		wanted[i] = recursiveType(b.typeOfColumn(base.columns[i]), round)
		id := b.column(col.name, wanted[i], true)
		n.IDs = append(n.IDs, id)
		rec.columns = append(rec.columns, resultColumn{id, col.name, col.at})
	}
	rec.inStep, rec.seen = true, 0
	inner := sc.child()
	inner.recursion = rec
	step, err := b.query(inner, union.Right, false)
	rec.inStep = false
	if err != nil {
		return nil, err
	}
	grown, err := b.checkStep(c, base, step, wanted, union)
	if err != nil {
		return nil, err
	}
	if grown && round < maxRounds {
		return b.recursiveStep(sc, c, rec, union, base, round+1)
	}
	if n.Base, n.BaseIDs, err = b.castColumns(base.node, base.columns, wanted); err != nil {
		return nil, err
	}
	if n.Step, n.StepIDs, err = b.castColumns(step.node, step.columns, wanted); err != nil {
		return nil, err
	}
	return &result{node: n, columns: rec.columns}, nil
}

// recursiveType is the type of a column of a recursive query: no length, and for decimals all digits
// with the base's scale, in later rounds a larger one.
func recursiveType(t types.Type, round int) types.Type {
	switch t.Kind {
	case types.Text:
		return textType
	case types.Decimal:
		return types.DecimalOf(types.MaxDecimalPrecision, max(int(t.Scale), 16*min(round, 1)))
	}
	return t
}

// checkStep wants the step's columns to have the base's types. grown tells that a decimal has more
// digits after the point than the column.
func (b *binder) checkStep(c *cte, base, step *result, wanted []types.Type, union *ast.SetOperation) (grown bool, err error) {
	if len(base.columns) != len(step.columns) {
		at := union.Pos
		if len(step.columns) > 0 {
			at = step.columns[0].at
		}
		return false, b.fail(at, sqlerr.SyntaxError, "each UNION query must have the same number of columns")
	}
	for i := range base.columns {
		t, err := b.armType(base, step, i, "UNION")
		if err != nil {
			return false, err
		}
		if !sameKind(t, wanted[i]) {
			return false, b.fail(base.columns[i].at, sqlerr.DatatypeMismatch,
				"recursive query %q column %d has type %s in non-recursive term but type %s overall",
				c.name, i+1, b.typeOfColumn(base.columns[i]).Base(), t.Base()).
				WithHint("Cast the output of the non-recursive term to the correct type.")
		}
		grown = grown || t.Kind == types.Decimal && b.typeOfColumn(step.columns[i]).Scale > wanted[i].Scale
	}
	return grown, nil
}

// selfReference reads the rows of the last round.
func (b *binder) selfReference(sc *scope, c *cte, at ast.Pos) (logical.Node, []resultColumn, error) {
	rec := c.recursion
	wrong := func(format string, args ...any) (logical.Node, []resultColumn, error) {
		return nil, nil, b.fail(at, sqlerr.InvalidRecursion, format, args...)
	}
	if !rec.inStep {
		return wrong("recursive reference to query %q must not appear within its non-recursive term", c.name)
	}
	for s := sc; s != nil && s != rec.scope; s = s.parent {
		switch {
		case s.sublink:
			return wrong("recursive reference to query %q must not appear within a subquery", c.name)
		case s.nullSide > 0:
			return wrong("recursive reference to query %q must not appear within an outer join", c.name)
		case s.within != "":
			return wrong("recursive reference to query %q must not appear within %s", c.name, s.within)
		}
	}
	rec.seen++
	if rec.seen > 1 {
		return wrong("recursive reference to query %q must not appear more than once", c.name)
	}
	node, columns := b.cteRef(rec.number, rec.columns)
	return node, columns, nil
}
