package binder

import (
	"unicode/utf8"

	"github.com/tarnlake/tarn/internal/expr"
	"github.com/tarnlake/tarn/internal/sqlerr"
	"github.com/tarnlake/tarn/internal/types"
)

// commonType gives the type that all operands are brought to; clause ("UNION", …) names the place in
// the error.
func (b *binder) commonType(list []operand, clause string) (types.Type, error) {
	kind, err := b.commonKind(list, clause)
	if err != nil {
		return kind, err
	}
	for _, o := range list {
		if err := b.checkCommon(o, kind, clause); err != nil {
			return kind, err
		}
	}
	if kind.Kind == types.Text && onlyUnknown(list) {
		return textType, nil
	}
	return commonModifiers(list, kind), nil
}

func (b *binder) checkCommon(o operand, kind types.Type, clause string) error {
	if castRule(o.Type(), kind) == implicit {
		return nil
	}
	return b.fail(o.place(), sqlerr.CannotCoerce, "%s could not convert type %s to %s", clause, o.Type().Base(), kind.Base())
}

func onlyUnknown(list []operand) bool {
	for _, o := range list {
		if o.Type().Kind != types.Unknown {
			return false
		}
	}
	return true
}

// commonKind chooses the type but for its modifiers, by PostgreSQL's select_common_type.
func (b *binder) commonKind(list []operand, clause string) (types.Type, error) {
	kind := list[0].Type()
	for _, o := range list[1:] {
		next := o.Type()
		switch {
		case next.Kind == types.Unknown || sameKind(kind, next):
		case kind.Kind == types.Unknown:
			kind = next
		case category(kind) != category(next):
			return kind, b.fail(o.place(), sqlerr.DatatypeMismatch, "%s types %s and %s cannot be matched",
				clause, kind.Base(), next.Base())
		case !preferred(kind) && castRule(kind, next) == implicit && castRule(next, kind) != implicit:
			kind = next
		}
	}
	if kind.Kind == types.Unknown {
		return textType, nil
	}
	return kind, nil
}

// commonModifiers completes a kind with the modifiers that lose no value of any operand.
func commonModifiers(list []operand, kind types.Type) types.Type {
	var out types.Type
	first := true
	for _, o := range list {
		t, any := o.modified(kind)
		switch {
		case !any:
		case first:
			out, first = t, false
		default:
			out = mergeModifiers(out, t)
		}
	}
	return out
}

// modified gives kind with the modifiers that an operand needs; a NULL needs none.
func (o operand) modified(kind types.Type) (t types.Type, any bool) {
	if o.Type().Kind != types.Unknown {
		if kind.Kind == types.Decimal {
			return decimalOperand(o.Expr), true
		}
		return withKind(o.Type(), kind), true
	}
	if lit, ok := o.Expr.(*expr.Literal); ok {
		return unknownAs(lit, kind), !lit.Value.Null
	}
	return unmodified(kind), true
}

// unknownAs gives kind with the modifiers that an untyped literal needs.
func unknownAs(lit *expr.Literal, kind types.Type) types.Type {
	switch kind.Kind {
	case types.Decimal:
		return decimalOfText(lit.Value.Str)
	case types.Char:
		return types.Type{Kind: types.Char, Length: int32(max(utf8.RuneCountInString(lit.Value.Str), 1))}
	}
	return unmodified(kind)
}

// unmodified drops the modifiers that could cut a value.
func unmodified(t types.Type) types.Type {
	switch t.Kind {
	case types.Text:
		return textType
	case types.Decimal:
		return unboundedDecimal
	case types.Time, types.Timestamp, types.TimestampTZ:
		t.Length = 0
	}
	return t
}

// withKind is kind itself for another type, t with its modifiers for the same.
func withKind(t, kind types.Type) types.Type {
	switch {
	case kind.Kind == types.Decimal:
		return decimalFor(t)
	case t.Kind == kind.Kind:
		return t
	}
	kind.Length = 0
	return kind
}

// mergeModifiers joins two types of one kind.
func mergeModifiers(a, b types.Type) types.Type {
	switch a.Kind {
	case types.Decimal:
		return widerDecimal(a, b)
	case types.Text:
		if a.Length != b.Length {
			return textType
		}
	case types.Char:
		a.Length = max(a.Length, b.Length)
	case types.Time, types.Timestamp, types.TimestampTZ:
		if a.Length != b.Length {
			a.Length = 0
		}
	case types.Array:
		return types.ArrayOf(mergeElements(*a.Elem, *b.Elem))
	case types.Map:
		return types.MapOf(mergeElements(*a.Key, *b.Key), mergeElements(*a.Elem, *b.Elem))
	case types.Row:
		if len(a.Fields) != len(b.Fields) {
			return a
		}
		fields := append([]types.Field(nil), a.Fields...)
		for i := range fields {
			fields[i].Type = mergeElements(fields[i].Type, b.Fields[i].Type)
		}
		return types.RowOf(fields...)
	}
	return a
}

// mergeElements joins element types, which may be of different kinds as long as one casts implicitly
// to the other.
func mergeElements(a, b types.Type) types.Type {
	switch {
	case a.Kind == b.Kind:
		return mergeModifiers(a, b)
	case a.Kind == types.Unknown:
		return b
	case b.Kind == types.Unknown:
		return a
	case castRule(a, b) == implicit && (preferred(b) || castRule(b, a) != implicit):
		a, b = b, a
	}
	if a.Kind == types.Decimal {
		return widerDecimal(decimalFor(a), decimalFor(b))
	}
	return a
}

// unify brings operands to their common type.
func (b *binder) unify(list []operand, clause string) ([]expr.Expr, types.Type, error) {
	t, err := b.commonType(list, clause)
	if err != nil {
		return nil, t, err
	}
	out := make([]expr.Expr, len(list))
	for i, o := range list {
		if out[i], err = b.convert(o, t); err != nil {
			return nil, t, err
		}
	}
	return out, t, nil
}
