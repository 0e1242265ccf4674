package parser

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/tarnlake/tarn/planner/parser/lexer"
)

// readCorpus reads a file of statements, each under a line "-- @ name".
func readCorpus(t testing.TB, path string) map[string]string {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	texts := map[string]string{}
	for _, part := range strings.Split("\n"+string(data), "\n-- @ ")[1:] {
		name, text, _ := strings.Cut(part, "\n")
		texts[name] = text
	}
	return texts
}

// TestEveryClientStatementParses reads the distinct statements that psql, JDBC, ODBC, SQLAlchemy,
// dbt and others send, and checks that printing them loses nothing.
func TestEveryClientStatementParses(t *testing.T) {
	files, err := filepath.Glob("testdata/clients/*.sql")
	if err != nil || len(files) < 20 {
		t.Fatalf("%d files, %v", len(files), err)
	}
	total := 0
	for _, file := range files {
		for name, text := range readCorpus(t, file) {
			total++
			list, err := Parse(text)
			if err != nil {
				t.Errorf("%s %s: %v\n%s", filepath.Base(file), name, err, text)
			}
			for _, statement := range list {
				checkRoundTrip(t, statement)
			}
		}
	}
	if total < 441 {
		t.Errorf("only %d statements in the corpus", total)
	}
}

// TestOtherEnginesStatements counts the statements of Trino's and Impala's users that are read.
func TestOtherEnginesStatements(t *testing.T) {
	for file, refused := range map[string][]string{
		// row patterns, options of JSON functions, tables as arguments of table functions
		"trino": {"match_recognize", "json_fn", "tf_table_arg"},
		// a number with a unit
		"impala": {"set_opt"},
	} {
		expected := map[string]bool{}
		for _, name := range refused {
			expected[name] = true
		}
		for name, text := range readCorpus(t, "testdata/engines/"+file+".sql") {
			list, err := Parse(text)
			if (err != nil) != expected[name] {
				t.Errorf("%s %s: %v\n%s", file, name, err, text)
			}
			for _, statement := range list {
				checkRoundTrip(t, statement)
			}
		}
	}
}

func TestTPCHParses(t *testing.T) {
	files, err := filepath.Glob("testdata/tpch/*.sql")
	if err != nil || len(files) != 22 {
		t.Fatalf("%d files, %v", len(files), err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		statement, err := ParseOne(string(text))
		if err != nil {
			t.Errorf("%s: %v", file, err)
			continue
		}
		checkRoundTrip(t, statement)
	}
}

// TestClientTextIsNotRewritten guards the rewriter against firing on what PostgreSQL understands.
func TestClientTextIsNotRewritten(t *testing.T) {
	files, err := filepath.Glob("testdata/clients/*.sql")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		for name, text := range readCorpus(t, file) {
			tokens, err := lexer.Scan(text)
			if err != nil {
				t.Fatal(err)
			}
			f, err := rewrite(text, tokens, "", "")
			if err != nil {
				t.Errorf("%s %s: %v", filepath.Base(file), name, err)
			} else if len(f.segments) != 1 {
				t.Errorf("%s %s is rewritten:\n%s", filepath.Base(file), name, f.text)
			}
		}
	}
}

func BenchmarkParse(b *testing.B) {
	q8, err := os.ReadFile("testdata/tpch/q08.sql")
	if err != nil {
		b.Fatal(err)
	}
	for name, text := range map[string]string{"select1": "SELECT 1", "begin": "BEGIN", "tpch8": string(q8)} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := Parse(text); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
