package parser

import (
	"fmt"
	"reflect"
	"strconv"
	"strings"
	"testing"

	"github.com/tarnlake/tarn/planner/parser/ast"
)

// sameTree compares two trees without positions.
func sameTree(a, b any) bool { return dump(a) == dump(b) }

// dump writes a tree as nested lists of its set fields, without positions.
func dump(node any) string {
	d := dumper{}
	d.value(reflect.ValueOf(node))
	return d.String()
}

// dumpWithPositions is dump with @ and the byte offset where a node has one.
func dumpWithPositions(node any) string {
	d := dumper{positions: true}
	d.value(reflect.ValueOf(node))
	return d.String()
}

type dumper struct {
	strings.Builder
	positions bool
}

func (out *dumper) value(v reflect.Value) {
	switch v.Kind() {
	case reflect.Interface, reflect.Pointer:
		if v.IsNil() {
			out.WriteString("nil")
			return
		}
		out.value(v.Elem())
	case reflect.Struct:
		out.WriteString("(" + v.Type().Name())
		for i := range v.NumField() {
			field := v.Type().Field(i)
			if at, ok := v.Field(i).Interface().(ast.Pos); ok && field.Anonymous {
				if out.positions && at >= 0 {
					fmt.Fprintf(out, "@%d", at)
				}
				continue
			}
			if field.Type == reflect.TypeFor[ast.Pos]() || field.Type == reflect.TypeFor[ast.Source]() || v.Field(i).IsZero() {
				continue
			}
			out.WriteString(" " + field.Name + "=")
			out.value(v.Field(i))
		}
		out.WriteString(")")
	case reflect.Slice:
		out.WriteString("[")
		for i := range v.Len() {
			if i > 0 {
				out.WriteString(" ")
			}
			out.value(v.Index(i))
		}
		out.WriteString("]")
	case reflect.String:
		out.WriteString(strconv.Quote(v.String()))
	default:
		fmt.Fprint(out, v.Interface())
	}
}

// checkRoundTrip formats a statement, parses that and wants the same tree.
func checkRoundTrip(t *testing.T, s ast.Statement) {
	t.Helper()
	text := ast.Format(s)
	again, err := ParseOne(text)
	if err != nil {
		t.Errorf("%s: %v", text, err)
		return
	}
	if !sameTree(s, again) {
		t.Errorf("format changes the tree:\n%s\n%s\n%s", text, dump(s), dump(again))
	}
}
