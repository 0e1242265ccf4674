package binder

import (
	"fmt"
	"strings"
	"testing"

	"github.com/tarnlake/tarn/exec/functions"
	"github.com/tarnlake/tarn/internal/fn"
	"github.com/tarnlake/tarn/internal/sqlerr"
	"github.com/tarnlake/tarn/internal/types"
)

// answer is what PostgreSQL 15 says about a statement: the error, or the parameters' types and the
// names and types of the columns.
type answer struct{ sql, text string }

// readAnswers reads statements and PostgreSQL's answers, separated by blank lines.
func readAnswers(t *testing.T, path string) []answer {
	var out []answer
	for _, block := range strings.Split(strings.TrimSpace(readTestdata(t, path)), "\n\n") {
		sql, text, ok := strings.Cut(block, "\n----\n")
		if !ok {
			sql, ok = strings.CutSuffix(block, "\n----")
		}
		if !ok {
			t.Fatalf("%s: no answer in %q", path, block)
		}
		out = append(out, answer{sql, strings.TrimSpace(text)})
	}
	return out
}

// describeColumns words a bound statement as PostgreSQL's answers are: types without modifiers.
func describeColumns(b *Bound) string {
	out := ""
	if len(b.Parameters) > 0 {
		out = "parameters"
		for _, p := range b.Parameters {
			out += " " + baseName(p)
		}
		out += "\n"
	}
	if b.Plan != nil && b.Kind == Query {
		for _, c := range b.Plan.Output {
			out += fmt.Sprintf("%s %s\n", c.Name, baseName(b.Plan.Columns.Info(c.ID).Type))
		}
	}
	return strings.TrimSpace(out)
}

func baseName(t types.Type) string {
	if t.Kind == types.Row {
		return "record"
	}
	return strings.ReplaceAll(strings.ReplaceAll(t.Base(), "character varying", "text"), "[][]", "[]")
}

func comparePostgres(t *testing.T, path string, registry *fn.Registry) {
	c := newTestCatalog()
	if err := c.create(readTestdata(t, "testdata/postgres/schema.sql")); err != nil {
		t.Fatal(err)
	}
	for _, a := range readAnswers(t, path) {
		bound, err := bindText(c, registry, a.sql)
		got := ""
		if err != nil {
			got = strings.TrimSpace(describeError(err))
		} else {
			got = describeColumns(bound)
		}
		want := strings.ReplaceAll(a.text, "character varying", "text")
		if got = likePostgres(got, want); got != want {
			t.Errorf("%s\n  got:  %s\n  want: %s", a.sql, strings.ReplaceAll(got, "\n", "\n        "), strings.ReplaceAll(want, "\n", "\n        "))
		}
	}
}

// likePostgres leaves out of our answer what PostgreSQL's lacks and we add: a hint, a position.
func likePostgres(got, want string) string {
	if at := strings.Index(got, "\nhint: "); at >= 0 && !strings.Contains(want, "\nhint: ") {
		got = got[:at]
	}
	if strings.HasPrefix(want, "error") && strings.Contains(want, " at 0: ") {
		head, rest, _ := strings.Cut(got, " at ")
		_, message, _ := strings.Cut(rest, ": ")
		got = head + " at 0: " + message
	}
	return got
}

func TestErrorsAgainstPostgres(t *testing.T) {
	comparePostgres(t, "testdata/postgres/errors.txt", testRegistry())
}

func TestColumnsAgainstPostgres(t *testing.T) {
	comparePostgres(t, "testdata/postgres/columns.txt", testRegistry())
}

// TestTypesAgainstPostgres checks the type of every operator and construct over every pair of types.
func TestTypesAgainstPostgres(t *testing.T) {
	registry, c := functions.Registry(), newTestCatalog()
	for _, table := range strings.Split(readTestdata(t, "testdata/postgres/matrix.txt"), "\n\n")[1:] {
		lines := strings.Split(strings.TrimSpace(table), "\n")
		form := strings.TrimPrefix(lines[0], "form ")
		names := strings.Fields(strings.TrimPrefix(lines[1], "types "))
		for i, line := range lines[2:] {
			for j, want := range strings.Fields(line) {
				if want == "-" {
					continue
				}
				sql := strings.Replace(form, "$1", nullOf(names[i]), 1)
				if strings.Contains(form, "CAST(") {
					sql = strings.Replace(sql, "$2", names[j], 1)
				} else {
					sql = strings.Replace(sql, "$2", nullOf(names[j]), 1)
				}
				if got := typeOrCode(c, registry, sql); got != strings.ReplaceAll(want, "character_varying", "text") {
					t.Errorf("%s gives %s, PostgreSQL %s", sql, got, want)
				}
			}
		}
	}
}

func nullOf(name string) string {
	if name == "unknown" {
		return "NULL"
	}
	return "NULL::" + name
}

// typeOrCode gives the type of a query's only column, or the SQLSTATE.
func typeOrCode(c *testCatalog, registry *fn.Registry, sql string) string {
	bound, err := bindText(c, registry, sql)
	if err != nil {
		return string(sqlerr.CodeOf(err))
	}
	t := bound.Plan.Columns.Info(bound.Plan.Output[0].ID).Type
	return strings.ReplaceAll(baseName(t), " ", "_")
}
