package functions

import (
	"bytes"
	"time"

	"github.com/tarnlake/tarn/exec/kernel"
	"github.com/tarnlake/tarn/internal/fn"
	"github.com/tarnlake/tarn/internal/sqlerr"
	"github.com/tarnlake/tarn/internal/types"
)

// zoneLookup is the session's time zone, resolved.
type zoneLookup struct{ location *time.Location }

// toJSON makes a function that writes JSON; jsonb is brought to its normal form.
func toJSON(write func(dst []byte, r row, w jsonWriter) ([]byte, error), normal bool) fn.Scalar {
	return fn.Scalar{New: func(call fn.Call) (fn.Kernel, error) {
		zone, err := zoneOf(&call)
		if err != nil {
			return nil, err
		}
		w := jsonWriter{spaced: normal, name: call.Name + "()", zone: zoneLookup{zone}}
		return toText(func(dst []byte, r row) ([]byte, bool, error) {
			out, err := write(dst, r, w)
			if err != nil || !normal {
				return out, true, err
			}
			normalized, err := types.AppendJSONB(nil, out)
			return append(dst[:0], normalized...), true, err
		}).New(call)
	}}
}

// equalJSON compares two values in jsonb's normal form; numbers by value.
func equalJSON(a, b []byte) bool {
	a, b = trimJSON(a), trimJSON(b)
	if bytes.Equal(a, b) {
		return true
	}
	if jsonKind(a) != "number" || jsonKind(b) != "number" {
		return false
	}
	x, err1 := types.ParseDecimal(a, types.MaxDecimalPrecision, 18)
	y, err2 := types.ParseDecimal(b, types.MaxDecimalPrecision, 18)
	return err1 == nil && err2 == nil && x == y
}

// containsJSON is jsonb's a @> b.
func containsJSON(a, b []byte, top bool) bool {
	switch kind := jsonKind(b); kind {
	case "object":
		if jsonKind(a) != "object" {
			return false
		}
		all := true
		eachMember(b, func(key, value []byte) bool {
			have, ok := member(a, string(key))
			all = ok && containsJSON(have, value, false)
			return all
		})
		return all
	case "array":
		if jsonKind(a) != "array" {
			return false
		}
		all := true
		eachElement(b, func(value []byte) bool {
			all = holdsElement(a, value)
			return all
		})
		return all
	}
	if top && jsonKind(a) == "array" {
		return holdsElement(a, b)
	}
	return equalJSON(a, b)
}

func holdsElement(array, value []byte) bool {
	found := false
	eachElement(array, func(v []byte) bool {
		found = jsonKind(v) == jsonKind(value) && containsJSON(v, value, false)
		return !found
	})
	return found
}

// hasKey is jsonb's ? operator: a key of an object, or a string in an array.
func hasKey(b []byte, key string) bool {
	switch jsonKind(b) {
	case "object":
		_, ok := member(b, key)
		return ok
	case "array":
		return holdsElement(b, types.AppendJSONString(nil, key))
	case "string":
		s, _ := scalarText(nil, b)
		return string(s) == key
	}
	return false
}

func jsonbOperators() []fn.Overload {
	texts := types.ArrayOf(text)
	two := params("a", jsonbType, "b", jsonbType)
	normal := func(f func(dst []byte, r row) ([]byte, bool, error)) fn.Scalar {
		return toText(func(dst []byte, r row) ([]byte, bool, error) {
			out, ok, err := f(dst, r)
			if err != nil || !ok {
				return out, ok, err
			}
			normalized, err := types.AppendJSONB(nil, out)
			return append(dst[:0], normalized...), true, err
		})
	}
	keys := func(all bool) fn.Scalar {
		return flag(func(r row) bool {
			for _, d := range r.datum(1).Items {
				if !d.Null && hasKey(r.bytes(0), d.Str) != all {
					return !all
				}
			}
			return all
		})
	}
	without := func(drop func(r row, key string, at, n int) bool) fn.Scalar {
		return normal(func(dst []byte, r row) ([]byte, bool, error) {
			kind := jsonKind(r.bytes(0))
			if kind != "object" && kind != "array" {
				return dst, false, errorf(sqlerr.InvalidParameterValue, "cannot delete from scalar")
			}
			return dropMembers(dst, r.bytes(0), func(key string, at, n int) bool { return drop(r, key, at, n) }), true, nil
		})
	}
	edit := func(name, doc, example string, insert bool, extra ...any) fn.Overload {
		p := append(params("j", jsonbType, "path", texts, "value", jsonbType), params(extra...)...)
		return failing(jsonRow(name, doc, example, p, jsonbType, normal(func(dst []byte, r row) ([]byte, bool, error) {
			option := !insert
			if r.given(3) {
				option = r.bool(3)
			}
			if kind := jsonKind(r.bytes(0)); kind != "object" && kind != "array" {
				return dst, false, errorf(sqlerr.InvalidParameterValue, "cannot set path in scalar")
			}
			out, err := (&pathEdit{r.datum(1).Items, r.bytes(2), insert, option}).edit(dst, r.bytes(0))
			return out, true, err
		})))
	}
	return []fn.Overload{
		jsonRow("@>", "Tells whether a contains b.", `'{"a": 1, "b": 2}'::jsonb @> '{"b": 2}' → true`, two, boolean, flag(func(r row) bool { return containsJSON(r.bytes(0), r.bytes(1), true) })),
		jsonRow("<@", "Tells whether b contains a.", `'{"b": 2}'::jsonb <@ '{"a": 1, "b": 2}' → true`, two, boolean, flag(func(r row) bool { return containsJSON(r.bytes(1), r.bytes(0), true) })),
		jsonRow("?", "Tells whether a key (or a string in an array) exists.", `'{"a": 1}'::jsonb ? 'a' → true`, params("j", jsonbType, "key", text), boolean, flag(func(r row) bool { return hasKey(r.bytes(0), r.str(1)) })),
		jsonRow("?|", "Tells whether any of the keys exists.", `'{"a": 1}'::jsonb ?| ARRAY['a', 'c'] → true`, params("j", jsonbType, "keys", texts), boolean, keys(false)),
		jsonRow("?&", "Tells whether all of the keys exist.", `'{"a": 1}'::jsonb ?& ARRAY['a', 'c'] → false`, params("j", jsonbType, "keys", texts), boolean, keys(true)),
		jsonRow("||", "Joins two JSON values: members of b replace those of a, arrays are appended.", `'{"a": 1}'::jsonb || '{"b": 2}' → {"a": 1, "b": 2}`, two, jsonbType, normal(joinJSON)),
		failing(jsonRow("-", "Removes a key from an object, or strings from an array.", `'{"a": 1, "b": 2}'::jsonb - 'a' → {"b": 2}`, params("j", jsonbType, "key", text), jsonbType,
			without(func(r row, key string, _, _ int) bool { return key == r.str(1) }))),
		failing(jsonRow("-", "Removes an element of an array.", `'[1, 2, 3]'::jsonb - 1 → [1, 3]`, params("j", jsonbType, "n", integer), jsonbType,
			without(func(r row, _ string, at, n int) bool { return at == int(r.int32(1)) || at-n == int(r.int32(1)) }))),
		failing(jsonRow("-", "Removes keys.", `'{"a": 1, "b": 2}'::jsonb - ARRAY['a', 'b'] → {}`, params("j", jsonbType, "keys", texts), jsonbType,
			without(func(r row, key string, _, _ int) bool {
				return indexOf(text, r.datum(1).Items, types.StringDatum(key), 0) >= 0
			}))),
		failing(jsonRow("#-", "Removes what lies at a path.", `'{"a": {"b": 1}}'::jsonb #- '{a,b}' → {"a": {}}`, params("j", jsonbType, "path", texts), jsonbType, normal(func(dst []byte, r row) ([]byte, bool, error) {
			if kind := jsonKind(r.bytes(0)); kind != "object" && kind != "array" {
				return dst, false, errorf(sqlerr.InvalidParameterValue, "cannot delete path in scalar")
			}
			out, err := (&pathEdit{path: r.datum(1).Items}).edit(dst, r.bytes(0))
			return out, true, err
		}))),
		edit("jsonb_set", "Replaces what lies at a path; a missing last key is added.", `jsonb_set('{"a": 1}', '{a}', '2') → {"a": 2}`, false),
		edit("jsonb_set", "Replaces what lies at a path; a missing last key is added if create says so.", `jsonb_set('{"a": 1}', '{b}', '2', false) → {"a": 1}`, false, "create", boolean),
		edit("jsonb_insert", "Inserts a value at a path, before the element of an array.", `jsonb_insert('[1, 2]', '{0}', '0') → [0, 1, 2]`, true),
		edit("jsonb_insert", "Inserts a value at a path, before or after the element of an array.", `jsonb_insert('[1, 2]', '{0}', '0', true) → [1, 0, 2]`, true, "after", boolean),
	}
}

// joinJSON is jsonb's a || b.
func joinJSON(dst []byte, r row) ([]byte, bool, error) {
	a, b := trimJSON(r.bytes(0)), trimJSON(r.bytes(1))
	if jsonKind(a) == "object" && jsonKind(b) == "object" {
		x, y := bytes.TrimSpace(a[1:len(a)-1]), bytes.TrimSpace(b[1:len(b)-1])
		dst = append(append(dst, '{'), x...)
		if len(x) > 0 && len(y) > 0 {
			dst = append(dst, ',')
		}
		return append(append(dst, y...), '}'), true, nil
	}
	inside := func(v []byte) []byte {
		if jsonKind(v) == "array" {
			return bytes.TrimSpace(v[1 : len(v)-1])
		}
		return v
	}
	x, y := inside(a), inside(b)
	dst = append(append(dst, '['), x...)
	if len(x) > 0 && len(y) > 0 {
		dst = append(dst, ", "...)
	}
	return append(append(dst, y...), ']'), true, nil
}

// dropMembers copies an object or array without the members that drop names: by key (or string
// element) and position.
func dropMembers(dst, b []byte, drop func(key string, at, n int) bool) []byte {
	first, at := true, 0
	n := countMembers(b)
	emit := func(key string, write func()) bool {
		if !drop(key, at, n) {
			if !first {
				dst = append(dst, ", "...)
			}
			first = false
			write()
		}
		at++
		return true
	}
	if jsonKind(b) == "object" {
		dst = append(dst, '{')
		eachMember(b, func(key, value []byte) bool {
			return emit(string(key), func() { dst = append(append(types.AppendJSONString(dst, string(key)), ": "...), value...) })
		})
		return append(dst, '}')
	}
	dst = append(dst, '[')
	eachElement(b, func(value []byte) bool {
		key, _ := scalarText(nil, value)
		if jsonKind(value) != "string" {
			key = []byte("\x00")
		}
		return emit(string(key), func() { dst = append(dst, value...) })
	})
	return append(dst, ']')
}

// jsonTables take objects and arrays apart into rows.
func jsonTables() []fn.Overload {
	var out []fn.Overload
	for _, t := range []types.Type{jsonType, jsonbType} {
		name := t.Kind.String()
		p := params("j", t)
		textDatum := func(v []byte) types.Datum {
			s, ok := scalarText(nil, v)
			if !ok {
				return types.NullDatum()
			}
			return types.StringDatum(string(s))
		}
		value := func(asText bool) func(v []byte) types.Datum {
			if asText {
				return textDatum
			}
			return func(v []byte) types.Datum { return types.StringDatum(string(v)) }
		}
		for _, asText := range []bool{false, true} {
			suffix, result := "", t
			if asText {
				suffix, result = "_text", text
			}
			datum := value(asText)
			out = append(out,
				tableRow(name+"_array_elements"+suffix, "The elements of an array.", name+"_array_elements"+suffix+"('[1, 2]') → 1 2", p, columns("value", result), func(r row) ([][]types.Datum, error) {
					if anyNull(r) {
						return nil, nil
					}
					if kind := jsonKind(r.bytes(0)); kind != "array" {
						if kind == "object" {
							return nil, errorf(sqlerr.InvalidParameterValue, "cannot call %s_array_elements%s on a non-array", name, suffix)
						}
						return nil, errorf(sqlerr.InvalidParameterValue, "cannot call %s_array_elements%s on a scalar", name, suffix)
					}
					var rows [][]types.Datum
					eachElement(r.bytes(0), func(v []byte) bool {
						rows = append(rows, []types.Datum{datum(v)})
						return true
					})
					return rows, nil
				}),
				tableRow(name+"_each"+suffix, "The members of an object.", name+"_each"+suffix+"('{\"a\": 1}') → (a,1)", p, columns("key", text, "value", result), func(r row) ([][]types.Datum, error) {
					if anyNull(r) {
						return nil, nil
					}
					if jsonKind(r.bytes(0)) != "object" {
						return nil, errorf(sqlerr.InvalidParameterValue, "cannot call %s_each%s on a non-object", name, suffix)
					}
					var rows [][]types.Datum
					eachMember(r.bytes(0), func(k, v []byte) bool {
						rows = append(rows, []types.Datum{types.StringDatum(string(k)), datum(v)})
						return true
					})
					return rows, nil
				}))
		}
		out = append(out, tableRow(name+"_object_keys", "The keys of an object.", name+"_object_keys('{\"a\": 1}') → a", p, columns(name+"_object_keys", text), func(r row) ([][]types.Datum, error) {
			if anyNull(r) {
				return nil, nil
			}
			if kind := jsonKind(r.bytes(0)); kind != "object" {
				if kind == "array" {
					return nil, errorf(sqlerr.InvalidParameterValue, "cannot call %s_object_keys on an array", name)
				}
				return nil, errorf(sqlerr.InvalidParameterValue, "cannot call %s_object_keys on a scalar", name)
			}
			var rows [][]types.Datum
			eachMember(r.bytes(0), func(k, _ []byte) bool {
				rows = append(rows, []types.Datum{types.StringDatum(string(k))})
				return true
			})
			return rows, nil
		}))
	}
	return out
}

// jsonAggregates collect values into one JSON value.
func jsonAggregates() []fn.Overload {
	var out []fn.Overload
	for _, t := range []types.Type{jsonType, jsonbType} {
		name, spaced := t.Kind.String(), t.Kind == types.JSONB
		finish := func(call fn.Call, b []byte) (types.Datum, error) {
			if spaced {
				normalized, err := types.AppendJSONB(nil, b)
				return types.StringDatum(string(normalized)), err
			}
			return types.StringDatum(string(b)), nil
		}
		list := aggregateRow(name+"_agg", "The values as a JSON array, NULLs too.", name+"_agg(x) → [1, 2]", []fn.Param{family("x", fn.Any)}, t,
			listImpl(1, false, func(call fn.Call) func(l *lists, rows []int32) (types.Datum, error) {
				zone, _ := zoneOf(&call)
				return func(l *lists, rows []int32) (types.Datum, error) {
					b := []byte{'['}
					for k, r := range rows {
						if k > 0 {
							b = append(b, ", "...)
							if kind := call.Args[0].Kind; !spaced && (kind == types.Row || kind == types.Array) {
								b = append(b, "\n "...)
							}
						}
						b = kernel.AppendJSON(b, call.Args[0], l.values[0].Datum(int(r)), spaced, zone)
					}
					return finish(call, append(b, ']'))
				}
			}))
		object := aggregateRow(name+"_object_agg", "Keys and values as a JSON object.", name+"_object_agg(k, v) → "+map[bool]string{false: `{ "a" : 1 }`, true: `{"a": 1}`}[spaced],
			[]fn.Param{family("key", fn.Any), family("value", fn.Any)}, t,
			listImpl(2, false, func(call fn.Call) func(l *lists, rows []int32) (types.Datum, error) {
				zone, _ := zoneOf(&call)
				return func(l *lists, rows []int32) (types.Datum, error) {
					b := []byte("{ ")
					for k, r := range rows {
						key := l.values[0].Datum(int(r))
						if key.Null {
							return key, errorf(sqlerr.InvalidParameterValue, "field name must not be null")
						}
						if k > 0 {
							b = append(b, ", "...)
						}
						b = append(types.AppendJSONString(b, types.Format(call.Args[0], key, zone)), " : "...)
						b = kernel.AppendJSON(b, call.Args[1], l.values[1].Datum(int(r)), spaced, zone)
					}
					return finish(call, append(b, " }"...))
				}
			}))
		out = append(out, list, object)
	}
	return out
}
