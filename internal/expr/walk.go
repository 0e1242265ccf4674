package expr

// Walk calls visit for e and, as long as visit returns true, for what lies below it.
func Walk(e Expr, visit func(Expr) bool) {
	if e == nil || !visit(e) {
		return
	}
	for _, c := range e.Children() {
		Walk(c, visit)
	}
}

// Rewrite replaces nodes from the leaves up: f gets each node with its operands already rewritten
// and returns it or another of the same type. Unchanged subtrees are shared, not copied.
func Rewrite(e Expr, f func(Expr) Expr) Expr {
	if e == nil {
		return nil
	}
	children := e.Children()
	var changed []Expr
	for i, c := range children {
		n := Rewrite(c, f)
		if n != c && changed == nil {
			changed = append(make([]Expr, 0, len(children)), children[:i]...)
		}
		if changed != nil {
			changed = append(changed, n)
		}
	}
	if changed != nil {
		e = e.WithChildren(changed)
	}
	return f(e)
}

// Columns adds the IDs of all columns below e to into, but for parameters of lambdas.
func Columns(e Expr, into map[ColumnID]bool) {
	Walk(e, func(x Expr) bool {
		switch x := x.(type) {
		case *Column:
			into[x.ID] = true
		case *Lambda:
			inside := map[ColumnID]bool{}
			Columns(x.Body, inside)
			for id := range inside {
				if id < x.FirstParam || id >= x.FirstParam+ColumnID(len(x.Params)) {
					into[id] = true
				}
			}
			return false
		}
		return true
	})
}

// Conjuncts splits e at its top-level ANDs; nil gives none.
func Conjuncts(e Expr) []Expr {
	switch e := e.(type) {
	case nil:
		return nil
	case *And:
		var out []Expr
		for _, a := range e.Args {
			out = append(out, Conjuncts(a)...)
		}
		return out
	}
	return []Expr{e}
}

// Conjoin is the inverse: nil for none, the expression itself for one.
func Conjoin(list []Expr) Expr {
	switch len(list) {
	case 0:
		return nil
	case 1:
		return list[0]
	}
	return &And{Args: list}
}
