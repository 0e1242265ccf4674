package main

import (
	"context"
	"errors"
	"net"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgproto3"
)

// A client that reads slowly holds its query back instead of filling the server's memory.
func TestSlowReaderOfTenMillionRows(t *testing.T) {
	s := startServer(t)
	conn := s.connect(t)
	if _, err := conn.Exec(context.Background(), "select count(*) from generate_series(1, 1000000)").ReadAll(); err != nil {
		t.Fatal(err)
	}
	nc, err := net.Dial("tcp", s.address)
	if err != nil {
		t.Fatal(err)
	}
	defer nc.Close()
	front := pgproto3.NewFrontend(nc, nc)
	front.Send(&pgproto3.StartupMessage{ProtocolVersion: pgproto3.ProtocolVersion30, Parameters: map[string]string{"user": "ana"}})
	front.Send(&pgproto3.Query{String: "select i, i * 2, 'some text of row ' || i from generate_series(1, 10000000) g(i)"})
	if err := front.Flush(); err != nil {
		t.Fatal(err)
	}
	before, grown := s.resident(t), int64(0)
	b := make([]byte, 64<<10)
	for start := time.Now(); time.Since(start) < 1500*time.Millisecond; time.Sleep(10 * time.Millisecond) {
		if _, err := nc.Read(b); err != nil {
			t.Fatal(err)
		}
		grown = max(grown, s.resident(t)-before)
	}
	if grown > 64<<20 {
		t.Errorf("the server grew by %d MB", grown>>20)
	}
}

// pg_cancel_backend and pg_terminate_backend reach other sessions.
func TestEndingOtherSessions(t *testing.T) {
	s := startServer(t)
	ctx := context.Background()
	admin := s.connect(t)
	one := func(sql string) string {
		t.Helper()
		results, err := admin.Exec(ctx, sql).ReadAll()
		if err != nil || len(results[0].Rows) != 1 {
			t.Fatal(sql, results, err)
		}
		return string(results[0].Rows[0][0])
	}
	for function, code := range map[string]string{"pg_cancel_backend": "57014", "pg_terminate_backend": "57P01"} {
		busy := s.connect(t)
		failed := make(chan error, 1)
		go func() {
			_, err := busy.Exec(ctx, "select count(*) from generate_series(1, 1000000) a(i), generate_series(1, 1000000) b(i)").ReadAll()
			failed <- err
		}()
		for start := time.Now(); one("select count(*) from pg_stat_activity where state = 'active' and query like 'select count(*) from gen%'") != "1"; {
			if time.Since(start) > 5*time.Second {
				t.Fatal("the query is not listed")
			}
		}
		if got := one("select " + function + "(pid) from pg_stat_activity where state = 'active' and query like 'select count(*) from gen%'"); got != "t" {
			t.Fatal(function, got)
		}
		started := time.Now()
		err := <-failed
		var refused *pgconn.PgError
		if !errors.As(err, &refused) || refused.Code != code || time.Since(started) > time.Second {
			t.Errorf("%s: %v after %v", function, err, time.Since(started))
		}
		if got := one("select " + function + "(2000000000)"); got != "f" {
			t.Error(function, got)
		}
	}
}
