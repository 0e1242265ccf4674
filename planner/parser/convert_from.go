package parser

import (
	"strings"

	pg_query "github.com/pganalyze/pg_query_go/v6"

	"github.com/tarnlake/tarn/planner/parser/ast"
)

func (c *converter) fromItems(nodes []*pg_query.Node) []ast.FromItem {
	if len(nodes) == 0 {
		return nil
	}
	list := make([]ast.FromItem, len(nodes))
	for i, n := range nodes {
		list[i] = c.fromItem(n)
	}
	return list
}

func (c *converter) fromItem(n *pg_query.Node) ast.FromItem {
	switch item := n.GetNode().(type) {
	case *pg_query.Node_RangeVar:
		return c.rangeVar(item.RangeVar)
	case *pg_query.Node_RangeSubselect:
		return c.rangeSubselect(item.RangeSubselect)
	case *pg_query.Node_RangeFunction:
		return c.rangeFunction(item.RangeFunction)
	case *pg_query.Node_RangeTableSample:
		return c.tableSample(item.RangeTableSample)
	case *pg_query.Node_JoinExpr:
		return c.join(item.JoinExpr)
	case *pg_query.Node_JsonTable:
		c.unsupported(c.origin(item.JsonTable.Location), "JSON_TABLE")
	case *pg_query.Node_RangeTableFunc:
		c.unsupported(c.origin(item.RangeTableFunc.Location), "XMLTABLE")
	default:
		c.unsupported(ast.NoPos, "this FROM item")
	}
	return nil
}

func (c *converter) rangeName(r *pg_query.RangeVar) ast.Name {
	name := ast.Name{Pos: c.origin(r.GetLocation())}
	for _, part := range [...]string{r.GetCatalogname(), r.GetSchemaname()} {
		if part != "" {
			name.Parts = append(name.Parts, part)
		}
	}
	name.Parts = append(name.Parts, r.GetRelname())
	return name
}

func (c *converter) rangeVar(r *pg_query.RangeVar) ast.FromItem {
	if mark := c.noteOf(r.Relname); mark != nil && mark.isPath {
		return &ast.FileTable{Pos: c.origin(r.Location), Path: mark.path, Alias: c.alias(r.Alias)}
	}
	return c.tableRef(r)
}

func (c *converter) tableRef(r *pg_query.RangeVar) *ast.TableRef {
	t := &ast.TableRef{Pos: c.origin(r.Location), Name: c.rangeName(r), Alias: c.alias(r.Alias), Only: !r.Inh}
	if n := c.at[t.Pos]; n != nil {
		t.AsOf = n.asOf
	}
	return t
}

func (c *converter) alias(a *pg_query.Alias) *ast.Alias {
	if a == nil {
		return nil
	}
	return &ast.Alias{Pos: ast.NoPos, Name: a.Aliasname, Columns: stringsOf(a.Colnames)}
}

func (c *converter) rangeSubselect(r *pg_query.RangeSubselect) ast.FromItem {
	q := c.subquery(r.Subquery, ast.NoPos)
	at := ast.NoPos
	if q != nil {
		at = q.Pos
	}
	return &ast.SubqueryTable{Pos: at, Lateral: r.Lateral, Query: q, Alias: c.alias(r.Alias)}
}

func (c *converter) rangeFunction(r *pg_query.RangeFunction) ast.FromItem {
	table := &ast.FunctionTable{Pos: ast.NoPos, Lateral: r.Lateral, Ordinality: r.Ordinality,
		Alias: c.alias(r.Alias), ColumnDefs: c.columnDefs(r.Coldeflist)}
	for _, n := range r.Functions {
		pair := n.GetList().GetItems()
		if len(pair) == 0 {
			continue
		}
		f := ast.TableFunction{Call: c.expr(pair[0])}
		if len(pair) > 1 {
			f.ColumnDefs = c.columnDefs(pair[1].GetList().GetItems())
		}
		table.Functions = append(table.Functions, f)
	}
	if len(table.Functions) == 0 || table.Functions[0].Call == nil {
		return table
	}
	table.Pos = table.Functions[0].Call.Offset()
	if call, ok := table.Functions[0].Call.(*ast.FuncCall); ok && !r.IsRowsfrom && len(table.ColumnDefs) == 0 && isPlainUnnest(call) {
		return &ast.UnnestTable{Pos: table.Pos, Lateral: r.Lateral, Args: call.Args, Ordinality: r.Ordinality, Alias: table.Alias}
	}
	return table
}

func isPlainUnnest(call *ast.FuncCall) bool {
	if call.Star || call.Distinct || call.Variadic || len(call.OrderBy) > 0 || len(call.Args) == 0 {
		return false
	}
	parts := call.Name.Parts
	return len(parts) == 1 && parts[0] == "unnest" ||
		len(parts) == 2 && parts[0] == "pg_catalog" && parts[1] == "unnest"
}

func (c *converter) columnDefs(nodes []*pg_query.Node) []ast.ColumnDef {
	var list []ast.ColumnDef
	for _, n := range nodes {
		d := n.GetColumnDef()
		list = append(list, ast.ColumnDef{Pos: c.origin(d.Location), Name: d.Colname, Type: c.typeName(d.TypeName)})
	}
	return list
}

func (c *converter) tableSample(r *pg_query.RangeTableSample) ast.FromItem {
	item := c.fromItem(r.Relation)
	table, ok := item.(*ast.TableRef)
	if !ok {
		c.unsupported(c.origin(r.Location), "TABLESAMPLE of anything but a table")
		return item
	}
	table.Sample = &ast.TableSample{Pos: c.origin(r.Location), Method: strings.Join(stringsOf(r.Method), "."),
		Args: c.exprs(r.Args), Seed: c.expr(r.Repeatable)}
	return table
}

func (c *converter) join(j *pg_query.JoinExpr) ast.FromItem {
	out := &ast.Join{Left: c.fromItem(j.Larg), Right: c.fromItem(j.Rarg), Natural: j.IsNatural,
		Using: stringsOf(j.UsingClause), Alias: c.alias(j.Alias)}
	out.Pos = ast.NoPos
	if out.Right != nil {
		out.Pos = out.Right.Offset()
	}
	if j.JoinUsingAlias != nil {
		out.UsingAlias = j.JoinUsingAlias.Aliasname
	}
	quals := j.Quals
	semi := c.semiMark(out, &quals)
	out.On = c.expr(quals)
	switch {
	case semi != nil:
		out.Kind = semi.semiJoin
	case j.Jointype == pg_query.JoinType_JOIN_LEFT:
		out.Kind = ast.JoinLeft
	case j.Jointype == pg_query.JoinType_JOIN_RIGHT:
		out.Kind = ast.JoinRight
	case j.Jointype == pg_query.JoinType_JOIN_FULL:
		out.Kind = ast.JoinFull
	case !j.IsNatural && quals == nil && len(out.Using) == 0:
		out.Kind = ast.JoinCross
	default:
		out.Kind = ast.JoinInner
	}
	return out
}

// semiMark finds and removes the marker that the rewriting of LEFT SEMI JOIN put first into the
// join's condition or USING list.
func (c *converter) semiMark(out *ast.Join, quals **pg_query.Node) *note {
	if len(out.Using) > 0 {
		mark := c.noteOf(out.Using[0])
		if mark == nil || !mark.isSemi {
			return nil
		}
		out.Using = out.Using[1:]
		return mark
	}
	or := (*quals).GetBoolExpr()
	if or == nil || or.Boolop != pg_query.BoolExprType_OR_EXPR {
		return nil
	}
	fields := or.Args[0].GetColumnRef().GetFields()
	if len(fields) != 1 {
		return nil
	}
	mark := c.noteOf(stringOf(fields[0]))
	if mark == nil || !mark.isSemi {
		return nil
	}
	or.Args = or.Args[1:]
	if len(or.Args) == 1 {
		*quals = or.Args[0]
	}
	return mark
}
