package scan

import (
	"encoding/binary"

	"github.com/zeebo/xxh3"

	"github.com/tarnlake/tarn/internal/objstore"
	"github.com/tarnlake/tarn/internal/types"
	"github.com/tarnlake/tarn/internal/vec"
)

// Nulls makes dst n rows, or those that pick lists, of a column that the file does not have.
func Nulls(dst *vec.Vector, t types.Type, n int, pick []int32) {
	if pick != nil {
		n = len(pick)
	}
	dst.ResizeConst(t, n)
	dst.SetDatum(0, types.NullDatum())
}

// Positions makes dst the positions of n rows from the first on, or of those that pick lists.
func Positions(dst *vec.Vector, first int64, n int, pick []int32) {
	if pick != nil {
		n = len(pick)
	}
	dst.Resize(types.Of(types.Int64), n)
	out := vec.Values[int64](dst)[:n]
	if pick != nil {
		for i, at := range pick {
			out[i] = first + int64(at)
		}
		return
	}
	for i := range out {
		out[i] = first + int64(i)
	}
}

// DictionaryID names the dictionary of a column in a unit (row group, stripe) of a file, for
// vec.Vector.DictID.
func DictionaryID(object objstore.Object, unit, column int) uint64 {
	id := make([]byte, 0, 128)
	id = append(append(id, object.Path...), object.ETag...)
	id = binary.LittleEndian.AppendUint64(id, uint64(unit))
	id = binary.LittleEndian.AppendUint64(id, uint64(column))
	return xxh3.Hash(id) | 1
}
