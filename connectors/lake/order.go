package lake

import (
	"bytes"
	"cmp"
	"slices"

	"github.com/tarnlake/tarn/internal/format/parquet"
	"github.com/tarnlake/tarn/internal/types"
	"github.com/tarnlake/tarn/internal/vec"
)

// sortedOrder gives the rows of a batch in ascending order of keys, NULLs last, equal rows as
// they came.
func sortedOrder(b *vec.Batch, keys []parquet.SortColumn) []int32 {
	order := make([]int32, b.Len)
	for i := range order {
		order[i] = int32(i)
	}
	comparers := make([]func(x, y int32) int, len(keys))
	for i, key := range keys {
		comparers[i] = comparer(&b.Cols[key.Column])
	}
	slices.SortStableFunc(order, func(x, y int32) int {
		for _, compare := range comparers {
			if c := compare(x, y); c != 0 {
				return c
			}
		}
		return 0
	})
	return order
}

// comparer compares rows of a vector, Flat or (for strings) Dict.
func comparer(v *vec.Vector) func(x, y int32) int {
	compare := valueComparer(v)
	if v.Valid == nil {
		return compare
	}
	return func(x, y int32) int {
		switch nullX, nullY := !v.Valid.Get(int(x)), !v.Valid.Get(int(y)); {
		case nullX && nullY:
			return 0
		case nullX:
			return 1
		case nullY:
			return -1
		}
		return compare(x, y)
	}
}

func valueComparer(v *vec.Vector) func(x, y int32) int {
	switch v.Type.Physical() {
	case types.PhysBool:
		return ordered(vec.Values[uint8](v))
	case types.PhysInt16:
		return ordered(vec.Values[int16](v))
	case types.PhysInt32:
		return ordered(vec.Values[int32](v))
	case types.PhysInt64:
		return ordered(vec.Values[int64](v))
	case types.PhysString:
		if v.Type.Kind != types.Char {
			return func(x, y int32) int { return bytes.Compare(v.Bytes(int(x)), v.Bytes(int(y))) }
		}
	}
	t := v.Type
	return func(x, y int32) int { return types.CompareDatums(t, v.Datum(int(x)), v.Datum(int(y))) }
}

func ordered[T cmp.Ordered](values []T) func(x, y int32) int {
	return func(x, y int32) int { return cmp.Compare(values[x], values[y]) }
}
