package statement

import (
	"context"

	"github.com/tarnlake/tarn/catalog"
	"github.com/tarnlake/tarn/connectors"
	"github.com/tarnlake/tarn/coordinator/engine"
	"github.com/tarnlake/tarn/coordinator/session"
	"github.com/tarnlake/tarn/internal/sqlerr"
	"github.com/tarnlake/tarn/planner/parser/ast"
)

// planTableAs binds the query of CREATE TABLE AS or SELECT INTO, for its parameters and errors.
func (r *run) planTableAs(ctx context.Context, q *ast.Query, request session.PlanRequest) (*session.Prepared, error) {
	bound, err := r.tx.BindQuery(ctx, engine.QueryText{SQL: r.sql, Statement: &ast.Select{Query: q}, Parameters: request.ParamTypes})
	if err != nil {
		return nil, err
	}
	return &session.Prepared{ParamTypes: bound.Parameters()}, nil
}

// selectInto is SELECT … INTO, another spelling of CREATE TABLE AS.
func (r *run) selectInto(ctx context.Context, st *ast.Select, request session.ExecuteRequest) (*session.Result, error) {
	return r.createTableAs(ctx, &ast.CreateTable{Source: st.Source, Name: st.Into.Name, Temp: st.Into.Temp, Query: st.Query}, request)
}

// createTableAs makes a table of a query's rows. The query is bound before the table is made: with
// OR REPLACE it may read the table that it replaces.
func (r *run) createTableAs(ctx context.Context, st *ast.CreateTable, request session.ExecuteRequest) (*session.Result, error) {
	return r.createTableOf(ctx, st, request, nil)
}

// createTableOf is createTableAs of a query that may name given tables, whose schema is "".
func (r *run) createTableOf(ctx context.Context, st *ast.CreateTable, request session.ExecuteRequest, given map[string]*connectors.Table) (*session.Result, error) {
	none := &session.Result{Tag: "CREATE TABLE AS"}
	if st.External {
		return nil, r.fail(st.Name.Pos, sqlerr.FeatureNotSupported, "CREATE EXTERNAL TABLE ... AS is not supported").
			WithHint("COPY (query) TO 'path' writes files; CREATE TABLE … FROM 'path' makes a table of them.")
	}
	create, skip, err := r.tableHead(st)
	if err != nil || skip {
		return none, err
	}
	bound, err := r.tx.BindQuery(ctx, engine.QueryText{SQL: r.sql, Statement: &ast.Select{Query: st.Query}, Parameters: request.Prepared.ParamTypes, Given: given})
	if err != nil {
		return nil, err
	}
	for i := range st.Columns {
		if c := &st.Columns[i]; c.Type != nil {
			return nil, r.fail(c.Type.Pos, sqlerr.SyntaxError, "columns of CREATE TABLE AS take their types from the query").
				WithHint("Cast in the query.")
		}
	}
	if create.Columns, err = r.queryColumns("TABLE", st.Columns, bound.Columns()); err != nil {
		return nil, err
	}
	for _, p := range st.Partitions {
		if p.Type != nil {
			return nil, r.fail(p.Type.Pos, sqlerr.SyntaxError, "columns of CREATE TABLE AS take their types from the query").
				WithHint("PARTITIONED BY takes names of the query's columns here.")
		}
	}
	if err := r.tableLayout(st, create); err != nil {
		return nil, err
	}
	if create.Kind == connectors.External {
		create.Kind = connectors.BaseTable // Trino's external_location: the rows go there
	}
	t, err := r.makeTable(ctx, st, create)
	if err != nil || t == nil || st.WithNoData {
		return none, err
	}
	rows, err := bound.InsertInto(ctx, request.Params, r.tx.ResolveID(t.ID))
	if err != nil {
		return nil, err
	}
	return &session.Result{Affected: func() int64 { return rows }}, nil
}

// dropAtCommit makes a temporary table end with its transaction.
func (r *run) dropAtCommit(id int64) {
	tx := r.tx
	tx.BeforeCommit(func(context.Context) error {
		t := tx.DefinitionByID(id)
		if t == nil {
			return nil
		}
		_, err := tx.DropRelations("table", []catalog.Name{{Schema: catalog.TempSchema, Name: t.Name}}, true, true)
		return err
	})
}
