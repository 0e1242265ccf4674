package sqllogic

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const sample = `# a comment
statement ok
CREATE TABLE t (a int)

statement error 42P01
SELECT * FROM missing

skipif duckdb
query IT rowsort
SELECT ${x}, 'b'
FROM t
----
1	b
2	NULL

loop i 0 2
query I
SELECT ${i}
----
${i}

endloop

halt
statement nonsense
`

func parseSample(t *testing.T, text string) (*File, error) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "sample.slt")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return ParseFile(path)
}

func TestParse(t *testing.T) {
	f, err := parseSample(t, sample)
	if err != nil {
		t.Fatal(err)
	}
	if len(f.Records) != 5 {
		t.Fatalf("%d records", len(f.Records))
	}
	q := f.Records[2]
	if !q.Query || q.Types != "IT" || q.Sort != "rowsort" || !q.Skip["duckdb"] || len(q.Want) != 2 || !strings.HasSuffix(q.SQL, "FROM t") {
		t.Errorf("%+v", q)
	}
	if last := f.Records[4]; last.SQL != "SELECT 1" || last.Want[0] != "1" {
		t.Errorf("%+v", last)
	}
	for _, bad := range []string{"statement maybe\nSELECT 1\n", "endloop\n", "loop i 0 2\nquery I\nSELECT 1\n----\n", "frobnicate\n", "query I\n\n"} {
		if _, err := parseSample(t, bad); err == nil {
			t.Errorf("accepted %q", bad)
		}
	}
}

func TestCompare(t *testing.T) {
	r := Record{Query: true, Types: "IR", Sort: "rowsort", Want: []string{"2\t0.30000000000000004", "1\tNULL"}}
	if err := compare(r, [][]string{{"1", "NULL"}, {"2", "0.3"}}); err != nil {
		t.Error(err)
	}
	for _, wrong := range [][][]string{{{"1", "NULL"}}, {{"1", "NULL"}, {"2", "0.31"}}, {{"1", "0"}, {"2", "0.3"}}} {
		if compare(r, wrong) == nil {
			t.Errorf("accepted %v", wrong)
		}
	}
}
