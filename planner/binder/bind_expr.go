package binder

import (
	"strings"

	"github.com/tarnlake/tarn/internal/expr"
	"github.com/tarnlake/tarn/internal/sqlerr"
	"github.com/tarnlake/tarn/internal/types"
	"github.com/tarnlake/tarn/planner/parser/ast"
)

// expr binds an expression. Its type is Unknown where only the context can tell.
func (b *binder) expr(sc *scope, e ast.Expr) (expr.Expr, error) {
	if err := b.enter(e.Offset()); err != nil {
		return nil, err
	}
	defer b.leave()
	switch e := e.(type) {
	case *ast.ColumnRef:
		return b.columnName(sc, e)
	case *ast.Literal:
		return b.literal(e)
	case *ast.TypedLiteral:
		return b.typedLiteral(e)
	case *ast.IntervalLiteral:
		return b.intervalLiteral(e)
	case *ast.Param:
		return b.parameter(e)
	case *ast.Unary:
		x, err := b.operand(sc, e.X)
		if err != nil {
			return nil, err
		}
		return b.unary(e.Op, x, e.Pos)
	case *ast.Binary:
		return b.binaryExpr(sc, e)
	case *ast.Logical:
		return b.logical(sc, e)
	case *ast.Not:
		x, err := b.condition(sc, e.X, "NOT")
		if err != nil {
			return nil, err
		}
		return &expr.Not{Arg: x}, nil
	case *ast.FuncCall:
		return b.function(sc, e)
	case *ast.Cast:
		return b.cast(sc, e)
	}
	return b.exprPredicate(sc, e)
}

// exprPredicate goes on with the tests and with the forms that hold queries.
func (b *binder) exprPredicate(sc *scope, e ast.Expr) (expr.Expr, error) {
	switch e := e.(type) {
	case *ast.IsTest:
		return b.isTest(sc, e)
	case *ast.IsDistinct:
		return b.isDistinct(sc, e)
	case *ast.Between:
		return b.between(sc, e)
	case *ast.Like:
		return b.like(sc, e)
	case *ast.InList:
		return b.inList(sc, e)
	case *ast.InSubquery:
		return b.inSubquery(sc, e)
	case *ast.Quantified:
		return b.quantified(sc, e)
	case *ast.Exists:
		return b.exists(sc, e)
	case *ast.ScalarSubquery:
		return b.scalarSubquery(sc, e)
	case *ast.ArraySubquery:
		return b.arraySubquery(sc, e)
	}
	return b.exprNested(sc, e)
}

// exprNested goes on with conditionals, arrays, rows and the rest.
func (b *binder) exprNested(sc *scope, e ast.Expr) (expr.Expr, error) {
	switch e := e.(type) {
	case *ast.Case:
		return b.caseExpr(sc, e)
	case *ast.Conditional:
		return b.conditional(sc, e)
	case *ast.ArrayLiteral:
		return b.arrayLiteral(sc, e)
	case *ast.RowLiteral:
		return b.rowLiteral(sc, e)
	case *ast.Subscript:
		return b.subscript(sc, e)
	case *ast.Slice:
		return b.slice(sc, e)
	case *ast.FieldAccess:
		if ref, ok := e.X.(*ast.ColumnRef); ok && b.isRelation(sc, ref) {
			return b.columnName(sc, &ast.ColumnRef{Pos: ref.Pos, Parts: append(append([]string(nil), ref.Parts...), e.Field)})
		}
		x, err := b.operand(sc, e.X)
		if err != nil {
			return nil, err
		}
		return b.field(x, e.Field, e.Pos)
	case *ast.AtTimeZone:
		return b.atTimeZone(sc, e)
	case *ast.Collate:
		return b.collate(sc, e)
	case *ast.Grouping:
		return b.grouping(sc, e)
	case *ast.Default:
		return nil, b.fail(e.Pos, sqlerr.SyntaxError, "DEFAULT is not allowed in this context")
	case *ast.FieldStar:
		return nil, b.fail(e.Pos, sqlerr.FeatureNotSupported, "row expansion via \"*\" is not supported here")
	case *ast.Star:
		return nil, b.fail(e.Pos, sqlerr.SyntaxError, "\"*\" is not allowed in this context")
	case *ast.NamedArg:
		return nil, b.fail(e.Pos, sqlerr.SyntaxError, "a named argument is not allowed in this context")
	case *ast.Lambda:
		return nil, b.fail(e.Pos, sqlerr.SyntaxError, "a lambda is only allowed as an argument of a function that takes one")
	}
	return nil, sqlerr.Internal("unknown expression %T", e)
}

// operand binds an expression and keeps the place where PostgreSQL would point at it.
func (b *binder) operand(sc *scope, e ast.Expr) (operand, error) {
	x, err := b.expr(sc, e)
	if err != nil {
		return operand{}, err
	}
	return operand{Expr: x, source: e}, nil
}

func (b *binder) operands(sc *scope, list []ast.Expr) ([]operand, error) {
	out := make([]operand, len(list))
	for i, e := range list {
		var err error
		if out[i], err = b.operand(sc, e); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// condition binds a boolean; clause names it in the error.
func (b *binder) condition(sc *scope, e ast.Expr, clause string) (expr.Expr, error) {
	x, err := b.operand(sc, e)
	if err != nil {
		return nil, err
	}
	return b.coerceBoolean(x, clause)
}

// typed binds an expression and makes text of what has no type.
func (b *binder) typed(sc *scope, e ast.Expr) (expr.Expr, error) {
	x, err := b.operand(sc, e)
	if err != nil {
		return nil, err
	}
	return b.resolveUnknown(x)
}

func (b *binder) literal(e *ast.Literal) (expr.Expr, error) {
	switch e.Kind {
	case ast.LitNull:
		return &expr.Literal{Value: types.NullDatum(), T: unknownType}, nil
	case ast.LitBool:
		return &expr.Literal{Value: types.BoolDatum(e.Text == "true"), T: boolType}, nil
	case ast.LitString:
		return &expr.Literal{Value: types.StringDatum(e.Text), T: unknownType}, nil
	case ast.LitInteger, ast.LitDecimal:
		lit, ok := parseNumber(e.Text)
		if !ok {
			return nil, b.fail(e.Pos, sqlerr.NumericValueOutOfRange, "numeric field overflow").
				WithDetail("Tarn's numeric holds at most %d digits.", types.MaxDecimalPrecision)
		}
		return lit, nil
	}
	return nil, b.fail(e.Pos, sqlerr.FeatureNotSupported, "bit string constants are not supported")
}

func (b *binder) typedLiteral(e *ast.TypedLiteral) (expr.Expr, error) {
	t, err := b.typeName(e.Type)
	if err != nil {
		return nil, err
	}
	return b.foldText(e.Text, b.quoteAfter(e.Pos), t)
}

// quoteAfter gives the place of the string in DATE '…', whose node begins at the type's name.
func (b *binder) quoteAfter(at ast.Pos) ast.Pos {
	if at >= 0 && int(at) < len(b.sql) {
		if quote := strings.IndexByte(b.sql[at:], '\''); quote >= 0 {
			return at + ast.Pos(quote)
		}
	}
	return at
}

func (b *binder) intervalLiteral(e *ast.IntervalLiteral) (expr.Expr, error) {
	text := e.Text
	if e.Negative {
		text = negateInterval(text)
	}
	if e.Fields != "" {
		text = intervalWithFields(text, e.Fields)
	}
	return b.foldText(text, b.quoteAfter(e.Pos), intervalType)
}

func (b *binder) parameter(e *ast.Param) (expr.Expr, error) {
	if e.Number < 1 || e.Number > maxParameters {
		return nil, b.fail(e.Pos, sqlerr.UndefinedParameter, "there is no parameter $%d", e.Number)
	}
	return &expr.Parameter{Index: e.Number, T: b.parameters.typeOf(e.Number)}, nil
}

func (b *binder) binaryExpr(sc *scope, e *ast.Binary) (expr.Expr, error) {
	left, leftRow := e.Left.(*ast.RowLiteral)
	right, rightRow := e.Right.(*ast.RowLiteral)
	if leftRow && rightRow {
		return b.compareRows(sc, e, left, right)
	}
	if q, ok := e.Right.(*ast.ScalarSubquery); ok && leftRow {
		return b.compareRowSubquery(sc, e, left, q)
	}
	l, err := b.operand(sc, e.Left)
	if err != nil {
		return nil, err
	}
	r, err := b.operand(sc, e.Right)
	if err != nil {
		return nil, err
	}
	return b.binary(e.Op, l, r, e.Pos)
}

func (b *binder) logical(sc *scope, e *ast.Logical) (expr.Expr, error) {
	name := "AND"
	if e.Or {
		name = "OR"
	}
	args := make([]expr.Expr, len(e.Args))
	for i, a := range e.Args {
		var err error
		if args[i], err = b.condition(sc, a, name); err != nil {
			return nil, err
		}
	}
	if e.Or {
		return &expr.Or{Args: args}, nil
	}
	return &expr.And{Args: args}, nil
}

func (b *binder) cast(sc *scope, e *ast.Cast) (expr.Expr, error) {
	to, err := b.typeName(e.Type)
	if err != nil {
		return nil, err
	}
	if array, ok := e.X.(*ast.ArrayLiteral); ok && to.Kind == types.Array && !e.Try {
		return b.arrayOf(sc, array, to)
	}
	x, err := b.operand(sc, e.X)
	if err != nil {
		return nil, err
	}
	return b.castTo(x, to, e.Try, e.Pos)
}

// castTo is an explicit cast.
func (b *binder) castTo(x operand, to types.Type, try bool, at ast.Pos) (expr.Expr, error) {
	if castRule(x.Type(), to) < explicitOnly {
		return nil, b.fail(at, sqlerr.CannotCoerce, "cannot cast type %s to %s", x.Type().Base(), to.Base())
	}
	if !try {
		e, err := b.convert(x, to)
		if c, ok := e.(*expr.Cast); ok {
			c.Position = b.position(at)
		}
		return e, err
	}
	if x.Type().Kind == types.Unknown {
		text, err := b.convert(x, textType)
		if err != nil {
			return nil, err
		}
		x.Expr = text
	}
	to = settle(to, x.Type())
	if x.Type().Equal(to) {
		return x.Expr, nil
	}
	return &expr.Cast{Arg: x.Expr, To: to, Try: true, Position: b.position(at)}, nil
}

// collate accepts the collations that mean C, for that is how Tarn compares.
func (b *binder) collate(sc *scope, e *ast.Collate) (expr.Expr, error) {
	x, err := b.operand(sc, e.X)
	if err != nil {
		return nil, err
	}
	switch e.Collation.Last() {
	case "C", "POSIX", "default", "c", "posix", "ucs_basic":
	default:
		return nil, b.fail(e.Pos, sqlerr.UndefinedObject, "collation %q for encoding \"UTF8\" does not exist", e.Collation.Last()).
			WithHint("Tarn compares strings by their bytes, which is collation \"C\".")
	}
	if x.Type().Kind != types.Unknown && !x.Type().IsString() {
		return nil, b.fail(e.Pos, sqlerr.DatatypeMismatch, "collations are not supported by type %s", x.Type().Base())
	}
	return b.resolveUnknown(x)
}

func (b *binder) atTimeZone(sc *scope, e *ast.AtTimeZone) (expr.Expr, error) {
	x, err := b.operand(sc, e.X)
	if err != nil {
		return nil, err
	}
	if e.Zone == nil {
		zone := "UTC"
		if b.env.Session != nil && b.env.Session.TimeZone != "" {
			zone = b.env.Session.TimeZone
		}
		lit := &expr.Literal{Value: types.StringDatum(zone), T: textType}
		return b.named("timezone", e.Pos, operandAt(lit, e.Pos), x)
	}
	zone, err := b.operand(sc, e.Zone)
	if err != nil {
		return nil, err
	}
	return b.named("timezone", e.Pos, zone, x)
}
