package binder

import (
	"github.com/tarnlake/tarn/internal/expr"
	"github.com/tarnlake/tarn/internal/sqlerr"
	"github.com/tarnlake/tarn/internal/types"
	"github.com/tarnlake/tarn/planner/logical"
	"github.com/tarnlake/tarn/planner/parser/ast"
)

// result is a bound query: a plan and the columns of it that are the query's output.
type result struct {
	node    logical.Node
	columns []resultColumn
	// project computes the columns, where untyped ones can still be given a type; nil otherwise.
	project *logical.Project
	// kept, if not nil, hands the columns on from project without those that only the order needed.
	kept *logical.Project
	// order is the order that the rows come in, nil for none.
	order []logical.SortKey
}

// resultColumn is an output column.
type resultColumn struct {
	id   logical.ColID
	name string
	at   ast.Pos
}

// selection collects what a SELECT's expressions ask for beside plain values.
type selection struct {
	aggregates  []*aggregateColumn
	windows     []*windowColumn
	tables      []*tableColumn
	groupings   []*groupingColumn
	definitions []*windowDefinition
}

// windowDefinition is an entry of the WINDOW clause, bound when first used.
type windowDefinition struct {
	name    string
	spec    *ast.WindowSpec
	bound   *boundWindow
	binding bool
}

// target is an item of the select list; junk ones serve ORDER BY and DISTINCT ON only.
type target struct {
	expr expr.Expr
	name string
	at   ast.Pos
	junk bool
}

// sortTarget orders by a target.
type sortTarget struct {
	target                 int
	descending, nullsFirst bool
}

// selectBinder is the state of one SELECT.
type selectBinder struct {
	*binder
	sc      *scope
	core    *ast.SelectCore
	query   *ast.Query // its ORDER BY and LIMIT; nil when they belong to somebody else
	resolve bool       // make text of untyped outputs

	node       logical.Node
	targets    []target
	where      []conjunct
	having     []conjunct
	qualify    []conjunct
	sort       []sortTarget
	keys       []operand // GROUP BY
	sets       [][]int   // nil: one set of all keys
	distinctOn []int     // targets
	limit      *limits
}

// selectCore binds SELECT with the ORDER BY and LIMIT of the query around it.
func (b *binder) selectCore(sc *scope, core *ast.SelectCore, q *ast.Query, resolve bool) (*result, error) {
	sc.selecting = &selection{}
	for _, w := range core.Windows {
		for _, have := range sc.selecting.definitions {
			if have.name == w.Name {
				return nil, b.fail(w.Pos, sqlerr.WindowingError, "window %q is already defined", w.Name)
			}
		}
		sc.selecting.definitions = append(sc.selecting.definitions, &windowDefinition{name: w.Name, spec: w.Spec})
	}
	s := &selectBinder{binder: b, sc: sc, core: core, query: q, resolve: resolve}
	steps := []func() error{s.bindFrom, s.bindTargets, s.bindWhere, s.bindHaving, s.bindOrderBy, s.bindGroupBy,
		s.bindDistinct, s.bindLimit, s.bindWindows, s.bindQualify, s.checkLocks}
	for _, step := range steps {
		if err := step(); err != nil {
			return nil, err
		}
	}
	sc.clause = clauseNone
	return s.assemble()
}

func (s *selectBinder) bindFrom() error {
	node, err := s.from(s.sc, s.core.From)
	s.node = node
	return err
}

func (s *selectBinder) bindTargets() error {
	s.sc.clause = clauseSelect
	for _, t := range s.core.Targets {
		list, err := s.target(s.sc, t)
		if err != nil {
			return err
		}
		s.targets = append(s.targets, list...)
	}
	return nil
}

// target binds an item of the select list; a star gives several.
func (b *binder) target(sc *scope, t ast.Target) ([]target, error) {
	switch e := t.Expr.(type) {
	case *ast.Star:
		return b.expandStar(sc, e)
	case *ast.FieldStar:
		return b.expandFields(sc, e)
	}
	x, err := b.expr(sc, t.Expr)
	if err != nil {
		return nil, err
	}
	name := t.Alias
	if name == "" {
		name = outputName(t.Expr)
	}
	return []target{{expr: x, name: name, at: ast.Leftmost(t.Expr)}}, nil
}

// expandStar gives the columns of * or t.*.
func (b *binder) expandStar(sc *scope, star *ast.Star) ([]target, error) {
	if len(star.Qualifier) > 0 {
		return b.expandQualifiedStar(sc, star)
	}
	var out []target
	any := false
	for _, r := range sc.relations {
		if !r.byColumn || r.lateralOnly {
			continue
		}
		any = true
		for _, c := range r.columns {
			out = append(out, target{expr: b.refer(c.value, star.Pos), name: c.name, at: star.Pos})
		}
	}
	if !any {
		return nil, b.fail(star.Pos, sqlerr.SyntaxError, "SELECT * with no tables specified is not valid")
	}
	return out, nil
}

func (b *binder) expandQualifiedStar(sc *scope, star *ast.Star) ([]target, error) {
	schema, name := "", star.Qualifier[len(star.Qualifier)-1]
	if n := len(star.Qualifier); n > 1 {
		schema = star.Qualifier[n-2]
	}
	r, err := b.findRelation(sc, schema, name, star.Pos)
	if err != nil {
		return nil, err
	}
	if r == nil {
		return nil, b.missingRelation(sc, name, star.Pos)
	}
	out := make([]target, len(r.columns))
	for i, c := range r.columns {
		out[i] = target{expr: b.refer(c.value, star.Pos), name: c.name, at: star.Pos}
	}
	return out, nil
}

// expandFields gives the fields of (x).*.
func (b *binder) expandFields(sc *scope, e *ast.FieldStar) ([]target, error) {
	x, err := b.operand(sc, e.X)
	if err != nil {
		return nil, err
	}
	if x.Type().Kind != types.Row {
		return nil, b.fail(e.Pos, sqlerr.WrongObjectType, "type %s is not composite", x.Type().Base())
	}
	var out []target
	for i, f := range x.Type().Fields {
		name := f.Name
		if name == "" {
			name = fieldName(i)
		}
		value, err := b.field(x, name, e.Pos)
		if err != nil {
			return nil, err
		}
		out = append(out, target{expr: value, name: name, at: e.Pos})
	}
	return out, nil
}

func (s *selectBinder) bindWhere() (err error) {
	s.sc.clause = clauseWhere
	if s.core.Where != nil {
		s.where, err = s.conjuncts(s.sc, s.core.Where, "WHERE")
	}
	return err
}

func (s *selectBinder) bindHaving() (err error) {
	s.sc.clause = clauseHaving
	if s.core.Having != nil {
		s.having, err = s.conjuncts(s.sc, s.core.Having, "HAVING")
	}
	return err
}

// bindQualify binds QUALIFY, which may name output columns.
func (s *selectBinder) bindQualify() (err error) {
	if s.core.Qualify == nil {
		return nil
	}
	s.sc.clause = clauseQualify
	for _, t := range s.targets {
		if !t.junk {
			s.sc.aliases = append(s.sc.aliases, t)
		}
	}
	s.qualify, err = s.conjuncts(s.sc, s.core.Qualify, "QUALIFY")
	s.sc.aliases = nil
	return err
}

// bindWindows binds the definitions of the WINDOW clause that nothing uses, for their errors.
func (s *selectBinder) bindWindows() error {
	for _, d := range s.sc.selecting.definitions {
		if _, err := s.namedWindow(s.sc, d.name, d.spec.Pos); err != nil {
			return err
		}
	}
	return nil
}

// checkLocks looks at FOR UPDATE and its like, which mean nothing in a snapshot, as far as they are
// wrong.
func (s *selectBinder) checkLocks() error {
	if s.query == nil {
		return nil
	}
	for _, lock := range s.query.Locks {
		with := ""
		switch {
		case s.core.Distinct:
			with = "DISTINCT clause"
		case s.core.GroupBy != nil:
			with = "GROUP BY clause"
		case s.core.Having != nil:
			with = "HAVING clause"
		case len(s.sc.selecting.aggregates) > 0:
			with = "aggregate functions"
		case len(s.sc.selecting.windows) > 0:
			with = "window functions"
		case len(s.sc.selecting.tables) > 0:
			with = "set-returning functions in the target list"
		}
		if with != "" {
			return s.fail(ast.NoPos, sqlerr.FeatureNotSupported, "FOR %s is not allowed with %s", lock.Strength, with)
		}
		for _, name := range lock.Of {
			if r, err := s.findRelation(s.sc, "", name.Last(), name.Pos); r == nil && err == nil {
				return s.fail(name.Pos, sqlerr.UndefinedTable, "relation %q in FOR %s clause not found in FROM clause", name.Last(), lock.Strength)
			}
		}
	}
	return nil
}

func (s *selectBinder) bindLimit() (err error) {
	if s.query != nil {
		s.limit, err = s.limits(s.sc, s.query)
	}
	return err
}
