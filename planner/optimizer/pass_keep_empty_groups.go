package optimizer

import (
	"github.com/tarnlake/tarn/internal/expr"
	"github.com/tarnlake/tarn/internal/sqlerr"
	"github.com/tarnlake/tarn/internal/types"
	"github.com/tarnlake/tarn/planner/logical"
)

// keepEmptyGroups makes the grouping set () give its row when there are no rows to group: a row of
// NULLs that no aggregate counts is added to the input, and the groups that it alone makes in other
// sets are dropped.
//
//	Aggregate sets {a} {} ─▶ Filter rows > 0 OR set = 1 ─▶ Aggregate … rows: count(real) ─▶ Union ALL (input, real: true) (NULLs)
func keepEmptyGroups(c *Context) error {
	return c.rewrite(func(n logical.Node) (logical.Node, error) {
		aggregate, ok := n.(*logical.Aggregate)
		if !ok {
			return n, nil
		}
		var empty []expr.Expr
		for number, set := range aggregate.Sets {
			if len(set) == 0 {
				empty = append(empty, &expr.Literal{Value: types.IntDatum(int64(number)), T: types.Of(types.Int64)})
			}
		}
		if len(empty) == 0 {
			return n, nil
		}
		return c.withEmptyGroups(aggregate, empty)
	})
}

func (c *Context) withEmptyGroups(n *logical.Aggregate, empty []expr.Expr) (logical.Node, error) {
	count := c.countOf()
	if count == 0 {
		return nil, sqlerr.Internal("count is not in the registry")
	}
	input, literals := splitLiterals(n.Input)
	union, of, real := c.withRowOfNulls(input)
	if len(literals) > 0 {
		project := &logical.Project{Input: union, Exprs: literals}
		for _, id := range union.IDs {
			project.Exprs = append(project.Exprs, logical.Computed{ID: id, Expr: c.Plan.Columns.Ref(id)})
		}
		for _, e := range literals {
			of[e.ID] = e.ID
		}
		input = project
	} else {
		input = union
	}
	out := *n
	out.Input = input
	out.Keys = mapped(n.Keys, of)
	out.Calls = make([]logical.AggregateCall, len(n.Calls), len(n.Calls)+1)
	constant := idsSet{}
	for _, e := range literals {
		constant[e.ID] = true
	}
	for i, call := range n.Calls {
		out.Calls[i] = c.onlyRealRows(call, of, real, count)
		for _, id := range call.Args {
			if constant[id] && call.Filter == 0 {
				out.Calls[i].Filter = real
			}
		}
	}
	bigint := types.Of(types.Int64)
	rows := c.Plan.Columns.Add("rows", bigint, false)
	out.Calls = append(out.Calls, logical.AggregateCall{ID: rows, Function: count, Name: "count", Args: []logical.ColID{real}, Type: bigint})
	return &logical.Filter{Input: &out, Predicate: &expr.Or{Args: []expr.Expr{
		&expr.Compare{Op: expr.Greater, Left: c.Plan.Columns.Ref(rows), Right: &expr.Literal{Value: types.IntDatum(0), T: bigint}},
		&expr.In{Arg: c.Plan.Columns.Ref(n.SetID), List: empty},
	}}}, nil
}

// splitLiterals takes a projection's constants out of it, for aggregates look for them just below.
func splitLiterals(n logical.Node) (below logical.Node, literals []logical.Computed) {
	project, ok := n.(*logical.Project)
	if !ok {
		return n, nil
	}
	rest := &logical.Project{Input: project.Input}
	for _, e := range project.Exprs {
		if _, constant := e.Expr.(*expr.Literal); constant {
			literals = append(literals, e)
		} else {
			rest.Exprs = append(rest.Exprs, e)
		}
	}
	if len(literals) == 0 {
		return n, nil
	}
	return rest, literals
}

// withRowOfNulls adds a row of NULLs; of gives the new columns, and real is true on all other rows.
func (c *Context) withRowOfNulls(n logical.Node) (union *logical.SetOperation, of map[logical.ColID]logical.ColID, real logical.ColID) {
	boolean := types.Of(types.Bool)
	columns := n.Columns()
	marked := &logical.Project{Input: n}
	nulls := &logical.Values{Rows: [][]expr.Expr{nil}}
	union = &logical.SetOperation{Kind: logical.Union, All: true, In: []logical.Node{marked, nulls}, Arms: make([][]logical.ColID, 2)}
	of = map[logical.ColID]logical.ColID{}
	add := func(name string, t types.Type, e expr.Expr, id logical.ColID) logical.ColID {
		marked.Exprs = append(marked.Exprs, logical.Computed{ID: id, Expr: e})
		null, both := c.Plan.Columns.Add(name, t, true), c.Plan.Columns.Add(name, t, true)
		nulls.IDs = append(nulls.IDs, null)
		nulls.Rows[0] = append(nulls.Rows[0], &expr.Literal{Value: types.NullDatum(), T: t})
		union.Arms[0], union.Arms[1] = append(union.Arms[0], id), append(union.Arms[1], null)
		union.IDs = append(union.IDs, both)
		return both
	}
	for _, id := range columns {
		info := *c.Plan.Columns.Info(id)
		of[id] = add(info.Name, info.Type, c.Plan.Columns.Ref(id), id)
	}
	real = add("real", boolean, &expr.Literal{Value: types.BoolDatum(true), T: boolean}, c.Plan.Columns.Add("real", boolean, false))
	return union, of, real
}

// onlyRealRows makes a call leave out the row of NULLs. Those that see no NULLs need nothing.
func (c *Context) onlyRealRows(call logical.AggregateCall, of map[logical.ColID]logical.ColID, real logical.ColID, count uint32) logical.AggregateCall {
	call.Args = mapped(call.Args, of)
	if len(call.OrderBy) > 0 {
		keys := append([]logical.SortKey(nil), call.OrderBy...)
		for i := range keys {
			keys[i].Column = of[keys[i].Column]
		}
		call.OrderBy = keys
	}
	switch {
	case call.Filter != 0:
		call.Filter = of[call.Filter]
	case len(call.Args) == 0 && c.countsFromZero(call.Function):
		call.Function, call.Args = count, []logical.ColID{real}
	default:
		switch call.Name {
		case "sum", "avg", "min", "max", "count":
		default:
			call.Filter = real
		}
	}
	return call
}

func mapped(ids []logical.ColID, of map[logical.ColID]logical.ColID) []logical.ColID {
	out := make([]logical.ColID, len(ids))
	for i, id := range ids {
		out[i] = of[id]
	}
	return out
}

// countOf gives the overload of count(x), 0 for none.
func (c *Context) countOf() uint32 {
	for _, o := range c.Registry.ByName("count") {
		if len(o.Params) == 1 {
			return o.ID
		}
	}
	return 0
}
