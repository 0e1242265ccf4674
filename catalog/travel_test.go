package catalog

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tarnlake/tarn/connectors"
	"github.com/tarnlake/tarn/internal/sqlerr"
	"github.com/tarnlake/tarn/test/pgserver"
)

// clock is a settable time.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func newClock() *clock { return &clock{now: time.Date(2018, 8, 1, 0, 0, 0, 0, time.UTC)} }

func (c *clock) read() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) advance(d time.Duration) time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
	return c.now
}

func TestTimeTravel(t *testing.T) {
	onBoth(t, func(t *testing.T, open func(Options) *Catalog) {
		clock := newClock()
		c := open(Options{Now: clock.read})
		clock.advance(time.Hour)
		tx := begin(t, c)
		table := create(t, tx, orders("orders"))
		commit(t, tx)
		var moments []time.Time
		for i, name := range []string{"a", "b", "c"} {
			moments = append(moments, clock.advance(time.Hour))
			tx = begin(t, c)
			write(t, tx, table.ID, connectors.OverwriteDynamic, file(name, int64(i%2), 0, 10))
			commit(t, tx)
		}
		tx = begin(t, c)
		if err := tx.AlterRelation("table", Name{"public", "orders"}, RenameColumn("id", "number"), RenameTo("", "sales")); err != nil {
			t.Fatal(err)
		}
		commit(t, tx)
		tx = begin(t, c)
		for version, want := range map[int64][]string{1: nil, 2: {"a"}, 3: {"a", "b"}, 4: {"b", "c"}, 5: {"b", "c"}} {
			past, err := tx.AtVersion(t.Context(), table.ID, version)
			if err != nil {
				t.Fatal(err)
			}
			same(t, paths(t, c, past), want...)
			if name := map[bool]string{true: "id", false: "number"}[version < 5]; past.Columns[0].Name != name {
				t.Errorf("version %d: column %q", version, past.Columns[0].Name)
			}
		}
		past, err := tx.AtTime(t.Context(), table.ID, moments[1].Add(time.Minute))
		if err != nil {
			t.Fatal(err)
		}
		same(t, paths(t, c, past), "a", "b")
		_, err = tx.AtTime(t.Context(), table.ID, moments[0].Add(-10*time.Hour))
		want(t, err, sqlerr.InvalidParameterValue, `table "sales" has no version at 2018-07-31 16:00:00+00`)
		_, err = tx.AtVersion(t.Context(), table.ID, 6)
		want(t, err, sqlerr.InvalidParameterValue, `table "sales" has no version 6`)
		if err := tx.Restore(t.Context(), table.ID, 3); err != nil {
			t.Fatal(err)
		}
		same(t, paths(t, c, tx.Resolve("public", "sales")), "a", "b")
		commit(t, tx)
		tx = begin(t, c)
		same(t, paths(t, c, tx.Resolve("public", "sales")), "a", "b")
		versions, err := tx.Versions(t.Context(), table.ID)
		if err != nil || len(versions) != 6 {
			t.Fatalf("%+v, %v", versions, err)
		}
		var operations []string
		for _, v := range versions {
			operations = append(operations, v.Operation)
		}
		same(t, operations, "ROLLBACK", "ALTER TABLE", "INSERT OVERWRITE", "INSERT OVERWRITE", "INSERT OVERWRITE", "CREATE TABLE")
		if v := versions[0]; v.Rows != 20 || v.Files != 2 || v.Bytes != 200 || v.User != "ada" {
			t.Errorf("%+v", v)
		}
	})
}

// newest lists the files of public.orders in a transaction that ends at once.
func newest(t *testing.T, c *Catalog) []string {
	t.Helper()
	tx := begin(t, c)
	defer tx.Rollback()
	return paths(t, c, tx.Resolve("public", "orders"))
}

// deletable lists what Expire gives for a table.
func deletable(t *testing.T, c *Catalog, table int64, history time.Duration) []string {
	t.Helper()
	list, err := c.Expire(t.Context(), table, history)
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, u := range list {
		for _, p := range u.Paths {
			out = append(out, filepath.Base(p))
		}
	}
	slices.Sort(out)
	return out
}

func TestExpireHonoursReadersAndRetention(t *testing.T) {
	onBoth(t, func(t *testing.T, open func(Options) *Catalog) {
		clock := newClock()
		c := open(Options{Now: clock.read, Lease: time.Hour})
		tx := begin(t, c)
		spec := orders("orders")
		spec.Properties = map[string]string{"history_retention": "2 days"}
		table := create(t, tx, spec)
		write(t, tx, table.ID, connectors.Append, file("a", 1, 0, 10))
		commit(t, tx)
		reader := begin(t, c)
		seen := reader.Resolve("public", "orders")
		clock.advance(time.Hour)
		tx = begin(t, c)
		write(t, tx, table.ID, connectors.OverwriteDynamic, file("b", 1, 0, 10))
		commit(t, tx)
		clock.advance(time.Hour)
		same(t, deletable(t, c, 0, -1)) // two days have not passed
		clock.advance(72 * time.Hour)
		same(t, deletable(t, c, 0, -1)) // a transaction still reads the old state
		same(t, paths(t, c, seen), "a")
		reader.Rollback()
		past := begin(t, c)
		if _, err := past.AtVersion(t.Context(), table.ID, 1); err != nil {
			t.Fatal(err)
		}
		same(t, deletable(t, c, 0, -1)) // one that looks at the past does so too
		past.Rollback()
		same(t, deletable(t, c, 0, -1), "a")
		same(t, deletable(t, c, table.ID, 0), "a") // again: nobody has said that it is gone
		late := begin(t, c)
		_, err := late.AtVersion(t.Context(), table.ID, 1)
		want(t, err, sqlerr.InvalidParameterValue, "has no version 1")
		list, err := c.Expire(t.Context(), table.ID, 0)
		if err != nil || len(list) != 1 {
			t.Fatalf("%+v, %v", list, err)
		}
		if err := c.Forget(t.Context(), list[0]); err != nil {
			t.Fatal(err)
		}
		same(t, deletable(t, c, table.ID, 0))
		same(t, paths(t, c, late.Resolve("public", "orders")), "b")
		if err := late.Restore(t.Context(), table.ID, 2); err != nil { // the newest version is there
			t.Fatal(err)
		}
		commit(t, late)
		same(t, deletable(t, c, table.ID, 0)) // b was replaced by itself
		same(t, newest(t, c), "b")
		tx = begin(t, c)
		if _, err := tx.DropRelations("table", []Name{{"public", "orders"}}, false, false); err != nil {
			t.Fatal(err)
		}
		commit(t, tx)
		list, err = c.Expire(t.Context(), 0, 0)
		if err != nil || len(list) != 1 || !strings.HasSuffix(list[0].Paths[0], "/b") {
			t.Fatalf("%+v, %v", list, err)
		}
		if err := c.Forget(t.Context(), list[0]); err != nil {
			t.Fatal(err)
		}
		if list, err := c.Expire(t.Context(), 0, 0); err != nil || len(list) != 0 {
			t.Errorf("a forgotten table: %+v, %v", list, err)
		}
	})
}

// TestLeasesOfOtherServers has a second server read what the first one's VACUUM would remove.
func TestLeasesOfOtherServers(t *testing.T) {
	url := pgserver.Database(t)
	clock := newClock()
	options := Options{Now: clock.read, Lease: time.Hour}
	first := openTest(t, url, options)
	tx := begin(t, first)
	table := create(t, tx, orders("orders"))
	write(t, tx, table.ID, connectors.Append, file("a", 1, 0, 10))
	commit(t, tx)
	second := openTest(t, url, options)
	reader := begin(t, second)
	seen := reader.Resolve("public", "orders")
	tx = begin(t, first)
	write(t, tx, table.ID, connectors.OverwriteDynamic, file("b", 1, 0, 10))
	commit(t, tx)
	same(t, newest(t, second), "b") // at once
	same(t, deletable(t, first, 0, 0))
	same(t, paths(t, second, seen), "a")
	if err := second.renewLease(t.Context()); err != nil {
		t.Fatal(err)
	}
	same(t, deletable(t, first, 0, 0)) // renewing does not give up what is being read
	reader.Rollback()
	if err := second.renewLease(t.Context()); err != nil {
		t.Fatal(err)
	}
	same(t, deletable(t, first, 0, 0), "a")
	tx = begin(t, first)
	write(t, tx, table.ID, connectors.OverwriteDynamic, file("c", 1, 0, 10))
	commit(t, tx)
	same(t, deletable(t, first, 0, 0), "a")
	clock.advance(3 * time.Hour) // a server that does not renew its lease counts as gone
	same(t, deletable(t, first, 0, 0), "a", "b")
}

func TestSecondServerIsRefused(t *testing.T) {
	file := filepath.Join(t.TempDir(), "sub", "catalog.db")
	first := openTest(t, file, Options{})
	_, err := Open(t.Context(), file, Options{})
	want(t, err, sqlerr.ObjectInUse, "the catalog is in use by another server (process ")
	if e := sqlerr.From(err); !strings.Contains(e.Hint, "catalog.url") {
		t.Errorf("hint %q", e.Hint)
	}
	if _, err := first.Begin(t.Context(), Session{}); err != nil {
		t.Errorf("the first server suffers: %v", err)
	}
	first.Close()
	openTest(t, file, Options{})
}

func TestDamagedAndUnreachableCatalogs(t *testing.T) {
	file := filepath.Join(t.TempDir(), "catalog.db")
	if err := os.WriteFile(file, []byte(strings.Repeat("this is no database ", 500)), 0o644); err != nil {
		t.Fatal(err)
	}
	_, err := Open(t.Context(), file, Options{})
	want(t, err, sqlerr.DataCorrupted, "the catalog is damaged")
	_, err = Open(t.Context(), "postgres://nobody@/none?host="+t.TempDir(), Options{})
	want(t, err, sqlerr.ConnectionFailure, "the catalog cannot be reached")
	_, err = Open(t.Context(), "mysql://x/y", Options{})
	want(t, err, sqlerr.ConfigFileError, "mysql://x/y")
}

// TestCommitSurvivesALostReply fails a commit at each step in the ways that a network does.
func TestCommitSurvivesALostReply(t *testing.T) {
	onBoth(t, func(t *testing.T, open func(Options) *Catalog) {
		for _, step := range []string{FailBegin, FailNumbered, FailChecked, FailWritten, FailCommitted} {
			failures := 2
			c := open(Options{FailPoint: func(at string) error {
				if at == step && failures > 0 {
					failures--
					return sqlerr.New(sqlerr.ConnectionFailure, "the network is gone")
				}
				return nil
			}})
			before := c.Commit()
			tx := begin(t, c)
			table := create(t, tx, orders("t_"+strings.ReplaceAll(step, ".", "_")))
			write(t, tx, table.ID, connectors.Append, file("a", 1, 0, 10))
			done := commit(t, tx)
			if done.Number != before+1 || c.Commit() != before+1 || done.Versions[table.ID] != 1 {
				t.Errorf("%s: commit %d after %d, %v", step, done.Number, before, done.Versions)
			}
			same(t, paths(t, c, begin(t, c).Resolve("public", table.Name)), "a")
			c.Close()
		}
	})
}

// TestCommitCanBeRepeated has the network stay away until the caller tries again himself.
func TestCommitCanBeRepeated(t *testing.T) {
	down := true
	c := openTest(t, "memory:", Options{FailPoint: func(at string) error {
		if at == FailWritten && down {
			return sqlerr.New(sqlerr.ConnectionFailure, "the network is gone")
		}
		return nil
	}})
	tx := begin(t, c)
	table := create(t, tx, orders("orders"))
	_, err := tx.Commit(t.Context())
	want(t, err, sqlerr.ConnectionFailure, "the network is gone")
	down = false
	if done := commit(t, tx); done.Versions[table.ID] != 1 || begin(t, c).Resolve("public", "orders") == nil {
		t.Errorf("%+v", done)
	}
}

func TestCancelledCommitsDoNothing(t *testing.T) {
	onBoth(t, func(t *testing.T, open func(Options) *Catalog) {
		c := open(Options{})
		tx := begin(t, c)
		create(t, tx, orders("orders"))
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if _, err := tx.Commit(ctx); !errors.Is(err, context.Canceled) {
			t.Errorf("%v", err)
		}
		if begin(t, c).Resolve("public", "orders") != nil {
			t.Error("the table is there")
		}
	})
}

func TestExpirePartitions(t *testing.T) {
	clock := newClock()
	c := openTest(t, "memory:", Options{Now: clock.read})
	tx := begin(t, c)
	spec := orders("orders")
	spec.Properties = map[string]string{"retention": "10 days"}
	table := create(t, tx, spec)
	today := clock.read().Unix() / 86_400
	write(t, tx, table.ID, connectors.Append, file("old", today-11, 0, 1), file("edge", today-10, 0, 1), file("new", today, 0, 1))
	keys, err := tx.ExpirePartitions(t.Context(), table.ID)
	if err != nil {
		t.Fatal(err)
	}
	same(t, keys, "2018-07-21")
	same(t, paths(t, c, tx.Resolve("public", "orders")), "edge", "new")
}

// TestAFrozenServerFailsRatherThanMissFiles lets a server's lease end while it reads.
func TestAFrozenServerFailsRatherThanMissFiles(t *testing.T) {
	url := pgserver.Database(t)
	clock := newClock()
	options := Options{Now: clock.read, Lease: time.Hour}
	first := openTest(t, url, options)
	tx := begin(t, first)
	replaced, dropped, kept := create(t, tx, orders("replaced")), create(t, tx, orders("dropped")), create(t, tx, orders("kept"))
	for _, table := range []*Table{replaced, dropped, kept} {
		write(t, tx, table.ID, connectors.Append, file("a", 1, 0, 10), file("b", 2, 0, 10))
	}
	commit(t, tx)
	frozen := openTest(t, url, options)
	reader := begin(t, frozen)
	clock.advance(2 * time.Hour)
	tx = begin(t, first)
	write(t, tx, replaced.ID, connectors.OverwriteDynamic, file("c", 1, 0, 10))
	if _, err := tx.DropRelations("table", []Name{{"public", "dropped"}}, false, false); err != nil {
		t.Fatal(err)
	}
	commit(t, tx)
	list, err := first.Expire(t.Context(), 0, 0)
	if err != nil || len(list) != 3 {
		t.Fatalf("%+v, %v", list, err)
	}
	for _, u := range list {
		if err := first.Forget(t.Context(), u); err != nil {
			t.Fatal(err)
		}
	}
	for _, table := range []*Table{replaced, dropped} {
		_, err := reader.ListFiles(t.Context(), table.ID)
		want(t, err, sqlerr.SnapshotTooOld, "snapshot too old")
	}
	same(t, paths(t, frozen, reader.Resolve("public", "kept")), "a", "b")
	same(t, paths(t, frozen, begin(t, frozen).Resolve("public", "replaced")), "b", "c")
}

// TestVacuumsOfTwoServers lets two servers expire and forget the same dropped tables at once.
func TestVacuumsOfTwoServers(t *testing.T) {
	url := pgserver.Database(t)
	servers := []*Catalog{openTest(t, url, Options{}), openTest(t, url, Options{})}
	for round := range 10 {
		tx := begin(t, servers[0])
		for i := range 5 {
			table := create(t, tx, orders(fmt.Sprintf("t%d_%d", round, i)))
			write(t, tx, table.ID, connectors.Append, file("a", 1, 0, 10))
		}
		commit(t, tx)
		tx = begin(t, servers[0])
		for i := range 5 {
			if _, err := tx.DropRelations("table", []Name{{"public", fmt.Sprintf("t%d_%d", round, i)}}, false, false); err != nil {
				t.Fatal(err)
			}
		}
		commit(t, tx)
		var working sync.WaitGroup
		for _, c := range servers {
			working.Go(func() {
				for range 5 {
					list, err := c.Expire(t.Context(), 0, 0)
					for _, u := range list {
						err = errors.Join(err, c.Forget(t.Context(), u))
					}
					if err != nil {
						t.Error(err)
						return
					}
				}
			})
		}
		working.Wait()
	}
}
