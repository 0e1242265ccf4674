package vec

import (
	"strings"

	"github.com/tarnlake/tarn/internal/types"
)

// Datum gives the value of row i under any encoding; strings are copied. It is for constants,
// tests and single values, never for loops over rows.
func (v *Vector) Datum(i int) types.Datum {
	if v.IsNull(i) {
		return types.NullDatum()
	}
	switch v.Enc {
	case Const:
		i = 0
	case Dict:
		return v.Dict.Datum(int(Values[int32](v)[i]))
	}
	switch v.Type.Physical() {
	case types.PhysBool:
		return types.IntDatum(int64(Values[uint8](v)[i]))
	case types.PhysInt16:
		return types.IntDatum(int64(Values[int16](v)[i]))
	case types.PhysInt32:
		return types.IntDatum(int64(Values[int32](v)[i]))
	case types.PhysInt64:
		return types.IntDatum(Values[int64](v)[i])
	case types.PhysInt128:
		return types.Datum{I128: Values[types.Int128](v)[i]}
	case types.PhysFloat32:
		return types.FloatDatum(float64(Values[float32](v)[i]))
	case types.PhysFloat64:
		return types.FloatDatum(Values[float64](v)[i])
	case types.PhysInterval:
		return types.Datum{Span: Values[types.IntervalValue](v)[i]}
	case types.PhysString:
		return types.StringDatum(strings.Clone(v.Str(i)))
	case types.PhysList:
		return v.listDatum(Values[List](v)[i])
	case types.PhysRow:
		items := make([]types.Datum, len(v.Children))
		for f := range v.Children {
			items[f] = v.Children[f].Datum(i)
		}
		return types.Datum{Items: items}
	}
	return types.NullDatum()
}

func (v *Vector) listDatum(l List) types.Datum {
	items := make([]types.Datum, 0, int(l.Length)*len(v.Children))
	for at := int(l.Offset); at < int(l.Offset+l.Length); at++ {
		for c := range v.Children {
			items = append(items, v.Children[c].Datum(at))
		}
	}
	return types.Datum{Items: items}
}

// SetDatum stores d at row i of a Flat vector (or at index 0 of a Const one). Lists append their
// elements to the children.
func (v *Vector) SetDatum(i int, d types.Datum) {
	if d.Null {
		v.SetNull(i)
		v.zero(i)
		return
	}
	if v.Valid != nil {
		v.Valid.Set(i)
	}
	switch v.Type.Physical() {
	case types.PhysBool:
		Values[uint8](v)[i] = uint8(d.I64)
	case types.PhysInt16:
		Values[int16](v)[i] = int16(d.I64)
	case types.PhysInt32:
		Values[int32](v)[i] = int32(d.I64)
	case types.PhysInt64:
		Values[int64](v)[i] = d.I64
	case types.PhysInt128:
		Values[types.Int128](v)[i] = d.I128
	case types.PhysFloat32:
		Values[float32](v)[i] = float32(d.F64)
	case types.PhysFloat64:
		Values[float64](v)[i] = d.F64
	case types.PhysInterval:
		Values[types.IntervalValue](v)[i] = d.Span
	case types.PhysString:
		v.SetString(i, d.Str)
	case types.PhysList:
		v.setList(i, d.Items)
	case types.PhysRow:
		for f := range v.Children {
			v.Children[f].SetDatum(i, d.Items[f])
		}
	}
}

// zero gives the slot of a NULL a harmless value, so that kernels may compute over all lanes.
func (v *Vector) zero(i int) {
	w := v.Type.Physical().Width()
	clear(v.Data[i*w : (i+1)*w])
	if v.Type.Kind == types.Row {
		for f := range v.Children {
			v.Children[f].SetDatum(i, types.NullDatum())
		}
	}
}

func (v *Vector) setList(i int, items []types.Datum) {
	width := len(v.Children)
	offset := v.Children[0].Len
	Values[List](v)[i] = List{int32(offset), int32(len(items) / width)}
	for at, item := range items {
		v.Children[at%width].AppendDatum(item)
	}
}

// AppendDatum adds one row to a Flat vector.
func (v *Vector) AppendDatum(d types.Datum) {
	v.Extend(1)
	v.SetDatum(v.Len-1, d)
}

// Extend adds n rows to a Flat vector: zeroed, and valid.
func (v *Vector) Extend(n int) {
	old, w := v.Len, v.Type.Physical().Width()
	v.Len += n
	if need := v.Len * w; cap(v.Data) < need {
		data := AlignedBytes(max(need, 2*cap(v.Data), 64))
		copy(data, v.Data[:old*w])
		v.Data = data
	}
	v.Data = v.Data[:v.Len*w]
	clear(v.Data[old*w:])
	if v.Valid != nil {
		for len(v.Valid) < BitmapWords(v.Len) {
			v.Valid = append(v.Valid, 0)
		}
		for i := old; i < v.Len; i++ {
			v.Valid.Set(i)
		}
	}
	if v.Type.Kind == types.Row {
		for f := range v.Children {
			v.Children[f].Extend(n)
		}
	}
}
