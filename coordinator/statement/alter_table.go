package statement

import (
	"context"
	"fmt"

	"github.com/tarnlake/tarn/catalog"
	"github.com/tarnlake/tarn/connectors"
	"github.com/tarnlake/tarn/coordinator/engine"
	"github.com/tarnlake/tarn/internal/sqlerr"
	"github.com/tarnlake/tarn/planner/parser/ast"
)

// alter is ALTER TABLE, VIEW and SCHEMA.
func (r *run) alter(ctx context.Context, st *ast.AlterTable) error {
	kind := "table"
	switch st.Kind {
	case ast.ObjectSchema, ast.ObjectDatabase:
		return r.alterSchema(ctx, st)
	case ast.ObjectView:
		kind = "view"
	case ast.ObjectMaterializedView:
		return r.dropNothing(&ast.Drop{Source: st.Source, Kind: st.Kind, IfExists: st.IfExists, Names: []ast.Name{st.Name}})
	}
	t, name, err := r.existing(ctx, "relation", st.Name)
	if err != nil {
		if st.IfExists && (sqlerr.CodeOf(err) == sqlerr.UndefinedTable || sqlerr.CodeOf(err) == sqlerr.InvalidSchemaName) {
			r.notice(sqlerr.SuccessfulCompletion, fmt.Sprintf("relation %q does not exist, skipping", st.Name.Last()), "")
			return nil
		}
		return err
	}
	if isView := t.Kind == connectors.View; kind == "view" && !isView {
		return r.fail(st.Name.Pos, sqlerr.WrongObjectType, "%q is not a view", t.Name)
	} else if isView {
		kind = "view" // ALTER TABLE may rename views and give them away
	}
	a := &alteration{run: r, t: t, name: name, kind: kind}
	for _, action := range st.Actions {
		if err := a.apply(ctx, action); err != nil {
			return err
		}
	}
	return nil
}

// alteration is one ALTER under way: t and name are what the actions so far have made of them.
type alteration struct {
	*run
	t    *catalog.Table
	name catalog.Name
	kind string
}

func (a *alteration) change(at ast.Pos, changes ...catalog.Alter) error {
	if err := a.tx.AlterRelation(a.kind, a.name, changes...); err != nil {
		return a.locate(err, at)
	}
	a.t = a.tx.DefinitionByID(a.t.ID)
	a.name = catalog.Name{Schema: a.tx.SchemaName(a.t), Name: a.t.Name}
	return nil
}

func (a *alteration) apply(ctx context.Context, action ast.AlterAction) error {
	switch action := action.(type) {
	case *ast.RenameTo:
		return a.rename(action)
	case *ast.SetSchema:
		return a.setSchema(action)
	case *ast.ChangeOwner:
		if err := a.checkRole(ctx, action.Role); err != nil {
			return err
		}
		return a.change(action.Pos, catalog.OwnedBy(a.role(action.Role)))
	case *ast.RenameColumn:
		if err := a.mayRename(action); err != nil {
			return err
		}
		return a.change(action.From.Pos, catalog.RenameColumn(action.From.Name, action.To.Name))
	}
	if a.t.Kind == connectors.View {
		if p, ok := action.(*ast.SetProperties); ok && onlySecurity(p) {
			return nil
		}
		return a.fail(action.Offset(), sqlerr.WrongObjectType, "ALTER action cannot be performed on relation %q", a.t.Name).
			WithDetail("This operation is not supported for views.")
	}
	return a.applyToTable(ctx, action)
}

// mayRename words a missing column as PostgreSQL does in RENAME.
func (a *alteration) mayRename(action *ast.RenameColumn) error {
	if a.t.ColumnByName(action.From.Name) >= 0 {
		return nil
	}
	e := a.fail(action.From.Pos, sqlerr.UndefinedColumn, "column %q does not exist", action.From.Name)
	var known []string
	for _, c := range a.t.Columns {
		known = append(known, c.Name)
	}
	if near := sqlerr.Nearest(action.From.Name, known); near != "" {
		return e.WithHint("Perhaps you meant the column %q.", near)
	}
	return e
}

func onlySecurity(p *ast.SetProperties) bool {
	for _, each := range p.Properties {
		if each.Name != "security_barrier" && each.Name != "security_invoker" {
			return false
		}
	}
	return true
}

func (a *alteration) applyToTable(ctx context.Context, action ast.AlterAction) error {
	switch action := action.(type) {
	case *ast.AddColumns:
		return a.addColumns(ctx, action)
	case *ast.DropColumn:
		if action.IfExists && a.t.ColumnByName(action.Column.Name) < 0 {
			a.notice(sqlerr.SuccessfulCompletion, fmt.Sprintf("column %q of relation %q does not exist, skipping", action.Column.Name, a.t.Name), "")
			return nil
		}
		return a.change(action.Column.Pos, catalog.DropColumn(action.Column.Name, action.IfExists, action.Cascade))
	case *ast.AlterColumnType:
		if action.Using != nil {
			return a.fail(ast.Leftmost(action.Using), sqlerr.FeatureNotSupported, "ALTER COLUMN TYPE ... USING is not supported").
				WithHint("Types can be widened in place. For other changes, create a new table from a query.")
		}
		t, err := a.columnType(action.Column.Name, action.Type)
		if err != nil {
			return err
		}
		return a.change(action.Column.Pos, catalog.ColumnType(action.Column.Name, t))
	case *ast.AlterColumnNotNull:
		if !action.Drop {
			if err := a.checkNotNull(ctx, action.Column); err != nil {
				return err
			}
		}
		return a.change(action.Column.Pos, catalog.ColumnNotNull(action.Column.Name, !action.Drop))
	case *ast.AlterColumnDefault:
		return a.columnDefaultTo(ctx, action)
	case *ast.SetProperties:
		return a.setProperties(action)
	case *ast.AddConstraint:
		return a.constraint(&action.Constraint)
	case *ast.AddPartitions:
		return a.addPartitions(ctx, action)
	case *ast.DropPartitions:
		return a.dropPartitions(ctx, action)
	case *ast.RecoverPartitions:
		return a.syncTable(ctx, &ast.SyncTable{Table: &ast.Name{Pos: action.Pos, Parts: []string{a.name.Schema, a.name.Name}}})
	case *ast.SetLocation:
		return a.fail(action.Pos, sqlerr.FeatureNotSupported, "the location of an existing table cannot be changed").
			WithHint("Create another table there.")
	case *ast.ExecuteProcedure:
		return a.fail(action.Pos, sqlerr.UndefinedFunction, "table procedure %q does not exist", action.Procedure)
	}
	return a.unsupported(action.Offset(), "this form of ALTER TABLE")
}

func (a *alteration) rename(action *ast.RenameTo) error {
	schema, name, err := a.split(action.Name)
	if err != nil {
		return err
	}
	if schema != "" && schema != a.name.Schema && a.tx.Schema(schema) == nil {
		return a.missingSchema(schema, action.Name.Pos)
	}
	return a.change(action.Name.Pos, catalog.RenameTo(schema, name))
}

func (a *alteration) setSchema(action *ast.SetSchema) error {
	if action.Schema == a.name.Schema {
		return nil
	}
	if action.Schema != catalog.TempSchema && a.tx.Schema(action.Schema) == nil {
		return a.missingSchema(action.Schema, action.Pos)
	}
	return a.change(action.Pos, catalog.RenameTo(action.Schema, ""))
}

func (a *alteration) addColumns(ctx context.Context, action *ast.AddColumns) error {
	for i := range action.Columns {
		def := &action.Columns[i]
		c, err := a.column(ctx, def)
		if err != nil {
			return err
		}
		if action.IfNotExists && a.t.ColumnByName(c.Name) >= 0 {
			a.notice(sqlerr.DuplicateColumn, fmt.Sprintf("column %q of relation %q already exists, skipping", c.Name, a.t.Name), "")
			continue
		}
		if c.Default != "" || c.NotNull {
			empty, err := a.isEmpty(ctx)
			if err != nil {
				return err
			}
			if c.Default != "" && !empty {
				return a.fail(ast.Leftmost(def.Default), sqlerr.FeatureNotSupported, "a column with a default cannot be added to a table that has rows").
					WithHint("Add it without, then ALTER COLUMN %s SET DEFAULT for rows to come.", ast.QuoteName(c.Name))
			}
			if notNull := c.NotNull; notNull && empty {
				c.NotNull = false
				if err := a.change(def.Pos, catalog.AddColumn(c, false), catalog.ColumnNotNull(c.Name, true)); err != nil {
					return err
				}
				continue
			}
		}
		if err := a.change(def.Pos, catalog.AddColumn(c, action.IfNotExists)); err != nil {
			return err
		}
	}
	return nil
}

func (a *alteration) isEmpty(ctx context.Context) (bool, error) {
	partitions, err := a.tx.Partitions(ctx, a.t.ID)
	for _, p := range partitions {
		if p.Files > 0 {
			return false, err
		}
	}
	return true, err
}

// checkNotNull looks for NULLs in a column that is to have none.
func (a *alteration) checkNotNull(ctx context.Context, column ast.Identifier) error {
	if a.t.ColumnByName(column.Name) < 0 {
		return nil // the catalog's error is the better one
	}
	text := fmt.Sprintf("SELECT 1 FROM %s.%s WHERE %s IS NULL LIMIT 1", ast.QuoteName(a.name.Schema), ast.QuoteName(a.name.Name), ast.QuoteName(column.Name))
	rows, err := a.tx.QueryRows(ctx, text)
	if err != nil {
		return err
	}
	if len(rows) > 0 {
		return a.fail(column.Pos, sqlerr.NotNullViolation, "column %q of relation %q contains null values", column.Name, a.t.Name)
	}
	return nil
}

func (a *alteration) columnDefaultTo(ctx context.Context, action *ast.AlterColumnDefault) error {
	text := ""
	if at := a.t.ColumnByName(action.Column.Name); action.Value != nil && at >= 0 {
		var err error
		if text, err = a.columnDefault(ctx, action.Column.Name, a.t.Columns[at].Type, action.Value); err != nil {
			return err
		}
	}
	return a.change(action.Column.Pos, catalog.ColumnDefault(action.Column.Name, text))
}

func (a *alteration) setProperties(action *ast.SetProperties) error {
	if action.Reset {
		var names []string
		for _, p := range action.Properties {
			names = append(names, p.Name)
		}
		return a.locateProperty(a.change(ast.NoPos, catalog.SetProperties(nil, names)), action.Properties)
	}
	set, err := a.properties(action.Properties)
	if err != nil {
		return err
	}
	if comment, ok := set["comment"]; ok { // Hive's
		delete(set, "comment")
		if err := a.change(action.Pos, catalog.Comment(comment)); err != nil || len(set) == 0 {
			return err
		}
	}
	return a.locateProperty(a.change(ast.NoPos, catalog.SetProperties(set, nil)), action.Properties)
}

// rollbackTable is ROLLBACK TABLE t TO VERSION n | TIMESTAMP t.
func (r *run) rollbackTable(ctx context.Context, st *ast.RollbackTable) error {
	t, _, err := r.table(ctx, st.Table)
	if err != nil {
		return err
	}
	version, err := r.versionOf(ctx, t, &st.To)
	if err != nil {
		return err
	}
	return r.locate(r.tx.Restore(ctx, t.ID, version), ast.Leftmost(st.To.Value))
}

// versionOf gives the number of the version that AS OF means.
func (r *run) versionOf(ctx context.Context, t *catalog.Table, to *ast.AsOf) (int64, error) {
	if err := r.closedExpression(to.Value, "AS OF"); err != nil {
		return 0, err
	}
	name := "int8"
	if to.Timestamp {
		name = "timestamptz"
	}
	cast := &ast.Cast{Pos: to.Pos, X: to.Value, Type: &ast.TypeName{Pos: ast.NoPos, Schema: "pg_catalog", Name: name}}
	q := &ast.Query{Pos: to.Pos, Body: &ast.SelectCore{Pos: to.Pos, Targets: []ast.Target{{Pos: to.Pos, Expr: cast}}}}
	bound, err := r.tx.BindQuery(ctx, engine.QueryText{SQL: r.sql, Statement: &ast.Select{Query: q}})
	if err != nil {
		return 0, err
	}
	rows, err := bound.Rows(ctx, nil)
	if err != nil {
		return 0, err
	}
	value := rows[0][0]
	if value.Null {
		return 0, r.fail(to.Pos, sqlerr.NullValueNotAllowed, "the version to go back to must not be null")
	}
	if !to.Timestamp {
		return value.I64, nil
	}
	versions, err := r.tx.Versions(ctx, t.ID)
	if err != nil {
		return 0, err
	}
	for _, v := range versions {
		if v.At <= value.I64 {
			return v.Number, nil
		}
	}
	return 0, r.fail(ast.Leftmost(to.Value), sqlerr.InvalidParameterValue, "table %q has no version at that time", t.Name).
		WithHint("SHOW VERSIONS FROM %s lists those that can still be read.", ast.QuoteName(t.Name))
}
