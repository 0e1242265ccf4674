package functions_test

import (
	"bytes"
	"errors"
	"flag"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/tarnlake/tarn/internal/sqlerr"
)

// With -regenerate the expected texts are asked anew of the PostgreSQL server that psql finds through
// the usual PG… variables.
var regenerate = flag.Bool("regenerate", false, "ask PostgreSQL for the expected results")

const testZone = "America/New_York"

const header = "# SQL expression, tab, its value as text (∅ is NULL) or !SQLSTATE message. ~ before an expression: numbers need\n" +
	"# only agree to 1e-12, types may differ in scale. \\n is a line feed.\n" +
	"# Origin of the values: PostgreSQL 15, timezone America/New_York, collation C, default settings.\n"

// A case is one line of testdata/*.txt.
type testCase struct{ expression, want string }

func readCases(t *testing.T, path string) (cases []testCase) {
	t.Helper()
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(content)) {
		line = strings.TrimSuffix(line, "\n")
		if strings.HasPrefix(line, "#") || line == "" {
			continue
		}
		expression, want, _ := strings.Cut(line, "\t")
		cases = append(cases, testCase{expression, want})
	}
	return cases
}

func TestAgainstPostgres(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatal("no test data", err)
	}
	total := 0
	for _, path := range files {
		t.Run(strings.TrimSuffix(filepath.Base(path), ".txt"), func(t *testing.T) {
			if *regenerate {
				askPostgres(t, path)
			}
			e := newEngine(testZone)
			for _, c := range readCases(t, path) {
				total++
				expression, loose := strings.CutPrefix(c.expression, "~")
				if got := e.text(expression); got != c.want && !(loose && nearlyEqual(got, c.want)) {
					t.Errorf("%s\n\t got %s\n\twant %s", c.expression, got, c.want)
				}
			}
		})
	}
	if all := flag.Lookup("test.run").Value.String() == ""; all && total < 600 {
		t.Errorf("only %d cases", total)
	}
}

// text gives the value of an expression, or a select without FROM, as the data files write it.
func (e *engine) text(expression string) string {
	rows, err := e.query(textQuery(expression))
	if err != nil {
		var user *sqlerr.Error
		if errors.As(err, &user) {
			return "!" + string(user.Code) + " " + strings.ReplaceAll(user.Message, "\n", "\\n")
		}
		return "!!" + err.Error()
	}
	return strings.ReplaceAll(strings.Join(rows, "\n"), "\n", "\\n")
}

// textQuery wraps an expression; "x FROM (VALUES …) t(x)" keeps its FROM outside the cast.
func textQuery(expression string) string {
	value, from, found := strings.Cut(expression, " FROM (VALUES")
	if found {
		return "SELECT (" + value + ")::text FROM (VALUES" + from
	}
	return "SELECT (" + expression + ")::text"
}

func nearlyEqual(a, b string) bool {
	x, err1 := strconv.ParseFloat(a, 64)
	y, err2 := strconv.ParseFloat(b, 64)
	if err1 != nil || err2 != nil {
		return false
	}
	return x == y || math.Abs(x-y) <= 1e-12*math.Max(math.Abs(x), math.Abs(y))
}

// askPostgres rewrites a data file with PostgreSQL's answers.
func askPostgres(t *testing.T, path string) {
	cases := readCases(t, path)
	var script bytes.Buffer
	script.WriteString("\\set QUIET 1\nSET timezone = '" + testZone + "'; SET client_min_messages = error;\n" +
		"CREATE FUNCTION pg_temp.attempt(q text) RETURNS text LANGUAGE plpgsql AS $f$ DECLARE r text; out text; BEGIN " +
		"FOR r IN EXECUTE q LOOP out := concat_ws(chr(10), out, coalesce(r, '∅')); END LOOP; RETURN coalesce(out, ''); " +
		"EXCEPTION WHEN OTHERS THEN RETURN '!' || SQLSTATE || ' ' || SQLERRM; END $f$;\n")
	for _, c := range cases {
		expression := strings.TrimPrefix(c.expression, "~")
		script.WriteString("SELECT replace(pg_temp.attempt($q$" + textQuery(expression) + "$q$), chr(10), '\\n');\n")
	}
	command := exec.Command("psql", "-XAtq", "-v", "ON_ERROR_STOP=1")
	command.Stdin = &script
	var problem bytes.Buffer
	command.Stderr = &problem
	out, err := command.Output()
	if err != nil {
		t.Fatalf("psql: %v\n%s", err, problem.Bytes())
	}
	answers := strings.Split(strings.TrimSuffix(string(out), "\n"), "\n")
	if len(answers) != len(cases) {
		t.Fatalf("%d answers to %d questions", len(answers), len(cases))
	}
	var file strings.Builder
	file.WriteString(header)
	for i, c := range cases {
		file.WriteString(c.expression + "\t" + answers[i] + "\n")
	}
	if err := os.WriteFile(path, []byte(file.String()), 0o644); err != nil {
		t.Fatal(err)
	}
}
