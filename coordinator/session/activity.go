package session

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/tarnlake/tarn/internal/sqlerr"
)

// Why statements are cancelled. They are causes of contexts, and what the client is told.
var (
	errUserCancel    = sqlerr.New(sqlerr.QueryCanceled, "canceling statement due to user request")
	errTimeout       = sqlerr.New(sqlerr.QueryCanceled, "canceling statement due to statement timeout")
	errTerminated    = sqlerr.New(sqlerr.AdminShutdown, "terminating connection due to administrator command")
	errSessionClosed = sqlerr.New(sqlerr.ConnectionFailure, "connection to client lost")
)

// Doing is what a session does.
type Doing string

// The states, as pg_stat_activity.state shows them.
const (
	Active            Doing = "active"
	Idle              Doing = "idle"
	IdleInTransaction Doing = "idle in transaction"
	IdleInFailed      Doing = "idle in transaction (aborted)"
)

// Activity describes a session to others: pg_stat_activity, system.queries.
type Activity struct {
	PID              int32
	User, Database   string
	Client           string
	ApplicationName  string
	Started          time.Time
	Doing            Doing
	Changed          time.Time // when Doing changed
	Query            string    // running, or run last
	QueryStarted     time.Time
	TransactionStart time.Time // zero outside a transaction
	Progress         *Progress
}

func (a *Activity) since(doing Doing, now time.Time) { a.Doing, a.Changed = doing, now }

// command is the running command: what a cancel request hits.
type command struct {
	mu        sync.Mutex
	ctx       context.Context
	cancel    context.CancelCauseFunc
	timer     *time.Timer
	closeWhen error
}

// Begin starts a command (a simple query message, or the extended messages up to Sync) and gives
// its context; called again before End it gives the same one, with the statement timeout running
// again if Rest stopped it.
func (s *Session) Begin() context.Context {
	c := &s.command
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.ctx == nil {
		c.ctx, c.cancel = context.WithCancelCause(s.life)
	}
	if c.timer == nil {
		if limit := s.state.Settings.Duration("statement_timeout"); limit > 0 {
			cancel := c.cancel
			c.timer = time.AfterFunc(limit, func() { cancel(errTimeout) })
		}
	}
	return c.ctx
}

// Rest stops the statement timeout: a statement has ended, the command goes on.
func (s *Session) Rest() {
	s.command.mu.Lock()
	defer s.command.mu.Unlock()
	s.command.stopTimer()
}

func (c *command) stopTimer() {
	if c.timer != nil {
		c.timer.Stop()
		c.timer = nil
	}
}

// End ends the command. It reports an error when the session must close now because it is being
// terminated.
func (s *Session) End() error {
	c := &s.command
	c.mu.Lock()
	if c.cancel != nil {
		c.cancel(nil)
	}
	c.stopTimer()
	c.ctx, c.cancel = nil, nil
	reason := c.closeWhen
	c.mu.Unlock()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.activity.ApplicationName = s.state.Settings.Get("application_name")
	s.activity.since(s.idleState(), s.manager.config.Clock())
	return reason
}

func (s *Session) idleState() Doing {
	switch s.Status() {
	case 'T':
		return IdleInTransaction
	case 'E':
		return IdleInFailed
	}
	return Idle
}

// Interrupt cancels the running command for a reason; false when nothing runs.
func (s *Session) Interrupt(reason error) bool {
	s.command.mu.Lock()
	defer s.command.mu.Unlock()
	if s.command.cancel == nil {
		return false
	}
	s.command.cancel(reason)
	return true
}

// terminate cancels what runs and closes the connection.
func (s *Session) terminate(reason error) {
	s.command.mu.Lock()
	s.command.closeWhen = reason
	running := s.command.cancel
	s.command.mu.Unlock()
	if running != nil {
		running(reason)
		return
	}
	s.hangup(reason)
}

// drain closes the connection as soon as no command runs.
func (s *Session) drain() {
	s.command.mu.Lock()
	s.command.closeWhen = errTerminated
	running := s.command.cancel
	s.command.mu.Unlock()
	if running == nil {
		s.hangup(errTerminated)
	}
}

// Explain turns an error of a cancelled command into the reason of the cancellation.
func (s *Session) Explain(ctx context.Context, err error) error {
	if err == nil || ctx.Err() == nil {
		return err
	}
	var reason *sqlerr.Error
	if sqlerr.CodeOf(err) == sqlerr.QueryCanceled && errors.As(context.Cause(ctx), &reason) {
		return reason
	}
	return err
}

// Activity describes the session; it may be called from any goroutine.
func (s *Session) Activity() Activity {
	s.mu.Lock()
	defer s.mu.Unlock()
	a := s.activity
	a.PID, a.User, a.Database, a.Client = s.state.PID, s.state.User, s.state.Database, s.state.Client
	a.Started, a.Progress = s.state.Started, s.state.Progress
	return a
}

// Running notes the statement that runs now.
func (s *Session) Running(sql string) {
	now := s.manager.config.Clock()
	s.state.StatementTime = now
	s.state.Progress.reset()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.activity.Query, s.activity.QueryStarted = sql, now
	s.activity.TransactionStart = s.state.TransactionTime
	s.activity.since(Active, now)
}
