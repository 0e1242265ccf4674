package rows

import (
	"encoding/binary"
	"math"

	"github.com/tarnlake/tarn/internal/types"
	"github.com/tarnlake/tarn/internal/vec"
)

// AppendValue serializes the value of row i, NULL included; ReadValue is the inverse. Equal values
// have equal bytes, and only they (−0 becomes 0; intervals are taken as they are written).
func AppendValue(out []byte, v *vec.Vector, i int) []byte {
	if v.IsNull(i) {
		return append(out, 0)
	}
	out = append(out, 1)
	switch v.Enc {
	case vec.Const:
		i = 0
	case vec.Dict:
		v, i = v.Dict, int(vec.Values[int32](v)[i])
	}
	switch v.Type.Physical() {
	case types.PhysBool:
		return append(out, vec.Values[uint8](v)[i])
	case types.PhysInt16:
		return binary.LittleEndian.AppendUint16(out, uint16(vec.Values[int16](v)[i]))
	case types.PhysInt32:
		return binary.LittleEndian.AppendUint32(out, uint32(vec.Values[int32](v)[i]))
	case types.PhysInt64:
		return binary.LittleEndian.AppendUint64(out, vec.Values[uint64](v)[i])
	case types.PhysFloat32:
		return binary.LittleEndian.AppendUint32(out, uint32(float32Key(vec.Values[float32](v)[i])))
	case types.PhysFloat64:
		return binary.LittleEndian.AppendUint64(out, float64Key(vec.Values[float64](v)[i]))
	case types.PhysInt128, types.PhysInterval:
		p := vec.Values[vec.View](v)[i]
		return binary.LittleEndian.AppendUint64(binary.LittleEndian.AppendUint64(out, p.Head), p.Tail)
	case types.PhysString:
		b := v.Bytes(i)
		return append(binary.AppendUvarint(out, uint64(len(b))), b...)
	case types.PhysList:
		l := vec.Values[vec.List](v)[i]
		out = binary.AppendUvarint(out, uint64(l.Length))
		for at := int(l.Offset); at < int(l.Offset+l.Length); at++ {
			for c := range v.Children {
				out = AppendValue(out, &v.Children[c], at)
			}
		}
	case types.PhysRow:
		for f := range v.Children {
			out = AppendValue(out, &v.Children[f], i)
		}
	}
	return out
}

// ReadValue reads what AppendValue wrote for a value of type t and returns what follows it.
func ReadValue(in []byte, t types.Type) (types.Datum, []byte) {
	if in[0] == 0 {
		return types.NullDatum(), in[1:]
	}
	in = in[1:]
	switch t.Physical() {
	case types.PhysBool:
		return types.IntDatum(int64(in[0])), in[1:]
	case types.PhysInt16:
		return types.IntDatum(int64(int16(binary.LittleEndian.Uint16(in)))), in[2:]
	case types.PhysInt32:
		return types.IntDatum(int64(int32(binary.LittleEndian.Uint32(in)))), in[4:]
	case types.PhysInt64:
		return types.IntDatum(int64(binary.LittleEndian.Uint64(in))), in[8:]
	case types.PhysFloat32:
		return types.FloatDatum(float64(math.Float32frombits(binary.LittleEndian.Uint32(in)))), in[4:]
	case types.PhysFloat64:
		return types.FloatDatum(math.Float64frombits(binary.LittleEndian.Uint64(in))), in[8:]
	case types.PhysInt128:
		return types.Datum{I128: types.Int128{Lo: binary.LittleEndian.Uint64(in), Hi: int64(binary.LittleEndian.Uint64(in[8:]))}}, in[16:]
	case types.PhysInterval:
		days := binary.LittleEndian.Uint64(in[8:])
		return types.Datum{Span: types.IntervalValue{Micros: int64(binary.LittleEndian.Uint64(in)),
			Days: int32(uint32(days)), Months: int32(days >> 32)}}, in[16:]
	case types.PhysString:
		n, size := binary.Uvarint(in)
		return types.StringDatum(string(in[size : size+int(n)])), in[size+int(n):]
	case types.PhysList:
		return readList(in, t)
	case types.PhysRow:
		items := make([]types.Datum, len(t.Fields))
		for f := range t.Fields {
			items[f], in = ReadValue(in, t.Fields[f].Type)
		}
		return types.Datum{Items: items}, in
	}
	return types.NullDatum(), in
}

func readList(in []byte, t types.Type) (types.Datum, []byte) {
	n, size := binary.Uvarint(in)
	in = in[size:]
	members := []types.Type{}
	if t.Key != nil {
		members = append(members, *t.Key)
	}
	members = append(members, *t.Elem)
	items := make([]types.Datum, 0, int(n)*len(members))
	for range int(n) * len(members) {
		var item types.Datum
		item, in = ReadValue(in, members[len(items)%len(members)])
		items = append(items, item)
	}
	return types.Datum{Items: items}, in
}
