package binder

import (
	"strings"

	"github.com/tarnlake/tarn/connectors"
	"github.com/tarnlake/tarn/internal/expr"
	"github.com/tarnlake/tarn/internal/sqlerr"
	"github.com/tarnlake/tarn/internal/types"
	"github.com/tarnlake/tarn/planner/logical"
	"github.com/tarnlake/tarn/planner/parser/ast"
)

// maxViews bounds how deep views refer to views.
const maxViews = 100

// tableRef binds a name in FROM: a WITH item, a table or a view.
func (b *binder) tableRef(sc *scope, f *ast.TableRef) (*fromItem, error) {
	name := f.Name.Last()
	if len(f.Name.Parts) == 1 && f.AsOf == nil {
		if c := sc.findCTE(name); c != nil {
			node, columns, err := b.cteRelation(sc, c, f.Pos)
			if err != nil {
				return nil, err
			}
			return b.finishTable(f, &relation{name: name}, node, columns)
		}
	}
	table, err := b.resolveTable(sc, f)
	if err != nil {
		return nil, err
	}
	b.use(table)
	rel := &relation{name: name, schema: table.Schema, source: table}
	if table.Kind == connectors.View {
		node, columns, err := b.view(table, f.Pos)
		if err != nil {
			return nil, err
		}
		return b.finishTable(f, rel, node, columns)
	}
	alias := name
	if f.Alias != nil {
		alias = f.Alias.Name
	}
	node, columns := b.scan(table, alias)
	return b.finishTable(f, rel, node, columns)
}

// finishTable gives a table its alias and samples it.
func (b *binder) finishTable(f *ast.TableRef, rel *relation, node logical.Node, columns []resultColumn) (*fromItem, error) {
	rel.byName, rel.byColumn, rel.at = true, true, f.Pos
	b.fillRelation(rel, columns)
	if f.Alias != nil && f.Alias.Name != "" {
		rel.table, rel.schema = rel.name, ""
		rel.name = f.Alias.Name
	}
	if err := b.aliasColumns(rel, f.Alias, f.Pos); err != nil {
		return nil, err
	}
	node, err := b.sample(f, node)
	return &fromItem{node, []*relation{rel}, rel.columns}, err
}

// scan makes a Scan of all columns.
func (b *binder) scan(table *connectors.Table, alias string) (logical.Node, []resultColumn) {
	n := &logical.Scan{Table: table, Alias: alias}
	columns := make([]resultColumn, len(table.Columns))
	for i, c := range table.Columns {
		id := b.column(c.Name, c.Type, !c.NotNull)
		n.Ordinals, n.IDs = append(n.Ordinals, i), append(n.IDs, id)
		columns[i] = resultColumn{id, c.Name, ast.NoPos}
	}
	return n, columns
}

// resolveTable asks the catalog; an unknown name is an error with the nearest one.
func (b *binder) resolveTable(sc *scope, f *ast.TableRef) (*connectors.Table, error) {
	name := TableName{Parts: f.Name.Parts, SearchPath: b.searchPath, View: b.viewID}
	if f.AsOf != nil {
		at, err := b.asOf(sc, f.AsOf)
		if err != nil {
			return nil, err
		}
		name.AsOf = at
	}
	table, err := b.env.Catalog.ResolveTable(b.ctx, name)
	if err != nil {
		return nil, b.locate(err, f.Pos)
	}
	if table != nil {
		return table, nil
	}
	missing := b.fail(f.Pos, sqlerr.UndefinedTable, "relation %q does not exist", strings.Join(f.Name.Parts, "."))
	if len(f.Name.Parts) == 1 && sc.findHidden(f.Name.Last()) != nil {
		return nil, missing.WithDetail("There is a WITH item named %q, but it cannot be referenced from this part of the query.", f.Name.Last()).
			WithHint("Use WITH RECURSIVE, or re-order the WITH items to remove forward references.")
	}
	if near := b.env.Catalog.NearestTable(b.ctx, name); near != "" {
		return nil, missing.WithHint("Perhaps you meant to reference the table %q.", near)
	}
	return nil, missing
}

// asOf evaluates FOR VERSION AS OF and FOR TIMESTAMP AS OF.
func (b *binder) asOf(sc *scope, a *ast.AsOf) (*AsOf, error) {
	to := bigintType
	if a.Timestamp {
		to = types.Of(types.TimestampTZ)
	}
	x, err := within(sc.child(), clauseAsOf, func() (operand, error) { return b.operand(&scope{clause: clauseAsOf}, a.Value) })
	if err != nil {
		return nil, err
	}
	e, err := b.coerceTo(x, to, assignment, "AS OF")
	if err != nil {
		return nil, err
	}
	if !isConstant(e) {
		return nil, b.fail(x.place(), sqlerr.FeatureNotSupported, "AS OF needs a constant")
	}
	if e, err = b.fold(e, x.place()); err != nil {
		return nil, err
	}
	lit, ok := e.(*expr.Literal)
	if !ok || lit.Value.Null {
		return nil, b.fail(x.place(), sqlerr.InvalidParameterValue, "AS OF must not be null")
	}
	return &AsOf{Timestamp: a.Timestamp, Value: lit.Value}, nil
}

// view expands a view: its text is bound under its creator's search path, outside all scopes.
func (b *binder) view(table *connectors.Table, at ast.Pos) (logical.Node, []resultColumn, error) {
	full := table.Schema + "." + table.Name
	for _, open := range b.views {
		if open == full {
			return nil, nil, b.fail(at, sqlerr.InvalidObjectDefinition, "infinite recursion detected in rules for relation %q", table.Name)
		}
	}
	if len(b.views) >= maxViews {
		return nil, nil, b.fail(at, sqlerr.StatementTooComplex, "views nest more than %d levels deep", maxViews)
	}
	if b.env.ParseQuery == nil {
		return nil, nil, sqlerr.Internal("no parser to expand view %s", full)
	}
	q, err := b.env.ParseQuery(table.ViewSQL)
	if err != nil {
		return nil, nil, b.viewError(err, full, at)
	}
	sql, path, outer := b.sql, b.searchPath, b.viewID
	b.sql, b.searchPath, b.viewID, b.views = "", table.SearchPath, table.ID, append(b.views, full)
	r, err := b.query(&scope{}, q, true)
	b.sql, b.searchPath, b.viewID, b.views = sql, path, outer, b.views[:len(b.views)-1]
	if err != nil {
		return nil, nil, b.viewError(err, full, at)
	}
	return b.viewColumns(table, r, at)
}

// viewError says in which view something is wrong; its places are not the statement's.
func (b *binder) viewError(err error, view string, at ast.Pos) error {
	inner := *sqlerr.From(err)
	inner.Position = 0
	if inner.Where == "" {
		inner.Where = "view " + view
	}
	return (&inner).At(b.position(at))
}

// viewColumns brings the query's columns to the names and types that the view was created with.
func (b *binder) viewColumns(table *connectors.Table, r *result, at ast.Pos) (logical.Node, []resultColumn, error) {
	if len(table.Columns) == 0 {
		return r.node, r.columns, nil
	}
	if len(table.Columns) > len(r.columns) {
		return nil, nil, b.fail(at, sqlerr.InvalidTableDefinition, "view %q no longer has the columns that it was created with", table.Name).
			WithHint("Create it again with CREATE OR REPLACE VIEW.")
	}
	r.columns = r.columns[:len(table.Columns)] // a view on this one does not see columns that came later
	to := make([]types.Type, len(r.columns))
	cast := false
	for i, c := range table.Columns {
		to[i] = c.Type
		cast = cast || !b.typeOfColumn(r.columns[i]).Equal(c.Type)
		r.columns[i].name = c.Name
		if castRule(b.typeOfColumn(r.columns[i]), c.Type) == impossible {
			return nil, nil, b.fail(at, sqlerr.InvalidTableDefinition, "column %q of view %q has become %s, was %s", c.Name, table.Name,
				b.typeOfColumn(r.columns[i]), c.Type)
		}
	}
	if !cast {
		return r.node, r.columns, nil
	}
	node, ids, err := b.castColumns(r.node, r.columns, to)
	for i := range ids {
		r.columns[i].id = ids[i]
	}
	return node, r.columns, err
}

// sample is TABLESAMPLE: each row is kept with the probability given.
func (b *binder) sample(f *ast.TableRef, node logical.Node) (logical.Node, error) {
	s := f.Sample
	if s == nil {
		return node, nil
	}
	if s.Method != "bernoulli" && s.Method != "system" {
		return nil, b.fail(s.Pos, sqlerr.UndefinedObject, "tablesample method %s does not exist", s.Method)
	}
	if s.Seed != nil {
		return nil, b.fail(s.Pos, sqlerr.FeatureNotSupported, "TABLESAMPLE … REPEATABLE is not supported")
	}
	if len(s.Args) != 1 {
		return nil, b.fail(s.Pos, sqlerr.InvalidParameterValue, "tablesample method %s requires 1 argument, not %d", s.Method, len(s.Args))
	}
	percent, err := b.operand(&scope{clause: clauseFromFunction}, s.Args[0])
	if err != nil {
		return nil, err
	}
	double := types.Of(types.Float64)
	share, err := b.coerceTo(percent, double, assignment, "TABLESAMPLE")
	if err != nil {
		return nil, err
	}
	random, err := b.named("random", s.Pos)
	if err != nil {
		return nil, err
	}
	hundred := &expr.Literal{Value: types.FloatDatum(100), T: double}
	scaled, err := b.named("*", s.Pos, operandAt(random, s.Pos), operandAt(hundred, s.Pos))
	if err != nil {
		return nil, err
	}
	return &logical.Filter{Input: node, Predicate: &expr.Compare{Op: expr.Less, Left: scaled, Right: share}}, nil
}

// fileTable is a path in FROM.
func (b *binder) fileTable(f *ast.FileTable) (*fromItem, error) {
	call := TableFunctionCall{Args: []TableFunctionArgument{{Value: types.StringDatum(f.Path), Type: textType}}}
	table, err := b.env.Catalog.ResolveTableFunction(b.ctx, call)
	if err != nil {
		return nil, b.locate(err, f.Pos)
	}
	if table == nil {
		return nil, b.fail(f.Pos, sqlerr.UndefinedTable, "relation %q does not exist", f.Path)
	}
	return b.resolvedTable(table, fileName(f.Path), f.Alias, f.Pos)
}

// fileName is the name that a file's columns can be qualified with: the last part of its path
// without extension.
func fileName(path string) string {
	name := path[strings.LastIndexByte(path, '/')+1:]
	if dot := strings.IndexByte(name, '.'); dot > 0 {
		name = name[:dot]
	}
	return name
}

// resolvedTable makes a FROM item of a table that no catalog name stands for.
func (b *binder) resolvedTable(table *connectors.Table, name string, alias *ast.Alias, at ast.Pos) (*fromItem, error) {
	b.use(table)
	rel := &relation{name: name, byName: true, byColumn: true, at: at}
	if alias != nil {
		rel.name = alias.Name
	}
	node, columns := b.scan(table, rel.name)
	b.fillRelation(rel, columns)
	if err := b.aliasColumns(rel, alias, at); err != nil {
		return nil, err
	}
	return &fromItem{node, []*relation{rel}, rel.columns}, nil
}
