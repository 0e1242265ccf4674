package eval

import (
	"slices"
	"sort"

	"github.com/tarnlake/tarn/connectors"
	"github.com/tarnlake/tarn/internal/expr"
	"github.com/tarnlake/tarn/internal/fn"
	"github.com/tarnlake/tarn/internal/types"
	"github.com/tarnlake/tarn/internal/vec"
)

// rowFilter is a condition cut into stages by the columns that they read.
type rowFilter struct{ stages []filterStage }

type filterStage struct {
	columns   []int
	predicate *Predicate
}

// CompileRowFilter cuts a condition over a scan's columns into stages, cheap ones first; conjuncts
// that may raise an error come last, in their own order.
func CompileRowFilter(e expr.Expr, input []types.Type, env Env) (connectors.RowFilter, error) {
	type conjunct struct {
		e       expr.Expr
		columns []int
		cost    int
		fails   bool
	}
	var list []conjunct
	for _, part := range expr.Conjuncts(e) {
		used := map[expr.ColumnID]bool{}
		expr.Columns(part, used)
		c := conjunct{e: part, cost: Cost(part, env.Registry), fails: MayFail(part, env.Registry)}
		for id := range used {
			if int(id) < len(input) {
				c.columns = append(c.columns, int(id))
			}
		}
		slices.Sort(c.columns)
		list = append(list, c)
	}
	sort.SliceStable(list, func(a, b int) bool {
		x, y := list[a], list[b]
		if x.fails != y.fails {
			return y.fails
		}
		return !x.fails && x.cost < y.cost
	})
	out := &rowFilter{}
	for len(list) > 0 {
		first := list[0]
		parts := []expr.Expr{first.e}
		var rest []conjunct
		for _, c := range list[1:] {
			if slices.Equal(c.columns, first.columns) && c.fails == first.fails && (!c.fails || len(rest) == 0) {
				parts = append(parts, c.e)
			} else {
				rest = append(rest, c)
			}
		}
		predicate, err := CompilePredicate(expr.Conjoin(parts), input, env)
		if err != nil {
			return nil, err
		}
		out.stages = append(out.stages, filterStage{first.columns, predicate})
		list = rest
	}
	return out, nil
}

func (f *rowFilter) Stages() int             { return len(f.stages) }
func (f *rowFilter) Columns(stage int) []int { return f.stages[stage].columns }

func (f *rowFilter) Apply(stage int, b *vec.Batch) error {
	sel, err := f.stages[stage].predicate.Select(b, b.Sel)
	if err != nil {
		return err
	}
	b.Sel = sel
	return nil
}

// Cost estimates the work of e for a row, in units of an integer comparison.
func Cost(e expr.Expr, registry *fn.Registry) int {
	cost := 0
	expr.Walk(e, func(x expr.Expr) bool {
		switch x := x.(type) {
		case *expr.Column:
			cost += widthCost(x.T)
		case *expr.Call:
			cost += 5
			if len(x.Args) > 0 && x.Args[0].Type().Physical() == types.PhysString {
				cost += 20
			}
		case *expr.Cast, *expr.Case, *expr.Try, *expr.Coalesce:
			cost += 5
		case *expr.In:
			cost += 1 + min(len(x.List), 4)
		default:
			cost++
		}
		return true
	})
	return cost
}

func widthCost(t types.Type) int {
	switch t.Physical() {
	case types.PhysString:
		return 6
	case types.PhysInt128, types.PhysInterval:
		return 3
	case types.PhysList, types.PhysRow:
		return 30
	}
	return 1
}

// MayFail tells whether evaluating e can raise an error for some row.
func MayFail(e expr.Expr, registry *fn.Registry) bool {
	fails := false
	expr.Walk(e, func(x expr.Expr) bool {
		switch x := x.(type) {
		case *expr.Call:
			o := registry.Overload(x.Function)
			fails = fails || o == nil || o.MayFail
		case *expr.Cast:
			fails = fails || !x.Try && castMayFail(x.Arg.Type(), x.To)
		case *expr.Try:
			return false
		}
		return !fails
	})
	return fails
}
