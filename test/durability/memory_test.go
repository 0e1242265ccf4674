package durability

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
)

// hungry lists statements that would hold much more than the limit allows, with the node that is to
// spill ("" for one that goes by several names) and the answer, or how it begins.
var hungry = []struct{ node, sql, answer string }{
	{"Hash Join", "SELECT count(*), min(b.v) FROM (SELECT g, md5(g::text) || md5((g + 1)::text) AS v FROM generate_series(1, 500000) s(g)) a " +
		"FULL JOIN (SELECT md5(g::text) || md5((g + 1)::text) AS v, g FROM generate_series(1, 1000000, 2) s(g)) b USING (v)", "750000|%"},
	{"Hash Join", "SELECT count(b.v), max(b.v) FROM (SELECT g % 3 AS k FROM generate_series(1, 12) s(g)) a " +
		"JOIN (SELECT g % 3 AS k, md5(g::text) || md5((g + 1)::text) || md5((g + 2)::text) AS v FROM generate_series(1, 500000) s(g)) b ON a.k = b.k", "2000000|%"},
	{"Sort", "SELECT v FROM (SELECT md5(g::text) || md5((g + 1)::text) || md5((g + 2)::text) AS v FROM generate_series(1, 500000) s(g) ORDER BY v OFFSET 499999) q", "ffff%"},
	{"Aggregate", "SELECT count(*), max(n) FROM (SELECT v, count(*) AS n FROM (SELECT md5(g::text) || md5((g + 1)::text) AS v FROM generate_series(1, 500000) s(g)) q GROUP BY v) q", "500000|1"},
	{"Window", "SELECT max(r), count(v) FROM (SELECT v, row_number() OVER (PARTITION BY k ORDER BY v) AS r FROM (SELECT g % 50 AS k, md5(g::text) || md5((g + 1)::text) || md5((g + 2)::text) AS v FROM generate_series(1, 500000) s(g)) q) q", "10000|500000"},
	{"Window", "SELECT max(r), max(s), max(n), count(v) FROM (SELECT v, row_number() OVER w AS r, sum(g) OVER w AS s, count(*) OVER () AS n " +
		"FROM (SELECT g, md5(g::text) || md5((g + 1)::text) || md5((g + 2)::text) AS v FROM generate_series(1, 500000) s(g)) q WINDOW w AS (ORDER BY v)) q", "500000|125000250000|500000|500000"},
	{"", "WITH q AS MATERIALIZED (SELECT g, md5(g::text) || md5((g + 1)::text) || md5((g + 2)::text) AS v FROM generate_series(1, 500000) s(g)) " +
		"SELECT (SELECT count(v) FROM q), (SELECT max(v) FROM q)", "500000|%"},
}

// TestMemoryLimit runs statements that need more than memory.limit: the process stays within it.
func TestMemoryLimit(t *testing.T) {
	const limit = 192 // MB
	s := newSite(t, false)
	s.Drivers, s.Set = 2, map[string]string{"memory.limit": fmt.Sprint(limit, "MB")}
	v := s.start(t)
	conn := v.connect()
	before, _ := v.held()
	for _, h := range hungry {
		rows, err := patiently(conn, h.sql)
		if err != nil {
			t.Fatalf("%.60s: %v", h.sql, err)
		}
		got := rows[0]
		if prefix, open := strings.CutSuffix(h.answer, "%"); got != h.answer && !(open && strings.HasPrefix(got, prefix)) {
			t.Errorf("%.60s: %s, want %s", h.sql, got, h.answer)
		}
		if most := highWater(t, v.command.Process.Pid); most > limit {
			t.Errorf("%.60s: the process has held %d MB", h.sql, most)
		}
		v.settle(before)
	}
	if len(tree(t, s.Data)) != 0 {
		t.Error("files are left")
	}
}

// TestWithoutSpilling has the same statements refused: they name the operator and the setting.
func TestWithoutSpilling(t *testing.T) {
	s := newSite(t, false)
	s.Drivers, s.Set = 2, map[string]string{"memory.limit": "96MB", "spill.enabled": "false"}
	v := s.start(t)
	conn := v.connect()
	for _, h := range hungry {
		_, err := patiently(conn, h.sql)
		if err == nil || codeOf(err) != "53200" || !strings.Contains(err.Error(), "out of memory: "+h.node) {
			t.Errorf("%.60s: %v", h.sql, err)
		}
	}
	must(t, conn, "SELECT 1")
}

// patiently runs a statement that takes a while.
func patiently(conn *pgconn.PgConn, sql string) ([]string, error) {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Minute)
	defer cancel()
	results, err := conn.Exec(ctx, sql).ReadAll()
	if err != nil {
		return nil, err
	}
	var rows []string
	for _, row := range results[len(results)-1].Rows {
		rows = append(rows, string(bytes.Join(row, []byte("|"))))
	}
	return rows, nil
}

// highWater is the most memory, in MB, that a process has had.
func highWater(t *testing.T, pid int) int {
	t.Helper()
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		t.Fatal(err)
	}
	found := regexp.MustCompile(`VmHWM:\s+(\d+) kB`).FindSubmatch(status)
	if found == nil {
		t.Fatal("the kernel does not tell")
	}
	kilobytes, err := strconv.Atoi(string(found[1]))
	if err != nil {
		t.Fatal(err)
	}
	return kilobytes >> 10
}
