package parser

import (
	pg_query "github.com/pganalyze/pg_query_go/v6"

	"github.com/tarnlake/tarn/planner/parser/ast"
)

// query converts a SelectStmt.
func (c *converter) query(s *pg_query.SelectStmt) *ast.Query {
	q := &ast.Query{Pos: ast.NoPos, With: c.with(s.WithClause)}
	switch {
	case s.Op > pg_query.SetOperation_SETOP_NONE:
		q.Body = c.setOperation(s)
	case len(s.ValuesLists) > 0:
		q.Body = c.values(s.ValuesLists)
	default:
		q.Body = c.selectCore(s)
	}
	q.Pos = q.Body.Offset()
	if q.With != nil {
		q.Pos = q.With.Pos
	}
	q.OrderBy = c.sortItems(s.SortClause)
	q.Offset = c.expr(s.LimitOffset)
	if !isNullConstant(s.LimitCount) {
		q.Limit = c.expr(s.LimitCount)
	}
	q.WithTies = s.LimitOption == pg_query.LimitOption_LIMIT_OPTION_WITH_TIES
	for _, n := range s.LockingClause {
		q.Locks = append(q.Locks, c.lock(n.GetLockingClause()))
	}
	return q
}

func isNullConstant(n *pg_query.Node) bool {
	constant := n.GetAConst()
	return constant != nil && constant.Isnull
}

func (c *converter) subquery(n *pg_query.Node, at ast.Pos) *ast.Query {
	s := n.GetSelectStmt()
	if s == nil {
		c.unsupported(at, "a data-modifying statement inside a query")
		return nil
	}
	if s.IntoClause != nil {
		c.syntaxError(c.origin(s.IntoClause.GetRel().GetLocation()), "SELECT ... INTO is not allowed here")
	}
	return c.query(s)
}

func (c *converter) with(w *pg_query.WithClause) *ast.With {
	if w == nil {
		return nil
	}
	with := &ast.With{Pos: c.origin(w.Location), Recursive: w.Recursive}
	for _, n := range w.Ctes {
		cte := n.GetCommonTableExpr()
		at := c.origin(cte.Location)
		if cte.SearchClause != nil || cte.CycleClause != nil {
			c.unsupported(at, "SEARCH or CYCLE")
		}
		out := &ast.CTE{Pos: at, Name: cte.Ctename, Columns: stringsOf(cte.Aliascolnames), Query: c.subquery(cte.Ctequery, at)}
		switch cte.Ctematerialized {
		case pg_query.CTEMaterialize_CTEMaterializeAlways:
			out.Materialized = ast.MaterializeAlways
		case pg_query.CTEMaterialize_CTEMaterializeNever:
			out.Materialized = ast.MaterializeNever
		default:
		}
		with.CTEs = append(with.CTEs, out)
	}
	return with
}

func (c *converter) setOperation(s *pg_query.SelectStmt) *ast.SetOperation {
	op := &ast.SetOperation{All: s.All, Left: c.query(s.Larg), Right: c.query(s.Rarg)}
	op.Pos = op.Left.Pos
	switch s.Op {
	case pg_query.SetOperation_SETOP_INTERSECT:
		op.Op = ast.Intersect
	case pg_query.SetOperation_SETOP_EXCEPT:
		op.Op = ast.Except
	default:
		op.Op = ast.Union
	}
	return op
}

func (c *converter) values(lists []*pg_query.Node) *ast.Values {
	v := &ast.Values{Pos: ast.NoPos, Rows: make([][]ast.Expr, len(lists))}
	for i, n := range lists {
		v.Rows[i] = c.exprs(n.GetList().GetItems())
	}
	if len(v.Rows[0]) > 0 {
		v.Pos = ast.Leftmost(v.Rows[0][0])
	}
	return v
}

func (c *converter) selectCore(s *pg_query.SelectStmt) *ast.SelectCore {
	core := &ast.SelectCore{Pos: ast.NoPos, Targets: c.targets(s.TargetList), From: c.fromItems(s.FromClause)}
	if len(core.Targets) > 0 {
		core.Pos = core.Targets[0].Pos
	} else if len(core.From) > 0 && core.From[0] != nil {
		core.Pos = core.From[0].Offset()
	}
	if len(s.DistinctClause) > 0 {
		core.Distinct = true
		if s.DistinctClause[0].GetNode() != nil {
			core.DistinctOn = c.exprs(s.DistinctClause)
		}
	}
	core.Where = c.expr(s.WhereClause)
	core.GroupBy = c.groupBy(s.GroupClause, s.GroupDistinct)
	core.Having = c.expr(s.HavingClause)
	for _, n := range s.WindowClause {
		w := n.GetWindowDef()
		if mark := c.noteOf(w.Name); mark != nil && mark.qualify {
			core.Qualify = c.qualify(w)
			continue
		}
		spec := c.windowSpec(w)
		spec.NameOnly = false
		spec.Ref = w.Refname
		core.Windows = append(core.Windows, ast.NamedWindow{Pos: spec.Pos, Name: w.Name, Spec: spec})
	}
	return core
}

func (c *converter) qualify(w *pg_query.WindowDef) ast.Expr {
	list := c.exprs(w.PartitionClause)
	if len(list) != 1 {
		c.syntaxError(c.origin(w.Location), "QUALIFY takes one condition")
		return nil
	}
	return list[0]
}

func (c *converter) targets(nodes []*pg_query.Node) []ast.Target {
	if len(nodes) == 0 {
		return nil
	}
	list := make([]ast.Target, len(nodes))
	for i, n := range nodes {
		t := n.GetResTarget()
		list[i] = ast.Target{Pos: c.origin(t.Location), Alias: t.Name, Expr: c.expr(t.Val)}
	}
	return list
}

func (c *converter) groupBy(nodes []*pg_query.Node, distinct bool) *ast.GroupBy {
	if len(nodes) == 0 {
		return nil
	}
	g := &ast.GroupBy{Pos: ast.NoPos, Distinct: distinct}
	if fields := nodes[0].GetColumnRef().GetFields(); len(fields) == 1 {
		if mark := c.noteOf(stringOf(fields[0])); mark != nil && mark.groupAll {
			g.All, g.Pos = true, c.origin(nodes[0].GetColumnRef().Location)
			return g
		}
	}
	g.Items = c.groupItems(nodes)
	g.Pos = g.Items[0].Pos
	return g
}

func (c *converter) groupItems(nodes []*pg_query.Node) []ast.GroupItem {
	list := make([]ast.GroupItem, len(nodes))
	for i, n := range nodes {
		set := n.GetGroupingSet()
		if set == nil {
			e := c.expr(n)
			list[i] = ast.GroupItem{Pos: ast.Leftmost(e), Expr: e}
			continue
		}
		list[i].Pos = c.origin(set.Location)
		switch set.Kind {
		case pg_query.GroupingSetKind_GROUPING_SET_ROLLUP:
			list[i].Kind = ast.GroupRollup
		case pg_query.GroupingSetKind_GROUPING_SET_CUBE:
			list[i].Kind = ast.GroupCube
		case pg_query.GroupingSetKind_GROUPING_SET_SETS:
			list[i].Kind = ast.GroupSets
		default:
			list[i].Kind = ast.GroupEmpty
		}
		list[i].Items = c.groupItems(set.Content)
	}
	return list
}

func (c *converter) sortItems(nodes []*pg_query.Node) []ast.SortItem {
	if len(nodes) == 0 {
		return nil
	}
	list := make([]ast.SortItem, len(nodes))
	for i, n := range nodes {
		s := n.GetSortBy()
		e := c.expr(s.Node)
		list[i] = ast.SortItem{Pos: ast.Leftmost(e), Expr: e, Desc: s.SortbyDir == pg_query.SortByDir_SORTBY_DESC}
		switch s.SortbyNulls {
		case pg_query.SortByNulls_SORTBY_NULLS_FIRST:
			list[i].Nulls = ast.NullsFirst
		case pg_query.SortByNulls_SORTBY_NULLS_LAST:
			list[i].Nulls = ast.NullsLast
		default:
		}
		if s.SortbyDir == pg_query.SortByDir_SORTBY_USING {
			op := operatorOf(s.UseOp)
			list[i].Using = &op
		}
	}
	return list
}

func (c *converter) lock(l *pg_query.LockingClause) ast.LockClause {
	lock := ast.LockClause{Pos: ast.NoPos, NoWait: l.WaitPolicy == pg_query.LockWaitPolicy_LockWaitError,
		SkipLocked: l.WaitPolicy == pg_query.LockWaitPolicy_LockWaitSkip}
	switch l.Strength {
	case pg_query.LockClauseStrength_LCS_FORKEYSHARE:
		lock.Strength = "KEY SHARE"
	case pg_query.LockClauseStrength_LCS_FORSHARE:
		lock.Strength = "SHARE"
	case pg_query.LockClauseStrength_LCS_FORNOKEYUPDATE:
		lock.Strength = "NO KEY UPDATE"
	default:
		lock.Strength = "UPDATE"
	}
	for _, n := range l.LockedRels {
		lock.Of = append(lock.Of, c.rangeName(n.GetRangeVar()))
	}
	return lock
}
