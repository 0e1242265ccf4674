package main

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
)

// waitFor asks until the answer is as wanted.
func waitFor(t *testing.T, conn *pgconn.PgConn, sql, want string) {
	t.Helper()
	var got []string
	for range 500 {
		if got = rowsOf(t, conn, sql); len(got) == 1 && got[0] == want {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Fatalf("%s: %q, want %q", sql, got, want)
}

func TestResourceGroupsHoldQueriesBack(t *testing.T) {
	file := filepath.Join(t.TempDir(), "tarn.toml")
	err := os.WriteFile(file, []byte(`
[resource_groups.small]
cpu_weight = 3
memory = "25%"
max_running = 1
max_queued = 1
query_memory = "16MB"
query_bytes = "1kB"
applications = ["report*"]
[resource_groups.brief]
query_time = "50ms"
`), 0o644)
	if err != nil {
		t.Fatal(err)
	}
	s := startServer(t, "--config", file, "--set", "spill.enabled=false")
	const endless = "SELECT count(*) FROM generate_series(1, 1000000000000)"
	busy, waiting, full, watching := s.connect(t), s.connect(t), s.connect(t), s.connect(t)
	state := func(sql string) func() {
		return func() {
			waitFor(t, watching, "SELECT state, resource_group FROM system.queries WHERE query LIKE '%"+sql+"'", sql+"|small")
		}
	}
	ended := make(chan error, 2)
	for conn, mark := range map[*pgconn.PgConn]string{busy: "running"} {
		rowsOf(t, conn, "SET application_name = 'report 7'")
		go func() { ended <- conn.Exec(context.Background(), endless+" -- "+mark).Close() }()
		state(mark)()
	}
	rowsOf(t, waiting, "SET resource_group = 'small'")
	go func() { ended <- waiting.Exec(context.Background(), endless+" -- queued").Close() }()
	state("queued")()
	rowsOf(t, full, "SET resource_group = small")
	var refused *pgconn.PgError
	if err := full.Exec(context.Background(), "SELECT count(*) FROM generate_series(1, 10)").Close(); !errors.As(err, &refused) || refused.Code != "53300" || refused.Detail == "" {
		t.Error(err)
	}
	rowsOf(t, full, "SELECT 1") // needs no turn
	waitFor(t, watching, "SELECT name, cpu_weight, running, max_running, queued, max_queued FROM system.resource_groups WHERE name = 'small'", "small|3|1|1|1|1")
	waitFor(t, watching, "SELECT pg_cancel_backend(pid) FROM system.queries WHERE state = 'queued'", "t")
	if err := <-ended; !errors.As(err, &refused) || refused.Code != "57014" {
		t.Error(err)
	}
	waitFor(t, watching, "SELECT pg_cancel_backend(pid) FROM system.queries WHERE resource_group = 'small'", "t")
	if err := <-ended; !errors.As(err, &refused) || refused.Code != "57014" {
		t.Error(err)
	}
	waitFor(t, watching, "SELECT running, queued FROM system.resource_groups WHERE name = 'small'", "0|0")

	limited := func(group, sql, code string) {
		t.Helper()
		rowsOf(t, full, "SET resource_group = "+group)
		if err := full.Exec(context.Background(), sql).Close(); !errors.As(err, &refused) || refused.Code != code {
			t.Errorf("%s in %s: %v", sql, group, err)
		}
	}
	limited("small", "SELECT count(*) FROM (SELECT DISTINCT md5(g::text) FROM generate_series(1, 700000) s(g)) q", "53200")
	limited("brief", endless, "57014")
	limited("nowhere", "SELECT count(*) FROM generate_series(1, 10)", "42704")
	rowsOf(t, full, "RESET resource_group")
	rowsOf(t, full, "CREATE TABLE big AS SELECT g, md5(g::text) AS m FROM generate_series(1, 200000) s(g)")
	limited("small", "SELECT count(*) FROM big a JOIN big b ON a.m < b.m", "57014")
}
