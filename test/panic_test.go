package test

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/tarnlake/tarn/cmd/tarn/wiring"
	"github.com/tarnlake/tarn/internal/expr"
	"github.com/tarnlake/tarn/internal/plan"
)

// A defect in planning must cost its statement, not the connection, and much less the server.
func TestPanicsWhilePlanningFailTheirStatementAlone(t *testing.T) {
	url := startServer(t, cell{options: wiring.Options{Folded: func(e expr.Expr) {
		if call, ok := e.(*expr.Call); ok && call.Name == "md5" {
			panic("a defect")
		}
	}}})
	ctx := context.Background()
	conn, err := pgx.Connect(ctx, url)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(ctx)
	for range 2 {
		var failure *pgconn.PgError
		if _, err := conn.Exec(ctx, "SELECT md5('x')"); !errors.As(err, &failure) || failure.Code != "XX000" {
			t.Fatal(err)
		}
		var n int
		if err := conn.QueryRow(ctx, "SELECT 1 + 1").Scan(&n); err != nil || n != 2 {
			t.Fatal(n, err)
		}
	}
}

// So must one in starting a query, which gives back its place in the resource group and its memory.
func TestPanicsWhileStartingGiveTheirPlaceBack(t *testing.T) {
	var bad atomic.Bool
	url := startServer(t, cell{options: wiring.Options{Ran: func(plan.Node) {
		if bad.Load() {
			panic("a defect")
		}
	}}})
	ctx := context.Background()
	conn, err := pgx.Connect(ctx, url)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(ctx)
	bad.Store(true)
	for range 3 {
		var failure *pgconn.PgError
		if _, err := conn.Exec(ctx, "SELECT count(*) FROM generate_series(1, 10)"); !errors.As(err, &failure) || failure.Code != "XX000" {
			t.Fatal(err)
		}
	}
	bad.Store(false)
	var running, used int64
	if err := conn.QueryRow(ctx, "SELECT sum(running)::bigint, sum(memory_used)::bigint FROM system.resource_groups").Scan(&running, &used); err != nil || running != 0 || used != 0 {
		t.Error(running, used, err)
	}
}
