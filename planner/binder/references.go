package binder

import "github.com/tarnlake/tarn/planner/parser/ast"

// refersTo tells whether a query reads a relation by an unqualified name, inner WITH items of that
// name aside.
func refersTo(q *ast.Query, name string) bool {
	if q == nil {
		return false
	}
	if q.With != nil {
		for _, c := range q.With.CTEs {
			if c.Name == name {
				return false
			}
		}
		for _, c := range q.With.CTEs {
			if refersTo(c.Query, name) {
				return true
			}
		}
	}
	for _, item := range q.OrderBy {
		if exprRefers(item.Expr, name) {
			return true
		}
	}
	return exprRefers(q.Limit, name) || exprRefers(q.Offset, name) || bodyRefers(q.Body, name)
}

func bodyRefers(body ast.QueryBody, name string) bool {
	switch body := body.(type) {
	case *ast.SetOperation:
		return refersTo(body.Left, name) || refersTo(body.Right, name)
	case *ast.Values:
		for _, row := range body.Rows {
			for _, e := range row {
				if exprRefers(e, name) {
					return true
				}
			}
		}
	case *ast.SelectCore:
		for _, f := range body.From {
			if fromRefers(f, name) {
				return true
			}
		}
		for _, t := range body.Targets {
			if exprRefers(t.Expr, name) {
				return true
			}
		}
		return exprRefers(body.Where, name) || exprRefers(body.Having, name) || exprRefers(body.Qualify, name)
	}
	return false
}

func fromRefers(f ast.FromItem, name string) bool {
	switch f := f.(type) {
	case *ast.TableRef:
		return len(f.Name.Parts) == 1 && f.Name.Parts[0] == name
	case *ast.SubqueryTable:
		return refersTo(f.Query, name)
	case *ast.Join:
		return fromRefers(f.Left, name) || fromRefers(f.Right, name) || exprRefers(f.On, name)
	case *ast.FunctionTable:
		for _, fn := range f.Functions {
			if exprRefers(fn.Call, name) {
				return true
			}
		}
	case *ast.UnnestTable:
		for _, a := range f.Args {
			if exprRefers(a, name) {
				return true
			}
		}
	}
	return false
}

func exprRefers(e ast.Expr, name string) bool {
	found := false
	ast.Inspect(e, func(x ast.Expr) bool {
		var q *ast.Query
		switch x := x.(type) {
		case *ast.Exists:
			q = x.Query
		case *ast.InSubquery:
			q = x.Query
		case *ast.Quantified:
			q = x.Query
		case *ast.ScalarSubquery:
			q = x.Query
		case *ast.ArraySubquery:
			q = x.Query
		}
		found = found || q != nil && refersTo(q, name)
		return !found
	})
	return found
}
