package binder

import (
	"github.com/tarnlake/tarn/internal/expr"
	"github.com/tarnlake/tarn/internal/fn"
	"github.com/tarnlake/tarn/internal/sqlerr"
	"github.com/tarnlake/tarn/internal/types"
	"github.com/tarnlake/tarn/planner/parser/ast"
)

// setReturning binds a set-returning function in a select list.
func (b *binder) setReturning(sc *scope, e *ast.FuncCall, c *candidate, args []argument) (expr.Expr, error) {
	hint := "You might be able to move the set-returning function into a LATERAL FROM item."
	if sc.conditional != "" {
		return nil, b.fail(e.Pos, sqlerr.FeatureNotSupported, "set-returning functions are not allowed in %s", sc.conditional).
			WithHint("%s", hint)
	}
	switch sc.clause {
	case clauseSelect, clauseOrderBy, clauseGroupBy, clauseDistinctOn:
	case clauseWindowPartition, clauseWindowOrder:
		return nil, b.fail(e.Pos, sqlerr.FeatureNotSupported, "set-returning functions are not allowed in window definitions")
	default:
		return nil, b.fail(e.Pos, sqlerr.FeatureNotSupported, "set-returning functions are not allowed in %s", sc.clause.name())
	}
	columns, call, err := b.tableColumns(c, args, e.Pos)
	if err != nil {
		return nil, err
	}
	t := &tableColumn{overload: c.overload, args: call.Args}
	for _, a := range call.Args {
		t.depth = max(t.depth, b.tableLevel(a))
	}
	for _, have := range sc.selecting.tables {
		if have.overload == t.overload && sameList(have.args, t.args) && !b.anyVolatile(t.args) {
			return b.tableValue(have, columns)
		}
	}
	for _, col := range columns {
		t.ids = append(t.ids, b.column(col.Name, col.Type, true))
	}
	t.pendingColumn = pendingColumn{t.ids[0], e.Pos, sc}
	sc.selecting.tables = append(sc.selecting.tables, t)
	for _, id := range t.ids {
		b.pending[id] = t
	}
	return b.tableValue(t, columns)
}

// tableValue is what a set-returning function gives for each row: its column, or a row of several.
func (b *binder) tableValue(t *tableColumn, columns types.Schema) (expr.Expr, error) {
	values := make([]expr.Expr, len(t.ids))
	for i, id := range t.ids {
		ref := b.columnRef(id)
		b.places[ref] = t.at
		values[i] = ref
	}
	if len(values) == 1 {
		return values[0], nil
	}
	return b.namedOf(fn.RowConstructor, types.RowOf(columns...), t.at, values...)
}

// tableLevel is how deep set-returning functions nest in e, 0 for none.
func (b *binder) tableLevel(e expr.Expr) int {
	level := 0
	expr.Walk(e, func(x expr.Expr) bool {
		if c, ok := x.(*expr.Column); ok {
			if t, ok := b.pending[c.ID].(*tableColumn); ok {
				level = max(level, t.depth+1)
			}
		}
		return true
	})
	return level
}
