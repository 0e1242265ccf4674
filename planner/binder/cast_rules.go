package binder

import "github.com/tarnlake/tarn/internal/types"

// coercion is how readily one type turns into another; a higher value includes the lower ones.
type coercion uint8

const (
	impossible coercion = iota
	explicitOnly
	assignment
	implicit
)

type castPair struct{ from, to types.Kind }

// castRules lists PostgreSQL's casts between types of different kinds (pg_cast); what goes through
// text by input and output functions is decided in castRule.
func castRules(from, to types.Kind) coercion {
	switch from {
	case types.Int16, types.Int32, types.Int64:
		return castFromInteger(from, to)
	case types.Decimal, types.Float32, types.Float64, types.Int128Kind:
		return castFromFraction(from, to)
	case types.Text, types.Char, types.Name, types.InternalChar:
		return castFromString(from, to)
	case types.Date, types.Time, types.Timestamp, types.TimestampTZ, types.Interval:
		return castFromTemporal(from, to)
	case types.OID, types.RegClass, types.RegType, types.RegProc, types.RegNamespace:
		return castFromOID(from, to)
	}
	switch (castPair{from, to}) {
	case castPair{types.Bool, types.Int32}:
		return explicitOnly
	case castPair{types.JSON, types.JSONB}, castPair{types.JSONB, types.JSON}:
		return assignment
	case castPair{types.JSONB, types.Bool}, castPair{types.JSONB, types.Int16}, castPair{types.JSONB, types.Int32},
		castPair{types.JSONB, types.Int64}, castPair{types.JSONB, types.Float32}, castPair{types.JSONB, types.Float64},
		castPair{types.JSONB, types.Decimal}:
		return explicitOnly
	}
	return impossible
}

func castFromInteger(from, to types.Kind) coercion {
	switch to {
	case types.Int16, types.Int32, types.Int64:
		if from < to {
			return implicit
		}
		return assignment
	case types.Float32, types.Float64, types.Decimal, types.Int128Kind:
		return implicit
	case types.OID, types.RegClass, types.RegType, types.RegProc, types.RegNamespace:
		return implicit
	case types.Bool, types.InternalChar:
		if from == types.Int32 {
			return explicitOnly
		}
	}
	return impossible
}

func castFromFraction(from, to types.Kind) coercion {
	switch to {
	case types.Int16, types.Int32, types.Int64, types.Int128Kind:
		return assignment
	case types.Decimal:
		if from == types.Int128Kind {
			return implicit
		}
		return assignment
	case types.Float32:
		if from == types.Decimal || from == types.Int128Kind {
			return implicit
		}
		return assignment
	case types.Float64:
		return implicit
	}
	return impossible
}

func castFromString(from, to types.Kind) coercion {
	switch to {
	case types.Text:
		return implicit
	case types.Char:
		if from == types.Text {
			return implicit
		}
		return assignment
	case types.Name:
		if from == types.Text || from == types.Char {
			return implicit
		}
		return assignment
	case types.InternalChar:
		return assignment
	case types.RegClass:
		if from == types.Text {
			return implicit
		}
	}
	return impossible
}

func castFromTemporal(from, to types.Kind) coercion {
	switch (castPair{from, to}) {
	case castPair{types.Date, types.Timestamp}, castPair{types.Date, types.TimestampTZ},
		castPair{types.Time, types.Interval}, castPair{types.Timestamp, types.TimestampTZ}:
		return implicit
	case castPair{types.Timestamp, types.Date}, castPair{types.Timestamp, types.Time},
		castPair{types.TimestampTZ, types.Date}, castPair{types.TimestampTZ, types.Time},
		castPair{types.TimestampTZ, types.Timestamp}, castPair{types.Interval, types.Time}:
		return assignment
	}
	return impossible
}

func castFromOID(from, to types.Kind) coercion {
	switch {
	case to == types.Int64 || to == types.Int32:
		return assignment
	case from == types.OID && (types.Type{Kind: to}).IsOID(), to == types.OID:
		return implicit
	}
	return impossible
}

// castRule tells how readily from turns into to.
func castRule(from, to types.Type) coercion {
	switch {
	case from.Kind == types.Unknown:
		return implicit
	case from.Kind == types.Array && to.Kind == types.Array:
		return castRule(*from.Elem, *to.Elem)
	case from.Kind == types.Map && to.Kind == types.Map:
		return min(castRule(*from.Key, *to.Key), castRule(*from.Elem, *to.Elem))
	case from.Kind == types.Row && to.Kind == types.Row:
		return castRuleRow(from, to)
	case from.Kind == to.Kind:
		return implicit
	}
	if rule := castRules(from.Kind, to.Kind); rule != impossible {
		return rule
	}
	switch {
	case from.Kind == types.Void || to.Kind == types.Void:
		return impossible
	case isStringCategory(to.Kind):
		return assignment
	case isStringCategory(from.Kind):
		return explicitOnly
	}
	return impossible
}

func castRuleRow(from, to types.Type) coercion {
	if len(to.Fields) == 0 || len(from.Fields) == 0 {
		return implicit
	}
	if len(from.Fields) != len(to.Fields) {
		return impossible
	}
	least := implicit
	for i := range from.Fields {
		least = min(least, castRule(from.Fields[i].Type, to.Fields[i].Type))
	}
	return least
}

func isStringCategory(k types.Kind) bool {
	return k == types.Text || k == types.Char || k == types.Name
}

// category is PostgreSQL's pg_type.typcategory.
func category(t types.Type) byte {
	switch t.Kind {
	case types.Bool:
		return 'B'
	case types.Int16, types.Int32, types.Int64, types.Float32, types.Float64, types.Decimal, types.Int128Kind,
		types.OID, types.RegClass, types.RegType, types.RegProc, types.RegNamespace:
		return 'N'
	case types.Text, types.Char, types.Name:
		return 'S'
	case types.Date, types.Time, types.Timestamp, types.TimestampTZ:
		return 'D'
	case types.Interval:
		return 'T'
	case types.Array:
		return 'A'
	case types.Map:
		return 'M'
	case types.Row:
		return 'C'
	case types.InternalChar:
		return 'Z'
	case types.Unknown:
		return 'X'
	case types.Void:
		return 'P'
	}
	return 'U'
}

// preferred is PostgreSQL's pg_type.typispreferred.
func preferred(t types.Type) bool {
	switch t.Kind {
	case types.Bool, types.Text, types.OID, types.Float64, types.TimestampTZ, types.Interval:
		return true
	}
	return false
}

// sameKind tells whether two types are one type but for modifiers.
func sameKind(a, b types.Type) bool {
	if a.Kind != b.Kind {
		return false
	}
	switch a.Kind {
	case types.Array:
		return a.Elem == nil || b.Elem == nil || sameKind(*a.Elem, *b.Elem)
	case types.Map:
		return a.Elem == nil || b.Elem == nil || sameKind(*a.Key, *b.Key) && sameKind(*a.Elem, *b.Elem)
	}
	return true
}
