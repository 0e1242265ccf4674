package statement_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/tarnlake/tarn/cmd/tarn/wiring"
	"github.com/tarnlake/tarn/coordinator/session"
	"github.com/tarnlake/tarn/internal/config"
	"github.com/tarnlake/tarn/internal/sqlerr"
	"github.com/tarnlake/tarn/internal/types"
	"github.com/tarnlake/tarn/internal/vec"
	"github.com/tarnlake/tarn/planner/parser"
)

// server is a process without a network.
type server struct {
	t       *testing.T
	system  *wiring.System
	manager *session.Manager
}

func newServer(t *testing.T) *server {
	t.Helper()
	system, err := wiring.Open(t.Context(), wiring.Options{Config: config.Default(), InMemory: true, AnyPath: true, Drivers: 2})
	if err != nil {
		t.Fatal(err)
	}
	manager := session.NewManager(session.Config{Engine: system.Engine, Parse: parser.Parse, Version: "test",
		Defaults: system.Accounts().Defaults})
	t.Cleanup(func() {
		manager.Drain(t.Context())
		if err := system.Close(); err != nil {
			t.Error(err)
		}
	})
	return &server{t, system, manager}
}

// client is one session.
type client struct {
	t       *testing.T
	session *session.Session
	Notices []session.Notice
	Tag     string // of the last statement
}

func (s *server) connect(user string) *client {
	s.t.Helper()
	opened, err := s.manager.Open(s.t.Context(), session.Startup{User: user, Database: "tarn", Client: "test", Hangup: func(error) {}})
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(opened.Close)
	return &client{t: s.t, session: opened}
}

func connect(t *testing.T) *client {
	t.Helper()
	return newServer(t).connect("ada")
}

// try runs a text of statements and gives the rows of the last, columns joined by |.
func (c *client) try(sql string) (rows []string, err error) { return c.tryWith(sql, nil) }

func (c *client) tryWith(sql string, input vec.Source) (rows []string, err error) {
	ctx := c.session.Begin()
	c.Notices = nil
	defer func() {
		if err != nil {
			c.session.Fail(ctx)
		} else if err = c.session.EndImplicit(ctx); err != nil {
			c.session.Fail(ctx)
		}
		c.Notices = append(c.Notices, c.session.TakeNotices()...)
		if ended := c.session.End(); err == nil {
			err = ended
		}
	}()
	trees, err := c.session.Parse(sql)
	if err != nil {
		return nil, err
	}
	for _, tree := range trees {
		st, err := c.session.Prepare(ctx, sql, tree, nil)
		if err != nil {
			return nil, err
		}
		portal, err := c.session.Bind("", st, nil)
		if err != nil {
			return nil, err
		}
		if st.Prepared.Copy == session.CopyFromClient {
			err = portal.RunCopyFrom(ctx, input)
		} else {
			err = portal.Run(ctx, 0)
		}
		if err != nil {
			return nil, err
		}
		if rows, err = collect(ctx, portal); err != nil {
			return nil, err
		}
		c.Tag = portal.Tag()
	}
	return rows, nil
}

func collect(ctx context.Context, portal *session.Portal) ([]string, error) {
	rows := []string{}
	for {
		b, from, to, err := portal.Next(ctx)
		if err != nil || b == nil {
			return rows, err
		}
		for ; from < to; from++ {
			row := from
			if b.Sel != nil {
				row = int(b.Sel[from])
			}
			texts := make([]string, len(b.Cols))
			for i := range b.Cols {
				texts[i] = "NULL"
				if !b.Cols[i].IsNull(row) {
					texts[i] = types.Format(b.Cols[i].Type, b.Cols[i].Datum(row), nil)
				}
			}
			rows = append(rows, strings.Join(texts, "|"))
		}
	}
}

// run fails the test if the statements fail.
func (c *client) run(sql string) []string {
	c.t.Helper()
	rows, err := c.try(sql)
	if err != nil {
		c.t.Fatalf("%s\n%s", sql, describe(err))
	}
	return rows
}

// gives checks the rows of a statement.
func (c *client) gives(sql string, want ...string) {
	c.t.Helper()
	if got := strings.Join(c.run(sql), "\n"); got != strings.Join(want, "\n") {
		c.t.Errorf("%s\ngave %s\nwant %s", sql, got, strings.Join(want, "\n"))
	}
}

// fails checks code and message of a statement's error, and if the message continues after " @" its
// position.
func (c *client) fails(sql string, code sqlerr.Code, message string) *sqlerr.Error {
	c.t.Helper()
	rows, err := c.try(sql)
	if err == nil {
		c.t.Errorf("%s\ngave %v, tag %s\nwant error %s", sql, rows, c.Tag, message)
		return &sqlerr.Error{}
	}
	e := sqlerr.From(err)
	got := e.Message
	if strings.Contains(message, " @") {
		got = fmt.Sprintf("%s @%d", e.Message, e.Position)
	}
	if e.Code != code || got != message {
		c.t.Errorf("%s\nfailed with %s %s\nwant        %s %s", sql, e.Code, got, code, message)
	}
	return e
}

// noticed checks the notices of the last call.
func (c *client) noticed(want ...string) {
	c.t.Helper()
	var got []string
	for _, n := range c.Notices {
		got = append(got, n.Message)
	}
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		c.t.Errorf("notices %q\nwant    %q", got, want)
	}
}

func (c *client) tagged(want string) {
	c.t.Helper()
	if c.Tag != want {
		c.t.Errorf("tag %q, want %q", c.Tag, want)
	}
}

func describe(err error) string {
	var e *sqlerr.Error
	if errors.As(err, &e) {
		return fmt.Sprintf("%s %s (%s) at %d; %s", e.Code, e.Error(), e.Detail, e.Position, e.Hint)
	}
	return err.Error()
}
