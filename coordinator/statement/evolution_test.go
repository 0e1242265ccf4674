package statement_test

import (
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/tarnlake/tarn/internal/sqlerr"
)

// TestColumnsOfOtherFiles reads files whose columns are others than the table's: in another order, with
// other types, missing, or named by position as Hive did.
func TestColumnsOfOtherFiles(t *testing.T) {
	for _, format := range []string{"orc", "parquet"} {
		t.Run(format, func(t *testing.T) {
			c := connect(t)
			dir := t.TempDir()
			copyTo := func(query, name string) {
				c.run("COPY (" + query + ") TO '" + filepath.Join(dir, name) + "' (FORMAT " + format + ")")
			}
			copyTo("SELECT 1::smallint AS a, 'one'::text AS b, 1.5::decimal(5,2) AS d, ARRAY[1, 2] AS l, row(1, 'x')::row(p int, q text) AS r", "e/1."+format)
			copyTo("SELECT 'two'::varchar(10) AS b, 0 AS other, 20::int AS \"A\", 2.5::real AS f, row('y', 2, 9)::row(q text, p smallint, fresh int) AS r", "e/2."+format)
			copyTo("SELECT row(7)::row(fresh int) AS r, DATE '2020-01-02' AS t", "e/3."+format)
			c.run("CREATE EXTERNAL TABLE e (a bigint, b varchar(8), d decimal(20,4), f double precision, l bigint[], r row(p bigint, q text), t timestamp) STORED AS " + format + " LOCATION '" + dir + "/e'")
			c.run("SYNC TABLE e")
			c.gives("SELECT * FROM e ORDER BY a", "1|one|1.5000|NULL|{1,2}|(1,x)|NULL", "20|two|NULL|2.5|NULL|(2,y)|NULL", "NULL|NULL|NULL|NULL|NULL|(,)|2020-01-02 00:00:00")
			c.gives("SELECT (r).q, (r).p FROM e WHERE a IS NOT NULL ORDER BY a", "x|1", "y|2")
			c.gives("SELECT count(*) FROM e WHERE a = 20 AND b = 'two'", "1")

			copyTo("SELECT 5 AS _col0, 'by place' AS _col1", "hive/1."+format)
			c.run("CREATE EXTERNAL TABLE hive (id bigint, name text) STORED AS " + format + " LOCATION '" + dir + "/hive'")
			c.run("SYNC TABLE hive")
			want := "5|by place"
			if format == "parquet" { // where Hive wrote names
				want = "NULL|NULL"
			}
			c.gives("SELECT * FROM hive", want)
		})
	}
}

// TestValuesThatDoNotFit: an error tells where, and no value becomes NULL.
func TestValuesThatDoNotFit(t *testing.T) {
	for _, format := range []string{"orc", "parquet"} {
		t.Run(format, func(t *testing.T) {
			c := connect(t)
			dir := t.TempDir()
			c.run("COPY (SELECT i AS id, i * 1000 AS n, repeat('x', i) AS s, i * 100.25::decimal(12,2) AS d, CASE WHEN i = 40 THEN '{' ELSE '{}' END AS j, ARRAY[repeat('y', i)] AS l, row(i * 1000)::row(p int) AS r FROM generate_series(1, 60) AS g(i)) TO '" +
				dir + "/f/1." + format + "' (FORMAT " + format + ")")
			for _, bad := range []struct {
				column, typ string
				code        sqlerr.Code
				message     string
				row         int
			}{
				{"n", "smallint", sqlerr.NumericValueOutOfRange, "smallint out of range", 32},
				{"s", "varchar(9)", sqlerr.StringDataRightTruncation, "value too long for type character varying(9)", 9},
				{"s", "char(9)", sqlerr.StringDataRightTruncation, "value too long for type character(9)", 9},
				{"d", "decimal(5,2)", sqlerr.NumericValueOutOfRange, "numeric out of range", 9},
				{"j", "json", sqlerr.InvalidTextRepresentation, "", 39},
				{"l", "varchar(9)[]", sqlerr.StringDataRightTruncation, "value too long for type character varying(9)", -1},
				{"r", "row(p smallint)", sqlerr.NumericValueOutOfRange, "smallint out of range", -1},
				{"s", "int", sqlerr.DatatypeMismatch, "", -1},
			} {
				c.run("CREATE EXTERNAL TABLE f (id int, " + bad.column + " " + bad.typ + ") STORED AS " + format + " LOCATION '" + dir + "/f'; SYNC TABLE f")
				c.gives("SELECT count(id) FROM f", "60")
				_, err := c.try("SELECT max(id), count(" + bad.column + ") FROM f")
				if err == nil {
					t.Errorf("%s is read as %s", bad.column, bad.typ)
					continue
				}
				e := sqlerr.From(err)
				if e.Code != bad.code || bad.message != "" && e.Message != bad.message {
					t.Errorf("%s as %s: %v", bad.column, bad.typ, err)
				}
				where := e.Where
				if bad.code == sqlerr.DatatypeMismatch {
					where = e.Message
				}
				if !strings.Contains(where, "1."+format) || !strings.Contains(where, `"`+bad.column) || bad.row >= 0 && !strings.HasSuffix(where, "row "+strconv.Itoa(bad.row)) {
					t.Errorf("%s as %s: %q does not tell where", bad.column, bad.typ, where)
				}
				if rows, err := c.try("SELECT " + bad.column + " FROM f WHERE id <= 9"); bad.row >= 0 && (err != nil || len(rows) != 9) {
					t.Errorf("%s as %s, the rows that fit: %d rows, %v", bad.column, bad.typ, len(rows), err)
				}
				c.run("DROP TABLE f")
			}
		})
	}
}

// TestFieldsAreReadAlone: of a row column only the fields that a query uses are read.
func TestFieldsAreReadAlone(t *testing.T) {
	for _, format := range []string{"orc", "parquet"} {
		t.Run(format, func(t *testing.T) {
			c := connect(t)
			c.run("CREATE TABLE e STORED AS " + format + " AS SELECT i AS id, row(i % 7, md5(i::text), row(md5((i + 1)::text), i))::row(a int, pad text, inside row(pad text, x int)) AS r FROM generate_series(1, 20000) AS g(i)")
			read := func(sql string) int {
				explained := strings.Join(c.run("EXPLAIN ANALYZE "+sql), "\n")
				m := regexp.MustCompile(`Bytes: ([0-9.]+) (bytes|kB|MB)`).FindStringSubmatch(explained)
				if m == nil {
					t.Fatal(explained)
				}
				n, err := strconv.ParseFloat(m[1], 64)
				if err != nil {
					t.Fatal(err)
				}
				return int(n * map[string]float64{"bytes": 1, "kB": 1 << 10, "MB": 1 << 20}[m[2]])
			}
			all := read("SELECT count(r), max(r::text) FROM e")
			for sql, share := range map[string]int{"SELECT sum((r).a) FROM e": 20, "SELECT sum((r).inside.x) FROM e WHERE (r).a = 3": 10, "SELECT max((r).inside.pad) FROM e": 2} {
				if n := read(sql); n*share > all*11/10 {
					t.Errorf("%s reads %d of %d bytes", sql, n, all)
				}
			}
			c.gives("SELECT sum((r).a), sum((r).inside.x), max((r).inside.pad) FROM e WHERE (r).pad > 'c'", c.run("SELECT sum(i % 7), sum(i), max(md5((i + 1)::text)) FROM generate_series(1, 20000) AS g(i) WHERE md5(i::text) > 'c'")...)
		})
	}
}

// TestReplacedFiles: a file that another program replaced is an error, never a mixture.
func TestReplacedFiles(t *testing.T) {
	for _, format := range []string{"orc", "parquet"} {
		t.Run(format, func(t *testing.T) {
			c := connect(t)
			dir := t.TempDir()
			put := func(n int) {
				c.run("COPY (SELECT i AS id, repeat('x', " + strconv.Itoa(n) + ") AS s FROM generate_series(1, 1000) AS g(i)) TO '" + dir + "/e/1." + format + "' (FORMAT " + format + ")")
			}
			put(3)
			c.run("CREATE EXTERNAL TABLE e (id int, s text) STORED AS " + format + " LOCATION '" + dir + "/e'; SYNC TABLE e")
			c.gives("SELECT count(*), min(length(s)) FROM e", "1000|3")
			put(4)
			_, err := c.try("SELECT min(length(s)) FROM e")
			if e := sqlerr.From(err); err == nil || e.Code != sqlerr.ObjectNotInPrerequisiteState || !strings.HasSuffix(e.Message, "has changed") || e.Hint == "" {
				t.Errorf("a replaced file: %v, hint %q", err, e.Hint)
			}
			c.run("SYNC TABLE e")
			c.gives("SELECT min(length(s)) FROM e", "4")
			put(5)
			c.gives("SELECT min(length(s)) FROM '"+dir+"/e/1."+format+"'", "5")
		})
	}
}
