package catalog

import (
	"database/sql"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/tarnlake/tarn/test/pgserver"
)

// sees waits until a catalog that nobody uses knows a commit, and tells how long that took.
func sees(t *testing.T, c *Catalog, commit int64) time.Duration {
	t.Helper()
	began := time.Now()
	for c.Commit() < commit {
		if time.Since(began) > 20*time.Second {
			t.Fatalf("commit %d is not seen, the newest is %d", commit, c.Commit())
		}
		time.Sleep(time.Millisecond)
	}
	return time.Since(began)
}

func makeTable(t *testing.T, c *Catalog, name string) int64 {
	t.Helper()
	tx := begin(t, c)
	create(t, tx, orders(name))
	return commit(t, tx).Number
}

func TestServersAreToldOfCommits(t *testing.T) {
	url := pgserver.Database(t)
	// The poll would take longer than the test waits: what is seen has been told.
	one, other := openTest(t, url, Options{Poll: time.Minute}), openTest(t, url, Options{Poll: time.Minute})
	var took []time.Duration
	for i := range 40 {
		from, to := one, other
		if i%2 == 1 {
			from, to = other, one
		}
		took = append(took, sees(t, to, makeTable(t, from, fmt.Sprint("t", i))))
	}
	slices.Sort(took)
	t.Logf("seen after %s at most, half of them after %s", took[len(took)-1], took[len(took)/2])
}

func TestBeginSeesWhatAnotherServerHasCommitted(t *testing.T) {
	url := pgserver.Database(t)
	one, other := openTest(t, url, Options{Poll: time.Minute}), openTest(t, url, Options{Poll: time.Minute})
	for i := range 40 {
		name := fmt.Sprint("t", i)
		makeTable(t, one, name)
		if begin(t, other).Resolve("public", name) == nil {
			t.Fatalf("%s is not seen at once", name)
		}
	}
}

// TestSharedReadsAreNeverTooOld has sessions begin at once, each after a commit of its own elsewhere.
func TestSharedReadsAreNeverTooOld(t *testing.T) {
	url := pgserver.Database(t)
	one, other := openTest(t, url, Options{Poll: time.Minute}), openTest(t, url, Options{Poll: time.Minute})
	var working sync.WaitGroup
	for session := range 8 {
		working.Go(func() {
			for i := range 12 {
				name := fmt.Sprintf("t%d_%d", session, i)
				tx, err := one.Begin(t.Context(), Session{})
				if err == nil {
					if _, err = tx.CreateTable(t.Context(), orders(name)); err == nil {
						_, err = tx.Commit(t.Context())
					}
				}
				var later *Tx
				if err == nil {
					later, err = other.Begin(t.Context(), Session{})
				}
				if err != nil {
					t.Error(err)
					return
				}
				if later.Resolve("public", name) == nil {
					t.Errorf("%s is not seen at once", name)
				}
				later.Rollback()
			}
		})
	}
	working.Wait()
}

// TestCommitsThatNobodyTellsAreSeen makes commits whose notification goes nowhere.
func TestCommitsThatNobodyTellsAreSeen(t *testing.T) {
	url := pgserver.Database(t)
	other := openTest(t, url, Options{})
	db, err := sql.Open("pgx", url)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if _, err := db.Exec("CREATE FUNCTION public.pg_notify(text, text) RETURNS void LANGUAGE sql AS ''"); err != nil {
		t.Fatal(err)
	}
	silent := openTest(t, url+"&search_path=public,pg_catalog", Options{})
	for i := range 5 {
		if took := sees(t, other, makeTable(t, silent, fmt.Sprint("t", i))); took > 5*DefaultPoll {
			t.Errorf("seen after %s", took)
		}
	}
}

// TestListenersComeBack cuts the connections that listen, again and again while commits are made.
func TestListenersComeBack(t *testing.T) {
	url := pgserver.Database(t)
	one, other := openTest(t, url, Options{}), openTest(t, url, Options{})
	db, err := sql.Open("pgx", url)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	const listeners = " FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'tarn listener'"
	listening := func() (n int) {
		if err := db.QueryRow("SELECT count(*)" + listeners).Scan(&n); err != nil {
			t.Fatal(err)
		}
		return n
	}
	for i := range 6 {
		if _, err := db.Exec("SELECT pg_terminate_backend(pid)" + listeners); err != nil {
			t.Fatal(err)
		}
		if took := sees(t, other, makeTable(t, one, fmt.Sprint("t", i))); took > 5*DefaultPoll {
			t.Errorf("seen after %s", took)
		}
	}
	for end := time.Now().Add(30 * time.Second); listening() != 2; time.Sleep(20 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("%d of 2 listen", listening())
		}
	}
}
