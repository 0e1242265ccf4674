package functions

import (
	"math"
	"slices"

	"github.com/tarnlake/tarn/internal/fn"
	"github.com/tarnlake/tarn/internal/sqlerr"
	"github.com/tarnlake/tarn/internal/types"
)

func sameItem(t types.Type, a, b types.Datum) bool {
	if a.Null || b.Null {
		return a.Null && b.Null
	}
	return types.CompareDatums(t, a, b) == 0
}

// indexOf finds an item from position from (0-based) on, NULL being equal to NULL; -1 for none.
func indexOf(t types.Type, items []types.Datum, x types.Datum, from int) int {
	for i := max(from, 0); i < len(items); i++ {
		if sameItem(t, items[i], x) {
			return i
		}
	}
	return -1
}

// arrayAccess reads single elements and slices.
func arrayAccess() []fn.Overload {
	has := called(returning(boolean, arrayRow("contains", "Tells whether an array holds a value.", "contains(ARRAY[1, 2], 2) → true", []fn.Param{anyArray, anyElement},
		toFixed(func(r row) (uint8, bool, error) {
			if r.null(0) || r.null(1) {
				return 0, false, nil
			}
			items, t := r.datum(0).Items, *r.args[0].Type.Elem
			if indexOf(t, items, r.datum(1), 0) >= 0 {
				return 1, true, nil
			}
			return 0, !slices.ContainsFunc(items, func(d types.Datum) bool { return d.Null }), nil
		}))))
	out := aliases([]fn.Overload{has}, "array_contains", "list_contains")
	position := toFixed(func(r row) (int32, bool, error) {
		if r.null(0) {
			return 0, false, nil
		}
		from := int32(1)
		if r.given(2) {
			if r.null(2) {
				return 0, false, errorf(sqlerr.NullValueNotAllowed, "initial position must not be null")
			}
			from = r.int32(2)
		}
		at := indexOf(*r.args[0].Type.Elem, r.datum(0).Items, elementOf(r, 1), int(from)-1)
		return int32(at + 1), at >= 0, nil
	})
	search := []fn.Param{anyArray, anyElement, {Name: "start", Type: integer}}
	low, high := fn.Param{Name: "low", Type: integer}, fn.Param{Name: "high", Type: integer}
	return append(out,
		called(returning(integer, arrayRow("array_position", "Subscript of the first element equal to a value, NULL for none.", "array_position(ARRAY['sun', 'mon'], 'mon') → 2", search[:2:2], position))),
		failing(called(returning(integer, arrayRow("array_position", "The same, searching from a subscript on.", "array_position(ARRAY[1, 2, 1], 1, 2) → 3", search, position)))),
		called(returning(types.ArrayOf(integer), arrayRow("array_positions", "Subscripts of all elements equal to a value.", "array_positions(ARRAY['A', 'B', 'A'], 'A') → {1,3}", search[:2:2],
			toDatum(func(r row) (types.Datum, error) {
				if r.null(0) {
					return types.NullDatum(), nil
				}
				out := types.Datum{Items: []types.Datum{}}
				for i, d := range r.datum(0).Items {
					if sameItem(*r.args[0].Type.Elem, d, elementOf(r, 1)) {
						out.Items = append(out.Items, types.IntDatum(int64(i)+1))
					}
				}
				return out, nil
			})))),
		returning(void, arrayRow(fn.SubscriptOf, "", "", []fn.Param{family("container", fn.Any), family("key", fn.Any)}, toDatum(func(r row) (types.Datum, error) {
			if r.args[0].Type.Kind == types.Map {
				return mapValue(r), nil
			}
			return itemAt(r.datum(0).Items, r.datum(1).I64), nil
		}))),
		returning(void, arrayRow(fn.SliceOf, "", "", []fn.Param{anyArray, low, high}, toDatum(func(r row) (types.Datum, error) {
			return types.Datum{Items: sliceItems(r.datum(0).Items, int64(r.int32(1)), int64(r.int32(2)))}, nil
		}))),
		resultOf(elementType, arrayRow("element_at", "Element number n, from the end for a negative one; NULL outside.", "element_at(ARRAY[7, 8, 9], -1) → 9", []fn.Param{anyArray, {Name: "n", Type: bigint}},
			toDatum(func(r row) (types.Datum, error) {
				items, n := r.datum(0).Items, r.int64(1)
				if n < 0 {
					n += int64(len(items)) + 1
				}
				return itemAt(items, n), nil
			}))),
		resultOf(firstType, arrayRow("slice", "The part of an array that begins at start (from the end for a negative one).", "slice(ARRAY[1, 2, 3, 4], 2, 2) → {2,3}",
			[]fn.Param{anyArray, {Name: "start", Type: bigint}, {Name: "length", Type: bigint}}, toDatum(func(r row) (types.Datum, error) {
				items, start := r.datum(0).Items, r.int64(1)
				if start < 0 {
					start += int64(len(items)) + 1
				}
				if start < 1 {
					return types.Datum{Items: []types.Datum{}}, nil
				}
				return types.Datum{Items: sliceItems(items, start, start+max(min(r.int64(2), math.MaxInt32), 0)-1)}, nil
			}))),
		resultOf(func(args []types.Type) types.Type { return elementType(args) }, arrayRow("flatten", "Joins an array of arrays.", "flatten(ARRAY[[1, 2], [3]]) → {1,2,3}", []fn.Param{family("array", fn.ArrayOf)},
			toDatum(func(r row) (types.Datum, error) {
				out := types.Datum{Items: []types.Datum{}}
				for _, d := range r.datum(0).Items {
					out.Items = append(out.Items, d.Items...)
				}
				return out, nil
			}))),
	)
}

func itemAt(items []types.Datum, n int64) types.Datum {
	if n < 1 || n > int64(len(items)) {
		return types.NullDatum()
	}
	return items[n-1]
}

func sliceItems(items []types.Datum, low, high int64) []types.Datum {
	low, high = max(low, 1), min(high, int64(len(items)))
	if low > high {
		return []types.Datum{}
	}
	return items[low-1 : high]
}
