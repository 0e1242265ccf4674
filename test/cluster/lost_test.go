//go:build linux

package cluster

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
)

// Times that are promised are a third of these bounds, which must hold on a busy machine.
const (
	errorWithin = 15 * time.Second
	cleanWithin = 30 * time.Second
)

// outcome is how a query ended that lost a worker.
type outcome struct {
	rows []string
	err  error
	took time.Duration // from the fault
}

// during runs a query and calls fault in the middle of it: some time after a worker has got tasks.
func during(t *testing.T, f *Fleet, victim *Process, sql string, after time.Duration, fault func()) outcome {
	t.Helper()
	conn := f.Connect()
	ended := make(chan outcome, 1)
	go func() {
		ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
		defer cancel()
		rows, err := Query(ctx, conn, sql)
		ended <- outcome{rows: rows, err: err}
	}()
	for began := time.Now(); victim.Tasks() == 0 && time.Since(began) < 5*time.Second; {
		time.Sleep(2 * time.Millisecond)
	}
	time.Sleep(after)
	fault()
	began := time.Now()
	out := <-ended
	out.took = time.Since(began)
	return out
}

// retryable fails the test unless err tells which worker was lost and that the statement may be repeated.
func retryable(t *testing.T, err error, victim *Process) {
	t.Helper()
	var refused *pgconn.PgError
	if !errors.As(err, &refused) || refused.Code != "08006" || !strings.Contains(refused.Message, victim.Name) || refused.Hint == "" {
		t.Errorf("the error is %v", err)
	}
}

// TestWorkersLostDuringTPCH kills, freezes, restarts or pauses a worker in the middle of queries: each of them answers right all the
// same or fails soon and clearly, leaves nothing behind, and the next one answers right.
func TestWorkersLostDuringTPCH(t *testing.T) {
	t.Parallel()
	scale, all := os.Getenv(allVariable), true
	if scale == "" {
		scale, all = "sf0_1", false
	}
	f := StartFleet(t, 3, nil)
	tables := []string{"customer", "orders", "lineitem"}
	if all {
		tables = nil
	}
	queries := tpch(t, f.Connect(), scale, all, tables...)
	names := []string{"q03", "q18", "q12", "q04"}
	if all {
		names = nil
		for name := range queries {
			names = append(names, name)
		}
		slices.Sort(names)
	}
	random := rand.New(rand.NewPCG(22, 2))
	hit, answered := 0, 0
	var worstError, worstAnswer, worstNext, worstBack time.Duration
	conn := f.Connect()
	for i, name := range names {
		began := time.Now()
		want, err := Query(t.Context(), conn, queries[name])
		normal := time.Since(began)
		if err != nil || len(want) == 0 {
			t.Fatalf("%s: %d rows, %v", name, len(want), err)
		}
		for kind := range 4 {
			if !all && kind != i {
				continue
			}
			victim := f.Workers[random.IntN(len(f.Workers))]
			title := fmt.Sprintf("%s, %s %s", name, victim.Name, []string{"killed", "frozen", "restarted", "paused"}[kind])
			lost := strings.Count(f.Coordinator.Log(), "a worker is lost")
			after := time.Duration(float64(normal) * (0.1 + random.Float64()*0.5))
			out := during(t, f, victim, queries[name], after, []func(){victim.Kill, victim.Freeze, func() { victim.Kill(); victim.Start() },
				func() { victim.Freeze(); time.Sleep(time.Second); victim.Thaw() }}[kind])
			if kind == 3 && out.err != nil {
				t.Errorf("%s for a second: %v", title, out.err)
			}
			struck := strings.Count(f.Coordinator.Log(), "a worker is lost") > lost
			if struck {
				hit++
			}
			switch {
			case out.err != nil:
				retryable(t, out.err, victim)
				worstError = max(worstError, out.took)
				if out.took > errorWithin {
					t.Errorf("%s: the error came after %v", title, out.took)
				}
			case !slices.Equal(out.rows, want):
				t.Errorf("%s: %d rows, not %d:\n%q\n%q", title, len(out.rows), len(want), out.rows, want)
			default:
				answered++
				worstAnswer = max(worstAnswer, out.took)
			}
			f.Clean(cleanWithin)
			began := time.Now()
			next, err := Query(t.Context(), conn, queries[name])
			nextTook := time.Since(began)
			if err != nil || !slices.Equal(next, want) {
				t.Errorf("%s: the next query: %v\n%q\n%q", title, err, next, want)
			}
			worstNext = max(worstNext, nextTook)
			switch kind {
			case 0:
				victim.Start()
			case 1:
				victim.Thaw()
			}
			back := f.Await(len(f.Workers))
			worstBack = max(worstBack, back)
			f.Clean(cleanWithin)
			t.Logf("%s after %v of %v: struck %v, ended after %v %v, next %v, back %v", title, after, normal, struck, out.took, out.err, nextTook, back)
		}
	}
	t.Logf("%d struck, %d answered; at most: error %v, answer %v, next query %v, back %v", hit, answered, worstError, worstAnswer, worstNext, worstBack)
}

// heavy keeps workers computing for hours: a nested loop over all pairs of lines.
const heavy = "SELECT count(*) FROM lineitem a CROSS JOIN lineitem b WHERE a.l_extendedprice * b.l_quantity + a.l_quantity * b.l_extendedprice = 3 + a.l_orderkey % 7"

// TestWorkersLostDuringANestedLoop kills a worker and freezes another where all time is spent in one operator: the
// query is run again without the first, and fails without the second.
func TestWorkersLostDuringANestedLoop(t *testing.T) {
	t.Parallel()
	f := StartFleet(t, 3, nil)
	tpch(t, f.Connect(), "sf0_1", false, "lineitem", "orders")
	plan, err := Query(t.Context(), f.Connect(), "EXPLAIN "+heavy)
	if text := strings.Join(plan, "\n"); err != nil || !strings.Contains(text, "Nested Loop Join") || !strings.Contains(text, "Exchange") {
		t.Fatal(text, err)
	}
	conn, ended := f.Connect(), make(chan error, 1)
	go func() {
		_, err := Query(context.Background(), conn, heavy)
		ended <- err
	}()
	for i, lose := range []func(){f.Workers[0].Kill, f.Workers[1].Freeze} {
		until(t, "the tasks", func() bool { return f.Workers[2].Tasks() == 1 })
		time.Sleep(time.Second)
		lose()
		began := time.Now()
		until(t, "the loss", func() bool { return strings.Count(f.Coordinator.Log(), "a worker is lost") == i+1 })
		t.Logf("the loss of worker %d was noticed after %v", i+1, time.Since(began))
	}
	if count := strings.Count(f.Coordinator.Log(), "run again"); count != 1 {
		t.Errorf("the query was run again %d times", count)
	}
	select {
	case err := <-ended:
		retryable(t, err, f.Workers[1])
	case <-time.After(errorWithin):
		t.Fatal("the query goes on")
	}
	f.Workers[0].Start()
	f.Workers[1].Thaw()
	f.Await(3)
	f.Clean(cleanWithin)
	if rows, err := Query(t.Context(), f.Connect(), "SELECT count(*) FROM lineitem"); err != nil || strings.Join(rows, "") != "600572" {
		t.Error(rows, err)
	}
}

// until waits for something that must come soon.
func until(t testing.TB, what string, done func() bool) {
	t.Helper()
	for began := time.Now(); !done(); time.Sleep(10 * time.Millisecond) {
		if time.Since(began) > errorWithin {
			t.Fatalf("%s: not within %v", what, errorWithin)
		}
	}
}
