package statement

import (
	"context"

	"github.com/tarnlake/tarn/catalog"
	"github.com/tarnlake/tarn/connectors"
	"github.com/tarnlake/tarn/coordinator/engine"
	"github.com/tarnlake/tarn/coordinator/session"
	"github.com/tarnlake/tarn/internal/sqlerr"
	"github.com/tarnlake/tarn/internal/types"
	"github.com/tarnlake/tarn/planner/parser/ast"
)

// planShow gives the columns of a SHOW; its rows are made when it runs.
func (r *run) planShow(ctx context.Context, st *ast.Show) (*session.Prepared, error) {
	columns, err := r.showColumns(ctx, st)
	if err != nil {
		return nil, err
	}
	return &session.Prepared{Columns: columns}, nil
}

func (r *run) showColumns(ctx context.Context, st *ast.Show) (types.Schema, error) {
	switch st.Kind {
	case ast.ShowTables:
		return textColumns("Table"), nil
	case ast.ShowViews:
		return textColumns("View"), nil
	case ast.ShowSchemas:
		return textColumns("Schema"), nil
	case ast.ShowCatalogs:
		return textColumns("Catalog"), nil
	case ast.ShowColumns:
		return columnListing, nil
	case ast.ShowPartitions:
		return r.partitionColumnsOf(ctx, st)
	case ast.ShowCreateTable:
		return textColumns("Create Table"), nil
	case ast.ShowCreateView:
		return textColumns("Create View"), nil
	case ast.ShowCreateSchema:
		return textColumns("Create Schema"), nil
	case ast.ShowStats, ast.ShowColumnStats:
		return statsListing, nil
	case ast.ShowFunctions:
		return textColumns("Function", "Return Type", "Argument Types", "Function Type", "Description"), nil
	case ast.ShowSession:
		return textColumns("Name", "Value", "Default", "Type", "Description"), nil
	case ast.ShowFiles:
		return types.Schema{field("path", types.Text), field("partition", types.Text), field("rows", types.Int64), field("bytes", types.Int64)}, nil
	case ast.ShowVersions:
		return versionListing, nil
	case ast.ShowRoles:
		return textColumns("Role"), nil
	case ast.ShowProperties:
		return textColumns("property", "value"), nil
	case ast.ShowQueries, ast.ShowNodes, ast.ShowResourceGroups:
		bound, err := r.systemTable(ctx, st)
		if err != nil {
			return nil, err
		}
		return bound.Columns(), nil
	}
	return nil, r.unsupported(st.Pos, "this form of SHOW")
}

// show runs a SHOW.
func (r *run) show(ctx context.Context, st *ast.Show) (*session.Result, error) {
	if st.Kind == ast.ShowQueries || st.Kind == ast.ShowNodes || st.Kind == ast.ShowResourceGroups {
		bound, err := r.systemTable(ctx, st)
		if err != nil {
			return nil, err
		}
		running, err := bound.Run(ctx, nil)
		return &session.Result{Source: running}, err
	}
	columns, err := r.showColumns(ctx, st)
	if err != nil {
		return nil, err
	}
	l := &listing{columns: columns}
	if err := r.fill(ctx, st, l); err != nil {
		return nil, err
	}
	return r.filtered(ctx, st, l)
}

// fill makes the rows of a SHOW.
func (r *run) fill(ctx context.Context, st *ast.Show, l *listing) error {
	switch st.Kind {
	case ast.ShowTables, ast.ShowViews:
		return r.fillRelations(ctx, st, l)
	case ast.ShowSchemas:
		for _, s := range r.tx.Schemas() {
			l.addTexts(s.Name)
		}
		for _, name := range []string{"information_schema", "pg_catalog", "system"} {
			l.addTexts(name)
		}
	case ast.ShowCatalogs:
		l.addTexts(r.tx.State.Database)
	case ast.ShowColumns:
		return r.fillColumns(ctx, *st.Target, l)
	case ast.ShowPartitions:
		return r.fillPartitions(ctx, st, l)
	case ast.ShowCreateTable, ast.ShowCreateView:
		return r.fillCreate(ctx, st, l)
	case ast.ShowCreateSchema:
		return r.fillCreateSchema(st, l)
	case ast.ShowStats, ast.ShowColumnStats:
		return r.fillStats(ctx, st, l)
	case ast.ShowFunctions:
		r.fillFunctions(l)
	case ast.ShowSession:
		for _, d := range r.tx.State.Settings.Table().All() {
			l.addTexts(d.Name, r.tx.State.Settings.Get(d.Name), d.Default, d.Kind.String(), d.Doc)
		}
	case ast.ShowFiles:
		return r.fillFiles(ctx, st, l)
	case ast.ShowVersions:
		return r.fillVersions(ctx, st, l)
	case ast.ShowRoles:
		users, err := r.tx.Users(ctx)
		for _, u := range users {
			l.addTexts(u.Name)
		}
		return err
	case ast.ShowProperties:
		return r.fillProperties(ctx, st, l)
	}
	return nil
}

// systemTable binds SHOW QUERIES and its like, which are tables of the schema system.
func (r *run) systemTable(ctx context.Context, st *ast.Show) (*engine.BoundQuery, error) {
	name := "queries"
	switch st.Kind {
	case ast.ShowNodes:
		name = "nodes"
	case ast.ShowResourceGroups:
		name = "resource_groups"
	}
	q := listingQuery(st)
	q.Query.Body.(*ast.SelectCore).From[0].(*ast.TableRef).Name.Parts = []string{"system", name}
	return r.tx.BindQuery(ctx, engine.QueryText{SQL: r.sql, Statement: q})
}

// fillRelations lists the tables of a schema, views among them, or the views alone.
func (r *run) fillRelations(ctx context.Context, st *ast.Show, l *listing) error {
	schema := ""
	if st.Target != nil {
		var err error
		if schema, err = r.schemaName(*st.Target); err != nil {
			return err
		}
		if isSystemSchema(schema) {
			return r.fillSystemRelations(ctx, schema, l)
		}
		if schema != catalog.TempSchema && r.tx.Schema(schema) == nil {
			return r.missingSchema(schema, st.Target.Pos)
		}
	} else {
		var err error
		if schema, err = r.tx.CreationSchema(); err != nil {
			return err
		}
	}
	for _, t := range r.tx.Definitions(schema) {
		if st.Kind == ast.ShowTables || t.Kind == connectors.View {
			l.addTexts(t.Name)
		}
	}
	return nil
}

func (r *run) fillSystemRelations(ctx context.Context, schema string, l *listing) error {
	rows, err := r.tx.QueryRows(ctx, "SELECT table_name FROM information_schema.tables WHERE table_schema = "+ast.QuoteString(schema)+" ORDER BY 1")
	for _, row := range rows {
		l.addTexts(row[0].Str)
	}
	return err
}

var versionListing = types.Schema{field("version", types.Int64), field("committed_at", types.TimestampTZ), field("operation", types.Text),
	field("user", types.Text), field("rows", types.Int64), field("bytes", types.Int64), field("files", types.Int64)}

func (r *run) fillVersions(ctx context.Context, st *ast.Show, l *listing) error {
	if st.Target == nil {
		return r.fail(st.Pos, sqlerr.SyntaxError, "SHOW VERSIONS needs a table").WithHint("SHOW VERSIONS FROM table")
	}
	t, _, err := r.table(ctx, *st.Target)
	if err != nil {
		return err
	}
	versions, err := r.tx.Versions(ctx, t.ID)
	for _, v := range versions {
		l.add(types.IntDatum(v.Number), types.IntDatum(v.At), types.StringDatum(v.Operation), types.StringDatum(v.User),
			types.IntDatum(v.Rows), types.IntDatum(v.Bytes), types.IntDatum(v.Files))
	}
	return err
}
