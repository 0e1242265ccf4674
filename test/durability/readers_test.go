package durability

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/tarnlake/tarn/catalog"
	"github.com/tarnlake/tarn/connectors/lake"
)

// TestReadersThroughCrashes has a hundred clients look on while the nightly job runs again and again
// and the server is killed inside it: to every one of them each generation is there as a whole or not
// at all, and none that was seen is ever lost.
func TestReadersThroughCrashes(t *testing.T) {
	for _, postgres := range []bool{false, true} {
		t.Run(map[bool]string{false: "SQLite", true: "PostgreSQL"}[postgres], func(t *testing.T) {
			s := newSite(t, postgres)
			v := s.start(t)
			conn := v.connect()
			must(t, conn, setup)
			must(t, conn, nightly(1))
			readers := watch(t, s.Listen)
			generation := 1
			for _, step := range []string{lake.FailAppend, catalog.FailWritten, "store.rename", catalog.FailCommitted} {
				generation++
				must(t, conn, nightly(generation))
				generation++
				v.arm(step, 1)
				readers.await(t, readerCount/2)
				if _, err := query(conn, nightly(generation)); err == nil {
					t.Fatalf("%s: the server lived", step)
				}
				v.died()
				v = s.start(t)
				conn = v.connect()
				must(t, conn, nightly(generation))
			}
			readers.await(t, 3*readerCount)
			readers.stop(t, generation)
		})
	}
}

// watchers are clients that look all the time.
type watchers struct {
	looks  atomic.Int64
	ended  chan struct{}
	group  sync.WaitGroup
	newest atomic.Int64
}

const readerCount = 100

func watch(t *testing.T, address string) *watchers {
	w := &watchers{ended: make(chan struct{})}
	for range readerCount {
		w.group.Add(1)
		go func() {
			defer w.group.Done()
			w.run(t, address)
		}()
	}
	return w
}

// run looks until the end; when the server is gone it waits for the next one.
func (w *watchers) run(t *testing.T, address string) {
	var conn *pgconn.PgConn
	for last := 0; ; {
		select {
		case <-w.ended:
			if conn != nil {
				closeNow(conn)
			}
			return
		case <-time.After(time.Duration(rand.IntN(1000)) * time.Millisecond):
		}
		if conn == nil {
			conn, _ = dial(address)
			continue
		}
		rows, err := query(conn, look)
		if err != nil && codeOf(err) == "" { // the connection broke
			_ = conn.Close(context.Background())
			conn = nil
			continue
		}
		found := ""
		if err == nil {
			found, err = seenGeneration(rows)
		}
		if err != nil {
			t.Error(err)
			return
		}
		now := 0
		if _, err := fmt.Sscan(found, &now); err != nil || now < last {
			t.Errorf("generation %q after %d", found, last)
			return
		}
		last = now
		w.newest.Store(int64(now))
		w.looks.Add(1)
	}
}

// await waits until there have been so many more looks.
func (w *watchers) await(t *testing.T, more int64) {
	t.Helper()
	until := w.looks.Load() + more
	for start := time.Now(); w.looks.Load() < until; time.Sleep(5 * time.Millisecond) {
		if time.Since(start) > time.Minute {
			t.Fatal("the readers do not read")
		}
	}
}

func (w *watchers) stop(t *testing.T, generation int) {
	t.Helper()
	close(w.ended)
	w.group.Wait()
	if w.newest.Load() != int64(generation) {
		t.Errorf("the readers saw generation %d at last, not %d", w.newest.Load(), generation)
	}
	t.Logf("%d looks", w.looks.Load())
}

// TestConflicts has two transactions write one partition: of two that overwrite it the second fails
// with 40001 and leaves nothing, appends all stay.
func TestConflicts(t *testing.T) {
	for _, postgres := range []bool{false, true} {
		t.Run(map[bool]string{false: "SQLite", true: "PostgreSQL"}[postgres], func(t *testing.T) {
			v := newSite(t, postgres).start(t)
			first, second := v.connect(), v.connect()
			must(t, first, setup)
			overwrite := "INSERT OVERWRITE t1 PARTITION (ds = DATE '2018-08-01') SELECT %d, 'x', 7"
			insert := "INSERT INTO t1 VALUES (%d, 'x', 7, DATE '2018-08-01')"
			for _, test := range []struct {
				name, first, second, code, want string
			}{
				{"overwrite, overwrite", overwrite, overwrite, "40001", "1"},
				{"append, append", insert, insert, "", "1,1,2"},
				{"overwrite, append", overwrite, insert, "", "1,2"},
				{"append, overwrite", insert, overwrite, "40001", "1,1,2"},
			} {
				must(t, first, "BEGIN")
				must(t, second, "BEGIN")
				must(t, first, fmt.Sprintf(test.first, 1))
				must(t, second, fmt.Sprintf(test.second, 2))
				must(t, first, "COMMIT")
				_, err := query(second, "COMMIT")
				if codeOf(err) != test.code {
					t.Errorf("%s: %v, want %q", test.name, err, test.code)
				}
				if got := must(t, first, "SELECT string_agg(id::text, ',' ORDER BY id) FROM t1"); got[0] != test.want {
					t.Errorf("%s: %s, want %s", test.name, got[0], test.want)
				}
			}
			must(t, second, fmt.Sprintf(overwrite, 3)) // a job that is tried again after 40001
			if got := must(t, first, "SELECT string_agg(id::text, ',' ORDER BY id) FROM t1"); got[0] != "3" {
				t.Error(got)
			}
		})
	}
}
