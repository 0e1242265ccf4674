package statement_test

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/tarnlake/tarn/internal/sqlerr"
)

func TestJSONTablesAndFiles(t *testing.T) {
	c := connect(t)
	dir := t.TempDir()
	c.run("CREATE TABLE o (id bigint, name text, price decimal(25,3), at timestamp, tags text[], ds date) PARTITIONED BY (ds) STORED AS JSON WITH (compression = 'zstd')")
	c.run("INSERT INTO o VALUES (1, 'one \"é\"', 1.5, '1960-01-01 01:02:03.5', ARRAY['a', NULL], '2018-08-01'), (2, NULL, -2.25, NULL, NULL, '2018-08-02'), (3, 'three', NULL, '2020-02-29', '{}', '2018-08-01'), (4, 'four', 4, NULL, NULL, NULL)")
	c.gives("SELECT id, name, price, at, tags, ds FROM o ORDER BY id", `1|one "é"|1.500|1960-01-01 01:02:03.5|{a,NULL}|2018-08-01`, "2|NULL|-2.250|NULL|NULL|2018-08-02",
		"3|three|NULL|2020-02-29 00:00:00|{}|2018-08-01", "4|four|4.000|NULL|NULL|NULL")
	c.run("INSERT OVERWRITE o PARTITION (ds = DATE '2018-08-02') SELECT 5, 'five', 5, NULL, NULL")
	c.run("ALTER TABLE o RENAME COLUMN name TO title; ALTER TABLE o ADD COLUMN name text")
	c.gives("SELECT id, title, name FROM o WHERE ds = '2018-08-02'", "5|five|NULL")
	c.gives("SELECT sum(price) FROM o WHERE id > 1 AND title >= 'f'", "9.000")
	c.fails("CREATE TABLE bad (a int) STORED AS JSON WITH (compression = 'snappy')", sqlerr.InvalidParameterValue, "invalid value for table property \"compression\": \"snappy\"")

	file := filepath.Join(dir, "out.json")
	c.run("COPY (SELECT id, title, price FROM o ORDER BY id) TO '" + file + "' (FORMAT json)")
	c.tagged("COPY 4")
	want := "{\"id\":1,\"title\":\"one \\\"é\\\"\",\"price\":1.500}\n{\"id\":3,\"title\":\"three\",\"price\":null}\n{\"id\":4,\"title\":\"four\",\"price\":4.000}\n{\"id\":5,\"title\":\"five\",\"price\":5.000}\n"
	if text, err := os.ReadFile(file); err != nil || string(text) != want {
		t.Errorf("wrote %s, %v", text, err)
	}
	c.gives("SELECT count(*), max(title), sum(price) FROM '"+file+"'", "4|three|10.5")
	packed := filepath.Join(dir, "array.json.gz")
	c.run("COPY (SELECT ARRAY[1, 2] AS a, NULL AS b) TO '" + packed + "' (ARRAY true)")
	c.gives("SELECT a, b FROM read_json('"+packed+"', format => 'array')", "{1,2}|NULL")
	c.run("CREATE TABLE p (title text, price decimal(25,3), id bigint, more int)")
	c.run("COPY p FROM '" + file + "'")
	c.gives("SELECT * FROM p WHERE id IN (1, 3) ORDER BY id", `one "é"|1.500|1|NULL`, "three|NULL|3|NULL")
	c.fails("COPY p TO '"+file+"' (FORMAT json, HEADER)", sqlerr.SyntaxError, fmt.Sprintf(`option "header" not recognized @%d`, len("COPY p TO '' (FORMAT json, ")+len(file)+1))
	c.fails("COPY (SELECT 1 AS a, 2 AS a) TO '"+file+"'", sqlerr.DuplicateColumn, `column name "a" appears more than once`)
	c.fails("COPY p TO '"+filepath.Join(dir, "x.json.bz2")+"'", sqlerr.FeatureNotSupported, "files cannot be written with compression bzip2")

	parts := filepath.Join(dir, "parts") + "/"
	c.run("COPY (SELECT id, ds FROM o WHERE ds IS NOT NULL) TO '" + parts + "' (FORMAT json, PARTITION_BY ds)")
	c.run("CREATE TABLE outside FROM '" + parts + "'")
	c.gives("SELECT id, ds FROM outside WHERE ds = '2018-08-02'", "5|2018-08-02")
	events := filepath.Join(dir, "events", "a.json")
	if err := os.MkdirAll(filepath.Dir(events), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(events, []byte("{\"userId\":7,\"Payload\":{\"k\":[1]},\"n\":1}\n{\"userId\":8,\"n\":\"x\"}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	c.run("CREATE EXTERNAL TABLE events (userid int, payload json) STORED AS JSON LOCATION '" + filepath.Dir(events) + "'")
	c.gives("SELECT userid, payload ->> 'k' FROM events ORDER BY userid", "7|[1]", "8|NULL")
	c.run("CREATE EXTERNAL TABLE strict (n int) ROW FORMAT SERDE 'org.openx.data.jsonserde.JsonSerDe' LOCATION '" + filepath.Dir(events) + "'")
	c.fails("SELECT sum(n) FROM strict", sqlerr.InvalidTextRepresentation, `invalid input syntax for type integer: "x"`)
	c.run("CREATE EXTERNAL TABLE lax (n int) STORED AS JSON LOCATION '" + filepath.Dir(events) + "' WITH (ignore_errors = true)")
	c.gives("SELECT sum(n) FROM lax", "1")
}
