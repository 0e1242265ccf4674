package lake

import (
	"bytes"
	"cmp"
	"slices"

	"github.com/tarnlake/tarn/internal/format/parquet"
	"github.com/tarnlake/tarn/internal/types"
	"github.com/tarnlake/tarn/internal/vec"
)

// rowBuffer gathers rows of several batches in memory of its own.
type rowBuffer struct {
	columns []vec.Vector
	bytes   int64
}

func (r *rowBuffer) rows() int {
	if len(r.columns) == 0 {
		return 0
	}
	return r.columns[0].Len
}

func (r *rowBuffer) reset() { r.columns, r.bytes = nil, 0 }

func (r *rowBuffer) batch() *vec.Batch { return &vec.Batch{Cols: r.columns, Len: r.rows()} }

// add copies the selected rows of b.
func (r *rowBuffer) add(schema types.Schema, b *vec.Batch) {
	if r.columns == nil {
		r.columns = make([]vec.Vector, len(schema))
		for i := range schema {
			r.columns[i].Resize(schema[i].Type, 0)
		}
	}
	for i := range r.columns {
		r.bytes += appendRows(&r.columns[i], &b.Cols[i], b.Sel)
	}
}

// appendRows copies rows (nil: all) of src to the end of dst, which is flat, and gives the bytes taken.
func appendRows(dst, src *vec.Vector, rows []int32) int64 {
	from, count := dst.Len, src.Len
	if rows != nil {
		count = len(rows)
	}
	dst.Extend(count)
	physical := dst.Type.Physical()
	width := physical.Width()
	taken := int64(count * width)
	base, codes, constant := src.Base()
	for i := range count {
		row := i
		if rows != nil {
			row = int(rows[i])
		}
		if src.IsNull(row) {
			dst.SetNull(from + i)
			continue
		}
		at := row
		if constant {
			at = 0
		} else if codes != nil {
			at = int(codes[row])
		}
		switch physical {
		case types.PhysString:
			s := base.Bytes(at)
			dst.SetBytes(from+i, s)
			if len(s) > vec.InlineLength {
				taken += int64(len(s))
			}
		case types.PhysList, types.PhysRow:
			dst.SetDatum(from+i, base.Datum(at))
			taken += 64
		default:
			copy(dst.Data[(from+i)*width:(from+i+1)*width], base.Data[at*width:(at+1)*width])
		}
	}
	return taken
}

// sortedOrder gives the rows of a flat batch in ascending order of keys, NULLs last, equal rows as
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

// comparer compares rows of a flat vector.
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
