package binder

import (
	"github.com/tarnlake/tarn/internal/expr"
	"github.com/tarnlake/tarn/internal/types"
	"github.com/tarnlake/tarn/planner/logical"
)

// assemble builds the plan of a SELECT from the bottom up.
func (s *selectBinder) assemble() (*result, error) {
	node := s.filter(s.node, s.where)
	var err error
	if s.isGrouped() {
		if node, err = s.aggregate(node); err != nil {
			return nil, err
		}
	}
	node = s.filter(node, s.having)
	node = s.windowNodes(node)
	node = s.filter(node, s.qualify)
	if len(s.sc.selecting.tables) > 0 {
		return s.expandTables(node)
	}
	return s.finish(node, s.sort)
}

// windowNodes adds a Window for each way to partition and order.
func (s *selectBinder) windowNodes(node logical.Node) logical.Node {
	left := s.sc.selecting.windows
	for len(left) > 0 {
		first := left[0]
		var now, later []*windowColumn
		for _, w := range left {
			if w.window.sameRows(first.window) {
				now = append(now, w)
			} else {
				later = append(later, w)
			}
		}
		node = s.windowNode(node, now)
		left = later
	}
	return node
}

func (s *selectBinder) windowNode(node logical.Node, list []*windowColumn) logical.Node {
	var all []expr.Expr
	for _, w := range list {
		all = append(all, w.aggregateColumn.exprs()...)
		for _, e := range w.window.exprs() {
			all = append(all, *e)
		}
	}
	c := s.computing(node, all...)
	out := &logical.Window{}
	for _, e := range list[0].window.partition {
		out.Partition = append(out.Partition, c.column(e))
	}
	out.Order = c.sortKeys(list[0].window.order)
	for _, w := range list {
		call := logical.WindowCall{AggregateCall: c.aggregateCall(&w.aggregateColumn), Aggregate: w.isAggregate,
			IgnoreNulls: w.ignoreNulls, Frame: w.window.frame}
		call.ID = w.pendingColumn.column
		if w.window.start != nil {
			call.StartOffset = c.column(w.window.start)
		}
		if w.window.end != nil {
			call.EndOffset = c.column(w.window.end)
		}
		out.Calls = append(out.Calls, call)
	}
	out.Input = c.all()
	return out
}

// expandTables adds the set-returning functions of the select list: after the sort, as PostgreSQL
// does, unless the order or DISTINCT depends on them.
func (s *selectBinder) expandTables(node logical.Node) (*result, error) {
	late := !s.core.Distinct && len(s.sort) > 0 && !s.sc.keepOrder
	for _, k := range s.sort {
		if s.tableLevel(s.targets[k.target].expr) > 0 {
			late = false
		}
	}
	sort := s.sort
	if late {
		var all []expr.Expr
		for _, k := range sort {
			all = append(all, s.targets[k.target].expr)
		}
		c := s.computing(node, all...)
		keys := make([]logical.SortKey, len(sort))
		for i, k := range sort {
			keys[i] = logical.SortKey{Column: c.column(s.targets[k.target].expr), Descending: k.descending, NullsFirst: k.nullsFirst}
		}
		node = &logical.Sort{Input: c.all(), Keys: keys}
		for i, k := range sort {
			s.targets[k.target].expr = s.columnRef(keys[i].Column)
		}
		sort = nil
	}
	return s.finish(s.unnest(node, s.sc.selecting.tables), sort)
}

// unnest runs set-returning functions side by side, those in arguments of others first.
func (s *selectBinder) unnest(node logical.Node, list []*tableColumn) logical.Node {
	most := -1
	for _, t := range list {
		most = max(most, t.depth)
	}
	for depth := 0; depth <= most; depth++ {
		node = s.unnestDepth(node, list, depth)
	}
	return node
}

func (s *selectBinder) unnestDepth(node logical.Node, list []*tableColumn, depth int) logical.Node {
	u := &logical.Unnest{}
	for _, t := range list {
		if t.depth != depth {
			continue
		}
		node = s.attach(node, t.args...)
		u.Functions = append(u.Functions, logical.TableCall{Function: t.overload.ID, Name: t.overload.Name, Args: t.args,
			IDs: t.ids})
	}
	if len(u.Functions) == 0 {
		return node
	}
	u.Input = node
	return u
}

// finish projects the targets, then applies DISTINCT, ORDER BY and LIMIT.
func (s *selectBinder) finish(node logical.Node, sort []sortTarget) (*result, error) {
	ids, project, err := s.projectTargets(node)
	if err != nil {
		return nil, err
	}
	r := &result{node: project, project: project}
	for i, t := range s.targets {
		if !t.junk {
			r.columns = append(r.columns, resultColumn{ids[i], t.name, t.at})
		}
	}
	for _, k := range sort {
		r.order = append(r.order, logical.SortKey{Column: ids[k.target], Descending: k.descending, NullsFirst: k.nullsFirst})
	}
	r.node = s.distinct(r.node, ids, r.order)
	if len(r.order) > 0 {
		r.node = &logical.Sort{Input: r.node, Keys: r.order}
	}
	r.node = s.limit.apply(r.node)
	s.dropJunk(r)
	return r, nil
}

// projectTargets computes all targets; untyped ones become text unless somebody else decides.
func (s *selectBinder) projectTargets(node logical.Node) ([]logical.ColID, *logical.Project, error) {
	all := make([]expr.Expr, len(s.targets))
	for i := range s.targets {
		if s.resolve || s.targets[i].junk {
			if err := s.typeTarget(i); err != nil {
				return nil, nil, err
			}
		}
		all[i] = s.targets[i].expr
	}
	c := s.computing(node, all...)
	ids := make([]logical.ColID, len(all))
	for i, e := range all {
		ids[i] = c.column(e)
		if e.Type().Kind != types.Unknown && exprName(e) == "expr" {
			s.columns.Info(ids[i]).Name = s.targets[i].name
		}
	}
	return ids, c.project(ids), nil
}

func (s *selectBinder) distinct(node logical.Node, ids []logical.ColID, order []logical.SortKey) logical.Node {
	switch {
	case len(s.distinctOn) > 0:
		keys := make([]logical.ColID, len(s.distinctOn))
		for i, t := range s.distinctOn {
			keys[i] = ids[t]
		}
		return &logical.DistinctOn{Input: node, Keys: keys, Order: order}
	case s.core.Distinct:
		keys := unique(ids)
		return &logical.Aggregate{Input: node, Keys: keys, KeyIDs: keys}
	}
	return node
}

func unique(ids []logical.ColID) []logical.ColID {
	var out []logical.ColID
	seen := map[logical.ColID]bool{}
	for _, id := range ids {
		if !seen[id] {
			seen[id] = true
			out = append(out, id)
		}
	}
	return out
}

// dropJunk removes the columns that only the order needed.
func (s *selectBinder) dropJunk(r *result) {
	junk := false
	for _, t := range s.targets {
		junk = junk || t.junk
	}
	if !junk || s.sc.keepOrder {
		return
	}
	ids := make([]logical.ColID, len(r.columns))
	for i, c := range r.columns {
		ids[i] = c.id
	}
	keep := s.computing(r.node).project(ids)
	if len(keep.Exprs) < len(r.node.Columns()) {
		r.node, r.kept = keep, keep
	}
}
