package catalog

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"github.com/tarnlake/tarn/connectors"
	"github.com/tarnlake/tarn/internal/sqlerr"
)

// Versions lists a table's history up to the snapshot, newest first. Versions whose files VACUUM
// has removed are not among them.
func (tx *Tx) Versions(ctx context.Context, table int64) ([]Version, error) {
	var out []Version
	err := each(ctx, tx.c.db.read, `SELECT v.version, v.commit_id, c.committed_at, v.operation, c.username, v.row_count, v.byte_count, v.file_count
		FROM tarn_versions v JOIN tarn_commits c ON c.id = v.commit_id
		WHERE v.table_id = $1 AND v.commit_id <= $2 ORDER BY v.version DESC`, []any{table, tx.base.commit}, func(row *sql.Rows) error {
		var v Version
		err := row.Scan(&v.Number, &v.Commit, &v.At, &v.Operation, &v.User, &v.Rows, &v.Bytes, &v.Files)
		out = append(out, v)
		return err
	})
	return out, tx.c.db.wrap(ctx, err)
}

// AtVersion gives a table as it was in one of its versions.
func (tx *Tx) AtVersion(ctx context.Context, table, version int64) (*connectors.Table, error) {
	t := tx.DefinitionByID(table)
	if t == nil || t.Kind == connectors.View || t.ID < 0 {
		return nil, notVersioned(t)
	}
	var commit int64
	err := tx.c.db.read.QueryRowContext(ctx, "SELECT commit_id FROM tarn_versions WHERE table_id = $1 AND version = $2 AND commit_id <= $3",
		table, version, tx.base.commit).Scan(&commit)
	if errors.Is(err, sql.ErrNoRows) {
		newest := tx.base.heads[table].version
		return nil, sqlerr.New(sqlerr.InvalidParameterValue, "table %q has no version %d", t.Name, version).
			WithHint("The newest version is %d; system.versions lists those that can still be read.", newest)
	}
	if err != nil {
		return nil, tx.c.db.wrap(ctx, err)
	}
	return tx.at(ctx, t, commit)
}

// AtTime gives a table as it was at a moment: after the last commit up to it.
func (tx *Tx) AtTime(ctx context.Context, table int64, at time.Time) (*connectors.Table, error) {
	t := tx.DefinitionByID(table)
	if t == nil || t.Kind == connectors.View || t.ID < 0 {
		return nil, notVersioned(t)
	}
	var commit sql.NullInt64
	err := tx.c.db.read.QueryRowContext(ctx, `SELECT MAX(v.commit_id) FROM tarn_versions v JOIN tarn_commits c ON c.id = v.commit_id
		WHERE v.table_id = $1 AND v.commit_id <= $2 AND c.committed_at <= $3`, table, tx.base.commit, at.UnixMicro()).Scan(&commit)
	if err != nil {
		return nil, tx.c.db.wrap(ctx, err)
	}
	if !commit.Valid {
		return nil, sqlerr.New(sqlerr.InvalidParameterValue, "table %q has no version at %s", t.Name, at.UTC().Format("2006-01-02 15:04:05.999999+00")).
			WithHint("It did not exist then, or VACUUM has removed its history; system.versions lists the versions that can still be read.")
	}
	return tx.at(ctx, t, commit.Int64)
}

func notVersioned(t *Table) error {
	if t == nil {
		return sqlerr.New(sqlerr.UndefinedTable, "the table does not exist any more")
	}
	return sqlerr.New(sqlerr.WrongObjectType, "%q has no versions", t.Name).WithDetail("Views and temporary tables are not versioned.")
}

// at gives t as of a commit of its history. The commit is protected from VACUUM from then on to the
// transaction's end.
func (tx *Tx) at(ctx context.Context, t *Table, commit int64) (*connectors.Table, error) {
	if err := tx.c.pinPast(ctx, tx, t, commit); err != nil {
		return nil, err
	}
	loaded, err := loadTables(ctx, tx.c.db.read, commit, []int64{t.ID})
	if err != nil {
		return nil, tx.c.db.wrap(ctx, err)
	}
	if len(loaded) == 0 {
		return nil, sqlerr.Internal("no definition of table %q at commit %d", t.Name, commit)
	}
	return relationOf(loaded[0], tx.SchemaName(t), fileTable(loaded[0], commit)), nil
}
