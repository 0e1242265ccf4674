package window

import (
	"github.com/tarnlake/tarn/internal/types"
	"github.com/tarnlake/tarn/internal/vec"
)

// Slice makes dst rows from … from+n-1 of src, which is Flat or Const, sharing its memory.
func Slice(dst, src *vec.Vector, from, n int) {
	dst.Alias(src)
	dst.Len = n
	if src.Enc == vec.Const {
		return
	}
	width := src.Type.Physical().Width()
	dst.Data = src.Data[from*width : (from+n)*width]
	dst.Valid = sliceBits(src.Valid, from, n)
	if src.Type.Physical() == types.PhysRow {
		dst.Children = make([]vec.Vector, len(src.Children))
		for i := range src.Children {
			Slice(&dst.Children[i], &src.Children[i], from, n)
		}
	}
}

func sliceBits(src vec.Bitmap, from, n int) vec.Bitmap {
	words := vec.BitmapWords(n)
	switch {
	case src == nil:
		return nil
	case from&63 == 0:
		return src[from>>6 : from>>6+words]
	}
	out := make(vec.Bitmap, words)
	first, shift := from>>6, uint(from)&63
	for i := range out {
		out[i] = src[first+i] >> shift
		if first+i+1 < len(src) {
			out[i] |= src[first+i+1] << (64 - shift)
		}
	}
	return out
}

// Extend appends the rows of src, Flat or Const, to dst, which is Flat and of src's type.
func Extend(dst, src *vec.Vector) {
	n, old := src.Len, dst.Len
	if src.Enc != vec.Flat || src.Type.Physical() == types.PhysList || src.Type.Physical() == types.PhysRow {
		for i := range n {
			dst.AppendDatum(src.Datum(i))
		}
		return
	}
	width := src.Type.Physical().Width()
	dst.Extend(n)
	copy(dst.Data[old*width:], src.Data[:n*width])
	if src.Type.Physical() == types.PhysString {
		renumber(dst, src, old)
	}
	if src.Valid == nil {
		return
	}
	for i := range n {
		if !src.Valid.Get(i) {
			dst.SetNull(old + i)
		}
	}
}

// renumber makes src's buffers known to dst and the views copied from row old on point to them.
func renumber(dst, src *vec.Vector, old int) {
	if len(src.Buffers) == 0 {
		return
	}
	base := uint64(len(dst.Buffers))
	dst.Buffers = append(dst.Buffers, src.Buffers...)
	views := vec.Values[vec.View](dst)[old : old+src.Len]
	for i := range views {
		if src.Valid.Get(i) && !views[i].Inline() {
			views[i].Tail += base
		}
	}
}
