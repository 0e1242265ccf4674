package binder

import (
	"strconv"

	"github.com/tarnlake/tarn/internal/expr"
	"github.com/tarnlake/tarn/internal/sqlerr"
	"github.com/tarnlake/tarn/internal/types"
	"github.com/tarnlake/tarn/planner/parser/ast"
)

func (s *selectBinder) bindOrderBy() error {
	if s.query == nil {
		return nil
	}
	s.sc.clause = clauseOrderBy
	for _, item := range s.query.OrderBy {
		i, err := s.findTarget(item.Expr, clauseOrderBy)
		if err != nil {
			return err
		}
		if err := s.typeTarget(i); err != nil {
			return err
		}
		t := s.targets[i]
		key, err := s.sortKey(operandAt(t.expr, ast.Leftmost(item.Expr)), item)
		if err != nil {
			return err
		}
		if !s.sortedBy(i) {
			s.sort = append(s.sort, sortTarget{i, key.descending, key.nullsFirst})
		}
	}
	return nil
}

func (s *selectBinder) sortedBy(i int) bool {
	for _, k := range s.sort {
		if k.target == i {
			return true
		}
	}
	return false
}

// typeTarget makes text of an untyped target that is sorted or grouped by.
func (s *selectBinder) typeTarget(i int) error {
	t := &s.targets[i]
	var err error
	t.expr, err = s.resolveUnknown(operandAt(t.expr, t.at))
	return err
}

// findTarget gives the target that an item of ORDER BY, GROUP BY or DISTINCT ON means: by position,
// by output name, or by expression, for which a junk target is added if there is none.
func (s *selectBinder) findTarget(e ast.Expr, in clause) (int, error) {
	if lit, ok := e.(*ast.Literal); ok && lit.Kind != ast.LitBool {
		return s.targetAt(lit, in)
	}
	if ref, ok := e.(*ast.ColumnRef); ok && len(ref.Parts) == 1 {
		i, err := s.targetNamed(ref, in)
		if i >= 0 || err != nil {
			return i, err
		}
	}
	x, err := s.expr(s.sc, e)
	if err != nil {
		return 0, err
	}
	for i, t := range s.targets {
		if expr.Same(t.expr, x) {
			return i, nil
		}
	}
	s.targets = append(s.targets, target{expr: x, name: "?column?", at: ast.Leftmost(e), junk: true})
	return len(s.targets) - 1, nil
}

func (s *selectBinder) targetAt(lit *ast.Literal, in clause) (int, error) {
	n, err := strconv.ParseInt(lit.Text, 10, 32)
	if lit.Kind != ast.LitInteger || err != nil {
		return 0, s.fail(lit.Pos, sqlerr.SyntaxError, "non-integer constant in %s", in.name())
	}
	if n < 1 || int(n) > s.outputs() {
		return 0, s.fail(lit.Pos, sqlerr.InvalidColumnReference, "%s position %d is not in select list", in.name(), n)
	}
	return int(n) - 1, nil
}

// outputs counts the targets that are not junk; those come first.
func (s *selectBinder) outputs() int {
	n := 0
	for _, t := range s.targets {
		if !t.junk {
			n++
		}
	}
	return n
}

// targetNamed looks for an output column's name; GROUP BY prefers an input column of that name. It
// gives −1 when the name is none.
func (s *selectBinder) targetNamed(ref *ast.ColumnRef, in clause) (int, error) {
	name := ref.Parts[0]
	if in == clauseGroupBy {
		if e, err := s.columnInLevel(s.sc, name, ref.Pos); e != nil || err != nil {
			return -1, err
		}
	}
	found := -1
	for i, t := range s.targets {
		if t.junk || t.name != name {
			continue
		}
		if found >= 0 && !expr.Same(s.targets[found].expr, t.expr) {
			return 0, s.fail(ref.Pos, sqlerr.AmbiguousColumn, "%s %q is ambiguous", in.name(), name)
		}
		if found < 0 {
			found = i
		}
	}
	return found, nil
}

// bindDistinct checks DISTINCT and finds the targets of DISTINCT ON.
func (s *selectBinder) bindDistinct() error {
	if !s.core.Distinct {
		return nil
	}
	if len(s.core.DistinctOn) > 0 {
		return s.bindDistinctOn()
	}
	for _, k := range s.sort {
		if t := s.targets[k.target]; t.junk {
			return s.fail(t.at, sqlerr.InvalidColumnReference,
				"for SELECT DISTINCT, ORDER BY expressions must appear in select list")
		}
	}
	for i := range s.targets {
		if err := s.typeTarget(i); err != nil {
			return err
		}
		if err := s.checkGroupable(operandAt(s.targets[i].expr, s.targets[i].at)); err != nil {
			return err
		}
	}
	return nil
}

func (s *selectBinder) bindDistinctOn() error {
	s.sc.clause = clauseDistinctOn
	for _, e := range s.core.DistinctOn {
		i, err := s.findTarget(e, clauseDistinctOn)
		if err != nil {
			return err
		}
		if err := s.typeTarget(i); err != nil {
			return err
		}
		if !contains(s.distinctOn, i) {
			s.distinctOn = append(s.distinctOn, i)
		}
	}
	if s.leading() < len(s.sort) && s.leading() < len(s.distinctOn) {
		return s.fail(s.mismatch(), sqlerr.InvalidColumnReference,
			"SELECT DISTINCT ON expressions must match initial ORDER BY expressions")
	}
	return nil
}

// leading counts the sort keys at the front that are DISTINCT ON's.
func (s *selectBinder) leading() int {
	n := 0
	for _, k := range s.sort {
		if !contains(s.distinctOn, k.target) {
			break
		}
		n++
	}
	return n
}

// mismatch is where the first DISTINCT ON expression stands that ORDER BY does not begin with.
func (s *selectBinder) mismatch() ast.Pos {
	for n, i := range s.distinctOn {
		sorted := false
		for _, k := range s.sort[:s.leading()] {
			sorted = sorted || k.target == i
		}
		if !sorted {
			return ast.Leftmost(s.core.DistinctOn[min(n, len(s.core.DistinctOn)-1)])
		}
	}
	return ast.NoPos
}

// checkGroupable refuses types without equality.
func (b *binder) checkGroupable(x operand) error {
	t := x.Type()
	for t.Kind == types.Array {
		t = *t.Elem
	}
	if t.Kind == types.JSON {
		return b.fail(x.place(), sqlerr.UndefinedFunction, "could not identify an equality operator for type %s", x.Type().Base())
	}
	return nil
}

func (s *selectBinder) bindGroupBy() error {
	g := s.core.GroupBy
	if g == nil {
		return nil
	}
	s.sc.clause = clauseGroupBy
	if g.All {
		return s.groupByAll()
	}
	sets, err := s.groupItems(s, g.Items, &s.keys)
	if err != nil {
		return err
	}
	if g.Distinct {
		sets = distinctSets(sets)
	}
	if len(sets) > 1 || len(sets[0]) < len(s.keys) {
		s.sets = sets
	}
	return nil
}

// groupByAll groups by every output that holds no aggregate and no window function.
func (s *selectBinder) groupByAll() error {
	for i := range s.targets {
		t := &s.targets[i]
		if t.junk || s.reads(t.expr, isAggregateOrWindow) {
			continue
		}
		if _, constant := t.expr.(*expr.Literal); constant {
			continue
		}
		if err := s.typeTarget(i); err != nil {
			return err
		}
		s.addKey(operandAt(t.expr, t.at), &s.keys)
	}
	return nil
}

func isAggregateOrWindow(p placeholder) bool {
	switch p.(type) {
	case *aggregateColumn, *windowColumn, *groupingColumn:
		return true
	}
	return false
}

// reads tells whether e reads a placeholder for which is holds.
func (b *binder) reads(e expr.Expr, is func(placeholder) bool) bool {
	found := false
	expr.Walk(e, func(x expr.Expr) bool {
		if c, ok := x.(*expr.Column); ok {
			if p, ok := b.pending[c.ID]; ok && is(p) {
				found = true
			}
		}
		return !found
	})
	return found
}

// groupExpr binds one expression of GROUP BY, or a list in parentheses, and gives its keys.
func (b *binder) groupExpr(s *selectBinder, e ast.Expr, keys *[]operand) ([]int, error) {
	if row, ok := e.(*ast.RowLiteral); ok && row.Implicit {
		set := []int{}
		for _, f := range row.Fields {
			one, err := b.groupExpr(s, f, keys)
			if err != nil {
				return nil, err
			}
			set = union(set, one)
		}
		return set, nil
	}
	count := len(s.targets)
	i, err := s.findTarget(e, clauseGroupBy)
	if err != nil {
		return nil, err
	}
	x := operandAt(s.targets[i].expr, ast.Leftmost(e))
	if i >= count {
		// A key that is no output needs no target: the aggregate computes it.
		s.targets = s.targets[:count]
		x.Expr, err = b.resolveUnknown(x)
	} else if err = s.typeTarget(i); err == nil {
		x.Expr = s.targets[i].expr
	}
	if err != nil {
		return nil, err
	}
	if err := s.checkGroupKey(x); err != nil {
		return nil, err
	}
	return []int{s.addKey(x, keys)}, nil
}

func (s *selectBinder) checkGroupKey(x operand) error {
	if err := s.checkUngrouped(x.Expr); err != nil {
		return err
	}
	return s.checkGroupable(x)
}

// checkUngrouped refuses what is only known after grouping.
func (s *selectBinder) checkUngrouped(e expr.Expr) error {
	var err error
	expr.Walk(e, func(e expr.Expr) bool {
		c, ok := e.(*expr.Column)
		if !ok || err != nil {
			return err == nil
		}
		switch p := s.pending[c.ID].(type) {
		case *aggregateColumn:
			err = s.fail(p.at, sqlerr.GroupingError, "aggregate functions are not allowed in GROUP BY")
		case *groupingColumn:
			err = s.fail(p.at, sqlerr.GroupingError, "grouping operations are not allowed in GROUP BY")
		case *windowColumn:
			err = s.fail(p.at, sqlerr.WindowingError, "window functions are not allowed in GROUP BY")
		case *tableColumn:
			for _, a := range p.args {
				if err == nil {
					err = s.checkUngrouped(a)
				}
			}
		case *subqueryColumn:
			if a := s.aggregateIn(p, s.sc); a != nil {
				err = s.fail(a.at, sqlerr.GroupingError, "aggregate functions are not allowed in GROUP BY")
			}
		}
		return err == nil
	})
	return err
}

func (s *selectBinder) addKey(x operand, keys *[]operand) int {
	for i, k := range *keys {
		if expr.Same(k.Expr, x.Expr) {
			return i
		}
	}
	*keys = append(*keys, x)
	return len(*keys) - 1
}
