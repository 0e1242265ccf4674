package physical

import (
	"sort"

	"github.com/tarnlake/tarn/connectors"
	"github.com/tarnlake/tarn/internal/expr"
	"github.com/tarnlake/tarn/internal/plan"
	"github.com/tarnlake/tarn/internal/types"
	"github.com/tarnlake/tarn/planner/logical"
)

func (c *converter) planScan(n *logical.Scan, need columnSet) (output, error) {
	read := columnSet{}
	expr.Columns(orTrue(n.Filter), read)
	type column struct {
		id      logical.ColID
		ordinal int
	}
	var chosen []column
	for i, id := range n.IDs {
		if need[id] || read[id] {
			chosen = append(chosen, column{id, n.Ordinals[i]})
		}
	}
	sort.SliceStable(chosen, func(a, b int) bool { return chosen[a].ordinal < chosen[b].ordinal })
	t := n.Table
	s := &plan.Scan{Scan: connectors.Scan{Connector: t.Connector, Schema: t.Schema, Name: t.Name, Handle: t.Handle, Limit: n.Limit, Options: n.Options}}
	inside := output{node: s, at: map[logical.ColID]int{}}
	out := output{node: s, at: map[logical.ColID]int{}}
	for i, col := range chosen {
		tc := t.Columns[col.ordinal]
		s.Scan.Columns = append(s.Scan.Columns, connectors.ScanColumn{Ordinal: col.ordinal, ID: tc.ID, Name: tc.Name, Type: tc.Type, Subfields: n.Subfields[col.id]})
		inside.at[col.id] = i
		if need[col.id] {
			out.at[col.id] = len(s.Output)
			s.Output = append(s.Output, i)
			s.Out = append(s.Out, c.field(col.id))
		}
	}
	if s.Output == nil {
		s.Output = []int{}
	}
	filter, err := c.translate(inside, n.Filter)
	if err != nil {
		return output{}, err
	}
	s.Filter = filter
	s.Scan.Domains = Domains(filter)
	return out, nil
}

func orTrue(e expr.Expr) expr.Expr {
	if e == nil {
		return &expr.Literal{Value: types.BoolDatum(true), T: types.Of(types.Bool)}
	}
	return e
}

func (c *converter) planValues(n *logical.Values) (output, error) {
	v := &plan.Values{Rows: n.Rows}
	for _, id := range n.IDs {
		v.Out = append(v.Out, c.field(id))
	}
	v.Head().Rows = float64(len(n.Rows))
	return output{v, positions(n.IDs)}, nil
}

func (c *converter) planFilter(n *logical.Filter, need columnSet) (output, error) {
	in, err := c.convert(n.Input, need.withExpr(n.Predicate))
	if err != nil {
		return output{}, err
	}
	predicate, err := c.translate(in, n.Predicate)
	if err != nil {
		return output{}, err
	}
	f := &plan.Filter{Input: in.node, Predicate: predicate}
	f.Out = in.node.Schema()
	return output{f, in.at}, nil
}

// planProject computes what is needed; columns that only pass through under another ID cost nothing.
func (c *converter) planProject(n *logical.Project, need columnSet) (output, error) {
	below := columnSet{}
	var kept []logical.Computed
	computes := false
	for _, e := range n.Exprs {
		if !need[e.ID] {
			continue
		}
		kept = append(kept, e)
		expr.Columns(e.Expr, below)
		if _, isColumn := e.Expr.(*expr.Column); !isColumn {
			computes = true
		}
	}
	in, err := c.convert(n.Input, below)
	if err != nil {
		return output{}, err
	}
	if !computes {
		out := output{in.node, map[logical.ColID]int{}}
		for _, e := range kept {
			at, err := c.ref(in, e.Expr.(*expr.Column).ID)
			if err != nil {
				return output{}, err
			}
			out.at[e.ID] = int(at.ID)
		}
		return out, nil
	}
	p := &plan.Project{Input: in.node}
	out := output{p, map[logical.ColID]int{}}
	for _, e := range kept {
		translated, err := c.translate(in, e.Expr)
		if err != nil {
			return output{}, err
		}
		out.at[e.ID] = len(p.Exprs)
		p.Exprs = append(p.Exprs, translated)
		p.Out = append(p.Out, c.field(e.ID))
	}
	return out, nil
}

// ScanRequest gives a logical scan as a connector would be asked for it: with all of its columns.
func ScanRequest(n *logical.Scan) connectors.Scan {
	t := n.Table
	s := connectors.Scan{Connector: t.Connector, Schema: t.Schema, Name: t.Name, Handle: t.Handle, Options: n.Options}
	at := map[logical.ColID]int{}
	for i, id := range n.IDs {
		tc := t.Columns[n.Ordinals[i]]
		at[id] = i
		s.Columns = append(s.Columns, connectors.ScanColumn{Ordinal: n.Ordinals[i], ID: tc.ID, Name: tc.Name, Type: tc.Type})
	}
	s.Domains = Domains(rewriteColumns(orTrue(n.Filter), func(col *expr.Column) expr.Expr {
		return &expr.Column{ID: expr.ColumnID(at[col.ID]), Name: col.Name, T: col.T}
	}))
	return s
}
