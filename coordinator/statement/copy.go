package statement

import (
	"context"
	"path"
	"strings"

	"github.com/tarnlake/tarn/connectors"
	"github.com/tarnlake/tarn/coordinator/engine"
	"github.com/tarnlake/tarn/coordinator/session"
	"github.com/tarnlake/tarn/internal/sqlerr"
	"github.com/tarnlake/tarn/internal/types"
	"github.com/tarnlake/tarn/planner/parser/ast"
)

// planCopy describes a COPY. Over the connection its Columns are those that travel.
func (r *run) planCopy(ctx context.Context, st *ast.Copy) (*session.Prepared, error) {
	if st.Program {
		return nil, r.fail(st.Pos, sqlerr.FeatureNotSupported, "COPY to or from an external program is not supported")
	}
	if st.Direction == ast.CopyTo {
		bound, err := r.bindCopyTo(ctx, st)
		if err != nil || st.Path != "" {
			return &session.Prepared{}, err
		}
		return &session.Prepared{Columns: bound.Columns(), Copy: session.CopyToClient}, nil
	}
	if err := r.copyWritable(st); err != nil {
		return nil, err
	}
	columns, err := r.copyColumns(ctx, st)
	if err != nil || st.Path != "" {
		return &session.Prepared{}, err
	}
	return &session.Prepared{Columns: columns, Copy: session.CopyFromClient}, nil
}

// copy runs a COPY.
func (r *run) copy(ctx context.Context, st *ast.Copy, request session.ExecuteRequest) (*session.Result, error) {
	if st.Direction == ast.CopyTo {
		bound, err := r.bindCopyTo(ctx, st)
		if err != nil {
			return nil, err
		}
		if st.Path != "" {
			return r.copyToPath(ctx, st, bound)
		}
		running, err := bound.Run(ctx, nil)
		if err != nil {
			return nil, err
		}
		return &session.Result{Source: running}, nil
	}
	if err := r.copyWritable(st); err != nil {
		return nil, err
	}
	columns, err := r.copyColumns(ctx, st)
	if err != nil {
		return nil, err
	}
	if st.Path != "" {
		table, err := r.openCopy(ctx, st, columns)
		if err != nil {
			return nil, err
		}
		result, err := r.copyFrom(ctx, st, columns, table)
		if err == nil {
			err = r.keepRejects(ctx, st, table)
		}
		return result, err
	}
	table, release := r.config.Input.Table("input", columns, request.Input)
	defer release()
	return r.copyFrom(ctx, st, columns, table)
}

// copyWritable refuses COPY FROM in a read-only transaction, but for temporary tables.
func (r *run) copyWritable(st *ast.Copy) error {
	if !r.tx.State.ReadOnly {
		return nil
	}
	if t, _, err := r.find(*st.Table); err != nil || t != nil && t.Kind == connectors.Temporary {
		return err
	}
	return sqlerr.New(sqlerr.ReadOnlySQLTransaction, "cannot execute COPY FROM in a read-only transaction")
}

// copyColumns gives the columns that COPY FROM reads: those listed, or all of the table.
func (r *run) copyColumns(ctx context.Context, st *ast.Copy) (types.Schema, error) {
	t, err := r.relation(ctx, *st.Table)
	if err != nil {
		return nil, err
	}
	switch t.Kind {
	case connectors.View:
		return nil, r.fail(st.Table.Pos, sqlerr.WrongObjectType, "cannot copy to view %q", t.Name)
	case connectors.Virtual:
		return nil, r.fail(st.Table.Pos, sqlerr.InsufficientPrivilege, "permission denied: %q is a system catalog", t.Name)
	}
	if len(st.Columns) == 0 {
		return nullable(t.RowType()), nil
	}
	var out types.Schema
	for i, name := range st.Columns {
		at := columnNamed(t, name.Name)
		if at < 0 {
			return nil, r.fail(name.Pos, sqlerr.UndefinedColumn, "column %q of relation %q does not exist", name.Name, t.Name)
		}
		for _, other := range st.Columns[:i] {
			if other.Name == name.Name {
				return nil, r.fail(name.Pos, sqlerr.DuplicateColumn, "column %q specified more than once", name.Name)
			}
		}
		out = append(out, t.RowType()[at])
	}
	return nullable(out), nil
}

// nullable lets NULLs arrive: the write refuses them where they must not be.
func nullable(s types.Schema) types.Schema {
	for i := range s {
		s[i].Nullable = true
	}
	return s
}

func columnNamed(t *connectors.Table, name string) int {
	for i, c := range t.Columns {
		if c.Name == name {
			return i
		}
	}
	return -1
}

// copyFrom inserts rows that are given: INSERT INTO t (columns) SELECT columns FROM input WHERE ….
func (r *run) copyFrom(ctx context.Context, st *ast.Copy, columns types.Schema, table *connectors.Table) (*session.Result, error) {
	at := st.Pos
	core := &ast.SelectCore{Pos: at, Where: st.Where,
		From: []ast.FromItem{&ast.TableRef{Pos: at, Name: ast.Name{Pos: at, Parts: []string{"", "input"}}, Alias: &ast.Alias{Pos: ast.NoPos, Name: st.Table.Last()}}}}
	insert := &ast.Insert{Table: &ast.TableRef{Pos: st.Table.Pos, Name: *st.Table}, Query: &ast.Query{Pos: at, Body: core}}
	for _, c := range columns {
		core.Targets = append(core.Targets, ast.Target{Pos: at, Expr: &ast.ColumnRef{Pos: at, Parts: []string{c.Name}}})
		insert.Columns = append(insert.Columns, ast.Identifier{Pos: at, Name: c.Name})
	}
	bound, err := r.tx.BindQuery(ctx, engine.QueryText{SQL: r.sql, Statement: insert, Given: map[string]*connectors.Table{"input": table}})
	if err != nil {
		return nil, err
	}
	count, err := bound.Write(ctx, nil)
	if err != nil {
		return nil, err
	}
	return &session.Result{Affected: func() int64 { return count }}, nil
}

// bindCopyTo binds the query whose rows go out.
func (r *run) bindCopyTo(ctx context.Context, st *ast.Copy) (*engine.BoundQuery, error) {
	query := st.Query
	if query == nil {
		t, err := r.relation(ctx, *st.Table)
		if err != nil {
			return nil, err
		}
		if t.Kind == connectors.View {
			return nil, r.fail(st.Table.Pos, sqlerr.WrongObjectType, "cannot copy from view %q", t.Name).
				WithHint("Try the COPY (SELECT ...) TO variant.")
		}
		core := &ast.SelectCore{Pos: st.Pos, From: []ast.FromItem{&ast.TableRef{Pos: st.Table.Pos, Name: *st.Table}}}
		for _, c := range st.Columns {
			if columnNamed(t, c.Name) < 0 {
				return nil, r.fail(c.Pos, sqlerr.UndefinedColumn, "column %q of relation %q does not exist", c.Name, t.Name)
			}
			core.Targets = append(core.Targets, ast.Target{Pos: c.Pos, Expr: &ast.ColumnRef{Pos: c.Pos, Parts: []string{c.Name}}})
		}
		if len(st.Columns) == 0 {
			core.Targets = []ast.Target{{Pos: st.Pos, Expr: &ast.Star{Pos: st.Pos}}}
		}
		query = &ast.Query{Pos: st.Pos, Body: core}
	}
	bound, err := r.tx.BindQuery(ctx, engine.QueryText{SQL: r.sql, Statement: &ast.Select{Query: query}})
	if err != nil {
		return nil, err
	}
	if len(bound.Parameters()) > 0 {
		return nil, r.fail(query.Pos, sqlerr.UndefinedParameter, "there is no parameter $1")
	}
	return bound, nil
}

// fileFormat tells how the file of a COPY is written: as the option says, else by its name.
func (r *run) fileFormat(st *ast.Copy) (string, error) {
	for _, p := range st.Options {
		if p.Name != "format" {
			continue
		}
		text, err := r.propertyText(p)
		if err != nil {
			return "", err
		}
		switch format := strings.ToLower(text); format {
		case "csv", "parquet", "orc", "json":
			return format, nil
		case "text", "binary":
			return "", r.fail(p.Pos, sqlerr.FeatureNotSupported, "COPY format %q is not supported for files", format).
				WithHint("Use (FORMAT csv), (FORMAT json), (FORMAT parquet) or (FORMAT orc).")
		}
		return "", r.fail(p.Pos, sqlerr.InvalidParameterValue, "COPY format %q not recognized", text)
	}
	name := strings.TrimSuffix(strings.TrimSuffix(strings.TrimSuffix(st.Path, ".gz"), ".zst"), ".bz2")
	switch strings.ToLower(path.Ext(name)) {
	case ".csv", ".tsv", ".txt":
		return "csv", nil
	case ".parquet", ".pq":
		return "parquet", nil
	case ".orc":
		return "orc", nil
	case ".json", ".jsonl", ".ndjson":
		return "json", nil
	}
	return "", r.fail(st.Pos, sqlerr.InvalidParameterValue, "cannot tell the format of %q by its name", st.Path).
		WithHint("Add (FORMAT csv), (FORMAT json), (FORMAT parquet) or (FORMAT orc).")
}
