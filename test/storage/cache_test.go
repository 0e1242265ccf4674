package storage

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/tarnlake/tarn/internal/config"
	"github.com/tarnlake/tarn/test/s3test"
)

// TestDiskCache: what was read once costs no request, also after a restart, and damaged entries do no
// harm; what EXPLAIN ANALYZE shows is what the server has seen.
func TestDiskCache(t *testing.T) {
	server := s3test.Start(t)
	directory := t.TempDir()
	withCache := func(c *config.Config) { c.Cache.Path, c.Cache.Size = directory, 1<<30 }
	const loose = "SELECT sum(id), max(name) FROM 's3://lake/files/a.parquet'"
	gets := func(c *client, sql string) (shown, seen int, explained string) {
		before := logged(t, server)
		explained = c.run("EXPLAIN ANALYZE " + sql)
		return counted(t, explained, "Execution Storage:")["GET"], logged(t, server)["GET"] - before["GET"], explained
	}
	want := ""
	t.Run("first", func(t *testing.T) {
		c := start(t, server.URL, withCache)
		c.run(series("t", 200_000, 4))
		c.run("COPY (SELECT * FROM t) TO 's3://lake/files/a.parquet' (FORMAT parquet)")
		const sql = "SELECT count(*), sum(id), min(name), max(name) FROM t"
		c.run(sql)
		want = c.run(loose)
		settle(t, c)
		for _, q := range []string{sql, loose} {
			shown, seen, explained := gets(c, q)
			if shown != 0 || seen != 0 || !strings.Contains(explained, "(100 %)") {
				t.Errorf("%d GETs are shown, %d were seen\n%s", shown, seen, explained)
			}
		}
	})
	damaged := 0
	err := filepath.WalkDir(directory, func(path string, entry os.DirEntry, err error) error {
		if err != nil || entry.IsDir() || entry.Name() == "lock" {
			return err
		}
		data, err := os.ReadFile(path)
		if err == nil && damaged < 2 {
			damaged++
			data[len(data)-1] ^= 0xff
			err = os.WriteFile(path, data, 0o600)
		}
		return err
	})
	if err != nil || damaged != 2 {
		t.Fatal(damaged, err)
	}
	c := start(t, server.URL, withCache)
	shown, seen, explained := gets(c, loose)
	if shown != seen || seen > 2 {
		t.Errorf("%d GETs are shown, %d were seen\n%s", shown, seen, explained)
	}
	c.want(loose, want)
	c.run("COPY (SELECT 7 AS id, 'x' AS name) TO 's3://lake/files/a.parquet' (FORMAT parquet)")
	c.want(loose, "7|x")
}

// settle waits until the disk cache has written what it was given.
func settle(t *testing.T, c *client) {
	t.Helper()
	for began := time.Now(); time.Since(began) < 30*time.Second; time.Sleep(10 * time.Millisecond) {
		pending := int64(0)
		for _, s := range c.system.Caches() {
			pending += s.Pending
		}
		if pending == 0 {
			return
		}
	}
	t.Fatal("the disk cache does not write what it was given")
}
