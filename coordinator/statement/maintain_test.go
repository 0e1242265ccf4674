package statement_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/tarnlake/tarn/internal/sqlerr"
)

func TestAnalyze(t *testing.T) {
	c := connect(t)
	c.run("CREATE TABLE t AS SELECT g AS id, g % 10 AS digit, CASE WHEN g % 4 = 0 THEN NULL ELSE 'x' || g END AS name FROM generate_series(1, 2000) AS s(g)")
	c.run("ANALYZE t")
	c.tagged("ANALYZE")
	rows := c.run("SHOW STATS FOR t")
	if len(rows) != 4 || !strings.HasPrefix(rows[1], "digit|NULL|10") || !strings.Contains(rows[2], "|0.25|") || !strings.HasPrefix(rows[3], "NULL|") {
		t.Errorf("statistics %q", rows)
	}
	c.run("ANALYZE; VACUUM (ANALYZE) t; CREATE VIEW v AS SELECT 1 AS a")
	c.tagged("CREATE VIEW")
	c.run("ANALYZE v")
	c.noticed(`skipping "v" --- cannot analyze views`)
	c.fails("ANALYZE t (nosuch)", sqlerr.UndefinedColumn, `column "nosuch" of relation "t" does not exist @12`)
	c.fails("ANALYZE nosuch", sqlerr.UndefinedTable, `relation "nosuch" does not exist @9`)
}

func TestExternalTables(t *testing.T) {
	c := connect(t)
	dir := t.TempDir()
	write := func(day, text string) {
		t.Helper()
		path := filepath.Join(dir, "events", "ds="+day)
		if err := os.MkdirAll(path, 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(path, "a.csv"), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	write("2018-08-01", "id,name\n1,a\n2,b\n")
	c.run("CREATE EXTERNAL TABLE events (id bigint, name text) PARTITIONED BY (ds date) STORED AS CSV LOCATION '" + dir + "/events/' WITH (header = true)")
	c.gives("SELECT ds, count(*), sum(id) FROM events GROUP BY ds", "2018-08-01|2|3")
	write("2018-08-02", "id,name\n3,c\n")
	c.gives("SELECT count(*) FROM events", "2")
	c.run("SYNC TABLE events")
	c.tagged("SYNC TABLE")
	c.noticed("1 files added, 0 removed")
	c.gives("SELECT count(*) FROM events", "3")
	if err := os.RemoveAll(filepath.Join(dir, "events", "ds=2018-08-01")); err != nil {
		t.Fatal(err)
	}
	c.run("MSCK REPAIR TABLE events")
	c.gives("SELECT id, name, ds FROM events", "3|c|2018-08-02")
	c.fails("INSERT INTO events VALUES (1, 'x', '2018-08-01')", sqlerr.WrongObjectType, `cannot insert into "events" @13`)
	c.fails("TRUNCATE events", sqlerr.WrongObjectType, `cannot change rows of external table "events"`)
	shown := c.run("SHOW CREATE TABLE events")[0]
	c.run("DROP TABLE events")
	if _, err := os.Stat(filepath.Join(dir, "events", "ds=2018-08-02", "a.csv")); err != nil {
		t.Error("the files of an external table are not the server's to remove")
	}
	c.run(shown)
	c.gives("SELECT id FROM events", "3")
	c.run("CREATE EXTERNAL TABLE empty (a int) STORED AS CSV LOCATION '" + dir + "/nothing'")
	c.noticed(`no files were found below "` + dir + `/nothing"`)

	c.run("COPY (SELECT id, name, ds FROM events) TO '" + dir + "/pq/' (FORMAT parquet, PARTITION_BY ds)")
	c.run("CREATE TABLE inferred FROM '" + dir + "/pq/'")
	c.gives("SELECT * FROM inferred", "3|c|2018-08-02")
	if len(c.Notices) != 0 {
		t.Errorf("notices %v", c.Notices)
	}
	c.run("DROP TABLE inferred; CREATE TABLE inferred FROM '" + dir + "/pq/'")
	if n := c.Notices; len(n) != 1 || !strings.Contains(n[0].Detail, "PARTITIONED BY (ds)") || !strings.Contains(n[0].Detail, "id bigint") {
		t.Errorf("notices %+v", n)
	}
	c.run("CREATE TABLE from_csv FROM '" + dir + "/events/'")
	c.gives("SELECT * FROM from_csv", "3|c|2018-08-02")
	c.gives("SHOW PROPERTIES FROM from_csv LIKE 'header'", "header|true")
	c.run("CREATE TABLE like_file (LIKE PARQUET '" + dir + "/pq/')")
	c.gives("DESCRIBE like_file", "id|bigint||", "name|text||", "ds|date||")
}

func TestShow(t *testing.T) {
	c := connect(t)
	c.run("CREATE TABLE b (x int); CREATE TABLE a (x int); CREATE SCHEMA s; CREATE VIEW s.v AS SELECT 1 AS one")
	c.gives("SHOW TABLES", "a", "b")
	c.gives("SHOW TABLES FROM s", "v")
	c.gives("SHOW TABLES LIKE 'a*|z*'", "a")
	c.gives("SHOW TABLES LIKE '_'", "a", "b")
	c.fails("SHOW TABLES FROM nosuch", sqlerr.InvalidSchemaName, `schema "nosuch" does not exist @18`)
	c.gives("SHOW CATALOGS", "tarn")
	c.gives("DESCRIBE SELECT 1 AS a, 'x' AS b", "a|integer||", "b|text||")
	c.fails("DESCRIBE nosuch", sqlerr.UndefinedTable, `relation "nosuch" does not exist @10`)
	c.fails("SHOW CREATE VIEW a", sqlerr.WrongObjectType, `"a" is not a view @18`)
	if rows := c.run("SHOW FUNCTIONS LIKE 'upper'"); len(rows) != 1 || !strings.HasPrefix(rows[0], "upper|text|text|scalar|") {
		t.Errorf("functions %q", rows)
	}
	c.run("INSERT INTO a VALUES (1), (2)")
	if rows := c.run("SHOW FILES IN a"); len(rows) != 1 || !strings.Contains(rows[0], ".parquet|NULL|2|") {
		t.Errorf("files %q", rows)
	}
	if rows := c.run("SHOW SESSION LIKE 'TimeZone'"); len(rows) != 1 {
		t.Errorf("settings %q", rows)
	}
	c.run("VACUUM VERBOSE a")
	c.tagged("VACUUM")
}

func TestOptimizeAndVacuum(t *testing.T) {
	s := newServer(t)
	c := s.connect("ada")
	c.run("CREATE TABLE t (a int, ds date) PARTITIONED BY (ds)")
	for range 3 {
		c.run("INSERT INTO t SELECT g, DATE '2018-08-01' + g % 2 FROM generate_series(1, 10) AS s(g)")
	}
	c.run("INSERT INTO t VALUES (99, NULL)")
	c.run("INSERT INTO t VALUES (98, NULL)")
	c.run("OPTIMIZE TABLE t WHERE ds = '2018-08-01'")
	c.tagged("OPTIMIZE TABLE")
	c.noticed("1 partitions were rewritten: 3 files became 1")
	c.run("OPTIMIZE TABLE t")
	c.noticed("2 partitions were rewritten: 5 files became 2")
	c.run("OPTIMIZE TABLE t")
	c.noticed("0 partitions were rewritten: 0 files became 0")
	c.gives("SELECT ds, count(*), sum(a) FROM t GROUP BY ds ORDER BY ds", "2018-08-01|15|90", "2018-08-02|15|75", "NULL|2|197")
	c.fails("OPTIMIZE TABLE t WHERE a = 1", sqlerr.UndefinedColumn, `column "a" does not exist @24`)

	files := func() int {
		list, err := filepath.Glob(filepath.Join(s.system.Data, "warehouse", "public", "t", "*", "*.parquet"))
		if err != nil {
			t.Fatal(err)
		}
		return len(list)
	}
	if n := files(); n != 11 {
		t.Errorf("%d files before VACUUM", n)
	}
	c.run("VACUUM (VERBOSE, history '0 seconds') t")
	c.noticed("8 files were deleted")
	if n := files(); n != 3 {
		t.Errorf("%d files after VACUUM", n)
	}
	c.gives("SELECT count(*) FROM t", "32")
	c.fails("VACUUM (nosuch) t", sqlerr.SyntaxError, `unrecognized VACUUM option "nosuch" @9`)
	c.fails("VACUUM (history 'soon') t", sqlerr.InvalidParameterValue, `invalid value for VACUUM option "history": "soon" @9`)

	c.run("CREATE TABLE kept (a int, ds date) PARTITIONED BY (ds) WITH (retention = '30 days'); INSERT INTO kept VALUES (1, '2001-01-01'), (2, current_date)")
	c.run("VACUUM kept")
	c.noticed(`1 partitions of "kept" are past their retention`)
	c.gives("SELECT a FROM kept", "2")
}

// Files that a statement staged are gone when it fails, and when its transaction is rolled back.
func TestFailedWritesLeaveNothing(t *testing.T) {
	s := newServer(t)
	c := s.connect("ada")
	left := func() (list []string) {
		err := filepath.WalkDir(filepath.Join(s.system.Data, "warehouse"), func(path string, d fs.DirEntry, err error) error {
			if errors.Is(err, fs.ErrNotExist) {
				return nil
			}
			if err == nil && !d.IsDir() {
				list = append(list, path)
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		return list
	}
	c.fails("CREATE TABLE t AS SELECT 10 / (5000 - g) AS x FROM generate_series(1, 6000) AS s(g)", sqlerr.DivisionByZero, "division by zero")
	c.run("BEGIN; CREATE TABLE t AS SELECT 1 AS a; COPY t TO '" + t.TempDir() + "/x.csv'; ROLLBACK")
	if list := left(); len(list) != 0 {
		t.Errorf("left behind: %v", list)
	}
	c.fails("SELECT * FROM t", sqlerr.UndefinedTable, `relation "t" does not exist @15`)
}

// Bloom filters that a table asks for are written, in both formats and under a column's new name, and
// spare row groups.
func TestBloomFilterColumns(t *testing.T) {
	c := connect(t)
	for _, test := range []struct{ properties, pruned string }{
		{"WITH (bloom_filter_columns = 'other, was')", "Row Groups: 0 read, 1 pruned"},
		{"WITH (format = 'ORC', bloom_filter_columns = 'other, was')", "Row Groups: 0 read, 1 pruned"},
		{"", "Row Groups: 1 read, 0 pruned"},
	} {
		c.run("CREATE OR REPLACE TABLE b (ds date, other text, was int) PARTITIONED BY (ds) " + test.properties)
		c.run("ALTER TABLE b RENAME COLUMN was TO a")
		c.run("INSERT INTO b SELECT DATE '2018-08-01', 'x' || g, g * 2 FROM generate_series(1, 10000) s(g)")
		c.gives("SELECT count(*) FROM b WHERE a = 4000", "1")
		if shown := strings.Join(c.run("EXPLAIN ANALYZE SELECT count(*) FROM b WHERE a = 4001"), "\n"); !strings.Contains(shown, test.pruned) {
			t.Errorf("%s: no %q in %s", test.properties, test.pruned, shown)
		}
	}
}

// The files of temporary tables go when the tables do, and when their rows do.
func TestTemporaryFilesGo(t *testing.T) {
	s := newServer(t)
	c := s.connect("ada")
	count := func(want int) {
		t.Helper()
		var list []string
		_ = filepath.WalkDir(filepath.Join(s.system.Data, "temp"), func(path string, d fs.DirEntry, err error) error {
			if err == nil && !d.IsDir() {
				list = append(list, path)
			}
			return nil
		})
		if len(list) != want {
			t.Errorf("%d files, want %d: %q", len(list), want, list)
		}
	}
	c.run("CREATE TEMP TABLE a (x int); INSERT INTO a VALUES (1); INSERT INTO a VALUES (2); CREATE TEMP TABLE b AS SELECT 1 AS y")
	count(3)
	c.run("INSERT OVERWRITE a SELECT 3")
	count(2)
	c.gives("SELECT x FROM a", "3")
	c.run("BEGIN; TRUNCATE a; DROP TABLE b; ROLLBACK")
	c.gives("SELECT x, y FROM a, b", "3|1")
	c.run("BEGIN; INSERT INTO a VALUES (4); DROP TABLE b; COMMIT")
	count(2)
	c.gives("SELECT x FROM a ORDER BY x", "3", "4")
	c.run("TRUNCATE a")
	count(0)
	c.run("CREATE TEMP TABLE e (x int) ON COMMIT DELETE ROWS; INSERT INTO a VALUES (1); BEGIN; INSERT INTO e VALUES (1); COMMIT")
	c.gives("SELECT count(*) FROM e", "0")
}
