package durability

import (
	"context"
	"database/sql"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/tarnlake/tarn/catalog"
	"github.com/tarnlake/tarn/connectors/lake"
)

// setup makes the tables of the nightly job, with generation 0.
const setup = `
CREATE TABLE t0 (id bigint, name text, generation bigint, ds date) PARTITIONED BY (ds);
CREATE TABLE t1 (id bigint, name text, generation bigint, ds date) PARTITIONED BY (ds);
CREATE TABLE t2 (id bigint, name text, generation bigint, ds date) PARTITIONED BY (ds);
CREATE TABLE swapped (id bigint, generation bigint);
INSERT INTO t0 SELECT g, 'n' || g, 0, DATE '2018-08-01' + d FROM generate_series(1, 10) s(g), generate_series(0, 1) days(d);
INSERT INTO t1 SELECT g, 'n' || g, 0, DATE '2018-08-01' FROM generate_series(1, 10) s(g);
INSERT INTO t2 SELECT g, 'n' || g, 0, DATE '2018-08-01' FROM generate_series(1, 10) s(g);
INSERT INTO swapped SELECT g, 0 FROM generate_series(1, 10) s(g)`

// nightly is the job: one transaction that overwrites a partition in each of three tables and swaps
// a fourth by rename. Done again with the same generation it leads to the same state.
func nightly(generation int) string {
	job := "BEGIN;\n"
	for _, table := range []string{"t0", "t1", "t2"} {
		job += fmt.Sprintf("INSERT OVERWRITE %s PARTITION (ds = DATE '2018-08-01') SELECT g, 'n' || g, %d FROM generate_series(1, 10) s(g);\n", table, generation)
	}
	return job + fmt.Sprintf(`DROP TABLE IF EXISTS swapped_old;
CREATE TABLE swapped_new (id bigint, generation bigint);
INSERT INTO swapped_new SELECT g, %d FROM generate_series(1, 10) s(g);
ALTER TABLE swapped RENAME TO swapped_old;
ALTER TABLE swapped_new RENAME TO swapped;
COMMIT`, generation)
}

// look gives one row a table: rows, least and greatest generation, sum of ids; and the rows of a
// partition that the job leaves alone.
const look = `
SELECT 't0', count(*), min(generation), max(generation), sum(id) FROM t0 WHERE ds = DATE '2018-08-01'
UNION ALL SELECT 't1', count(*), min(generation), max(generation), sum(id) FROM t1
UNION ALL SELECT 't2', count(*), min(generation), max(generation), sum(id) FROM t2
UNION ALL SELECT 'swapped', count(*), min(generation), max(generation), sum(id) FROM swapped
UNION ALL SELECT 'untouched', count(*), min(generation), max(generation), sum(id) FROM t0 WHERE ds = DATE '2018-08-02'`

// seenGeneration reads what look gave: all tables must be whole and of one generation.
func seenGeneration(rows []string) (string, error) {
	generation := ""
	if len(rows) == 5 {
		generation = strings.Split(rows[0], "|")[2]
	}
	want := []string{"untouched|10|0|0|55"}
	for _, name := range []string{"t0", "t1", "t2", "swapped"} {
		want = append(want, fmt.Sprintf("%s|10|%s|%s|55", name, generation, generation))
	}
	for _, row := range want {
		if !slices.Contains(rows, row) {
			return "", fmt.Errorf("not of one generation: %q", rows)
		}
	}
	return generation, nil
}

func generationOf(t *testing.T, conn *pgconn.PgConn) string {
	t.Helper()
	found, err := seenGeneration(must(t, conn, look))
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// crashSteps are all steps of a write and of a commit.
var crashSteps = []string{lake.FailCreate, lake.FailAppend, lake.FailFinish, lake.FailDurable, lake.FailStage,
	"store.create", "store.write", "store.sync", "store.rename", "store.syncdir",
	catalog.FailBegin, catalog.FailNumbered, catalog.FailChecked, catalog.FailWritten, catalog.FailCommitted}

// crashesPerStep is how often a server dies at each step; the passes through it at which it does are
// spread evenly.
const crashesPerStep = 10

// TestServersThatDie ends servers at every step of the nightly job. The next server sees the old
// state, or the new one when the commit had happened; the job done again leads to the new one, and
// VACUUM leaves exactly the files that are listed.
func TestServersThatDie(t *testing.T) {
	for _, way := range []struct {
		name            string
		postgres, power bool
	}{{"killed, SQLite", false, false}, {"without power, SQLite", false, true}, {"killed, PostgreSQL", true, false}, {"without power, PostgreSQL", true, true}} {
		t.Run(way.name, func(t *testing.T) {
			t.Parallel()
			s := newSite(t, way.postgres)
			s.Power = way.power
			crashEverywhere(t, s)
		})
	}
}

func crashEverywhere(t *testing.T, s *site) {
	v := s.start(t)
	conn := v.connect()
	must(t, conn, setup)
	generation := 1
	must(t, conn, nightly(generation))
	v.seen()
	generation++
	must(t, conn, nightly(generation))
	passes := v.seen()
	for _, step := range crashSteps {
		if passes[step] == 0 {
			t.Fatalf("the job does not pass %s: %v", step, passes)
		}
		for i := range crashesPerStep {
			pass := 1 + i*passes[step]/crashesPerStep
			generation++
			v.arm(step, pass)
			if _, err := query(conn, nightly(generation)); err == nil {
				t.Fatalf("%s, pass %d: the server lived", step, pass)
			}
			v.died()
			v = s.start(t)
			conn = v.connect()
			want := generation - 1
			if step == catalog.FailCommitted {
				want = generation
			}
			if found := generationOf(t, conn); found != fmt.Sprint(want) {
				t.Fatalf("%s, pass %d: generation %s, want %d", step, pass, found, want)
			}
			must(t, conn, nightly(generation))
			if found := generationOf(t, conn); found != fmt.Sprint(generation) {
				t.Fatalf("%s, pass %d: done again, generation %s, want %d", step, pass, found, generation)
			}
			if i == crashesPerStep-1 {
				checkVacuum(t, s, conn)
			}
		}
	}
}

// checkVacuum removes everything unneeded: exactly the listed files may be left.
func checkVacuum(t *testing.T, s *site, conn *pgconn.PgConn) {
	t.Helper()
	if s.Catalog != "" { // the leases of the dead would protect what they read for a minute
		db, err := sql.Open("pgx", s.Catalog)
		if err != nil {
			t.Fatal(err)
		}
		defer db.Close()
		if _, err := db.ExecContext(context.Background(), "DELETE FROM tarn_leases"); err != nil {
			t.Fatal(err)
		}
	}
	must(t, conn, "VACUUM (history '0s', grace '0s')")
	listed := must(t, conn, "SELECT path FROM system.files")
	var there []string
	err := filepath.WalkDir(filepath.Join(s.Data, "warehouse"), func(path string, entry fs.DirEntry, err error) error {
		if err == nil && !entry.IsDir() {
			there = append(there, path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range there {
		if !slices.ContainsFunc(listed, func(name string) bool { return strings.HasSuffix(path, name) }) {
			t.Errorf("VACUUM left %s", path)
		}
	}
	if len(listed) != len(there) {
		t.Errorf("%d files are listed, %d are there", len(listed), len(there))
	}
}
