package binder

import (
	"github.com/tarnlake/tarn/internal/expr"
	"github.com/tarnlake/tarn/internal/sqlerr"
	"github.com/tarnlake/tarn/internal/types"
	"github.com/tarnlake/tarn/planner/parser/ast"
)

var (
	boolType     = types.Of(types.Bool)
	intType      = types.Of(types.Int32)
	bigintType   = types.Of(types.Int64)
	textType     = types.Of(types.Text)
	unknownType  = types.Of(types.Unknown)
	intervalType = types.Of(types.Interval)
	// bareDecimal is numeric without modifiers: a cast to it keeps the operand's own scale.
	bareDecimal = types.Of(types.Decimal)
	// unboundedDecimal stands for numeric without modifiers where no operand gives a scale.
	unboundedDecimal = types.DecimalOf(types.MaxDecimalPrecision, 16)
)

// operand is a bound expression and where it was written: at, or the first character of source.
type operand struct {
	expr.Expr
	at     ast.Pos
	source ast.Expr
}

// operandAt is an expression that the binder made for something written at a place.
func operandAt(e expr.Expr, at ast.Pos) operand { return operand{Expr: e, at: at} }

// with is another expression for the same text.
func (o operand) with(e expr.Expr) operand { return operand{e, o.at, o.source} }

// place is where PostgreSQL would point at the operand.
func (o operand) place() ast.Pos {
	if o.source != nil {
		return ast.Leftmost(o.source)
	}
	return o.at
}

// near is a place in the operand that costs nothing to find, for errors at run time.
func (o operand) near() ast.Pos {
	if o.source != nil {
		return o.source.Offset()
	}
	return o.at
}

// convert makes the conversion of e to a type, which must be allowed. Untyped literals are folded,
// untyped parameters take the type.
func (b *binder) convert(e operand, to types.Type) (expr.Expr, error) {
	to = settle(to, e.Type())
	if e.Type().Equal(to) && !e.Type().Renames(to) {
		return e.Expr, nil
	}
	if e.Type().Kind == types.Unknown {
		return b.convertUnknown(e, to)
	}
	if lit, ok := e.Expr.(*expr.Literal); ok {
		if converted, ok := convertNumber(lit, to); ok {
			return converted, nil
		}
	}
	return &expr.Cast{Arg: e.Expr, To: to, Position: b.position(e.near())}, nil
}

func (b *binder) convertUnknown(e operand, to types.Type) (expr.Expr, error) {
	switch x := e.Expr.(type) {
	case *expr.Parameter:
		inferred := b.parameters.infer(x.Index, to)
		p := &expr.Parameter{Index: x.Index, T: inferred}
		if inferred.Equal(to) || to.Kind == types.Decimal && to.Precision == 0 {
			return p, nil
		}
		return &expr.Cast{Arg: p, To: to, Position: b.position(e.near())}, nil
	case *expr.Literal:
		if x.Value.Null {
			return &expr.Literal{Value: x.Value, T: to}, nil
		}
		return b.foldText(x.Value.Str, e.place(), to)
	}
	return &expr.Cast{Arg: e.Expr, To: to, Position: b.position(e.near())}, nil
}

// foldText gives the literal that a string in quotes means as a type, as the type's input function
// reads it.
func (b *binder) foldText(text string, at ast.Pos, to types.Type) (expr.Expr, error) {
	lit := &expr.Literal{Value: types.StringDatum(text), T: textType}
	switch {
	case to.Kind == types.Text && to.Length == 0:
		return lit, nil
	case to.Kind == types.Decimal && to.Precision == 0:
		to = decimalOfText(text)
	}
	return b.fold(&expr.Cast{Arg: lit, To: to, Position: b.position(at)}, at)
}

// fold evaluates a constant expression; its errors are located at at.
func (b *binder) fold(e expr.Expr, at ast.Pos) (expr.Expr, error) {
	if b.env.Fold == nil {
		return e, nil
	}
	v, err := b.env.Fold(e)
	if err != nil {
		return nil, b.locate(err, at)
	}
	return &expr.Literal{Value: v, T: e.Type()}, nil
}

// settle gives a bare numeric the precision and scale that it takes from what is converted.
func settle(to, from types.Type) types.Type {
	switch to.Kind {
	case types.Decimal:
		if to.Precision == 0 && from.Kind != types.Unknown {
			return decimalFor(from)
		}
	case types.Array:
		if from.Kind == types.Array {
			return types.ArrayOf(settle(*to.Elem, *from.Elem))
		}
		return types.ArrayOf(settle(*to.Elem, textType))
	case types.Map:
		if from.Kind == types.Map {
			return types.MapOf(settle(*to.Key, *from.Key), settle(*to.Elem, *from.Elem))
		}
	}
	return to
}

// decimalFor gives the decimal that holds every value of a type, as far as there is one.
func decimalFor(t types.Type) types.Type {
	switch t.Kind {
	case types.Decimal:
		if t.Precision > 0 {
			return t
		}
	case types.Int16:
		return types.DecimalOf(5, 0)
	case types.Int32:
		return types.DecimalOf(10, 0)
	case types.Int64:
		return types.DecimalOf(19, 0)
	case types.Int128Kind:
		return types.DecimalOf(types.MaxDecimalPrecision, 0)
	}
	return unboundedDecimal
}

// decimalOperand is decimalFor of an expression: an integer literal needs only its own digits.
func decimalOperand(e expr.Expr) types.Type {
	if lit, ok := e.(*expr.Literal); ok && !lit.Value.Null && lit.T.IsInteger() {
		digits := 1
		for v := lit.Value.I64 / 10; v != 0; v /= 10 {
			digits++
		}
		return types.DecimalOf(digits, 0)
	}
	return decimalFor(e.Type())
}

// widerDecimal holds the values of both, as far as 38 digits go.
func widerDecimal(a, b types.Type) types.Type {
	scale := max(a.Scale, b.Scale)
	whole := max(a.Precision-a.Scale, b.Precision-b.Scale)
	return types.DecimalOf(min(int(whole)+int(scale), types.MaxDecimalPrecision), int(scale))
}

// coerceBoolean wants a condition; clause names it in the error.
func (b *binder) coerceBoolean(e operand, clause string) (expr.Expr, error) {
	if e.Type().Kind != types.Bool && e.Type().Kind != types.Unknown {
		return nil, b.fail(e.place(), sqlerr.DatatypeMismatch, "argument of %s must be type boolean, not type %s",
			clause, e.Type().Base())
	}
	return b.convert(e, boolType)
}

// coerceTo wants a type by implicit (or, with rule, other) conversion; clause names the place.
func (b *binder) coerceTo(e operand, to types.Type, rule coercion, clause string) (expr.Expr, error) {
	if castRule(e.Type(), to) < rule {
		return nil, b.fail(e.place(), sqlerr.DatatypeMismatch, "argument of %s must be type %s, not type %s",
			clause, to.Base(), e.Type().Base())
	}
	return b.convert(e, to)
}

// resolveUnknown makes text of an expression that no context gave a type.
func (b *binder) resolveUnknown(e operand) (expr.Expr, error) {
	if e.Type().Kind != types.Unknown {
		return e.Expr, nil
	}
	return b.convert(e, textType)
}
