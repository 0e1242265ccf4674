package main

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
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

func TestGroupLimitsHoldOverCoordinators(t *testing.T) {
	file := filepath.Join(t.TempDir(), "tarn.toml")
	if err := os.WriteFile(file, []byte("[resource_groups.small]\nmax_running = 1\nmax_queued = 2\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	node := func(join ...string) *server {
		return startServer(t, append([]string{"--config", file, "--data", filepath.Join(t.TempDir(), "lake"), "--role", "coordinator",
			"--set", "cluster.gossip_listen=127.0.0.1:0", "--set", "server.rpc_listen=127.0.0.1:0"}, join...)...)
	}
	one := node()
	two := node("--join", one.logged(t, `gossip=(\S+)`))
	watching := two.connect(t)
	waitFor(t, watching, "SELECT count(*) FROM system.nodes WHERE state = 'active'", "2")

	const endless = "SELECT count(*) FROM generate_series(1, 1000000000000)"
	const standing = "SELECT running, queued FROM system.resource_groups WHERE name = 'small'"
	begin := func(s *server) (*pgconn.PgConn, <-chan error) {
		conn, ended := s.connect(t), make(chan error, 1)
		rowsOf(t, conn, "SET resource_group = 'small'")
		go func() { ended <- conn.Exec(context.Background(), endless).Close() }()
		return conn, ended
	}
	canceled := func(ended <-chan error, text string) {
		t.Helper()
		var refused *pgconn.PgError
		if err := <-ended; !errors.As(err, &refused) || refused.Code != "57014" || refused.Message != text {
			t.Error(err)
		}
	}
	const byUser, byTimeout = "canceling statement due to user request", "canceling statement due to statement timeout"
	running, runningEnded := begin(one)
	waitFor(t, watching, standing, "1|0")
	waiting, waitingEnded := begin(two)
	waitFor(t, one.connect(t), standing, "1|1")
	waitFor(t, watching, "SELECT queue_position, waiting_for FROM system.queries WHERE state = 'queued'",
		"1|1 of at most 1 queries run and 1 of at most 2 wait, 1 and 0 of them on other coordinators.")

	told := make(chan string, 100)
	patient := one.connectWith(t, func(c *pgconn.Config) {
		c.OnNotice = func(_ *pgconn.PgConn, n *pgconn.Notice) {
			select {
			case told <- n.Detail:
			default:
			}
		}
	})
	rowsOf(t, patient, "SET resource_group = 'small'")
	rowsOf(t, patient, "SET progress_notices = '20ms'")
	patientEnded := make(chan error, 1)
	go func() { patientEnded <- patient.Exec(context.Background(), endless).Close() }()
	detail := <-told
	for range 100 { // the first may come while the query is planned
		if strings.Contains(detail, "queued") {
			break
		}
		detail = <-told
	}
	if !strings.Contains(detail, `"queued":2,"reason":"1 of at most 1 queries run and 2 of at most 2 wait`) {
		t.Error(detail)
	}
	if err := patient.CancelRequest(context.Background()); err != nil {
		t.Fatal(err)
	}
	canceled(patientEnded, byUser)

	impatient := one.connect(t)
	rowsOf(t, impatient, "SET resource_group = 'small'")
	rowsOf(t, impatient, "SET statement_timeout = '50ms'")
	ended := make(chan error, 1)
	ended <- impatient.Exec(context.Background(), endless).Close()
	canceled(ended, byTimeout)

	if err := running.CancelRequest(context.Background()); err != nil {
		t.Fatal(err)
	}
	canceled(runningEnded, byUser)
	waitFor(t, watching, "SELECT state FROM system.queries WHERE resource_group = 'small'", "running")

	_, lostEnded := begin(two)
	waitFor(t, one.connect(t), standing, "1|1")
	last, lastEnded := begin(one)
	waitFor(t, watching, standing, "1|2")
	full := two.connect(t)
	rowsOf(t, full, "SET resource_group = 'small'")
	var refused *pgconn.PgError
	if err := full.Exec(context.Background(), endless).Close(); !errors.As(err, &refused) || refused.Code != "53300" ||
		refused.Detail != "1 of at most 1 queries run and 2 of at most 2 wait, 0 and 1 of them on other coordinators." {
		t.Errorf("%+v", refused)
	}
	_ = two.command.Process.Kill() // what it runs and what waits there hold nobody back for long
	<-waitingEnded
	<-lostEnded
	waitFor(t, one.connect(t), "SELECT state FROM system.queries WHERE resource_group = 'small'", "running")
	if err := last.CancelRequest(context.Background()); err != nil {
		t.Fatal(err)
	}
	canceled(lastEnded, byUser)
	_ = waiting
}
