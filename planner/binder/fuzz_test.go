package binder

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/tarnlake/tarn/internal/sqlerr"
	"github.com/tarnlake/tarn/planner/parser"
)

// FuzzBind binds any text: no panic, no internal error, no plan that breaks an invariant.
func FuzzBind(f *testing.F) {
	c := newTestCatalog()
	schema, err := os.ReadFile("testdata/postgres/schema.sql")
	if err != nil {
		f.Fatal(err)
	}
	if err := c.create(string(schema)); err != nil {
		f.Fatal(err)
	}
	for _, seed := range fuzzSeeds(f) {
		f.Add(seed)
	}
	registry := testRegistry()
	f.Fuzz(func(t *testing.T, sql string) {
		if _, err := parser.ParseOne(sql); err != nil {
			return
		}
		_, err := bindText(c, registry, sql)
		if err == nil || sqlerr.CodeOf(err) != sqlerr.InternalError {
			return
		}
		if strings.Contains(err.Error(), "the tests' functions have no implementation") {
			return
		}
		t.Fatalf("%s: %v", sql, err)
	})
}

// fuzzSeeds are the statements of the other tests.
func fuzzSeeds(f *testing.F) []string {
	var out []string
	for _, path := range []string{"testdata/postgres/errors.txt", "testdata/postgres/columns.txt"} {
		text, err := os.ReadFile(path)
		if err != nil {
			f.Fatal(err)
		}
		for _, block := range strings.Split(string(text), "\n\n") {
			sql, _, _ := strings.Cut(block, "\n----")
			out = append(out, sql)
		}
	}
	plans, err := filepath.Glob("testdata/plans/*.txt")
	if err != nil {
		f.Fatal(err)
	}
	for _, path := range plans {
		text, err := os.ReadFile(path)
		if err != nil {
			f.Fatal(err)
		}
		for _, block := range strings.Split(string(text), "\nbind\n")[1:] {
			sql, _, _ := strings.Cut(block, "\n----")
			out = append(out, sql)
		}
	}
	return out
}
