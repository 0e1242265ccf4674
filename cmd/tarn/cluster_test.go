package main

import (
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
)

// startNode starts a server that takes part in a cluster; join is the gossip address of another one.
func startNode(t *testing.T, role, join string) *server {
	t.Helper()
	t.Setenv("TARN_SETTINGS_DISTRIBUTE_FROM_ROWS", "0")
	args := []string{"--data", filepath.Join(t.TempDir(), "lake"), "--role", role, "--set", "cluster.gossip_listen=127.0.0.1:0",
		"--set", "server.rpc_listen=127.0.0.1:0", "--set", "cluster.secret=hush"}
	if join != "" {
		args = append(args, "--join", join)
	}
	return startServer(t, args...)
}

func (s *server) logged(t *testing.T, pattern string) string {
	t.Helper()
	m := regexp.MustCompile(pattern).FindStringSubmatch(s.log.String())
	if m == nil {
		t.Fatalf("no %s in %s", pattern, s.log)
	}
	return m[1]
}

func TestClusterOfProcesses(t *testing.T) {
	coordinator := startNode(t, "coordinator", "")
	gossip := coordinator.logged(t, `gossip=(\S+)`)
	first, second := startNode(t, "worker", gossip), startNode(t, "worker", gossip)
	conn := coordinator.connect(t)
	const workers = "SELECT count(*) FROM system.nodes WHERE roles = 'worker' AND state = 'active'"
	waitFor(t, conn, workers, "2")

	const query = "SELECT o_orderpriority, count(*), sum(l_quantity) FROM tpch.sf0_01.lineitem JOIN tpch.sf0_01.orders ON l_orderkey = o_orderkey GROUP BY 1 ORDER BY 1"
	alone := startServer(t, "--data", filepath.Join(t.TempDir(), "lake"))
	want := strings.Join(rowsOf(t, alone.connect(t), query), "\n")
	spread := func(n string) {
		t.Helper()
		waitFor(t, conn, workers, n)
		if plan := strings.Join(rowsOf(t, conn, "EXPLAIN "+query), "\n"); !strings.Contains(plan, "Exchange") {
			t.Errorf("not spread:\n%s", plan)
		}
		if got := strings.Join(rowsOf(t, conn, query), "\n"); got != want || want == "" {
			t.Errorf("%s\n not\n%s", got, want)
		}
	}
	spread("2")

	_ = second.command.Process.Kill()
	spread("1")

	// A drained one ends by itself.
	output, err := tarn(t, "node", "drain", "--set", "cluster.secret=wrong", first.logged(t, `rpc=(\S+)`)).CombinedOutput()
	if err == nil || !strings.Contains(string(output), "secret") {
		t.Errorf("%v %s", err, output)
	}
	drain := tarn(t, "node", "drain", "--set", "cluster.secret=hush", first.logged(t, `rpc=(\S+)`))
	if output, err := drain.CombinedOutput(); err != nil {
		t.Errorf("%v %s", err, output)
	}
	select {
	case <-first.ended:
	case <-time.After(20 * time.Second):
		t.Fatal("the drained node goes on")
	}
	waitFor(t, conn, workers, "0")
	if got := strings.Join(rowsOf(t, conn, query), "\n"); got != want {
		t.Errorf("without workers: %s", got)
	}
}

func TestANodeIsNotOpenToStrangers(t *testing.T) {
	output, err := tarn(t, "server", "--role", "both", "--data", t.TempDir()).CombinedOutput()
	if err == nil || !strings.Contains(string(output), "cluster.secret") {
		t.Errorf("%v %s", err, output)
	}
}

func TestANodeWithoutOthersNeedsNoExchange(t *testing.T) {
	both := startNode(t, "both", "")
	conn := both.connect(t)
	const query = "SELECT count(*), sum(o_totalprice) FROM tpch.sf0_01.orders"
	want := strings.Join(rowsOf(t, conn, query), "\n")
	if plan := strings.Join(rowsOf(t, conn, "EXPLAIN "+query), "\n"); strings.Contains(plan, "Exchange") {
		t.Errorf("spread over itself:\n%s", plan)
	}
	startNode(t, "worker", both.logged(t, `gossip=(\S+)`))
	waitFor(t, conn, "SELECT count(*) FROM system.nodes WHERE roles LIKE '%worker%' AND state = 'active' AND tasks_done >= 0", "2")
	if plan := strings.Join(rowsOf(t, conn, "EXPLAIN "+query), "\n"); !strings.Contains(plan, "Distribution: 2 workers; 15000 rows") {
		t.Errorf("not spread over both:\n%s", plan)
	}
	if got := strings.Join(rowsOf(t, conn, query), "\n"); got != want {
		t.Error(got, want)
	}
}
