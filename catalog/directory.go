package catalog

import (
	"context"
	"database/sql"
	"maps"
	"math"
	"slices"
)

// directory holds all names at one commit. It is immutable; parts that did not change are shared
// with the directory that it was advanced from.
type directory struct {
	commit       int64
	schemas      map[int64]*Schema
	schemaByName map[string]int64
	tables       map[int64]*Table
	byName       map[tableName]int64
	heads        map[int64]head
	dependents   map[int64][]int64 // views by what they read
}

type tableName struct {
	schema int64
	name   string
}

// head is a table's newest version and the commit that made it.
type head struct{ version, commit int64 }

// refresh gives the names as of the newest commit: all commits, of any server, that had ended when it
// was called.
func (c *Catalog) refresh(ctx context.Context) (*directory, error) {
	known := c.latest.Load()
	if known != nil && !c.db.postgres && !c.stale.Load() {
		return known, nil // this process makes all commits, and each advances latest
	}
	if known == nil {
		return c.advance(ctx, math.MaxInt64)
	}
	commit, err := c.newest.read(ctx)
	if err != nil {
		return nil, err
	}
	return c.advance(ctx, commit)
}

// advance moves latest to the newest commit, unless it has reached commit already.
func (c *Catalog) advance(ctx context.Context, commit int64) (*directory, error) {
	select {
	case c.advancing <- struct{}{}:
		defer func() { <-c.advancing }()
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	if known := c.latest.Load(); known != nil && known.commit >= commit {
		return known, nil
	}
	var next *directory
	err := c.db.view(ctx, func(tx *sql.Tx) (err error) {
		var commit int64
		if err := tx.QueryRowContext(ctx, newestCommit).Scan(&commit); err != nil {
			return err
		}
		known := c.latest.Load()
		switch {
		case known == nil:
			next, err = loadDirectory(ctx, tx, commit)
		case known.commit < commit:
			next, err = known.advance(ctx, tx, commit)
		default:
			next = known
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	c.latest.Store(next)
	c.stale.Store(false)
	return next, nil
}

func loadDirectory(ctx context.Context, tx *sql.Tx, commit int64) (*directory, error) {
	d := &directory{commit: commit, tables: map[int64]*Table{}, byName: map[tableName]int64{}, heads: map[int64]head{}}
	if err := d.loadSchemas(ctx, tx); err != nil {
		return nil, err
	}
	loaded, err := loadTables(ctx, tx, commit, nil)
	if err != nil {
		return nil, err
	}
	for _, t := range loaded {
		d.tables[t.ID] = t
		d.byName[tableName{t.SchemaID, t.Name}] = t.ID
	}
	err = each(ctx, tx, "SELECT table_id, version, commit_id FROM tarn_heads", nil, func(row *sql.Rows) error {
		var id int64
		var h head
		err := row.Scan(&id, &h.version, &h.commit)
		d.heads[id] = h
		return err
	})
	d.linkViews()
	return d, err
}

func (d *directory) loadSchemas(ctx context.Context, tx *sql.Tx) error {
	d.schemas, d.schemaByName = map[int64]*Schema{}, map[string]int64{}
	return each(ctx, tx, `SELECT id, name, location, comment, owner, properties FROM tarn_schemas
		WHERE begin_commit <= $1 AND $1 < end_commit`, []any{d.commit}, func(row *sql.Rows) error {
		s := &Schema{}
		var properties string
		if err := row.Scan(&s.ID, &s.Name, &s.Location, &s.Comment, &s.Owner, &properties); err != nil {
			return err
		}
		d.schemas[s.ID], d.schemaByName[s.Name] = s, s.ID
		return fromJSON(properties, &s.Properties)
	})
}

// advance gives the directory at a later commit, which must be tx's newest.
func (d *directory) advance(ctx context.Context, tx *sql.Tx, commit int64) (*directory, error) {
	next := *d
	next.commit = commit
	next.heads = maps.Clone(d.heads)
	var redefined []int64
	err := each(ctx, tx, `SELECT table_id, version, commit_id, definition FROM tarn_versions
		WHERE commit_id > $1 AND commit_id <= $2 ORDER BY commit_id`, []any{d.commit, commit}, func(row *sql.Rows) error {
		var id, definition int64
		var h head
		err := row.Scan(&id, &h.version, &h.commit, &definition)
		next.heads[id] = h
		if definition != 0 {
			redefined = append(redefined, id)
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	var names int64
	if err := tx.QueryRowContext(ctx, "SELECT COALESCE(MAX(names_changed), 0) FROM tarn_commits WHERE id > $1 AND id <= $2",
		d.commit, commit).Scan(&names); err != nil {
		return nil, err
	}
	if names == 0 {
		return &next, nil
	}
	if err := next.loadSchemas(ctx, tx); err != nil {
		return nil, err
	}
	return &next, next.redefine(ctx, tx, redefined)
}

// redefine reloads the tables listed.
func (d *directory) redefine(ctx context.Context, tx *sql.Tx, ids []int64) error {
	slices.Sort(ids)
	ids = slices.Compact(ids)
	d.tables, d.byName = maps.Clone(d.tables), maps.Clone(d.byName)
	for _, id := range ids {
		if old := d.tables[id]; old != nil {
			delete(d.byName, tableName{old.SchemaID, old.Name})
			delete(d.tables, id)
		}
	}
	for len(ids) > 0 {
		n := min(len(ids), 500)
		loaded, err := loadTables(ctx, tx, d.commit, ids[:n])
		if err != nil {
			return err
		}
		for _, t := range loaded {
			d.tables[t.ID] = t
			d.byName[tableName{t.SchemaID, t.Name}] = t.ID
		}
		ids = ids[n:]
	}
	for id := range d.heads {
		if d.tables[id] == nil {
			delete(d.heads, id)
		}
	}
	d.linkViews()
	return nil
}

func (d *directory) linkViews() {
	d.dependents = map[int64][]int64{}
	for id, t := range d.tables {
		for _, on := range t.DependsOn {
			d.dependents[on.Table] = append(d.dependents[on.Table], id)
		}
	}
	for _, views := range d.dependents {
		slices.Sort(views)
	}
}

// loadTables gives definitions as of commit; ids nil means all.
func loadTables(ctx context.Context, q querier, commit int64, ids []int64) ([]*Table, error) {
	idFilter := func(column string) (string, []any) {
		args := []any{commit}
		if ids == nil {
			return "", args
		}
		for _, id := range ids {
			args = append(args, id)
		}
		return " AND " + column + " IN (" + placeholders(2, len(ids)) + ")", args
	}
	byID := map[int64]*Table{}
	var out []*Table
	where, args := idFilter("id")
	err := each(ctx, q, `SELECT id, schema_id, name, kind, format, location, comment, owner, properties, partition_columns,
		sort_columns, next_column, view_sql, search_path FROM tarn_tables
		WHERE begin_commit <= $1 AND $1 < end_commit`+where, args, func(row *sql.Rows) error {
		t, err := scanTable(row)
		if err == nil {
			byID[t.ID] = t
			out = append(out, t)
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	kinds := kindsByName()
	where, args = idFilter("table_id")
	err = each(ctx, q, `SELECT table_id, id, name, storage_name, type, not_null, default_sql, comment FROM tarn_columns
		WHERE begin_commit <= $1 AND $1 < end_commit`+where+` ORDER BY table_id, ordinal`, args, func(row *sql.Rows) error {
		var table int64
		var c Column
		var typeText string
		err := row.Scan(&table, &c.ID, &c.Name, &c.StorageName, &typeText, &c.NotNull, &c.Default, &c.Comment)
		if err != nil || byID[table] == nil {
			return err
		}
		c.Type, err = decodeType(typeText, kinds)
		byID[table].Columns = append(byID[table].Columns, c)
		return err
	})
	if err != nil {
		return nil, err
	}
	where, args = idFilter("view_id")
	err = each(ctx, q, `SELECT view_id, table_id, schema_name, table_name, columns FROM tarn_dependencies
		WHERE begin_commit <= $1 AND $1 < end_commit`+where+` ORDER BY view_id, table_id`, args, func(row *sql.Rows) error {
		var view int64
		var on Dependency
		var columns string
		if err := row.Scan(&view, &on.Table, &on.Schema, &on.Name, &columns); err != nil || byID[view] == nil {
			return err
		}
		var stored storedDependency
		err := fromJSON(columns, &stored)
		on.Columns, on.Seen = stored.Read, stored.Seen
		byID[view].DependsOn = append(byID[view].DependsOn, on)
		return err
	})
	return out, err
}

func scanTable(row *sql.Rows) (*Table, error) {
	t := &Table{}
	var kind, properties, partition, sorted, path string
	err := row.Scan(&t.ID, &t.SchemaID, &t.Name, &kind, &t.Format, &t.Location, &t.Comment, &t.Owner, &properties, &partition,
		&sorted, &t.NextColumn, &t.ViewSQL, &path)
	if err != nil {
		return nil, err
	}
	t.Kind = kindOf(kind)
	for _, field := range []struct {
		text string
		into any
	}{{properties, &t.Properties}, {partition, &t.Partition}, {sorted, &t.SortedBy}, {path, &t.SearchPath}} {
		if err := fromJSON(field.text, field.into); err != nil {
			return nil, err
		}
	}
	return t, nil
}
