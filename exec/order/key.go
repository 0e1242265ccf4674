package order

import (
	"bytes"
	"encoding/binary"
	"math"

	"github.com/tarnlake/tarn/internal/plan"
	"github.com/tarnlake/tarn/internal/types"
	"github.com/tarnlake/tarn/internal/vec"
)

// AppendKey appends row i's normalized key for one sort column: byte order is sort order, and no key
// is a prefix of another one of the same type.
func AppendKey(out []byte, v *vec.Vector, i int, k plan.SortKey) []byte {
	if v.IsNull(i) {
		if k.NullsFirst {
			return append(out, 0)
		}
		return append(out, 2)
	}
	out = append(out, 1)
	start := len(out)
	switch v.Enc {
	case vec.Const:
		i = 0
	case vec.Dict:
		v, i = v.Dict, int(vec.Values[int32](v)[i])
	}
	out = appendValue(out, v, i)
	if k.Descending {
		for at := start; at < len(out); at++ {
			out[at] = ^out[at]
		}
	}
	return out
}

// appendValue appends a non-null value of a flat vector, ascending.
func appendValue(out []byte, v *vec.Vector, i int) []byte {
	switch v.Type.Physical() {
	case types.PhysBool:
		return append(out, vec.Values[uint8](v)[i])
	case types.PhysInt16:
		return binary.BigEndian.AppendUint16(out, uint16(vec.Values[int16](v)[i])^1<<15)
	case types.PhysInt32:
		return binary.BigEndian.AppendUint32(out, uint32(vec.Values[int32](v)[i])^1<<31)
	case types.PhysInt64:
		return binary.BigEndian.AppendUint64(out, uint64(vec.Values[int64](v)[i])^1<<63)
	case types.PhysFloat32:
		return binary.BigEndian.AppendUint64(out, floatKey(float64(vec.Values[float32](v)[i])))
	case types.PhysFloat64:
		return binary.BigEndian.AppendUint64(out, floatKey(vec.Values[float64](v)[i]))
	case types.PhysInt128:
		w := vec.Values[types.Int128](v)[i]
		high := uint64(w.Hi)
		if v.Type.Kind != types.UUID {
			high ^= 1 << 63
		}
		return binary.BigEndian.AppendUint64(binary.BigEndian.AppendUint64(out, high), w.Lo)
	case types.PhysInterval:
		w := intervalKey(vec.Values[types.IntervalValue](v)[i])
		return binary.BigEndian.AppendUint64(binary.BigEndian.AppendUint64(out, uint64(w.Hi)^1<<63), w.Lo)
	case types.PhysString:
		return appendString(out, v.Bytes(i))
	case types.PhysList:
		l := vec.Values[vec.List](v)[i]
		for at := int(l.Offset); at < int(l.Offset+l.Length); at++ {
			out = append(out, 1)
			for c := range v.Children {
				out = AppendKey(out, &v.Children[c], at, plan.SortKey{})
			}
		}
		return append(out, 0)
	case types.PhysRow:
		for f := range v.Children {
			out = AppendKey(out, &v.Children[f], i, plan.SortKey{})
		}
	}
	return out
}

// floatKey orders like the numbers, −0 with 0 and NaN above all.
func floatKey(f float64) uint64 {
	switch {
	case f == 0:
		f = 0
	case f != f:
		return math.MaxUint64
	}
	b := math.Float64bits(f)
	if b>>63 != 0 {
		return ^b
	}
	return b | 1<<63
}

// intervalKey is the interval's length by PostgreSQL's rule for comparing.
func intervalKey(v types.IntervalValue) types.Int128 {
	days := int64(v.Months)*30 + int64(v.Days)
	return types.MulInt64(days, 86_400_000_000).Add(types.Int128FromInt64(v.Micros))
}

// appendString escapes zero bytes, so that the terminator sorts before any continuation.
func appendString(out, s []byte) []byte {
	for {
		at := bytes.IndexByte(s, 0)
		if at < 0 {
			return append(append(out, s...), 0, 0)
		}
		out = append(append(out, s[:at]...), 0, 0xff)
		s = s[at+1:]
	}
}
