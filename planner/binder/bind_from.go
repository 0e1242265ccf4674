package binder

import (
	"github.com/tarnlake/tarn/internal/expr"
	"github.com/tarnlake/tarn/internal/plan"
	"github.com/tarnlake/tarn/internal/sqlerr"
	"github.com/tarnlake/tarn/planner/logical"
	"github.com/tarnlake/tarn/planner/parser/ast"
)

// fromItem is a bound item of FROM.
type fromItem struct {
	node logical.Node
	// relations is what names can refer to.
	relations []*relation
	// columns are the item's own, in order, as * and USING see them.
	columns []relationColumn
}

// from binds a FROM list into the scope: items join from left to right, each seeing those before it
// only if it is LATERAL.
func (b *binder) from(sc *scope, list []ast.FromItem) (logical.Node, error) {
	sc.clause = clauseNone
	var node logical.Node
	for _, f := range list {
		item, err := b.fromItem(sc, f)
		if err != nil {
			return nil, err
		}
		if err := b.checkNames(sc.relations, item.relations); err != nil {
			return nil, err
		}
		for _, r := range item.relations {
			r.lateralOnly, r.lateralOK = true, true
		}
		b.addRelations(sc, item.relations)
		if node == nil {
			node = item.node
			continue
		}
		node = b.lateralJoin(plan.Inner, node, item.node, nil)
	}
	for _, r := range sc.relations {
		r.lateralOnly = false
	}
	if node == nil {
		return oneRow(), nil
	}
	return node, nil
}

func (b *binder) fromItem(sc *scope, f ast.FromItem) (*fromItem, error) {
	if err := b.enter(f.Offset()); err != nil {
		return nil, err
	}
	defer b.leave()
	switch f := f.(type) {
	case *ast.TableRef:
		return b.tableRef(sc, f)
	case *ast.FileTable:
		return b.fileTable(f)
	case *ast.SubqueryTable:
		return b.subqueryTable(sc, f)
	case *ast.Join:
		return b.join(sc, f)
	case *ast.FunctionTable:
		return b.functionTable(sc, f)
	case *ast.UnnestTable:
		return b.unnestTable(sc, f)
	}
	return nil, sqlerr.Internal("unknown FROM item %T", f)
}

// lateralJoin joins two inputs, of which the right may read the left. Set-returning functions over the
// left's columns run on its rows directly.
func (b *binder) lateralJoin(kind plan.JoinKind, left, right logical.Node, condition expr.Expr) logical.Node {
	depends := dependent(left, right)
	if u, ok := right.(*logical.Unnest); ok && depends && isOneRow(u.Input) && condition == nil &&
		(kind == plan.Inner || kind == plan.Left) {
		grafted := *u
		grafted.Input, grafted.Outer = left, kind == plan.Left
		return &grafted
	}
	return &logical.Join{Kind: kind, Left: left, Right: right, Condition: condition, Dependent: depends}
}

func isOneRow(n logical.Node) bool {
	v, ok := n.(*logical.Values)
	return ok && len(v.IDs) == 0 && len(v.Rows) == 1
}

// subqueryTable binds a query in FROM. Without LATERAL it sees the queries around, not its neighbours.
func (b *binder) subqueryTable(sc *scope, f *ast.SubqueryTable) (*fromItem, error) {
	lateral := sc.lateral
	sc.lateral = f.Lateral
	r, err := b.query(sc.child(), f.Query, true)
	sc.lateral = lateral
	if err != nil {
		return nil, err
	}
	rel := &relation{byName: true, byColumn: true, at: f.Pos}
	if f.Alias != nil {
		rel.name = f.Alias.Name
	}
	b.fillRelation(rel, r.columns)
	if err := b.aliasColumns(rel, f.Alias, f.Pos); err != nil {
		return nil, err
	}
	rel.byName = rel.name != ""
	return &fromItem{r.node, []*relation{rel}, rel.columns}, nil
}

func (b *binder) fillRelation(rel *relation, columns []resultColumn) {
	for _, c := range columns {
		rel.columns = append(rel.columns, relationColumn{c.name, b.columnRef(c.id)})
	}
}

// aliasColumns applies the column names of AS t (a, b).
func (b *binder) aliasColumns(rel *relation, alias *ast.Alias, at ast.Pos) error {
	if alias == nil {
		return nil
	}
	if len(alias.Columns) > len(rel.columns) {
		return b.fail(alias.Pos, sqlerr.InvalidColumnReference, "table %q has %d columns available but %d columns specified",
			alias.Name, len(rel.columns), len(alias.Columns))
	}
	renamed := append([]relationColumn(nil), rel.columns...)
	for i, name := range alias.Columns {
		renamed[i].name = name
	}
	rel.columns = renamed
	return nil
}
