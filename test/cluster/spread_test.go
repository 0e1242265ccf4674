package cluster

import (
	"os"
	"strings"
	"testing"
)

// Processes that tests start spread even small queries: they inherit the environment.
var _ = os.Setenv("TARN_SETTINGS_DISTRIBUTE_FROM_ROWS", "0")

func TestSmallQueriesStayOnTheCoordinator(t *testing.T) {
	conn, _ := serve(t, 2, nil)
	explain := func(sql string) string {
		t.Helper()
		lines, err := query(t, conn, "EXPLAIN "+sql)
		if err != nil {
			t.Fatal(err)
		}
		text := strings.Join(lines, "\n")
		_, distribution, found := strings.Cut(text, "Distribution: ")
		if !found || strings.Contains(text, "Exchange") == strings.HasPrefix(distribution, "none") {
			t.Errorf("%s", text)
		}
		return distribution
	}
	want := func(sql, distribution string) {
		t.Helper()
		if got := explain(sql); got != distribution {
			t.Errorf("%s: %s", sql, got)
		}
	}
	const small, large = "SELECT count(*) FROM tpch.sf0_01.nation", "SELECT count(*) FROM tpch.sf1.lineitem"
	if got := explain(small); !strings.HasPrefix(got, "2 workers; 25 rows and ") {
		t.Error(got)
	}
	must(t, conn, small, "25")
	must(t, conn, "RESET distribute_from_rows; SET distribute_from_rows = 1000000", "")
	if got := explain(small); !strings.HasPrefix(got, "none; 25 rows and ") ||
		!strings.HasSuffix(got, "to scan, below distribute_from_rows = 1000000 and distribute_from_bytes = 64MB") {
		t.Error(got)
	}
	must(t, conn, small, "25")
	if got := explain(large); !strings.HasPrefix(got, "2 workers; 6001215 rows and ") {
		t.Error(got)
	}
	// Few rows make many.
	if got := explain("SELECT count(*) FROM tpch.sf0_01.orders a, tpch.sf0_01.orders b WHERE a.o_totalprice < b.o_totalprice"); !strings.HasPrefix(got, "2 workers; 30000 rows and ") ||
		!strings.HasSuffix(got, "rows expected of a Nested Loop Join") {
		t.Error(got)
	}
	want("SELECT 1", "none; no table that workers reach is read")
	want("SELECT * FROM system.nodes", "none; no table that workers reach is read")
	// Many bytes in few rows.
	must(t, conn, "SET distribute_from_bytes = '1kB'", "")
	if got := explain(small); !strings.HasPrefix(got, "2 workers; ") {
		t.Error(got)
	}
	// A partition of a large table is small.
	must(t, conn, "RESET distribute_from_bytes; SET distribute_from_rows = 100000; CREATE TABLE p PARTITIONED BY (o_orderstatus) STORED AS PARQUET AS SELECT * FROM "+orders, "")
	if got := explain("SELECT count(o_comment) FROM p"); !strings.HasPrefix(got, "2 workers; 150000 rows") {
		t.Error(got)
	}
	if got := explain("SELECT count(o_comment) FROM p WHERE o_orderstatus = 'P'"); !strings.HasPrefix(got, "none; ") {
		t.Error(got)
	}
	must(t, conn, "SELECT count(o_comment) = (SELECT count(*) FROM "+orders+" WHERE o_orderstatus = 'P') FROM p WHERE o_orderstatus = 'P'", "t")
}
