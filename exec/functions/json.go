package functions

import (
	"strings"

	"github.com/tarnlake/tarn/exec/kernel"
	"github.com/tarnlake/tarn/internal/fn"
	"github.com/tarnlake/tarn/internal/sqlerr"
	"github.com/tarnlake/tarn/internal/types"
)

func jsonRow(name, doc, example string, p []fn.Param, result types.Type, impl fn.Scalar) fn.Overload {
	return fn.Overload{Name: name, Params: p, ResultType: result, Category: categoryJSON, Doc: doc, Example: example, Impl: impl}
}

// part makes a function that gives a part of a JSON value as JSON, NULL where there is none.
func part(find func(r row) ([]byte, bool, error)) fn.Scalar {
	return toText(func(dst []byte, r row) ([]byte, bool, error) {
		v, ok, err := find(r)
		return append(dst, v...), ok, err
	})
}

// partText is part with the result as text.
func partText(find func(r row) ([]byte, bool, error)) fn.Scalar {
	return toText(func(dst []byte, r row) ([]byte, bool, error) {
		v, ok, err := find(r)
		if !ok || err != nil {
			return dst, false, err
		}
		dst, ok = scalarText(dst, v)
		return dst, ok, nil
	})
}

// pathOf reads a text[] argument as a path.
func pathOf(r row, i int) ([]string, bool) {
	var out []string
	for _, d := range r.datum(i).Items {
		if d.Null {
			return nil, false
		}
		out = append(out, d.Str)
	}
	return out, true
}

func jsonFunctions() []fn.Overload {
	var out []fn.Overload
	for _, t := range []types.Type{jsonType, jsonbType} {
		out = append(out, jsonAccess(t)...)
		out = append(out, jsonShape(t)...)
	}
	out = append(out, jsonPaths()...)
	out = append(out, jsonBuilders()...)
	out = append(out, jsonbOperators()...)
	out = append(out, jsonTables()...)
	return append(out, jsonAggregates()...)
}

func jsonAccess(t types.Type) []fn.Overload {
	key := func(r row) ([]byte, bool, error) { v, ok := member(r.bytes(0), r.str(1)); return v, ok, nil }
	number := func(r row) ([]byte, bool, error) {
		v, ok := elementIn(t, r.bytes(0), int(r.int32(1)))
		return v, ok, nil
	}
	path := func(r row) ([]byte, bool, error) {
		keys, ok := pathOf(r, 1)
		if !ok {
			return nil, false, nil
		}
		v, ok := walk(r.bytes(0), keys)
		return v, ok, nil
	}
	list := func(r row) ([]byte, bool, error) {
		b, ok := r.bytes(0), true
		for i := 1; i < len(r.args) && ok; i++ {
			b, ok = step(b, r.str(i))
		}
		return b, ok, nil
	}
	texts := types.ArrayOf(text)
	name := t.Kind.String()
	variadic := func(o fn.Overload) fn.Overload {
		o.Variadic = true
		return o
	}
	const object, array = `'{"a": {"b": 1}}'::json`, `'[1, "x"]'::json`
	return []fn.Overload{
		jsonRow("->", "Value behind a key, as JSON.", object+` -> 'a' → {"b": 1}`, params("j", t, "key", text), t, part(key)),
		jsonRow("->", "Element of an array, from 0, as JSON.", array+` -> 1 → "x"`, params("j", t, "n", integer), t, part(number)),
		jsonRow("->>", "Value behind a key, as text.", object+` ->> 'a' → {"b": 1}`, params("j", t, "key", text), text, partText(key)),
		jsonRow("->>", "Element of an array, from 0, as text.", array+" ->> 1 → x", params("j", t, "n", integer), text, partText(number)),
		jsonRow("#>", "Value at a path, as JSON.", object+" #> '{a,b}' → 1", params("j", t, "path", texts), t, part(path)),
		jsonRow("#>>", "Value at a path, as text.", object+" #>> '{a,b}' → 1", params("j", t, "path", texts), text, partText(path)),
		variadic(jsonRow(name+"_extract_path", "Value at a path, as JSON.", name+"_extract_path('{\"a\": {\"b\": 1}}', 'a', 'b') → 1", params("j", t, "key", text), t, part(list))),
		variadic(jsonRow(name+"_extract_path_text", "Value at a path, as text.", name+"_extract_path_text('{\"a\": {\"b\": 1}}', 'a', 'b') → 1", params("j", t, "key", text), text, partText(list))),
	}
}

func jsonShape(t types.Type) []fn.Overload {
	name := t.Kind.String()
	var out []fn.Overload
	if t.Kind == types.JSONB {
		out = append(out, jsonRow("jsonb_order_key", "Bytes that are ordered as values of jsonb are.", "jsonb_order_key('true') → \\x0501", params("j", t), bytea,
			appendText(func(dst []byte, r row) []byte { return types.AppendJSONBOrder(dst, r.bytes(0)) })))
	}
	return append(out,
		failing(jsonRow(name+"_array_length", "Number of elements of an array.", name+"_array_length('[1, 2]') → 2", params("j", t), integer, toFixed(func(r row) (int32, bool, error) {
			switch jsonKind(r.bytes(0)) {
			case "array":
				return int32(len(elements(r.bytes(0)))), true, nil
			case "object":
				return 0, false, errorf(sqlerr.InvalidParameterValue, "cannot get array length of a non-array")
			}
			return 0, false, errorf(sqlerr.InvalidParameterValue, "cannot get array length of a scalar")
		}))),
		jsonRow(name+"_typeof", "Type of a JSON value: object, array, string, number, boolean or null.", name+"_typeof('1.5') → number", params("j", t), text,
			appendText(func(dst []byte, r row) []byte { return append(dst, jsonKind(r.bytes(0))...) })),
		jsonRow(name+"_strip_nulls", "Removes object members that are null, at all depths.", name+"_strip_nulls('{\"b\":null}') → {}", params("j", t), t,
			appendText(func(dst []byte, r row) []byte { return stripNulls(dst, r.bytes(0), t.Kind == types.JSONB) })),
	)
}

func stripNulls(dst, b []byte, spaced bool) []byte {
	comma, colon := ",", ":"
	if spaced {
		comma, colon = ", ", ": "
	}
	first := true
	separate := func() {
		if !first {
			dst = append(dst, comma...)
		}
		first = false
	}
	switch jsonKind(b) {
	case "object":
		dst = append(dst, '{')
		eachMember(b, func(key, value []byte) bool {
			if jsonKind(value) != "null" {
				separate()
				dst = append(types.AppendJSONString(dst, string(key)), colon...)
				dst = stripNulls(dst, value, spaced)
			}
			return true
		})
		return append(dst, '}')
	case "array":
		dst = append(dst, '[')
		eachElement(b, func(value []byte) bool {
			separate()
			dst = stripNulls(dst, value, spaced)
			return true
		})
		return append(dst, ']')
	}
	return append(dst, trimJSON(b)...)
}

// jsonPaths are Presto's and Hive's functions with paths like $.a[0].
func jsonPaths() []fn.Overload {
	find := func(r row) ([]byte, bool, error) {
		keys, ok := parsePath(r.str(1))
		if !ok {
			return nil, false, errorf(sqlerr.InvalidParameterValue, "invalid JSON path: '%s'", r.str(1))
		}
		if r.args[0].Type.Kind == types.Text && types.ValidateJSON(r.bytes(0)) != nil {
			return nil, false, nil
		}
		v, ok := walk(r.bytes(0), keys)
		return v, ok, nil
	}
	scalar := toText(func(dst []byte, r row) ([]byte, bool, error) {
		v, ok, err := find(r)
		if !ok || err != nil {
			return dst, false, err
		}
		if kind := jsonKind(v); kind == "object" || kind == "array" {
			return dst, false, nil
		}
		dst, ok = scalarText(dst, v)
		return dst, ok, nil
	})
	var out []fn.Overload
	for _, t := range []types.Type{jsonType, text} {
		p := params("j", t, "path", text)
		out = append(out,
			failing(jsonRow("json_extract", "Value at a path, as JSON.", `json_extract('{"a": [1, 2]}', '$.a[1]') → 2`, p, jsonType, part(find))),
			failing(jsonRow("json_extract_scalar", "String, number or boolean at a path, as text; NULL for anything else.", `json_extract_scalar('{"a": [1, "x"]}', '$.a[1]') → x`, p, text, scalar)),
			failing(jsonRow("json_size", "Number of members or elements of the value at a path.", `json_size('{"a": [1, 2]}', '$.a') → 2`, p, bigint, toFixed(func(r row) (int64, bool, error) {
				v, ok, err := find(r)
				if !ok || err != nil {
					return 0, false, err
				}
				return int64(countMembers(v)), true, nil
			}))))
	}
	return append(out,
		failing(jsonRow("get_json_object", "Value at a path, as text.", `get_json_object('{"a": {"b": "x"}}', '$.a.b') → x`, params("j", text, "path", text), text, partText(find))),
		failing(jsonRow("json_parse", "Reads text as JSON.", `json_parse('{"a": 1}') → {"a": 1}`, params("s", text), jsonType, toText(func(dst []byte, r row) ([]byte, bool, error) {
			return append(dst, r.bytes(0)...), true, types.ValidateJSON(r.bytes(0))
		}))),
		jsonRow("json_format", "Writes JSON as text.", `json_format('[1]'::json) → [1]`, params("j", jsonType), text, appendText(func(dst []byte, r row) []byte { return append(dst, r.bytes(0)...) })),
		jsonRow("json_array_contains", "Tells whether an array holds a string.", `json_array_contains('["a", "b"]', 'b') → true`, params("j", jsonType, "s", text), boolean, flag(func(r row) bool {
			found := false
			if jsonKind(r.bytes(0)) == "array" {
				eachElement(r.bytes(0), func(v []byte) bool {
					s, ok := scalarText(nil, v)
					found = found || ok && jsonKind(v) == "string" && string(s) == r.str(1)
					return !found
				})
			}
			return found
		})),
		jsonRow("is_json_scalar", "Tells whether JSON is neither object nor array.", "is_json_scalar('1') → true", params("j", jsonType), boolean, flag(func(r row) bool {
			kind := jsonKind(r.bytes(0))
			return kind != "object" && kind != "array"
		})),
	)
}

func countMembers(v []byte) int {
	n := 0
	switch jsonKind(v) {
	case "array":
		eachElement(v, func([]byte) bool { n++; return true })
	case "object":
		eachMember(v, func(_, _ []byte) bool { n++; return true })
	}
	return n
}

// jsonBuilders make JSON of SQL values.
func jsonBuilders() []fn.Overload {
	any := []fn.Param{family("x", fn.Any)}
	var out []fn.Overload
	for _, t := range []types.Type{jsonType, jsonbType} {
		name, spaced := t.Kind.String(), t.Kind == types.JSONB
		variadic := func(doc, example string, suffix string, impl fn.Scalar) fn.Overload {
			return fn.Overload{Name: name + suffix, Params: any, Variadic: true, ResultType: t, Nulls: fn.Called, Volatility: fn.Stable, MayFail: true,
				Category: categoryJSON, Doc: doc, Example: name + example, Impl: impl}
		}
		out = append(out,
			stable(jsonRow("to_"+name, "Any value as JSON.", "to_"+name+"(ARRAY[1, 2]) → "+map[bool]string{false: "[1,2]", true: "[1, 2]"}[spaced], any, t,
				toJSON(func(dst []byte, r row, w jsonWriter) ([]byte, error) { return w.append(dst, r, 0), nil }, spaced))),
			variadic("An array of the arguments.", "_build_array(1, 'a', NULL) → [1, \"a\", null]", "_build_array", toJSON(func(dst []byte, r row, w jsonWriter) ([]byte, error) {
				dst = append(dst, '[')
				for i := range r.args {
					if i > 0 {
						dst = append(dst, ", "...)
					}
					dst = w.append(dst, r, i)
				}
				return append(dst, ']'), nil
			}, spaced)),
			variadic("An object of keys and values in turn.", "_build_object('a', 1) → "+map[bool]string{false: `{"a" : 1}`, true: `{"a": 1}`}[spaced], "_build_object", toJSON(buildObject, spaced)))
	}
	return append(out,
		stable(jsonRow("row_to_json", "A row as a JSON object.", `row_to_json(ROW(1, 'a')) → {"f1":1,"f2":"a"}`, any, jsonType,
			toJSON(func(dst []byte, r row, w jsonWriter) ([]byte, error) { return w.append(dst, r, 0), nil }, false))),
		stable(jsonRow("array_to_json", "An array as a JSON array.", "array_to_json(ARRAY[1, 2]) → [1,2]", []fn.Param{anyArray}, jsonType,
			toJSON(func(dst []byte, r row, w jsonWriter) ([]byte, error) { return w.append(dst, r, 0), nil }, false))),
		failing(jsonRow("json_object", "An object of keys and values in turn, as text.", `json_object('{a, 1, b, x}') → {"a" : "1", "b" : "x"}`, params("pairs", types.ArrayOf(text)), jsonType,
			toText(func(dst []byte, r row) ([]byte, bool, error) {
				items := r.datum(0).Items
				if len(items)%2 != 0 {
					return dst, false, errorf(sqlerr.ArraySubscriptError, "array must have even number of elements")
				}
				dst = append(dst, '{')
				for i := 0; i < len(items); i += 2 {
					if items[i].Null {
						return dst, false, errorf(sqlerr.NullValueNotAllowed, "null value not allowed for object key")
					}
					if i > 0 {
						dst = append(dst, ", "...)
					}
					dst = append(types.AppendJSONString(dst, items[i].Str), " : "...)
					if items[i+1].Null {
						dst = append(dst, "null"...)
					} else {
						dst = types.AppendJSONString(dst, items[i+1].Str)
					}
				}
				return append(dst, '}'), true, nil
			}))),
		jsonRow("jsonb_pretty", "JSON with indentation.", "jsonb_pretty('[]') → [\n]", params("j", jsonbType), text, appendText(func(dst []byte, r row) []byte { return appendPretty(dst, r.bytes(0), 0) })),
	)
}

func buildObject(dst []byte, r row, w jsonWriter) ([]byte, error) {
	if len(r.args)%2 != 0 {
		return dst, errorf(sqlerr.InvalidParameterValue, "argument list must have even number of elements").(*sqlerr.Error).
			WithHint("The arguments of %s must consist of alternating keys and values.", w.name)
	}
	colon := " : "
	if w.spaced {
		colon = ": "
	}
	dst = append(dst, '{')
	for i := 0; i < len(r.args); i += 2 {
		if r.null(i) {
			return dst, errorf(sqlerr.InvalidParameterValue, "argument %d cannot be null", i+1).(*sqlerr.Error).WithHint("Object keys should be text.")
		}
		if i > 0 {
			dst = append(dst, ", "...)
		}
		dst = append(types.AppendJSONString(dst, string(outputValue(nil, r, i, nil))), colon...)
		dst = w.append(dst, r, i+1)
	}
	return append(dst, '}'), nil
}

func appendPretty(dst, b []byte, depth int) []byte {
	kind := jsonKind(b)
	if kind != "object" && kind != "array" {
		return append(dst, trimJSON(b)...)
	}
	indent := strings.Repeat("    ", depth+1)
	first := true
	line := func() {
		if !first {
			dst = append(dst, ',')
		}
		first = false
		dst = append(append(dst, '\n'), indent...)
	}
	if kind == "object" {
		dst = append(dst, '{')
		eachMember(b, func(key, value []byte) bool {
			line()
			dst = appendPretty(append(types.AppendJSONString(dst, string(key)), ": "...), value, depth+1)
			return true
		})
	} else {
		dst = append(dst, '[')
		eachElement(b, func(value []byte) bool {
			line()
			dst = appendPretty(dst, value, depth+1)
			return true
		})
	}
	dst = append(append(dst, '\n'), indent[4:]...)
	if kind == "object" {
		return append(dst, '}')
	}
	return append(dst, ']')
}

// jsonWriter writes arguments as JSON.
type jsonWriter struct {
	spaced bool
	name   string
	zone   zoneLookup
}

func (w jsonWriter) append(dst []byte, r row, i int) []byte {
	if r.null(i) {
		return append(dst, "null"...)
	}
	return kernel.AppendJSON(dst, r.args[i].Type, r.datum(i), w.spaced, w.zone.location)
}
