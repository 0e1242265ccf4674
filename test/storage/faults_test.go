package storage

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tarnlake/tarn/internal/config"
	"github.com/tarnlake/tarn/test/s3test"
)

// TestJobUnderFaults: a job of writes and reads through a bad network gives the right answers.
func TestJobUnderFaults(t *testing.T) {
	server := s3test.Start(t)
	var mu sync.Mutex
	random := rand.New(rand.NewPCG(3, 9))
	faults := []s3test.Fault{s3test.Reset, s3test.LoseAnswer, s3test.SlowDown, s3test.CutBody, s3test.Delay, s3test.Broken}
	proxy := s3test.StartProxy(t, server, func(*http.Request) s3test.Fault {
		mu.Lock()
		defer mu.Unlock()
		if random.IntN(10) > 0 {
			return s3test.Pass
		}
		return faults[random.IntN(len(faults))]
	})
	proxy.DelayBy = 200 * time.Millisecond
	c := start(t, proxy.URL, nil)
	c.run(series("t", 200_000, 12))
	c.want("SELECT count(*), sum(id), min(name), max(name) FROM t", "200000|20000100000|row 1|row 99999")
	for day := range 5 {
		c.run(fmt.Sprintf("INSERT OVERWRITE t PARTITION (ds = DATE '2020-01-%02d') SELECT id, name FROM t WHERE ds = DATE '2020-01-10'", day+1))
	}
	c.want("SELECT ds, count(*) FROM t WHERE ds < DATE '2020-01-07' GROUP BY ds ORDER BY ds",
		"2020-01-01|16666\n2020-01-02|16666\n2020-01-03|16666\n2020-01-04|16666\n2020-01-05|16666\n2020-01-06|16667")
	c.want("SELECT count(DISTINCT id) FROM t WHERE ds < DATE '2020-01-06'", "16666")
	c.run("COPY (SELECT * FROM t) TO 's3://lake/out/t.parquet'; COPY (SELECT * FROM t) TO 's3://lake/out/csv/' (FORMAT csv, HEADER)")
	want := c.run("SELECT count(*), sum(id), count(DISTINCT ds) FROM t")
	c.want("SELECT count(*), sum(id), count(DISTINCT ds) FROM 's3://lake/out/t.parquet'", want)
	c.want("SELECT count(*), sum(id), count(DISTINCT ds) FROM read_csv('s3://lake/out/csv/*.csv', header => true)", want)
	c.run("VACUUM (history '0s', grace '0s')")
	files := 0
	for _, name := range below(t, server, "warehouse/") {
		if strings.Contains(name, "part-") {
			files++
		}
	}
	c.want("SELECT count(*) FROM system.files", fmt.Sprint(files))
	if _, faulty := proxy.Requests(); faulty < 10 {
		t.Errorf("only %d requests were in trouble", faulty)
	}
}

// TestFailedWritesLeaveNothing: storage fails for good in the middle of a write.
func TestFailedWritesLeaveNothing(t *testing.T) {
	server := s3test.Start(t)
	var left atomic.Int64 // requests that still pass
	left.Store(1 << 40)
	proxy := s3test.StartProxy(t, server, func(r *http.Request) s3test.Fault {
		if r.Method == http.MethodPut && left.Add(-1) < 0 {
			return s3test.Broken
		}
		return s3test.Pass
	})
	c := start(t, proxy.URL, func(c *config.Config) { c.Storage.S3.MaxAttempts = 2 })
	c.run(series("t", 1000, 10))
	before := below(t, server, "")
	want := c.run("SELECT count(*), sum(id) FROM t")
	for passing := range int64(8) {
		for _, sql := range []string{
			"INSERT INTO t SELECT * FROM t", "INSERT OVERWRITE t SELECT * FROM t", series("u", 1000, 10),
			"COPY (SELECT * FROM t) TO 's3://lake/out/' (FORMAT csv, PARTITION_BY ds)",
		} {
			left.Store(passing)
			_, err := c.try(sql)
			left.Store(1 << 40)
			if err == nil || !strings.Contains(err.Error(), "InternalError") && !strings.Contains(err.Error(), "could not write") {
				t.Errorf("after %d requests %q: %v", passing, sql, err)
			}
			c.want("SELECT count(*), sum(id) FROM t", want)
			if after := below(t, server, ""); len(after) != len(before) {
				t.Fatalf("after %d requests %q leaves %q", passing, sql, after)
			}
		}
	}
}

// TestCancelledWriteLeavesNothing: a client cancels while its rows are being uploaded.
func TestCancelledWriteLeavesNothing(t *testing.T) {
	server := s3test.Start(t)
	proxy := s3test.StartProxy(t, server, func(r *http.Request) s3test.Fault {
		if r.Method == http.MethodPut {
			return s3test.Delay
		}
		return s3test.Pass
	})
	proxy.DelayBy = 2 * time.Second
	c := start(t, proxy.URL, nil)
	started := time.Now()
	_, err := c.try("SET statement_timeout = '700ms'; " + series("t", 300_000, 5))
	if err == nil || !strings.Contains(err.Error(), "57014") {
		t.Fatalf("%v after %s", err, time.Since(started))
	}
	if took := time.Since(started); took > 15*time.Second {
		t.Errorf("cancelling took %s", took)
	}
	c.run("RESET statement_timeout")
	for end := time.Now().Add(30 * time.Second); ; time.Sleep(100 * time.Millisecond) { // what was under way arrives late
		c.run("VACUUM (history '0s', grace '0s')")
		left := below(t, server, "")
		if len(left) == 0 {
			return
		}
		if time.Now().After(end) {
			t.Fatalf("left: %q", left)
		}
	}
}
