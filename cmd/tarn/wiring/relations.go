package wiring

import (
	"context"

	"github.com/tarnlake/tarn/connectors"
	"github.com/tarnlake/tarn/connectors/files"
	"github.com/tarnlake/tarn/connectors/tpch"
	"github.com/tarnlake/tarn/coordinator/engine"
	"github.com/tarnlake/tarn/internal/sqlerr"
	"github.com/tarnlake/tarn/internal/types"
	"github.com/tarnlake/tarn/planner/binder"
	"github.com/tarnlake/tarn/planner/parser"
	"github.com/tarnlake/tarn/planner/parser/ast"
)

// tpchRelations offers the generated tables as tpch.sf1.lineitem.
type tpchRelations struct{ connector *tpch.Connector }

func (r tpchRelations) Table(_ context.Context, _ *engine.Tx, database, schema, name string) (*connectors.Table, error) {
	if database != "tpch" {
		return nil, nil
	}
	return r.connector.Table(schema, name), nil
}

func (r tpchRelations) Stats(t *connectors.Table) (connectors.TableStats, bool) {
	if t.Connector != tpch.Name {
		return connectors.TableStats{}, false
	}
	stats, err := r.connector.Stats(t)
	return stats, err == nil
}

// parseType reads the name of a type as it stands in a column's definition.
func parseType(name string) (types.Type, error) {
	bad := sqlerr.New(sqlerr.UndefinedObject, "type %q does not exist", name)
	statement, err := parser.ParseOne("CREATE TABLE t (c " + name + ")")
	if err != nil {
		return types.Type{}, bad
	}
	table, ok := statement.(*ast.CreateTable)
	if !ok || len(table.Columns) != 1 || table.Columns[0].Type == nil {
		return types.Type{}, bad
	}
	return binder.ResolveType(table.Columns[0].Type)
}

// fileFunctions offers read_parquet and its like.
type fileFunctions struct{ connector *files.Connector }

func (f fileFunctions) Resolve(ctx context.Context, name string, args []engine.TableArgument) (*connectors.Table, error) {
	list := make([]files.Argument, len(args))
	for i, a := range args {
		list[i] = files.Argument(a)
	}
	return f.connector.Resolve(ctx, name, list)
}

func (f fileFunctions) Stats(ctx context.Context, t *connectors.Table) (connectors.TableStats, error) {
	return f.connector.Stats(ctx, t)
}
