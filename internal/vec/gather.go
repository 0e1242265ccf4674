package vec

import "github.com/tarnlake/tarn/internal/types"

// Gather makes dst the rows of src listed in rows, in that order. Constants and dictionaries stay
// encoded; strings are shared by reference. dst's memory is reused and must not be src's.
func Gather(dst, src *Vector, rows []int32) {
	switch src.Enc {
	case Const:
		dst.Alias(src)
		dst.Len = len(rows)
		return
	case Dict:
		dst.ResizeDict(src.Dict, src.DictID, len(rows))
		gatherFixed(Values[int32](dst), Values[int32](src), rows)
		gatherValid(dst, src, rows)
		return
	}
	gatherFlat(dst, src, rows)
}

func gatherFlat(dst, src *Vector, rows []int32) {
	children := src.Children
	dst.Type, dst.Enc, dst.Len, dst.Valid, dst.Dict, dst.DictID = src.Type, Flat, len(rows), nil, nil, 0
	dst.Buffers, dst.heap, dst.heapOpen = src.Buffers[:len(src.Buffers):len(src.Buffers)], nil, false
	physical := src.Type.Physical()
	dst.resizeData(physical.Width() * len(rows))
	switch physical {
	case types.PhysBool:
		gatherFixed(Values[uint8](dst), Values[uint8](src), rows)
	case types.PhysInt16:
		gatherFixed(Values[int16](dst), Values[int16](src), rows)
	case types.PhysInt32, types.PhysFloat32:
		gatherFixed(Values[int32](dst), Values[int32](src), rows)
	case types.PhysInt64, types.PhysFloat64, types.PhysList:
		gatherFixed(Values[int64](dst), Values[int64](src), rows)
	case types.PhysInt128, types.PhysInterval, types.PhysString:
		gatherFixed(Values[View](dst), Values[View](src), rows)
	}
	switch physical {
	case types.PhysList:
		dst.ShareChildren(src)
	case types.PhysRow:
		fields := make([]Vector, len(children))
		for i := range children {
			Gather(&fields[i], &children[i], rows)
		}
		dst.Children = fields
	default:
		dst.Children = nil
	}
	gatherValid(dst, src, rows)
}

func gatherFixed[T Fixed](dst, src []T, rows []int32) {
	dst = dst[:len(rows)]
	for i, r := range rows {
		dst[i] = src[r]
	}
}

func gatherValid(dst, src *Vector, rows []int32) {
	if src.Valid == nil {
		return
	}
	valid := make(Bitmap, BitmapWords(max(len(rows), 1)))
	for i, r := range rows {
		valid[i>>6] |= (src.Valid[r>>6] >> (uint(r) & 63) & 1) << (uint(i) & 63)
	}
	dst.Valid = valid
}

// Flatten makes dst the Flat form of src's Len rows. dst's memory is reused and must not be src's;
// when src is Flat already, dst aliases it.
func Flatten(dst, src *Vector) {
	switch src.Enc {
	case Flat:
		dst.Alias(src)
	case Const:
		rows := make([]int32, src.Len)
		base := *src
		base.Enc, base.Len = Flat, 1
		if base.Valid != nil {
			base.Valid = base.Valid[:1]
		}
		gatherFlat(dst, &base, rows)
	case Dict:
		valid := src.Valid
		gatherFlat(dst, src.Dict, src.Codes())
		dst.Valid = valid
	}
}

// CopyFrom makes v an independent copy of src's Len rows: no memory is shared but immutable string
// buffers and dictionaries.
func (v *Vector) CopyFrom(src *Vector) {
	v.Alias(src)
	v.Data = append(AlignedBytes(len(src.Data))[:0], src.Data...)
	if src.Valid != nil {
		v.Valid = append(Bitmap(nil), src.Valid...)
	}
	v.Buffers = append([][]byte(nil), src.Buffers...)
	v.Children = make([]Vector, len(src.Children))
	for i := range src.Children {
		v.Children[i].CopyFrom(&src.Children[i])
	}
	v.borrowed = false
}
