package parser

import (
	"strings"
	"testing"

	"github.com/tarnlake/tarn/internal/sqlerr"
	"github.com/tarnlake/tarn/planner/parser/ast"
)

func TestParseSelectShape(t *testing.T) {
	list, err := Parse("SELECT a, sum(b) AS s FROM t JOIN u USING (id) WHERE x -> 'k' = 'v' GROUP BY ALL; SELECT 1")
	if err != nil {
		t.Fatal(err)
	}
	if len(list) != 2 {
		t.Fatalf("%d statements, want 2", len(list))
	}
	core := list[0].(*ast.Select).Query.Body.(*ast.SelectCore)
	if !core.GroupBy.All || core.Targets[1].Alias != "s" {
		t.Errorf("wrong tree: %+v", core)
	}
	if join := core.From[0].(*ast.Join); join.Kind != ast.JoinInner || join.Using[0] != "id" {
		t.Errorf("wrong join: %+v", join)
	}
	if start, end := list[1].Span(); start != 82 || end != 90 {
		t.Errorf("span %d:%d", start, end)
	}
}

// chains gives texts whose tree is n levels deep.
func chains(n int) map[string]string {
	return map[string]string{
		"plus":    "SELECT 1" + strings.Repeat(" + 1", n),
		"concat":  "SELECT 'a'" + strings.Repeat(" || 'a'", n),
		"cast":    "SELECT 1" + strings.Repeat("::int", n),
		"is null": "SELECT 1" + strings.Repeat(" IS NULL", n),
		"zone":    "SELECT now()" + strings.Repeat(" AT TIME ZONE 'UTC'", n),
		"collate": "SELECT 'a'" + strings.Repeat(` COLLATE "C"`, n),
		"join":    "SELECT * FROM t" + strings.Repeat(" CROSS JOIN t", n),
		"union":   "SELECT 1" + strings.Repeat(" UNION ALL SELECT 1", n),
		"not":     "SELECT " + strings.Repeat("NOT ", n) + "true",
		"minus":   "SELECT " + strings.Repeat("- ", n) + "1",
		"parens":  "SELECT " + strings.Repeat("(", n) + "1" + strings.Repeat(")", n),
		"case":    "SELECT " + strings.Repeat("CASE WHEN true THEN ", n) + "1" + strings.Repeat(" END", n),
		"ends":    "SELECT " + strings.Repeat("CASE WHEN a THEN b END + ", n) + "1",
		"in":      "SELECT a" + strings.Repeat(" IN (1) IS NULL", n),
		"between": "SELECT a" + strings.Repeat(" BETWEEN 1 AND 2 IS NULL", n),
		"index":   "SELECT " + strings.Repeat("f(", n) + "1" + strings.Repeat(")[1]", n),
		"query":   strings.Repeat("SELECT (", n) + "SELECT 1" + strings.Repeat(")", n),
		"from":    strings.Repeat("SELECT * FROM (", n) + "SELECT 1" + strings.Repeat(")", n),
		"lambda":  "SELECT " + strings.Repeat("f(x -> x + ", n) + "1" + strings.Repeat(")", n),
		"explain": "EXPLAIN SELECT 1" + strings.Repeat(" + 1", n),
		"check":   "CREATE TABLE t (a int CHECK (1" + strings.Repeat(" + 1", n) + " > 0))",
		"type":    "CREATE TABLE t (a " + strings.Repeat("array(", n) + "int" + strings.Repeat(")", n) + ")",
		"hive":    "CREATE TABLE t (a " + strings.Repeat("array<", n) + "int" + strings.Repeat(">", n) + ")",
	}
}

func TestLongChainsAreRefused(t *testing.T) {
	for name, sql := range chains(100_000) {
		_, err := Parse(sql)
		if sqlerr.CodeOf(err) != sqlerr.StatementTooComplex {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestChainsBelowTheLimit goes to where the guard still lets a statement through: it must be read, or
// refused as too deep by what reads it, and never end the process.
func TestChainsBelowTheLimit(t *testing.T) {
	for _, n := range []int{500, 3900} {
		for name, sql := range chains(n) {
			list, err := Parse(sql)
			if err != nil && sqlerr.CodeOf(err) != sqlerr.StatementTooComplex {
				t.Errorf("%s of %d: %v", name, n, err)
			}
			if err != nil && n == 500 {
				t.Errorf("%s of %d: %v", name, n, err)
			}
			for _, statement := range list {
				ast.Format(statement)
			}
		}
	}
}

func TestWideStatementsAreAccepted(t *testing.T) {
	const n = 20_000
	for name, sql := range map[string]string{
		"in":     "SELECT a IN (1" + strings.Repeat(", 2", n) + ")",
		"and":    "SELECT a = 1" + strings.Repeat(" AND a = 1", n),
		"or":     "SELECT a = 1" + strings.Repeat(" OR a = -1", n),
		"values": "INSERT INTO t VALUES ('2020-01-01'::date, -1)" + strings.Repeat(", ('2020-01-01'::date, -1)", n),
		"case":   "SELECT CASE" + strings.Repeat(" WHEN a = 1 THEN 2 + 3", n) + " END",
	} {
		if _, err := Parse(sql); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}
