package plan

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"math"
	"reflect"
	"slices"
	"strconv"
	"unicode/utf8"

	"github.com/tarnlake/tarn/internal/expr"
	"github.com/tarnlake/tarn/internal/sqlerr"
)

// Version numbers the codec: nodes exchange plans only with nodes of equal version. Raise it with
// every change of a plan node, an expression or a function's number.
const Version = 2

// maxDepth bounds the nesting of a decoded plan.
const maxDepth = 20_000

// nodeKinds and exprKinds are the tags of the closed sums.
var (
	nodeType  = reflect.TypeFor[Node]()
	exprType  = reflect.TypeFor[expr.Expr]()
	rawType   = reflect.TypeFor[json.RawMessage]()
	nodeKinds = kinds(Scan{}, Values{}, Filter{}, Project{}, Expand{}, Aggregate{}, HashJoin{}, NestedLoopJoin{},
		SingleRow{}, Sort{}, TopN{}, Limit{}, Window{}, Union{}, Unnest{}, UniqueID{}, With{}, Shared{}, Recursive{},
		Write{}, Exchange{})
	exprKinds = kinds(expr.Column{}, expr.Literal{}, expr.Parameter{}, expr.Call{}, expr.Cast{}, expr.Compare{},
		expr.And{}, expr.Or{}, expr.Not{}, expr.IsNull{}, expr.Case{}, expr.Coalesce{}, expr.In{}, expr.Try{}, expr.Lambda{})
)

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

// Decode reads what Encode wrote. Anything unknown, missing or left over is an error.
func Decode(data []byte) (Node, error) {
	var root Node
	d := decoder{}
	if err := d.value(data, reflect.ValueOf(&root).Elem(), 0); err != nil {
		return nil, sqlerr.Wrap(err, sqlerr.InternalError, "invalid plan")
	}
	if root == nil {
		return nil, sqlerr.Internal("invalid plan: empty")
	}
	return root, nil
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
		if f.IsZero() && !(f.Kind() == reflect.Float64 && math.Signbit(f.Float())) {
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

type decoder struct{}

func (d *decoder) value(data []byte, v reflect.Value, depth int) error {
	if depth > maxDepth {
		return fmt.Errorf("nested too deeply")
	}
	if v.Type() == rawType {
		v.SetBytes(append([]byte(nil), data...))
		return nil
	}
	if bytes.Equal(data, []byte("null")) {
		switch v.Kind() {
		case reflect.Interface, reflect.Pointer, reflect.Slice:
			v.SetZero()
			return nil
		}
		return fmt.Errorf("null where %s is expected", v.Type())
	}
	switch v.Kind() {
	case reflect.Interface:
		return d.sum(data, v, depth)
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		return d.value(data, v.Elem(), depth+1)
	case reflect.Struct:
		fields, err := object(data)
		if err != nil {
			return err
		}
		return d.fields(fields, v, depth)
	case reflect.Slice:
		return d.list(data, v, depth)
	case reflect.Map:
		return d.dictionary(data, v)
	case reflect.String:
		s, err := text(data)
		v.SetString(s)
		return err
	}
	return scalar(data, v)
}

func scalar(data []byte, v reflect.Value) error {
	var err error
	s := string(data)
	switch v.Kind() {
	case reflect.Int64, reflect.Uint64, reflect.Float64:
		if s, err = text(data); err != nil {
			return err
		}
	}
	switch v.Kind() {
	case reflect.Bool:
		if s != "true" && s != "false" {
			return fmt.Errorf("%q is not a boolean", s)
		}
		v.SetBool(s == "true")
	case reflect.Float64:
		var f float64
		f, err = strconv.ParseFloat(s, 64)
		v.SetFloat(f)
	case reflect.Int, reflect.Int64, reflect.Int32, reflect.Int16, reflect.Int8:
		var n int64
		n, err = strconv.ParseInt(s, 10, v.Type().Bits())
		v.SetInt(n)
	case reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		var n uint64
		n, err = strconv.ParseUint(s, 10, v.Type().Bits())
		v.SetUint(n)
	default:
		err = fmt.Errorf("no form for %s", v.Type())
	}
	return err
}

func object(data []byte) (map[string]json.RawMessage, error) {
	var fields map[string]json.RawMessage
	decoder := json.NewDecoder(bytes.NewReader(data))
	if err := decoder.Decode(&fields); err != nil {
		return nil, err
	}
	if decoder.More() {
		return nil, fmt.Errorf("text after the object")
	}
	return fields, nil
}

func text(data []byte) (string, error) {
	var s string
	if len(data) > 0 && data[0] == '{' {
		fields, err := object(data)
		if err != nil || len(fields) != 1 || fields["base64"] == nil {
			return "", fmt.Errorf("not a string: %.40s", data)
		}
		if err := json.Unmarshal(fields["base64"], &s); err != nil {
			return "", err
		}
		b, err := base64.StdEncoding.DecodeString(s)
		return string(b), err
	}
	err := json.Unmarshal(data, &s)
	return s, err
}

// sum decodes an interface: a pointer to the struct that "kind" names.
func (d *decoder) sum(data []byte, v reflect.Value, depth int) error {
	fields, err := object(data)
	if err != nil {
		return err
	}
	kind, err := text(fields["kind"])
	if err != nil {
		return fmt.Errorf("object without kind: %.40s", data)
	}
	known := nodeKinds
	if v.Type() == exprType {
		known = exprKinds
	} else if v.Type() != nodeType {
		return fmt.Errorf("no form for %s", v.Type())
	}
	t, ok := known[kind]
	if !ok {
		return fmt.Errorf("unknown kind %q", kind)
	}
	delete(fields, "kind")
	made := reflect.New(t)
	if err := d.fields(fields, made.Elem(), depth); err != nil {
		return fmt.Errorf("%s: %w", kind, err)
	}
	v.Set(made)
	return nil
}

func (d *decoder) fields(fields map[string]json.RawMessage, v reflect.Value, depth int) error {
	for name, data := range fields {
		if name == "kind" {
			return fmt.Errorf("kind on a plain object")
		}
		f := v.FieldByName(name)
		structField, ok := v.Type().FieldByName(name)
		if !ok || !f.CanSet() || len(structField.Index) != 1 {
			return fmt.Errorf("unknown field %q", name)
		}
		if err := d.value(data, f, depth+1); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	return nil
}

func (d *decoder) list(data []byte, v reflect.Value, depth int) error {
	var items []json.RawMessage
	if err := json.Unmarshal(data, &items); err != nil {
		return err
	}
	v.Set(reflect.MakeSlice(v.Type(), len(items), len(items)))
	for i, item := range items {
		if err := d.value(item, v.Index(i), depth+1); err != nil {
			return fmt.Errorf("[%d]: %w", i, err)
		}
	}
	return nil
}

func (d *decoder) dictionary(data []byte, v reflect.Value) error {
	fields, err := object(data)
	if err != nil {
		return err
	}
	v.Set(reflect.MakeMap(v.Type()))
	for key, data := range fields {
		item := reflect.New(v.Type().Elem()).Elem()
		if err := d.value(data, item, 0); err != nil {
			return err
		}
		v.SetMapIndex(reflect.ValueOf(key), item)
	}
	return nil
}
