package parquet

import (
	"strings"

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
		return l, padTo(target), true
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
	}
	cast := scan.Between(from, target)
	return l, cast, cast != nil
}

// padTo fills strings up with blanks to char(n)'s length in characters.
func padTo(to types.Type) scan.Cast {
	length := max(int(to.Length), 1)
	blanks := strings.Repeat(" ", length)
	var flat vec.Vector
	return func(dst, src *vec.Vector) error {
		vec.Flatten(&flat, src)
		dst.Resize(to, flat.Len)
		var text []byte
		for i := range flat.Len {
			if flat.IsNull(i) {
				dst.SetBytes(i, nil)
				continue
			}
			text = append(text[:0], flat.Bytes(i)...)
			characters := 0
			for _, c := range text {
				if c&0xc0 != 0x80 {
					characters++
				}
			}
			if characters < length {
				text = append(text, blanks[:length-characters]...)
			}
			dst.SetBytes(i, text)
		}
		dst.Valid = flat.Valid
		return nil
	}
}
