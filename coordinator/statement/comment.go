package statement

import (
	"context"

	"github.com/tarnlake/tarn/catalog"
	"github.com/tarnlake/tarn/connectors"
	"github.com/tarnlake/tarn/internal/sqlerr"
	"github.com/tarnlake/tarn/planner/parser/ast"
)

// comment is COMMENT ON.
func (r *run) comment(ctx context.Context, st *ast.CommentOn) error {
	text := st.Text
	if st.Drop {
		text = ""
	}
	switch st.Kind {
	case ast.ObjectSchema:
		name, err := r.schemaName(st.Name)
		if err != nil {
			return err
		}
		if r.tx.Schema(name) == nil {
			return r.missingSchema(name, st.Name.Pos)
		}
		return r.tx.AlterSchema(name, func(s *catalog.Schema) { s.Comment = text })
	case ast.ObjectColumn:
		return r.commentOnColumn(ctx, st.Name, text)
	case ast.ObjectTable, ast.ObjectView, ast.ObjectForeignTable:
		t, name, err := r.existing(ctx, "relation", st.Name)
		if err != nil {
			return err
		}
		if isView := t.Kind == connectors.View; isView != (st.Kind == ast.ObjectView) {
			return r.fail(st.Name.Pos, sqlerr.WrongObjectType, "%q is not a %s", t.Name, map[bool]string{true: "table", false: "view"}[isView])
		}
		return r.tx.AlterRelation("relation", name, catalog.Comment(text))
	}
	return r.unsupported(st.Pos, "COMMENT ON "+st.Kind.String())
}

func (r *run) commentOnColumn(ctx context.Context, column ast.Name, text string) error {
	n := len(column.Parts)
	if n < 2 {
		return r.fail(column.Pos, sqlerr.SyntaxError, "column name must be qualified")
	}
	t, name, err := r.existing(ctx, "relation", ast.Name{Pos: column.Pos, Parts: column.Parts[:n-1]})
	if err != nil {
		return err
	}
	if t.ColumnByName(column.Parts[n-1]) < 0 {
		return r.fail(column.Pos, sqlerr.UndefinedColumn, "column %q of relation %q does not exist", column.Parts[n-1], t.Name)
	}
	return r.tx.AlterRelation("relation", name, catalog.ColumnComment(column.Parts[n-1], text))
}
