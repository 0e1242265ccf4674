package plan

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"reflect"
	"strconv"
	"unicode/utf8"

	"github.com/tarnlake/tarn/internal/sqlerr"
)

// maxDepth bounds the nesting of a decoded plan.
const maxDepth = 20_000

// Decode reads what Encode wrote. Anything unknown, missing or left over is an error. It reads the
// text once, however deep the plan: "kind" must be an object's first field.
func Decode(data []byte) (Node, error) {
	var root Node
	if err := decode(data, reflect.ValueOf(&root).Elem(), "plan"); err != nil {
		return nil, err
	}
	if root == nil {
		return nil, sqlerr.Internal("invalid plan: empty")
	}
	return root, nil
}

// DecodeFragment reads what EncodeFragment wrote.
func DecodeFragment(data []byte) (*Fragment, error) {
	f := &Fragment{}
	if err := decode(data, reflect.ValueOf(f).Elem(), "fragment"); err != nil {
		return nil, err
	}
	if f.Root == nil {
		return nil, sqlerr.Internal("invalid fragment: empty")
	}
	return f, nil
}

// DecodeValue reads what EncodeValue wrote into what v points to.
func DecodeValue(data []byte, v any) error { return decode(data, reflect.ValueOf(v).Elem(), "value") }

func decode(data []byte, into reflect.Value, what string) error {
	d := decoder{data: data}
	err := d.value(into, 0)
	if d.peek(); err == nil && d.at < len(data) {
		err = fmt.Errorf("text after the end")
	}
	if err != nil {
		return sqlerr.Wrap(err, sqlerr.InternalError, "invalid %s at byte %d", what, d.at)
	}
	return nil
}

// decoder reads one JSON text from front to back.
type decoder struct {
	data []byte
	at   int
}

// peek gives the next byte that is no white space, 0 at the end.
func (d *decoder) peek() byte {
	for ; d.at < len(d.data); d.at++ {
		switch c := d.data[d.at]; c {
		case ' ', '\t', '\n', '\r':
		default:
			return c
		}
	}
	return 0
}

func (d *decoder) expect(c byte) error {
	if got := d.peek(); got != c {
		return fmt.Errorf("%q where %q is expected", got, c)
	}
	d.at++
	return nil
}

// next tells whether a list or an object that ends with end has another item, and passes its comma.
func (d *decoder) next(end byte, first bool) (bool, error) {
	switch c := d.peek(); {
	case c == end:
		d.at++
		return false, nil
	case first:
		return true, nil
	case c == ',':
		d.at++
		return true, nil
	default:
		return false, fmt.Errorf("%q where ',' or %q is expected", c, end)
	}
}

func (d *decoder) value(v reflect.Value, depth int) error {
	if depth > maxDepth {
		return fmt.Errorf("nested too deeply")
	}
	if v.Type() == rawType {
		raw, err := d.raw()
		v.SetBytes(bytes.Clone(raw))
		return err
	}
	if d.peek() == 'n' {
		return d.null(v)
	}
	switch v.Kind() {
	case reflect.Interface:
		return d.sum(v, depth)
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		return d.value(v.Elem(), depth+1)
	case reflect.Struct:
		if err := d.expect('{'); err != nil {
			return err
		}
		return d.fields(v, true, depth)
	case reflect.Slice:
		return d.list(v, depth)
	case reflect.Map:
		return d.dictionary(v, depth)
	case reflect.String:
		s, err := d.text()
		v.SetString(s)
		return err
	}
	return d.scalar(v)
}

func (d *decoder) null(v reflect.Value) error {
	if word := d.word(); word != "null" {
		return fmt.Errorf("unknown word %.20q", word)
	}
	switch v.Kind() {
	case reflect.Interface, reflect.Pointer, reflect.Slice:
		v.SetZero()
		return nil
	}
	return fmt.Errorf("null where %s is expected", v.Type())
}

// word reads a number or a name.
func (d *decoder) word() string {
	d.peek()
	start := d.at
	for d.at < len(d.data) {
		c := d.data[d.at]
		if c != '-' && c != '+' && c != '.' && (c < '0' || c > '9') && (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') {
			break
		}
		d.at++
	}
	return string(d.data[start:d.at])
}

func (d *decoder) scalar(v reflect.Value) error {
	var s string
	var err error
	switch v.Kind() {
	case reflect.Int64, reflect.Uint64, reflect.Float64:
		if s, err = d.text(); err != nil {
			return err
		}
	default:
		s = d.word()
	}
	switch v.Kind() {
	case reflect.Bool:
		if s != "true" && s != "false" {
			return fmt.Errorf("%.20q is not a boolean", s)
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

// text reads a string, or {"base64": …} for one that is not UTF-8.
func (d *decoder) text() (string, error) {
	if d.peek() != '{' {
		return d.quoted()
	}
	d.at++
	key, err := d.key()
	if err != nil {
		return "", err
	}
	if key != "base64" {
		return "", fmt.Errorf("not a string: field %.20q", key)
	}
	s, err := d.quoted()
	if err != nil {
		return "", err
	}
	b, err := base64.StdEncoding.DecodeString(s)
	if err != nil {
		return "", err
	}
	return string(b), d.expect('}')
}

func (d *decoder) quoted() (string, error) {
	if err := d.expect('"'); err != nil {
		return "", err
	}
	start, plain := d.at, true
	for ; d.at < len(d.data); d.at++ {
		switch c := d.data[d.at]; {
		case c == '\\':
			plain = false
			d.at++
		case c == '"':
			d.at++
			if inside := d.data[start : d.at-1]; plain && utf8.Valid(inside) {
				return string(inside), nil
			}
			var s string
			err := json.Unmarshal(d.data[start-1:d.at], &s)
			return s, err
		case c < ' ':
			return "", fmt.Errorf("control character in a string")
		}
	}
	d.at = len(d.data)
	return "", fmt.Errorf("a string does not end")
}

func (d *decoder) key() (string, error) {
	name, err := d.quoted()
	if err != nil {
		return "", err
	}
	return name, d.expect(':')
}

// raw passes one value and gives its text.
func (d *decoder) raw() ([]byte, error) {
	d.peek()
	start, open := d.at, 0
	for {
		switch d.peek() {
		case 0:
			return nil, fmt.Errorf("the text ends within a value")
		case '"':
			if _, err := d.quoted(); err != nil {
				return nil, err
			}
		case '{', '[':
			open++
			d.at++
		case '}', ']':
			open--
			d.at++
		case ',', ':':
			d.at++
		default:
			if d.word() == "" {
				return nil, fmt.Errorf("unexpected %q", d.data[d.at])
			}
		}
		if open <= 0 {
			break
		}
	}
	raw := d.data[start:d.at]
	if !json.Valid(raw) {
		return nil, fmt.Errorf("invalid JSON: %.40s", raw)
	}
	return raw, nil
}

// sum decodes an interface: a pointer to the struct that "kind" names.
func (d *decoder) sum(v reflect.Value, depth int) error {
	if err := d.expect('{'); err != nil {
		return err
	}
	if key, err := d.key(); err != nil || key != "kind" {
		return fmt.Errorf("an object that does not begin with its kind")
	}
	kind, err := d.text()
	if err != nil {
		return err
	}
	known := nodeKinds
	if v.Type() == exprType {
		known = exprKinds
	} else if v.Type() != nodeType {
		return fmt.Errorf("no form for %s", v.Type())
	}
	t, ok := known[kind]
	if !ok {
		return fmt.Errorf("unknown kind %.40q", kind)
	}
	made := reflect.New(t)
	if err := d.fields(made.Elem(), false, depth); err != nil {
		return err
	}
	v.Set(made)
	return nil
}

// fields reads the rest of an object into a struct; first tells that none has been read.
func (d *decoder) fields(v reflect.Value, first bool, depth int) error {
	t := v.Type()
	var seen uint64 // by the field's index
	for ; ; first = false {
		more, err := d.next('}', first)
		if err != nil || !more {
			return err
		}
		name, err := d.key()
		if err != nil {
			return err
		}
		field, ok := t.FieldByName(name)
		if !ok || len(field.Index) != 1 || !field.IsExported() {
			return fmt.Errorf("unknown field %.40q of %s", name, t.Name())
		}
		bit := uint64(1) << field.Index[0]
		if seen&bit != 0 {
			return fmt.Errorf("field %q of %s twice", name, t.Name())
		}
		seen |= bit
		if err := d.value(v.Field(field.Index[0]), depth+1); err != nil {
			return err
		}
	}
}

func (d *decoder) list(v reflect.Value, depth int) error {
	if err := d.expect('['); err != nil {
		return err
	}
	v.Set(reflect.MakeSlice(v.Type(), 0, 0))
	for n := 0; ; n++ {
		more, err := d.next(']', n == 0)
		if err != nil || !more {
			return err
		}
		if n == v.Cap() {
			v.Grow(max(n, 4))
		}
		v.SetLen(n + 1)
		if err := d.value(v.Index(n), depth+1); err != nil {
			return err
		}
	}
}

func (d *decoder) dictionary(v reflect.Value, depth int) error {
	if err := d.expect('{'); err != nil {
		return err
	}
	v.Set(reflect.MakeMap(v.Type()))
	for first := true; ; first = false {
		more, err := d.next('}', first)
		if err != nil || !more {
			return err
		}
		key, err := d.text()
		if err == nil {
			err = d.expect(':')
		}
		if err != nil {
			return err
		}
		item := reflect.New(v.Type().Elem()).Elem()
		if err := d.value(item, depth+1); err != nil {
			return err
		}
		v.SetMapIndex(reflect.ValueOf(key).Convert(v.Type().Key()), item)
	}
}
