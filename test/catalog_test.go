package test

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
)

// clientStatement is a statement that a real client sent.
type clientStatement struct{ client, name, sql string }

func clientStatements(t *testing.T) []clientStatement {
	t.Helper()
	paths, err := filepath.Glob("../planner/parser/testdata/clients/*.sql")
	if err != nil || len(paths) == 0 {
		t.Fatal("no client statements", err)
	}
	var out []clientStatement
	for _, path := range paths {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		client := strings.TrimSuffix(filepath.Base(path), ".sql")
		for part := range bytes.SplitSeq(text, []byte("-- @ ")) {
			name, sql, _ := strings.Cut(string(part), "\n")
			if sql = strings.TrimSpace(sql); sql != "" {
				out = append(out, clientStatement{client, name, sql})
			}
		}
	}
	return out
}

// unsupported are the errors that tell of something that the server lacks.
var unsupported = []string{"42883", "42P01", "42703", "0A000", "XX000", "42704", "42601", "42804", "42846", "42725", "42P18", "42809"}

// TestClientStatements runs what clients send while they connect and look around. It logs what does
// not run yet, and fails when fewer run than did.
func TestClientStatements(t *testing.T) {
	const floor = 390
	url := startServer(t, cell{name: "default"})
	ctx, cancel := context.WithTimeout(context.Background(), 3*time.Minute)
	defer cancel()
	conn, err := pgconn.Connect(ctx, strings.TrimSuffix(url, "tarn")+"shop")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close(ctx) }()
	for _, sql := range []string{
		"CREATE SCHEMA sales", "CREATE SCHEMA dbt", "CREATE TABLE t (id bigint NOT NULL, name text, at timestamp)", "CREATE VIEW v AS SELECT id FROM t",
		"CREATE TABLE sales.orders (order_id bigint, region text, qty integer, amount numeric(12,2), ordered_at timestamp, day date)",
		"CREATE TABLE sales.daily_revenue (day date, region text, revenue numeric(18,2), n bigint)",
		"CREATE VIEW sales.v_orders AS SELECT * FROM sales.orders",
	} {
		if err := run(ctx, conn, sql); err != nil {
			t.Fatal(sql, err)
		}
	}
	ran, total := 0, 0
	for _, s := range clientStatements(t) {
		if len(s.sql) > 4 && strings.EqualFold(s.sql[:4], "copy") { // needs data from the client
			continue
		}
		total++
		err := run(ctx, conn, s.sql)
		if conn.IsClosed() {
			t.Fatalf("%s %s closed the connection: %v", s.client, s.name, err)
		}
		if conn.TxStatus() != 'I' {
			_ = run(ctx, conn, "ROLLBACK")
		}
		var failure *pgconn.PgError
		if errors.As(err, &failure) && slices.Contains(unsupported, failure.Code) {
			t.Logf("%s %s: %s %s at %d", s.client, s.name, failure.Code, failure.Message, failure.Position)
			continue
		}
		ran++
	}
	t.Logf("%d of %d statements bind and run", ran, total)
	if ran < floor {
		t.Errorf("%d of %d statements run, fewer than %d", ran, total, floor)
	}
}

// run executes a statement, with NULL for each of its parameters.
func run(ctx context.Context, conn *pgconn.PgConn, sql string) error {
	ctx, cancel := context.WithTimeout(ctx, 20*time.Second)
	defer cancel()
	if !strings.Contains(sql, "$1") {
		_, err := conn.Exec(ctx, sql).ReadAll()
		return err
	}
	d, err := conn.Prepare(ctx, "", sql, nil)
	if err != nil {
		return err
	}
	return conn.ExecPrepared(ctx, "", make([][]byte, len(d.ParamOIDs)), nil, nil).Read().Err
}
