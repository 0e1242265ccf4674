package binder

import (
	"unicode/utf8"

	"github.com/tarnlake/tarn/internal/expr"
	"github.com/tarnlake/tarn/internal/types"
	"github.com/tarnlake/tarn/planner/parser/ast"
)

// comparablePairs lists PostgreSQL's comparison operators by operand kinds; pairs of different kinds are
// computed in the wider one.
var comparablePairs = []castPair{
	{types.Bool, types.Bool}, {types.Bytea, types.Bytea}, {types.InternalChar, types.InternalChar},
	{types.Name, types.Name}, {types.Name, types.Text}, {types.Text, types.Name},
	{types.Int16, types.Int16}, {types.Int16, types.Int32}, {types.Int16, types.Int64},
	{types.Int32, types.Int16}, {types.Int32, types.Int32}, {types.Int32, types.Int64},
	{types.Int64, types.Int16}, {types.Int64, types.Int32}, {types.Int64, types.Int64},
	{types.Text, types.Text}, {types.OID, types.OID}, {types.Float32, types.Float32},
	{types.Float32, types.Float64}, {types.Float64, types.Float32}, {types.Float64, types.Float64},
	{types.Char, types.Char}, {types.Date, types.Date}, {types.Date, types.Timestamp},
	{types.Date, types.TimestampTZ}, {types.Time, types.Time}, {types.Timestamp, types.Date},
	{types.Timestamp, types.Timestamp}, {types.Timestamp, types.TimestampTZ},
	{types.TimestampTZ, types.Date}, {types.TimestampTZ, types.Timestamp},
	{types.TimestampTZ, types.TimestampTZ}, {types.Interval, types.Interval},
	{types.Decimal, types.Decimal}, {types.UUID, types.UUID}, {types.JSONB, types.JSONB},
	{types.Int128Kind, types.Int128Kind}, {types.Map, types.Map}, // maps are not ordered
}

// compare makes a comparison; name is the operator as written.
func (b *binder) compare(op expr.Operator, name string, left, right operand, at ast.Pos) (expr.Expr, error) {
	l, r, err := b.comparands(op, name, left, right, at)
	if err != nil {
		return nil, err
	}
	return &expr.Compare{Op: op, Left: l, Right: r}, nil
}

// comparands brings two operands to the one type in which they are compared.
func (b *binder) comparands(op expr.Operator, name string, left, right operand, at ast.Pos) (expr.Expr, expr.Expr, error) {
	lt, rt := left.Type(), right.Type()
	if lt.Kind == types.Unknown && rt.Kind == types.Unknown {
		lt, rt = textType, textType
	} else if lt.Kind == types.Unknown {
		lt = rt
	} else if rt.Kind == types.Unknown {
		rt = lt
	}
	ordered := op != expr.Equal && op != expr.NotEqual && op < expr.Distinct
	kind, why := comparisonKind(lt, rt, ordered)
	if why != found {
		return nil, nil, b.noOperator(name, []argument{{operand: left}, {operand: right}}, at, why)
	}
	switch kind.Kind {
	case types.Array, types.Row, types.Map:
		both, _, err := b.unify([]operand{left, right}, "comparison")
		if err != nil {
			return nil, nil, b.noOperator(name, []argument{{operand: left}, {operand: right}}, at, none)
		}
		return both[0], both[1], nil
	case types.Decimal, types.Int16, types.Int32, types.Int64:
		return b.numericComparands(kind, left, right)
	}
	l, err := b.convert(left, comparisonType(left, kind))
	if err != nil {
		return nil, nil, err
	}
	r, err := b.convert(right, comparisonType(right, kind))
	if err != nil || kind.Kind != types.JSONB {
		return l, r, err
	}
	if l, err = b.named("jsonb_order_key", at, left.with(l)); err != nil {
		return nil, nil, err
	}
	r, err = b.named("jsonb_order_key", at, right.with(r))
	return l, r, err
}

// comparisonType is the kind with modifiers that cut nothing of an operand.
func comparisonType(o operand, kind types.Type) types.Type {
	if sameKind(o.Type(), kind) {
		return o.Type()
	}
	if kind.Kind != types.Char {
		return kind
	}
	length := 1
	if lit, ok := o.Expr.(*expr.Literal); ok {
		length = max(utf8.RuneCountInString(lit.Value.Str), 1)
	}
	return types.Type{Kind: types.Char, Length: int32(length)}
}

// numericComparands compares exact numbers. A literal takes the other side's type if its value allows,
// so that columns are compared as they are stored.
func (b *binder) numericComparands(kind types.Type, left, right operand) (l, r expr.Expr, err error) {
	if l, err = b.numberFromUnknown(left, kind); err != nil {
		return nil, nil, err
	}
	if r, err = b.numberFromUnknown(right, kind); err != nil {
		return nil, nil, err
	}
	if lit, ok := r.(*expr.Literal); ok {
		if c, ok := convertNumber(lit, l.Type()); ok {
			return l, c, nil
		}
	}
	if lit, ok := l.(*expr.Literal); ok {
		if c, ok := convertNumber(lit, r.Type()); ok {
			return c, r, nil
		}
	}
	if kind.Kind == types.Decimal {
		kind = widerDecimal(decimalOperand(l), decimalOperand(r))
	}
	if l, err = b.convert(left.with(l), kind); err != nil {
		return nil, nil, err
	}
	r, err = b.convert(right.with(r), kind)
	return l, r, err
}

func (b *binder) numberFromUnknown(o operand, kind types.Type) (expr.Expr, error) {
	if o.Type().Kind != types.Unknown {
		return o.Expr, nil
	}
	return b.convert(o, kind)
}

// comparisonKind resolves the operator as PostgreSQL would and gives the kind to compare in.
func comparisonKind(left, right types.Type, ordered bool) (types.Type, outcome) {
	if left.Kind == types.Array && right.Kind == types.Array {
		_, why := comparisonKind(*left.Elem, *right.Elem, ordered)
		return left, why
	}
	return pairKind(left, right, ordered)
}

func pairKind(left, right types.Type, ordered bool) (types.Type, outcome) {
	if left.Kind == types.Row && right.Kind == types.Row {
		return left, found
	}
	pair, why := operatorPair(left, right, ordered)
	if why != found {
		return unknownType, why
	}
	return widerKind(pair), found
}

// operatorPair gives the operand kinds of the comparison operator that PostgreSQL would choose.
func operatorPair(left, right types.Type, ordered bool) (castPair, outcome) {
	var fitting []*candidate
	for _, p := range comparablePairs {
		if p.from == types.Map && ordered {
			continue
		}
		if left.Kind == p.from && right.Kind == p.to {
			return p, found
		}
		if castRule(left, types.Of(p.from)) == implicit && castRule(right, types.Of(p.to)) == implicit {
			fitting = append(fitting, &candidate{slots: []slot{{t: types.Of(p.from)}, {t: types.Of(p.to)}}})
		}
	}
	if len(fitting) == 0 {
		return castPair{}, none
	}
	args := []argument{{operand: operand{Expr: &expr.Column{T: left}}}, {operand: operand{Expr: &expr.Column{T: right}}}}
	if c := (&binder{}).selectCandidate(fitting, args); c != nil {
		return castPair{c.slots[0].t.Kind, c.slots[1].t.Kind}, found
	}
	return castPair{}, ambiguous
}

// widerKind gives the kind in which a pair is compared.
func widerKind(p castPair) types.Type {
	switch {
	case p.from == types.Name || p.to == types.Name:
		if p.from != p.to {
			return textType
		}
	case p.from < p.to:
		return types.Of(p.to)
	}
	return types.Of(p.from)
}
