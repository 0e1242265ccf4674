package kernel

import (
	"github.com/tarnlake/tarn/internal/types"
	"github.com/tarnlake/tarn/internal/vec"
)

// PickTruth lists in dst's memory the rows on which a boolean vector, in any encoding, is want; NULL
// never is. dst may be rows.
func PickTruth(dst []int32, v *vec.Vector, want bool, rows []int32) []int32 {
	n := v.Len
	dst = Room(dst, Count(rows, n))
	if v.Type.Kind == types.Unknown {
		return dst[:0]
	}
	flag := uint8(0)
	if want {
		flag = 1
	}
	switch v.Enc {
	case vec.Const:
		if v.IsNull(0) || vec.Values[uint8](v)[0] != flag {
			return dst[:0]
		}
		if rows == nil {
			return All(dst, n)
		}
		return dst[:copy(dst, rows)]
	case vec.Dict:
		return PickCodes(dst, v.Codes(), vec.Values[uint8](v.Dict), flag, v.Valid, rows)
	}
	return Valid(dst, pickConst(dst, 0, vec.Values[uint8](v)[:n], flag, rows), v.Valid, n)
}

// PickCodes lists the rows whose code has the given flag in table and that are valid.
func PickCodes(dst []int32, codes []int32, table []uint8, flag uint8, valid vec.Bitmap, rows []int32) []int32 {
	dst = Room(dst, Count(rows, len(codes)))
	if rows == nil {
		return Valid(dst, dst[:pick(dst, codes, func(c int32) bool { return table[c] == flag })], valid, len(codes))
	}
	return Valid(dst, dst[:pickAt(dst, codes, rows, func(c int32) bool { return table[c] == flag })], valid, len(codes))
}
