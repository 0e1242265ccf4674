package optimizer

import (
	"github.com/tarnlake/tarn/internal/expr"
	"github.com/tarnlake/tarn/internal/types"
	"github.com/tarnlake/tarn/planner/logical"
)

var (
	boolean   = types.Of(types.Bool)
	trueExpr  = &expr.Literal{Value: types.BoolDatum(true), T: boolean}
	falseExpr = &expr.Literal{Value: types.BoolDatum(false), T: boolean}
)

func isTrue(e expr.Expr) bool {
	l, ok := e.(*expr.Literal)
	return ok && !l.Value.Null && l.Value.Bool() && l.T.Kind == types.Bool
}

// isFalseOrNull tells whether a predicate keeps no row.
func isFalseOrNull(e expr.Expr) bool {
	l, ok := e.(*expr.Literal)
	return ok && (l.Value.Null || l.T.Kind == types.Bool && !l.Value.Bool())
}

// mapExprs applies f to every expression that node n holds itself.
func mapExprs(n logical.Node, f func(expr.Expr) (expr.Expr, error)) (logical.Node, error) {
	var failure error
	apply := func(e expr.Expr) expr.Expr {
		if e == nil || failure != nil {
			return e
		}
		out, err := f(e)
		if err != nil {
			failure = err
			return e
		}
		return out
	}
	out := mapNodeExprs(n, apply)
	return out, failure
}

func mapNodeExprs(n logical.Node, apply func(expr.Expr) expr.Expr) logical.Node {
	switch n := n.(type) {
	case *logical.Scan:
		if f := apply(n.Filter); f != n.Filter {
			out := *n
			out.Filter = f
			return &out
		}
	case *logical.Filter:
		if p := apply(n.Predicate); p != n.Predicate {
			return &logical.Filter{Input: n.Input, Predicate: p}
		}
	case *logical.Join:
		if cond := apply(n.Condition); cond != n.Condition {
			out := *n
			out.Condition = cond
			return &out
		}
	case *logical.Project:
		return mapProject(n, apply)
	case *logical.Values:
		return mapValues(n, apply)
	case *logical.Limit:
		l, o := apply(n.Limit), apply(n.Offset)
		if l != n.Limit || o != n.Offset {
			out := *n
			out.Limit, out.Offset = l, o
			return &out
		}
	case *logical.Unnest:
		return mapUnnest(n, apply)
	}
	return n
}

func mapProject(n *logical.Project, apply func(expr.Expr) expr.Expr) logical.Node {
	changed := false
	exprs := make([]logical.Computed, len(n.Exprs))
	for i, c := range n.Exprs {
		exprs[i] = logical.Computed{ID: c.ID, Expr: apply(c.Expr)}
		changed = changed || exprs[i].Expr != c.Expr
	}
	if !changed {
		return n
	}
	return &logical.Project{Input: n.Input, Exprs: exprs}
}

func mapValues(n *logical.Values, apply func(expr.Expr) expr.Expr) logical.Node {
	changed := false
	rows := make([][]expr.Expr, len(n.Rows))
	for i, row := range n.Rows {
		rows[i] = make([]expr.Expr, len(row))
		for k, e := range row {
			rows[i][k] = apply(e)
			changed = changed || rows[i][k] != e
		}
	}
	if !changed {
		return n
	}
	return &logical.Values{IDs: n.IDs, Rows: rows}
}

func mapUnnest(n *logical.Unnest, apply func(expr.Expr) expr.Expr) logical.Node {
	changed := false
	out := *n
	out.Functions = append([]logical.TableCall(nil), n.Functions...)
	for i, f := range n.Functions {
		args := make([]expr.Expr, len(f.Args))
		for k, a := range f.Args {
			args[k] = apply(a)
			changed = changed || args[k] != a
		}
		out.Functions[i].Args = args
	}
	if !changed {
		return n
	}
	return &out
}

// substitute replaces columns by expressions.
func substitute(e expr.Expr, by map[logical.ColID]expr.Expr) expr.Expr {
	if e == nil || len(by) == 0 {
		return e
	}
	return expr.Rewrite(e, func(x expr.Expr) expr.Expr {
		if c, ok := x.(*expr.Column); ok {
			if r, ok := by[c.ID]; ok {
				return r
			}
		}
		return x
	})
}

// rename replaces columns by columns.
func (c *Context) rename(e expr.Expr, by map[logical.ColID]logical.ColID) expr.Expr {
	exprs := make(map[logical.ColID]expr.Expr, len(by))
	for from, to := range by {
		exprs[from] = c.Plan.Columns.Ref(to)
	}
	return substitute(e, exprs)
}

func columnsOf(exprs ...expr.Expr) map[logical.ColID]bool {
	set := map[logical.ColID]bool{}
	for _, e := range exprs {
		if e != nil {
			expr.Columns(e, set)
		}
	}
	return set
}

func idSet(ids []logical.ColID) map[logical.ColID]bool {
	set := make(map[logical.ColID]bool, len(ids))
	for _, id := range ids {
		set[id] = true
	}
	return set
}

func subset(inner, outer map[logical.ColID]bool) bool {
	for id := range inner {
		if !outer[id] {
			return false
		}
	}
	return true
}

func overlaps(a, b map[logical.ColID]bool) bool {
	for id := range a {
		if b[id] {
			return true
		}
	}
	return false
}

// volatile tells whether e must be evaluated exactly where it stands.
func (c *Context) volatile(e expr.Expr) bool {
	found := false
	expr.Walk(e, func(x expr.Expr) bool {
		if call, ok := x.(*expr.Call); ok {
			if o := c.Registry.Overload(call.Function); o != nil && o.Volatility == 2 {
				found = true
			}
		}
		return !found
	})
	return found
}

// safeCast lists conversions that succeed for every value.
func safeCast(from, to types.Type) bool {
	if from.Kind == to.Kind && from.Kind != types.Decimal {
		return true
	}
	rank := map[types.Kind]int{types.Int16: 1, types.Int32: 2, types.Int64: 3, types.Decimal: 4, types.Float32: 5, types.Float64: 6}
	a, b := rank[from.Kind], rank[to.Kind]
	switch {
	case to.IsString():
		return true
	case from.Kind == types.Date && (to.Kind == types.Timestamp || to.Kind == types.TimestampTZ):
		return true
	case from.Kind == types.Decimal && to.Kind == types.Decimal:
		return to.Precision-to.Scale >= from.Precision-from.Scale && to.Scale >= from.Scale
	case to.Kind == types.Decimal && from.IsInteger():
		digits := map[types.Kind]uint8{types.Int16: 5, types.Int32: 10, types.Int64: 19}[from.Kind]
		return to.Precision-to.Scale >= digits
	case a > 0 && b > 0 && to.Kind != types.Decimal:
		return a < b
	}
	return false
}

// negative gives NOT e without the NOT where that is possible.
func negative(e expr.Expr) expr.Expr {
	switch e := e.(type) {
	case *expr.Not:
		return e.Arg
	case *expr.Compare:
		return &expr.Compare{Op: e.Op.Negate(), Left: e.Left, Right: e.Right}
	case *expr.And:
		args := make([]expr.Expr, len(e.Args))
		for i, a := range e.Args {
			args[i] = negative(a)
		}
		return &expr.Or{Args: args}
	case *expr.Or:
		args := make([]expr.Expr, len(e.Args))
		for i, a := range e.Args {
			args[i] = negative(a)
		}
		return &expr.And{Args: args}
	case *expr.Literal:
		if !e.Value.Null {
			if e.Value.Bool() {
				return falseExpr
			}
			return trueExpr
		}
		return e
	}
	return &expr.Not{Arg: e}
}

// eachColumn calls visit for every column that node n itself reads from its inputs.
func eachColumn(n logical.Node, visit func(logical.ColID)) {
	expressions := func(e expr.Expr) expr.Expr {
		if e != nil {
			for id := range columnsOf(e) {
				visit(id)
			}
		}
		return e
	}
	mapNodeExprs(n, expressions)
	ids := func(list ...logical.ColID) {
		for _, id := range list {
			if id != 0 {
				visit(id)
			}
		}
	}
	keys := func(list []logical.SortKey) {
		for _, k := range list {
			visit(k.Column)
		}
	}
	call := func(a logical.AggregateCall) {
		ids(a.Args...)
		ids(a.Filter)
		keys(a.OrderBy)
	}
	switch n := n.(type) {
	case *logical.Aggregate:
		ids(n.Keys...)
		for _, a := range n.Calls {
			call(a)
		}
	case *logical.Window:
		ids(n.Partition...)
		keys(n.Order)
		for _, w := range n.Calls {
			call(w.AggregateCall)
			ids(w.StartOffset, w.EndOffset)
		}
	case *logical.Sort:
		keys(n.Keys)
	case *logical.TopN:
		keys(n.Keys)
	case *logical.DistinctOn:
		ids(n.Keys...)
		keys(n.Order)
	case *logical.SetOperation:
		for _, arm := range n.Arms {
			ids(arm...)
		}
	case *logical.Recursive:
		ids(n.BaseIDs...)
		ids(n.StepIDs...)
	case *logical.Write:
		ids(n.Source...)
	}
}

// free gives the columns that n's subtree reads but does not produce: its correlation.
func free(n logical.Node) map[logical.ColID]bool {
	used, made := map[logical.ColID]bool{}, map[logical.ColID]bool{}
	for n := range logical.Nodes(n) {
		eachColumn(n, func(id logical.ColID) { used[id] = true })
		for _, id := range n.Columns() {
			made[id] = true
		}
	}
	for id := range used {
		if made[id] {
			delete(used, id)
		}
	}
	return used
}
