package catalog

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/tarnlake/tarn/connectors"
	"github.com/tarnlake/tarn/internal/colstats"
	"github.com/tarnlake/tarn/internal/partition"
	"github.com/tarnlake/tarn/internal/sqlerr"
	"github.com/tarnlake/tarn/internal/types"
	"github.com/tarnlake/tarn/internal/vec"
	"github.com/tarnlake/tarn/test/pgserver"
)

func TestMain(m *testing.M) {
	code := m.Run()
	pgserver.Stop()
	os.Exit(code)
}

// onBoth runs a test on SQLite and on PostgreSQL.
func onBoth(t *testing.T, test func(t *testing.T, open func(Options) *Catalog)) {
	t.Helper()
	t.Run("sqlite", func(t *testing.T) {
		file := filepath.Join(t.TempDir(), "catalog.db")
		test(t, func(o Options) *Catalog { return openTest(t, file, o) })
	})
	t.Run("postgres", func(t *testing.T) {
		url := pgserver.Database(t)
		test(t, func(o Options) *Catalog { return openTest(t, url, o) })
	})
}

// onAll is onBoth, and on SQLite in memory.
func onAll(t *testing.T, test func(t *testing.T, open func(Options) *Catalog)) {
	t.Helper()
	t.Run("memory", func(t *testing.T) { test(t, func(o Options) *Catalog { return openTest(t, "memory:", o) }) })
	onBoth(t, test)
}

func openTest(t *testing.T, location string, o Options) *Catalog {
	t.Helper()
	if o.Warehouse == "" {
		o.Warehouse = "/warehouse"
	}
	c, err := Open(t.Context(), location, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

func begin(t *testing.T, c *Catalog) *Tx {
	t.Helper()
	tx, err := c.Begin(t.Context(), Session{User: "ada"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(tx.Rollback)
	return tx
}

func commit(t *testing.T, tx *Tx) Committed {
	t.Helper()
	done, err := tx.Commit(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return done
}

func want(t *testing.T, err error, code sqlerr.Code, text string) {
	t.Helper()
	if sqlerr.CodeOf(err) != code || err != nil && !strings.Contains(err.Error(), text) {
		t.Errorf("error %s %v, want %s %q", sqlerr.CodeOf(err), err, code, text)
	}
}

// orders is dwh.orders (id, amount, ds) partitioned by ds.
func orders(name string) CreateTable {
	return CreateTable{Name: Name{"public", name}, Partition: []string{"ds"}, Columns: []Column{
		{Name: "id", Type: types.Of(types.Int64), NotNull: true}, {Name: "amount", Type: types.DecimalOf(12, 2)},
		{Name: "ds", Type: types.Of(types.Date)}}}
}

func create(t *testing.T, tx *Tx, c CreateTable) *Table {
	t.Helper()
	table, err := tx.CreateTable(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	return table
}

// file makes a file of an orders table with ids from … to in the partition of a day.
func file(name string, day int64, from, to int64) connectors.DataFile {
	key, _ := partition.Key([]types.Type{types.Of(types.Date)}, []types.Datum{types.IntDatum(day)})
	ids := vec.NewFlat(types.Of(types.Int64), int(to-from))
	for i := range vec.Values[int64](ids)[:ids.Len] {
		vec.Values[int64](ids)[i] = from + int64(i)
	}
	collector := colstats.Collector{ID: 1, Type: ids.Type}
	collector.Add(ids, nil)
	summary := colstats.Summary{Rows: to - from, Columns: []colstats.Column{collector.Column()}}
	return connectors.DataFile{Path: partition.PathOfKey([]string{"ds"}, key) + "/" + name, Size: 100, Rows: to - from,
		ETag: name, Partition: key, Stats: summary.Pack(), Sketches: colstats.Sketches{1: &collector.Sketch}.Pack()}
}

func write(t *testing.T, tx *Tx, table int64, mode connectors.WriteMode, files ...connectors.DataFile) {
	t.Helper()
	if err := tx.WriteFiles(t.Context(), table, mode, nil, files); err != nil {
		t.Fatal(err)
	}
}

// paths lists what a scan of a table reads in a transaction.
func paths(t *testing.T, c *Catalog, table *connectors.Table, domains ...connectors.Domain) []string {
	t.Helper()
	if table == nil {
		return nil
	}
	list, err := c.Files(t.Context(), scanOf(table, domains))
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, f := range list.Files {
		out = append(out, filepath.Base(f.Path))
	}
	slices.Sort(out)
	return out
}

func scanOf(table *connectors.Table, domains []connectors.Domain) connectors.Scan {
	scan := connectors.Scan{Connector: table.Connector, Schema: table.Schema, Name: table.Name, Handle: table.Handle, Domains: domains}
	for i, c := range table.Columns {
		scan.Columns = append(scan.Columns, connectors.ScanColumn{Ordinal: i, ID: c.ID, Name: c.Name, Type: c.Type})
	}
	return scan
}

func same(t *testing.T, got []string, want ...string) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

func TestTransactionSeesItsOwnWrites(t *testing.T) {
	onBoth(t, func(t *testing.T, open func(Options) *Catalog) {
		c := open(Options{})
		tx := begin(t, c)
		table := create(t, tx, orders("orders"))
		if table.Location != "/warehouse/public/orders" {
			t.Errorf("location %q", table.Location)
		}
		write(t, tx, table.ID, connectors.Append, file("a", 1, 0, 10), file("b", 2, 10, 20))
		same(t, paths(t, c, tx.Resolve("public", "orders")), "a", "b")
		other := begin(t, c)
		if other.Resolve("public", "orders") != nil {
			t.Error("another transaction sees an uncommitted table")
		}
		done := commit(t, tx)
		if done.Versions[table.ID] != 1 {
			t.Errorf("versions %v", done.Versions)
		}
		if other.Resolve("public", "orders") != nil {
			t.Error("a transaction sees what was committed after its snapshot")
		}
		later := begin(t, c)
		found := later.Resolve("public", "orders")
		same(t, paths(t, c, found), "a", "b")
		if found.ID != table.ID || !slices.Equal(found.Partition, []int{2}) || !found.Columns[1].Type.Equal(types.DecimalOf(12, 2)) || !found.Columns[0].NotNull {
			t.Errorf("resolved %+v", found)
		}
		write(t, later, table.ID, connectors.OverwriteDynamic, file("c", 2, 30, 40))
		same(t, paths(t, c, later.Resolve("public", "orders")), "a", "c")
		later.Savepoint("s")
		if err := later.Truncate(table.ID); err != nil {
			t.Fatal(err)
		}
		same(t, paths(t, c, later.Resolve("public", "orders")))
		if err := later.RollbackTo("s"); err != nil {
			t.Fatal(err)
		}
		same(t, paths(t, c, later.Resolve("public", "orders")), "a", "c")
		commit(t, later)
		same(t, paths(t, c, begin(t, c).Resolve("public", "orders")), "a", "c")
		same(t, paths(t, c, found), "a", "b") // the old snapshot still reads the old files
		want(t, begin(t, c).RollbackTo("x"), sqlerr.InvalidSavepointSpecification, `savepoint "x" does not exist`)
	})
}

func TestCatalogSurvivesReopening(t *testing.T) {
	onBoth(t, func(t *testing.T, open func(Options) *Catalog) {
		c := open(Options{})
		tx := begin(t, c)
		spec := orders("orders")
		spec.Properties = map[string]string{"Write_Once": "yes", "target_file_size": "256MB", "retention": "90 days", "sorted_by": "id"}
		spec.Comment = "what they bought"
		table := create(t, tx, spec)
		write(t, tx, table.ID, connectors.Append, file("a", 1, 0, 10))
		if err := tx.CreateUser(t.Context(), User{Name: "bob", Verifier: "SCRAM-SHA-256$x", Login: true}); err != nil {
			t.Fatal(err)
		}
		value := "UTC"
		if err := tx.SetSetting("bob", "timezone", &value); err != nil {
			t.Fatal(err)
		}
		commit(t, tx)
		c.Close()
		c = open(Options{})
		tx = begin(t, c)
		again := tx.Definition("public", "orders")
		if again == nil || again.Comment != "what they bought" || again.Properties["write_once"] != "true" ||
			again.Properties["target_file_size"] != "268435456" || !slices.Equal(again.SortedBy, []int32{1}) {
			t.Fatalf("reopened: %+v", again)
		}
		same(t, paths(t, c, tx.Resolve("public", "orders")), "a")
		if u, err := tx.User(t.Context(), "bob"); err != nil || u == nil || !u.Login || u.Superuser || u.Verifier != "SCRAM-SHA-256$x" {
			t.Errorf("user %+v, %v", u, err)
		}
		if s, err := tx.Settings(t.Context(), "bob"); err != nil || len(s) != 1 || s[0] != (Setting{"bob", "timezone", "UTC"}) {
			t.Errorf("settings %+v, %v", s, err)
		}
		next := create(t, tx, orders("next"))
		if next.ID <= table.ID {
			t.Errorf("ID %d after %d", next.ID, table.ID)
		}
	})
}

func TestPruning(t *testing.T) {
	onBoth(t, func(t *testing.T, open func(Options) *Catalog) {
		c := open(Options{})
		tx := begin(t, c)
		table := create(t, tx, orders("orders"))
		for day := range int64(5) {
			write(t, tx, table.ID, connectors.Append,
				file(fmt.Sprintf("d%d-low", day), day, day*100, day*100+10), file(fmt.Sprintf("d%d-high", day), day, day*100+50, day*100+60))
		}
		check := func(found *connectors.Table) {
			at := func(d int64) *types.Datum { v := types.IntDatum(d); return &v }
			same(t, paths(t, c, found, connectors.Domain{Column: 2, Values: []types.Datum{types.IntDatum(3)}}), "d3-high", "d3-low")
			same(t, paths(t, c, found, connectors.Domain{Column: 2, Minimum: at(3), MinimumExclusive: true}), "d4-high", "d4-low")
			same(t, paths(t, c, found, connectors.Domain{Column: 0, Minimum: at(155), Maximum: at(205)}), "d1-high", "d2-low")
			same(t, paths(t, c, found, connectors.Domain{Column: 0, Maximum: at(0), MaximumExclusive: true}))
			same(t, paths(t, c, found, connectors.Domain{Column: 1, Values: []types.Datum{types.IntDatum(7)}}), // nothing is known of amount
				"d0-high", "d0-low", "d1-high", "d1-low", "d2-high", "d2-low", "d3-high", "d3-low", "d4-high", "d4-low")
			same(t, paths(t, c, found, connectors.Domain{Column: 2, Values: []types.Datum{}, Nulls: true}))
		}
		check(tx.Resolve("public", "orders"))
		commit(t, tx)
		tx = begin(t, c)
		found := tx.Resolve("public", "orders")
		check(found)
		stats, err := c.Statistics(t.Context(), scanOf(found, nil))
		if err != nil || stats.Rows != 100 || !stats.Exact || stats.Columns[2].Distinct != 5 {
			t.Errorf("statistics %+v, %v", stats, err)
		}
		if id := stats.Columns[0]; id.Minimum.I64 != 0 || id.Maximum.I64 != 459 || id.Distinct < 90 || id.Distinct > 100 || id.NullFraction != 0 {
			t.Errorf("id: %+v", id)
		}
		stats, err = c.Statistics(t.Context(), scanOf(found, []connectors.Domain{{Column: 2, Values: []types.Datum{types.IntDatum(2)}}}))
		if id := stats.Columns[0]; err != nil || stats.Rows != 20 || id.Minimum.I64 != 200 || id.Maximum.I64 != 259 || id.Distinct < 18 || id.Distinct > 20 {
			t.Errorf("one day: %+v, %v", stats, err)
		}
		latest, kind, err := tx.LatestPartition(t.Context(), "public", "orders")
		if err != nil || latest.I64 != 4 || kind.Kind != types.Date {
			t.Errorf("latest %+v %v %v", latest, kind, err)
		}
		write(t, tx, table.ID, connectors.Append, file("new", 9, 0, 1))
		if latest, _, _ := tx.LatestPartition(t.Context(), "public", "orders"); latest.I64 != 9 {
			t.Errorf("latest %+v with a staged partition", latest)
		}
		_, _, err = tx.LatestPartition(context.Background(), "public", "nope")
		want(t, err, sqlerr.UndefinedTable, `relation "nope" does not exist`)
	})
}
