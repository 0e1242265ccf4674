package pgwire

import (
	"context"
	"errors"
	"io"
	"net"
	"os"
	"runtime/debug"
	"sync"
	"time"

	"github.com/tarnlake/tarn/coordinator/session"
	"github.com/tarnlake/tarn/internal/sqlerr"
)

// conn is one client's connection, served by one goroutine.
type conn struct {
	server  *Server
	nc      net.Conn
	isTLS   bool
	in      reader
	out     []byte // complete messages that have not been sent
	session *session.Session

	skipping bool  // an extended message failed: all up to Sync are ignored
	inBatch  bool  // extended messages have come since the last Sync
	observed bool  // the error under way has been observed
	rows     int64 // sent so far
	bytes    int64 // sent so far

	mu       sync.Mutex // guards what follows, and nc while it is replaced
	hangWhy  error      // set by hangup: the connection ends at its next message
	writing  sync.Mutex // held while bytes go out: progress notices come from another goroutine
	writeErr error
}

func (s *Server) serveConn(nc net.Conn) {
	c := &conn{server: s, nc: nc, in: reader{nc: nc, most: mostAuthMessage}}
	defer func() {
		if broken := recover(); broken != nil {
			s.config.Log.Error("connection failed", "panic", broken, "stack", string(debug.Stack()))
			c.fatal(sqlerr.Internal("internal error: %v", broken))
		}
		if c.session != nil {
			c.session.Close()
		}
		_ = c.nc.Close()
	}()
	err := c.begin()
	if err == nil {
		c.in.most = s.config.MaxMessage
		err = c.loop()
	}
	c.fatal(err)
}

func (c *conn) remote() string {
	if addr := c.nc.RemoteAddr(); addr != nil {
		return addr.String()
	}
	return ""
}

// fatal tells the client why its connection ends, unless it is gone already.
func (c *conn) fatal(err error) {
	if err == nil || errors.Is(err, errDone) || errors.Is(err, io.EOF) || errors.Is(err, net.ErrClosed) {
		return
	}
	var known *sqlerr.Error
	if !errors.As(err, &known) {
		c.server.config.Log.Debug("connection lost", "client", c.remote(), "error", err)
		return
	}
	c.out = appendError(c.out, "FATAL", known)
	_ = c.nc.SetWriteDeadline(time.Now().Add(time.Second))
	_ = c.flush()
}

// hangup makes the connection end at its next message, which it stops waiting for.
func (c *conn) hangup(reason error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.hangWhy = reason
	_ = c.nc.SetReadDeadline(time.Now())
}

// waitUntil sets when to stop waiting for a message; zero is never. A hangup stays in force.
func (c *conn) waitUntil(deadline time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.hangWhy == nil {
		_ = c.nc.SetReadDeadline(deadline)
	}
}

// loop serves messages until the client leaves. A nil error is a good-bye.
func (c *conn) loop() error {
	if err := c.ready(); err != nil {
		return err
	}
	for {
		kind, body, err := c.next()
		if err != nil {
			return err
		}
		if kind == 'X' {
			return nil
		}
		if err := c.handle(kind, body); err != nil {
			return err
		}
	}
}

// next waits for a message, as long as the idle timeouts allow.
func (c *conn) next() (byte, []byte, error) {
	limit, reason := c.idleLimit()
	if limit > 0 {
		c.waitUntil(time.Now().Add(limit))
	}
	kind, body, err := c.in.message()
	if err != nil {
		c.mu.Lock()
		hang := c.hangWhy
		c.mu.Unlock()
		switch {
		case hang != nil:
			return 0, nil, hang
		case limit > 0 && errors.Is(err, os.ErrDeadlineExceeded):
			return 0, nil, reason
		}
		return 0, nil, err
	}
	if limit > 0 {
		c.waitUntil(time.Time{})
	}
	return kind, body, nil
}

// idleLimit gives how long the client may be silent now, 0 for ever, and what it is told then.
func (c *conn) idleLimit() (time.Duration, error) {
	settings := c.session.Settings()
	if c.inBatch {
		return 0, nil
	}
	if c.session.Status() == 'I' {
		return settings.Duration("idle_session_timeout"),
			sqlerr.New(sqlerr.IdleSessionTimeout, "terminating connection due to idle-session timeout")
	}
	return settings.Duration("idle_in_transaction_session_timeout"),
		sqlerr.New(sqlerr.IdleInTransactionTimeout, "terminating connection due to idle-in-transaction timeout")
}

// handle serves one message; an error ends the connection.
func (c *conn) handle(kind byte, body []byte) error {
	switch kind {
	case 'Q':
		if c.skipping {
			return nil
		}
		return c.simpleQuery(body)
	case 'P', 'B', 'D', 'E', 'C', 'H':
		return c.extended(kind, body)
	case 'S':
		return c.sync()
	case 'd', 'c', 'f': // COPY data that comes after its statement failed
		return nil
	case 'F':
		if err := c.fail(context.Background(), sqlerr.New(sqlerr.FeatureNotSupported,
			"function calls by message are not supported").WithHint("Call the function in a SELECT.")); err != nil {
			return err
		}
		return c.ready()
	}
	return sqlerr.New(sqlerr.ProtocolViolation, "invalid frontend message type %d", kind)
}

// fail tells the client of an error and the session that its statement failed. The error that it
// returns ends the connection.
func (c *conn) fail(ctx context.Context, err error) error {
	if c.writeErr != nil {
		return c.writeErr
	}
	known := sqlerr.From(c.session.Explain(ctx, err))
	c.sendNotices()
	if observe := c.server.config.Observe; observe != nil && !c.observed {
		observe(Observation{Code: known.Code, Message: known.Message, Session: c.session.Activity()})
	}
	c.observed = false
	if known.Code.Class() == "XX" {
		c.server.config.Log.Error("statement failed", "pid", c.session.State().PID, "code", string(known.Code), "error", err)
	}
	c.session.Fail(ctx)
	if known.Code == sqlerr.AdminShutdown {
		return known
	}
	c.out = appendError(c.out, "ERROR", known)
	return nil
}

// observe starts to measure a statement; the function that it returns ends that.
func (c *conn) observe() func(err error) {
	if c.server.config.Observe == nil {
		return func(error) {}
	}
	started, rows, bytes := time.Now(), c.rows, c.bytes+int64(len(c.out))
	return func(err error) {
		c.observed = err != nil
		o := Observation{Code: sqlerr.CodeOf(err), Took: time.Since(started), Rows: c.rows - rows,
			Bytes: c.bytes + int64(len(c.out)) - bytes, Session: c.session.Activity(), Used: c.session.State().Progress.Usage()}
		if err != nil {
			known := sqlerr.From(c.session.Explain(c.session.Begin(), err))
			o.Code, o.Message = known.Code, known.Message
		}
		c.server.config.Observe(o)
	}
}

func (c *conn) sendNotices() {
	for _, n := range c.session.TakeNotices() {
		c.out = appendNotice(c.out, n)
	}
}

// ready ends a command: changed settings, ReadyForQuery, and everything goes out.
func (c *conn) ready() error {
	c.inBatch, c.skipping = false, false
	c.sendNotices()
	reason := c.session.End() // to close the connection: the client still learns that its command is over
	for _, p := range c.session.Settings().TakeChanged() {
		c.out = appendParameterStatus(c.out, p.Name, p.Value)
	}
	c.out = append(c.out, 'Z', 0, 0, 0, 5, c.session.Status())
	if err := c.flush(); err != nil {
		return err
	}
	return reason
}

// flush sends what has gathered.
func (c *conn) flush() error {
	if len(c.out) == 0 {
		return c.writeErr
	}
	c.writing.Lock()
	defer c.writing.Unlock()
	if c.writeErr == nil {
		_, c.writeErr = c.nc.Write(c.out)
		c.bytes += int64(len(c.out))
	}
	if cap(c.out) > keepOutput {
		c.out = nil
	}
	c.out = c.out[:0]
	return c.writeErr
}
