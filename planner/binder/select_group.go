package binder

import (
	"github.com/tarnlake/tarn/internal/expr"
	"github.com/tarnlake/tarn/internal/sqlerr"
	"github.com/tarnlake/tarn/planner/logical"
	"github.com/tarnlake/tarn/planner/parser/ast"
)

// isGrouped tells whether the SELECT aggregates.
func (s *selectBinder) isGrouped() bool {
	return s.core.GroupBy != nil || len(s.sc.selecting.aggregates) > 0 || len(s.having) > 0 || len(s.sc.selecting.groupings) > 0
}

// aggregate adds the Aggregate and rewrites all that stands above it.
func (s *selectBinder) aggregate(node logical.Node) (logical.Node, error) {
	node, g := s.aggregateNode(node)
	for _, e := range s.above() {
		rewritten, err := s.regroup(g, *e)
		if err != nil {
			return nil, err
		}
		*e = rewritten
	}
	for _, list := range [][]conjunct{s.having, s.qualify} {
		for _, c := range list {
			if c.join != nil {
				if err := s.regroupSubquery(g, c.join); err != nil {
					return nil, err
				}
			}
		}
	}
	return node, nil
}

// above lists the expressions that are computed after grouping.
func (s *selectBinder) above() []*expr.Expr {
	var out []*expr.Expr
	for i := range s.targets {
		out = append(out, &s.targets[i].expr)
	}
	for _, list := range [][]conjunct{s.having, s.qualify} {
		for i := range list {
			if list[i].condition != nil {
				out = append(out, &list[i].condition)
			}
		}
	}
	seen := map[*boundWindow]bool{}
	for _, w := range s.sc.selecting.windows {
		for i := range w.aggregateColumn.args {
			out = append(out, &w.aggregateColumn.args[i])
		}
		if w.aggregateColumn.filter != nil {
			out = append(out, &w.aggregateColumn.filter)
		}
		if !seen[w.window] {
			seen[w.window] = true
			out = append(out, w.window.exprs()...)
		}
	}
	for _, t := range s.sc.selecting.tables {
		for i := range t.args {
			out = append(out, &t.args[i])
		}
	}
	return out
}

func (w *boundWindow) exprs() []*expr.Expr {
	var out []*expr.Expr
	for i := range w.partition {
		out = append(out, &w.partition[i])
	}
	for i := range w.order {
		out = append(out, &w.order[i].Expr)
	}
	if w.start != nil {
		out = append(out, &w.start)
	}
	if w.end != nil {
		out = append(out, &w.end)
	}
	return out
}

// aggregateNode computes keys and arguments in a Project, where they are not plain columns, and groups.
func (s *selectBinder) aggregateNode(node logical.Node) (logical.Node, *grouped) {
	calls := s.sc.selecting.aggregates
	var all []expr.Expr
	for _, k := range s.keys {
		all = append(all, k.Expr)
	}
	for _, a := range calls {
		all = append(all, a.exprs()...)
	}
	node = s.expandKeys(node)
	c := s.computing(node, all...)
	agg := &logical.Aggregate{}
	for _, k := range s.keys {
		agg.Keys = append(agg.Keys, c.column(k.Expr))
	}
	needed := append([]logical.ColID(nil), agg.Keys...)
	for _, a := range calls {
		call := c.aggregateCall(a)
		agg.Calls = append(agg.Calls, call)
		needed = append(needed, call.Args...)
		for _, o := range call.OrderBy {
			needed = append(needed, o.Column)
		}
		if call.Filter != 0 {
			needed = append(needed, call.Filter)
		}
	}
	agg.Input = c.only(needed)
	agg.KeyIDs = agg.Keys
	g := &grouped{scope: s.sc, keys: s.keys, ids: agg.Keys, sets: s.sets}
	if s.sets != nil {
		agg.Sets = s.sets
		agg.SetID = s.column("grouping_set", bigintType, false)
		agg.KeyIDs = nil
		for _, k := range agg.Keys {
			info := s.columns.Info(k)
			agg.KeyIDs = append(agg.KeyIDs, s.column(info.Name, info.Type, true))
		}
		g.setID, g.ids = agg.SetID, agg.KeyIDs
	}
	return agg, g
}

// expandKeys runs the set-returning functions that are grouped by, below the Aggregate.
func (s *selectBinder) expandKeys(node logical.Node) logical.Node {
	used := map[*tableColumn]bool{}
	for _, k := range s.keys {
		s.tablesRead(k.Expr, used)
	}
	var below, above []*tableColumn
	for _, t := range s.sc.selecting.tables {
		if used[t] {
			below = append(below, t)
		} else {
			above = append(above, t)
		}
	}
	s.sc.selecting.tables = above
	return s.unnest(node, below)
}

// tablesRead collects the set-returning functions in e, nested ones too.
func (b *binder) tablesRead(e expr.Expr, used map[*tableColumn]bool) {
	expr.Walk(e, func(x expr.Expr) bool {
		if c, ok := x.(*expr.Column); ok {
			if t, ok := b.pending[c.ID].(*tableColumn); ok && !used[t] {
				used[t] = true
				for _, a := range t.args {
					b.tablesRead(a, used)
				}
			}
		}
		return true
	})
}

// regroup rewrites an expression over FROM's columns to one over the groups.
func (s *selectBinder) regroup(g *grouped, e expr.Expr) (expr.Expr, error) {
	if k := g.find(e); k >= 0 {
		return s.columnRef(g.ids[k]), nil
	}
	if c, ok := e.(*expr.Column); ok {
		return s.regroupColumn(g, c)
	}
	children := e.Children()
	if len(children) == 0 {
		return e, nil
	}
	changed := make([]expr.Expr, len(children))
	same := true
	for i, c := range children {
		var err error
		if changed[i], err = s.regroup(g, c); err != nil {
			return nil, err
		}
		same = same && changed[i] == c
	}
	if same {
		return e, nil
	}
	return e.WithChildren(changed), nil
}

func (s *selectBinder) regroupColumn(g *grouped, c *expr.Column) (expr.Expr, error) {
	switch p := s.pending[c.ID].(type) {
	case *groupingColumn:
		if p.scope == g.scope {
			return s.groupingValue(p, g)
		}
		return c, nil
	case *subqueryColumn:
		return c, s.regroupSubquery(g, p)
	case *onceColumn:
		value, err := s.regroup(g, p.value)
		p.value = value
		return c, err
	case nil:
	default:
		return c, nil
	}
	o, ok := s.owners[c.ID]
	if !ok || o.scope != g.scope {
		return c, nil
	}
	return nil, s.fail(s.place(c), sqlerr.GroupingError,
		"column %q must appear in the GROUP BY clause or be used in an aggregate function", o.relation+"."+o.name)
}

func (b *binder) place(c *expr.Column) ast.Pos {
	if at, ok := b.places[c]; ok {
		return at
	}
	return ast.NoPos
}

// regroupSubquery rewrites the outer references of a subquery above the Aggregate, which may only be
// keys and aggregates.
func (s *selectBinder) regroupSubquery(g *grouped, p *subqueryColumn) error {
	names := map[logical.ColID]expr.Expr{}
	for id := range logical.FreeColumns(p.node) {
		o, owned := s.owners[id]
		if !owned || o.scope != g.scope {
			continue
		}
		if _, placeholder := s.pending[id]; placeholder {
			continue
		}
		k := g.find(s.columnRef(id))
		if k < 0 {
			return s.fail(s.placeIn(p.node, id), sqlerr.GroupingError, "subquery uses ungrouped column %q from outer query",
				o.relation+"."+o.name)
		}
		if g.ids[k] != id {
			names[id] = s.columnRef(g.ids[k])
		}
	}
	if len(names) > 0 {
		p.node = logical.ReplaceColumns(p.node, names)
	}
	if p.condition == nil {
		return nil
	}
	condition, err := s.regroup(g, p.condition)
	p.condition = condition
	return err
}

// placeIn finds where a free column was written inside a plan.
func (b *binder) placeIn(n logical.Node, id logical.ColID) ast.Pos {
	at := ast.NoPos
	for _, e := range logical.Exprs(n) {
		expr.Walk(e, func(x expr.Expr) bool {
			if c, ok := x.(*expr.Column); ok && c.ID == id && at == ast.NoPos {
				at = b.place(c)
			}
			return true
		})
	}
	for _, in := range n.Inputs() {
		if at == ast.NoPos {
			at = b.placeIn(in, id)
		}
	}
	return at
}
