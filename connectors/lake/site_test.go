package lake_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/tarnlake/tarn/catalog"
	"github.com/tarnlake/tarn/connectors"
	"github.com/tarnlake/tarn/connectors/files"
	"github.com/tarnlake/tarn/connectors/lake"
	"github.com/tarnlake/tarn/internal/objstore"
	"github.com/tarnlake/tarn/internal/objstore/metadata"
	"github.com/tarnlake/tarn/internal/types"
	"github.com/tarnlake/tarn/test/pgserver"
)

func TestMain(m *testing.M) {
	code := m.Run()
	pgserver.Stop()
	os.Exit(code)
}

// site is a catalog and a warehouse, opened once.
type site struct {
	catalog   *catalog.Catalog
	connector *lake.Connector
}

// openSite opens a site; strike, if not nil, is called at every step of writes and commits.
func openSite(location, directory string, strike func(step string) error) (*site, error) {
	var storeSteps func(step objstore.Step, path string) error
	if strike != nil {
		storeSteps = func(step objstore.Step, _ string) error { return strike("store." + string(step)) }
	}
	store, err := objstore.OpenLocal(directory, objstore.Options{FailPoint: storeSteps})
	if err != nil {
		return nil, err
	}
	s := &site{}
	if s.catalog, err = catalog.Open(context.Background(), location, catalog.Options{Warehouse: directory, FailPoint: strike}); err != nil {
		return nil, err
	}
	s.connector = lake.New(lake.Options{Stores: objstore.NewStoreLocator(store), Opener: files.NewOpener(metadata.New(16<<20), nil), Lister: s.catalog, FailPoint: strike})
	return s, nil
}

// nightly is the job: in one transaction it overwrites a partition in each of three tables and swaps
// a fourth by rename. Done again with the same generation it leads to the same state.
func (s *site) nightly(generation int64) error {
	ctx := context.Background()
	tx, err := s.catalog.Begin(ctx, catalog.Session{})
	if err != nil {
		return err
	}
	defer tx.Rollback()
	for i, name := range []string{"t0", "t1", "t2"} {
		if err := s.insert(ctx, tx, name, generation, i); err != nil {
			return err
		}
	}
	if _, err := tx.DropRelations("table", []catalog.Name{{Schema: "public", Name: "swapped_new"}, {Schema: "public", Name: "swapped_old"}}, true, false); err != nil {
		return err
	}
	if _, err := tx.CreateTable(ctx, sales("swapped_new")); err != nil {
		return err
	}
	if err := s.insert(ctx, tx, "swapped_new", generation, 3); err != nil {
		return err
	}
	for _, step := range [][2]string{{"swapped", "swapped_old"}, {"swapped_new", "swapped"}} {
		if err := tx.AlterRelation("table", catalog.Name{Schema: "public", Name: step[0]}, catalog.RenameTo("", step[1])); err != nil {
			return err
		}
	}
	_, err = tx.Commit(ctx)
	return err
}

func (s *site) insert(ctx context.Context, tx *catalog.Tx, name string, generation int64, i int) error {
	target := tx.Resolve("public", name).Target()
	sink, err := s.connector.Write(ctx, connectors.WriteRequest{Target: target, Attempt: fmt.Sprintf("g%d-%d-%d", generation, i, os.Getpid())})
	if err != nil {
		return err
	}
	rows := []row{saleRow(generation, fmt.Sprintf("generation %d of %s", generation, name), 1, "eu"), saleRow(generation, "b", 1, "us")}
	if err := sink.Append(ctx, batchOf(target.Columns, rows)); err != nil {
		return errors.Join(err, sink.Abort(ctx))
	}
	fragments, err := sink.Finish(ctx)
	if err != nil {
		return err
	}
	day := types.IntDatum(1)
	_, err = s.connector.Stage(ctx, tx, target, connectors.OverwriteStatic, connectors.PartitionSpec{&day, nil}, fragments)
	return err
}

// generation reads all four tables: their rows must be of one generation.
func (s *site) generation(t *testing.T) int64 {
	t.Helper()
	tx, err := s.catalog.Begin(t.Context(), catalog.Session{})
	if err != nil {
		t.Fatal(err)
	}
	defer tx.Rollback()
	h := &house{t: t, connector: s.connector}
	found := int64(-1)
	for _, name := range []string{"t0", "t1", "t2", "swapped"} {
		lines := h.read(tx.Resolve("public", name))
		if len(lines) != 2 {
			t.Fatalf("%s holds %q", name, lines)
		}
		for _, line := range lines {
			id, _ := strconv.ParseInt(strings.SplitN(line, "|", 2)[0], 10, 64)
			if found < 0 {
				found = id
			}
			if id != found {
				t.Fatalf("%s is of generation %d, what was read before of %d", name, id, found)
			}
		}
	}
	return found
}

// prepare makes the tables with generation 0.
func (s *site) prepare(t *testing.T) {
	t.Helper()
	tx, err := s.catalog.Begin(t.Context(), catalog.Session{})
	if err != nil {
		t.Fatal(err)
	}
	for i, name := range []string{"t0", "t1", "t2", "swapped"} {
		if _, err := tx.CreateTable(t.Context(), sales(name)); err != nil {
			t.Fatal(err)
		}
		if err := s.insert(t.Context(), tx, name, 0, i); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := tx.Commit(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// checkVacuum removes everything unneeded: exactly the listed files may be left.
func (s *site) checkVacuum(t *testing.T, directory string) {
	t.Helper()
	if _, err := s.connector.Vacuum(t.Context(), s.catalog, lake.VacuumOptions{History: 0, Grace: 0}); err != nil {
		t.Fatal(err)
	}
	tx, err := s.catalog.Begin(t.Context(), catalog.Session{})
	if err != nil {
		t.Fatal(err)
	}
	defer tx.Rollback()
	var listed []string
	for _, table := range tx.Definitions("public") {
		list, err := tx.ListFiles(t.Context(), table.ID)
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range list {
			name, _ := filepath.Rel(directory, table.Location+"/"+f.Path)
			listed = append(listed, name)
		}
	}
	slices.Sort(listed)
	there := (&house{directory: directory}).tree()
	slices.Sort(there)
	for _, name := range there {
		if !slices.Contains(listed, name) {
			t.Errorf("VACUUM left %s", name)
		}
	}
	for _, name := range listed {
		if !slices.Contains(there, name) {
			t.Errorf("VACUUM removed %s", name)
		}
	}
}

func onBothCatalogs(t *testing.T, test func(t *testing.T, location, directory string)) {
	t.Run("sqlite", func(t *testing.T) { test(t, filepath.Join(memoryDir(t), "catalog.db"), memoryDir(t)) })
	t.Run("postgres", func(t *testing.T) { test(t, pgserver.Database(t), memoryDir(t)) })
}

// memoryDir gives a directory in memory where there is such, for the thousands of fsyncs to be quick.
func memoryDir(t *testing.T) string {
	t.Helper()
	directory, err := os.MkdirTemp("/dev/shm", "tarn-lake-")
	if err != nil {
		return t.TempDir()
	}
	t.Cleanup(func() { os.RemoveAll(directory) })
	return directory
}
