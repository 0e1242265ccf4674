package binder

import (
	"context"
	"fmt"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"

	"github.com/tarnlake/tarn/exec/functions"
	"github.com/tarnlake/tarn/internal/fn"
	"github.com/tarnlake/tarn/internal/sqlerr"
	"github.com/tarnlake/tarn/planner/logical"
	"github.com/tarnlake/tarn/planner/parser"
	"github.com/tarnlake/tarn/planner/parser/ast"
)

var (
	exprType  = reflect.TypeFor[ast.Expr]()
	queryType = reflect.TypeFor[*ast.Query]()
	fromType  = reflect.TypeFor[ast.FromItem]()
)

// slots lists the places in a tree that hold an expression, a query or a FROM item.
func slots(v reflect.Value, out *[]reflect.Value) {
	switch v.Kind() {
	case reflect.Pointer, reflect.Interface:
		if v.IsNil() {
			return
		}
		if v.CanSet() && (v.Type() == exprType || v.Type() == queryType || v.Type() == fromType) {
			*out = append(*out, v)
		}
		slots(v.Elem(), out)
	case reflect.Struct:
		for i := range v.NumField() {
			slots(v.Field(i), out)
		}
	case reflect.Slice:
		for i := range v.Len() {
			slots(v.Index(i), out)
		}
	}
}

func spliceSeeds(t *testing.T) []string {
	var out []string
	for _, path := range []string{"testdata/postgres/errors.txt", "testdata/postgres/columns.txt"} {
		for _, a := range readAnswers(t, path) {
			if _, err := parser.ParseOne(a.sql); err == nil {
				out = append(out, a.sql)
			}
		}
	}
	return out
}

// TestSplicedStatements puts parts of statements into each other: whatever comes of it binds to a
// sound plan or fails as a user's error.
func TestSplicedStatements(t *testing.T) {
	c := newTestCatalog()
	if err := c.create(readTestdata(t, "testdata/postgres/schema.sql")); err != nil {
		t.Fatal(err)
	}
	seeds := spliceSeeds(t)
	donors := map[reflect.Type][]reflect.Value{}
	for _, sql := range seeds {
		s, _ := parser.ParseOne(sql)
		var found []reflect.Value
		slots(reflect.ValueOf(s), &found)
		for _, v := range found {
			donors[v.Type()] = append(donors[v.Type()], v)
		}
	}
	for name, registry := range map[string]*fn.Registry{"declared": testRegistry(), "real": functions.Registry()} {
		t.Run(name, func(t *testing.T) { spliceAndBind(t, c, registry, seeds, donors) })
	}
}

func spliceAndBind(t *testing.T, c *testCatalog, registry *fn.Registry, seeds []string, donors map[reflect.Type][]reflect.Value) {
	const rounds = 3_000
	bound := 0
	r := rand.New(rand.NewPCG(7, 11))
	for round := range rounds {
		sql := seeds[r.IntN(len(seeds))]
		s, _ := parser.ParseOne(sql)
		var places []reflect.Value // of this tree alone: the donors' stay as they are
		slots(reflect.ValueOf(s), &places)
		for range 1 + r.IntN(3) {
			place := places[r.IntN(len(places))]
			from := donors[place.Type()]
			place.Set(from[r.IntN(len(from))])
		}
		if ok, message := bindSpliced(c, registry, s, sql); message != "" {
			t.Fatalf("round %d: %s\n%s", round, ast.Format(s), message)
		} else if ok {
			bound++
		}
	}
	if bound < rounds/20 {
		t.Errorf("only %d of %d spliced statements bound", bound, rounds)
	}
}

// bindSpliced tells whether a tree bound, and what is wrong with the binder.
func bindSpliced(c *testCatalog, registry *fn.Registry, s ast.Statement, sql string) (ok bool, message string) {
	defer func() {
		if p := recover(); p != nil {
			message = fmt.Sprintf("panic: %v", p)
		}
	}()
	b, err := Bind(context.Background(), s, testEnv(c, registry, sql))
	if err != nil {
		if sqlerr.CodeOf(err) == sqlerr.InternalError && !strings.Contains(err.Error(), "have no implementation") {
			return false, err.Error()
		}
		return false, ""
	}
	if b.Plan != nil {
		if err := logical.Verify(b.Plan); err != nil {
			return false, err.Error() + "\n" + logical.Format(b.Plan)
		}
	}
	return true, ""
}
