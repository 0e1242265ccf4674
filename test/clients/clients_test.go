package clients

import (
	"context"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/tarnlake/tarn/cmd/tarn/node"
	"github.com/tarnlake/tarn/cmd/tarn/wiring"
	"github.com/tarnlake/tarn/internal/config"
	"github.com/tarnlake/tarn/planner/parser"
)

// installed gives the directory of the clients.
func installed(t *testing.T) string {
	t.Helper()
	dir := os.Getenv("TARN_CLIENTS")
	if dir == "" {
		cache, err := os.UserCacheDir()
		if err != nil {
			t.Fatal(err)
		}
		dir = filepath.Join(cache, "tarn-clients")
	}
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Minute)
	defer cancel()
	if out, err := exec.CommandContext(ctx, "./install.sh", dir).CombinedOutput(); err != nil {
		t.Fatalf("installing the clients: %v\n%s", err, out)
	}
	return dir
}

// startServer runs a server in this process and gives host and port.
func startServer(t *testing.T) (host, port string) {
	t.Helper()
	ctx := context.Background()
	c := config.Default()
	c.Server.PgListen, c.Server.HTTPListen = "127.0.0.1:0", ""
	system, err := wiring.Open(ctx, wiring.Options{Config: c, InMemory: true})
	if err != nil {
		t.Fatal(err)
	}
	n, err := node.Start(ctx, node.Options{Config: c, Version: "test", Engine: system.Engine, Parse: parser.Parse,
		Spools: system.Spools(c), Passwords: system.Accounts(), Defaults: system.Accounts().Defaults, Listen: true})
	if err != nil {
		t.Fatal(err)
	}
	system.UseSessions(n.Manager())
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		n.Stop(ctx)
		if err := system.Close(); err != nil {
			t.Error(err)
		}
	})
	host, port, err = net.SplitHostPort(n.Address())
	if err != nil {
		t.Fatal(err)
	}
	return host, port
}

func TestClients(t *testing.T) {
	dir := installed(t)
	host, port := startServer(t)
	python := filepath.Join(dir, "venv", "bin", "python")
	for _, session := range [][]string{
		{python, "psycopg2_session.py", host, port},
		{python, "psycopg3_session.py", host, port},
		{python, "sqlalchemy_session.py", host, port},
		{"java", "-cp", filepath.Join(dir, "postgresql-42.7.7.jar"), "JdbcSession.java", host, port},
	} {
		t.Run(session[len(session)-3], func(t *testing.T) {
			ctx, cancel := context.WithTimeout(context.Background(), 3*time.Minute)
			defer cancel()
			if out, err := exec.CommandContext(ctx, session[0], session[1:]...).CombinedOutput(); err != nil {
				t.Fatalf("%v\n%s", err, out)
			}
		})
	}
}
