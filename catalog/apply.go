package catalog

import (
	"context"
	"database/sql"
	"maps"
	"reflect"
	"slices"

	"github.com/tarnlake/tarn/connectors"
	"github.com/tarnlake/tarn/internal/sqlerr"
)

// apply writes all rows of the commit: first every row that ends, so that names become free, then
// the new ones.
func (w *writer) apply(ctx context.Context) error {
	schemas := slices.Sorted(maps.Keys(w.state.schemas))
	var tables []int64
	for _, id := range slices.Sorted(maps.Keys(w.state.tables)) {
		if id > 0 && (w.state.tables[id] != nil || w.base.tables[id] != nil) {
			tables = append(tables, id)
		}
	}
	for _, step := range []func() error{
		func() error { return w.endSchemas(ctx, schemas) },
		func() error { return w.endTables(ctx, tables) },
		func() error { return w.beginSchemas(ctx, schemas) },
		func() error { return w.beginTables(ctx, tables) },
		func() error { return w.checkDropped(ctx, schemas, tables) },
		func() error { return w.writeData(ctx, tables) },
		func() error { return w.writeSketches(ctx) },
		func() error { return w.writeUsers(ctx) },
		func() error { return w.writeSettings(ctx) },
		func() error { return w.writeCommit(ctx) },
	} {
		if err := step(); err != nil {
			return err
		}
	}
	return nil
}

func (w *writer) exec(ctx context.Context, query string, args ...any) error {
	_, err := w.q.ExecContext(ctx, query, args...)
	return err
}

func (w *writer) count(ctx context.Context, query string, args ...any) (n int64, err error) {
	err = w.q.QueryRowContext(ctx, query, args...).Scan(&n)
	return n, err
}

func (w *writer) endSchemas(ctx context.Context, ids []int64) error {
	for _, id := range ids {
		w.names = true
		if w.base.schemas[id] != nil {
			if err := w.exec(ctx, "UPDATE tarn_schemas SET end_commit = $1 WHERE id = $2 AND end_commit = $3", w.commit, id, current); err != nil {
				return err
			}
		}
	}
	return nil
}

func (w *writer) endTables(ctx context.Context, ids []int64) error {
	for _, id := range ids {
		w.names = true
		before, after := w.base.tables[id], w.state.tables[id]
		if before == nil {
			continue
		}
		type rows struct{ table, key string }
		ended := []rows{{"tarn_tables", "id"}}
		if after == nil || !reflect.DeepEqual(before.DependsOn, after.DependsOn) {
			ended = append(ended, rows{"tarn_dependencies", "view_id"})
		}
		if after == nil {
			ended = append(ended, rows{"tarn_columns", "table_id"}, rows{"tarn_partitions", "table_id"}, rows{"tarn_files", "table_id"})
		}
		for _, r := range ended {
			err := w.exec(ctx, "UPDATE "+r.table+" SET end_commit = $1 WHERE "+r.key+" = $2 AND end_commit = $3", w.commit, id, current)
			if err != nil {
				return err
			}
		}
		if after == nil {
			continue
		}
		for at, c := range before.Columns {
			if now := after.ordinal(c.ID); now != at || !reflect.DeepEqual(after.Columns[now], c) {
				err := w.exec(ctx, "UPDATE tarn_columns SET end_commit = $1 WHERE table_id = $2 AND id = $3 AND end_commit = $4", w.commit, id, c.ID, current)
				if err != nil {
					return err
				}
			}
		}
	}
	return nil
}

func (w *writer) beginSchemas(ctx context.Context, ids []int64) error {
	var rows [][]any
	for _, id := range ids {
		s := w.state.schemas[id]
		if s == nil {
			continue
		}
		taken, err := w.count(ctx, "SELECT COUNT(*) FROM tarn_schemas WHERE name = $1 AND end_commit = $2", s.Name, current)
		if err != nil {
			return err
		}
		if taken > 0 {
			if w.state.tolerant[id] {
				return conflict("Another transaction created schema %q.", s.Name)
			}
			return sqlerr.New(sqlerr.DuplicateSchema, "schema %q already exists", s.Name)
		}
		rows = append(rows, []any{s.ID, s.Name, s.Location, s.Comment, s.Owner, toJSON(s.Properties), w.commit, current})
	}
	return w.tx.c.db.insert(ctx, w.q, "tarn_schemas (id, name, location, comment, owner, properties, begin_commit, end_commit)", rows)
}

func (w *writer) beginTables(ctx context.Context, ids []int64) error {
	var tables, columns, dependencies [][]any
	for _, id := range ids {
		t := w.state.tables[id]
		if t == nil {
			continue
		}
		if err := w.checkName(ctx, t); err != nil {
			return err
		}
		tables = append(tables, []any{t.ID, t.SchemaID, t.Name, kindName(t.Kind), t.Format, t.Location, t.Comment, t.Owner,
			toJSON(t.Properties), toJSON(t.Partition), toJSON(t.SortedBy), t.NextColumn, t.ViewSQL, toJSON(t.SearchPath), w.commit, current})
		before := w.base.tables[id]
		for at, c := range t.Columns {
			if before != nil {
				if was := before.ordinal(c.ID); was == at && reflect.DeepEqual(before.Columns[was], c) {
					continue
				}
			}
			notNull := 0
			if c.NotNull {
				notNull = 1
			}
			columns = append(columns, []any{t.ID, c.ID, at, c.Name, c.StorageName, toJSON(storeType(c.Type)), notNull, c.Default, c.Comment, w.commit, current})
		}
		if before != nil && reflect.DeepEqual(before.DependsOn, t.DependsOn) {
			continue
		}
		for _, on := range t.DependsOn {
			dependencies = append(dependencies, []any{t.ID, on.Table, on.Schema, on.Name, toJSON(storedDependency{on.Columns, on.Seen}), w.commit, current})
		}
	}
	err := w.tx.c.db.insert(ctx, w.q, `tarn_tables (id, schema_id, name, kind, format, location, comment, owner, properties, partition_columns,
		sort_columns, next_column, view_sql, search_path, begin_commit, end_commit)`, tables)
	if err != nil {
		return err
	}
	err = w.tx.c.db.insert(ctx, w.q, `tarn_columns (table_id, id, ordinal, name, storage_name, type, not_null, default_sql, comment, begin_commit, end_commit)`, columns)
	if err != nil {
		return err
	}
	return w.tx.c.db.insert(ctx, w.q, "tarn_dependencies (view_id, table_id, schema_name, table_name, columns, begin_commit, end_commit)", dependencies)
}

// checkName looks whether the schema is there and the name free, all that ends having ended.
func (w *writer) checkName(ctx context.Context, t *Table) error {
	if w.state.schemas[t.SchemaID] == nil {
		found, err := w.count(ctx, "SELECT COUNT(*) FROM tarn_schemas WHERE id = $1 AND end_commit = $2", t.SchemaID, current)
		if err != nil {
			return err
		}
		if found == 0 {
			return conflict("The schema of %q was dropped by another transaction.", t.Name)
		}
	}
	taken, err := w.count(ctx, "SELECT COUNT(*) FROM tarn_tables WHERE schema_id = $1 AND name = $2 AND end_commit = $3", t.SchemaID, t.Name, current)
	if err != nil || taken == 0 {
		return err
	}
	if w.state.tolerant[t.ID] {
		return conflict("Another transaction created relation %q.", t.Name)
	}
	return duplicateRelation(t.Name)
}

// checkDropped looks for what other transactions made in dropped schemas or on dropped tables, and
// for what they dropped below new views.
func (w *writer) checkDropped(ctx context.Context, schemas, tables []int64) error {
	for _, id := range schemas {
		if w.state.schemas[id] != nil || w.base.schemas[id] == nil {
			continue
		}
		left, err := w.count(ctx, "SELECT COUNT(*) FROM tarn_tables WHERE schema_id = $1 AND end_commit = $2", id, current)
		if err != nil {
			return err
		}
		if left > 0 {
			return conflict("Another transaction created a relation in schema %q.", w.base.schemas[id].Name)
		}
	}
	for _, id := range tables {
		t := w.state.tables[id]
		if t == nil {
			left, err := w.count(ctx, "SELECT COUNT(*) FROM tarn_dependencies WHERE table_id = $1 AND end_commit = $2", id, current)
			if err != nil {
				return err
			}
			if left > 0 {
				return conflict("Another transaction created a view on %q.", w.base.tables[id].Name)
			}
			continue
		}
		for _, on := range t.DependsOn {
			found, err := w.count(ctx, "SELECT COUNT(*) FROM tarn_tables WHERE id = $1 AND end_commit = $2", on.Table, current)
			if err != nil {
				return err
			}
			// A relation dropped earlier leaves a view that names it: not this transaction's doing.
			if found == 0 && w.base.tables[on.Table] != nil {
				return conflict("Another transaction dropped %q, which view %q reads.", on.Name, t.Name)
			}
		}
	}
	return nil
}

func (w *writer) writeUsers(ctx context.Context) error {
	var rows [][]any
	for _, name := range slices.Sorted(maps.Keys(w.state.users)) {
		if err := w.exec(ctx, "UPDATE tarn_users SET end_commit = $1 WHERE name = $2 AND end_commit = $3", w.commit, name, current); err != nil {
			return err
		}
		if u := w.state.users[name]; u != nil {
			rows = append(rows, []any{u.Name, u.Verifier, bit(u.Superuser), bit(u.Login), w.commit, current})
		}
	}
	return w.tx.c.db.insert(ctx, w.q, "tarn_users (name, verifier, superuser, login, begin_commit, end_commit)", rows)
}

func bit(b bool) int {
	if b {
		return 1
	}
	return 0
}

func (w *writer) writeSettings(ctx context.Context) error {
	for key, value := range w.state.settings {
		err := w.exec(ctx, "UPDATE tarn_settings SET end_commit = $1 WHERE subject = $2 AND name = $3 AND end_commit = $4", w.commit, key.user, key.name, current)
		if err == nil && value != nil {
			err = w.exec(ctx, "INSERT INTO tarn_settings (subject, name, value, begin_commit, end_commit) VALUES ($1, $2, $3, $4, $5)",
				key.user, key.name, *value, w.commit, current)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// writeCommit adds the commit itself, later than all before it by the clock as well.
func (w *writer) writeCommit(ctx context.Context) error {
	var last sql.NullInt64
	if err := w.q.QueryRowContext(ctx, "SELECT committed_at FROM tarn_commits WHERE id = $1", w.commit-1).Scan(&last); err != nil {
		return err
	}
	at := max(w.tx.c.options.Now().UnixMicro(), last.Int64+1)
	return w.exec(ctx, "INSERT INTO tarn_commits (id, committed_at, token, username, names_changed) VALUES ($1, $2, $3, $4, $5)",
		w.commit, at, w.tx.token, w.tx.user, bit(w.names))
}

// kindOperation names what a commit did to a table, for its history.
func (w *writer) kindOperation(id int64, t *Table) string {
	if op := w.state.operations[id]; op != "" {
		return op
	}
	if t != nil && t.Kind == connectors.View {
		return "ALTER VIEW"
	}
	return "ALTER TABLE"
}
