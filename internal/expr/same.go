package expr

import (
	"math"

	"github.com/tarnlake/tarn/internal/types"
)

// Same tells whether two expressions are structurally equal, so that on the same row they give the
// same value (volatile functions aside).
func Same(a, b Expr) bool {
	if a == nil || b == nil {
		return a == nil && b == nil
	}
	if a == b {
		return true
	}
	if !a.Type().Equal(b.Type()) || !sameNode(a, b) {
		return false
	}
	ca, cb := a.Children(), b.Children()
	if len(ca) != len(cb) {
		return false
	}
	for i := range ca {
		if !Same(ca[i], cb[i]) {
			return false
		}
	}
	return true
}

// Hash gives equal numbers for expressions that are Same.
func Hash(e Expr) uint64 {
	h := uint64(14695981039346656037)
	mix := func(v uint64) { h = (h ^ v) * 1099511628211 }
	Walk(e, func(x Expr) bool {
		mix(uint64(x.Type().Kind) + 1)
		switch x := x.(type) {
		case *Column:
			mix(uint64(x.ID))
		case *Literal:
			mix(uint64(x.Value.I64))
			mix(math.Float64bits(x.Value.F64))
			mix(x.Value.I128.Lo)
			for i := range len(x.Value.Str) {
				mix(uint64(x.Value.Str[i]))
			}
		case *Call:
			mix(uint64(x.Function))
		}
		return true
	})
	return h
}

func sameNode(a, b Expr) bool {
	switch a := a.(type) {
	case *Column:
		b, ok := b.(*Column)
		return ok && a.ID == b.ID
	case *Literal:
		b, ok := b.(*Literal)
		return ok && SameDatum(a.Value, b.Value)
	case *Parameter:
		b, ok := b.(*Parameter)
		return ok && a.Index == b.Index
	case *Call:
		b, ok := b.(*Call)
		return ok && a.Function == b.Function
	case *Cast:
		b, ok := b.(*Cast)
		return ok && a.Try == b.Try && a.Assign == b.Assign
	case *Compare:
		b, ok := b.(*Compare)
		return ok && a.Op == b.Op
	case *Case:
		b, ok := b.(*Case)
		return ok && len(a.Whens) == len(b.Whens)
	case *Lambda:
		b, ok := b.(*Lambda)
		return ok && a.FirstParam == b.FirstParam && len(a.Params) == len(b.Params)
	case *And:
		_, ok := b.(*And)
		return ok
	case *Or:
		_, ok := b.(*Or)
		return ok
	case *Not:
		_, ok := b.(*Not)
		return ok
	case *IsNull:
		_, ok := b.(*IsNull)
		return ok
	case *Coalesce:
		_, ok := b.(*Coalesce)
		return ok
	case *In:
		_, ok := b.(*In)
		return ok
	case *Try:
		_, ok := b.(*Try)
		return ok
	}
	return false
}

// SameDatum tells whether two constants of one type are the same value; NULL is the same as NULL.
func SameDatum(a, b types.Datum) bool {
	if a.Null || b.Null {
		return a.Null == b.Null
	}
	if a.I64 != b.I64 || math.Float64bits(a.F64) != math.Float64bits(b.F64) || a.I128 != b.I128 ||
		a.Str != b.Str || a.Span != b.Span || len(a.Items) != len(b.Items) {
		return false
	}
	for i := range a.Items {
		if !SameDatum(a.Items[i], b.Items[i]) {
			return false
		}
	}
	return true
}
