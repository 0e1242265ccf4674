package orc

import (
	"math"

	"github.com/tarnlake/tarn/internal/format/scan"
	"github.com/tarnlake/tarn/internal/types"
	"github.com/tarnlake/tarn/internal/vec"
)

// A table's column may have another type than the file's field, because the table was altered, or
// the file came from elsewhere. Where the values' layout allows, the field is simply read as the
// wanted type; otherwise vectors are cast after reading (scan.Between).

// adapt gives the type as which a field is to be read for target, and the cast that remains; false
// when there is no way.
func adapt(n *node, target types.Type) (types.Type, scan.Cast, bool) {
	from := n.typ
	switch {
	case n.kind == kindBinary && target.Kind == types.UUID:
		return types.Of(types.Bytea), castUUID, true
	case from.Kind == types.UUID: // its bytes
		from = types.Of(types.Bytea)
	}
	if from.Equal(target) {
		return from, nil, true
	}
	switch {
	case from.Physical() == types.PhysString && target.Physical() == types.PhysString:
		if n.kind == kindChar { // trimmed while it is read
			from = types.Type{Kind: types.Char, Length: from.Length}
		}
		return target, scan.Strings(from, target), true
	case from.Kind == types.Int64 && target.IsOID():
		return from, scan.Within(target, 0, math.MaxUint32), true
	case from.Kind == types.Int64 && target.Kind == types.Time:
		return from, scan.Within(target, 0, 86_400_000_000), true
	case from.Kind == types.Decimal && target.Kind == types.Decimal && from.Scale == target.Scale &&
		target.Precision >= from.Precision && from.Physical() == target.Physical(),
		isTimestamp(from) && isTimestamp(target):
		return target, nil, true
	}
	cast := scan.Between(from, target)
	return from, cast, cast != nil
}

func isTimestamp(t types.Type) bool { return t.Kind == types.Timestamp || t.Kind == types.TimestampTZ }

// newStored makes the reader of a field, with its wanted members, as the wanted type.
func (r *Reader) newStored(n *node, target types.Type, path string, subfields [][]int, nested bool) (*storedColumn, error) {
	c := &storedColumn{reader: r, node: n, path: path}
	var err error
	switch n.kind {
	case kindList, kindMap, kindStruct, kindUnion:
		c.values, err = r.newNested(n, target, path, subfields)
	default:
		natural, cast, ok := adapt(n, target)
		if !ok {
			return nil, r.file.mismatch(path, n.typ, target)
		}
		c.cast = cast
		c.values = r.newValues(n, natural, nested)
	}
	if err != nil {
		return nil, err
	}
	return c, nil
}

// newValues makes the reader of a flat field's values.
func (r *Reader) newValues(n *node, t types.Type, nested bool) values {
	switch n.kind {
	case kindBoolean:
		return &boolValues{reader: r}
	case kindByte:
		return &byteValues{reader: r}
	case kindShort:
		return &narrowValues[int16]{typ: t, reader: r}
	case kindInt, kindDate:
		return &narrowValues[int32]{typ: t, reader: r}
	case kindLong:
		return &longValues{typ: t}
	case kindFloat:
		return &floatValues{reader: r, typ: t, width: 4}
	case kindDouble:
		return &floatValues{reader: r, typ: t, width: 8}
	case kindTimestamp, kindInstant:
		return &timestampValues{typ: t, reader: r, instant: n.kind == kindInstant}
	case kindDecimal:
		if r.file.decimal64(n) {
			return &longValues{typ: t}
		}
		return &decimalValues{reader: r, typ: t, scale: int64(n.scale), precision: int(t.Precision)}
	}
	isText := n.kind != kindBinary || t.Kind != types.Bytea
	return &stringValues{reader: r, typ: t, text: isText && t.Kind != types.Bytea, trim: n.kind == kindChar || t.Kind == types.Char, nested: nested}
}

// decimal64 tells whether decimals are stored as plain integers, as the drafts of version 2 have it.
func (f *File) decimal64(n *node) bool {
	return len(f.meta.version) > 0 && f.meta.version[0] >= 1 && n.typ.Precision <= types.MaxInt64Precision
}

func (r *Reader) newNested(n *node, target types.Type, path string, subfields [][]int) (values, error) {
	kinds := map[typeKind]types.Kind{kindList: types.Array, kindMap: types.Map, kindStruct: types.Row, kindUnion: types.Row}
	if target.Kind != kinds[n.kind] {
		return nil, r.file.mismatch(path, n.typ, target)
	}
	member := func(from *node, t types.Type, name string) (*storedColumn, error) {
		return r.newStored(from, t, path+"."+name, nil, true)
	}
	switch n.kind {
	case kindUnion:
		return r.newUnion(n, target, path, subfields)
	case kindList:
		c, err := member(n.children[0], *target.Elem, "element")
		return &listValues{typ: target, kinds: []types.Type{*target.Elem}, members: members{[]*storedColumn{c}}}, err
	case kindMap:
		key, err := member(n.children[0], *target.Key, "key")
		if err != nil {
			return nil, err
		}
		value, err := member(n.children[1], *target.Elem, "value")
		return &listValues{typ: target, kinds: []types.Type{*target.Key, *target.Elem}, members: members{[]*storedColumn{key, value}}}, err
	}
	v := &structValues{typ: target}
	for i, f := range target.Fields {
		v.kinds = append(v.kinds, f.Type)
		var c *storedColumn
		below, wanted := scan.Below(subfields, i)
		if from := n.fieldNamed(f.Name, i, len(target.Fields)); from != nil && wanted {
			var err error
			if c, err = r.newStored(from, f.Type, path+"."+from.name, below, true); err != nil {
				return nil, err
			}
		}
		v.columns = append(v.columns, c)
	}
	return v, nil
}

// castUUID reads 16 bytes as a UUID.
func castUUID(dst, src *vec.Vector) error {
	var flat vec.Vector
	vec.Flatten(&flat, src)
	dst.Resize(types.Of(types.UUID), flat.Len)
	out := vec.Values[types.Int128](dst)
	for i := range out {
		out[i] = types.Int128{}
		if flat.IsNull(i) {
			continue
		}
		b := flat.Bytes(i)
		if len(b) != 16 {
			return errUUID
		}
		out[i] = types.Int128{Hi: int64(bigEndian(b[:8])), Lo: bigEndian(b[8:])}
	}
	dst.Valid = flat.Valid
	return nil
}
