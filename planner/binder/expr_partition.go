package binder

import (
	"github.com/tarnlake/tarn/internal/expr"
	"github.com/tarnlake/tarn/internal/sqlerr"
	"github.com/tarnlake/tarn/internal/types"
	"github.com/tarnlake/tarn/planner/parser"
	"github.com/tarnlake/tarn/planner/parser/ast"
)

// latestPartition makes a constant of latest_partition('schema.table'): it has the partition column's
// type, and prunes as any constant does. The plan is bound again when the catalog moves.
func (b *binder) latestPartition(sc *scope, partitions Partitions, e *ast.FuncCall) (expr.Expr, error) {
	x, err := b.typed(sc, e.Args[0])
	if err != nil {
		return nil, err
	}
	at := ast.Leftmost(e.Args[0])
	if x.Type().Physical() != types.PhysString || !isConstant(x) {
		return nil, b.fail(at, sqlerr.FeatureNotSupported, "latest_partition needs the name of a table as a constant")
	}
	if x, err = b.foldLiteral(x, at); err != nil {
		return nil, err
	}
	name, ok := x.(*expr.Literal)
	if !ok || name.Value.Null {
		return nil, b.fail(at, sqlerr.NullValueNotAllowed, "latest_partition needs the name of a table")
	}
	parts, err := parser.ParseName(name.Value.Str)
	if err != nil {
		return nil, b.locate(err, at)
	}
	value, t, err := partitions.LatestPartition(b.ctx, TableName{Parts: parts, SearchPath: b.searchPath, View: b.viewID})
	if err != nil {
		return nil, b.locate(err, at)
	}
	return &expr.Literal{Value: value, T: t}, nil
}
