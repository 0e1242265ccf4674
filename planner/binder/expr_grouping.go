package binder

import (
	"github.com/tarnlake/tarn/internal/expr"
	"github.com/tarnlake/tarn/internal/sqlerr"
	"github.com/tarnlake/tarn/internal/types"
	"github.com/tarnlake/tarn/planner/logical"
	"github.com/tarnlake/tarn/planner/parser/ast"
)

// grouping binds GROUPING(a, b); its value follows from the grouping set (groupingValue).
func (b *binder) grouping(sc *scope, e *ast.Grouping) (expr.Expr, error) {
	if len(e.Args) > 31 {
		return nil, b.fail(e.Pos, sqlerr.TooManyArguments, "GROUPING must have fewer than 32 arguments")
	}
	switch sc.clause {
	case clauseSelect, clauseHaving, clauseOrderBy, clauseWindowPartition, clauseWindowOrder, clauseQualify, clauseDistinctOn:
	default:
		return nil, b.fail(e.Pos, sqlerr.GroupingError, "grouping operations are not allowed in %s", sc.clause.name())
	}
	args, err := b.operands(sc, e.Args)
	if err != nil {
		return nil, err
	}
	g := &groupingColumn{pendingColumn: pendingColumn{b.column("grouping", intType, false), e.Pos, sc}, args: args}
	sc.selecting.groupings = append(sc.selecting.groupings, g)
	return b.hold(g), nil
}

// groupingValue gives the expression for GROUPING over the number of the grouping set.
func (b *binder) groupingValue(g *groupingColumn, by *grouped) (expr.Expr, error) {
	keys := make([]int, len(g.args))
	for i, a := range g.args {
		keys[i] = by.find(a.Expr)
		if keys[i] < 0 {
			return nil, b.fail(a.place(), sqlerr.GroupingError,
				"arguments to GROUPING must be grouping expressions of the associated query level")
		}
	}
	if by.setID == 0 {
		return &expr.Literal{Value: types.IntDatum(0), T: intType}, nil
	}
	out := &expr.Case{T: intType}
	for number, set := range by.sets {
		bits := int64(0)
		for _, k := range keys {
			bits <<= 1
			if !contains(set, k) {
				bits |= 1
			}
		}
		value := &expr.Literal{Value: types.IntDatum(bits), T: intType}
		if number == len(by.sets)-1 {
			out.Else = value
			break
		}
		is := &expr.Compare{Op: expr.Equal, Left: b.columnRef(by.setID),
			Right: &expr.Literal{Value: types.IntDatum(int64(number)), T: bigintType}}
		out.Whens = append(out.Whens, expr.When{Condition: is, Result: value})
	}
	if len(out.Whens) == 0 {
		return out.Else, nil
	}
	return out, nil
}

func contains(set []int, k int) bool {
	for _, s := range set {
		if s == k {
			return true
		}
	}
	return false
}

// maxSets bounds what CUBE and products of sets may grow to, as in PostgreSQL.
const maxSets = 4096

// groupItems flattens GROUP BY into grouping sets over the list of keys, which it extends.
func (b *binder) groupItems(s *selectBinder, items []ast.GroupItem, keys *[]operand) ([][]int, error) {
	sets := [][]int{{}}
	for _, item := range items {
		alternatives, err := b.groupItem(s, item, keys)
		if err != nil {
			return nil, err
		}
		var product [][]int
		for _, left := range sets {
			for _, right := range alternatives {
				product = append(product, union(left, right))
			}
		}
		if len(product) > maxSets {
			return nil, b.fail(item.Pos, sqlerr.StatementTooComplex, "too many grouping sets present (maximum %d)", maxSets)
		}
		sets = product
	}
	return sets, nil
}

// groupItem gives the alternatives that one item of GROUP BY stands for.
func (b *binder) groupItem(s *selectBinder, item ast.GroupItem, keys *[]operand) ([][]int, error) {
	switch item.Kind {
	case ast.GroupEmpty:
		return [][]int{{}}, nil
	case ast.GroupExpr:
		set, err := b.groupExpr(s, item.Expr, keys)
		return [][]int{set}, err
	case ast.GroupSets:
		var out [][]int
		for _, inner := range item.Items {
			alternatives, err := b.groupItem(s, inner, keys)
			if err != nil {
				return nil, err
			}
			out = append(out, alternatives...)
		}
		return out, nil
	}
	parts := make([][]int, len(item.Items))
	for i, inner := range item.Items {
		one, err := b.groupItem(s, inner, keys)
		if err != nil {
			return nil, err
		}
		parts[i] = one[0]
	}
	if item.Kind == ast.GroupRollup {
		return rollup(parts), nil
	}
	if len(parts) > 12 {
		return nil, b.fail(item.Pos, sqlerr.TooManyColumns, "CUBE is limited to 12 elements")
	}
	return cube(parts), nil
}

// rollup gives (a, b, c), (a, b), (a), ().
func rollup(parts [][]int) [][]int {
	var out [][]int
	for n := len(parts); n >= 0; n-- {
		out = append(out, unionAll(parts[:n]))
	}
	return out
}

// cube gives every subset, larger ones first.
func cube(parts [][]int) [][]int {
	var out [][]int
	for mask := 1<<len(parts) - 1; mask >= 0; mask-- {
		var chosen [][]int
		for i := range parts {
			if mask&(1<<(len(parts)-1-i)) != 0 {
				chosen = append(chosen, parts[i])
			}
		}
		out = append(out, unionAll(chosen))
	}
	return out
}

func unionAll(list [][]int) []int {
	out := []int{}
	for _, s := range list {
		out = union(out, s)
	}
	return out
}

func union(a, b []int) []int {
	out := append([]int{}, a...)
	for _, k := range b {
		if !contains(out, k) {
			out = append(out, k)
		}
	}
	return out
}

// distinctSets drops repeated grouping sets: GROUP BY DISTINCT.
func distinctSets(sets [][]int) [][]int {
	var out [][]int
	for _, s := range sets {
		known := false
		for _, o := range out {
			known = known || len(o) == len(s) && len(union(o, s)) == len(s)
		}
		if !known {
			out = append(out, s)
		}
	}
	return out
}

// grouped is what an Aggregate offers to the expressions above it.
type grouped struct {
	scope *scope
	keys  []operand       // over the columns below
	ids   []logical.ColID // above
	sets  [][]int
	setID logical.ColID
}

// find gives the key that an expression is, −1 for none.
func (g *grouped) find(e expr.Expr) int {
	for i, k := range g.keys {
		if expr.Same(k.Expr, e) {
			return i
		}
	}
	return -1
}
