package catalog

import (
	"context"
	"database/sql"
	"errors"

	"github.com/tarnlake/tarn/internal/partition"
	"github.com/tarnlake/tarn/internal/sqlerr"
)

func conflict(detail string, args ...any) error {
	return sqlerr.New(sqlerr.SerializationFailure, "could not serialize access due to concurrent update").
		WithDetail(detail, args...).WithHint("Run the transaction again.")
}

// checkConflicts looks, with the counter locked, for commits after the snapshot that this one may
// not ignore. Names are checked later, when the rows that end have ended.
func (w *writer) checkConflicts(ctx context.Context) error {
	for id := range w.state.schemas {
		if err := w.unchanged(ctx, "tarn_schemas", id, w.base.schemas[id] != nil); err != nil {
			return err
		}
	}
	for id := range w.state.tables {
		if id < 0 {
			continue
		}
		if err := w.unchanged(ctx, "tarn_tables", id, w.base.tables[id] != nil); err != nil {
			return err
		}
	}
	for id, writes := range w.state.writes {
		if id < 0 || w.base.tables[id] == nil {
			continue
		}
		if err := w.unchanged(ctx, "tarn_tables", id, true); err != nil {
			return err
		}
		if err := w.partitionsUnchanged(ctx, w.base.tables[id], writes); err != nil {
			return err
		}
	}
	for name := range w.state.users {
		if err := w.rowUnchanged(ctx, "SELECT COUNT(*) FROM tarn_users WHERE name = $2 AND (begin_commit > $1 OR end_commit > $1 AND end_commit < $3)",
			[]any{w.base.commit, name, current}, "Role "+name); err != nil {
			return err
		}
	}
	for key := range w.state.settings {
		if err := w.rowUnchanged(ctx, `SELECT COUNT(*) FROM tarn_settings WHERE subject = $2 AND name = $3
			AND (begin_commit > $1 OR end_commit > $1 AND end_commit < $4)`, []any{w.base.commit, key.user, key.name, current}, "Setting "+key.name); err != nil {
			return err
		}
	}
	return nil
}

// unchanged checks that an object's current row is the snapshot's.
func (w *writer) unchanged(ctx context.Context, table string, id int64, existed bool) error {
	if !existed {
		return nil
	}
	var begin int64
	err := w.q.QueryRowContext(ctx, "SELECT begin_commit FROM "+table+" WHERE id = $1 AND end_commit = $2", id, current).Scan(&begin)
	what := "Table"
	name := ""
	if t := w.base.tables[id]; t != nil && table == "tarn_tables" {
		name = t.Name
	} else if s := w.base.schemas[id]; s != nil {
		what, name = "Schema", s.Name
	}
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return conflict("%s %q was dropped by another transaction.", what, name)
	case err != nil:
		return err
	case begin > w.base.commit:
		return conflict("%s %q was altered by another transaction.", what, name)
	}
	return nil
}

func (w *writer) rowUnchanged(ctx context.Context, query string, args []any, what string) error {
	var changed int64
	if err := w.q.QueryRowContext(ctx, query, args...).Scan(&changed); err != nil {
		return err
	}
	if changed > 0 {
		return conflict("%s was changed by another transaction.", what)
	}
	return nil
}

// partitionsUnchanged checks the partitions that a transaction replaced, or of a write-once table
// appended to, against all that changed since the snapshot.
func (w *writer) partitionsUnchanged(ctx context.Context, t *Table, writes *tableWrites) error {
	keys := writes.keys
	if t.writeOnce() {
		keys = map[string]bool{}
		for key := range writes.keys {
			keys[key] = true
		}
		for _, f := range writes.added {
			keys[f.Partition] = true
		}
	}
	if len(keys) == 0 && len(writes.specs) == 0 {
		return nil
	}
	partitionTypes := t.PartitionTypes()
	return each(ctx, w.q, `SELECT key FROM tarn_partitions WHERE table_id = $1 AND begin_commit > $2
		UNION SELECT key FROM tarn_partitions WHERE table_id = $1 AND end_commit > $2 AND end_commit < $3`,
		[]any{t.ID, w.base.commit, current}, func(row *sql.Rows) error {
			var key string
			if err := row.Scan(&key); err != nil {
				return err
			}
			touched := keys[key]
			values, err := partition.Values(partitionTypes, key)
			if err != nil {
				return err
			}
			for _, spec := range writes.specs {
				touched = touched || matches(partitionTypes, spec, values)
			}
			switch {
			case touched && len(t.Partition) == 0:
				return conflict("Table %q was changed by another transaction.", t.Name)
			case touched:
				return conflict("Partition %s of table %q was changed by another transaction.", partition.PathOfKey(t.partitionLabels(), key), t.Name)
			}
			return nil
		})
}
