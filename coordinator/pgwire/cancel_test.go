package pgwire

import (
	"context"
	"encoding/binary"
	"io"
	"net"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgproto3"

	"github.com/tarnlake/tarn/coordinator/session"
	"github.com/tarnlake/tarn/coordinator/session/enginetest"
	"github.com/tarnlake/tarn/internal/types"
	"github.com/tarnlake/tarn/internal/vec"
)

// slow answers "select slow" with a batch of 10 rows every 5 ms, for a minute.
func slow(f *fixture) {
	f.engine.Answers["select slow"] = enginetest.Answer{Columns: types.Schema{{Name: "i", Type: types.Of(types.Int32)}},
		Rows: func(context.Context, []types.Datum, vec.Source) (vec.Source, error) {
			return &enginetest.Series{Last: 120_000, Size: 10, Pause: 5 * time.Millisecond}, nil
		}}
}

func (f *fixture) waitUntilActive() {
	f.t.Helper()
	for start := time.Now(); ; time.Sleep(time.Millisecond) {
		for _, a := range f.manager.Sessions() {
			if a.Doing == session.Active && f.engine.Open.Load() > 0 {
				return
			}
		}
		if time.Since(start) > 5*time.Second {
			f.t.Fatal("nothing runs")
		}
	}
}

// keyed connects and gives the cancel key.
func (f *fixture) keyed() (*client, *pgproto3.BackendKeyData) {
	f.t.Helper()
	c := f.dial()
	c.Send(&pgproto3.StartupMessage{ProtocolVersion: pgproto3.ProtocolVersion30, Parameters: map[string]string{"user": "ana"}})
	if err := c.Flush(); err != nil {
		f.t.Fatal(err)
	}
	for {
		m, err := c.Receive()
		if err != nil {
			f.t.Fatal(err)
		}
		if key, ok := m.(*pgproto3.BackendKeyData); ok {
			copied := *key
			copied.SecretKey = append([]byte(nil), key.SecretKey...)
			c.until('Z')
			return c, &copied
		}
	}
}

func (f *fixture) cancelRequest(pid uint32, secret []byte) {
	f.t.Helper()
	nc, err := net.Dial("tcp", f.address)
	if err != nil {
		f.t.Fatal(err)
	}
	defer nc.Close()
	b := binary.BigEndian.AppendUint32(nil, uint32(12+len(secret)))
	b = binary.BigEndian.AppendUint32(b, codeCancel)
	b = binary.BigEndian.AppendUint32(b, pid)
	if _, err := nc.Write(append(b, secret...)); err != nil {
		f.t.Fatal(err)
	}
	if n, _ := nc.Read(make([]byte, 1)); n != 0 {
		f.t.Fatal("a cancel request was answered")
	}
}

func last(lines []string, n int) []string { return lines[max(0, len(lines)-n):] }

func TestCancelRequest(t *testing.T) {
	f := newFixture(t, nil)
	slow(f)
	c, key := f.keyed()
	c.Send(&pgproto3.Query{String: "select slow"})
	if err := c.Flush(); err != nil {
		t.Fatal(err)
	}
	f.waitUntilActive()
	f.cancelRequest(key.ProcessID, []byte{1, 2, 3, 4})
	f.cancelRequest(key.ProcessID+1, key.SecretKey)
	time.Sleep(20 * time.Millisecond)
	if f.engine.Open.Load() != 1 {
		t.Fatal("a wrong key cancelled")
	}
	start := time.Now()
	f.cancelRequest(key.ProcessID, key.SecretKey)
	expect(t, last(c.until('Z'), 2), "ERROR 57014: canceling statement due to user request", "ready I")
	if took := time.Since(start); took > 200*time.Millisecond {
		t.Errorf("cancelling took %v", took)
	}
	// The next statement is not hit by an old cancel.
	f.cancelRequest(key.ProcessID, key.SecretKey)
	expect(t, last(c.query("select 1"), 2), "tag SELECT 1", "ready I")
}

func TestStatementTimeout(t *testing.T) {
	f := newFixture(t, nil)
	slow(f)
	c, _ := f.connect()
	expect(t, c.query("set statement_timeout = '30ms'; show statement_timeout"), "tag SET", "columns statement_timeout:25", "row 30ms", "tag SHOW", "ready I")
	expect(t, last(c.query("select slow"), 2), "ERROR 57014: canceling statement due to statement timeout", "ready I")
	expect(t, last(c.exchange('Z', &pgproto3.Parse{Query: "select slow"}, &pgproto3.Bind{}, &pgproto3.Execute{}, &pgproto3.Sync{}), 2),
		"ERROR 57014: canceling statement due to statement timeout", "ready I")
	time.Sleep(40 * time.Millisecond)
	expect(t, last(c.query("select 1"), 1), "ready I")
}

func TestIdleTimeouts(t *testing.T) {
	f := newFixture(t, nil)
	c, _ := f.connect("idle_session_timeout", "30ms")
	expect(t, c.until('Z'), "FATAL 57P05: terminating connection due to idle-session timeout", "closed")
	c, _ = f.connect("idle_in_transaction_session_timeout", "30ms")
	time.Sleep(50 * time.Millisecond)
	c.query("begin")
	expect(t, c.until('Z'), "FATAL 25P03: terminating connection due to idle-in-transaction timeout", "closed")
	if log := strings.Join(f.engine.Log(), " "); !strings.Contains(log, "begin rollback") {
		t.Fatal(log)
	}
}

func TestClientThatVanishes(t *testing.T) {
	f := newFixture(t, nil)
	slow(f)
	for _, pipelined := range []bool{false, true} {
		c, _ := f.connect()
		if pipelined {
			c.Send(&pgproto3.Parse{Query: "select slow"})
			c.Send(&pgproto3.Bind{})
			c.Send(&pgproto3.Execute{})
			c.Send(&pgproto3.Sync{})
		} else {
			c.Send(&pgproto3.Query{String: "select slow"})
		}
		if err := c.Flush(); err != nil {
			t.Fatal(err)
		}
		f.waitUntilActive()
		_ = c.nc.Close()
		start := time.Now()
		for f.engine.Open.Load() != 0 {
			if time.Since(start) > 5*time.Second {
				t.Fatal("the query of a client that vanished goes on")
			}
			time.Sleep(time.Millisecond)
		}
		if took := time.Since(start); took > 200*time.Millisecond {
			t.Errorf("freed after %v", took)
		}
	}
}

// A client that does not read holds its query back, and costs little memory.
func TestSlowClient(t *testing.T) {
	f := newFixture(t, nil)
	c, _ := f.connect()
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	c.Send(&pgproto3.Query{String: "select * from series(10000000)"})
	if err := c.Flush(); err != nil {
		t.Fatal(err)
	}
	f.waitUntilActive()
	time.Sleep(200 * time.Millisecond)
	runtime.GC()
	runtime.ReadMemStats(&after)
	if grown := int64(after.HeapInuse) - int64(before.HeapInuse); grown > 8<<20 {
		t.Errorf("the heap grew by %d bytes", grown)
	}
	_ = c.nc.SetDeadline(time.Now().Add(time.Minute))
	n, err := io.Copy(io.Discard, io.LimitReader(c.nc, 50<<20))
	if err != nil || n != 50<<20 {
		t.Fatal(n, err)
	}
	_ = c.nc.Close()
}

func TestTerminateAndDrain(t *testing.T) {
	f := newFixture(t, nil)
	slow(f)
	idle, key := f.keyed()
	if !f.manager.TerminateBackend(int32(key.ProcessID)) || f.manager.TerminateBackend(99) {
		t.Fatal("terminate")
	}
	expect(t, idle.until('Z'), "FATAL 57P01: terminating connection due to administrator command", "closed")

	busy, key := f.keyed()
	busy.Send(&pgproto3.Query{String: "select slow"})
	if err := busy.Flush(); err != nil {
		t.Fatal(err)
	}
	f.waitUntilActive()
	f.manager.TerminateBackend(int32(key.ProcessID))
	expect(t, last(busy.until('Z'), 2), "FATAL 57P01: terminating connection due to administrator command", "closed")

	f.engine.Answers["select paced"] = enginetest.Answer{Columns: types.Schema{{Name: "i", Type: types.Of(types.Int32)}},
		Rows: func(context.Context, []types.Datum, vec.Source) (vec.Source, error) {
			return &enginetest.Series{Last: 1000, Size: 10, Pause: 2 * time.Millisecond}, nil
		}}
	idle, _ = f.keyed()
	busy, _ = f.connect()
	busy.Send(&pgproto3.Query{String: "select paced"})
	busy.Send(&pgproto3.Query{String: "select 1"})
	if err := busy.Flush(); err != nil {
		t.Fatal(err)
	}
	f.waitUntilActive()
	done := make(chan struct{})
	go func() {
		defer close(done)
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		f.server.Shutdown(ctx)
	}()
	expect(t, idle.until('Z'), "FATAL 57P01: terminating connection due to administrator command", "closed")
	lines := busy.until('Z')
	if len(lines) != 1+1000+2 {
		t.Fatalf("%d lines: %q", len(lines), last(lines, 3))
	}
	expect(t, last(lines, 2), "tag SELECT 1000", "ready I") // or it would seem to have failed
	expect(t, busy.until('Z'), "FATAL 57P01: terminating connection due to administrator command", "closed")
	<-done
	if _, err := net.Dial("tcp", f.address); err == nil {
		t.Fatal("a server that has shut down accepts")
	}
}

func TestIdleConnectionsAreCheap(t *testing.T) {
	f := newFixture(t, nil)
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	const clients = 100
	for range clients {
		c, _ := f.connect()
		c.query("select * from series(10000)")
	}
	runtime.GC()
	runtime.ReadMemStats(&after)
	grown := int64(after.HeapInuse+after.StackInuse) - int64(before.HeapInuse+before.StackInuse)
	if each := grown / clients; each > 200<<10 {
		t.Errorf("an idle connection and its client take %d bytes", each)
	}
}

func TestProgressNotices(t *testing.T) {
	f := newFixture(t, nil)
	slow(f)
	c, key := f.keyed()
	c.query("set progress_notices = '10ms'")
	c.Send(&pgproto3.Query{String: "select slow"})
	if err := c.Flush(); err != nil {
		t.Fatal(err)
	}
	for told := 0; told < 3; {
		m, err := c.Receive()
		if err != nil {
			t.Fatal(err)
		}
		if notice, ok := m.(*pgproto3.NoticeResponse); ok {
			if notice.Code != string(ProgressCode) || !strings.HasPrefix(notice.Detail, `{"rows":0,`) {
				t.Fatalf("%+v", notice)
			}
			told++
		}
	}
	f.cancelRequest(key.ProcessID, key.SecretKey)
	expect(t, last(c.until('Z'), 2), "ERROR 57014: canceling statement due to user request", "ready I")
}
