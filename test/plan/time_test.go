package plan

import (
	"os"
	"path/filepath"
	"sort"
	"strings"
	"testing"
	"time"
)

// longestPlanning bounds how long any query of TPC-H may be planned, from text to operators.
const longestPlanning = 10 * time.Millisecond

// suite gives a benchmark's queries by name, and a planner that knows its tables.
func suite(t testing.TB, name string) (*planner, map[string]string) {
	t.Helper()
	p := newPlanner()
	if name == "tpcds" {
		p.readTables(t, "testdata/tpcds_statistics.txt")
	}
	paths, err := filepath.Glob("../../bench/queries/" + name + "/*.sql")
	if err != nil || len(paths) == 0 {
		t.Fatal("no queries", err)
	}
	queries := map[string]string{}
	for _, path := range paths {
		base := strings.TrimSuffix(filepath.Base(path), ".sql")
		queries[base] = benchmarkQuery(t, name+"/"+base)
	}
	return p, queries
}

// readTables creates the tables of a file: blocks of "rows=N", a CREATE TABLE and its columns' facts,
// separated by blank lines.
func (p *planner) readTables(t testing.TB, path string) {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for _, block := range strings.Split(strings.TrimSpace(string(text)), "\n\n") {
		head, rest, _ := strings.Cut(block, "\n")
		rows, err := numberAfter(head, "rows=")
		if err != nil {
			t.Fatal(err)
		}
		if err := p.create(rows, rest); err != nil {
			t.Fatal(err)
		}
	}
}

// shortest gives the best of several plannings: others use the machine too.
func shortest(t testing.TB, p *planner, sql string, runs int) time.Duration {
	best := time.Hour
	for range runs {
		started := time.Now()
		if _, err := p.plan(sql, nil, false); err != nil {
			t.Fatal(err)
		}
		best = min(best, time.Since(started))
	}
	return best
}

func sortedNames(queries map[string]string) []string {
	names := make([]string, 0, len(queries))
	for name := range queries {
		names = append(names, name)
	}
	sort.Strings(names)
	return names
}

// TestPlanningIsQuick plans every query of TPC-H within the bound.
func TestPlanningIsQuick(t *testing.T) {
	p, queries := suite(t, "tpch")
	for _, name := range sortedNames(queries) {
		best := time.Hour
		for attempt := 0; attempt < 20 && best > longestPlanning; attempt++ {
			best = min(best, shortest(t, p, queries[name], 3))
		}
		if best > longestPlanning {
			t.Errorf("planning %s takes %v", name, best)
		}
	}
}

// TestPlansOfTPCDS plans all 99 queries.
func TestPlansOfTPCDS(t *testing.T) {
	p, queries := suite(t, "tpcds")
	if len(queries) != 99 {
		t.Errorf("%d queries", len(queries))
	}
	for _, name := range sortedNames(queries) {
		if _, err := p.plan(queries[name], nil, true); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// BenchmarkPlan plans each query; ms/plan is what one takes.
func BenchmarkPlan(b *testing.B) {
	for _, name := range []string{"tpch", "tpcds"} {
		p, queries := suite(b, name)
		for _, query := range sortedNames(queries) {
			b.Run(name+"/"+query, func(b *testing.B) {
				b.ReportAllocs()
				for b.Loop() {
					if _, err := p.plan(queries[query], nil, false); err != nil {
						b.Fatal(err)
					}
				}
				b.ReportMetric(float64(b.Elapsed().Microseconds())/1000/float64(b.N), "ms/plan")
			})
		}
	}
}
