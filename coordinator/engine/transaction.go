package engine

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strconv"

	"github.com/tarnlake/tarn/catalog"
	"github.com/tarnlake/tarn/connectors"
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
	// drivers, if positive, bounds the drivers of what runs now.
	drivers int
	// beforeCommit stages what is to happen at the transaction's end.
	beforeCommit []func(ctx context.Context) error
	staged       []stagedWrite
}

// stagedWrite is a write whose files are listed in the transaction but not yet committed.
type stagedWrite struct {
	stager    Stager
	target    connectors.Target
	fragments []connectors.Fragment
	mark      int // the savepoint after which it was made
}

// Begin opens a transaction.
func (e *Engine) Begin(ctx context.Context, state *session.State, _ ast.TransactionModes) (session.Transaction, error) {
	tx, err := e.config.Catalog.Begin(ctx, catalog.Session{User: state.User, Temp: e.temp(state),
		SearchPath: func() []string { return searchPath(state) }})
	if err != nil {
		return nil, err
	}
	t := &Tx{Tx: tx, Engine: e, State: state}
	state.CatalogName = t.catalogName
	e.mu.Lock()
	defer e.mu.Unlock()
	e.live[tx.Token()] = t
	return t, nil
}

// catalogName writes an oid as the name of what it stands for, as a number when there is no such thing.
func (tx *Tx) catalogName(kind types.Kind, oid int64) string {
	if oid == 0 {
		return "-"
	}
	if lookup := tx.Engine.config.Lookup; lookup != nil {
		name, err := lookup(context.Background(), tx.State, tx.Tx, kind.String()+" name", []types.Datum{types.IntDatum(oid)})
		if err == nil && !name.Null {
			return name.Str
		}
	}
	return strconv.FormatInt(oid, 10)
}

// Live finds the transaction with a token while it is open; nil afterwards.
func (e *Engine) Live(token string) *Tx {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.live[token]
}

func (e *Engine) ended(tx *Tx) {
	e.mu.Lock()
	defer e.mu.Unlock()
	delete(e.live, tx.Token())
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
	delete(e.emptied, state.PID)
	e.mu.Unlock()
	if t == nil {
		return nil
	}
	if err := os.RemoveAll(t.Location()); err != nil {
		return sqlerr.Wrap(err, sqlerr.IOError, "could not remove temporary tables")
	}
	return nil
}

// Commit makes everything staged visible at once. When it fails for certain, the files are removed.
func (tx *Tx) Commit(ctx context.Context) error {
	for _, stage := range append(tx.emptying(), tx.beforeCommit...) {
		if err := stage(ctx); err != nil {
			return errors.Join(err, tx.Rollback(ctx))
		}
	}
	defer tx.Engine.ended(tx)
	committed, err := tx.Tx.Commit(ctx)
	for _, location := range committed.Garbage { // of the session's temporary tables, on this machine
		if gone := os.RemoveAll(location); gone != nil {
			slog.WarnContext(ctx, "files of a temporary table were left behind", "location", location, "error", gone)
		}
	}
	if err != nil {
		tx.Tx.Rollback() // a commit whose outcome is unknown has not ended the transaction
		if catalog.Uncertain(err) {
			tx.staged = nil // the files may be listed: VACUUM will tell
		}
		tx.unstage(ctx, 0)
	}
	return err
}

// EmptyAtCommit makes a temporary table lose its rows at the end of this and all later transactions
// of the session.
func (tx *Tx) EmptyAtCommit(table int64) {
	e := tx.Engine
	e.mu.Lock()
	defer e.mu.Unlock()
	e.emptied[tx.State.PID] = append(e.emptied[tx.State.PID], table)
}

// emptying stages ON COMMIT DELETE ROWS.
func (tx *Tx) emptying() []func(ctx context.Context) error {
	tx.Engine.mu.Lock()
	tables := slices.Clone(tx.Engine.emptied[tx.State.PID])
	tx.Engine.mu.Unlock()
	var out []func(ctx context.Context) error
	for _, id := range tables {
		out = append(out, func(ctx context.Context) error {
			if tx.DefinitionByID(id) == nil {
				return nil
			}
			if held, err := tx.Partitions(ctx, id); err != nil || len(held) == 0 {
				return err
			}
			return tx.Truncate(id)
		})
	}
	return out
}

// BeforeCommit makes stage run when the transaction is about to be committed, to stage more.
func (tx *Tx) BeforeCommit(stage func(ctx context.Context) error) {
	tx.beforeCommit = append(tx.beforeCommit, stage)
}

// Rollback drops everything staged, the files with it.
func (tx *Tx) Rollback(ctx context.Context) error {
	tx.Engine.ended(tx)
	tx.Tx.Rollback()
	tx.unstage(ctx, 0)
	return nil
}

// unstage removes the files of writes made since a savepoint. A failure leaves files that nothing
// refers to, for VACUUM.
func (tx *Tx) unstage(ctx context.Context, mark int) {
	kept := tx.staged[:0]
	for _, w := range tx.staged {
		if w.mark < mark {
			kept = append(kept, w)
			continue
		}
		if err := w.stager.Unstage(context.WithoutCancel(ctx), w.target, w.fragments); err != nil {
			slog.WarnContext(ctx, "staged files were left behind", "table", w.target.Name, "error", err)
		}
	}
	tx.staged = kept
}

// Savepoint marks what is staged now.
func (tx *Tx) Savepoint(context.Context) (int, error) {
	tx.marks++
	tx.Tx.Savepoint(strconv.Itoa(tx.marks))
	return tx.marks, nil
}

// RollbackTo drops what was staged since the mark.
func (tx *Tx) RollbackTo(ctx context.Context, mark int) error {
	if err := tx.Tx.RollbackTo(strconv.Itoa(mark)); err != nil {
		return err
	}
	tx.unstage(ctx, mark)
	return nil
}

// SearchPath lists the schemas in which unqualified names are looked up, implicit ones first.
func (tx *Tx) SearchPath() []string { return searchPath(tx.State) }

func searchPath(state *session.State) []string {
	path := []string{catalog.TempSchema, "pg_catalog"}
	for _, name := range state.Settings.SearchPath() {
		if name == "$user" {
			name = state.User
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
