//go:build linux

package cluster

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
)

func one(t *testing.T, conn *pgconn.PgConn, sql, want string) {
	t.Helper()
	if rows, err := Query(t.Context(), conn, sql); err != nil || strings.Join(rows, "\n") != want {
		t.Fatalf("%s: %q %v, want %q", sql, rows, err, want)
	}
}

const sums = "SELECT count(*), sum(l_orderkey), sum(l_extendedprice) FROM "

// TestWorkersLostDuringWrites: whenever a worker is lost, nothing of the write is visible and nothing remains that
// VACUUM does not remove; the same write goes well afterwards.
func TestWorkersLostDuringWrites(t *testing.T) {
	t.Parallel()
	f := StartFleet(t, 3, nil)
	tpch(t, f.Connect(), "sf0_1", false, "lineitem", "orders")
	conn := f.Connect()
	rows, err := Query(t.Context(), conn, sums+"lineitem")
	if err != nil {
		t.Fatal(err)
	}
	whole := rows[0]
	one(t, conn, "CREATE TABLE target STORED AS PARQUET AS SELECT * FROM lineitem LIMIT 0", "")
	began := time.Now()
	one(t, conn, "CREATE TABLE probe STORED AS PARQUET AS SELECT * FROM lineitem", "")
	normal := time.Since(began)
	one(t, conn, "DROP TABLE probe", "")
	one(t, conn, "VACUUM (history '0 s', grace '0 s')", "")
	moments := []float64{0.1, 0.5, 0.9}
	if os.Getenv(allVariable) != "" {
		moments = []float64{0, 0, 0.1, 0.1, 0.2, 0.2, 0.3, 0.3, 0.4, 0.4, 0.5, 0.5, 0.6, 0.6, 0.7, 0.7, 0.8, 0.8, 0.9, 0.9, 1, 1}
	}
	random := rand.New(rand.NewPCG(3, 1))
	kept := len(f.Files())
	for i, moment := range moments {
		statement, table, empty := "INSERT INTO target SELECT * FROM lineitem", "target", "0||"
		if i%2 == 1 {
			statement, table, empty = "CREATE TABLE made STORED AS PARQUET AS SELECT * FROM lineitem", "made", ""
		}
		victim, kill := f.Workers[random.IntN(3)], i%4 < 2
		lose := victim.Freeze
		if kill {
			lose = victim.Kill
		}
		out := during(t, f, victim, statement, time.Duration(moment*float64(normal)), lose)
		if out.err != nil {
			retryable(t, out.err, victim)
			if out.took > errorWithin {
				t.Errorf("the error came after %v", out.took)
			}
			if empty != "" {
				one(t, conn, sums+table, empty)
			} else if _, err := Query(t.Context(), conn, sums+table); err == nil || !strings.Contains(err.Error(), "42P01") {
				t.Errorf("%s is there: %v", table, err)
			}
			f.Clean(cleanWithin)
			left := len(f.Files()) - kept
			began := time.Now()
			one(t, conn, statement, "")
			normal = time.Since(began)
			t.Logf("%.20s at %.0f %%: killed %v, error after %v, %d files left", statement, 100*moment, kill, out.took, left)
		} else {
			t.Logf("%.20s at %.0f %%: killed %v, too late", statement, 100*moment, kill)
		}
		one(t, conn, sums+table, whole)
		if kill {
			victim.Start()
		} else {
			victim.Thaw()
		}
		f.Await(3)
		f.Clean(cleanWithin)
		one(t, conn, sums+table, whole)
		if table == "made" {
			one(t, conn, "DROP TABLE made", "")
		} else {
			one(t, conn, "TRUNCATE target", "")
		}
		one(t, conn, "VACUUM (history '0 s', grace '0 s')", "")
		if files := f.Files(); len(files) != kept {
			t.Fatalf("%d files are there instead of %d: %q", len(files), kept, files)
		}
	}
}

// TestACoordinatorIsLost: its workers soon have nothing left of its queries, and serve it again when it is back.
func TestACoordinatorIsLost(t *testing.T) {
	t.Parallel()
	f := StartFleet(t, 3, nil)
	tpch(t, f.Connect(), "sf0_1", false, "lineitem", "orders")
	statements := []string{"CREATE TABLE made STORED AS PARQUET AS " + strings.Replace(heavy, "count(*)", "a.*", 1), heavy}
	if os.Getenv(allVariable) == "" {
		statements = statements[:1]
	}
	for _, sql := range statements {
		conn, ended := f.Connect(), make(chan error, 1)
		go func() {
			_, err := Query(context.Background(), conn, sql)
			ended <- err
		}()
		for _, w := range f.Workers {
			until(t, "the tasks", func() bool { return w.Tasks() == 1 })
		}
		time.Sleep(500 * time.Millisecond)
		f.Coordinator.Kill()
		began := time.Now()
		if err := <-ended; err == nil {
			t.Error("the query ended well")
		}
		f.Clean(20 * time.Second)
		t.Logf("the workers were rid of %.20s after %v", sql, time.Since(began))
		f.Coordinator.Start()
		t.Logf("the workers were back after %v", f.Await(3))
		one(t, f.Connect(), "SELECT count(*) FROM lineitem", "600572")
	}

	// One that sleeps for long finds its query ended by the workers, and runs it again.
	conn, ended := f.Connect(), make(chan error, 1)
	go func() {
		_, err := Query(context.Background(), conn, heavy)
		ended <- err
	}()
	until(t, "the tasks", func() bool { return f.Workers[0].Tasks() == 1 })
	f.Coordinator.Freeze()
	f.Clean(20 * time.Second)
	f.Coordinator.Thaw()
	until(t, "the tasks", func() bool { return f.Workers[0].Tasks() == 1 })
	if err := conn.CancelRequest(t.Context()); err != nil {
		t.Error(err)
	}
	if err := <-ended; codeOf(err) != "57014" {
		t.Error(err)
	}
	f.Clean(cleanWithin)
	one(t, f.Connect(), "SELECT count(*) FROM lineitem", "600572")
}

// begun starts a query of more text than all the buffers between the workers and its client hold, and reads one row:
// all workers have a part of it until finish reads the rest, which tells how many rows and bytes there were.
func begun(t *testing.T, f *Fleet) (finish func() (rows, bytes int, err error)) {
	t.Helper()
	results := f.Connect().Exec(t.Context(), "SELECT repeat(b.l_orderkey::text, 60) FROM orders a JOIN lineitem b ON a.o_orderkey % 500 = b.l_orderkey % 500 WHERE a.o_orderkey < 2000")
	if !results.NextResult() || !results.ResultReader().NextRow() {
		t.Fatal(results.Close())
	}
	for _, w := range f.Workers {
		if w.Alive() {
			until(t, "the tasks", func() bool { return w.Tasks() == 1 })
		}
	}
	return func() (int, int, error) {
		rows, bytes := 0, 0
		for reader := results.ResultReader(); ; rows++ {
			bytes += len(reader.Values()[0])
			if !reader.NextRow() {
				return rows + 1, bytes, results.Close()
			}
		}
	}
}

// TestANodeIsDrained: it takes no further queries, finishes those that it works for, and ends.
func TestANodeIsDrained(t *testing.T) {
	t.Parallel()
	f := StartFleet(t, 3, nil)
	tpch(t, f.Connect(), "sf0_1", false, "lineitem", "orders")
	wantRows, wantBytes, err := begun(t, f)()
	if err != nil {
		t.Fatal(err)
	}
	finished := func(finish func() (int, int, error)) {
		t.Helper()
		if rows, bytes, err := finish(); err != nil || rows != wantRows || bytes != wantBytes {
			t.Errorf("%d rows of %d, %d bytes of %d: %v", rows, wantRows, bytes, wantBytes, err)
		}
	}
	for i, drain := range []func(p *Process){
		func(p *Process) { p.Terminate() },
		func(p *Process) {
			command := exec.Command(built.path, "node", "drain", "--set", "cluster.secret="+secret, p.RPC)
			if output, err := command.CombinedOutput(); err != nil {
				t.Errorf("%v %s", err, output)
			}
		},
	} {
		victim := f.Workers[i]
		finish := begun(t, f)
		drain(victim)
		f.Await(2 - i)
		if n := victim.Tasks(); n != 1 {
			t.Errorf("the drained worker has tasks of %d queries", n)
		}
		one(t, f.Connect(), "SELECT count(*) FROM lineitem", "600572")
		if n := victim.Tasks(); n != 1 {
			t.Errorf("the drained worker has tasks of %d queries", n)
		}
		finished(finish)
		select {
		case <-victim.Ended():
		case <-time.After(errorWithin):
			t.Fatal("the drained worker goes on")
		}
		if code := victim.command.ProcessState.ExitCode(); code != 0 {
			t.Errorf("it ended with status %d: %s", code, victim.Log())
		}
		f.Clean(cleanWithin)
	}
	// A coordinator lets the statements of its clients finish, on other nodes too.
	finish := begun(t, f)
	f.Coordinator.Terminate()
	until(t, "the coordinator to refuse clients", func() bool {
		conn, err := pgconn.Connect(t.Context(), f.URL())
		if err == nil {
			_ = conn.Close(t.Context())
		}
		return err != nil
	})
	finished(finish)
	select {
	case <-f.Coordinator.Ended():
	case <-time.After(errorWithin):
		t.Fatal("the coordinator goes on")
	}
	if code := f.Coordinator.command.ProcessState.ExitCode(); code != 0 {
		t.Errorf("it ended with status %d", code)
	}
	f.Clean(cleanWithin)
	if log := f.Coordinator.Log(); strings.Contains(log, "lost") {
		t.Error(log)
	}
}

// TestWorkersJoinDuringALoadOfQueries: one that was killed, and a new one, get work soon after they are ready, and no
// query of the load fails.
func TestWorkersJoinDuringALoadOfQueries(t *testing.T) {
	t.Parallel()
	f := StartFleet(t, 2, nil)
	queries := tpch(t, f.Connect(), "sf0_1", false, "lineitem", "orders", "customer")
	rows, err := Query(t.Context(), f.Connect(), queries["q03"])
	if err != nil {
		t.Fatal(err)
	}
	want := strings.Join(rows, "\n")
	f.Workers[1].Kill()
	f.Await(1)
	var stop atomic.Bool
	var done atomic.Int64
	var load sync.WaitGroup
	for range 2 {
		conn := f.Connect()
		load.Go(func() {
			for !stop.Load() {
				rows, err := Query(context.Background(), conn, queries["q03"])
				if err != nil || strings.Join(rows, "\n") != want {
					t.Error(rows, err)
					return
				}
				done.Add(1)
			}
		})
	}
	until(t, "the load", func() bool { return done.Load() > 2 })
	f.Workers[1].Start()
	for i := range 2 {
		if i == 1 {
			f.Workers = append(f.Workers, f.Add("worker", "w3"))
		}
		began := time.Now()
		newcomer := f.Workers[i+1]
		until(t, fmt.Sprint("work for ", newcomer.Name), func() bool { return newcomer.Tasks() > 0 })
		t.Logf("%s had work %v after it was ready", newcomer.Name, time.Since(began))
	}
	stop.Store(true)
	load.Wait()
	f.Clean(cleanWithin)
}

// TestWorkersLostWhileTheClientReads: what has been sent cannot be taken back, so the error tells to try again.
func TestWorkersLostWhileTheClientReads(t *testing.T) {
	t.Parallel()
	f := StartFleet(t, 3, nil)
	tpch(t, f.Connect(), "sf0_1", false, "lineitem", "orders")
	for i, lose := range []func(){f.Workers[0].Kill, f.Workers[1].Freeze} {
		conn := f.Connect()
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		results := conn.Exec(ctx, "SELECT a.*, b.o_custkey FROM lineitem a CROSS JOIN orders b")
		var began time.Time
		for n := 0; results.NextResult(); {
			for reader := results.ResultReader(); reader.NextRow(); n++ {
				if n == 100_000 {
					lose()
					began = time.Now()
				}
			}
		}
		err := results.Close()
		took := time.Since(began)
		retryable(t, err, f.Workers[i])
		if took > errorWithin {
			t.Errorf("the error came after %v", took)
		}
		t.Logf("the error came after %v", took)
		f.Clean(cleanWithin)
		one(t, f.Connect(), "SELECT count(*) FROM lineitem", "600572")
	}
}
