package parquet

import (
	"math"

	"github.com/tarnlake/tarn/internal/format/scan"
	"github.com/tarnlake/tarn/internal/types"
)

// A table's column may have another type than the file's field, because the table was altered, or
// the file came from elsewhere. Where the values' layout allows, the leaf is simply read as the
// wanted type; otherwise vectors are cast after reading. Both lose nothing but what an error
// reports: integers and decimals widen or are checked, real becomes double, dates become timestamps
// at midnight, strings and bytes are the same bytes, no longer than the column allows.

// adapt gives the leaf as it is to be read for target, and the cast that remains.
func adapt(l leaf, target types.Type) (leaf, scan.Cast, bool) {
	from := l.typ
	if from.Equal(target) || l.unsupported != "" {
		return l, nil, true
	}
	relabel := func() (leaf, scan.Cast, bool) {
		l.typ = target
		return l, nil, true
	}
	isBytes := from.Physical() == types.PhysString
	switch {
	case isBytes && target.Physical() == types.PhysString:
		l.typ = target
		return l, scan.Strings(from, target), true
	case from.Kind == types.Decimal && target.Kind == types.Decimal && from.Scale == target.Scale && target.Precision >= from.Precision:
		return relabel()
	case from.IsInteger() && target.IsInteger() && target.Physical() >= from.Physical() && l.element.physical == physInt32:
		return relabel()
	case target.IsOID() && (from.Kind == types.Int64 || from.IsInteger() && l.element.physical == physInt32):
		l.typ = target
		return l, scan.Within(target, 0, math.MaxUint32), true
	case (from.Kind == types.Timestamp || from.Kind == types.TimestampTZ) && (target.Kind == types.Timestamp || target.Kind == types.TimestampTZ):
		return relabel()
	case from.Kind == types.Time && target.Kind == types.Time:
		return relabel()
	}
	cast := scan.Between(from, target)
	return l, cast, cast != nil
}
