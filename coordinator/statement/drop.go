package statement

import (
	"context"
	"fmt"

	"github.com/tarnlake/tarn/catalog"
	"github.com/tarnlake/tarn/connectors"
	"github.com/tarnlake/tarn/internal/sqlerr"
	"github.com/tarnlake/tarn/planner/parser/ast"
)

// drop is DROP of anything but users.
func (r *run) drop(ctx context.Context, st *ast.Drop) error {
	switch st.Kind {
	case ast.ObjectSchema, ast.ObjectDatabase:
		return r.dropSchemas(st)
	case ast.ObjectTable, ast.ObjectForeignTable:
		return r.dropRelations(ctx, st, "table")
	case ast.ObjectView:
		return r.dropRelations(ctx, st, "view")
	}
	return r.dropNothing(st)
}

func (r *run) dropRelations(ctx context.Context, st *ast.Drop, kind string) error {
	var doomed []catalog.Name
	for _, name := range st.Names {
		t, full, err := r.find(name)
		if err != nil {
			return err
		}
		if t != nil {
			if st.Kind == ast.ObjectForeignTable && t.Kind != connectors.External {
				return r.fail(ast.NoPos, sqlerr.WrongObjectType, "%q is not a foreign table", t.Name).
					WithHint("Use DROP TABLE to remove a table.")
			}
			doomed = append(doomed, full)
			continue
		}
		missing := r.missing(ctx, kind, name)
		if code := sqlerr.CodeOf(missing); !st.IfExists || code != sqlerr.UndefinedTable && code != sqlerr.InvalidSchemaName {
			return missing
		}
		r.notice(sqlerr.SuccessfulCompletion, sqlerr.From(missing).Message+", skipping", "")
	}
	notices, err := r.tx.DropRelations(kind, doomed, st.IfExists, st.Cascade)
	if err != nil {
		return err
	}
	r.noticeAll(notices)
	return nil
}

// dropNothing is DROP of kinds that do not exist here: clients drop them with IF EXISTS.
func (r *run) dropNothing(st *ast.Drop) error {
	words := map[ast.ObjectKind]string{ast.ObjectMaterializedView: "materialized view", ast.ObjectIndex: "index",
		ast.ObjectSequence: "sequence", ast.ObjectFunction: "function", ast.ObjectType: "type", ast.ObjectExtension: "extension",
		ast.ObjectResourceGroup: "resource group", ast.ObjectColumn: "column", ast.ObjectRole: "role"}
	for _, name := range st.Names {
		message := fmt.Sprintf("%s %q does not exist", words[st.Kind], name.Last())
		if st.IfExists {
			r.notice(sqlerr.SuccessfulCompletion, message+", skipping", "")
			continue
		}
		code := sqlerr.UndefinedObject
		switch st.Kind {
		case ast.ObjectMaterializedView, ast.ObjectSequence:
			code = sqlerr.UndefinedTable
		case ast.ObjectFunction:
			code, message = sqlerr.UndefinedFunction, fmt.Sprintf("could not find a function named %q", name.Last())
		}
		if t, _, err := r.find(name); err != nil {
			return err
		} else if t != nil && st.Kind != ast.ObjectFunction && st.Kind != ast.ObjectType {
			return sqlerr.New(sqlerr.WrongObjectType, "%q is not a %s", t.Name, words[st.Kind]).
				WithHint("Use DROP %s to remove a %s.", map[bool]string{true: "VIEW", false: "TABLE"}[t.Kind == connectors.View], kindWord(t))
		}
		return sqlerr.New(code, "%s", message)
	}
	return nil
}

// truncate is TRUNCATE a, b.
func (r *run) truncate(ctx context.Context, st *ast.Truncate) error {
	var tables []int64
	for _, name := range st.Tables {
		t, _, err := r.table(ctx, name)
		if err != nil {
			return err
		}
		tables = append(tables, t.ID)
	}
	for _, id := range tables {
		if err := r.tx.Truncate(id); err != nil {
			return err
		}
	}
	return nil
}
