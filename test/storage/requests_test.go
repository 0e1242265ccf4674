package storage

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/tarnlake/tarn/internal/objstore"
	"github.com/tarnlake/tarn/test/s3test"
)

// counted reads "2 GET, 1 LIST" off the line of an EXPLAIN ANALYZE that begins with a title.
func counted(t *testing.T, explained, title string) map[string]int {
	t.Helper()
	out := map[string]int{}
	for line := range strings.SplitSeq(explained, "\n") {
		if text, found := strings.CutPrefix(strings.TrimSpace(line), title); found {
			for _, m := range regexp.MustCompile(`(\d+) ([A-Z]+)\b`).FindAllStringSubmatch(text, -1) {
				n, err := strconv.Atoi(m[1])
				if err != nil {
					t.Fatal(err)
				}
				out[m[2]] += n
			}
		}
	}
	return out
}

// logged counts the requests in the server's access log.
func logged(t *testing.T, server *s3test.Server) map[string]int {
	out := map[string]int{}
	for kind, actions := range map[string][]string{"GET": {"s3_GetObject "}, "HEAD": {"s3_HeadObject "}, "LIST": {"s3_ListObjectsV2 ", "s3_ListMultipartUploads "},
		"PUT": {"s3_PutObject ", "s3_CreateMultipartUpload ", "s3_UploadPart ", "s3_CompleteMultipartUpload "}, "DELETE": {"s3_DeleteObjects ", "s3_AbortMultipartUpload "}} {
		for _, action := range actions {
			out[kind] += len(server.Log(t, action))
		}
	}
	return out
}

func TestCountsEqualTheServersLog(t *testing.T) {
	for _, workers := range []int{0, 3} {
		t.Run(fmt.Sprintf("workers_%d", workers), func(t *testing.T) { testCounts(t, workers) })
	}
}

func testCounts(t *testing.T, workers int) {
	server := s3test.Start(t)
	c := startCluster(t, server.URL, workers, nil)
	c.run(series("t", 100_000, 10))
	c.run("COPY (SELECT * FROM t) TO 's3://lake/files/a.parquet' (FORMAT parquet); COPY (SELECT * FROM t) TO 's3://lake/files/b.csv' (FORMAT csv, HEADER)")
	for _, q := range []struct {
		sql         string
		listsToPlan bool
	}{
		{"SELECT count(*), sum(id) FROM t", false},
		{"SELECT name FROM t WHERE ds = DATE '2020-01-03' AND id = 12", false},
		{"SELECT ds, count(*) FROM t GROUP BY ds", false}, // no GET at all: footers are known
		{"SELECT a.id FROM t a JOIN t b ON a.id = b.id AND a.ds = b.ds WHERE b.name LIKE 'row 99%'", false},
		{"SELECT count(name) FROM 's3://lake/files/*.parquet'", true},
		{"SELECT count(*) FROM read_csv('s3://lake/files/*.csv', header => true)", true},
	} {
		before := logged(t, server)
		explained := c.run("EXPLAIN ANALYZE " + q.sql)
		after := logged(t, server)
		if workers > 0 && !strings.Contains(explained, "Exchange") {
			t.Errorf("not spread:\n%s", explained)
		}
		planning, execution := counted(t, explained, "Planning Storage:"), counted(t, explained, "Execution Storage:")
		for kind := range after {
			if shown := planning[kind] + execution[kind]; shown != after[kind]-before[kind] {
				t.Errorf("%s: %d %s are shown, the server saw %d\n%s", q.sql, shown, kind, after[kind]-before[kind], explained)
			}
		}
		if scans := counted(t, explained, "Storage:"); scans["GET"] != execution["GET"] {
			t.Errorf("%s: the scans show %d GET of %d\n%s", q.sql, scans["GET"], execution["GET"], explained)
		}
		if !q.listsToPlan && (len(planning) > 0 || execution["LIST"] > 0 || execution["HEAD"] > 0) {
			t.Errorf("%s: planning asks storage\n%s", q.sql, explained)
		}
	}
	usage, all := c.system.StorageUsage()[s3test.Bucket], logged(t, server)
	for _, kind := range objstore.RequestKinds() {
		if usage.Of(kind) != int64(all[kind.String()]) {
			t.Errorf("since the start %d %s are counted, the server saw %d", usage.Of(kind), kind, all[kind.String()])
		}
	}
}
