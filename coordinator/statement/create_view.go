package statement

import (
	"context"
	"fmt"
	"slices"

	"github.com/tarnlake/tarn/catalog"
	"github.com/tarnlake/tarn/coordinator/engine"
	"github.com/tarnlake/tarn/internal/sqlerr"
	"github.com/tarnlake/tarn/planner/parser"
	"github.com/tarnlake/tarn/planner/parser/ast"
)

// createView is CREATE VIEW. The query is bound to learn its columns and what it reads, and kept as
// text together with the search path under which its names have their meaning.
func (r *run) createView(ctx context.Context, st *ast.CreateView) error {
	if err := r.viewOptions(st); err != nil {
		return err
	}
	query := st.Query
	if st.Recursive {
		query = recursiveView(st)
	}
	bound, err := r.tx.BindQuery(ctx, engine.QueryText{SQL: r.sql, Statement: &ast.Select{Query: query}})
	if err != nil {
		return err
	}
	if len(bound.Parameters()) > 0 {
		return r.fail(st.Query.Pos, sqlerr.UndefinedParameter, "there is no parameter $1")
	}
	references, err := bound.References(ctx)
	if err != nil {
		return err
	}
	temporary := st.Temp
	if !temporary && slices.ContainsFunc(references, func(d engine.Reference) bool { return d.Table.ID < 0 }) {
		temporary = true
		r.notice(sqlerr.SuccessfulCompletion, fmt.Sprintf("view %q will be a temporary view", st.Name.Last()), "")
	}
	full, err := r.target(st.Name, temporary)
	if err != nil {
		return err
	}
	columns, err := r.queryColumns("VIEW", st.Columns, bound.Columns())
	if err != nil {
		return err
	}
	made, err := r.tx.CreateView(ctx, catalog.CreateView{Name: full, Columns: columns, SQL: r.viewText(st, query), SearchPath: r.tx.SearchPath(),
		DependsOn: dependencies(references), Comment: st.Comment, OrReplace: st.OrReplace, IfNotExists: st.IfNotExists})
	if err != nil {
		return r.locateName(err, st.Name)
	}
	if made == nil {
		r.skipped(full.Name)
	}
	return nil
}

func (r *run) viewOptions(st *ast.CreateView) error {
	if st.Materialized {
		return r.fail(st.Name.Pos, sqlerr.FeatureNotSupported, "materialized views are not supported").
			WithHint("CREATE TABLE … AS keeps the rows; INSERT OVERWRITE brings them up to date.")
	}
	if st.CheckOption != "" {
		return r.fail(st.Name.Pos, sqlerr.FeatureNotSupported, "WITH CHECK OPTION is supported only on automatically updatable views")
	}
	for _, p := range st.Properties {
		switch p.Name {
		case "security_barrier", "security_invoker": // views run with the rights of whoever reads them
		default:
			return r.fail(p.Pos, sqlerr.InvalidParameterValue, "unrecognized parameter %q", p.Name)
		}
	}
	if st.Recursive && len(st.Columns) == 0 {
		return r.fail(st.Name.Pos, sqlerr.SyntaxError, "CREATE RECURSIVE VIEW requires a column list")
	}
	return nil
}

// recursiveView writes CREATE RECURSIVE VIEW v (a) AS q as WITH RECURSIVE v (a) AS (q) SELECT a FROM v.
func recursiveView(st *ast.CreateView) *ast.Query {
	at := st.Query.Pos
	cte := &ast.CTE{Pos: at, Name: st.Name.Last(), Query: st.Query}
	core := &ast.SelectCore{Pos: at, From: []ast.FromItem{&ast.TableRef{Pos: at, Name: ast.Name{Pos: at, Parts: []string{cte.Name}}}}}
	for _, c := range st.Columns {
		cte.Columns = append(cte.Columns, c.Name)
		core.Targets = append(core.Targets, ast.Target{Pos: c.Pos, Expr: &ast.ColumnRef{Pos: c.Pos, Parts: []string{c.Name}}})
	}
	return &ast.Query{Pos: at, With: &ast.With{Pos: at, Recursive: true, CTEs: []*ast.CTE{cte}}, Body: core}
}

// viewText gives the text to keep: as the user wrote it, unless that would read differently alone.
func (r *run) viewText(st *ast.CreateView, query *ast.Query) string {
	formatted := ast.FormatQuery(query)
	start, end := int(st.QueryStart), int(st.QueryEnd)
	if st.Recursive || start < 0 || start >= end || end > len(r.sql) {
		return formatted
	}
	written := r.sql[start:end]
	if again, err := parser.ParseOne(written); err != nil || ast.Format(again) != formatted {
		return formatted
	}
	return written
}

// dependencies lists what a view reads, but for tables outside the catalog.
func dependencies(references []engine.Reference) []catalog.Dependency {
	var out []catalog.Dependency
	for _, ref := range references {
		if ref.Table.Connector != catalog.ConnectorName || ref.Table.ID == 0 {
			continue
		}
		d := catalog.Dependency{Table: ref.Table.ID, Schema: ref.Table.Schema, Name: ref.Table.Name}
		for _, ordinal := range ref.Columns {
			d.Columns = append(d.Columns, ref.Table.Columns[ordinal].ID)
		}
		for _, c := range ref.Table.Columns {
			d.Seen = append(d.Seen, catalog.SeenColumn{ID: c.ID, Name: c.Name})
		}
		out = append(out, d)
	}
	return out
}
