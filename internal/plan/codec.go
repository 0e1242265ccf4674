package plan

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"maps"
	"math"
	"reflect"
	"slices"
	"strconv"
	"unicode/utf8"

	"github.com/tarnlake/tarn/internal/expr"
	"github.com/tarnlake/tarn/internal/sqlerr"
	"github.com/tarnlake/tarn/internal/types"
)

// Version numbers the codec: nodes exchange plans only with nodes of equal version. Raise it with
// every change of a plan node, an expression or a function's number.
const Version = 3

// nodeKinds and exprKinds are the tags of the closed sums.
var (
	nodeType  = reflect.TypeFor[Node]()
	exprType  = reflect.TypeFor[expr.Expr]()
	rawType   = reflect.TypeFor[json.RawMessage]()
	datumType = reflect.TypeFor[types.Datum]()
	nodeKinds = kinds(Scan{}, Values{}, Filter{}, Project{}, Expand{}, Aggregate{}, HashJoin{}, NestedLoopJoin{},
		Sort{}, TopN{}, Limit{}, Window{}, Union{}, Unnest{}, With{}, Shared{}, Recursive{},
		Write{}, Exchange{})
	exprKinds = kinds(expr.Column{}, expr.Literal{}, expr.Parameter{}, expr.Call{}, expr.Cast{}, expr.Compare{},
		expr.And{}, expr.Or{}, expr.Not{}, expr.IsNull{}, expr.Case{}, expr.Coalesce{}, expr.In{}, expr.Try{}, expr.Lambda{})
)

// Kind names a node's kind, as the codec does.
func Kind(n Node) string { return reflect.TypeOf(n).Elem().Name() }

func kinds(values ...any) map[string]reflect.Type {
	out := make(map[string]reflect.Type, len(values))
	for _, v := range values {
		t := reflect.TypeOf(v)
		out[t.Name()] = t
	}
	return out
}

// Encode writes a plan as strict JSON: nodes and expressions are objects with a "kind", 64-bit
// integers and floats are strings, strings that are not UTF-8 are {"base64": …}, and fields that
// are zero are left out (an empty list is kept apart from none).
func Encode(root Node) ([]byte, error) {
	e := encoder{}
	e.value(reflect.ValueOf(&root).Elem())
	if e.failure != nil {
		return nil, e.failure
	}
	return e.out, nil
}

// EncodeFragment writes a fragment in the same form.
func EncodeFragment(f *Fragment) ([]byte, error) {
	e := encoder{}
	e.value(reflect.ValueOf(f).Elem())
	return e.out, e.failure
}

// EncodeValue writes what plans are made of, such as datums and structs of them, in the same form. v
// is a pointer to it.
func EncodeValue(v any) ([]byte, error) {
	e := encoder{}
	e.value(reflect.ValueOf(v).Elem())
	return e.out, e.failure
}

type encoder struct {
	out     []byte
	failure error
}

func (e *encoder) value(v reflect.Value) {
	switch v.Kind() {
	case reflect.Interface:
		if v.IsNil() {
			e.out = append(e.out, "null"...)
			return
		}
		e.object(v.Elem().Elem(), v.Elem().Elem().Type().Name())
	case reflect.Pointer:
		if v.IsNil() {
			e.out = append(e.out, "null"...)
			return
		}
		e.value(v.Elem())
	case reflect.Struct:
		e.object(v, "")
	case reflect.Slice:
		e.list(v)
	case reflect.Map:
		e.dictionary(v)
	case reflect.String:
		e.text(v.String())
	case reflect.Bool:
		e.out = strconv.AppendBool(e.out, v.Bool())
	case reflect.Int64:
		e.text(strconv.FormatInt(v.Int(), 10))
	case reflect.Uint64:
		e.text(strconv.FormatUint(v.Uint(), 10))
	case reflect.Int, reflect.Int32, reflect.Int16, reflect.Int8:
		e.out = strconv.AppendInt(e.out, v.Int(), 10)
	case reflect.Uint8, reflect.Uint16, reflect.Uint32:
		e.out = strconv.AppendUint(e.out, v.Uint(), 10)
	case reflect.Float64:
		e.text(strconv.FormatFloat(v.Float(), 'g', -1, 64))
	default:
		e.failure = sqlerr.Internal("plan codec: no form for %s", v.Type())
	}
}

func (e *encoder) text(s string) {
	if !utf8.ValidString(s) {
		e.out = append(e.out, `{"base64":"`...)
		e.out = base64.StdEncoding.AppendEncode(e.out, []byte(s))
		e.out = append(e.out, `"}`...)
		return
	}
	quoted, err := json.Marshal(s)
	if err != nil {
		e.failure = err
	}
	e.out = append(e.out, quoted...)
}

// negativeZero tells -0, alone or as a datum's value: IsZero takes it for 0.
func negativeZero(v reflect.Value) bool {
	if v.Type() == datumType {
		v = v.FieldByName("F64")
	}
	return v.Kind() == reflect.Float64 && math.Signbit(v.Float())
}

func (e *encoder) object(v reflect.Value, kind string) {
	e.out = append(e.out, '{')
	first := true
	key := func(name string) {
		if !first {
			e.out = append(e.out, ',')
		}
		first = false
		e.out = append(strconv.AppendQuote(e.out, name), ':')
	}
	if kind != "" {
		key("kind")
		e.text(kind)
	}
	t := v.Type()
	for i := range t.NumField() {
		f := v.Field(i)
		if f.IsZero() && !negativeZero(f) {
			continue
		}
		key(t.Field(i).Name)
		e.value(f)
	}
	e.out = append(e.out, '}')
}

func (e *encoder) list(v reflect.Value) {
	if v.IsNil() {
		e.out = append(e.out, "null"...)
		return
	}
	if v.Type() == rawType {
		var compact bytes.Buffer
		if err := json.Compact(&compact, v.Bytes()); err != nil {
			e.failure = err
		}
		e.out = append(e.out, compact.Bytes()...)
		return
	}
	e.out = append(e.out, '[')
	for i := range v.Len() {
		if i > 0 {
			e.out = append(e.out, ',')
		}
		e.value(v.Index(i))
	}
	e.out = append(e.out, ']')
}

func (e *encoder) dictionary(v reflect.Value) {
	keys := v.MapKeys()
	slices.SortFunc(keys, func(a, b reflect.Value) int {
		if a.String() < b.String() {
			return -1
		}
		return 1
	})
	e.out = append(e.out, '{')
	for i, k := range keys {
		if i > 0 {
			e.out = append(e.out, ',')
		}
		e.text(k.String())
		e.out = append(e.out, ':')
		e.value(v.MapIndex(k))
	}
	e.out = append(e.out, '}')
}

// NodeKinds lists the names of all kinds of nodes, for tests that must meet each.
func NodeKinds() []string { return slices.Sorted(maps.Keys(nodeKinds)) }
