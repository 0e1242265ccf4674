package binder

import (
	"github.com/tarnlake/tarn/internal/expr"
	"github.com/tarnlake/tarn/internal/sqlerr"
	"github.com/tarnlake/tarn/planner/logical"
	"github.com/tarnlake/tarn/planner/parser/ast"
)

// delete binds DELETE of whole partitions: the condition may read partition columns only.
func (b *binder) delete(s *ast.Delete) (*Bound, error) {
	sc := &scope{}
	table, err := b.writeTarget(sc, s.Table)
	if err != nil {
		return nil, err
	}
	switch {
	case len(s.Using) > 0 || s.With != nil:
		return nil, b.fail(s.Pos, sqlerr.FeatureNotSupported, "DELETE takes a condition on partition columns only").
			WithHint("INSERT OVERWRITE with a query replaces partitions by the rows to keep.")
	case len(s.Returning) > 0:
		return nil, b.fail(s.Pos, sqlerr.FeatureNotSupported, "RETURNING is not supported")
	}
	out := &Bound{Kind: Delete, Target: table}
	if s.Where == nil {
		return out, nil
	}
	_, columns := b.scan(table, table.Name)
	rel := &relation{name: table.Name, schema: table.Schema, byName: true, byColumn: true}
	if s.Table.Alias != nil && s.Table.Alias.Name != "" {
		rel.table, rel.name, rel.schema = rel.name, s.Table.Alias.Name, ""
	}
	b.fillRelation(rel, columns)
	b.addRelations(sc, []*relation{rel})
	sc.selecting = &selection{}
	predicate, err := within(sc, clauseWhere, func() (expr.Expr, error) { return b.condition(sc, s.Where, "WHERE") })
	if err != nil {
		return nil, err
	}
	places := map[logical.ColID]int{}
	for i, ordinal := range table.Partition {
		places[columns[ordinal].id] = i
	}
	out.Predicate, err = b.overPartition(predicate, places)
	return out, err
}

// overPartition renumbers columns by their place among the partition columns.
func (b *binder) overPartition(e expr.Expr, places map[logical.ColID]int) (expr.Expr, error) {
	var err error
	out := expr.Rewrite(e, func(x expr.Expr) expr.Expr {
		c, ok := x.(*expr.Column)
		if !ok || err != nil {
			return x
		}
		i, ok := places[c.ID]
		if !ok {
			err = b.fail(b.place(c), sqlerr.FeatureNotSupported, "DELETE takes a condition on partition columns only").
				WithHint("INSERT OVERWRITE with a query replaces partitions by the rows to keep.")
			return x
		}
		return &expr.Column{ID: expr.ColumnID(i), Name: c.Name, T: c.T}
	})
	return out, err
}
