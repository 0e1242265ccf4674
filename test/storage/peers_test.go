package storage

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/tarnlake/tarn/test/s3test"
)

// python gives an interpreter with what requirements.txt names, made once.
func python(t *testing.T) string {
	t.Helper()
	cache, err := os.UserCacheDir()
	if err != nil {
		t.Fatal(err)
	}
	wanted, err := os.ReadFile("requirements.txt")
	if err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(cache, "tarn-storage-peers")
	interpreter := filepath.Join(dir, "bin", "python")
	if have, err := os.ReadFile(filepath.Join(dir, "requirements.txt")); err == nil && bytes.Equal(have, wanted) {
		return interpreter
	}
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Minute)
	defer cancel()
	for _, command := range [][]string{
		{"python3", "-m", "venv", "--clear", dir},
		{interpreter, "-m", "pip", "install", "-q", "--disable-pip-version-check", "-r", "requirements.txt"},
	} {
		if out, err := exec.CommandContext(ctx, command[0], command[1:]...).CombinedOutput(); err != nil {
			t.Fatalf("%q: %v\n%s", command, err, out)
		}
	}
	if err := os.WriteFile(filepath.Join(dir, "requirements.txt"), wanted, 0o600); err != nil {
		t.Fatal(err)
	}
	return interpreter
}

// TestPeers exchanges files on S3 with pyarrow, whose S3 client and Parquet code are others.
func TestPeers(t *testing.T) {
	interpreter := python(t)
	server := s3test.Start(t)
	c := start(t, server.URL, nil)
	c.run(series("t", 5000, 5))
	c.run(`COPY (SELECT * FROM t) TO 's3://lake/out/one.parquet'; COPY (SELECT * FROM t) TO 's3://lake/out/one.csv' (FORMAT csv, HEADER);
COPY (SELECT i AS a, md5(i::text) AS b FROM generate_series(1, 700000) g(i)) TO 's3://lake/out/large.parquet' (FORMAT parquet, COMPRESSION 'none')`)
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	out, err := exec.CommandContext(ctx, interpreter, "peers.py", server.URL, s3test.AccessKey, s3test.SecretKey).CombinedOutput()
	want := "table 5000 12502500 5 row 999\nfile 5000 12502500\ncsv 5000 12502500\nlarge 700000 245000350000\nuploads 3\n"
	if err != nil || string(out) != want {
		t.Fatalf("%v\n%s\nwant\n%s", err, out, want)
	}
	if len(server.Log(t, "s3_UploadPart ")) == 0 {
		t.Error("no file was large enough for a multipart upload")
	}
	c.want("SELECT count(*), sum(id), sum(amount), min(name), min(at), max(at), count(DISTINCT day) FROM read_parquet('s3://lake/peer/set/**/*.parquet', hive_partitioning => true)",
		"10000|49995000|10713214.5|näme 0|1969-12-31 00:00:00|1971-02-20 15:00:00|4")
	c.want("SELECT count(*) FROM 's3://lake/peer/set/day=2021-01-0[23]/*'", "5000")
	c.want("SELECT count(*), sum(id), sum(amount) FROM read_csv('s3://lake/peer/made.csv', header => true)", "10000|49995000|10713214.5")
	c.want("SELECT count(*), sum(id), sum(amount) FROM 's3://lake/peer/large.parquet'", "150000|749925000|160698217.5")
	c.run("CREATE TABLE adopted FROM 's3://lake/peer/set/'")
	c.want("SELECT day, count(*) FROM adopted WHERE day >= DATE '2021-01-03' GROUP BY day ORDER BY day", "2021-01-03|2500\n2021-01-04|2500")
}
