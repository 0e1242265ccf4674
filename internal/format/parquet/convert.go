package parquet

import (
	"bytes"

	"github.com/tarnlake/tarn/internal/format/scan"
	"github.com/tarnlake/tarn/internal/types"
	"github.com/tarnlake/tarn/internal/vec"
)

// A table's column may have another type than the file's field, because the table was altered, or
// the file came from elsewhere. Where the values' layout allows, the leaf is simply read as the
// wanted type; otherwise vectors are cast after reading. Both lose nothing but what an error
// reports: integers and decimals widen or are checked, real becomes double, dates become timestamps
// at midnight, strings and bytes are the same bytes.

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
	case isBytes && target.Kind == types.Char:
		return l, withoutBlanks(target), true
	case isBytes && target.Physical() == types.PhysString:
		return relabel()
	case from.Kind == types.Decimal && target.Kind == types.Decimal && from.Scale == target.Scale && target.Precision >= from.Precision:
		return relabel()
	case from.IsInteger() && (target.IsInteger() || target.IsOID()) && target.Physical() >= from.Physical() && l.element.physical == physInt32:
		return relabel()
	case from.Kind == types.Int64 && target.IsOID():
		return relabel()
	case (from.Kind == types.Timestamp || from.Kind == types.TimestampTZ) && (target.Kind == types.Timestamp || target.Kind == types.TimestampTZ):
		return relabel()
	case from.Kind == types.Time && target.Kind == types.Time:
		return relabel()
	}
	cast := scan.Between(from, target)
	return l, cast, cast != nil
}

// withoutBlanks cuts the blanks at the end of strings, for char(n) is held without them.
func withoutBlanks(to types.Type) scan.Cast {
	var flat vec.Vector
	return func(dst, src *vec.Vector) error {
		vec.Flatten(&flat, src)
		dst.Resize(to, flat.Len)
		for i := range flat.Len {
			if flat.IsNull(i) {
				dst.SetBytes(i, nil)
				continue
			}
			dst.SetBytes(i, bytes.TrimRight(flat.Bytes(i), " "))
		}
		dst.Valid = flat.Valid
		return nil
	}
}
