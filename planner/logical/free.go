package logical

import "github.com/tarnlake/tarn/internal/expr"

// Exprs lists the expressions that a node itself holds, not those of its inputs.
func Exprs(n Node) []expr.Expr {
	var out []expr.Expr
	add := func(list ...expr.Expr) {
		for _, e := range list {
			if e != nil {
				out = append(out, e)
			}
		}
	}
	switch n := n.(type) {
	case *Scan:
		add(n.Filter)
	case *Values:
		for _, row := range n.Rows {
			add(row...)
		}
	case *Filter:
		add(n.Predicate)
	case *Project:
		for _, c := range n.Exprs {
			add(c.Expr)
		}
	case *Join:
		add(n.Condition)
	case *Limit:
		add(n.Limit, n.Offset)
	case *Unnest:
		for _, f := range n.Functions {
			add(f.Args...)
		}
	}
	return out
}

// MapExprs gives a copy of the node with each expression that Exprs lists replaced by f's answer;
// the node itself when f changes nothing.
func MapExprs(n Node, f func(expr.Expr) expr.Expr) Node {
	changed := false
	apply := func(e expr.Expr) expr.Expr {
		if e == nil {
			return nil
		}
		r := f(e)
		changed = changed || r != e
		return r
	}
	var out Node
	switch n := n.(type) {
	case *Scan:
		c := *n
		c.Filter, out = apply(n.Filter), &c
	case *Values:
		c := *n
		c.Rows = make([][]expr.Expr, len(n.Rows))
		for i, row := range n.Rows {
			c.Rows[i] = mapList(row, apply)
		}
		out = &c
	case *Filter:
		c := *n
		c.Predicate, out = apply(n.Predicate), &c
	case *Project:
		c := *n
		c.Exprs = make([]Computed, len(n.Exprs))
		for i, x := range n.Exprs {
			c.Exprs[i] = Computed{x.ID, apply(x.Expr)}
		}
		out = &c
	case *Join:
		c := *n
		c.Condition, out = apply(n.Condition), &c
	case *Limit:
		c := *n
		c.Limit, c.Offset, out = apply(n.Limit), apply(n.Offset), &c
	case *Unnest:
		c := *n
		c.Functions = append([]TableCall(nil), n.Functions...)
		for i := range c.Functions {
			c.Functions[i].Args = mapList(n.Functions[i].Args, apply)
		}
		out = &c
	}
	if !changed {
		return n
	}
	return out
}

func mapList(list []expr.Expr, f func(expr.Expr) expr.Expr) []expr.Expr {
	out := make([]expr.Expr, len(list))
	for i, e := range list {
		out[i] = f(e)
	}
	return out
}

// ReplaceColumns renames the columns read by expressions of the whole tree. It serves free columns:
// what a node lists by number (keys, arguments of aggregates) is left alone.
func ReplaceColumns(n Node, names map[ColID]expr.Expr) Node {
	in := n.Inputs()
	var changed []Node
	for i, c := range in {
		r := ReplaceColumns(c, names)
		if r != c && changed == nil {
			changed = append(make([]Node, 0, len(in)), in[:i]...)
		}
		if changed != nil {
			changed = append(changed, r)
		}
	}
	if changed != nil {
		n = n.WithInputs(changed)
	}
	return MapExprs(n, func(e expr.Expr) expr.Expr {
		return expr.Rewrite(e, func(x expr.Expr) expr.Expr {
			if c, ok := x.(*expr.Column); ok {
				if r, ok := names[c.ID]; ok {
					return r
				}
			}
			return x
		})
	})
}

// FreeColumns gives the columns that the tree reads but does not produce: those of the queries
// around a correlated one.
func FreeColumns(n Node) map[ColID]bool {
	free := map[ColID]bool{}
	collectFree(n, free)
	return free
}

// collectFree adds n's free columns to free.
func collectFree(n Node, free map[ColID]bool) {
	in := n.Inputs()
	read := map[ColID]bool{}
	for _, c := range in {
		collectFree(c, read)
	}
	for _, e := range Exprs(n) {
		readColumns(e, read)
	}
	for _, c := range in {
		for _, id := range c.Columns() {
			delete(read, id)
		}
	}
	for id := range read {
		free[id] = true
	}
}

// readColumns adds the columns that e reads, lambdas' parameters left out.
func readColumns(e expr.Expr, into map[ColID]bool) {
	switch e := e.(type) {
	case *expr.Column:
		into[e.ID] = true
		return
	case *expr.Lambda:
		inner := map[ColID]bool{}
		readColumns(e.Body, inner)
		for id := range inner {
			if id < e.FirstParam || id >= e.FirstParam+ColID(len(e.Params)) {
				into[id] = true
			}
		}
		return
	}
	for _, c := range e.Children() {
		readColumns(c, into)
	}
}
