package lake_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/tarnlake/tarn/catalog"
	"github.com/tarnlake/tarn/connectors"
	"github.com/tarnlake/tarn/connectors/files"
	"github.com/tarnlake/tarn/connectors/lake"
	"github.com/tarnlake/tarn/internal/objstore"
	"github.com/tarnlake/tarn/internal/types"
	"github.com/tarnlake/tarn/test/pgserver"
)

// childVariable makes the test binary run one job and die in it: catalog, warehouse, generation,
// step, hit, separated by newlines.
const childVariable = "TARN_LAKE_TEST_CHILD"

func TestMain(m *testing.M) {
	if job := os.Getenv(childVariable); job != "" {
		if err := child(strings.Split(job, "\n")); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	code := m.Run()
	pgserver.Stop()
	os.Exit(code)
}

func child(job []string) error {
	generation, _ := strconv.ParseInt(job[2], 10, 64)
	hits, _ := strconv.Atoi(job[4])
	strike := func(step string) error {
		if step == job[3] {
			if hits--; hits == 0 {
				syscall.Kill(os.Getpid(), syscall.SIGKILL)
				select {}
			}
		}
		return nil
	}
	s, err := openSite(job[0], job[1], strike)
	if err != nil {
		return err
	}
	defer s.catalog.Close()
	return s.nightly(generation)
}

// site is a catalog and a warehouse, opened once.
type site struct {
	catalog   *catalog.Catalog
	connector *lake.Connector
	lossy     *objstore.Lossy
}

// openSite opens a site; strike, if not nil, is called at every step of writes and commits.
func openSite(location, directory string, strike func(step string) error) (*site, error) {
	return openSiteOn(location, directory, strike, false)
}

// openSiteOn opens a site whose storage, if lossy, can lose what is not durable.
func openSiteOn(location, directory string, strike func(step string) error, lossy bool) (*site, error) {
	var storeSteps func(step objstore.Step, path string) error
	if strike != nil {
		storeSteps = func(step objstore.Step, _ string) error { return strike("store." + string(step)) }
	}
	store, err := objstore.OpenLocal(directory, objstore.Options{FailPoint: storeSteps})
	if err != nil {
		return nil, err
	}
	s := &site{}
	if lossy {
		s.lossy = objstore.MakeLossy(store)
	}
	if s.catalog, err = catalog.Open(context.Background(), location, catalog.Options{Warehouse: directory, FailPoint: strike}); err != nil {
		return nil, err
	}
	s.connector = lake.New(lake.Options{Stores: objstore.NewStoreLocator(store), Opener: files.NewOpener(50), Lister: s.catalog, FailPoint: strike})
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

var crashSteps = []string{lake.FailCreate, lake.FailAppend, lake.FailFinish, lake.FailDurable, lake.FailStage,
	"store.create", "store.write", "store.sync", "store.rename", "store.syncdir",
	catalog.FailBegin, catalog.FailNumbered, catalog.FailChecked, catalog.FailWritten, catalog.FailCommitted}

// hits gives the occurrences of a step at which to crash.
func hits(step string) []int {
	if strings.HasPrefix(step, "commit.") {
		return []int{1}
	}
	if step == lake.FailStage {
		return []int{1, 4}
	}
	return []int{1, 5}
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

// TestKilledWriters kills the process that runs the job at every step: readers see the old or the
// new generation, doing it again leads to the new one, and VACUUM leaves exactly the listed files.
func TestKilledWriters(t *testing.T) {
	onBothCatalogs(t, func(t *testing.T, location, directory string) {
		s, err := openSite(location, directory, nil)
		if err != nil {
			t.Fatal(err)
		}
		s.prepare(t)
		s.catalog.Close()
		generation := int64(0)
		for _, step := range crashSteps {
			for _, hit := range hits(step) {
				generation++
				job := strings.Join([]string{location, directory, strconv.FormatInt(generation, 10), step, strconv.Itoa(hit)}, "\n")
				cmd := exec.Command(os.Args[0], "-test.run=^$")
				cmd.Env = append(os.Environ(), childVariable+"="+job)
				out, err := cmd.CombinedOutput()
				var exit *exec.ExitError
				if !errors.As(err, &exit) || exit.Sys().(syscall.WaitStatus).Signal() != syscall.SIGKILL {
					t.Fatalf("%s, hit %d: the writer was not killed: %v %s", step, hit, err, out)
				}
				s, err := openSite(location, directory, nil)
				if err != nil {
					t.Fatal(err)
				}
				found := s.generation(t)
				if want := map[bool]int64{true: generation, false: generation - 1}[step == catalog.FailCommitted]; found != want {
					t.Errorf("%s, hit %d: generation %d, want %d", step, hit, found, want)
				}
				if err := s.nightly(generation); err != nil {
					t.Fatal(err)
				}
				if found := s.generation(t); found != generation {
					t.Errorf("%s, hit %d: done again, generation %d, want %d", step, hit, found, generation)
				}
				s.releaseLeases(t, location)
				s.checkVacuum(t, directory)
				s.catalog.Close()
			}
		}
	})
}

// releaseLeases forgets the leases of killed servers, as an hour would.
func (s *site) releaseLeases(t *testing.T, location string) {
	t.Helper()
	if strings.HasPrefix(location, "postgres") {
		if err := s.catalog.ForgetOtherServers(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
}

// TestLostPower fails the job at every step and then drops everything that was not durable.
func TestLostPower(t *testing.T) {
	onBothCatalogs(t, func(t *testing.T, location, directory string) {
		open := func(strike func(string) error, lossy bool) *site {
			t.Helper()
			s, err := openSiteOn(location, directory, strike, lossy)
			if err != nil {
				t.Fatal(err)
			}
			return s
		}
		crash := func(s *site) {
			t.Helper()
			if err := s.lossy.Crash(); err != nil {
				t.Fatal(err)
			}
		}
		s := open(nil, true)
		s.prepare(t)
		crash(s)
		if found := s.generation(t); found != 0 {
			t.Errorf("what was committed is lost: %d", found)
		}
		s.catalog.Close()
		generation := int64(0)
		for _, step := range crashSteps {
			generation++
			all := hits(step)
			left, down := all[len(all)/2], false
			var mu sync.Mutex
			s := open(func(at string) error {
				mu.Lock()
				defer mu.Unlock()
				if at == step {
					left--
				}
				if down = down || left == 0 && at == step; down {
					return errors.New("power is lost")
				}
				return nil
			}, true)
			if err := s.nightly(generation); err == nil {
				t.Fatalf("%s: the job did not fail", step)
			}
			crash(s)
			s.catalog.Close()
			s = open(nil, true)
			found := s.generation(t)
			if want := map[bool]int64{true: generation, false: generation - 1}[step == catalog.FailCommitted]; found != want {
				t.Errorf("%s: generation %d, want %d", step, found, want)
			}
			if err := s.nightly(generation); err != nil {
				t.Fatal(err)
			}
			crash(s)
			if found := s.generation(t); found != generation {
				t.Errorf("%s: done again, generation %d, want %d", step, found, generation)
			}
			s.catalog.Close()
			s = open(nil, false)
			s.checkVacuum(t, directory)
			s.catalog.Close()
		}
	})
}
