package catalog

import (
	"context"
	"database/sql"
	"slices"
	"strings"
	"time"

	"github.com/tarnlake/tarn/connectors"
	"github.com/tarnlake/tarn/internal/sqlerr"
	"github.com/tarnlake/tarn/internal/types"
)

// DefaultHistory is how long replaced files and old versions stay without history_retention.
const DefaultHistory = 7 * 24 * time.Hour

// Expire moves the horizon before which a table's history ends (all tables' if table is 0), as far
// as its retention and all servers' leases allow, and lists the files that thereby fell out of every
// snapshot. From then on nobody can read them. When they are deleted, Forget is to be called; if
// that never happens, the next Expire lists them again. history, if not negative, replaces the
// tables' retention.
func (c *Catalog) Expire(ctx context.Context, table int64, history time.Duration) ([]connectors.Unreferenced, error) {
	var out []connectors.Unreferenced
	_, err := c.db.update(ctx, func(q *sql.Tx) error {
		out = nil
		if err := lockVacuum(ctx, q); err != nil {
			return err
		}
		leased, err := c.leaseHorizon(ctx, q)
		if err != nil {
			return err
		}
		tables, err := expirable(ctx, q, table)
		if err != nil {
			return err
		}
		for _, t := range tables {
			kept := history
			if kept < 0 {
				kept = t.history
			}
			u, err := c.expireTable(ctx, q, t, leased, kept)
			if err != nil {
				return err
			}
			out = append(out, u)
		}
		return nil
	})
	return out, err
}

// leaseHorizon is the commit up to which no server reads what has ended.
func (c *Catalog) leaseHorizon(ctx context.Context, q querier) (int64, error) {
	now, err := c.clock(ctx, q)
	if err != nil {
		return 0, err
	}
	if _, err := q.ExecContext(ctx, "DELETE FROM tarn_leases WHERE expires_at < $1 AND server <> $2", now, c.server); err != nil {
		return 0, err
	}
	c.liveMutex.Lock()
	own := c.oldest()
	c.leased = own
	c.liveMutex.Unlock()
	if err := c.storeLease(ctx, q, own); err != nil {
		return 0, err
	}
	var horizon int64
	err = q.QueryRowContext(ctx, "SELECT MIN(commit_id) FROM tarn_leases").Scan(&horizon)
	return horizon, err
}

type expirableTable struct {
	id       int64
	location string
	owned    bool
	history  time.Duration
}

// expirable lists tables that have files or history, dropped ones among them.
func expirable(ctx context.Context, q querier, table int64) ([]expirableTable, error) {
	query := `SELECT t.id, t.kind, t.location, t.properties FROM tarn_tables t
		JOIN tarn_heads h ON h.table_id = t.id
		WHERE t.begin_commit = (SELECT MAX(begin_commit) FROM tarn_tables o WHERE o.id = t.id)`
	var args []any
	if table != 0 {
		query, args = query+" AND t.id = $1", []any{table}
	}
	var out []expirableTable
	err := each(ctx, q, query+" ORDER BY t.id", args, func(row *sql.Rows) error {
		var t expirableTable
		var kind, properties string
		if err := row.Scan(&t.id, &kind, &t.location, &properties); err != nil {
			return err
		}
		t.owned = kindOf(kind) == connectors.BaseTable
		var values map[string]string
		if err := fromJSON(properties, &values); err != nil {
			return err
		}
		t.history = DefaultHistory
		if d, ok := ParseDuration(values["history_retention"]); ok {
			t.history = d
		}
		out = append(out, t)
		return nil
	})
	return out, err
}

func (c *Catalog) expireTable(ctx context.Context, q querier, t expirableTable, leased int64, history time.Duration) (connectors.Unreferenced, error) {
	u := connectors.Unreferenced{Table: t.id, Location: t.location}
	horizon := leased
	if history > 0 {
		// Snapshots from the last commit that is old enough on are kept.
		since := c.options.Now().Add(-history).UnixMicro()
		var young sql.NullInt64
		if err := q.QueryRowContext(ctx, "SELECT MIN(id) FROM tarn_commits WHERE committed_at > $1", since).Scan(&young); err != nil {
			return u, err
		}
		if young.Valid {
			horizon = min(horizon, young.Int64-1)
		}
	}
	if err := q.QueryRowContext(ctx, "SELECT vacuumed FROM tarn_heads WHERE table_id = $1", t.id).Scan(&u.Horizon); err != nil {
		return u, err
	}
	if horizon > u.Horizon {
		u.Horizon = horizon
		if _, err := q.ExecContext(ctx, "UPDATE tarn_heads SET vacuumed = $1 WHERE table_id = $2", horizon, t.id); err != nil {
			return u, err
		}
		_, err := q.ExecContext(ctx, `DELETE FROM tarn_versions WHERE table_id = $1 AND commit_id <
			(SELECT MAX(commit_id) FROM tarn_versions WHERE table_id = $1 AND commit_id <= $2)`, t.id, horizon)
		if err != nil {
			return u, err
		}
	}
	if !t.owned {
		return u, nil
	}
	u.Owned = true
	err := each(ctx, q, `SELECT DISTINCT path FROM tarn_files f WHERE table_id = $1 AND end_commit <= $2
		AND NOT EXISTS (SELECT 1 FROM tarn_files o WHERE o.table_id = f.table_id AND o.path = f.path AND o.end_commit > $2)`,
		[]any{t.id, u.Horizon}, func(row *sql.Rows) error {
			var path string
			err := row.Scan(&path)
			u.Paths = append(u.Paths, path)
			return err
		})
	return u, err
}

// Forget removes the rows of files that have been deleted.
func (c *Catalog) Forget(ctx context.Context, u connectors.Unreferenced) error {
	_, err := c.db.update(ctx, func(q *sql.Tx) error {
		if err := lockVacuum(ctx, q); err != nil { // another server's Expire may be counting on these rows
			return err
		}
		rows := []struct{ table, key string }{{"tarn_files", "table_id"}, {"tarn_partitions", "table_id"}, {"tarn_columns", "table_id"},
			{"tarn_dependencies", "view_id"}, {"tarn_tables", "id"}}
		for _, r := range rows {
			if _, err := q.ExecContext(ctx, "DELETE FROM "+r.table+" WHERE "+r.key+" = $1 AND end_commit <= $2", u.Table, u.Horizon); err != nil {
				return err
			}
		}
		var left int64
		if err := q.QueryRowContext(ctx, "SELECT COUNT(*) FROM tarn_tables WHERE id = $1", u.Table).Scan(&left); err != nil || left > 0 {
			return err
		}
		for _, table := range []string{"tarn_versions", "tarn_statistics", "tarn_heads"} {
			if _, err := q.ExecContext(ctx, "DELETE FROM "+table+" WHERE table_id = $1", u.Table); err != nil {
				return err
			}
		}
		return nil
	})
	return err
}

// Referenced lists, relative to location, the files that any snapshot of any table there may still
// read, and the locations of other tables below it.
func (c *Catalog) Referenced(ctx context.Context, location string) (paths map[string]bool, nested []string, err error) {
	paths = map[string]bool{}
	err = c.db.view(ctx, func(q *sql.Tx) error {
		prefix := location + "/"
		err := each(ctx, q, "SELECT DISTINCT location FROM tarn_tables WHERE location <> ''", nil, func(row *sql.Rows) error {
			var other string
			err := row.Scan(&other)
			if len(other) > len(prefix) && other[:len(prefix)] == prefix {
				nested = append(nested, other)
			}
			return err
		})
		if err != nil {
			return err
		}
		return each(ctx, q, `SELECT f.path FROM tarn_files f WHERE f.table_id IN (SELECT id FROM tarn_tables WHERE location = $1)`,
			[]any{location}, func(row *sql.Rows) error {
				var path string
				err := row.Scan(&path)
				paths[path] = true
				return err
			})
	})
	return paths, nested, c.db.wrap(ctx, err)
}

// Roots implements connectors.FileHistory: the warehouse and the schemas' own locations.
func (c *Catalog) Roots(ctx context.Context) ([]string, error) {
	out := []string{}
	if c.options.Warehouse != "" {
		out = append(out, strings.TrimRight(c.options.Warehouse, "/"))
	}
	err := each(ctx, c.db.read, "SELECT DISTINCT location FROM tarn_schemas WHERE location <> ''", nil, func(row *sql.Rows) error {
		var location string
		err := row.Scan(&location)
		out = append(out, strings.TrimRight(location, "/"))
		return err
	})
	return out, c.db.wrap(ctx, err)
}

// ExpirePartitions stages the end of partitions that the table's retention says are too old: those
// whose first partition column, a date or a timestamp, lies that far back. It gives their keys.
func (tx *Tx) ExpirePartitions(ctx context.Context, table int64) ([]string, error) {
	t := tx.DefinitionByID(table)
	if t == nil || t.Kind == connectors.View || t.Properties["retention"] == "" {
		return nil, nil
	}
	kept, ok := ParseDuration(t.Properties["retention"])
	if !ok || len(t.Partition) == 0 {
		return nil, nil
	}
	column := t.PartitionTypes()[0]
	limit := tx.c.options.Now().Add(-kept)
	var least int64
	switch column.Kind {
	case types.Date:
		least = limit.Unix() / 86_400
	case types.Timestamp, types.TimestampTZ:
		least = limit.UnixMicro()
	default:
		return nil, sqlerr.New(sqlerr.ObjectNotInPrerequisiteState, "retention of table %q needs a date or timestamp as the first partition column", t.Name)
	}
	partitions, err := tx.Partitions(ctx, table)
	if err != nil {
		return nil, err
	}
	var keys []string
	for _, p := range partitions {
		if v := p.Values[0]; !v.Null && v.I64 < least {
			keys = append(keys, p.Key)
		}
	}
	if len(keys) == 0 {
		return nil, nil
	}
	slices.Sort(keys)
	return keys, tx.DeletePartitions(table, keys)
}

func notPartitioned(t *Table) error {
	return sqlerr.New(sqlerr.WrongObjectType, "table %q is not partitioned", t.Name)
}
