package engine

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strconv"

	"github.com/tarnlake/tarn/catalog"
	"github.com/tarnlake/tarn/coordinator/session"
	"github.com/tarnlake/tarn/internal/fn"
	"github.com/tarnlake/tarn/internal/sqlerr"
	"github.com/tarnlake/tarn/internal/types"
	"github.com/tarnlake/tarn/planner/parser/ast"
)

// Tx is a session's transaction: a snapshot of the catalog and the changes staged on it.
type Tx struct {
	*catalog.Tx
	Engine *Engine
	State  *session.State
	marks  int
	// beforeCommit stages what is to happen at the transaction's end.
	beforeCommit []func(ctx context.Context) error
}

// Begin opens a transaction.
func (e *Engine) Begin(ctx context.Context, state *session.State, _ ast.TransactionModes) (session.Transaction, error) {
	tx, err := e.config.Catalog.Begin(ctx, catalog.Session{User: state.User, Temp: e.temp(state)})
	if err != nil {
		return nil, err
	}
	return &Tx{Tx: tx, Engine: e, State: state}, nil
}

func (e *Engine) temp(state *session.State) *catalog.Temp {
	e.mu.Lock()
	defer e.mu.Unlock()
	t := e.temps[state.PID]
	if t == nil {
		t = catalog.NewTemp(filepath.Join(e.config.TempDirectory, fmt.Sprintf("session-%d-%d", os.Getpid(), state.PID)))
		e.temps[state.PID] = t
	}
	return t
}

// Discard removes the session's temporary tables and their files.
func (e *Engine) Discard(_ context.Context, state *session.State) error {
	e.mu.Lock()
	t := e.temps[state.PID]
	delete(e.temps, state.PID)
	e.mu.Unlock()
	if t == nil {
		return nil
	}
	if err := os.RemoveAll(t.Location()); err != nil {
		return sqlerr.Wrap(err, sqlerr.IOError, "could not remove temporary tables")
	}
	return nil
}

// Commit makes everything staged visible at once.
func (tx *Tx) Commit(ctx context.Context) error {
	for _, stage := range tx.beforeCommit {
		if err := stage(ctx); err != nil {
			tx.Tx.Rollback()
			return err
		}
	}
	_, err := tx.Tx.Commit(ctx)
	return err
}

// BeforeCommit makes stage run when the transaction is about to be committed, to stage more.
func (tx *Tx) BeforeCommit(stage func(ctx context.Context) error) {
	tx.beforeCommit = append(tx.beforeCommit, stage)
}

// Rollback drops everything staged.
func (tx *Tx) Rollback(context.Context) error {
	tx.Tx.Rollback()
	return nil
}

// Savepoint marks what is staged now.
func (tx *Tx) Savepoint(context.Context) (int, error) {
	tx.marks++
	tx.Tx.Savepoint(strconv.Itoa(tx.marks))
	return tx.marks, nil
}

// RollbackTo drops what was staged since the mark.
func (tx *Tx) RollbackTo(_ context.Context, mark int) error {
	return tx.Tx.RollbackTo(strconv.Itoa(mark))
}

// SearchPath lists the schemas in which unqualified names are looked up, implicit ones first.
func (tx *Tx) SearchPath() []string {
	path := []string{catalog.TempSchema, "pg_catalog"}
	for _, name := range tx.State.Settings.SearchPath() {
		if name == "$user" {
			name = tx.State.User
		}
		path = append(path, name)
	}
	return path
}

// CreationSchema is where an unqualified new object goes: the first schema of the path that exists.
func (tx *Tx) CreationSchema() (string, error) {
	for _, name := range tx.SearchPath()[2:] {
		if tx.Schema(name) != nil {
			return name, nil
		}
	}
	return "", sqlerr.New(sqlerr.InvalidSchemaName, "no schema has been selected to create in").
		WithHint("SET search_path TO a schema that exists, or qualify the name.")
}

// FunctionSession is what functions may see of the session during one statement.
func (tx *Tx) FunctionSession(ctx context.Context) *fn.Session {
	state := tx.State
	s := &fn.Session{User: state.User, Database: state.Database, Application: state.Settings.Get("application_name"),
		SearchPath: tx.SearchPath(), TimeZone: state.Settings.Get("TimeZone"), BackendPID: state.PID,
		StatementTime: state.StatementTime.UnixMicro(), TransactionTime: state.TransactionTime.UnixMicro(),
		Settings: map[string]string{}}
	for _, name := range visibleSettings {
		s.Settings[name] = state.Settings.Get(name)
	}
	if lookup := tx.Engine.config.Lookup; lookup != nil {
		s.Lookup = func(kind string, args ...types.Datum) (types.Datum, error) {
			return lookup(ctx, state, tx.Tx, kind, args)
		}
	}
	return s
}

// visibleSettings are the settings that functions on workers may read.
var visibleSettings = []string{"datestyle", "intervalstyle", "extra_float_digits", "bytea_output", "search_path", "timezone"}
