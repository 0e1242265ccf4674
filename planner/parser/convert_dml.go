package parser

import (
	pg_query "github.com/pganalyze/pg_query_go/v6"

	"github.com/tarnlake/tarn/planner/parser/ast"
)

// statement converts what the grammar read: queries and data changes. Everything else is read by
// our own parser and never arrives here.
func (c *converter) statement(n *pg_query.Node) ast.Statement {
	switch s := n.GetNode().(type) {
	case *pg_query.Node_SelectStmt:
		return c.selectStatement(s.SelectStmt)
	case *pg_query.Node_InsertStmt:
		return c.insert(s.InsertStmt)
	case *pg_query.Node_DeleteStmt:
		d := s.DeleteStmt
		return &ast.Delete{With: c.with(d.WithClause), Table: c.tableRef(d.Relation), Using: c.fromItems(d.UsingClause),
			Where: c.expr(d.WhereClause), Returning: c.targets(d.ReturningList)}
	case *pg_query.Node_UpdateStmt:
		u := s.UpdateStmt
		return &ast.Update{With: c.with(u.WithClause), Table: c.tableRef(u.Relation), Set: c.assignments(u.TargetList),
			From: c.fromItems(u.FromClause), Where: c.expr(u.WhereClause), Returning: c.targets(u.ReturningList)}
	case *pg_query.Node_MergeStmt:
		return c.merge(s.MergeStmt)
	}
	return nil
}

// selectStatement converts a top-level query; INTO stands in the leftmost SELECT.
func (c *converter) selectStatement(s *pg_query.SelectStmt) ast.Statement {
	out := &ast.Select{}
	leftmost := s
	for leftmost.Larg != nil {
		leftmost = leftmost.Larg
	}
	if into := leftmost.IntoClause; into != nil {
		name := c.rangeName(into.Rel)
		out.Into = &ast.IntoClause{Pos: name.Pos, Name: name, Temp: into.Rel.GetRelpersistence() == "t"}
	}
	out.Query = c.query(s)
	return out
}

func (c *converter) insert(s *pg_query.InsertStmt) ast.Statement {
	out := &ast.Insert{With: c.with(s.WithClause), Table: c.tableRef(s.Relation), Returning: c.targets(s.ReturningList),
		OnConflict: s.OnConflictClause != nil}
	for _, n := range s.Cols {
		out.Columns = append(out.Columns, c.targetColumn(n.GetResTarget()))
	}
	if s.SelectStmt != nil {
		out.Query = c.subquery(s.SelectStmt, out.Table.Pos)
	}
	if n := c.at[out.Table.Pos]; n != nil {
		out.Overwrite, out.Partition = n.overwrite, n.partition
	}
	return out
}

func (c *converter) targetColumn(t *pg_query.ResTarget) ast.Identifier {
	at := c.origin(t.Location)
	if len(t.Indirection) > 0 {
		c.unsupported(at, "assignment to a part of a column")
	}
	return ast.Identifier{Pos: at, Name: t.Name}
}

// assignments converts a SET list; (a, b) = … arrives as one target per column.
func (c *converter) assignments(nodes []*pg_query.Node) []ast.Assignment {
	var list []ast.Assignment
	for _, n := range nodes {
		t := n.GetResTarget()
		column := c.targetColumn(t)
		multi := t.Val.GetMultiAssignRef()
		if multi == nil {
			list = append(list, ast.Assignment{Pos: column.Pos, Columns: []ast.Identifier{column}, Value: c.expr(t.Val)})
			continue
		}
		if multi.Colno == 1 || len(list) == 0 {
			list = append(list, ast.Assignment{Pos: column.Pos, Value: c.expr(multi.Source)})
		}
		last := &list[len(list)-1]
		last.Columns = append(last.Columns, column)
	}
	return list
}

func (c *converter) merge(s *pg_query.MergeStmt) ast.Statement {
	out := &ast.Merge{With: c.with(s.WithClause), Table: c.tableRef(s.Relation), Using: c.fromItem(s.SourceRelation),
		On: c.expr(s.JoinCondition), Returning: c.targets(s.ReturningList)}
	for _, n := range s.MergeWhenClauses {
		w := n.GetMergeWhenClause()
		when := ast.MergeWhen{Pos: ast.NoPos, Cond: c.expr(w.Condition)}
		switch w.MatchKind {
		case pg_query.MergeMatchKind_MERGE_WHEN_NOT_MATCHED_BY_SOURCE:
			when.Match = ast.MergeNotMatchedBySource
		case pg_query.MergeMatchKind_MERGE_WHEN_NOT_MATCHED_BY_TARGET:
			when.Match = ast.MergeNotMatched
		default:
		}
		switch w.CommandType {
		case pg_query.CmdType_CMD_UPDATE:
			when.Action, when.Set = ast.MergeUpdate, c.assignments(w.TargetList)
		case pg_query.CmdType_CMD_DELETE:
			when.Action = ast.MergeDelete
		case pg_query.CmdType_CMD_INSERT:
			when.Action, when.Values = ast.MergeInsert, c.exprs(w.Values)
			for _, target := range w.TargetList {
				when.Columns = append(when.Columns, c.targetColumn(target.GetResTarget()))
			}
		default:
		}
		out.Whens = append(out.Whens, when)
	}
	return out
}
