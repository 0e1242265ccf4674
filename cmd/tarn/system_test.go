package main

import (
	"context"
	"path/filepath"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5/pgconn"
)

func rowsOf(t *testing.T, conn *pgconn.PgConn, sql string) (rows []string) {
	t.Helper()
	results, err := conn.Exec(context.Background(), sql).ReadAll()
	if err != nil {
		t.Fatal(sql, err)
	}
	for _, row := range results[len(results)-1].Rows {
		cells := make([]string, len(row))
		for i := range row {
			cells[i] = string(row[i])
		}
		rows = append(rows, strings.Join(cells, "|"))
	}
	return rows
}

// The tables of schema system tell what the server does and has done, also after it starts again.
func TestSystemTablesTellTheTruth(t *testing.T) {
	data := filepath.Join(t.TempDir(), "lake")
	s := startServer(t, "--data", data, "--set", "memory.query_limit=32MB")
	conn := s.connect(t)
	one := func(sql, want string) {
		t.Helper()
		if got := rowsOf(t, conn, sql); len(got) != 1 || got[0] != want {
			t.Errorf("%s: %q, want %q", sql, got, want)
		}
	}
	rowsOf(t, conn, "CREATE TABLE t (a int); INSERT INTO t SELECT g FROM generate_series(1, 1000) s(g)")
	rowsOf(t, conn, "SELECT a FROM t WHERE a <= 500 -- logged")
	rowsOf(t, conn, "SELECT count(*) FROM (SELECT DISTINCT md5(g::text) FROM generate_series(1, 700000) s(g)) q -- spilled")
	for _, sql := range []string{"SELECT 1/0 -- failing", "SELECT nope -- misspelt", "SELECT ' -- torn"} {
		if _, err := conn.Exec(context.Background(), sql).ReadAll(); err == nil {
			t.Error("no error:", sql)
		}
	}
	if _, err := conn.ExecParams(context.Background(), "SELECT $1::int -- parameter", [][]byte{[]byte("7")}, nil, nil, nil).Close(); err != nil {
		t.Fatal(err)
	}
	const log = "FROM system.query_log WHERE query LIKE '%-- "
	one("SELECT state, user_name, database, result_rows, rows_read, error_code IS NULL, ended_at >= started_at, elapsed_ms >= 0, memory_bytes > 0, spilled_bytes "+log+"logged'", "finished|ana|lake|500|1000|t|t|t|t|0")
	one("SELECT state, spilled_bytes > 1000000, memory_bytes BETWEEN 1000000 AND 40000000, cpu_ms > 0 "+log+"spilled'", "finished|t|t|t")
	one("SELECT state, error_code, error_message, result_rows "+log+"failing'", "failed|22012|division by zero|0")
	one("SELECT state, error_code "+log+"misspelt'", "failed|42703")
	one("SELECT state, error_code "+log+"torn'", "failed|42601")
	one("SELECT state, result_rows "+log+"parameter'", "finished|1")
	one("SELECT count(*), min(state), bool_and(query LIKE '%system.queries%'), bool_and(memory_bytes >= 0 AND elapsed_ms >= 0) FROM system.queries", "1|running|t|t")
	one("SELECT value, default_value, origin, settable, category FROM system.settings WHERE name = 'memory.query_limit'", "32MB|0|command line|f|memory")
	rowsOf(t, conn, "SET application_name = 'told'")
	one("SELECT value, origin, settable FROM system.settings WHERE name = 'application_name'", "told|session|t")
	one("SELECT count(*) > 100, count(DISTINCT name) = count(*) FROM system.settings", "t|t")
	one("SELECT value >= 1, kind FROM system.metrics WHERE name = 'tarn_statements_total' AND labels LIKE '%22012%'", "t|counter")
	one("SELECT value > 1000000, kind, description IS NOT NULL FROM system.metrics WHERE name = 'process_resident_memory_bytes'", "t|gauge|t")
	one("SELECT count(*) FROM system.metrics WHERE name = 'tarn_statement_seconds_count' AND value > 5", "1")
	one("SELECT count(*), min(address), min(roles), min(state), bool_and(cpus > 0 AND memory_limit > 0 AND running_tasks = 1 AND started_at < now()) FROM system.nodes", "1|"+s.address+"|coordinator,worker|active|t")

	_ = s.command.Process.Kill()
	<-s.ended
	conn = startServer(t, "--data", data).connect(t)
	one("SELECT state, result_rows, rows_read "+log+"logged'", "finished|500|1000")
}
