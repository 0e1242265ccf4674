//go:build linux

package test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/tarnlake/tarn/test/cluster"
)

// TestSQLOnProcesses runs some suites on a coordinator and three workers that are processes of their
// own, all of them with TARN_TEST_LOST set; TestSQL runs all on workers in this process.
func TestSQLOnProcesses(t *testing.T) {
	t.Cleanup(cluster.RemoveBinary)
	fleet := cluster.StartFleet(t, 3, nil)
	url := "postgres://tester@" + fleet.Coordinator.Address + "/tarn?sslmode=disable"
	requireSpread(t, url)
	some := map[string]bool{}
	for _, name := range []string{"presto", "pg_ctes", "pg_definitions", "pg_functions_rows", "pg_optimizer", "pg_set_operations", "pg_staged", "pg_views"} {
		some[name] = true
	}
	ran := 0
	for _, path := range suites(t) {
		if name := strings.TrimSuffix(filepath.Base(path), ".slt"); some[name] || os.Getenv("TARN_TEST_LOST") != "" {
			ran++
			t.Run(name, func(t *testing.T) { runSuite(t, path, url) })
		}
	}
	if ran < len(some) {
		t.Errorf("%d of %d suites are there", ran, len(some))
	}
}
