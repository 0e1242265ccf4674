package binder

import (
	"github.com/tarnlake/tarn/internal/expr"
	"github.com/tarnlake/tarn/internal/sqlerr"
	"github.com/tarnlake/tarn/internal/types"
	"github.com/tarnlake/tarn/planner/parser/ast"
)

func boolLiteral(v bool) *expr.Literal { return &expr.Literal{Value: types.BoolDatum(v), T: boolType} }

func (b *binder) isTest(sc *scope, e *ast.IsTest) (expr.Expr, error) {
	if e.Test == ast.TestNull {
		return b.isNull(sc, e)
	}
	names := [...]string{ast.TestTrue: "TRUE", ast.TestFalse: "FALSE", ast.TestUnknown: "UNKNOWN"}
	clause := "IS " + names[e.Test]
	if e.Not {
		clause = "IS NOT " + names[e.Test]
	}
	x, err := b.condition(sc, e.X, clause)
	if err != nil {
		return nil, err
	}
	if e.Test == ast.TestUnknown {
		return negateIf(&expr.IsNull{Arg: x}, e.Not), nil
	}
	op := expr.NotDistinct
	if e.Not {
		op = expr.Distinct
	}
	return &expr.Compare{Op: op, Left: x, Right: boolLiteral(e.Test == ast.TestTrue)}, nil
}

func negateIf(e expr.Expr, not bool) expr.Expr {
	if not {
		return &expr.Not{Arg: e}
	}
	return e
}

// isNull tests a value, or a row: all fields NULL, or with NOT all fields not NULL.
func (b *binder) isNull(sc *scope, e *ast.IsTest) (expr.Expr, error) {
	if row, ok := e.X.(*ast.RowLiteral); ok {
		var all []expr.Expr
		for _, f := range row.Fields {
			x, err := b.typed(sc, f)
			if err != nil {
				return nil, err
			}
			all = append(all, negateIf(&expr.IsNull{Arg: x}, e.Not))
		}
		if len(all) == 0 {
			return boolLiteral(true), nil
		}
		return expr.Conjoin(all), nil
	}
	x, err := b.typed(sc, e.X)
	if err != nil {
		return nil, err
	}
	return negateIf(&expr.IsNull{Arg: x}, e.Not), nil
}

func (b *binder) isDistinct(sc *scope, e *ast.IsDistinct) (expr.Expr, error) {
	op := expr.Distinct
	if e.Not {
		op = expr.NotDistinct
	}
	left, leftRow := e.Left.(*ast.RowLiteral)
	right, rightRow := e.Right.(*ast.RowLiteral)
	if leftRow && rightRow {
		return b.distinctRows(sc, e, left, right)
	}
	l, err := b.operand(sc, e.Left)
	if err != nil {
		return nil, err
	}
	r, err := b.operand(sc, e.Right)
	if err != nil {
		return nil, err
	}
	if isNullLiteral(r.Expr) && r.Type().Kind == types.Unknown {
		return b.nullTest(l, e.Not)
	}
	if isNullLiteral(l.Expr) && l.Type().Kind == types.Unknown {
		return b.nullTest(r, e.Not)
	}
	return b.compare(op, "=", l, r, e.Pos)
}

// nullTest is x IS [NOT] DISTINCT FROM NULL.
func (b *binder) nullTest(x operand, isNull bool) (expr.Expr, error) {
	e, err := b.resolveUnknown(x)
	if err != nil {
		return nil, err
	}
	return negateIf(&expr.IsNull{Arg: e}, !isNull), nil
}

func isNullLiteral(e expr.Expr) bool {
	lit, ok := e.(*expr.Literal)
	return ok && lit.Value.Null
}

func (b *binder) between(sc *scope, e *ast.Between) (expr.Expr, error) {
	x, err := b.operand(sc, e.X)
	if err != nil {
		return nil, err
	}
	low, err := b.operand(sc, e.Low)
	if err != nil {
		return nil, err
	}
	high, err := b.operand(sc, e.High)
	if err != nil {
		return nil, err
	}
	inside, err := b.insideRange(x, low, high, e.Pos)
	if err != nil {
		return nil, err
	}
	if e.Symmetric {
		other, err := b.insideRange(x, high, low, e.Pos)
		if err != nil {
			return nil, err
		}
		inside = &expr.Or{Args: []expr.Expr{inside, other}}
	}
	return negateIf(inside, e.Not), nil
}

func (b *binder) insideRange(x, low, high operand, at ast.Pos) (expr.Expr, error) {
	from, err := b.compare(expr.GreaterEqual, ">=", x, low, at)
	if err != nil {
		return nil, err
	}
	to, err := b.compare(expr.LessEqual, "<=", x, high, at)
	if err != nil {
		return nil, err
	}
	return &expr.And{Args: []expr.Expr{from, to}}, nil
}

func (b *binder) like(sc *scope, e *ast.Like) (expr.Expr, error) {
	x, err := b.operand(sc, e.X)
	if err != nil {
		return nil, err
	}
	pattern, err := b.operand(sc, e.Pattern)
	if err != nil {
		return nil, err
	}
	name := [...]string{ast.LikePlain: "~~", ast.LikeILike: "~~*", ast.LikeSimilar: "~", ast.LikeRegexp: "~",
		ast.LikeIRegexp: "~*"}[e.Kind]
	if e.Escape != nil || e.Kind == ast.LikeSimilar {
		if pattern.Expr, err = b.escapedPattern(sc, e, pattern); err != nil {
			return nil, err
		}
	}
	if e.Not {
		name = "!" + name
	}
	return b.binary(ast.Operator{Name: name}, x, pattern, e.Pos)
}

// escapedPattern rewrites a pattern with ESCAPE to one with the default escape, and one of SIMILAR TO
// to a regular expression.
func (b *binder) escapedPattern(sc *scope, e *ast.Like, pattern operand) (expr.Expr, error) {
	name := "like_escape"
	if e.Kind == ast.LikeSimilar {
		name = "similar_to_escape"
	}
	args := []operand{pattern}
	if e.Escape != nil {
		escape, err := b.operand(sc, e.Escape)
		if err != nil {
			return nil, err
		}
		args = append(args, escape)
	}
	return b.named(name, e.Pos, args...)
}

// isConstant tells whether an expression consists of literals only.
func isConstant(e expr.Expr) bool {
	constant := true
	expr.Walk(e, func(x expr.Expr) bool {
		switch x.(type) {
		case *expr.Column, *expr.Parameter:
			constant = false
		}
		return constant
	})
	return constant
}

func (b *binder) foldIfConstant(e expr.Expr, at ast.Pos) (expr.Expr, error) {
	if !isConstant(e) {
		return e, nil
	}
	return b.fold(e, at)
}

// inList is x IN (a, b): one In where all have one comparable type, else a chain of comparisons, as
// PostgreSQL does it.
func (b *binder) inList(sc *scope, e *ast.InList) (expr.Expr, error) {
	if row, ok := e.X.(*ast.RowLiteral); ok {
		return b.inRows(sc, e, row)
	}
	x, err := b.operand(sc, e.X)
	if err != nil {
		return nil, err
	}
	list, err := b.operands(sc, e.List)
	if err != nil {
		return nil, err
	}
	in, err := b.oneTypeIn(x, list)
	if err != nil {
		return nil, err
	}
	if in != nil {
		return negateIf(in, e.Not), nil
	}
	var any []expr.Expr
	for _, item := range list {
		eq, err := b.compare(expr.Equal, "=", x, item, e.Pos)
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

// oneTypeIn makes an In when x and every item of the list can be compared in one type; nil otherwise.
func (b *binder) oneTypeIn(x operand, list []operand) (expr.Expr, error) {
	if len(list) < 2 {
		return nil, nil
	}
	all := append([]operand{x}, list...)
	t, err := b.commonType(all, "IN")
	if err != nil {
		return nil, nil
	}
	if _, why := comparisonKind(t, t, false); why != found {
		return nil, nil
	}
	t = b.columnTypeIfExact(x, list, t)
	arg, err := b.convert(x, t)
	if err != nil {
		return nil, err
	}
	items := make([]expr.Expr, len(list))
	for i, item := range list {
		if items[i], err = b.convert(item, t); err != nil {
			return nil, err
		}
	}
	return &expr.In{Arg: arg, List: items}, nil
}

// columnTypeIfExact keeps x as it is stored when every item is a constant that its type holds exactly.
func (b *binder) columnTypeIfExact(x operand, list []operand, common types.Type) types.Type {
	own := x.Type()
	if own.IsString() && sameKind(own, common) {
		return own
	}
	if own.Kind != types.Decimal && !own.IsInteger() {
		return common
	}
	for _, item := range list {
		lit, ok := item.Expr.(*expr.Literal)
		if !ok {
			return common
		}
		if lit.T.Kind == types.Unknown && !lit.Value.Null {
			if lit, ok = parseNumber(lit.Value.Str); !ok {
				return common
			}
		}
		if _, ok := convertNumber(lit, own); !ok && !lit.Value.Null {
			return common
		}
	}
	return own
}

// quantified is x op ANY | ALL (array or query).
func (b *binder) quantified(sc *scope, e *ast.Quantified) (expr.Expr, error) {
	if e.Query != nil {
		return b.quantifiedSubquery(sc, e)
	}
	x, err := b.operand(sc, e.Left)
	if err != nil {
		return nil, err
	}
	array, err := b.operand(sc, e.Array)
	if err != nil {
		return nil, err
	}
	if array.Type().Kind == types.Unknown {
		element := x.Type()
		if element.Kind == types.Unknown {
			element = textType
		}
		if array.Expr, err = b.convert(array, types.ArrayOf(unmodified(element))); err != nil {
			return nil, err
		}
	}
	if array.Type().Kind != types.Array {
		return nil, b.fail(e.Pos, sqlerr.WrongObjectType, "op ANY/ALL (array) requires array on right side")
	}
	if items := b.elementsOf(array); items != nil {
		return b.quantifiedItems(e, x, items)
	}
	return b.quantifiedArray(e, x, array)
}

// elementsOf gives the elements of an array that is spelt out, nil for any other.
func (b *binder) elementsOf(array operand) []operand {
	var out []operand
	switch a := array.Expr.(type) {
	case *expr.Literal:
		for _, v := range a.Value.Items {
			out = append(out, array.with(&expr.Literal{Value: v, T: *a.T.Elem}))
		}
	case *expr.Call:
		if a.Name == "$array" {
			for _, x := range a.Args {
				out = append(out, array.with(x))
			}
		}
	}
	return out
}

func (b *binder) quantifiedItems(e *ast.Quantified, x operand, items []operand) (expr.Expr, error) {
	if e.Op.Name == "=" && !e.All {
		if in, err := b.oneTypeIn(x, items); in != nil || err != nil {
			return in, err
		}
	}
	var all []expr.Expr
	for _, item := range items {
		c, err := b.binary(e.Op, x, item, e.Pos)
		if err != nil {
			return nil, err
		}
		if c.Type().Kind != types.Bool {
			return nil, b.fail(e.Pos, sqlerr.WrongObjectType, "op ANY/ALL (array) requires operator to yield boolean")
		}
		all = append(all, c)
	}
	switch {
	case len(all) == 1:
		return all[0], nil
	case e.All:
		return &expr.And{Args: all}, nil
	}
	return &expr.Or{Args: all}, nil
}

// quantifiedArray asks any_match or all_match with a lambda.
func (b *binder) quantifiedArray(e *ast.Quantified, x, array operand) (expr.Expr, error) {
	element := *array.Type().Elem
	id := b.column("element", element, true)
	body, err := b.binary(e.Op, x, array.with(b.columnRef(id)), e.Pos)
	if err != nil {
		return nil, err
	}
	if body.Type().Kind != types.Bool {
		return nil, b.fail(e.Pos, sqlerr.WrongObjectType, "op ANY/ALL (array) requires operator to yield boolean")
	}
	name := "any_match"
	if e.All {
		name = "all_match"
	}
	lambda := &expr.Lambda{FirstParam: id, Params: []types.Type{element}, Body: body}
	return b.namedOf(name, boolType, e.Pos, array.Expr, lambda)
}
