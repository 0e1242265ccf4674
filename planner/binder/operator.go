package binder

import (
	"github.com/tarnlake/tarn/internal/expr"
	"github.com/tarnlake/tarn/internal/fn"
	"github.com/tarnlake/tarn/internal/sqlerr"
	"github.com/tarnlake/tarn/internal/types"
	"github.com/tarnlake/tarn/planner/parser/ast"
)

// comparisons maps operator names to Compare's operators.
func comparison(name string) (expr.Operator, bool) {
	switch name {
	case "=":
		return expr.Equal, true
	case "<>", "!=":
		return expr.NotEqual, true
	case "<":
		return expr.Less, true
	case "<=":
		return expr.LessEqual, true
	case ">":
		return expr.Greater, true
	case ">=":
		return expr.GreaterEqual, true
	}
	return 0, false
}

// negated maps an operator that is another's negation to that other.
func negated(name string) (string, bool) {
	switch name {
	case "!~~", "!~~*", "!~", "!~*":
		return name[1:], true
	}
	return name, false
}

// binary applies an infix operator; at is the operator's own place.
func (b *binder) binary(op ast.Operator, left, right operand, at ast.Pos) (expr.Expr, error) {
	if op.Schema != "" && op.Schema != "pg_catalog" {
		return nil, b.noOperator(op.Schema+"."+op.Name, []argument{{operand: left}, {operand: right}}, at, none)
	}
	if compare, ok := comparison(op.Name); ok {
		return b.compare(compare, op.Name, left, right, at)
	}
	name, not := negated(op.Name)
	if left.Type().Kind == types.Char && matchesPattern(name) {
		var err error
		if left.Expr, err = b.withBlanks(left); err != nil {
			return nil, err
		}
	}
	args := []argument{{operand: left}, {operand: right}}
	call, result := b.operatorCall(name, args, at)
	if result.err != nil {
		return nil, result.err
	}
	if call == nil {
		return nil, b.noOperator(op.Name, args, at, result.outcome)
	}
	if not {
		return &expr.Not{Arg: call}, nil
	}
	return call, nil
}

func matchesPattern(operator string) bool {
	switch operator {
	case "~~", "~~*", "~", "~*":
		return true
	}
	return false
}

// withBlanks gives char(n) as text of n characters: as patterns see it.
func (b *binder) withBlanks(x operand) (expr.Expr, error) {
	length := &expr.Literal{Value: types.IntDatum(int64(max(x.Type().Length, 1))), T: intType}
	return b.named("rpad", x.near(), x, operandAt(length, ast.NoPos))
}

// unary applies a prefix operator.
func (b *binder) unary(op ast.Operator, x operand, at ast.Pos) (expr.Expr, error) {
	if lit, ok := x.Expr.(*expr.Literal); ok && op.Name == "-" && lit.T.IsNumeric() && !lit.Value.Null {
		if n, ok := negate(lit); ok {
			return n, nil
		}
	}
	if op.Name == "+" && x.Type().IsNumeric() {
		return x.Expr, nil
	}
	args := []argument{{operand: x}}
	call, result := b.operatorCall(op.Name, args, at)
	if result.err != nil {
		return nil, result.err
	}
	if call == nil {
		return nil, b.noOperator(op.Name, args, at, result.outcome)
	}
	return call, nil
}

func negate(lit *expr.Literal) (*expr.Literal, bool) {
	switch lit.T.Kind {
	case types.Int16, types.Int32, types.Int64:
		return convertInteger(-lit.Value.I64, lit.T)
	case types.Decimal:
		return decimalLiteral(decimalValue(lit).Neg(), lit.T), true
	case types.Float64:
		return &expr.Literal{Value: types.FloatDatum(-lit.Value.F64), T: lit.T}, true
	}
	return nil, false
}

type search struct {
	outcome outcome
	err     error
}

// operatorCall finds the operator's overload and calls it; nil when there is none or several.
func (b *binder) operatorCall(name string, args []argument, at ast.Pos) (expr.Expr, search) {
	var overloads []*fn.Overload
	for _, o := range b.env.Registry.ByName(name) {
		if len(o.Params) == len(args) {
			overloads = append(overloads, o)
		}
	}
	c, outcome := b.exactOperator(overloads, args), found
	if c == nil {
		c, outcome = b.choose(overloads, args)
	}
	if c == nil {
		return nil, search{outcome: outcome}
	}
	call, err := b.call(c, args, at)
	return call, search{err: err}
}

// exactOperator tries the known operand's type for an untyped one.
func (b *binder) exactOperator(overloads []*fn.Overload, args []argument) *candidate {
	if len(args) != 2 {
		return nil
	}
	assumed := []argument{args[0], args[1]}
	switch left, right := args[0].Type(), args[1].Type(); {
	case left.Kind == types.Unknown && right.Kind != types.Unknown:
		assumed[0].operand = args[1].operand
	case right.Kind == types.Unknown && left.Kind != types.Unknown:
		assumed[1].operand = args[0].operand
	default:
		return nil
	}
	for _, o := range overloads {
		if c := lay(o, assumed); c != nil && exactly(c, assumed) {
			return c
		}
	}
	return nil
}

func (b *binder) noOperator(name string, args []argument, at ast.Pos, why outcome) error {
	text := name + " " + args[len(args)-1].Type().Base()
	if len(args) == 2 {
		text = args[0].Type().Base() + " " + text
	}
	if why == ambiguous {
		return b.fail(at, sqlerr.AmbiguousFunction, "operator is not unique: %s", text).
			WithHint("Could not choose a best candidate operator. You might need to add explicit type casts.")
	}
	err := b.fail(at, sqlerr.UndefinedFunction, "operator does not exist: %s", text)
	if len(args) == 1 {
		return err.WithHint("No operator matches the given name and argument type. You might need to add an explicit type cast.")
	}
	return err.WithHint("No operator matches the given name and argument types. You might need to add explicit type casts.")
}
