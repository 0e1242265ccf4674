package session

import (
	"context"
	"log/slog"
	"sync"

	"github.com/tarnlake/tarn/internal/sqlerr"
	"github.com/tarnlake/tarn/internal/types"
	"github.com/tarnlake/tarn/planner/parser/ast"
)

// Session is one connected client. All methods but Interrupt, Activity and those of its Progress
// belong to the connection's goroutine.
type Session struct {
	manager *Manager
	state   State
	secret  [4]byte
	hangup  func(reason error)
	life    context.Context
	endLife context.CancelCauseFunc
	command command

	block      blockState
	modes      ast.TransactionModes
	savepoints []savepoint
	queried    bool // a statement has run in this transaction
	// severalStatements: the running command holds more than one, which makes it a block of its own.
	severalStatements bool

	statements map[string]*Statement
	portals    map[string]*Portal

	mu       sync.Mutex // guards activity
	activity Activity
}

// Key gives what a CancelRequest for this session must carry.
func (s *Session) Key() (pid int32, secret []byte) { return s.state.PID, s.secret[:] }

// Settings gives the session's run-time parameters.
func (s *Session) Settings() *Settings { return s.state.Settings }

// State gives what the engine sees.
func (s *Session) State() *State { return &s.state }

// Close ends the session: what runs is cancelled, an open transaction rolled back, and the engine
// forgets it.
func (s *Session) Close() {
	s.Interrupt(errSessionClosed)
	ctx := context.WithoutCancel(s.life)
	s.closePortals(func(*Portal) bool { return true })
	s.rollback(ctx)
	if err := s.manager.config.Engine.Discard(ctx, &s.state); err != nil {
		slog.WarnContext(ctx, "a session left something behind", "session", s.state.PID, "error", err)
	}
	s.endLife(errSessionClosed)
	s.manager.unregister(s)
}

// Parse splits and parses a query string.
func (s *Session) Parse(sql string) ([]ast.Statement, error) { return s.manager.config.Parse(sql) }

// Several tells that the running command is a query string of several statements: a block of its own.
func (s *Session) Several(yes bool) { s.severalStatements = yes }

// Statement is a parsed and bound statement. It is immutable.
type Statement struct {
	SQL      string
	Tree     ast.Statement // nil for an empty query string
	Prepared *Prepared
	Declared []types.Type // parameter types as declared by the client
	// OIDs are the declared types as the client wrote them, kept for the wire; 0 where it left the choice.
	OIDs []uint32
	Tag  Tag
}

// Returns tells whether the statement gives rows to the client (COPY TO STDOUT does not).
func (st *Statement) Returns() bool {
	return st.Prepared.Columns != nil && st.Prepared.Copy == NoCopy
}

// Prepare binds a statement; tree nil is the empty query. declared holds the parameter types that
// the client gave.
func (s *Session) Prepare(ctx context.Context, sql string, tree ast.Statement, declared []types.Type) (*Statement, error) {
	if tree == nil {
		return &Statement{SQL: sql, Prepared: &Prepared{}}, nil
	}
	if err := s.allowed(tree); err != nil {
		return nil, err
	}
	st := &Statement{SQL: sql, Tree: tree, Declared: declared, Tag: TagOf(tree)}
	own, err := s.describeOwn(ctx, st)
	if err != nil {
		return nil, err
	}
	if own != nil {
		st.Prepared = own
		return st, nil
	}
	if err := s.ensureTransaction(ctx); err != nil {
		return nil, err
	}
	request := PlanRequest{SQL: sql, Statement: tree, ParamTypes: declared}
	st.Prepared, err = s.manager.config.Engine.Plan(ctx, &s.state, request)
	if err != nil {
		return nil, err
	}
	return st, nil
}

// Keep stores a statement under a name; "" replaces the unnamed one.
func (s *Session) Keep(name string, st *Statement) error {
	if name != "" && s.statements[name] != nil {
		return sqlerr.New(sqlerr.DuplicatePreparedStatement, "prepared statement %q already exists", name)
	}
	s.statements[name] = st
	return nil
}

// Statement finds a kept statement.
func (s *Session) Statement(name string) (*Statement, error) {
	if st := s.statements[name]; st != nil {
		return st, nil
	}
	if name == "" {
		return nil, sqlerr.New(sqlerr.InvalidSQLStatementName, "unnamed prepared statement does not exist")
	}
	return nil, sqlerr.New(sqlerr.InvalidSQLStatementName, "prepared statement %q does not exist", name)
}

// CloseStatement forgets a kept statement, if it exists.
func (s *Session) CloseStatement(name string) { delete(s.statements, name) }

// allowed refuses all but the ways out of a failed transaction.
func (s *Session) allowed(tree ast.Statement) error {
	if s.block != blockFailed {
		return nil
	}
	if t, ok := tree.(*ast.Transaction); ok &&
		(t.Kind == ast.Commit || t.Kind == ast.Rollback || t.Kind == ast.RollbackToSavepoint) {
		return nil
	}
	return sqlerr.New(sqlerr.InFailedSQLTransaction,
		"current transaction is aborted, commands ignored until end of transaction block")
}

// Allowed tells by its error whether a kept statement may run or be described now.
func (s *Session) Allowed(st *Statement) error {
	if st.Tree == nil {
		return nil
	}
	return s.allowed(st.Tree)
}
