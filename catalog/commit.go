package catalog

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"github.com/tarnlake/tarn/internal/sqlerr"
)

// The steps of a commit at which Options.FailPoint is called.
const (
	FailBegin     = "commit.begin"     // before the database transaction
	FailNumbered  = "commit.numbered"  // the counter is locked
	FailChecked   = "commit.checked"   // no conflict was found
	FailWritten   = "commit.written"   // all rows are written
	FailCommitted = "commit.committed" // the database transaction has ended
)

// Committed tells what a commit did.
type Committed struct {
	// Number is the commit's; that of the snapshot when nothing lasting was staged.
	Number int64
	// Versions gives the new version of each table that changed.
	Versions map[int64]int64
	// Garbage lists locations and files that nobody can read any more: dropped temporary tables, and
	// files that temporary tables have lost.
	Garbage []string
}

// Uncertain tells whether a commit that failed with err may have happened all the same: then the
// files that were to be listed must be left alone.
func Uncertain(err error) bool {
	return transient(err) || errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded)
}

// commitAttempts bounds how often a commit is tried while the catalog cannot be reached.
const commitAttempts = 6

// Commit makes all that is staged visible at once, or fails with nothing changed: 40001 when
// another transaction was there first. It ends the transaction, unless the catalog could not be
// reached: then the outcome may be unknown, and Commit may be called again with the same effect as
// calling it once.
func (tx *Tx) Commit(ctx context.Context) (Committed, error) {
	tx.mu.Lock()
	defer tx.mu.Unlock()
	if tx.done {
		return Committed{}, sqlerr.Internal("transaction has ended")
	}
	temporary, err := tx.temporaryAfter(ctx)
	if err != nil {
		return Committed{}, err
	}
	result := Committed{Number: tx.base.commit, Versions: map[int64]int64{}}
	if tx.lasting() {
		if result, err = tx.commitLasting(ctx); err != nil {
			if !transient(err) {
				tx.end()
			}
			return Committed{}, err
		}
	}
	if temporary != nil {
		result.Garbage = tx.droppedTemporary(temporary)
		tx.temp.state.Store(temporary)
	}
	tx.end()
	return result, nil
}

// lasting tells whether anything is staged that outlives the session.
func (tx *Tx) lasting() bool {
	s := tx.state
	for id := range s.tables {
		if id > 0 {
			return true
		}
	}
	for id := range s.writes {
		if id > 0 {
			return true
		}
	}
	return len(s.schemas)+len(s.users)+len(s.settings)+len(s.sketches) > 0
}

func (tx *Tx) commitLasting(ctx context.Context) (Committed, error) {
	delay := 20 * time.Millisecond
	for attempt := 1; ; attempt++ {
		result, err := tx.tryCommit(ctx)
		if err == nil {
			// Whether the new names can be read now or not: the commit stands.
			if _, unread := tx.c.advance(context.WithoutCancel(ctx), result.Number); unread != nil {
				tx.c.stale.Store(true)
			}
			return result, nil
		}
		if !transient(err) || attempt == commitAttempts {
			return Committed{}, err
		}
		select {
		case <-ctx.Done():
			return Committed{}, ctx.Err()
		case <-time.After(delay):
		}
		delay *= 2
	}
}

// tryCommit runs the one database transaction.
func (tx *Tx) tryCommit(ctx context.Context) (Committed, error) {
	if err := tx.c.fail(FailBegin); err != nil {
		return Committed{}, err
	}
	w := &writer{tx: tx, base: tx.base, state: tx.state, versions: map[int64]int64{}}
	lost, err := tx.c.db.update(ctx, func(q *sql.Tx) error {
		w.q, w.versions = q, map[int64]int64{}
		done, err := w.number(ctx)
		if err != nil || done {
			return err
		}
		if err := tx.c.fail(FailNumbered); err != nil {
			return err
		}
		if err := w.checkConflicts(ctx); err != nil {
			return err
		}
		if err := tx.c.fail(FailChecked); err != nil {
			return err
		}
		if err := w.apply(ctx); err != nil {
			return err
		}
		return tx.c.fail(FailWritten)
	})
	if errors.Is(err, errAlreadyCommitted) {
		return Committed{Number: w.commit, Versions: w.versions}, nil
	}
	if err != nil {
		if lost && !transient(err) && sqlerr.CodeOf(err) == sqlerr.SystemError {
			err = tx.c.db.unreachable(err) // the reply was lost: look whether it happened
		}
		return Committed{}, err
	}
	if err := tx.c.fail(FailCommitted); err != nil {
		return Committed{}, err
	}
	return Committed{Number: w.commit, Versions: w.versions}, nil
}

// errAlreadyCommitted ends a repeated commit whose first try went through.
var errAlreadyCommitted = errors.New("already committed")

// writer writes one commit.
type writer struct {
	tx       *Tx
	base     *directory
	state    *staged
	q        *sql.Tx
	commit   int64
	versions map[int64]int64
	names    bool // a definition changed
}

// number locks the counter, which orders commits, and takes the next number. When the transaction's
// token has a commit already, that one is reported through errAlreadyCommitted.
func (w *writer) number(ctx context.Context) (done bool, err error) {
	query := "UPDATE tarn_counters SET value = value + 1 WHERE name = 'commit' RETURNING value"
	into := []any{&w.commit}
	if w.tx.c.db.postgres { // tells the other servers when the transaction commits, and not otherwise
		query += ", pg_notify('" + commitChannel + "', value::text)::text"
		into = append(into, new(any)) // nothing
	}
	err = w.q.QueryRowContext(ctx, query).Scan(into...)
	if err != nil {
		return false, err
	}
	var before int64
	err = w.q.QueryRowContext(ctx, "SELECT id FROM tarn_commits WHERE token = $1", w.tx.token).Scan(&before)
	if errors.Is(err, sql.ErrNoRows) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	w.commit = before
	err = each(ctx, w.q, "SELECT table_id, version FROM tarn_versions WHERE commit_id = $1", []any{before}, func(row *sql.Rows) error {
		var id, version int64
		err := row.Scan(&id, &version)
		w.versions[id] = version
		return err
	})
	if err == nil {
		err = errAlreadyCommitted
	}
	return true, err
}

// temporaryAfter gives the session's temporary tables as they will be, nil when they do not change.
func (tx *Tx) temporaryAfter(ctx context.Context) (*tempState, error) {
	touched := false
	partitions := map[int64][]*Partition{}
	for id := range tx.state.tables {
		touched = touched || id < 0
	}
	for id := range tx.state.writes {
		if id >= 0 {
			continue
		}
		touched = true
		list, err := tx.partitions(ctx, id)
		if err != nil {
			return nil, err
		}
		partitions[id] = list
	}
	if !touched {
		return nil, nil
	}
	return tx.tempBase.with(tx.state.tables, partitions), nil
}

func (tx *Tx) droppedTemporary(after *tempState) []string {
	var out []string
	for id, t := range tx.tempBase.tables {
		if t.Location == "" {
			continue
		}
		if after.tables[id] == nil {
			out = append(out, t.Location)
			continue
		}
		kept := map[string]bool{}
		for _, p := range after.partitions[id] {
			for _, f := range p.staged {
				kept[f.Path] = true
			}
		}
		for _, p := range tx.tempBase.partitions[id] {
			for _, f := range p.staged {
				if !kept[f.Path] {
					out = append(out, t.Location+"/"+f.Path)
				}
			}
		}
	}
	return out
}
