package storage

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/tarnlake/tarn/internal/config"
	"github.com/tarnlake/tarn/internal/objstore/s3"
	"github.com/tarnlake/tarn/test/s3test"
)

func store(server *s3test.Server) *s3.Store {
	return s3.New(s3test.Bucket, s3.Options{Endpoint: server.URL, Region: "us-east-1", PathStyle: true, AccessKey: s3test.AccessKey, SecretKey: s3test.SecretKey})
}

// below lists the objects with a prefix.
func below(t *testing.T, server *s3test.Server, prefix string) []string {
	t.Helper()
	return slices.DeleteFunc(server.Objects(t, s3test.Bucket), func(name string) bool { return !strings.HasPrefix(name, prefix) })
}

func TestLocations(t *testing.T) {
	server := s3test.Start(t, "other")
	c := start(t, server.URL, func(c *config.Config) {
		bad := "wrong"
		c.Storage.Buckets = map[string]config.Bucket{"closed": {AccessKeyID: &bad, SecretAccessKey: &bad}}
	})
	for sql, place := range map[string]string{
		"CREATE TABLE a AS SELECT 1 AS x":                                                            "lake/warehouse/public/a/",
		"CREATE SCHEMA s LOCATION 's3a://other/s'; CREATE TABLE s.b AS SELECT 1 AS x":                "other/s/b/",
		"CREATE TABLE c WITH (location = 's3://other/c/') AS SELECT 1 AS x":                          "other/c/",
		"CREATE TABLE d (x int) LOCATION 's3://other/d'; INSERT INTO d VALUES (1)":                   "other/d/",
		"CREATE TABLE e WITH (format = 'ORC', external_location = 's3n://other/e') AS SELECT 1 AS x": "other/e/",
	} {
		c.run(sql)
		bucket, prefix, _ := strings.Cut(place, "/")
		files := slices.DeleteFunc(server.Objects(t, bucket), func(name string) bool { return !strings.HasPrefix(name, prefix+"part-") })
		if len(files) != 1 {
			t.Errorf("%s: %q below %s", sql, files, place)
		}
	}
	c.want("SELECT sum(x) FROM (SELECT * FROM a UNION ALL SELECT * FROM s.b UNION ALL SELECT * FROM c UNION ALL SELECT * FROM d UNION ALL SELECT * FROM e) u", "5")
	for sql, words := range map[string]string{
		"SELECT * FROM 's3://closed/x.parquet'":                                     "access key",
		"SELECT * FROM 's3://missing-bucket/x.parquet'":                             `bucket "missing-bucket" does not exist`,
		"SELECT * FROM 's3://lake/none.parquet'":                                    "No such file",
		"SELECT * FROM 's3://lake/none/*.parquet'":                                  "no files match",
		"COPY (SELECT 1) TO 's3://missing-bucket/x.parquet'":                        `bucket "missing-bucket" does not exist`,
		"CREATE TABLE f WITH (location = 's3://missing-bucket/f') AS SELECT 1 AS x": `bucket "missing-bucket" does not exist`,
		"SELECT * FROM 'gs://b/x.parquet'":                                          "gs://",
	} {
		if _, err := c.try(sql); err == nil || !strings.Contains(err.Error(), words) {
			t.Errorf("%s: %v, want %q", sql, err, words)
		}
	}
}

func TestExternalTables(t *testing.T) {
	server := s3test.Start(t)
	c := start(t, server.URL, nil)
	c.run("COPY (SELECT i AS id, DATE '2020-01-01' + (i % 3)::int AS ds FROM generate_series(1, 99) g(i)) TO 's3://lake/raw/events/' (FORMAT parquet, PARTITION_BY ds)")
	c.run("CREATE TABLE events FROM 's3://lake/raw/events/'")
	c.want("SELECT ds, count(*), sum(id) FROM events GROUP BY ds ORDER BY ds", "2020-01-01|33|1683\n2020-01-02|33|1617\n2020-01-03|33|1650")
	c.run("COPY (SELECT 1000 AS id) TO 's3://lake/raw/events/ds=2020-01-09/new.parquet'")
	c.want("SELECT count(*) FROM events", "99")
	c.run("SYNC TABLE events")
	c.want("SELECT sum(id) FROM events WHERE ds > DATE '2020-01-03'", "1000")
	c.want("SELECT count(*) FROM 's3://lake/raw/events/*/*.parquet'", "100")
	c.want("SELECT count(DISTINCT filename) FROM read_parquet('s3://lake/raw/events/**', hive_partitioning => true, filename => true) WHERE ds >= DATE '2020-01-03'", "2")
	c.run("COPY (SELECT i, 'a,b' AS t FROM generate_series(1, 5) g(i)) TO 's3://lake/out/x.csv' (FORMAT csv, HEADER); CREATE TABLE back (i int, t text); COPY back FROM 's3://lake/out/*.csv' (FORMAT csv, HEADER)")
	c.want("SELECT sum(i), min(t) FROM back", "15|a,b")
}

// TestVacuum: orphans, replaced files and unfinished uploads go; tables under another spelling of
// the scheme stay.
func TestVacuum(t *testing.T) {
	server := s3test.Start(t)
	c := start(t, server.URL, nil)
	ctx := context.Background()
	c.run(series("t", 1000, 4))
	c.run("CREATE TABLE alias WITH (location = 's3a://lake/warehouse/elsewhere/alias') AS SELECT 1 AS x")
	c.run("INSERT OVERWRITE t PARTITION (ds = DATE '2020-01-02') SELECT 1, 'one'")
	direct := store(server)
	for _, orphan := range []string{"warehouse/public/t/ds=2020-01-02/part-dead-0.parquet", "warehouse/public/never/part-dead-1.parquet"} {
		if _, err := direct.Put(ctx, orphan, []byte("x")); err != nil {
			t.Fatal(err)
		}
	}
	upload, err := direct.Create(ctx, "warehouse/public/t/part-killed-0.parquet")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := upload.Write(bytes.Repeat([]byte("x"), 9<<20)); err != nil {
		t.Fatal(err)
	}
	// Its writer is killed once a part has arrived: what is still under way when an upload is aborted may stay.
	for end := time.Now().Add(30 * time.Second); !slices.ContainsFunc(server.Objects(t, s3test.Bucket), func(name string) bool {
		return strings.Contains(name, ".sgwtmp/multipart") && strings.HasSuffix(name, "/1")
	}); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("no part arrives")
		}
	}
	c.run("VACUUM (history '0s', grace '0s')")
	c.want("SELECT count(*), sum(id) FROM t WHERE ds <> DATE '2020-01-02'", "750|375750")
	c.want("SELECT count(*), sum(id) FROM t WHERE ds = DATE '2020-01-02'", "1|1")
	c.want("SELECT x FROM alias", "1")
	var left []string
	for _, name := range server.Objects(t, s3test.Bucket) {
		if strings.Contains(name, "dead") || strings.Contains(name, "killed") || strings.Contains(name, ".sgwtmp") {
			left = append(left, name)
		}
	}
	if len(left) > 0 {
		t.Errorf("left: %q", left)
	}
	if entries, _ := os.ReadDir(filepath.Join(server.Directory, s3test.Bucket, "warehouse", "public", "never")); len(entries) > 0 {
		t.Error("the orphans of a table that never was are left")
	}
	c.run("DROP TABLE t; DROP TABLE alias")
	c.run("VACUUM (history '0s', grace '0s')")
	if left := below(t, server, "warehouse/"); len(left) > 0 {
		t.Errorf("after DROP TABLE and VACUUM: %q", left)
	}
}

// A statement that is executed again reads the files that are there then.
func TestPreparedStatementsListFilesAnew(t *testing.T) {
	server := s3test.Start(t)
	c := start(t, server.URL, nil)
	write := func(file, x int) { c.run(fmt.Sprintf("COPY (SELECT %d AS x) TO 's3://lake/many/%d.parquet'", x, file)) }
	write(1, 1)
	c.run("CREATE VIEW v AS SELECT * FROM 's3://lake/many/*.parquet'")
	c.run("PREPARE direct AS SELECT sum(x) FROM 's3://lake/many/*.parquet'")
	c.run("PREPARE viewed AS SELECT sum(x) FROM v")
	for file, sum := range []string{"1", "11", "110", "200"} {
		switch file {
		case 1:
			write(2, 10)
		case 2:
			write(1, 100)
		case 3:
			c.run("BEGIN")
			c.want("EXECUTE direct", "110")
			c.want("EXECUTE viewed", "110")
			write(2, 100)
		}
		c.want("EXECUTE direct", sum)
		c.want("EXECUTE viewed", sum)
	}
	c.run("COMMIT")
}

// TestErrorsNameFiles: readers' errors have the URL that users know, with a cache in between or without.
func TestErrorsNameFiles(t *testing.T) {
	server := s3test.Start(t)
	direct := store(server)
	for path, text := range map[string]string{"in/a.csv": "id,name\n1,a\nx,b\n", "in/a.json": "{\"id\": 1}\n{\"id\": 1e99}\n", "in/a.parquet": "PAR1", "in/a.orc": "ORC"} {
		if _, err := direct.Put(t.Context(), path, []byte(text)); err != nil {
			t.Fatal(err)
		}
	}
	for _, change := range []func(*config.Config){nil, func(c *config.Config) { c.Cache.Size = 64 << 20 }} {
		c := start(t, server.URL, change)
		for sql, want := range map[string]string{
			"SELECT * FROM read_csv('s3://lake/in/a.csv', types => 'bigint,text')":    `CSV file "s3://lake/in/a.csv", line 3, column id: "x"`,
			"SELECT * FROM read_json('s3://lake/in/a.json', columns => 'id integer')": `JSON file "s3://lake/in/a.json", line 2, key "id": 1e99`,
			"SELECT * FROM 's3://lake/in/a.parquet'":                                  `Parquet file "s3://lake/in/a.parquet" is damaged: `,
			"SELECT * FROM 's3://lake/in/a.orc'":                                      `ORC file "s3://lake/in/a.orc" is damaged: `,
		} {
			_, err := c.try(sql)
			var refused *pgconn.PgError
			if !errors.As(err, &refused) || !strings.HasPrefix(refused.Where, want) && !strings.HasPrefix(refused.Message, want) {
				t.Errorf("%s: %+v", sql, refused)
			}
		}
	}
}
