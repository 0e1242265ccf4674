package storage

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tarnlake/tarn/internal/config"
	"github.com/tarnlake/tarn/test/s3test"
)

// TestTPCHUnderFaults: 22 queries over tables on S3, with 1 % resets, 1 % SlowDown and 1 % late
// answers, give what they give over local files; in one process, and written and read by three workers.
// TARN_TEST_TPCH names a schema of the tpch catalog other than sf0_01.
func TestTPCHUnderFaults(t *testing.T) {
	for _, workers := range []int{0, 3} {
		t.Run(fmt.Sprintf("workers_%d", workers), func(t *testing.T) { testTPCH(t, workers) })
	}
}

func testTPCH(t *testing.T, workers int) {
	server := s3test.Start(t)
	var mu sync.Mutex
	random := rand.New(rand.NewPCG(5, 5))
	proxy := s3test.StartProxy(t, server, func(*http.Request) s3test.Fault {
		mu.Lock()
		defer mu.Unlock()
		switch random.IntN(100) {
		case 0:
			return s3test.Reset
		case 1:
			return s3test.SlowDown
		case 2:
			return s3test.Delay
		}
		return s3test.Pass
	})
	proxy.DelayBy = 200 * time.Millisecond
	remote := startCluster(t, proxy.URL, workers, nil)
	local := start(t, server.URL, func(c *config.Config) { c.Storage.Warehouse = "" })
	schema := "sf0_01"
	if other := os.Getenv("TARN_TEST_TPCH"); other != "" {
		schema = other
	}
	for _, c := range []*client{remote, local} {
		for i, table := range []string{"customer", "lineitem", "nation", "orders", "part", "partsupp", "region", "supplier"} {
			format := "PARQUET"
			if c == remote && i%2 == 1 {
				format = "ORC"
			}
			c.run("CREATE TABLE " + table + " STORED AS " + format + " AS SELECT * FROM tpch." + schema + "." + table)
		}
	}
	queries, err := filepath.Glob("../../bench/queries/tpch/*.sql")
	if err != nil || len(queries) != 22 {
		t.Fatal(len(queries), err)
	}
	for _, file := range queries {
		sql, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		sorted := func(c *client) string { // rows that are equal in the order asked for may come in any
			rows := strings.Split(c.run(string(sql)), "\n")
			slices.Sort(rows)
			return strings.Join(rows, "\n")
		}
		if want, got := sorted(local), sorted(remote); got != want {
			t.Errorf("%s: on S3\n%s\nlocally\n%s", filepath.Base(file), got, want)
		}
	}
	all, faulty := proxy.Requests()
	t.Logf("%d requests, %d in trouble", all, faulty)
	if faulty == 0 {
		t.Error("no request was in trouble")
	}
}
