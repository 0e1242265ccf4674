package binder

import (
	"github.com/tarnlake/tarn/internal/expr"
	"github.com/tarnlake/tarn/internal/fn"
	"github.com/tarnlake/tarn/internal/sqlerr"
	"github.com/tarnlake/tarn/internal/types"
	"github.com/tarnlake/tarn/planner/parser/ast"
)

// compareRows is (a, b) op (c, d).
func (b *binder) compareRows(sc *scope, e *ast.Binary, left, right *ast.RowLiteral) (expr.Expr, error) {
	l, err := b.operands(sc, left.Fields)
	if err != nil {
		return nil, err
	}
	r, err := b.operands(sc, right.Fields)
	if err != nil {
		return nil, err
	}
	return b.compareLists(e.Op.Name, l, r, e.Pos)
}

// compareLists compares field by field: = and <> combine all, the others look for the first
// difference.
func (b *binder) compareLists(name string, left, right []operand, at ast.Pos) (expr.Expr, error) {
	if len(left) != len(right) {
		return nil, b.fail(at, sqlerr.SyntaxError, "unequal number of entries in row expressions")
	}
	if len(left) == 0 {
		return nil, b.fail(at, sqlerr.FeatureNotSupported, "cannot compare rows of zero length")
	}
	op, ok := comparison(name)
	if !ok {
		if len(left) == 1 {
			return b.binary(ast.Operator{Name: name}, left[0], right[0], at)
		}
		return nil, b.fail(at, sqlerr.FeatureNotSupported, "could not determine interpretation of row comparison operator %s", name).
			WithHint("Row comparison operators must be associated with btree operator families.")
	}
	switch op {
	case expr.Equal, expr.NotEqual:
		return b.compareAll(op, name, left, right, at)
	}
	return b.compareInOrder(op, name, left, right, at)
}

func (b *binder) compareAll(op expr.Operator, name string, left, right []operand, at ast.Pos) (expr.Expr, error) {
	all := make([]expr.Expr, len(left))
	for i := range left {
		var err error
		if all[i], err = b.compare(op, name, left[i], right[i], at); err != nil {
			return nil, err
		}
	}
	if op == expr.NotEqual && len(all) > 1 {
		return &expr.Or{Args: all}, nil
	}
	return expr.Conjoin(all), nil
}

// compareInOrder makes a < c OR (a = c AND (b < d …)); the last field alone decides on equality.
func (b *binder) compareInOrder(op expr.Operator, name string, left, right []operand, at ast.Pos) (expr.Expr, error) {
	last := len(left) - 1
	out, err := b.compare(op, name, left[last], right[last], at)
	if err != nil {
		return nil, err
	}
	strict, strictName := expr.Less, "<"
	if op == expr.Greater || op == expr.GreaterEqual {
		strict, strictName = expr.Greater, ">"
	}
	for i := last - 1; i >= 0; i-- {
		before, err := b.compare(strict, strictName, left[i], right[i], at)
		if err != nil {
			return nil, err
		}
		same, err := b.compare(expr.Equal, "=", left[i], right[i], at)
		if err != nil {
			return nil, err
		}
		out = &expr.Or{Args: []expr.Expr{before, &expr.And{Args: []expr.Expr{same, out}}}}
	}
	return out, nil
}

func (b *binder) distinctRows(sc *scope, e *ast.IsDistinct, left, right *ast.RowLiteral) (expr.Expr, error) {
	l, err := b.operands(sc, left.Fields)
	if err != nil {
		return nil, err
	}
	r, err := b.operands(sc, right.Fields)
	if err != nil {
		return nil, err
	}
	if len(l) != len(r) {
		return nil, b.fail(e.Pos, sqlerr.SyntaxError, "unequal number of entries in row expressions")
	}
	if len(l) == 0 {
		return boolLiteral(e.Not), nil
	}
	all := make([]expr.Expr, len(l))
	op := expr.Distinct
	if e.Not {
		op = expr.NotDistinct
	}
	for i := range l {
		if all[i], err = b.compare(op, "=", l[i], r[i], e.Pos); err != nil {
			return nil, err
		}
	}
	if e.Not || len(all) == 1 {
		return expr.Conjoin(all), nil
	}
	return &expr.Or{Args: all}, nil
}

// inRows is (a, b) IN ((c, d), …).
func (b *binder) inRows(sc *scope, e *ast.InList, row *ast.RowLiteral) (expr.Expr, error) {
	left, err := b.operands(sc, row.Fields)
	if err != nil {
		return nil, err
	}
	var any []expr.Expr
	for _, item := range e.List {
		r, ok := item.(*ast.RowLiteral)
		if !ok {
			return nil, b.fail(item.Offset(), sqlerr.SyntaxError, "unequal number of entries in row expressions")
		}
		right, err := b.operands(sc, r.Fields)
		if err != nil {
			return nil, err
		}
		eq, err := b.compareLists("=", left, right, e.Pos)
		if err != nil {
			return nil, err
		}
		any = append(any, eq)
	}
	if len(any) == 1 {
		return negateIf(any[0], e.Not), nil
	}
	return negateIf(&expr.Or{Args: any}, e.Not), nil
}

// rowLiteral is ROW(a, b) as a value.
func (b *binder) rowLiteral(sc *scope, e *ast.RowLiteral) (expr.Expr, error) {
	values, fields, err := b.rowFields(sc, e)
	if err != nil {
		return nil, err
	}
	return b.namedOf(fn.RowConstructor, types.RowOf(fields...), e.Pos, values...)
}

func (b *binder) rowFields(sc *scope, e *ast.RowLiteral) ([]expr.Expr, []types.Field, error) {
	var values []expr.Expr
	var fields []types.Field
	for _, f := range e.Fields {
		if star, ok := f.(*ast.Star); ok {
			columns, err := b.expandStar(sc, star)
			if err != nil {
				return nil, nil, err
			}
			for _, c := range columns {
				values = append(values, c.expr)
				fields = append(fields, types.Field{Name: c.name, Type: c.expr.Type(), Nullable: true})
			}
			continue
		}
		x, err := b.typed(sc, f)
		if err != nil {
			return nil, nil, err
		}
		values = append(values, x)
		fields = append(fields, types.Field{Type: x.Type(), Nullable: true})
	}
	return values, fields, nil
}

// wholeRow is a relation's name used as a value: a row of its columns.
func (b *binder) wholeRow(r *relation, at ast.Pos) (expr.Expr, error) {
	values := make([]expr.Expr, len(r.columns))
	fields := make([]types.Field, len(r.columns))
	for i, c := range r.columns {
		values[i] = b.refer(c.value, at)
		fields[i] = types.Field{Name: c.name, Type: c.value.Type(), Nullable: true}
	}
	return b.namedOf(fn.RowConstructor, types.RowOf(fields...), at, values...)
}

// field is (x).name.
func (b *binder) field(x operand, name string, at ast.Pos) (expr.Expr, error) {
	t := x.Type()
	if t.Kind != types.Row {
		return nil, b.fail(at, sqlerr.WrongObjectType, "column notation .%s applied to type %s, which is not a composite type",
			name, t.Base())
	}
	for i, f := range t.Fields {
		if f.Name != name && f.Name != "" || f.Name == "" && name != fieldName(i) {
			continue
		}
		if call, ok := x.Expr.(*expr.Call); ok && call.Name == fn.RowConstructor {
			return call.Args[i], nil
		}
		ordinal := &expr.Literal{Value: types.IntDatum(int64(i)), T: intType}
		return b.namedOf(fn.FieldOf, f.Type, at, x.Expr, ordinal)
	}
	return nil, b.fail(at, sqlerr.UndefinedColumn, "could not identify column %q in record data type", name)
}
