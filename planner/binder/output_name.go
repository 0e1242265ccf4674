package binder

import "github.com/tarnlake/tarn/planner/parser/ast"

// outputName is the name of an output column without alias, by PostgreSQL's FigureColname.
func outputName(e ast.Expr) string {
	if name, _ := figureName(e); name != "" {
		return name
	}
	return "?column?"
}

// figureName gives a name and how good it is: 2 for a column's or function's own, 1 for a type's or
// construct's, 0 for none.
func figureName(e ast.Expr) (string, int) {
	switch e := e.(type) {
	case *ast.ColumnRef:
		return e.Parts[len(e.Parts)-1], 2
	case *ast.FieldAccess:
		return e.Field, 2
	case *ast.Subscript:
		return figureName(e.X)
	case *ast.Slice:
		return figureName(e.X)
	case *ast.FuncCall:
		return e.Name.Last(), 2
	case *ast.AtTimeZone:
		return "timezone", 2
	case *ast.Cast:
		if name, strength := figureName(e.X); strength > 1 || strength == 1 && e.Type == nil {
			return name, strength
		}
		return typeLabel(e.Type), 1
	case *ast.TypedLiteral:
		return typeLabel(e.Type), 1
	case *ast.IntervalLiteral:
		return "interval", 1
	case *ast.Collate:
		return figureName(e.X)
	}
	return figureConstruct(e)
}

func figureConstruct(e ast.Expr) (string, int) {
	switch e := e.(type) {
	case *ast.Case:
		if name, strength := figureName(e.Else); e.Else != nil && strength > 1 {
			return name, strength
		}
		return "case", 1
	case *ast.Conditional:
		return [...]string{ast.CondCoalesce: "coalesce", ast.CondNullif: "nullif", ast.CondGreatest: "greatest",
			ast.CondLeast: "least"}[e.Kind], 2
	case *ast.ArrayLiteral:
		return "array", 2
	case *ast.RowLiteral:
		return "row", 2
	case *ast.Grouping:
		return "grouping", 2
	case *ast.Exists:
		return "exists", 2
	case *ast.ArraySubquery:
		return "array", 2
	case *ast.ScalarSubquery:
		return queryName(e.Query)
	}
	return "", 0
}

// queryName is the name of a scalar subquery's only column.
func queryName(q *ast.Query) (string, int) {
	switch body := q.Body.(type) {
	case *ast.SelectCore:
		if len(body.Targets) == 1 {
			if t := body.Targets[0]; t.Alias != "" {
				return t.Alias, 2
			}
			return figureName(body.Targets[0].Expr)
		}
	case *ast.SetOperation:
		return queryName(body.Left)
	case *ast.Values:
		return "column1", 2
	}
	return "", 0
}

// typeLabel is a type's own name, without schema.
func typeLabel(t *ast.TypeName) string { return t.Name }
