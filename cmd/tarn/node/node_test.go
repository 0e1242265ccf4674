package node

import (
	"context"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/tarnlake/tarn/coordinator/session/enginetest"
	"github.com/tarnlake/tarn/internal/config"
	"github.com/tarnlake/tarn/planner/parser"
)

func start(t *testing.T, change func(*config.Config)) *Node {
	t.Helper()
	c := config.Default()
	c.Server.PgListen, c.Server.HTTPListen = "127.0.0.1:0", "127.0.0.1:0"
	if change != nil {
		change(c)
	}
	n, err := Start(context.Background(), Options{Config: c, Version: "1.2.3", Engine: &enginetest.Engine{}, Parse: parser.Parse, Listen: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		n.Stop(ctx)
	})
	return n
}

func get(t *testing.T, url string) string {
	t.Helper()
	response, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	body, _ := io.ReadAll(response.Body)
	return string(body)
}

func TestMetricsAndHealth(t *testing.T) {
	n := start(t, func(c *config.Config) { c.Settings["application_name"] = "preset" })
	ctx := context.Background()
	conn, err := pgx.Connect(ctx, "postgres://ana@"+n.Address()+"/lake")
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(ctx)
	var count int
	if err := conn.QueryRow(ctx, "select 1").Scan(&count); err != nil {
		t.Fatal(err)
	}
	if _, err := conn.Exec(ctx, "select nothing"); err == nil {
		t.Fatal("no error")
	}
	var name string
	if err := conn.QueryRow(ctx, "show application_name").Scan(&name); err != nil || name != "preset" {
		t.Fatal(name, err)
	}
	var health struct {
		Status, Version string
		Sessions        int
	}
	if err := json.Unmarshal([]byte(get(t, "http://"+n.HTTPAddress()+"/health")), &health); err != nil || health.Status != "ok" || health.Version != "1.2.3" || health.Sessions != 1 {
		t.Fatalf("%+v %v", health, err)
	}
	page := get(t, "http://"+n.HTTPAddress()+"/metrics")
	for _, want := range []string{`tarn_statements_total{code="00000"} 2`, `tarn_statements_total{code="42P01"} 1`, `tarn_sessions{state="idle"} 1`, "tarn_rows_sent_total 2", `tarn_build_info{version="1.2.3"} 1`, "process_resident_memory_bytes"} {
		if !strings.Contains(page, want) {
			t.Errorf("no %s in\n%s", want, page)
		}
	}
}

func TestPortInUseIsExplained(t *testing.T) {
	first := start(t, nil)
	c := config.Default()
	c.Server.PgListen = first.Address()
	_, err := Start(context.Background(), Options{Config: c, Engine: &enginetest.Engine{}, Parse: parser.Parse, Listen: true})
	if err == nil || !strings.Contains(err.Error(), "could not listen on "+first.Address()) {
		t.Fatal(err)
	}
}

func TestPipe(t *testing.T) {
	c := config.Default()
	n, err := Start(context.Background(), Options{Config: c, Engine: &enginetest.Engine{}, Parse: parser.Parse})
	if err != nil {
		t.Fatal(err)
	}
	ctx := context.Background()
	settings, err := pgx.ParseConfig("postgres://ana@inside/lake?sslmode=disable")
	if err != nil {
		t.Fatal(err)
	}
	settings.LookupFunc = func(context.Context, string) ([]string, error) { return []string{"inside"}, nil }
	settings.DialFunc = func(context.Context, string, string) (net.Conn, error) { return n.Pipe(), nil }
	conn, err := pgx.ConnectConfig(ctx, settings)
	if err != nil {
		t.Fatal(err)
	}
	var got string
	if err := conn.QueryRow(ctx, "select 'x'").Scan(&got); err != nil || got != "x" {
		t.Fatal(got, err)
	}
	if err := conn.Close(ctx); err != nil {
		t.Fatal(err)
	}
	n.Stop(ctx)
}
