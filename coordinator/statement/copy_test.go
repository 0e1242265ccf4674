package statement_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/tarnlake/tarn/internal/sqlerr"
	"github.com/tarnlake/tarn/internal/types"
	"github.com/tarnlake/tarn/internal/vec"
)

// given is a client's rows.
type given struct {
	batches []*vec.Batch
	closed  bool
}

func (g *given) Next(context.Context) (*vec.Batch, error) {
	if len(g.batches) == 0 {
		return nil, nil
	}
	b := g.batches[0]
	g.batches = g.batches[1:]
	return b, nil
}

func (g *given) Close() error {
	g.closed = true
	return nil
}

func pairs(from, n int64) *vec.Batch {
	b := vec.NewBatch([]types.Type{types.Of(types.Int32), types.Of(types.Text)}, int(n))
	for i := range n {
		b.Cols[0].SetDatum(int(i), types.IntDatum(from+i))
		b.Cols[1].SetDatum(int(i), types.StringDatum("row"))
	}
	return b
}

func TestCopyFromClient(t *testing.T) {
	c := connect(t)
	c.run("CREATE TABLE t (a int NOT NULL, b text, c int DEFAULT 5)")
	rows := &given{batches: []*vec.Batch{pairs(0, 2000), pairs(2000, 1000)}}
	if _, err := c.tryWith("COPY t (a, b) FROM STDIN WHERE a % 2 = 0", rows); err != nil {
		t.Fatal(describe(err))
	}
	c.tagged("COPY 1500")
	c.gives("SELECT count(*), sum(a), min(b), max(c) FROM t", "1500|2248500|row|5")
	if !rows.closed {
		t.Error("the rows were not closed")
	}
	null := pairs(0, 1)
	null.Cols[0].SetNull(0)
	_, err := c.tryWith("COPY t (a, b) FROM STDIN", &given{batches: []*vec.Batch{null}})
	if sqlerr.CodeOf(err) != sqlerr.NotNullViolation {
		t.Errorf("error %v", err)
	}
	c.gives("SELECT count(*) FROM t", "1500")
	c.fails("COPY t (a, nosuch) FROM STDIN", sqlerr.UndefinedColumn, `column "nosuch" of relation "t" does not exist @12`)
	c.fails("COPY t (a, a) FROM STDIN", sqlerr.DuplicateColumn, `column "a" specified more than once @12`)
	c.fails("COPY nosuch FROM STDIN", sqlerr.UndefinedTable, `relation "nosuch" does not exist @6`)
	c.run("CREATE VIEW v AS SELECT a FROM t")
	c.fails("COPY v TO STDOUT", sqlerr.WrongObjectType, `cannot copy from view "v" @6`)
	c.fails("COPY t FROM PROGRAM 'cat'", sqlerr.FeatureNotSupported, "COPY to or from an external program is not supported @1")
}

func TestCopyFiles(t *testing.T) {
	c := connect(t)
	dir := t.TempDir()
	c.run("CREATE TABLE t (id int, name text, price decimal(8,2), ds date)")
	csv := filepath.Join(dir, "in.csv")
	if err := os.WriteFile(csv, []byte("id,name,price,ds\n1,\"a, b\",1.50,2018-08-01\n2,,2.25,2018-08-02\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	c.run("COPY t FROM '" + csv + "' (FORMAT csv, HEADER)")
	c.tagged("COPY 2")
	c.gives("SELECT * FROM t ORDER BY id", "1|a, b|1.50|2018-08-01", "2|NULL|2.25|2018-08-02")

	out := filepath.Join(dir, "out.csv")
	c.run("COPY (SELECT id, name FROM t ORDER BY id) TO '" + out + "' (FORMAT csv, HEADER)")
	c.tagged("COPY 2")
	if text, err := os.ReadFile(out); err != nil || string(text) != "id,name\n1,\"a, b\"\n2,\n" {
		t.Errorf("wrote %q, %v", text, err)
	}
	parquet := filepath.Join(dir, "out.parquet")
	c.run("COPY t TO '" + parquet + "'")
	c.gives("SELECT count(*), sum(price) FROM '"+parquet+"'", "2|3.75")
	c.run("TRUNCATE t; COPY t FROM '" + parquet + "'")
	c.gives("SELECT count(*), max(ds) FROM t", "2|2018-08-02")

	c.columnarOptions(filepath.Join(dir, "options"))

	parts := filepath.Join(dir, "parts") + "/"
	c.run("COPY (SELECT * FROM t) TO '" + parts + "' (FORMAT parquet, PARTITION_BY ds)")
	c.tagged("COPY 2")
	c.gives("SELECT id, ds FROM read_parquet('"+parts+"') ORDER BY id", "1|2018-08-01", "2|2018-08-02")
	if list, err := filepath.Glob(filepath.Join(parts, "ds=2018-08-01", "*.parquet")); err != nil || len(list) != 1 {
		t.Errorf("files %v, %v", list, err)
	}

	marked := filepath.Join(dir, "marked") + "/"
	c.run("COPY (SELECT 1 AS id, NULL::text AS name) TO '" + marked + "' (FORMAT csv, NULL 'N/A', DELIMITER 'X', HEADER)")
	list, err := filepath.Glob(filepath.Join(marked, "*.csv"))
	if err != nil || len(list) != 1 {
		t.Fatalf("files %v, %v", list, err)
	}
	if text, err := os.ReadFile(list[0]); err != nil || string(text) != "idXname\n1XN/A\n" {
		t.Errorf("wrote %q, %v", text, err)
	}
	for i, option := range []string{"HEADER on", "HEADER true", "HEADER 1", "HEADER 'Yes'", "HEADER off", "HEADER false", "HEADER 0", "HEADER 'n'"} {
		want := "1,a\n"
		if i < 4 {
			want = "id,name\n" + want
		}
		directory := filepath.Join(dir, fmt.Sprint("header", i))
		c.run("COPY (SELECT 1 AS id, 'a' AS name) TO '" + directory + "/' (FORMAT csv, " + option + ")")
		c.run("COPY (SELECT 1 AS id, 'a' AS name) TO '" + directory + "/single.csv' (FORMAT csv, " + option + ")")
		list, err := filepath.Glob(filepath.Join(directory, "*.csv"))
		if err != nil || len(list) != 2 {
			t.Fatalf("%s: files %v, %v", option, list, err)
		}
		for _, path := range list {
			if text, err := os.ReadFile(path); err != nil || string(text) != want {
				t.Errorf("%s wrote %q, %v", option, text, err)
			}
		}
		c.run("CREATE TABLE copied (id int, name text); COPY copied FROM '" + directory + "/single.csv' (FORMAT csv, NULL_PADDING on, IGNORE_ERRORS off, " + option + ")")
		c.gives("SELECT id, name FROM copied", "1|a")
		c.run("DROP TABLE copied")
	}
	c.fails("COPY t TO '"+marked+"' (FORMAT csv, HEADER maybe)", sqlerr.SyntaxError, "header requires a Boolean value @"+fmt.Sprint(len("COPY t TO '"+marked+"' (FORMAT csv, ")+1))
	_, err = c.try("COPY t TO '" + parts + "' (FORMAT parquet, NULL 'N/A')")
	if sqlerr.CodeOf(err) != sqlerr.SyntaxError {
		t.Errorf("error %s", describe(err))
	}

	if err := os.WriteFile(csv, []byte("1,x,1.5,2018-08-01\n2,y,zwei,2018-08-02\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	_, err = c.try("COPY t FROM '" + csv + "'")
	if sqlerr.CodeOf(err) != sqlerr.InvalidTextRepresentation || !strings.Contains(describe(err), "zwei") {
		t.Errorf("error %s", describe(err))
	}
	c.gives("SELECT count(*) FROM t", "2")
	c.fails("COPY t FROM '/nosuch/file.csv'", sqlerr.UndefinedFile, `could not open file "/nosuch/file.csv": No such file or directory`)
	c.fails("COPY t TO '"+dir+"/x'", sqlerr.InvalidParameterValue, `cannot tell the format of "`+dir+`/x" by its name @1`)
}

func TestCopyKeepsWhatItRejects(t *testing.T) {
	c := connect(t)
	dir := t.TempDir()
	file, lines := filepath.Join(dir, "in.csv"), filepath.Join(dir, "in.jsonl")
	for path, text := range map[string]string{file: "1,a\nx,b\n3\n4,d\n", lines: "{\"id\":1}\n{\"id\":\"y\"}\n{\n"} {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	c.run("CREATE TABLE t (id bigint, name text)")
	c.run("COPY t FROM '" + file + "' (FORMAT csv, REJECTS_TABLE 'bad')")
	c.tagged("COPY 2")
	c.gives("SELECT line, column_name, text, error FROM bad ORDER BY line", `2|id|x|invalid input syntax for type bigint: "x"`, "3|NULL|3|missing data for column 2")
	c.run("CREATE TABLE kept AS SELECT * FROM read_csv_rejects('" + file + "', types => 'bigint,text')")
	c.run("COPY t (id) FROM '" + lines + "' (REJECTS_TABLE 'kept')")
	c.gives("SELECT count(*), count(column_name), sum(line), count(DISTINCT file) FROM kept", "4|2|10|2")
	c.gives("SELECT count(*), sum(id) FROM t", "3|6")
	c.fails("COPY t FROM '"+file+"' (FORMAT csv)", sqlerr.BadCopyFileFormat, "missing data for column 2")
}

// columnarOptions: those of one file are those of a directory of files, and wrong ones are refused.
func (c *client) columnarOptions(path string) {
	c.t.Helper()
	for format, name := range map[string]string{"parquet": "Parquet", "orc": "ORC"} {
		for _, target := range []string{path + "." + format, path + "-" + format + "/"} {
			copy := "COPY (SELECT id, name FROM t) TO '" + target + "' (FORMAT " + format
			c.run(copy + ", COMPRESSION Snappy, BLOOM_FILTER_COLUMNS 'id, name')")
			c.tagged("COPY 2")
			c.fails(copy+", COMPRESSION nothing)", sqlerr.InvalidParameterValue, "unknown "+name+" compression \"nothing\"")
			c.fails(copy+", BLOOM_FILTER_COLUMNS 'id,x')", sqlerr.UndefinedColumn, "column \"x\" named in BLOOM_FILTER_COLUMNS does not exist")
			c.fails(copy+", HEADER)", sqlerr.SyntaxError, "option \"header\" not recognized")
			if format == "orc" {
				c.fails(copy+", ROW_GROUP_SIZE 10)", sqlerr.SyntaxError, "option \"row_group_size\" not recognized")
				continue
			}
			c.run(copy + ", ROW_GROUP_SIZE 1)")
			for _, wrong := range []string{"0", "-1", "'x'"} {
				c.fails(copy+", ROW_GROUP_SIZE "+wrong+")", sqlerr.InvalidParameterValue, "row_group_size must be a number of rows above 0, not \""+strings.Trim(wrong, "'")+"\"")
			}
		}
	}
	c.gives("SELECT count(DISTINCT row_group_id) FROM parquet_metadata('"+path+".parquet')", "2")
	for _, option := range []string{"IGNORE_ERRORS", "REJECTS_TABLE 'x'"} {
		for _, format := range []string{"csv", "json"} {
			c.fails("COPY t TO '"+path+"."+format+"' (FORMAT "+format+", "+option+")", sqlerr.FeatureNotSupported, "COPY "+strings.Fields(option)[0]+" cannot be used with COPY TO")
		}
	}
}
