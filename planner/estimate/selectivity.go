package estimate

import (
	"math"
	"sort"

	"github.com/tarnlake/tarn/internal/expr"
	"github.com/tarnlake/tarn/internal/plan"
	"github.com/tarnlake/tarn/planner/logical"
)

// Fractions assumed where nothing better is known.
const (
	unknownSelectivity = 0.25
	rangeSelectivity   = 0.3
	likeSelectivity    = 0.1
	nullSelectivity    = 0.05
)

// Selectivity gives the fraction of rows rows for which predicate is true.
func (e *Estimator) Selectivity(predicate expr.Expr, rows float64) float64 {
	switch p := predicate.(type) {
	case nil:
		return 1
	case *expr.And:
		return e.conjunction(p, rows)
	case *expr.Or:
		miss := 1.0
		for _, a := range p.Args {
			miss *= 1 - e.Selectivity(a, rows)
		}
		return 1 - miss
	case *expr.Not:
		return clamp(1 - e.Selectivity(p.Arg, rows))
	case *expr.Literal:
		if p.Value.Null || !p.Value.Bool() {
			return 0
		}
		return 1
	case *expr.IsNull:
		if col, ok := p.Arg.(*expr.Column); ok {
			if f := e.Column(col.ID, rows).NullFraction; f > 0 {
				return f
			}
		}
		return nullSelectivity
	case *expr.In:
		if col := column(p.Arg); col != nil {
			return clamp(float64(len(p.List)) / e.Column(col.ID, rows).Distinct)
		}
		return clamp(float64(len(p.List)) * likeSelectivity)
	case *expr.Compare:
		return e.comparison(p, rows)
	case *expr.Call:
		switch p.Name {
		case "~~", "~~*", "~", "~*", "regexp_like", "starts_with":
			return likeSelectivity
		case "!~~", "!~~*", "!~", "!~*":
			return 1 - likeSelectivity
		}
	}
	return unknownSelectivity
}

// conjunction joins both ends of a range on one column and softens the rest: the most selective
// conjunct counts fully, the next by its square root, and so on.
func (e *Estimator) conjunction(p *expr.And, rows float64) float64 {
	ranges := map[logical.ColID]*Column{}
	full := map[logical.ColID]Column{}
	var parts []float64
	for _, conjunct := range expr.Conjuncts(p) {
		col, low, high, ok := e.bounds(conjunct, rows)
		if !ok {
			parts = append(parts, e.Selectivity(conjunct, rows))
			continue
		}
		if ranges[col] == nil {
			f := e.Column(col, rows)
			full[col] = f
			ranges[col] = &f
		}
		r := ranges[col]
		r.Low, r.High = math.Max(r.Low, low), math.Min(r.High, high)
	}
	for col, r := range ranges {
		parts = append(parts, fraction(full[col], r.Low, r.High))
	}
	sort.Float64s(parts)
	product, exponent := 1.0, 1.0
	for i, s := range parts {
		product *= math.Pow(s, exponent)
		if i >= 1 {
			exponent = math.Max(exponent*0.75, 0.25)
		}
	}
	return product
}

// bounds reads a comparison of a column with a literal as a range.
func (e *Estimator) bounds(p expr.Expr, rows float64) (id logical.ColID, low, high float64, ok bool) {
	cmp, isCompare := p.(*expr.Compare)
	if !isCompare {
		return
	}
	col, lit, op := column(cmp.Left), literal(cmp.Right), cmp.Op
	if col == nil || lit == nil {
		col, lit, op = column(cmp.Right), literal(cmp.Left), op.Inverse()
	}
	if col == nil || lit == nil {
		return
	}
	f := e.Column(col.ID, rows)
	v, isNumber := Number(lit.T, lit.Value)
	if !isNumber || !f.Ranged {
		return
	}
	switch op {
	case expr.Less, expr.LessEqual:
		return col.ID, f.Low, v, true
	case expr.Greater, expr.GreaterEqual:
		return col.ID, v, f.High, true
	}
	return
}

func fraction(c Column, low, high float64) float64 {
	if high < low {
		return 0
	}
	width := c.High - c.Low
	if width <= 0 {
		return 1
	}
	return math.Max((high-low)/width, math.Min(1, 1/c.Distinct))
}

func (e *Estimator) comparison(p *expr.Compare, rows float64) float64 {
	left, right := column(p.Left), column(p.Right)
	if left != nil && right != nil {
		d := math.Max(e.Column(left.ID, rows).Distinct, e.Column(right.ID, rows).Distinct)
		switch p.Op {
		case expr.Equal, expr.NotDistinct:
			return 1 / d
		case expr.NotEqual, expr.Distinct:
			return 1 - 1/d
		}
		return rangeSelectivity
	}
	if id, low, high, ok := e.bounds(p, rows); ok {
		return fraction(e.Column(id, rows), low, high)
	}
	col := left
	if col == nil {
		col = right
	}
	switch p.Op {
	case expr.Equal, expr.NotDistinct:
		if col == nil {
			return likeSelectivity
		}
		f := e.Column(col.ID, rows)
		if other := literalOf(p); other != nil && f.Ranged {
			if v, ok := Number(other.T, other.Value); ok && (v < f.Low || v > f.High) {
				return 0
			}
		}
		return 1 / f.Distinct
	case expr.NotEqual, expr.Distinct:
		if col == nil {
			return 1 - likeSelectivity
		}
		return 1 - 1/e.Column(col.ID, rows).Distinct
	}
	return rangeSelectivity
}

func column(x expr.Expr) *expr.Column {
	switch x := x.(type) {
	case *expr.Column:
		return x
	case *expr.Cast:
		return column(x.Arg)
	}
	return nil
}

func literal(x expr.Expr) *expr.Literal {
	l, _ := x.(*expr.Literal)
	return l
}

func literalOf(p *expr.Compare) *expr.Literal {
	if l := literal(p.Left); l != nil {
		return l
	}
	return literal(p.Right)
}

func clamp(f float64) float64 { return math.Max(0, math.Min(1, f)) }

// join estimates by containment: a pair of keys matches with 1 / the larger number of distinct values.
func (e *Estimator) join(n *logical.Join) float64 {
	l, r := e.Rows(n.Left), e.Rows(n.Right)
	matched := e.JoinRows(l, r, n)
	switch n.Kind {
	case plan.Inner:
		return matched
	case plan.Left:
		return math.Max(l, matched)
	case plan.Right:
		return math.Max(r, matched)
	case plan.Full:
		return math.Max(l, matched) + math.Max(0, r-matched)
	case plan.Semi:
		return l * e.matchFraction(n, l, r)
	case plan.Anti, plan.NullAwareAnti:
		return math.Max(l*(1-e.matchFraction(n, l, r)), l*0.1)
	case plan.RightSemi:
		return math.Min(r, matched)
	case plan.RightAnti:
		return math.Max(r-matched, r*0.1)
	}
	return l // Mark, Single
}

// JoinRows gives the expected matches between l left and r right rows under n's condition.
func (e *Estimator) JoinRows(l, r float64, n *logical.Join) float64 {
	left := map[logical.ColID]bool{}
	for _, id := range n.Left.Columns() {
		left[id] = true
	}
	selectivity, keys := 1.0, 0
	for _, c := range expr.Conjuncts(n.Condition) {
		s, isKey := e.keySelectivity(c, left, l, r)
		if !isKey {
			s = e.Selectivity(c, math.Max(l, r))
		} else if keys++; keys > 1 {
			s = math.Sqrt(s) // keys of several columns are rarely independent
		}
		selectivity *= s
	}
	return l * r * selectivity
}

// keySelectivity gives the fraction of pairs whose columns are equal: by containment, and no row finds
// more than one partner with a unique key.
func (e *Estimator) keySelectivity(c expr.Expr, left map[logical.ColID]bool, l, r float64) (float64, bool) {
	cmp, ok := c.(*expr.Compare)
	if !ok || cmp.Op != expr.Equal && cmp.Op != expr.NotDistinct {
		return 0, false
	}
	a, b := column(cmp.Left), column(cmp.Right)
	if a == nil || b == nil || left[a.ID] == left[b.ID] {
		return 0, false
	}
	if !left[a.ID] {
		a, b = b, a
	}
	distinct := e.KeyDistinct([]logical.ColID{a.ID, b.ID}, []float64{l, r})
	s := 1 / math.Max(distinct[0], distinct[1])
	return math.Min(s, math.Min(e.uniqueSelectivity(a.ID, l), e.uniqueSelectivity(b.ID, r))), true
}

// uniqueSelectivity bounds the fraction of rows rows that have a given value in a column that was
// unique in its table; joins may have multiplied them since.
func (e *Estimator) uniqueSelectivity(id logical.ColID, rows float64) float64 {
	f := e.facts[id]
	if !f.Unique {
		return 1
	}
	return 1 / math.Max(1, math.Min(rows, f.Distinct))
}

func (e *Estimator) matchFraction(n *logical.Join, l, r float64) float64 {
	best := 1.0
	left := map[logical.ColID]bool{}
	for _, id := range n.Left.Columns() {
		left[id] = true
	}
	for _, c := range expr.Conjuncts(n.Condition) {
		cmp, ok := c.(*expr.Compare)
		if !ok {
			continue
		}
		a, b := column(cmp.Left), column(cmp.Right)
		if a == nil || b == nil || cmp.Op != expr.Equal {
			best = math.Min(best, 0.9)
			continue
		}
		if !left[a.ID] {
			a, b = b, a
		}
		best = math.Min(best, e.Column(b.ID, r).Distinct/e.Column(a.ID, l).Distinct)
	}
	return clamp(best)
}
