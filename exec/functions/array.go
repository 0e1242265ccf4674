package functions

import (
	"slices"

	"github.com/tarnlake/tarn/exec/kernel"
	"github.com/tarnlake/tarn/internal/fn"
	"github.com/tarnlake/tarn/internal/sqlerr"
	"github.com/tarnlake/tarn/internal/types"
	"github.com/tarnlake/tarn/internal/vec"
)

var (
	anyArray   = family("array", fn.ArrayOf)
	anyElement = family("element", fn.Element)
)

func arrayRow(name, doc, example string, p []fn.Param, impl fn.Scalar) fn.Overload {
	return fn.Overload{Name: name, Params: p, Category: categoryArray, Doc: doc, Example: example, Impl: impl}
}

// returning sets a fixed result type, resultOf one that follows from the arguments.
func returning(t types.Type, o fn.Overload) fn.Overload {
	o.ResultType = t
	return o
}

func resultOf(f func(args []types.Type) types.Type, o fn.Overload) fn.Overload {
	o.Result = func(args []types.Type) (types.Type, error) { return f(args), nil }
	return o
}

func called(o fn.Overload) fn.Overload {
	o.Nulls = fn.Called
	return o
}

func firstType(args []types.Type) types.Type { return args[0] }

func elementType(args []types.Type) types.Type {
	if args[0].Kind == types.Array {
		return *args[0].Elem
	}
	return text
}

// arrayTypeOf gives the array type among the arguments.
func arrayTypeOf(args []types.Type) types.Type {
	for _, t := range args {
		if t.Kind == types.Array {
			return t
		}
	}
	return types.ArrayOf(args[0])
}

// arrayFunctions build on boxed values: their cost lies in the elements.
func arrayFunctions() []fn.Overload {
	out := append(arrayConstruction(), arrayMeasures()...)
	out = append(out, arrayEditing()...)
	out = append(out, arraySets()...)
	out = append(out, arrayText()...)
	out = append(out, arrayAccess()...)
	return append(out, lambdaFunctions()...)
}

// arrayConstruction are the functions behind ARRAY[…], ROW(…) and field access.
func arrayConstruction() []fn.Overload {
	items := func(r row) (types.Datum, error) {
		d := types.Datum{Items: make([]types.Datum, len(r.args))}
		for i := range r.args {
			if r.null(i) {
				d.Items[i] = types.NullDatum()
			} else {
				d.Items[i] = r.datum(i)
			}
		}
		return d, nil
	}
	anyList := []fn.Param{family("x", fn.Any)}
	array := called(arrayRow(fn.ArrayConstructor, "", "", anyList, toDatum(items)))
	array.Variadic, array.ResultType = true, void
	record := called(arrayRow(fn.RowConstructor, "", "", anyList, toDatum(items)))
	record.Variadic, record.ResultType = true, void
	field := returning(void, arrayRow(fn.FieldOf, "", "", []fn.Param{family("row", fn.Any), {Name: "n", Type: integer}},
		fixed(func(args []*vec.Vector, n int, rows []int32, out *vec.Vector) error {
			if args[1].Enc == vec.Const && args[0].Enc == vec.Flat {
				clear(out.Data)
				kernel.Scatter(out, &args[0].Children[vec.Values[int32](args[1])[0]], rows)
				return nil
			}
			for k := range kernel.Count(rows, n) {
				r := row{args: args, at: rowAt(rows, k)}
				out.SetDatum(r.at, r.datum(0).Items[r.int32(1)])
			}
			return nil
		})))
	return []fn.Overload{array, record, field}
}

func arrayMeasures() []fn.Overload {
	cardinality := func(r row) int32 { return countItems(r.args[0].Type, r.datum(0)) }
	twoParams := []fn.Param{anyArray, {Name: "dimension", Type: integer}}
	bound := func(name, doc, example string, f func(n int32) int32) fn.Overload {
		return returning(integer, arrayRow(name, doc, example, twoParams, toFixed(func(r row) (int32, bool, error) {
			d := r.datum(0)
			for level := r.int32(1); level > 1; level-- {
				if len(d.Items) == 0 || d.Items[0].Null || d.Items[0].Items == nil {
					return 0, false, nil
				}
				d = d.Items[0]
			}
			if r.int32(1) < 1 || len(d.Items) == 0 {
				return 0, false, nil
			}
			return f(int32(len(d.Items))), true, nil
		})))
	}
	return []fn.Overload{
		returning(integer, arrayRow("cardinality", "Number of elements, in all dimensions.", "cardinality(ARRAY[1, 2, 3]) → 3", []fn.Param{anyArray}, value(cardinality))),
		bound("array_length", "Length of a dimension, NULL when empty.", "array_length(ARRAY[1, 2, 3], 1) → 3", func(n int32) int32 { return n }),
		bound("array_upper", "Last subscript of a dimension.", "array_upper(ARRAY[1, 8, 3], 1) → 3", func(n int32) int32 { return n }),
		bound("array_lower", "First subscript of a dimension.", "array_lower(ARRAY[1, 8, 3], 1) → 1", func(int32) int32 { return 1 }),
		returning(integer, arrayRow("array_ndims", "Number of dimensions, NULL when empty.", "array_ndims(ARRAY[[1, 2], [3, 4]]) → 2", []fn.Param{anyArray},
			toFixed(func(r row) (int32, bool, error) {
				n, t := int32(0), r.args[0].Type
				for ; t.Kind == types.Array; t = *t.Elem {
					n++
				}
				return n, len(r.datum(0).Items) > 0, nil
			}))),
		returning(text, arrayRow("array_dims", "The bounds of all dimensions as text.", "array_dims(ARRAY[[1, 2, 3], [4, 5, 6]]) → [1:2][1:3]", []fn.Param{anyArray},
			toText(func(dst []byte, r row) ([]byte, bool, error) {
				d, t := r.datum(0), r.args[0].Type
				if len(d.Items) == 0 {
					return dst, false, nil
				}
				for {
					dst = append(append(append(dst, "[1:"...), types.Int128FromInt64(int64(len(d.Items))).String()...), ']')
					if t = *t.Elem; t.Kind != types.Array || len(d.Items) == 0 {
						return dst, true, nil
					}
					d = d.Items[0]
				}
			}))),
	}
}

func countItems(t types.Type, d types.Datum) int32 {
	if t.Kind != types.Array {
		return 1
	}
	n := int32(0)
	for _, item := range d.Items {
		if t.Elem.Kind == types.Array && !item.Null {
			n += countItems(*t.Elem, item)
		} else {
			n++
		}
	}
	return n
}

// itemsOf gives an array argument's elements, none for NULL.
func itemsOf(r row, i int) []types.Datum {
	if r.null(i) {
		return nil
	}
	return r.datum(i).Items
}

func elementOf(r row, i int) types.Datum {
	if r.null(i) {
		return types.NullDatum()
	}
	return r.datum(i)
}

func arrayEditing() []fn.Overload {
	joined := func(parts ...[]types.Datum) types.Datum {
		return types.Datum{Items: slices.Concat(append(parts, []types.Datum{})...)}
	}
	app := toDatum(func(r row) (types.Datum, error) { return joined(itemsOf(r, 0), []types.Datum{elementOf(r, 1)}), nil })
	pre := toDatum(func(r row) (types.Datum, error) { return joined([]types.Datum{elementOf(r, 0)}, itemsOf(r, 1)), nil })
	cat := toDatum(func(r row) (types.Datum, error) {
		if r.null(0) && r.null(1) {
			return types.NullDatum(), nil
		}
		return joined(itemsOf(r, 0), itemsOf(r, 1)), nil
	})
	edit := func(name, doc, example string, p []fn.Param, impl fn.Scalar) fn.Overload {
		return called(resultOf(arrayTypeOf, arrayRow(name, doc, example, p, impl)))
	}
	strictEdit := func(name, doc, example string, p []fn.Param, impl fn.Scalar) fn.Overload {
		return resultOf(firstType, arrayRow(name, doc, example, p, impl))
	}
	two := []fn.Param{family("a", fn.ArrayOf), family("b", fn.ArrayOf)}
	return []fn.Overload{
		edit("array_append", "Adds an element at the end.", "array_append(ARRAY[1, 2], 3) → {1,2,3}", []fn.Param{anyArray, anyElement}, app),
		edit("array_prepend", "Adds an element at the start.", "array_prepend(1, ARRAY[2, 3]) → {1,2,3}", []fn.Param{anyElement, anyArray}, pre),
		edit("array_cat", "Joins two arrays.", "array_cat(ARRAY[1, 2], ARRAY[3]) → {1,2,3}", two, cat),
		edit("||", "Joins two arrays.", "ARRAY[1, 2] || ARRAY[3] → {1,2,3}", two, cat),
		edit("||", "Adds an element to an array.", "ARRAY[1, 2] || 3 → {1,2,3}", []fn.Param{anyArray, anyElement}, app),
		edit("||", "Adds an element to an array.", "1 || ARRAY[2, 3] → {1,2,3}", []fn.Param{anyElement, anyArray}, pre),
		edit("array_remove", "Removes all elements equal to a value.", "array_remove(ARRAY[1, 2, 3, 2], 2) → {1,3}", []fn.Param{anyArray, anyElement},
			toDatum(func(r row) (types.Datum, error) {
				if r.null(0) {
					return types.NullDatum(), nil
				}
				x, t := elementOf(r, 1), *r.args[0].Type.Elem
				return types.Datum{Items: slices.DeleteFunc(itemsOf(r, 0), func(d types.Datum) bool { return sameItem(t, d, x) })}, nil
			})),
		edit("array_replace", "Replaces all elements equal to a value.", "array_replace(ARRAY[1, 2, 5], 5, 3) → {1,2,3}",
			[]fn.Param{anyArray, family("from", fn.Element), family("to", fn.Element)},
			toDatum(func(r row) (types.Datum, error) {
				if r.null(0) {
					return types.NullDatum(), nil
				}
				items, t := itemsOf(r, 0), *r.args[0].Type.Elem
				for i := range items {
					if sameItem(t, items[i], elementOf(r, 1)) {
						items[i] = elementOf(r, 2)
					}
				}
				return types.Datum{Items: items}, nil
			})),
		failing(strictEdit("trim_array", "Removes the last n elements.", "trim_array(ARRAY[1, 2, 3], 2) → {1}", []fn.Param{anyArray, {Name: "n", Type: integer}},
			toDatum(func(r row) (types.Datum, error) {
				items, n := r.datum(0).Items, int(r.int32(1))
				if n < 0 || n > len(items) {
					return types.NullDatum(), errorf(sqlerr.ArraySubscriptError, "number of elements to trim must be between 0 and %d", len(items))
				}
				return types.Datum{Items: items[:len(items)-n]}, nil
			}))),
		strictEdit("reverse", "The elements in opposite order.", "reverse(ARRAY[1, 2, 3]) → {3,2,1}", []fn.Param{anyArray}, toDatum(func(r row) (types.Datum, error) {
			d := r.datum(0)
			slices.Reverse(d.Items)
			return d, nil
		})),
		failing(called(resultOf(func(args []types.Type) types.Type { return types.ArrayOf(args[0]) },
			arrayRow("array_fill", "An array of copies of a value, of the length given.", "array_fill(7, ARRAY[3]) → {7,7,7}",
				[]fn.Param{anyElement, {Name: "lengths", Type: types.ArrayOf(integer)}}, toDatum(func(r row) (types.Datum, error) {
					lengths := itemsOf(r, 1)
					if len(lengths) != 1 || lengths[0].Null || lengths[0].I64 < 0 || lengths[0].I64 > maxText/64 {
						return types.NullDatum(), errorf(sqlerr.InvalidParameterValue, "array_fill takes one dimension of valid length")
					}
					return types.Datum{Items: slices.Repeat([]types.Datum{elementOf(r, 0)}, int(lengths[0].I64))}, nil
				}))))),
	}
}

func sortItems(t types.Type, items []types.Datum) {
	slices.SortStableFunc(items, func(a, b types.Datum) int { return compareNullable(t, a, b) })
}

// compareNullable orders NULL last.
func compareNullable(t types.Type, a, b types.Datum) int {
	switch {
	case a.Null && b.Null:
		return 0
	case a.Null:
		return 1
	case b.Null:
		return -1
	}
	return types.CompareDatums(t, a, b)
}

// distinctItems keeps the first of equal items.
func distinctItems(t types.Type, items []types.Datum) []types.Datum {
	out := []types.Datum{}
	seen := map[uint64][]types.Datum{}
	for _, d := range items {
		h := kernel.HashDatum(t, d)
		if indexOf(t, seen[h], d, 0) < 0 {
			seen[h] = append(seen[h], d)
			out = append(out, d)
		}
	}
	return out
}

// containsAll tells whether every item of b is in a; NULL is never found.
func containsAll(t types.Type, a, b []types.Datum) bool {
	for _, x := range b {
		if x.Null || indexOf(t, a, x, 0) < 0 {
			return false
		}
	}
	return true
}

func arraySets() []fn.Overload {
	two := []fn.Param{family("a", fn.ArrayOf), family("b", fn.ArrayOf)}
	elem := func(r row) types.Type { return *r.args[0].Type.Elem }
	test := func(name, doc, example string, f func(t types.Type, a, b []types.Datum) bool) fn.Overload {
		return returning(boolean, arrayRow(name, doc, example, two, flag(func(r row) bool { return f(elem(r), r.datum(0).Items, r.datum(1).Items) })))
	}
	set := func(name, doc, example string, p []fn.Param, f func(t types.Type, r row) []types.Datum) fn.Overload {
		return resultOf(firstType, arrayRow(name, doc, example, p, toDatum(func(r row) (types.Datum, error) { return types.Datum{Items: f(elem(r), r)}, nil })))
	}
	overlap := func(t types.Type, a, b []types.Datum) bool {
		return slices.ContainsFunc(b, func(x types.Datum) bool { return !x.Null && indexOf(t, a, x, 0) >= 0 })
	}
	one := []fn.Param{anyArray}
	extreme := func(name, doc, example string, sign int) fn.Overload {
		return resultOf(elementType, arrayRow(name, doc, example, one, toDatum(func(r row) (types.Datum, error) {
			best := types.NullDatum()
			for _, d := range r.datum(0).Items {
				if !d.Null && (best.Null || types.CompareDatums(elem(r), d, best)*sign > 0) {
					best = d
				}
			}
			return best, nil
		})))
	}
	return []fn.Overload{
		test("@>", "Tells whether a holds all elements of b.", "ARRAY[1, 4, 3] @> ARRAY[3, 1] → true", containsAll),
		test("<@", "Tells whether b holds all elements of a.", "ARRAY[3] <@ ARRAY[1, 4, 3] → true", func(t types.Type, a, b []types.Datum) bool { return containsAll(t, b, a) }),
		test("&&", "Tells whether two arrays have an element in common.", "ARRAY[1, 4, 3] && ARRAY[2, 1] → true", overlap),
		test("arrays_overlap", "Tells whether two arrays have an element in common.", "arrays_overlap(ARRAY[1, 4], ARRAY[2, 1]) → true", overlap),
		set("array_distinct", "The elements without repetitions.", "array_distinct(ARRAY[1, 2, 1]) → {1,2}", one, func(t types.Type, r row) []types.Datum {
			return distinctItems(t, r.datum(0).Items)
		}),
		set("array_sort", "The elements in order, NULL last.", "array_sort(ARRAY[3, 1, 2]) → {1,2,3}", one, func(t types.Type, r row) []types.Datum {
			items := r.datum(0).Items
			sortItems(t, items)
			return items
		}),
		set("array_union", "The elements of both arrays without repetitions.", "array_union(ARRAY[1, 2], ARRAY[2, 3]) → {1,2,3}", two, func(t types.Type, r row) []types.Datum {
			return distinctItems(t, slices.Concat(r.datum(0).Items, r.datum(1).Items))
		}),
		set("array_intersect", "The elements that both arrays have, without repetitions.", "array_intersect(ARRAY[1, 2], ARRAY[2, 3]) → {2}", two, func(t types.Type, r row) []types.Datum {
			b := r.datum(1).Items
			return slices.DeleteFunc(distinctItems(t, r.datum(0).Items), func(d types.Datum) bool { return indexOf(t, b, d, 0) < 0 })
		}),
		set("array_except", "The elements of a that b lacks, without repetitions.", "array_except(ARRAY[1, 2], ARRAY[2, 3]) → {1}", two, func(t types.Type, r row) []types.Datum {
			b := r.datum(1).Items
			return slices.DeleteFunc(distinctItems(t, r.datum(0).Items), func(d types.Datum) bool { return indexOf(t, b, d, 0) >= 0 })
		}),
		extreme("array_max", "Greatest element that is not NULL.", "array_max(ARRAY[1, 3, 2]) → 3", 1),
		extreme("array_min", "Least element that is not NULL.", "array_min(ARRAY[1, 3, 2]) → 1", -1),
	}
}
