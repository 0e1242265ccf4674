package test

import (
	"context"
	"errors"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/tarnlake/tarn/cmd/tarn/wiring"
	"github.com/tarnlake/tarn/internal/expr"
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
