package optimizer

import (
	"github.com/tarnlake/tarn/internal/expr"
	"github.com/tarnlake/tarn/planner/logical"
)

// copier makes a copy of a subtree under new columns and new names.
type copier struct {
	c     *Context
	of    map[logical.ColID]logical.ColID
	names map[int]int
}

// copy gives a copy of n in which every column that n's subtree makes is new, and the new columns by
// the old ones.
func (c *Context) copy(n logical.Node) (logical.Node, map[logical.ColID]logical.ColID) {
	k := &copier{c: c, of: map[logical.ColID]logical.ColID{}, names: map[int]int{}}
	k.collect(n)
	return k.node(n), k.of
}

func (k *copier) collect(n logical.Node) {
	for _, id := range n.Columns() {
		if _, done := k.of[id]; !done {
			info := k.c.Plan.Columns.Info(id)
			k.of[id] = k.c.Plan.Columns.Add(info.Name, info.Type, info.Nullable)
		}
	}
	switch n := n.(type) {
	case *logical.With:
		for _, d := range n.Definitions {
			k.names[d.Name] = k.c.freshName()
		}
	case *logical.Recursive:
		k.names[n.Name] = k.c.freshName()
	}
	for _, in := range n.Inputs() {
		k.collect(in)
	}
}

func (k *copier) id(id logical.ColID) logical.ColID {
	if to, ok := k.of[id]; ok {
		return to
	}
	return id
}

func (k *copier) ids(list []logical.ColID) []logical.ColID {
	if list == nil {
		return nil
	}
	out := make([]logical.ColID, len(list))
	for i, id := range list {
		out[i] = k.id(id)
	}
	return out
}

func (k *copier) keys(list []logical.SortKey) []logical.SortKey {
	out := append([]logical.SortKey(nil), list...)
	for i := range out {
		out[i].Column = k.id(out[i].Column)
	}
	return out
}

func (k *copier) call(a logical.AggregateCall) logical.AggregateCall {
	a.ID, a.Args, a.Filter, a.OrderBy, a.States = k.id(a.ID), k.ids(a.Args), k.id(a.Filter), k.keys(a.OrderBy), k.ids(a.States)
	return a
}

func (k *copier) name(n int) int {
	if to, ok := k.names[n]; ok {
		return to
	}
	return n
}

func (k *copier) node(n logical.Node) logical.Node {
	inputs := n.Inputs()
	if len(inputs) > 0 {
		out := make([]logical.Node, len(inputs))
		for i, in := range inputs {
			out[i] = k.node(in)
		}
		n = n.WithInputs(out)
	}
	n = mapNodeExprs(n, func(e expr.Expr) expr.Expr {
		if e == nil {
			return nil
		}
		return k.c.rename(e, k.of)
	})
	return k.own(n)
}

// own renames the columns that a node names itself, outside expressions.
func (k *copier) own(n logical.Node) logical.Node {
	switch n := n.(type) {
	case *logical.Scan:
		out := *n
		out.IDs = k.ids(n.IDs)
		return &out
	case *logical.Values:
		return &logical.Values{IDs: k.ids(n.IDs), Rows: n.Rows}
	case *logical.Project:
		out := &logical.Project{Input: n.Input}
		for _, e := range n.Exprs {
			out.Exprs = append(out.Exprs, logical.Computed{ID: k.id(e.ID), Expr: e.Expr})
		}
		return out
	case *logical.Join:
		out := *n
		out.MarkID = k.id(n.MarkID)
		return &out
	case *logical.Aggregate:
		out := *n
		out.Keys, out.KeyIDs, out.SetID, out.Calls = k.ids(n.Keys), k.ids(n.KeyIDs), k.id(n.SetID), nil
		for _, a := range n.Calls {
			out.Calls = append(out.Calls, k.call(a))
		}
		return &out
	case *logical.Window:
		out := *n
		out.Partition, out.Order, out.Calls = k.ids(n.Partition), k.keys(n.Order), nil
		for _, w := range n.Calls {
			w.AggregateCall, w.StartOffset, w.EndOffset = k.call(w.AggregateCall), k.id(w.StartOffset), k.id(w.EndOffset)
			out.Calls = append(out.Calls, w)
		}
		return &out
	case *logical.Sort:
		return &logical.Sort{Input: n.Input, Keys: k.keys(n.Keys)}
	case *logical.TopN:
		out := *n
		out.Keys = k.keys(n.Keys)
		return &out
	case *logical.DistinctOn:
		return &logical.DistinctOn{Input: n.Input, Keys: k.ids(n.Keys), Order: k.keys(n.Order)}
	}
	return k.ownOther(n)
}

func (k *copier) ownOther(n logical.Node) logical.Node {
	switch n := n.(type) {
	case *logical.SetOperation:
		out := *n
		out.IDs, out.Arms = k.ids(n.IDs), nil
		for _, arm := range n.Arms {
			out.Arms = append(out.Arms, k.ids(arm))
		}
		return &out
	case *logical.Unnest:
		out := *n
		out.OrdinalityID = k.id(n.OrdinalityID)
		out.Functions = append([]logical.TableCall(nil), n.Functions...)
		for i := range out.Functions {
			out.Functions[i].IDs = k.ids(out.Functions[i].IDs)
		}
		return &out
	case *logical.With:
		out := &logical.With{Definitions: append([]logical.Definition(nil), n.Definitions...), Body: n.Body}
		for i := range out.Definitions {
			out.Definitions[i].Name = k.name(out.Definitions[i].Name)
		}
		return out
	case *logical.CTERef:
		out := &logical.CTERef{Name: k.name(n.Name), IDs: k.ids(n.IDs), Source: n.Source}
		if _, copied := k.names[n.Name]; copied {
			out.Source = k.ids(n.Source)
		}
		return out
	case *logical.Recursive:
		out := *n
		out.Name, out.BaseIDs, out.StepIDs, out.IDs = k.name(n.Name), k.ids(n.BaseIDs), k.ids(n.StepIDs), k.ids(n.IDs)
		return &out
	}
	return n
}
