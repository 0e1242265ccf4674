package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/tarnlake/tarn/test/pgserver"
)

// rounds gives how much a test does; the variable makes it do more.
func rounds(t *testing.T, variable string, normal int) int {
	t.Helper()
	n, err := strconv.Atoi(os.Getenv(variable))
	if err != nil || n < 1 {
		return normal
	}
	return n
}

// startCoordinators starts two nodes of one cluster that share catalog and storage.
func startCoordinators(t *testing.T) [2]*server {
	t.Helper()
	catalog, warehouse := pgserver.Database(t), filepath.Join(t.TempDir(), "warehouse")
	start := func(join string) *server {
		args := []string{"--data", filepath.Join(t.TempDir(), "own"), "--role", "both", "--set", "cluster.gossip_listen=127.0.0.1:0",
			"--set", "server.rpc_listen=127.0.0.1:0", "--set", "cluster.secret=hush", "--set", "catalog.url=" + catalog,
			"--set", "storage.warehouse=" + warehouse}
		if join != "" {
			args = append(args, "--join", join)
		}
		return startServer(t, args...)
	}
	first := start("")
	second := start(first.logged(t, `gossip=(\S+)`))
	for _, s := range []*server{first, second} {
		waitFor(t, s.connect(t), "SELECT count(*) FROM system.nodes WHERE state = 'active'", "2")
	}
	return [2]*server{first, second}
}

// TestDDLIsSeenByTheOtherCoordinator changes definitions through one coordinator and uses them through
// the other as soon as the change has returned. TARN_TEST_DDL says how often.
func TestDDLIsSeenByTheOtherCoordinator(t *testing.T) {
	nodes := startCoordinators(t)
	conns := [2]*pgconn.PgConn{nodes[0].connect(t), nodes[1].connect(t)}
	changes := 0
	var slowest time.Duration
	for round := 0; changes < rounds(t, "TARN_TEST_DDL", 60); round++ {
		here, there := conns[round%2], conns[1-round%2]
		name := fmt.Sprint("d", round)
		for _, step := range []struct{ change, look, want string }{
			{"CREATE TABLE %s (a int)", "SELECT count(*) FROM %s", "0"},
			{"ALTER TABLE %s ADD COLUMN b text", "SELECT count(b) FROM %s", "0"},
			{"CREATE VIEW v_%[1]s AS SELECT a + 1 AS c FROM %[1]s", "SELECT count(c) FROM v_%s", "0"},
			{"INSERT INTO %s VALUES (41, 'x')", "SELECT c FROM v_%s", "42"},
			{"CREATE OR REPLACE VIEW v_%[1]s AS SELECT a + 2 AS c FROM %[1]s", "SELECT c FROM v_%s", "43"},
			{"ALTER TABLE %[1]s RENAME TO new_%[1]s", "SELECT b FROM new_%s", "x"},
			{"DROP TABLE new_%[1]s CASCADE", "SELECT count(*) FROM information_schema.tables WHERE table_name LIKE '%%%s'", "0"},
		} {
			rowsOf(t, here, fmt.Sprintf(step.change, name))
			began := time.Now()
			look := fmt.Sprintf(step.look, name)
			if got := strings.Join(rowsOf(t, there, look), " "); got != step.want {
				t.Fatalf("change %d: %s gives %q, want %q", changes, look, got, step.want)
			}
			slowest = max(slowest, time.Since(began))
			changes++
		}
	}
	t.Logf("%d changes, each seen by the next statement on the other coordinator; the slowest statement took %s", changes, slowest)
	if slowest > 10*time.Second {
		t.Errorf("a statement took %s", slowest)
	}
}

// write is a statement that has succeeded: it appended to or replaced whole partitions. Its rows are
// known by their tag.
type write struct {
	tag        string
	overwrite  bool
	partitions []int
	began      time.Time
	ended      time.Time
}

// sql gives the statement. Each row tells how many rows its partition held in the statement's eyes.
func (w *write) sql() string {
	var parts []string
	for _, p := range w.partitions {
		if w.overwrite {
			parts = append(parts, fmt.Sprintf("SELECT '%s', count(*), %d FROM p WHERE ds = %d", w.tag, p, p))
		} else {
			parts = append(parts, fmt.Sprintf("SELECT '%s', 0, %d", w.tag, p))
		}
	}
	verb := "INSERT INTO"
	if w.overwrite {
		verb = "INSERT OVERWRITE"
	}
	return verb + " p " + strings.Join(parts, " UNION ALL ")
}

// apply gives the rows of each partition after the write.
func (w *write) apply(rows map[int][]string) map[int][]string {
	out := maps.Clone(rows)
	for _, p := range w.partitions {
		if w.overwrite {
			out[p] = []string{fmt.Sprintf("%s|%d|%d", w.tag, len(rows[p]), p)}
		} else {
			out[p] = append(slices.Clone(rows[p]), fmt.Sprintf("%s|0|%d", w.tag, p))
		}
	}
	return out
}

func flatten(rows map[int][]string) []string {
	var out []string
	for _, list := range rows {
		out = append(out, list...)
	}
	slices.Sort(out)
	return out
}

// TestWritesThroughTwoCoordinatorsAreSerial lets 20 clients on each of two coordinators append to and
// overwrite partitions of one table. Each version of the table must be what one statement makes of the
// version before: then their order is a serial one; and it agrees with what clients have seen to end
// before they began. TARN_TEST_WRITES says how many statements each client gets through.
func TestWritesThroughTwoCoordinatorsAreSerial(t *testing.T) {
	nodes := startCoordinators(t)
	conn := nodes[0].connect(t)
	rowsOf(t, conn, "CREATE TABLE p (tag text, held bigint, ds int) PARTITIONED BY (ds)")
	const clients, partitions = 20, 8
	var mu sync.Mutex
	done := map[string]*write{}
	var retries atomic.Int64
	var working sync.WaitGroup
	each := rounds(t, "TARN_TEST_WRITES", 4)
	for n, node := range nodes {
		for client := range clients {
			conn := node.connect(t)
			working.Go(func() {
				random := rand.New(rand.NewPCG(uint64(n), uint64(client)))
				for i := range each {
					w := &write{tag: fmt.Sprintf("n%d-c%d-%d", n, client, i), overwrite: random.IntN(2) == 0, partitions: random.Perm(partitions)[:1+random.IntN(2)]}
					if err := w.run(conn, random, &retries); err != nil {
						t.Errorf("%s: %v", w.tag, err)
						return
					}
					mu.Lock()
					done[w.tag] = w
					mu.Unlock()
				}
			})
		}
	}
	working.Wait()
	if t.Failed() {
		return
	}
	t.Logf("%d statements, %d of 40001 were tried again", len(done), retries.Load())
	checkSerial(t, nodes[1].connect(t), done)
}

// run runs the statement until it does not conflict.
func (w *write) run(conn *pgconn.PgConn, random *rand.Rand, retries *atomic.Int64) error {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Minute)
	defer cancel()
	for {
		w.began = time.Now()
		_, err := conn.Exec(ctx, w.sql()).ReadAll()
		w.ended = time.Now()
		var failure *pgconn.PgError
		if !errors.As(err, &failure) || failure.Code != "40001" {
			return err
		}
		retries.Add(1)
		time.Sleep(time.Duration(random.IntN(20)) * time.Millisecond)
	}
}

// checkSerial replays the table's versions.
func checkSerial(t *testing.T, conn *pgconn.PgConn, done map[string]*write) {
	t.Helper()
	versions := rowsOf(t, conn, "SHOW VERSIONS FROM p")
	if len(versions) != len(done)+1 {
		t.Fatalf("%d versions of a table that was created and written %d times", len(versions), len(done))
	}
	state := map[int][]string{}
	var latestBegin time.Time
	for version := 2; version <= len(versions); version++ {
		rows := rowsOf(t, conn, fmt.Sprintf("SELECT tag, held, ds FROM p FOR VERSION AS OF %d", version))
		slices.Sort(rows)
		before := flatten(state)
		var w *write
		for _, row := range rows {
			if _, old := slices.BinarySearch(before, row); !old {
				tag, _, _ := strings.Cut(row, "|")
				w = done[tag]
				break
			}
		}
		if w == nil {
			t.Fatalf("version %d adds no row of a statement that succeeded once: %q after %q", version, rows, before)
		}
		delete(done, w.tag)
		state = w.apply(state)
		if want := flatten(state); !slices.Equal(rows, want) {
			t.Fatalf("version %d is %q; %s on %q makes it %q", version, rows, w.sql(), before, want)
		}
		if w.ended.Before(latestBegin) {
			t.Errorf("%s had ended before a statement began that came before it", w.tag)
		}
		if w.began.After(latestBegin) {
			latestBegin = w.began
		}
	}
	last := rowsOf(t, conn, "SELECT tag, held, ds FROM p")
	slices.Sort(last)
	if want := flatten(state); !slices.Equal(last, want) {
		t.Errorf("the table is %q, want %q", last, want)
	}
}

// TestVacuumHonoursReadersOfTheOtherCoordinator has both coordinators overwrite, drop and vacuum while
// clients of both read, some in transactions that look twice. Each partition holds one generation of
// rows: a reader must always find whole ones, and the same ones when it looks again.
func TestVacuumHonoursReadersOfTheOtherCoordinator(t *testing.T) {
	nodes := startCoordinators(t)
	const days, height = 4, 50
	fill := func(table string, generation int64) string {
		return fmt.Sprintf("INSERT OVERWRITE %s SELECT %d, r, r %% %d FROM generate_series(1, %d) AS g(r)", table, generation, days, days*height)
	}
	setup := nodes[0].connect(t)
	for _, table := range []string{"kept", "dropped"} {
		rowsOf(t, setup, "CREATE TABLE "+table+" (g bigint, r bigint, ds int) PARTITIONED BY (ds)")
		rowsOf(t, setup, fill(table, 0))
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Duration(rounds(t, "TARN_TEST_VACUUM", 6))*time.Second)
	defer cancel()
	var generation, overwritten, dropped, vacuumed, looked atomic.Int64
	var working sync.WaitGroup
	// loop repeats a step until the time is over; codes are errors that the step may end in.
	loop := func(node *server, count *atomic.Int64, step func(conn *pgconn.PgConn) error, codes ...string) {
		conn := node.connect(t)
		working.Go(func() {
			for ctx.Err() == nil {
				err := step(conn)
				var failure *pgconn.PgError
				if errors.As(err, &failure) && slices.Contains(codes, failure.Code) {
					_ = execute(conn, "ROLLBACK")
					continue
				}
				if err != nil {
					t.Error(err)
					return
				}
				count.Add(1)
			}
		})
	}
	for n, node := range nodes {
		loop(node, &overwritten, func(conn *pgconn.PgConn) error { return execute(conn, fill("kept", generation.Add(1))) }, "40001")
		loop(node, &vacuumed, func(conn *pgconn.PgConn) error { return execute(conn, "VACUUM (history '0 seconds')") })
		if n == 0 {
			loop(node, &dropped, func(conn *pgconn.PgConn) error {
				return execute(conn, "BEGIN; DROP TABLE dropped; CREATE TABLE dropped (g bigint, r bigint, ds int) PARTITIONED BY (ds);"+
					fill("dropped", generation.Add(1))+"; COMMIT")
			}, "40001")
		}
		for _, table := range []string{"kept", "dropped"} {
			loop(node, &looked, func(conn *pgconn.PgConn) error { return looksWhole(conn, table, days, height) })
		}
	}
	working.Wait()
	t.Logf("%d overwrites, %d drops, %d VACUUMs, %d looks", overwritten.Load(), dropped.Load(), vacuumed.Load(), looked.Load())
	if overwritten.Load() == 0 || dropped.Load() == 0 || vacuumed.Load() == 0 || looked.Load() == 0 {
		t.Error("somebody did nothing")
	}
}

func execute(conn *pgconn.PgConn, sql string) error {
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	_, err := conn.Exec(ctx, sql).ReadAll()
	if err != nil {
		return fmt.Errorf("%s: %w", sql, err)
	}
	return nil
}

// looksWhole reads a table twice in a transaction, whole partitions of one generation each.
func looksWhole(conn *pgconn.PgConn, table string, days, height int) error {
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	look := "SELECT ds, count(DISTINCT r), min(g), max(g) FROM " + table + " GROUP BY ds ORDER BY ds"
	first, err := lookOnce(ctx, conn, "BEGIN; "+look)
	if err != nil {
		return err
	}
	time.Sleep(200 * time.Millisecond)
	again, err := lookOnce(ctx, conn, look)
	if err != nil {
		return err
	}
	if err := execute(conn, "COMMIT"); err != nil {
		return err
	}
	if text := fmt.Sprintf("%s", first); len(first) != days || text != fmt.Sprintf("%s", again) {
		return fmt.Errorf("%s: first %s, then %s", table, first, again)
	}
	for _, row := range first {
		if string(row[1]) != strconv.Itoa(height) || string(row[2]) != string(row[3]) {
			return fmt.Errorf("%s: not a whole partition: %s", table, first)
		}
	}
	return nil
}

func lookOnce(ctx context.Context, conn *pgconn.PgConn, sql string) ([][][]byte, error) {
	results, err := conn.Exec(ctx, sql).ReadAll()
	if err != nil {
		return nil, fmt.Errorf("%s: %w", sql, err)
	}
	return results[len(results)-1].Rows, nil
}
