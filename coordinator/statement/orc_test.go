package statement_test

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"testing"

	"github.com/tarnlake/tarn/internal/sqlerr"
)

func TestORCTables(t *testing.T) {
	c := connect(t)
	dir := t.TempDir()
	c.run("CREATE TABLE o (id int, name varchar(20), price decimal(25,3), tags text[], at timestamp, ds date) PARTITIONED BY (ds) STORED AS ORC")
	c.run("INSERT INTO o VALUES (1, 'one', 1.5, ARRAY['a', NULL], '1931-05-06 07:08:09.123456', '2018-08-01'), (2, NULL, -2.25, NULL, NULL, '2018-08-02'), (3, 'three', NULL, '{}', '2020-02-29', NULL)")
	c.gives("SELECT * FROM o ORDER BY id", "1|one|1.500|{a,NULL}|1931-05-06 07:08:09.123456|2018-08-01", "2|NULL|-2.250|NULL|NULL|2018-08-02",
		"3|three|NULL|{}|2020-02-29 00:00:00|NULL")
	c.gives("SELECT name FROM o WHERE id = 3 AND ds IS NULL", "three")
	c.gives("SELECT count(*), sum(price) FROM o WHERE name IS NOT NULL OR at IS NULL", "3|-0.750")

	c.run("ALTER TABLE o ADD COLUMN extra int")
	c.run("INSERT INTO o (id, extra) VALUES (4, 40)")
	c.gives("SELECT id, extra FROM o ORDER BY id", "1|NULL", "2|NULL", "3|NULL", "4|40")
	c.run("ALTER TABLE o ALTER COLUMN id TYPE bigint")
	c.gives("SELECT sum(id + 3000000000) FROM o", "12000000010")

	file := filepath.Join(dir, "out.orc")
	c.run("COPY (SELECT id, name, price FROM o) TO '" + file + "' (COMPRESSION snappy)")
	c.tagged("COPY 4")
	c.gives("SELECT count(*), min(name), max(price) FROM '"+file+"'", "4|one|1.500")
	c.run("CREATE TABLE p (id bigint, name text, price decimal(25,3)) WITH (format = 'ORC', orc_compress = 'ZLIB', orc_bloom_filter_columns = 'name')")
	c.run("COPY p FROM '" + file + "'")
	c.gives("SELECT id FROM p WHERE name = 'three'", "3")
	c.gives("SELECT count(*) FROM p WHERE name = 'four'", "0")
	c.run("CREATE TABLE q STORED AS ORC AS SELECT id % 3 AS a, 'text ' || id AS b FROM generate_series(1, 25000) AS g(id)")
	c.gives("SELECT a, count(*), max(b) FROM q WHERE a > 0 GROUP BY a ORDER BY a", "1|8334|text 9997", "2|8333|text 9998")

	parts := filepath.Join(dir, "parts") + "/"
	c.run("COPY (SELECT id, ds FROM o WHERE ds IS NOT NULL) TO '" + parts + "' (FORMAT orc, PARTITION_BY ds)")
	c.gives("SELECT id, ds FROM read_orc('"+parts+"') ORDER BY id", "1|2018-08-01", "2|2018-08-02")
	c.run("CREATE TABLE outside FROM '" + parts + "'")
	c.gives("SELECT id, ds FROM outside WHERE ds = '2018-08-02'", "2|2018-08-02")
	c.fails("COPY o TO '"+file+"' (COMPRESSION brotli)", sqlerr.InvalidParameterValue, fmt.Sprintf(`unknown ORC compression "brotli" @%d`, len("COPY o TO ''")+len(file)+3))
	c.fails("INSERT INTO o (id, at) VALUES (9, '1969-12-31 23:59:59.5')", sqlerr.DatetimeFieldOverflow, "timestamps within the second before 1970 cannot be stored in ORC files")
}

// copyFile copies one of the ORC reader's fixtures.
func copyFile(t *testing.T, name, to string) {
	t.Helper()
	from, err := os.Open(filepath.Join("..", "..", "internal", "format", "orc", "testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	defer from.Close()
	if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
		t.Fatal(err)
	}
	out, err := os.Create(to)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.Copy(out, from); err != nil {
		t.Fatal(err)
	}
	if err := out.Close(); err != nil {
		t.Fatal(err)
	}
}

func TestORCFilesOfOthers(t *testing.T) {
	c := connect(t)
	dir := t.TempDir()
	for _, name := range []string{"cpp_zlib.orc", "cpp_v11.orc", "java_new_york.orc"} {
		file := filepath.Join(dir, name)
		copyFile(t, name, file)
		c.gives("SELECT count(*), sum(id), min(date) < '1800-01-01', count(tiny) FROM '"+file+"'", "700|244650|t|485")
		c.gives("SELECT id FROM read_orc('"+file+"') WHERE \"unique\" = 'row 007919'", "1")
		c.gives("SELECT (\"row\").a, list IS NULL FROM '"+file+"' WHERE id = 699 OR id = 10 ORDER BY id", c.run("SELECT (\"row\").a, list IS NULL FROM '"+filepath.Join(dir, "cpp_zlib.orc")+"' WHERE id = 699 OR id = 10 ORDER BY id")...)
	}
	delta := filepath.Join(dir, "t", "delta_0000001_0000001_0000", "bucket_00000.orc")
	copyFile(t, "cpp_zlib.orc", delta)
	c.fails("SELECT * FROM '"+delta+"'", sqlerr.FeatureNotSupported, `file "`+delta[1:]+`" belongs to a transactional Hive table`)
}
