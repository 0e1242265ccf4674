package cluster

import (
	"context"
	"io/fs"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/tarnlake/tarn/cmd/tarn/node"
	"github.com/tarnlake/tarn/cmd/tarn/wiring"
	"github.com/tarnlake/tarn/internal/config"
	"github.com/tarnlake/tarn/planner/parser"
)

// serve runs a server with workers; the result is a connection and where its files lie.
func serve(t *testing.T, workers int, transport http.RoundTripper) (*pgconn.PgConn, string) {
	t.Helper()
	return serveWith(t, workers, transport, func(*config.Config) {})
}

func serveWith(t *testing.T, workers int, transport http.RoundTripper, change func(*config.Config)) (*pgconn.PgConn, string) {
	t.Helper()
	ctx := context.Background()
	options := wiring.Options{Drivers: 1, InMemory: true, AnyPath: true, Config: config.Default()}
	options.Config.Server.PgListen, options.Config.Server.HTTPListen = "127.0.0.1:0", ""
	options.Config.Settings["distribute_from_rows"] = "0"
	change(options.Config)
	system, err := wiring.Open(ctx, options)
	if err != nil {
		t.Fatal(err)
	}
	n, err := node.Start(ctx, node.Options{Config: options.Config, Version: "test", Engine: system.Engine, Parse: parser.Parse, Listen: true})
	if err != nil {
		t.Fatal(err)
	}
	system.UseSessions(n.Manager())
	end := Attach(t, system, workers, transport)
	conn, err := pgconn.Connect(ctx, "postgres://tester@"+n.Address()+"/tarn")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		stopping, cancel := context.WithTimeout(ctx, 10*time.Second)
		defer cancel()
		_ = conn.Close(stopping)
		n.Stop(stopping)
		end()
		if used := system.Memory.Used(); used > 0 {
			t.Errorf("%d bytes are left", used)
		}
		if err := system.Close(); err != nil {
			t.Error(err)
		}
	})
	return conn, system.Data
}

// lasting is a join whose workers compute for hours.
const lasting = "SELECT count(*) FROM tpch.sf1.lineitem a JOIN tpch.sf1.lineitem b ON a.l_linenumber + 1 = b.l_linenumber WHERE a.l_extendedprice < b.l_extendedprice"

// query gives the rows, columns separated by bars.
func query(t *testing.T, conn *pgconn.PgConn, sql string) ([]string, error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	defer cancel()
	results, err := conn.Exec(ctx, sql).ReadAll()
	var out []string
	for _, r := range results {
		for _, row := range r.Rows {
			var parts []string
			for _, v := range row {
				parts = append(parts, string(v))
			}
			out = append(out, strings.Join(parts, "|"))
		}
	}
	return out, err
}

func must(t *testing.T, conn *pgconn.PgConn, sql, want string) {
	t.Helper()
	rows, err := query(t, conn, sql)
	if got := strings.Join(rows, "\n"); err != nil || got != want {
		t.Fatalf("%s: %q %v, want %q", sql, got, err, want)
	}
}

// files counts the data files of all tables.
func files(t *testing.T, data string) int {
	t.Helper()
	n := 0
	err := filepath.WalkDir(filepath.Join(data, "warehouse"), func(path string, entry fs.DirEntry, err error) error {
		if err == nil && !entry.IsDir() {
			n++
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return n
}

const orders = "tpch.sf0_1.orders"

func TestWorkersWriteAndTheCoordinatorCommitsOnce(t *testing.T) {
	conn, data := serve(t, 3, nil)
	plan, err := query(t, conn, "EXPLAIN SELECT o_orderstatus, count(*) FROM "+orders+" GROUP BY 1")
	if text := strings.Join(plan, "\n"); err != nil || !strings.Contains(text, "Exchange Hash") || !strings.Contains(text, "Exchange Gather") {
		t.Fatal(text, err)
	}
	must(t, conn, "CREATE TABLE kept (k bigint, price decimal(15,2)) STORED AS PARQUET", "")
	must(t, conn, "INSERT INTO kept SELECT o_orderkey, o_totalprice FROM "+orders, "")
	if n := files(t, data); n < 2 {
		t.Fatalf("%d files: not written by several workers", n)
	}
	must(t, conn, "SELECT count(*), count(distinct k), sum(price) = (SELECT sum(o_totalprice) FROM "+orders+") FROM kept", "150000|150000|t")
	must(t, conn, "CREATE TEMP TABLE mine AS SELECT * FROM kept WHERE k < 100", "")
	must(t, conn, "SELECT count(*) FROM mine m JOIN kept k ON m.k = k.k", "27")
	analyzed, err := query(t, conn, "EXPLAIN ANALYZE SELECT count(*) FROM kept")
	if text := strings.Join(analyzed, "\n"); err != nil || !strings.Contains(text, "actual rows=150000") {
		t.Fatal(text, err)
	}
}

func TestAFailedWriteLeavesNoFile(t *testing.T) {
	conn, data := serve(t, 3, nil)
	must(t, conn, "CREATE TABLE t (k bigint) STORED AS PARQUET", "")
	before := files(t, data)
	for range 3 {
		_, err := query(t, conn, "INSERT INTO t SELECT o_orderkey / (o_orderkey - 500000) FROM "+orders)
		if err == nil || !strings.Contains(err.Error(), "division by zero (SQLSTATE 22012)") {
			t.Fatal(err)
		}
		if n := files(t, data); n != before {
			t.Fatalf("%d files are left", n-before)
		}
	}
	must(t, conn, "SELECT count(*) FROM t", "0")
}

func TestStatementsOnABadNetwork(t *testing.T) {
	faults := NewFaults(9, 25)
	conn, _ := serve(t, 2, faults)
	must(t, conn, "CREATE TABLE t (k bigint, s varchar) STORED AS PARQUET", "")
	must(t, conn, "INSERT INTO t SELECT o_orderkey, o_orderstatus FROM "+orders, "")
	for range 5 {
		must(t, conn, "SELECT count(*), count(distinct k) FROM t", "150000|150000")
		must(t, conn, "SELECT count(*) FROM t a JOIN "+orders+" b ON a.k = b.o_orderkey WHERE a.s = b.o_orderstatus", "150000")
		must(t, conn, "SELECT k FROM t ORDER BY k DESC LIMIT 2", "600000\n599975")
	}
	if total, _ := faults.Struck(); total == 0 {
		t.Fatal("no fault happened")
	}
	faults.Every(0)
}

func TestACancelReachesTheWorkers(t *testing.T) {
	conn, _ := serve(t, 2, nil)
	other, _ := another(t, conn)
	ended := make(chan error, 1)
	go func() {
		_, err := query(t, conn, lasting)
		ended <- err
	}()
	until(t, "the tasks", func() bool {
		rows, err := query(t, other, "SELECT count(*) FROM system.stages WHERE stage > 0 AND rows_read > 0 AND pid <> pg_backend_pid()")
		return err == nil && rows[0] != "0"
	})
	if err := conn.CancelRequest(t.Context()); err != nil {
		t.Fatal(err)
	}
	select {
	case err := <-ended:
		if err == nil || !strings.Contains(err.Error(), "57014") {
			t.Fatal(err)
		}
	case <-time.After(errorWithin):
		t.Fatal("the query goes on")
	}
	must(t, conn, "SELECT count(*) FROM "+orders, "150000")
}
