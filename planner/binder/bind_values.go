package binder

import (
	"strconv"

	"github.com/tarnlake/tarn/internal/expr"
	"github.com/tarnlake/tarn/internal/sqlerr"
	"github.com/tarnlake/tarn/internal/types"
	"github.com/tarnlake/tarn/planner/logical"
	"github.com/tarnlake/tarn/planner/parser/ast"
)

// oneRow is a relation of one row without columns, for SELECT without FROM.
func oneRow() *logical.Values { return &logical.Values{Rows: [][]expr.Expr{{}}} }

// values binds VALUES: each column takes the common type of its items.
func (b *binder) values(sc *scope, v *ast.Values) (*result, error) {
	rows, err := b.valueRows(sc, v)
	if err != nil {
		return nil, err
	}
	width := len(v.Rows[0])
	out := make([][]expr.Expr, len(rows))
	for i := range out {
		out[i] = make([]expr.Expr, width)
	}
	r := &result{}
	ids := make([]logical.ColID, width)
	for i := range width {
		column := make([]operand, len(rows))
		for j := range rows {
			column[j] = rows[j][i]
		}
		items, t, err := b.unify(column, "VALUES")
		if err != nil {
			return nil, err
		}
		nullable := false
		for j, item := range items {
			out[j][i] = item
			nullable = nullable || b.nullable(item)
		}
		name := "column" + strconv.Itoa(i+1)
		ids[i] = b.column(name, t, nullable)
		r.columns = append(r.columns, resultColumn{ids[i], name, column[0].near()})
	}
	r.node = b.valuesNode(ids, out)
	return r, nil
}

// valueRows binds the items and checks that the rows are equally long.
func (b *binder) valueRows(sc *scope, v *ast.Values) ([][]operand, error) {
	if len(v.Rows) == 0 {
		return nil, b.fail(v.Pos, sqlerr.SyntaxError, "VALUES needs at least one row")
	}
	rows := make([][]operand, len(v.Rows))
	for i, row := range v.Rows {
		if len(row) != len(v.Rows[0]) {
			at := v.Pos
			if len(row) > 0 {
				at = ast.Leftmost(row[0])
			}
			return nil, b.fail(at, sqlerr.SyntaxError, "VALUES lists must all be the same length")
		}
		var err error
		rows[i], err = within(sc, clauseValues, func() ([]operand, error) { return b.operands(sc, row) })
		if err != nil {
			return nil, err
		}
	}
	return rows, nil
}

// valuesNode makes Values of constant rows, and a union of one-row queries where an item reads a
// column: a subquery's or an outer one.
func (b *binder) valuesNode(ids []logical.ColID, rows [][]expr.Expr) logical.Node {
	reads := false
	for _, row := range rows {
		for _, e := range row {
			if _, r := b.readsColumn(e); r {
				reads = true
			}
		}
	}
	if !reads {
		return &logical.Values{IDs: ids, Rows: rows}
	}
	n := &logical.SetOperation{Kind: logical.Union, All: true, IDs: ids}
	for _, row := range rows {
		p := &logical.Project{Input: b.attach(oneRow(), row...)}
		arm := make([]logical.ColID, len(ids))
		for i, e := range row {
			arm[i] = ids[i]
			if len(rows) > 1 {
				arm[i] = b.column(b.columns.Info(ids[i]).Name, e.Type(), true)
			}
			p.Exprs = append(p.Exprs, logical.Computed{ID: arm[i], Expr: e})
		}
		if len(rows) == 1 {
			return p
		}
		n.In, n.Arms = append(n.In, p), append(n.Arms, arm)
	}
	return n
}

// typeOfColumn gives an output column's type.
func (b *binder) typeOfColumn(c resultColumn) types.Type { return b.columns.Info(c.id).Type }
