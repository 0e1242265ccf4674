package pgwire

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgproto3"

	"github.com/tarnlake/tarn/coordinator/session"
	"github.com/tarnlake/tarn/coordinator/session/enginetest"
	"github.com/tarnlake/tarn/planner/parser"
)

// fixture is a server on a loopback port over a fake engine.
type fixture struct {
	t       *testing.T
	engine  *enginetest.Engine
	manager *session.Manager
	server  *Server
	address string
}

func newFixture(t *testing.T, configure func(*Config, *session.Config)) *fixture {
	t.Helper()
	f := &fixture{t: t, engine: &enginetest.Engine{Answers: map[string]enginetest.Answer{}}}
	sessions := session.Config{Engine: f.engine, Parse: parser.Parse, Version: "test"}
	config := Config{TrustLoopback: true}
	if configure != nil {
		configure(&config, &sessions)
	}
	f.manager = session.NewManager(sessions)
	config.Manager = f.manager
	server, err := NewServer(context.Background(), config)
	if err != nil {
		t.Fatal(err)
	}
	f.server = server
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	f.address = listener.Addr().String()
	done := make(chan error, 1)
	go func() { done <- server.Serve(listener) }()
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		server.Shutdown(ctx)
		if err := <-done; err != nil {
			t.Error(err)
		}
		if left := f.engine.Open.Load(); left != 0 {
			t.Errorf("%d sources were not closed", left)
		}
	})
	return f
}

// client is a protocol-level client.
type client struct {
	t  *testing.T
	nc net.Conn
	*pgproto3.Frontend
}

func (f *fixture) dial() *client {
	f.t.Helper()
	nc, err := net.Dial("tcp", f.address)
	if err != nil {
		f.t.Fatal(err)
	}
	f.t.Cleanup(func() { _ = nc.Close() })
	_ = nc.SetDeadline(time.Now().Add(20 * time.Second))
	return &client{t: f.t, nc: nc, Frontend: pgproto3.NewFrontend(nc, nc)}
}

// connect starts a session and gives the messages up to ReadyForQuery.
func (f *fixture) connect(parameters ...string) (*client, []string) {
	f.t.Helper()
	c := f.dial()
	startup := &pgproto3.StartupMessage{ProtocolVersion: pgproto3.ProtocolVersion30, Parameters: map[string]string{"user": "ana"}}
	for i := 0; i+1 < len(parameters); i += 2 {
		startup.Parameters[parameters[i]] = parameters[i+1]
	}
	c.Send(startup)
	return c, c.until('Z')
}

// until flushes and gives a line a message up to one of the given kind (or the connection's end).
func (c *client) until(last byte) []string {
	c.t.Helper()
	if err := c.Flush(); err != nil {
		c.t.Fatal(err)
	}
	var lines []string
	for {
		m, err := c.Receive()
		if err != nil {
			return append(lines, "closed")
		}
		lines = append(lines, describeMessage(m))
		if kindOf(m) == last {
			return lines
		}
	}
}

func kindOf(m pgproto3.BackendMessage) byte {
	b, _ := m.Encode(nil)
	return b[0]
}

func describeMessage(m pgproto3.BackendMessage) string {
	switch m := m.(type) {
	case *pgproto3.ErrorResponse:
		line := fmt.Sprintf("%s %s: %s", m.Severity, m.Code, m.Message)
		if m.Position > 0 {
			line += fmt.Sprintf(" at %d", m.Position)
		}
		return line
	case *pgproto3.NoticeResponse:
		return fmt.Sprintf("%s %s: %s", m.Severity, m.Code, m.Message)
	case *pgproto3.DataRow:
		var values []string
		for _, v := range m.Values {
			if v == nil {
				values = append(values, "NULL")
			} else {
				values = append(values, string(v))
			}
		}
		return "row " + strings.Join(values, "|")
	case *pgproto3.RowDescription:
		var fields []string
		for _, f := range m.Fields {
			field := fmt.Sprintf("%s:%d", f.Name, f.DataTypeOID)
			if f.Format == 1 {
				field += ":binary"
			}
			fields = append(fields, field)
		}
		return "columns " + strings.Join(fields, " ")
	case *pgproto3.CommandComplete:
		return "tag " + string(m.CommandTag)
	case *pgproto3.ReadyForQuery:
		return "ready " + string(m.TxStatus)
	case *pgproto3.ParameterStatus:
		return "set " + m.Name + "=" + m.Value
	case *pgproto3.BackendKeyData:
		return "key"
	case *pgproto3.ParameterDescription:
		return fmt.Sprint("params ", m.ParameterOIDs)
	case *pgproto3.CopyData:
		return "data " + strings.TrimSuffix(string(m.Data), "\n")
	}
	b, _ := json.Marshal(m)
	var named struct{ Type string }
	_ = json.Unmarshal(b, &named)
	return named.Type
}

// query runs a simple query.
func (c *client) query(sql string) []string {
	c.t.Helper()
	c.Send(&pgproto3.Query{String: sql})
	return c.until('Z')
}

func expect(t *testing.T, got []string, want ...string) {
	t.Helper()
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Fatalf("got:\n  %s\nwant:\n  %s", strings.Join(got, "\n  "), strings.Join(want, "\n  "))
	}
}

func TestStartTellsSettings(t *testing.T) {
	f := newFixture(t, nil)
	_, lines := f.connect("application_name", "probe", "client_encoding", "'utf-8'", "options", `-c statement_timeout=5s -c search_path=a,b`,
		"TimeZone", "europe/berlin")
	expect(t, lines, "AuthenticationOK", "set application_name=probe", "set client_encoding=UTF8", "set DateStyle=ISO, MDY",
		"set default_transaction_read_only=off", "set in_hot_standby=off", "set integer_datetimes=on", "set IntervalStyle=postgres",
		"set is_superuser=on", "set server_encoding=UTF8", "set server_version=16.4 (Tarn test)", "set session_authorization=ana",
		"set standard_conforming_strings=on", "set TimeZone=Europe/Berlin", "key", "ready I")
}

func TestSimpleQueries(t *testing.T) {
	f := newFixture(t, nil)
	c, _ := f.connect()
	expect(t, c.query("select 1, 'a', null"), "columns ?column?:23 ?column?:25 ?column?:25", "row 1|a|NULL", "tag SELECT 1", "ready I")
	expect(t, c.query(""), "EmptyQueryResponse", "ready I")
	expect(t, c.query("-- nothing"), "EmptyQueryResponse", "ready I")
	expect(t, c.query("select 1; select 2;"), "columns ?column?:23", "row 1", "tag SELECT 1", "columns ?column?:23", "row 2", "tag SELECT 1", "ready I")
	f.engine.Log()
	expect(t, c.query("select 1; select nothing; select 2"), "columns ?column?:23", "row 1", "tag SELECT 1",
		`ERROR 42P01: no answer to "select nothing" at 11`, "ready I")
	expect(t, f.engine.Log(), "begin", "rollback")
	expect(t, c.query("select * from series(5)"), "columns i:23", "row 1", "row 2", "row 3", "row 4", "row 5", "tag SELECT 5", "ready I")
	expect(t, c.query("selec 1"), `ERROR 42601: syntax error at or near "selec" at 1`, "ready I")
	expect(t, c.query("select $1"), `ERROR 42P01: no answer to "select $1" at 1`, "ready I")
	expect(t, c.query("select 1\x00; select 2"), "ERROR 08P01: invalid message format", "ready I")
	expect(t, c.query("select 1"), "columns ?column?:23", "row 1", "tag SELECT 1", "ready I")
}

func TestTransactionBlocks(t *testing.T) {
	f := newFixture(t, nil)
	c, _ := f.connect()
	expect(t, c.query("begin"), "tag BEGIN", "ready T")
	expect(t, c.query("begin"), "WARNING 25001: there is already a transaction in progress", "tag BEGIN", "ready T")
	expect(t, c.query("savepoint a"), "tag SAVEPOINT", "ready T")
	expect(t, c.query("select nothing"), `ERROR 42P01: no answer to "select nothing" at 1`, "ready E")
	expect(t, c.query("select 1"), "ERROR 25P02: current transaction is aborted, commands ignored until end of transaction block", "ready E")
	expect(t, c.query("rollback to a"), "tag ROLLBACK", "ready T")
	expect(t, c.query("select 1"), "columns ?column?:23", "row 1", "tag SELECT 1", "ready T")
	expect(t, c.query("release a; commit"), "tag RELEASE", "tag COMMIT", "ready I")
	expect(t, f.engine.Log(), "begin", "savepoint 1", "rollback to 1", "commit")
	expect(t, c.query("commit"), "WARNING 25P01: there is no transaction in progress", "tag COMMIT", "ready I")
	expect(t, c.query("begin; select nothing"), "tag BEGIN", `ERROR 42P01: no answer to "select nothing" at 8`, "ready E")
	expect(t, c.query("commit"), "tag ROLLBACK", "ready I")
	expect(t, c.query("savepoint a"), "ERROR 25P01: SAVEPOINT can only be used in transaction blocks", "ready I")
	f.engine.Log()
	expect(t, c.query("begin; set application_name = 'inside'; rollback"), "tag BEGIN", "tag SET", "tag ROLLBACK", "ready I")
	expect(t, c.query("set application_name = 'x'"), "tag SET", "set application_name=x", "ready I")
	expect(t, c.query("begin; set local application_name = 'y'; show application_name; commit; show application_name"), "tag BEGIN", "tag SET",
		"columns application_name:25", "row y", "tag SHOW", "tag COMMIT", "columns application_name:25", "row x", "tag SHOW", "ready I")
}
