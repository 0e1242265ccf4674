package kernel

import (
	"github.com/tarnlake/tarn/internal/types"
	"github.com/tarnlake/tarn/internal/vec"
)

// Flatten makes dst the Flat form of src at the rows listed (nil: all of src.Len), reusing dst's
// memory; a Flat src is aliased. Codes of other rows are not read.
func Flatten(dst, src *vec.Vector, rows []int32) {
	if src.Enc == vec.Flat {
		dst.Alias(src)
		return
	}
	if src.Type.Physical() == types.PhysRow || rows == nil && src.Enc == vec.Dict {
		vec.Flatten(dst, src)
		return
	}
	base, index, constant := src.Base()
	n := src.Len
	dst.Resize(src.Type, n)
	dst.Buffers = base.Buffers[:len(base.Buffers):len(base.Buffers)]
	if len(base.Children) > 0 {
		dst.ShareChildren(base)
	}
	switch src.Type.Physical().Width() {
	case 1:
		spread(vec.Values[uint8](dst), vec.Values[uint8](base), index, rows)
	case 2:
		spread(vec.Values[int16](dst), vec.Values[int16](base), index, rows)
	case 4:
		spread(vec.Values[int32](dst), vec.Values[int32](base), index, rows)
	case 8:
		spread(vec.Values[int64](dst), vec.Values[int64](base), index, rows)
	case 16:
		spread(vec.Values[vec.View](dst), vec.Values[vec.View](base), index, rows)
	}
	switch {
	case src.Valid == nil:
	case constant && !src.Valid.Get(0):
		clear(dst.MakeValid())
	case !constant:
		dst.Valid = src.Valid
	}
}

func spread[T any](dst, src []T, index, rows []int32) {
	switch {
	case index == nil && rows == nil:
		value := src[0]
		for i := range dst {
			dst[i] = value
		}
	case index == nil:
		value := src[0]
		for _, r := range rows {
			dst[r] = value
		}
	default:
		for _, r := range rows {
			dst[r] = src[index[r]]
		}
	}
}

// Scatter copies the rows listed (nil: all of dst.Len) from src, in any encoding, to the same rows of
// dst, which is Flat and of the same layout; NULLs too. Strings are shared, not copied.
func Scatter(dst, src *vec.Vector, rows []int32) {
	physical := dst.Type.Physical()
	switch physical {
	case types.PhysList, types.PhysRow, types.PhysNone:
		for k := range Count(rows, dst.Len) {
			r := rowAt(rows, k)
			dst.SetDatum(r, src.Datum(r))
		}
		return
	}
	base, index, constant := src.Base()
	if src.MayHaveNulls() {
		scatterValid(dst, src, rows)
		if constant {
			if src.IsNull(0) {
				return
			}
		} else {
			rows = Valid(nil, rows, src.Valid, dst.Len)
		}
	} else if dst.Valid != nil {
		scatterValid(dst, src, rows)
	}
	switch physical.Width() {
	case 1:
		scatter(vec.Values[uint8](dst), vec.Values[uint8](base), index, constant, rows)
	case 2:
		scatter(vec.Values[int16](dst), vec.Values[int16](base), index, constant, rows)
	case 4:
		scatter(vec.Values[int32](dst), vec.Values[int32](base), index, constant, rows)
	case 8:
		scatter(vec.Values[int64](dst), vec.Values[int64](base), index, constant, rows)
	case 16:
		if physical == types.PhysString {
			scatterViews(dst, base, index, constant, rows)
		} else {
			scatter(vec.Values[vec.View](dst), vec.Values[vec.View](base), index, constant, rows)
		}
	}
}

func scatter[T any](dst, src []T, index []int32, constant bool, rows []int32) {
	switch {
	case constant && rows == nil:
		value := src[0]
		for i := range dst {
			dst[i] = value
		}
	case constant:
		value := src[0]
		for _, r := range rows {
			dst[r] = value
		}
	case rows == nil && index == nil:
		copy(dst, src)
	case rows == nil:
		for i := range dst {
			dst[i] = src[index[i]]
		}
	case index == nil:
		for _, r := range rows {
			dst[r] = src[r]
		}
	default:
		for _, r := range rows {
			dst[r] = src[index[r]]
		}
	}
}

// scatterViews makes base's buffers known to dst and renumbers the views that point into them.
func scatterViews(dst, base *vec.Vector, index []int32, constant bool, rows []int32) {
	to, from := vec.Values[vec.View](dst), vec.Values[vec.View](base)
	shift := uint64(len(dst.Buffers))
	dst.Buffers = append(dst.Buffers, base.Buffers...)
	for k := range Count(rows, dst.Len) {
		r := rowAt(rows, k)
		at := r
		switch {
		case constant:
			at = 0
		case index != nil:
			at = int(index[r])
		}
		view := from[at]
		if !view.Inline() {
			view.Tail += shift
		}
		to[r] = view
	}
}

func scatterValid(dst, src *vec.Vector, rows []int32) {
	if dst.Valid == nil {
		dst.MakeValid()
	}
	for k := range Count(rows, dst.Len) {
		r := rowAt(rows, k)
		dst.Valid.SetTo(r, !src.IsNull(r))
	}
}

// NullAll makes every row of a Flat vector NULL, with harmless values.
func NullAll(v *vec.Vector) {
	clear(v.Data)
	clear(v.MakeValid())
	for i := range v.Children {
		if v.Type.Kind == types.Row {
			NullAll(&v.Children[i])
		}
	}
}

// SetNulls marks the rows listed as NULL.
func SetNulls(v *vec.Vector, rows []int32) {
	if len(rows) == 0 {
		return
	}
	if v.Valid == nil {
		v.MakeValid()
	}
	for _, r := range rows {
		v.Valid.Clear(int(r))
	}
}
