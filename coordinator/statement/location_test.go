package statement_test

import (
	"os"
	"strings"
	"testing"

	"github.com/tarnlake/tarn/cmd/tarn/wiring"
	"github.com/tarnlake/tarn/coordinator/session"
	"github.com/tarnlake/tarn/internal/config"
	"github.com/tarnlake/tarn/internal/sqlerr"
	"github.com/tarnlake/tarn/planner/parser"
)

// A location where nothing may lie is refused before rows are written or anything is staged.
func TestForbiddenLocations(t *testing.T) {
	system, err := wiring.Open(t.Context(), wiring.Options{Config: config.Default(), InMemory: true, Drivers: 2})
	if err != nil {
		t.Fatal(err)
	}
	manager := session.NewManager(session.Config{Engine: system.Engine, Parse: parser.Parse, Version: "test", Defaults: system.Accounts().Defaults})
	t.Cleanup(func() {
		manager.Drain(t.Context())
		if err := system.Close(); err != nil {
			t.Error(err)
		}
	})
	c := (&server{t, system, manager}).connect("ada")
	forbidden := t.TempDir() + "/there"
	message := `local path "` + forbidden + `" is not allowed`
	c.run("CREATE SCHEMA own")
	for _, sql := range []string{
		"CREATE TABLE t (a int) LOCATION '%'", "CREATE TABLE t (a int) WITH (location = '%')", "CREATE EXTERNAL TABLE t (a int) STORED AS PARQUET LOCATION '%'",
		"CREATE TABLE t (a int) WITH (external_location = '%')", "CREATE TABLE t LOCATION '%' AS SELECT a / (a - 100) AS a FROM generate_series(1, 100) AS s (a)",
		"CREATE SCHEMA s LOCATION '%'", "CREATE SCHEMA s WITH (location = '%')", "ALTER SCHEMA own SET DBPROPERTIES ('location' = '%')",
	} {
		c.fails(strings.ReplaceAll(sql, "%", forbidden), sqlerr.InsufficientPrivilege, message)
		c.run("CREATE TABLE t (a int); DROP TABLE t; CREATE SCHEMA s; DROP SCHEMA s") // nothing is there
	}
	if _, err := os.Stat(forbidden); err == nil {
		t.Error("the directory was made")
	}
}

func TestAddPartitionBelowTheTableOnly(t *testing.T) {
	c := connect(t)
	dir := t.TempDir()
	c.run("CREATE EXTERNAL TABLE events (id bigint) PARTITIONED BY (ds date) STORED AS PARQUET LOCATION '" + dir + "/t'")
	for _, outside := range []string{dir + "/t2", dir + "/t2/ds=2020-01-01", dir, dir + "/t/../t2"} {
		sql := "ALTER TABLE events ADD PARTITION (ds = '2020-01-01') LOCATION '" + outside + "'"
		_, err := c.try(sql)
		if err == nil {
			t.Errorf("%s passes", sql)
		} else if sqlerr.CodeOf(err) != sqlerr.FeatureNotSupported || !strings.Contains(describe(err), "a partition must lie below the table's location, "+dir+"/t") {
			t.Errorf("%s: %s", sql, describe(err))
		}
	}
	c.run("ALTER TABLE events ADD PARTITION (ds = '2020-01-01') LOCATION '" + dir + "/t/ds=2020-01-01'")
}
