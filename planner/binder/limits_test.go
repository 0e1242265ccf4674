package binder

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/tarnlake/tarn/internal/sqlerr"
	"github.com/tarnlake/tarn/planner/parser"
)

// Binding a long statement ends when its context does.
func TestBindingIsCancelled(t *testing.T) {
	s, err := parser.ParseOne("SELECT " + strings.Repeat("1 + 2, ", 200) + "3")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := Bind(ctx, s, testEnv(newTestCatalog(), testRegistry(), "")); !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
}

// Views that name each other twice grow as 2ⁿ: the statement fails before memory does.
func TestExplodingSubqueriesAreRefused(t *testing.T) {
	c := newTestCatalog()
	script := "CREATE TABLE v0 (a int" // wide, so that the bound is near
	for i := range 1000 {
		script += fmt.Sprintf(", c%d int", i)
	}
	script += ");"
	for i := range 12 {
		script += fmt.Sprintf("CREATE VIEW v%d AS SELECT x.* FROM v%d x, v%d y;", i+1, i, i)
	}
	if err := c.create(script); err != nil {
		t.Fatal(err)
	}
	if _, err := bindText(c, testRegistry(), "SELECT * FROM v12"); sqlerr.CodeOf(err) != sqlerr.StatementTooComplex {
		t.Fatal(err)
	}
}

// A thousand select items or aggregates that are all different are told apart quickly, and equal ones
// are still computed once.
func TestManyItemsShareColumns(t *testing.T) {
	items := make([]string, 0, 3000)
	for i := range 1500 {
		items = append(items, fmt.Sprintf("sum(a + %d)", i), fmt.Sprintf("sum(a + %d)", i/2))
	}
	c := newTestCatalog()
	if err := c.create("CREATE TABLE t (a int);"); err != nil {
		t.Fatal(err)
	}
	s, err := parser.ParseOne("SELECT " + strings.Join(items, ", ") + " FROM t")
	if err != nil {
		t.Fatal(err)
	}
	bound, err := Bind(context.Background(), s, testEnv(c, testRegistry(), ""))
	if err != nil {
		t.Fatal(err)
	}
	different := map[any]bool{}
	for _, o := range bound.Plan.Output {
		different[o.ID] = true
	}
	if len(different) != 1500 {
		t.Errorf("%d columns, want 1500", len(different))
	}
}
