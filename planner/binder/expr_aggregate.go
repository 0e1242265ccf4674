package binder

import (
	"github.com/tarnlake/tarn/internal/expr"
	"github.com/tarnlake/tarn/internal/fn"
	"github.com/tarnlake/tarn/internal/sqlerr"
	"github.com/tarnlake/tarn/planner/logical"
	"github.com/tarnlake/tarn/planner/parser/ast"
)

// orderedSet lists the aggregates that want WITHIN GROUP. listagg takes it too.
func orderedSet(name string) bool {
	switch name {
	case "percentile_cont", "percentile_disc", "mode":
		return true
	}
	return false
}

// aggregateCall binds an aggregate: it belongs to the innermost query level whose columns it reads.
func (b *binder) aggregateCall(sc *scope, e *ast.FuncCall, c *candidate, args []argument, order []sortExpr) (expr.Expr, error) {
	name := c.overload.Name
	if orderedSet(name) && !e.WithinGroup {
		return nil, b.fail(e.Pos, sqlerr.WrongObjectType, "WITHIN GROUP is required for ordered-set aggregate %s", name)
	}
	if e.WithinGroup && !orderedSet(name) && name != "listagg" {
		return nil, b.fail(e.Pos, sqlerr.WrongObjectType, "%s is not an ordered-set aggregate, so it cannot have WITHIN GROUP", name)
	}
	if e.Distinct && e.WithinGroup {
		return nil, b.fail(e.Pos, sqlerr.SyntaxError, "cannot use DISTINCT with WITHIN GROUP")
	}
	call, err := b.call(c, args, e.Pos)
	if err != nil {
		return nil, err
	}
	a := aggregateColumn{overload: c.overload, args: call.Args, distinct: e.Distinct, order: order, t: call.T}
	if err := b.checkDistinctOrder(&a, args); err != nil {
		return nil, err
	}
	if e.Filter != nil {
		a.filter, err = within(sc, clauseFilter, func() (expr.Expr, error) { return b.condition(sc, e.Filter, "FILTER") })
		if err != nil {
			return nil, err
		}
	}
	level := b.aggregateLevel(sc, &a)
	if err := b.checkAggregate(sc, level, &a, e.Pos); err != nil {
		return nil, err
	}
	return b.registerAggregate(level, a, e.Pos), nil
}

func (a *aggregateColumn) exprs() []expr.Expr {
	list := append([]expr.Expr(nil), a.args...)
	for _, o := range a.order {
		list = append(list, o.Expr)
	}
	if a.filter != nil {
		list = append(list, a.filter)
	}
	return list
}

func (b *binder) checkDistinctOrder(a *aggregateColumn, written []argument) error {
	if !a.distinct {
		return nil
	}
	for i, arg := range a.args {
		if i >= len(written) {
			break
		}
		if err := b.checkGroupable(written[i].operand.with(arg)); err != nil {
			return err
		}
	}
	for _, o := range a.order {
		inArgs := false
		for _, arg := range a.args {
			inArgs = inArgs || expr.Same(arg, o.Expr)
		}
		if !inArgs {
			return b.fail(o.place(), sqlerr.InvalidColumnReference,
				"in an aggregate with DISTINCT, ORDER BY expressions must appear in argument list")
		}
	}
	return nil
}

// aggregateLevel gives the scope whose rows the aggregate runs over.
func (b *binder) aggregateLevel(sc *scope, a *aggregateColumn) *scope {
	best, level := -1, sc
	visit := func(s *scope) {
		if d := sc.distance(s); d >= 0 && (best < 0 || d < best) {
			best, level = d, s
		}
	}
	for _, e := range a.exprs() {
		b.levelsRead(e, visit)
	}
	return level
}

// levelsRead calls visit with the scope of every column that e reads, inside subqueries too.
func (b *binder) levelsRead(e expr.Expr, visit func(*scope)) {
	expr.Walk(e, func(x expr.Expr) bool {
		c, ok := x.(*expr.Column)
		if !ok {
			return true
		}
		switch p := b.pending[c.ID].(type) {
		case *subqueryColumn:
			for id := range logical.FreeColumns(p.node) {
				b.levelOf(id, visit)
			}
			b.levelsRead(p.condition, visit)
		case *onceColumn:
			b.levelsRead(p.value, visit)
		case nil:
			b.levelOf(c.ID, visit)
		case *aggregateColumn:
			visit(p.scope)
		case *windowColumn:
			visit(p.scope)
		case *tableColumn:
			visit(p.scope)
		}
		return true
	})
}

func (b *binder) levelOf(id logical.ColID, visit func(*scope)) {
	if o, ok := b.owners[id]; ok {
		visit(o.scope)
	}
}

// checkAggregate refuses aggregates where there are no groups, and nested ones.
func (b *binder) checkAggregate(sc, level *scope, a *aggregateColumn, at ast.Pos) error {
	for _, e := range a.exprs() {
		if err := b.checkAggregateArgument(level, e); err != nil {
			return err
		}
	}
	switch level.clause {
	case clauseSelect, clauseHaving, clauseOrderBy, clauseDistinctOn, clauseWindowPartition, clauseWindowOrder, clauseQualify:
		if level.recursion != nil && level.recursion.inStep {
			return b.fail(at, sqlerr.InvalidRecursion, "aggregate functions are not allowed in a recursive query's recursive term")
		}
		return nil
	case clauseNone:
		return b.fail(at, sqlerr.GroupingError, "aggregate functions are not allowed in FROM clause of their own query level")
	}
	return b.fail(at, sqlerr.GroupingError, "aggregate functions are not allowed in %s", level.clause.name())
}

func (b *binder) checkAggregateArgument(level *scope, e expr.Expr) error {
	var err error
	expr.Walk(e, func(x expr.Expr) bool {
		c, ok := x.(*expr.Column)
		if !ok || err != nil {
			return err == nil
		}
		switch p := b.pending[c.ID].(type) {
		case *subqueryColumn:
			if nested := b.aggregateIn(p, level); nested != nil {
				err = b.fail(nested.at, sqlerr.GroupingError, "aggregate function calls cannot be nested")
			}
		case *aggregateColumn, *groupingColumn:
			if p.level() == level {
				err = b.fail(b.place(c), sqlerr.GroupingError, "aggregate function calls cannot be nested")
			}
		case *windowColumn:
			if p.scope == level {
				err = b.fail(b.place(c), sqlerr.GroupingError, "aggregate function calls cannot contain window function calls")
			}
		case *onceColumn:
			err = b.checkAggregateArgument(level, p.value)
		case *tableColumn:
			err = b.fail(b.place(c), sqlerr.FeatureNotSupported,
				"aggregate function calls cannot contain set-returning function calls").
				WithHint("You might be able to move the set-returning function into a LATERAL FROM item.")
		}
		return err == nil
	})
	return err
}

// aggregateIn finds an aggregate of an outer level in a subquery.
func (b *binder) aggregateIn(p *subqueryColumn, level *scope) *aggregateColumn {
	for id := range logical.FreeColumns(p.node) {
		if a, ok := b.pending[id].(*aggregateColumn); ok && a.scope == level {
			return a
		}
	}
	return nil
}

// registerAggregate adds the aggregate to its level, or finds the same one there.
func (b *binder) registerAggregate(level *scope, a aggregateColumn, at ast.Pos) expr.Expr {
	for _, arg := range a.args {
		a.hash = a.hash*31 + expr.Hash(arg)
	}
	for _, have := range level.selecting.aggregates {
		if have.hash == a.hash && b.sameAggregate(have, &a) {
			ref := b.columnRef(have.column)
			b.places[ref] = at
			return ref
		}
	}
	nullable := true
	if impl, ok := a.overload.Impl.(fn.Aggregate); ok && impl.EmptyIsZero {
		nullable = false
	}
	a.pendingColumn = pendingColumn{b.column(a.overload.Name, a.t, nullable), at, level}
	level.selecting.aggregates = append(level.selecting.aggregates, &a)
	return b.hold(&a)
}

func (b *binder) sameAggregate(x, y *aggregateColumn) bool {
	if x.overload != y.overload || x.distinct != y.distinct || len(x.order) != len(y.order) || !expr.Same(x.filter, y.filter) {
		return false
	}
	if !sameList(x.args, y.args) || b.anyVolatile(x.args) {
		return false
	}
	for i := range x.order {
		if !sameSort(x.order[i], y.order[i]) {
			return false
		}
	}
	return true
}

func sameSort(x, y sortExpr) bool {
	return x.descending == y.descending && x.nullsFirst == y.nullsFirst && expr.Same(x.Expr, y.Expr)
}

func sameList(x, y []expr.Expr) bool {
	if len(x) != len(y) {
		return false
	}
	for i := range x {
		if !expr.Same(x[i], y[i]) {
			return false
		}
	}
	return true
}

func (b *binder) anyVolatile(list []expr.Expr) bool {
	for _, e := range list {
		if b.volatile(e) {
			return true
		}
	}
	return false
}

// volatile tells whether evaluating e twice may give two values.
func (b *binder) volatile(e expr.Expr) bool {
	volatile := false
	expr.Walk(e, func(x expr.Expr) bool {
		if c, ok := x.(*expr.Call); ok {
			o := b.env.Registry.Overload(c.Function)
			volatile = volatile || o != nil && o.Volatility == fn.Volatile
		}
		return !volatile
	})
	return volatile
}
