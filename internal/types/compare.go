package types

import (
	"cmp"
	"strings"
)

// CompareDatums orders two non-null values of type t as PostgreSQL does under collation C: NaN is
// equal to itself and above every number, char(n) ignores trailing blanks. It is for constants and
// statistics, never for loops over rows.
func CompareDatums(t Type, a, b Datum) int {
	switch t.Physical() {
	case PhysBool, PhysInt16, PhysInt32, PhysInt64:
		return cmp.Compare(a.I64, b.I64)
	case PhysFloat32, PhysFloat64:
		return CompareFloats(a.F64, b.F64)
	case PhysInt128:
		if t.Kind == UUID {
			return CompareUUIDs(a.I128, b.I128)
		}
		return a.I128.Compare(b.I128)
	case PhysInterval:
		return a.Span.Compare(b.Span)
	case PhysString:
		if t.Kind == Char {
			return strings.Compare(strings.TrimRight(a.Str, " "), strings.TrimRight(b.Str, " "))
		}
		return strings.Compare(a.Str, b.Str)
	case PhysList, PhysRow:
		return compareItems(t, a.Items, b.Items)
	}
	return 0
}

// CompareFloats orders floats as PostgreSQL does: NaN equals NaN and is the greatest.
func CompareFloats(a, b float64) int {
	aNaN, bNaN := a != a, b != b
	switch {
	case aNaN && bNaN:
		return 0
	case aNaN:
		return 1
	case bNaN:
		return -1
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}

// CompareUUIDs orders UUIDs by their bytes.
func CompareUUIDs(a, b Int128) int {
	if c := cmp.Compare(uint64(a.Hi), uint64(b.Hi)); c != 0 {
		return c
	}
	return cmp.Compare(a.Lo, b.Lo)
}

// compareItems orders element by element, NULL last, then by length.
func compareItems(t Type, a, b []Datum) int {
	for i := range min(len(a), len(b)) {
		switch {
		case a[i].Null && b[i].Null:
		case a[i].Null:
			return 1
		case b[i].Null:
			return -1
		default:
			if c := CompareDatums(t.itemType(i), a[i], b[i]); c != 0 {
				return c
			}
		}
	}
	return cmp.Compare(len(a), len(b))
}

// itemType is the type of Datum.Items[i] of a nested value.
func (t Type) itemType(i int) Type {
	switch {
	case t.Kind == Row && i < len(t.Fields):
		return t.Fields[i].Type
	case t.Kind == Map && i%2 == 0:
		return *t.Key
	case t.Elem != nil:
		return *t.Elem
	}
	return Type{}
}
