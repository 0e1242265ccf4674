package main

import (
	"math/rand/v2"
	"net"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/tarnlake/tarn/test/certificates"
)

// startSecure starts a node that shows a certificate of an authority.
func startSecure(t *testing.T, name, role, secret string, authority *certificates.Authority, join string) *server {
	t.Helper()
	certificate, key := authority.Node(t, name, 2*time.Hour)
	args := []string{"--data", filepath.Join(t.TempDir(), "lake"), "--role", role, "--set", "cluster.gossip_listen=127.0.0.1:0",
		"--set", "server.rpc_listen=127.0.0.1:0", "--set", "cluster.secret=" + secret, "--set", "cluster.name=" + name,
		"--set", "cluster.tls_cert=" + certificate, "--set", "cluster.tls_key=" + key, "--set", "cluster.tls_ca=" + authority.File}
	if join != "" {
		args = append(args, "--join", join)
	}
	return startServer(t, args...)
}

// awaitLog waits until a server's log holds all parts.
func (s *server) awaitLog(t *testing.T, parts ...string) {
	t.Helper()
	for _, part := range parts {
		for end := time.Now().Add(20 * time.Second); !strings.Contains(s.log.String(), part); time.Sleep(20 * time.Millisecond) {
			if time.Now().After(end) {
				t.Fatalf("no %q in %s", part, s.log)
			}
		}
	}
}

// TestStrangersAreRefusedAndLogged lets nodes without the secret, without a certificate and with one
// of another authority at a cluster that talks TLS. It goes on with its work.
func TestStrangersAreRefusedAndLogged(t *testing.T) {
	t.Setenv("TARN_SETTINGS_DISTRIBUTE_FROM_ROWS", "0")
	ours, theirs := certificates.New(t, "ours"), certificates.New(t, "theirs")
	coordinator := startSecure(t, "first", "coordinator", "hush", ours, "")
	gossip := coordinator.logged(t, `gossip=(\S+)`)
	worker := startSecure(t, "second", "worker", "hush", ours, gossip)
	conn := coordinator.connect(t)
	waitFor(t, conn, "SELECT count(*) FROM system.nodes WHERE state = 'active'", "2")
	works := func() {
		t.Helper()
		const query = "SELECT count(*), sum(l_quantity) FROM tpch.sf0_01.lineitem JOIN tpch.sf0_01.orders ON l_orderkey = o_orderkey"
		if plan := strings.Join(rowsOf(t, conn, "EXPLAIN "+query), "\n"); !strings.Contains(plan, "Exchange") {
			t.Errorf("not spread:\n%s", plan)
		}
		if got := rowsOf(t, conn, query); got[0] != "60175|1536127.00" {
			t.Error(got)
		}
	}
	works()

	loud := startSecure(t, "loud", "worker", "loud", ours, gossip)
	coordinator.awaitLog(t, `msg="refused a message of gossip from a machine that has another cluster.secret, or none" from=127.0.0.1:`)
	loud.awaitLog(t, "whose secret is another one", "Set cluster.secret to the same value on all nodes.")

	other := startSecure(t, "other", "worker", "hush", theirs, gossip)
	const refused = `msg="no work with a node whose certificate is of another authority, or that has none" from=127.0.0.1:`
	coordinator.awaitLog(t, refused, "node=other")
	other.awaitLog(t, refused, "cluster.tls_ca of all")
	waitFor(t, conn, "SELECT count(*) FROM system.nodes WHERE name = 'other' AND state = 'other certificate'", "1")
	waitFor(t, conn, "SELECT count(*) FROM system.nodes WHERE state = 'active'", "2")
	works()

	// Whoever asks without a certificate, or with a wrong one, is refused too.
	output, err := tarn(t, "node", "drain", "--set", "cluster.secret=hush", worker.logged(t, `rpc=(\S+)`)).CombinedOutput()
	if err == nil || !strings.Contains(string(output), "it uses TLS: set cluster.tls_cert") {
		t.Errorf("%v %s", err, output)
	}
	worker.awaitLog(t, `msg="refused a connection" from=127.0.0.1:`)
	certificate, key := ours.Node(t, "operator", 2*time.Hour)
	drain := tarn(t, "node", "drain", "--set", "cluster.secret=hush", "--set", "cluster.tls_cert="+certificate, "--set", "cluster.tls_key="+key,
		"--set", "cluster.tls_ca="+ours.File, worker.logged(t, `rpc=(\S+)`))
	if output, err := drain.CombinedOutput(); err != nil {
		t.Errorf("%v %s", err, output)
	}
	select {
	case <-worker.ended:
	case <-time.After(20 * time.Second):
		t.Fatal("the drained node goes on")
	}
}

// TestGarbageDoesNothing sends random bytes to all ports of running nodes, with encryption and without.
func TestGarbageDoesNothing(t *testing.T) {
	authority := certificates.New(t, "ours")
	alone := startServer(t, "--data", filepath.Join(t.TempDir(), "lake"), "--role", "both", "--set", "cluster.gossip_listen=127.0.0.1:0",
		"--set", "server.rpc_listen=127.0.0.1:0")
	for _, node := range []*server{alone, startNode(t, "both", ""), startSecure(t, "secure", "both", "hush", authority, "")} {
		conn := node.connect(t)
		gossip, rpc := node.logged(t, `gossip=(\S+)`), node.logged(t, ` rpc=(\S+)`)
		random := rand.New(rand.NewPCG(1, 2))
		before := node.resident(t)
		for i := range 400 {
			throw(t, "udp", gossip, garbage(random, 1200, i))
		}
		for i := range 60 {
			throw(t, "tcp", gossip, garbage(random, 20_000, i))
			throw(t, "tcp", rpc, garbage(random, 20_000, i))
			throw(t, "tcp", rpc, append([]byte("POST /v1/worker/start HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n"), garbage(random, 2000, i)...))
		}
		checkAlive(t, node, conn)
		if grown := node.resident(t) - before; grown > 256<<20 {
			t.Errorf("it takes %d MB more", grown>>20)
		}
		if n := strings.Count(node.log.String(), "\n"); n > 60 {
			t.Errorf("%d lines of log: %s", n, node.log)
		}
		if strings.Contains(node.log.String(), "panic") {
			t.Error(node.log)
		}
	}
}

func checkAlive(t *testing.T, node *server, conn *pgconn.PgConn) {
	t.Helper()
	select {
	case <-node.ended:
		t.Fatalf("the node has ended: %s", node.log)
	default:
	}
	if got := rowsOf(t, conn, "SELECT count(*), min(state) FROM system.nodes"); got[0] != "1|active" {
		t.Error(got)
	}
}

// garbage makes random bytes that begin as one of gossip's messages does.
func garbage(random *rand.Rand, most, i int) []byte {
	out := make([]byte, 1+random.IntN(most))
	for k := range out {
		out[k] = byte(random.Uint32())
	}
	if i%4 > 0 {
		out[0] = byte(i % 16)
	}
	return out
}

// throw sends bytes and waits a moment for what comes back.
func throw(t *testing.T, network, address string, message []byte) {
	t.Helper()
	conn, err := net.DialTimeout(network, address, 5*time.Second)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(50 * time.Millisecond))
	_, _ = conn.Write(message)
	if network == "tcp" {
		_, _ = conn.Read(make([]byte, 1000))
	}
}
