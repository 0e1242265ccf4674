package physical

import (
	"sort"

	"github.com/tarnlake/tarn/connectors"
	"github.com/tarnlake/tarn/internal/expr"
	"github.com/tarnlake/tarn/internal/types"
)

// Domains derives, from a filter over ordinals, what values each column must have for a row to pass:
// the intersection of what its conjuncts say, leaving out those that say nothing simple.
func Domains(filter expr.Expr) []connectors.Domain {
	byColumn := map[int]*connectors.Domain{}
	for _, conjunct := range expr.Conjuncts(filter) {
		d, ok := domainOf(conjunct)
		if !ok {
			continue
		}
		if known := byColumn[d.Column]; known != nil {
			*known = intersectDomains(columnType(conjunct, d.Column), *known, d)
		} else {
			byColumn[d.Column] = &d
		}
	}
	out := make([]connectors.Domain, 0, len(byColumn))
	for _, d := range byColumn {
		out = append(out, *d)
	}
	sort.Slice(out, func(a, b int) bool { return out[a].Column < out[b].Column })
	return out
}

// columnType gives the type of a column that e names; e may name others too.
func columnType(e expr.Expr, column int) types.Type {
	var t types.Type
	expr.Walk(e, func(x expr.Expr) bool {
		if c, ok := x.(*expr.Column); ok && int(c.ID) == column {
			t = c.T
		}
		return true
	})
	return t
}

func domainOf(e expr.Expr) (connectors.Domain, bool) {
	switch e := e.(type) {
	case *expr.Compare:
		column, isColumn := e.Left.(*expr.Column)
		literal, isLiteral := e.Right.(*expr.Literal)
		op := e.Op
		if !isColumn || !isLiteral {
			column, isColumn = e.Right.(*expr.Column)
			literal, isLiteral = e.Left.(*expr.Literal)
			op = op.Inverse()
		}
		if !isColumn || !isLiteral || literal.Value.Null {
			return connectors.Domain{}, false
		}
		return comparison(int(column.ID), op, literal.Value)
	case *expr.In:
		return inList(e)
	case *expr.IsNull:
		if column, ok := e.Arg.(*expr.Column); ok {
			return connectors.Domain{Column: int(column.ID), Values: []types.Datum{}, Nulls: true}, true
		}
	case *expr.Not:
		if isNull, ok := e.Arg.(*expr.IsNull); ok {
			if column, ok := isNull.Arg.(*expr.Column); ok {
				return connectors.Domain{Column: int(column.ID)}, true
			}
		}
	case *expr.Or:
		return disjunction(e)
	}
	return connectors.Domain{}, false
}

func comparison(column int, op expr.Operator, v types.Datum) (connectors.Domain, bool) {
	d := connectors.Domain{Column: column}
	switch op {
	case expr.Equal, expr.NotDistinct:
		d.Values, d.Minimum, d.Maximum = []types.Datum{v}, &v, &v
	case expr.Less:
		d.Maximum, d.MaximumExclusive = &v, true
	case expr.LessEqual:
		d.Maximum = &v
	case expr.Greater:
		d.Minimum, d.MinimumExclusive = &v, true
	case expr.GreaterEqual:
		d.Minimum = &v
	default:
		return d, false
	}
	return d, true
}

func inList(e *expr.In) (connectors.Domain, bool) {
	column, ok := e.Arg.(*expr.Column)
	if !ok {
		return connectors.Domain{}, false
	}
	d := connectors.Domain{Column: int(column.ID), Values: []types.Datum{}}
	for _, item := range e.List {
		literal, ok := item.(*expr.Literal)
		if !ok {
			return connectors.Domain{}, false
		}
		if !literal.Value.Null {
			d.Values = append(d.Values, literal.Value)
		}
	}
	return bounded(column.T, d), true
}

// bounded sorts a domain's values and states their range.
func bounded(t types.Type, d connectors.Domain) connectors.Domain {
	sort.Slice(d.Values, func(a, b int) bool { return types.CompareDatums(t, d.Values[a], d.Values[b]) < 0 })
	if n := len(d.Values); n > 0 {
		d.Minimum, d.Maximum = &d.Values[0], &d.Values[n-1]
		d.MinimumExclusive, d.MaximumExclusive = false, false
	}
	return d
}

// disjunction handles OR over one column: the hull of its arms.
func disjunction(e *expr.Or) (connectors.Domain, bool) {
	var out connectors.Domain
	for i, arm := range e.Args {
		d, ok := armDomain(arm)
		if !ok || i > 0 && d.Column != out.Column {
			return connectors.Domain{}, false
		}
		if i == 0 {
			out = d
		} else {
			out = hull(columnType(e, d.Column), out, d)
		}
	}
	return out, len(e.Args) > 0
}

func armDomain(e expr.Expr) (connectors.Domain, bool) {
	all := Domains(e)
	if len(all) != 1 {
		return connectors.Domain{}, false
	}
	return all[0], true
}

func hull(t types.Type, a, b connectors.Domain) connectors.Domain {
	out := connectors.Domain{Column: a.Column, Nulls: a.Nulls || b.Nulls}
	if a.Values != nil && b.Values != nil {
		out.Values = append(append([]types.Datum{}, a.Values...), b.Values...)
		return bounded(t, out)
	}
	if a.Minimum != nil && b.Minimum != nil {
		out.Minimum = a.Minimum
		if types.CompareDatums(t, *b.Minimum, *a.Minimum) < 0 {
			out.Minimum = b.Minimum
		}
	}
	if a.Maximum != nil && b.Maximum != nil {
		out.Maximum = a.Maximum
		if types.CompareDatums(t, *b.Maximum, *a.Maximum) > 0 {
			out.Maximum = b.Maximum
		}
	}
	return out
}

func intersectDomains(t types.Type, a, b connectors.Domain) connectors.Domain {
	out := connectors.Domain{Column: a.Column, Nulls: a.Nulls && b.Nulls}
	out.Minimum, out.MinimumExclusive = a.Minimum, a.MinimumExclusive
	if b.Minimum != nil && (out.Minimum == nil || tighter(types.CompareDatums(t, *b.Minimum, *out.Minimum), b.MinimumExclusive)) {
		out.Minimum, out.MinimumExclusive = b.Minimum, b.MinimumExclusive
	}
	out.Maximum, out.MaximumExclusive = a.Maximum, a.MaximumExclusive
	if b.Maximum != nil && (out.Maximum == nil || tighter(-types.CompareDatums(t, *b.Maximum, *out.Maximum), b.MaximumExclusive)) {
		out.Maximum, out.MaximumExclusive = b.Maximum, b.MaximumExclusive
	}
	switch {
	case a.Values != nil && b.Values != nil:
		out.Values = []types.Datum{}
		for _, v := range a.Values {
			for _, w := range b.Values {
				if types.CompareDatums(t, v, w) == 0 {
					out.Values = append(out.Values, v)
					break
				}
			}
		}
	case a.Values != nil:
		out.Values = within(t, a.Values, out)
	case b.Values != nil:
		out.Values = within(t, b.Values, out)
	}
	if len(out.Values) > 0 {
		return bounded(t, out)
	}
	return out
}

func tighter(order int, exclusive bool) bool { return order > 0 || order == 0 && exclusive }

func within(t types.Type, values []types.Datum, d connectors.Domain) []types.Datum {
	out := []types.Datum{}
	for _, v := range values {
		if d.Minimum != nil {
			if c := types.CompareDatums(t, v, *d.Minimum); c < 0 || c == 0 && d.MinimumExclusive {
				continue
			}
		}
		if d.Maximum != nil {
			if c := types.CompareDatums(t, v, *d.Maximum); c > 0 || c == 0 && d.MaximumExclusive {
				continue
			}
		}
		out = append(out, v)
	}
	return out
}
