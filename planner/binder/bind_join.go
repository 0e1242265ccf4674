package binder

import (
	"github.com/tarnlake/tarn/internal/expr"
	"github.com/tarnlake/tarn/internal/plan"
	"github.com/tarnlake/tarn/internal/sqlerr"
	"github.com/tarnlake/tarn/internal/types"
	"github.com/tarnlake/tarn/planner/logical"
	"github.com/tarnlake/tarn/planner/parser/ast"
)

// join binds an explicit join.
func (b *binder) join(sc *scope, f *ast.Join) (*fromItem, error) {
	left, right, err := b.joinSides(sc, f)
	if err != nil {
		return nil, err
	}
	using, err := b.usingNames(f, left, right)
	if err != nil {
		return nil, err
	}
	kind := joinKind(f.Kind)
	if kind == plan.Left || kind == plan.Full {
		b.makeNullable(right.node)
	}
	if kind == plan.Right || kind == plan.Full {
		b.makeNullable(left.node)
	}
	merged, condition, err := b.usingColumns(f, kind, using, left, right)
	if err != nil {
		return nil, err
	}
	if f.On != nil {
		if condition, err = b.onCondition(sc, f, left, right); err != nil {
			return nil, err
		}
	}
	node, err := b.joinNode(f, kind, left.node, right.node, condition)
	if err != nil {
		return nil, err
	}
	return b.joinItem(f, node, merged, left, right)
}

func joinKind(k ast.JoinKind) plan.JoinKind {
	return [...]plan.JoinKind{ast.JoinInner: plan.Inner, ast.JoinLeft: plan.Left, ast.JoinRight: plan.Right,
		ast.JoinFull: plan.Full, ast.JoinCross: plan.Inner, ast.JoinLeftSemi: plan.Semi, ast.JoinLeftAnti: plan.Anti,
		ast.JoinRightSemi: plan.RightSemi, ast.JoinRightAnti: plan.RightAnti}[k]
}

// joinSides binds both sides; the right one may refer to the left when it is LATERAL.
func (b *binder) joinSides(sc *scope, f *ast.Join) (left, right *fromItem, err error) {
	nullLeft := f.Kind == ast.JoinRight || f.Kind == ast.JoinFull
	nullRight := f.Kind == ast.JoinLeft || f.Kind == ast.JoinFull
	if left, err = b.nullableSide(sc, f.Left, nullLeft); err != nil {
		return nil, nil, err
	}
	before := len(sc.relations)
	for _, r := range left.relations {
		r.lateralOnly, r.lateralOK = true, !nullLeft
	}
	b.addRelations(sc, left.relations)
	right, err = b.nullableSide(sc, f.Right, nullRight)
	sc.relations = sc.relations[:before]
	for _, r := range left.relations {
		r.lateralOnly = false
	}
	if err != nil {
		return nil, nil, err
	}
	return left, right, b.checkNames(left.relations, right.relations)
}

func (b *binder) nullableSide(sc *scope, f ast.FromItem, nullable bool) (*fromItem, error) {
	if nullable {
		sc.nullSide++
		defer func() { sc.nullSide-- }()
	}
	return b.fromItem(sc, f)
}

// makeNullable marks a side that an outer join pads with NULLs.
func (b *binder) makeNullable(n logical.Node) {
	for _, id := range n.Columns() {
		b.columns.Info(id).Nullable = true
	}
}

// usingNames gives the columns of USING or NATURAL.
func (b *binder) usingNames(f *ast.Join, left, right *fromItem) ([]string, error) {
	if !f.Natural {
		return f.Using, nil
	}
	var names []string
	for _, l := range left.columns {
		for _, r := range right.columns {
			if l.name == r.name {
				names = append(names, l.name)
				break
			}
		}
	}
	return names, nil
}

// usingColumns merges columns of equal names and gives the condition.
func (b *binder) usingColumns(f *ast.Join, kind plan.JoinKind, names []string, left, right *fromItem) ([]relationColumn, expr.Expr, error) {
	var merged []relationColumn
	var all []expr.Expr
	for i, name := range names {
		for _, before := range names[:i] {
			if before == name {
				return nil, nil, b.fail(f.Pos, sqlerr.DuplicateColumn, "column name %q appears more than once in USING clause", name)
			}
		}
		l, err := b.usingColumn(f, left, name, "left")
		if err != nil {
			return nil, nil, err
		}
		r, err := b.usingColumn(f, right, name, "right")
		if err != nil {
			return nil, nil, err
		}
		eq, err := b.compare(expr.Equal, "=", l, r, ast.NoPos)
		if err != nil {
			return nil, nil, err
		}
		all = append(all, eq)
		value, err := b.mergedValue(kind, l, r)
		if err != nil {
			return nil, nil, err
		}
		merged = append(merged, relationColumn{name, value})
	}
	return merged, expr.Conjoin(all), nil
}

func (b *binder) usingColumn(f *ast.Join, side *fromItem, name, which string) (operand, error) {
	var found expr.Expr
	for _, c := range side.columns {
		if c.name != name {
			continue
		}
		if found != nil {
			return operand{}, b.fail(f.Pos, sqlerr.AmbiguousColumn, "common column name %q appears more than once in %s table", name, which)
		}
		found = c.value
	}
	if found == nil {
		return operand{}, b.fail(f.Pos, sqlerr.UndefinedColumn, "column %q specified in USING clause does not exist in %s table", name, which)
	}
	return operandAt(found, ast.NoPos), nil
}

// mergedValue is the value of a column that USING merged.
func (b *binder) mergedValue(kind plan.JoinKind, l, r operand) (expr.Expr, error) {
	both, t, err := b.unify([]operand{l, r}, "JOIN/USING")
	if err != nil {
		return nil, err
	}
	switch kind {
	case plan.Right, plan.RightSemi, plan.RightAnti:
		return both[1], nil
	case plan.Full:
		return &expr.Coalesce{Args: both, T: t}, nil
	case plan.Inner:
		if r.Type().Equal(t) && !l.Type().Equal(t) {
			return both[1], nil
		}
	}
	return both[0], nil
}

// onCondition binds ON, which sees the two sides only (and outer queries).
func (b *binder) onCondition(sc *scope, f *ast.Join, left, right *fromItem) (expr.Expr, error) {
	outer := sc.relations
	sc.relations = nil
	for _, r := range outer {
		if r.lateralOnly {
			sc.relations = append(sc.relations, r)
		}
	}
	b.addRelations(sc, left.relations)
	b.addRelations(sc, right.relations)
	condition, err := within(sc, clauseOn, func() (expr.Expr, error) { return b.condition(sc, f.On, "JOIN/ON") })
	sc.relations = outer
	return condition, err
}

// joinNode makes the join; a subquery in ON is computed for each pair of rows.
func (b *binder) joinNode(f *ast.Join, kind plan.JoinKind, left, right logical.Node, condition expr.Expr) (logical.Node, error) {
	if condition != nil && b.readsSubquery(condition) {
		switch kind {
		case plan.Inner:
			joined := b.lateralJoin(kind, left, right, nil)
			return &logical.Filter{Input: b.attach(joined, condition), Predicate: condition}, nil
		case plan.Left, plan.Semi, plan.Anti:
			right = &logical.Filter{Input: b.attach(right, condition), Predicate: condition}
			return b.lateralJoin(kind, left, right, nil), nil
		case plan.Right, plan.RightSemi, plan.RightAnti:
			left = &logical.Filter{Input: b.attach(left, condition), Predicate: condition}
			mirrored := map[plan.JoinKind]plan.JoinKind{plan.Right: plan.Left, plan.RightSemi: plan.Semi, plan.RightAnti: plan.Anti}
			return b.lateralJoin(mirrored[kind], right, left, nil), nil
		}
		return nil, b.fail(ast.Leftmost(f.On), sqlerr.FeatureNotSupported,
			"FULL JOIN is only supported with merge-joinable or hash-joinable join conditions")
	}
	if lit, ok := condition.(*expr.Literal); ok && lit.T.Kind == types.Bool && !lit.Value.Null && lit.Value.Bool() {
		condition = nil
	}
	return b.lateralJoin(kind, left, right, condition), nil
}

// joinItem makes the namespace of a join: its own columns without qualifier, the sides' by their names.
// An alias hides the sides.
func (b *binder) joinItem(f *ast.Join, node logical.Node, merged []relationColumn, left, right *fromItem) (*fromItem, error) {
	rel := &relation{byColumn: true, at: f.Pos}
	rel.columns = append(rel.columns, merged...)
	sides := []*fromItem{left, right}
	switch joinKind(f.Kind) {
	case plan.Semi, plan.Anti:
		sides = sides[:1]
	case plan.RightSemi, plan.RightAnti:
		sides = sides[1:]
	}
	item := &fromItem{node: node}
	for _, side := range sides {
		for _, c := range side.columns {
			if !hasColumn(merged, c.name) {
				rel.columns = append(rel.columns, c)
			}
		}
		for _, r := range side.relations {
			r.byColumn = false
			item.relations = append(item.relations, r)
		}
	}
	if f.UsingAlias != "" {
		item.relations = append(item.relations, &relation{name: f.UsingAlias, columns: merged, byName: true})
	}
	if f.Alias != nil && f.Alias.Name != "" {
		rel.name, rel.byName = f.Alias.Name, true
		if err := b.aliasColumns(rel, f.Alias, f.Pos); err != nil {
			return nil, err
		}
		for _, r := range item.relations {
			r.byName = false
		}
	}
	item.relations = append(item.relations, rel)
	item.columns = rel.columns
	return item, nil
}

func hasColumn(list []relationColumn, name string) bool {
	for _, c := range list {
		if c.name == name {
			return true
		}
	}
	return false
}
