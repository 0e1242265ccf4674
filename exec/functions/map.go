package functions

import (
	"strings"

	"github.com/tarnlake/tarn/exec/kernel"
	"github.com/tarnlake/tarn/internal/fn"
	"github.com/tarnlake/tarn/internal/sqlerr"
	"github.com/tarnlake/tarn/internal/types"
	"github.com/tarnlake/tarn/internal/vec"
)

// mapValue gives the value behind a key (argument 1) of a map (argument 0), NULL when absent.
func mapValue(r row) types.Datum {
	items, t := r.datum(0).Items, r.args[0].Type
	key := r.datum(1)
	for i := 0; i+1 < len(items); i += 2 {
		if types.CompareDatums(*t.Key, items[i], key) == 0 {
			return items[i+1]
		}
	}
	return types.NullDatum()
}

// buildMap checks keys and lays keys and values in turn.
func buildMap(key types.Type, keys, values []types.Datum) (types.Datum, error) {
	out := types.Datum{Items: make([]types.Datum, 0, 2*len(keys))}
	seen := map[uint64][]types.Datum{}
	for i, k := range keys {
		if k.Null {
			return out, errorf(sqlerr.NullValueNotAllowed, "map key cannot be null")
		}
		h := kernel.HashDatum(key, k)
		if indexOf(key, seen[h], k, 0) >= 0 {
			return out, errorf(sqlerr.InvalidParameterValue, "duplicate map key: %s", types.Format(key, k, nil))
		}
		seen[h] = append(seen[h], k)
		out.Items = append(out.Items, k, values[i])
	}
	return out, nil
}

// splitMap takes a map apart into keys and values.
func splitMap(d types.Datum) (keys, values []types.Datum) {
	keys, values = []types.Datum{}, []types.Datum{}
	for i := 0; i+1 < len(d.Items); i += 2 {
		keys, values = append(keys, d.Items[i]), append(values, d.Items[i+1])
	}
	return keys, values
}

// onMaps gives a row of a map function its result type.
func onMaps(o fn.Overload, result func(args []types.Type) types.Type) fn.Overload {
	return resultOf(result, o)
}

func mapFunctions(lambda func(string) fn.Param) []fn.Overload {
	one := []fn.Param{family("map", fn.AnyMap)}
	keyType := func(args []types.Type) types.Type { return types.ArrayOf(*args[0].Key) }
	valueType := func(args []types.Type) types.Type { return types.ArrayOf(*args[0].Elem) }
	entryType := func(args []types.Type) types.Type {
		return types.ArrayOf(types.RowOf(types.Field{Name: "key", Type: *args[0].Key}, types.Field{Name: "value", Type: *args[0].Elem}))
	}
	part := func(name, doc, example string, result func([]types.Type) types.Type, f func(keys, values []types.Datum) []types.Datum) fn.Overload {
		return onMaps(arrayRow(name, doc, example, one, toDatum(func(r row) (types.Datum, error) {
			return types.Datum{Items: f(splitMap(r.datum(0)))}, nil
		})), result)
	}
	out := []fn.Overload{
		part("map_keys", "The keys of a map.", "map_keys(map(ARRAY['a'], ARRAY[1])) → {a}", keyType, func(keys, _ []types.Datum) []types.Datum { return keys }),
		part("map_values", "The values of a map.", "map_values(map(ARRAY['a'], ARRAY[1])) → {1}", valueType, func(_, values []types.Datum) []types.Datum { return values }),
		part("map_entries", "Keys and values of a map as rows.", `map_entries(map(ARRAY['a'], ARRAY[1])) → {"(a,1)"}`, entryType, func(keys, values []types.Datum) []types.Datum {
			for i := range keys {
				keys[i] = types.Datum{Items: []types.Datum{keys[i], values[i]}}
			}
			return keys
		}),
		onMaps(arrayRow("cardinality", "Number of entries of a map.", "cardinality(map(ARRAY['a'], ARRAY[1])) → 1", one,
			value(func(r row) int32 { return int32(len(r.datum(0).Items) / 2) })), func([]types.Type) types.Type { return integer }),
		onMaps(arrayRow("element_at", "Value behind a key, NULL when absent.", "element_at(map(ARRAY['a'], ARRAY[1]), 'a') → 1",
			[]fn.Param{family("map", fn.AnyMap), family("key", fn.Any)}, toDatum(func(r row) (types.Datum, error) { return mapValue(r), nil })),
			func(args []types.Type) types.Type { return *args[0].Elem }),
		failing(onMaps(arrayRow("map_filter", "The entries for which a condition is true.", "map_filter(map(ARRAY['a', 'b'], ARRAY[1, 2]), (k, v) -> v > 1) → {b=2}",
			[]fn.Param{family("map", fn.AnyMap), lambda("condition")}, overElements(1, keepElements)), firstType)),
		failing(onMaps(arrayRow("transform_values", "Applies a function to every value.", "transform_values(map(ARRAY['a'], ARRAY[1]), (k, v) -> v * 10) → {a=10}",
			[]fn.Param{family("map", fn.AnyMap), lambda("function")}, overElements(1, keepValues)),
			func(args []types.Type) types.Type { return types.MapOf(*args[0].Key, args[1]) })),
		failing(onMaps(arrayRow("map_concat", "The entries of both maps; for a key in both the second map counts.", "map_concat(map(ARRAY['a'], ARRAY[1]), map(ARRAY['b'], ARRAY[2])) → {a=1,b=2}",
			[]fn.Param{family("a", fn.AnyMap), family("b", fn.AnyMap)}, toDatum(concatMaps)), firstType)),
		failing(fn.Overload{Name: "map_from_entries", Params: []fn.Param{family("entries", fn.ArrayOf)}, Result: entriesType, Category: categoryArray,
			Doc: "A map of rows of key and value.", Example: "map_from_entries(ARRAY[ROW('a', 1)]) → {a=1}", Impl: toDatum(func(r row) (types.Datum, error) {
				var keys, values []types.Datum
				for _, d := range r.datum(0).Items {
					if d.Null {
						return d, errorf(sqlerr.NullValueNotAllowed, "map entry cannot be null")
					}
					keys, values = append(keys, d.Items[0]), append(values, d.Items[1])
				}
				return buildMap(r.args[0].Type.Elem.Fields[0].Type, keys, values)
			})}),
	}
	for i := range out {
		if out[i].Name == "map_concat" {
			out[i].Result = sameMaps
		}
	}
	return append(out, mapConstructors()...)
}

func entriesType(args []types.Type) (types.Type, error) {
	if t := args[0].Elem; t != nil && t.Kind == types.Row && len(t.Fields) == 2 {
		return types.MapOf(t.Fields[0].Type, t.Fields[1].Type), nil
	}
	return types.Type{}, errorf(sqlerr.DatatypeMismatch, "map_from_entries takes an array of rows with two fields")
}

func concatMaps(r row) (types.Datum, error) {
	keys, values := splitMap(r.datum(0))
	more, moreValues := splitMap(r.datum(1))
	t := *r.args[0].Type.Key
	for i, k := range more {
		if at := indexOf(t, keys, k, 0); at >= 0 {
			values[at] = moreValues[i]
		} else {
			keys, values = append(keys, k), append(values, moreValues[i])
		}
	}
	return buildMap(t, keys, values)
}

// keepValues keeps the keys and takes the lambda's results as values.
func keepValues(s *spread, result *vec.Vector, rows []int32, n int, out *vec.Vector) error {
	out.Children[0].Alias(&s.elements[0])
	if len(s.outer) > 0 {
		var flat vec.Vector
		kernel.Flatten(&flat, result, nil)
		out.Children[1].CopyFrom(&flat)
	}
	lists := vec.Values[vec.List](out)
	for k := range kernel.Count(rows, n) {
		lists[rowAt(rows, k)] = vec.List{Offset: int32(s.starts[k]), Length: int32(s.starts[k+1] - s.starts[k])}
	}
	return nil
}

// sameMaps gives the type that both maps have.
func sameMaps(args []types.Type) (types.Type, error) {
	if args[0].Kind == types.Map && args[1].Kind == types.Map && args[0].Equal(args[1]) {
		return args[0], nil
	}
	return types.Type{}, errorf(sqlerr.DatatypeMismatch, "maps of type %s and %s cannot be joined", args[0], args[1])
}

func mapConstructors() []fn.Overload {
	arrays := []fn.Param{family("keys", fn.Any), family("values", fn.Any)}
	mapType := func(args []types.Type) (types.Type, error) {
		if args[0].Kind != types.Array || args[1].Kind != types.Array {
			return types.Type{}, errorf(sqlerr.UndefinedFunction, "map takes an array of keys and an array of values")
		}
		return types.MapOf(*args[0].Elem, *args[1].Elem), nil
	}
	return []fn.Overload{
		failing(fn.Overload{Name: "map", Params: arrays, Result: mapType, Category: categoryArray, Doc: "A map of the keys and values in two arrays of equal length.",
			Example: "map(ARRAY['a', 'b'], ARRAY[1, 2]) → {a=1,b=2}", Impl: toDatum(func(r row) (types.Datum, error) {
				keys, values := r.datum(0).Items, r.datum(1).Items
				if len(keys) != len(values) {
					return types.NullDatum(), errorf(sqlerr.InvalidParameterValue, "key and value arrays must be the same length")
				}
				return buildMap(*r.args[0].Type.Elem, keys, values)
			})}),
		failing(returning(types.MapOf(text, text), arrayRow("split_to_map", "Cuts s into entries and each entry into key and value.", "split_to_map('a=1;b=2', ';', '=') → {a=1,b=2}",
			params("s", text, "entry_delimiter", text, "key_delimiter", text), toDatum(func(r row) (types.Datum, error) {
				var keys, values []types.Datum
				if r.str(0) != "" {
					for _, entry := range strings.Split(r.str(0), r.str(1)) {
						k, v, found := strings.Cut(entry, r.str(2))
						if !found {
							return types.NullDatum(), errorf(sqlerr.InvalidParameterValue, "key-value delimiter must appear exactly once in each entry; bad input: %s", entry)
						}
						keys, values = append(keys, types.StringDatum(strings.Clone(k))), append(values, types.StringDatum(strings.Clone(v)))
					}
				}
				return buildMap(text, keys, values)
			})))),
	}
}
