package parser

import (
	pg_query "github.com/pganalyze/pg_query_go/v6"

	"github.com/tarnlake/tarn/planner/parser/ast"
)

// expr converts one expression; nil stays nil.
func (c *converter) expr(n *pg_query.Node) ast.Expr {
	switch e := n.GetNode().(type) {
	case nil:
		return nil
	case *pg_query.Node_ColumnRef:
		return c.columnRef(e.ColumnRef)
	case *pg_query.Node_AConst:
		return c.constant(e.AConst)
	case *pg_query.Node_ParamRef:
		return &ast.Param{Pos: c.origin(e.ParamRef.Location), Number: int(e.ParamRef.Number)}
	case *pg_query.Node_AExpr:
		return c.operatorExpr(e.AExpr)
	case *pg_query.Node_BoolExpr:
		return c.boolExpr(e.BoolExpr)
	case *pg_query.Node_NullTest:
		return &ast.IsTest{Pos: c.origin(e.NullTest.Location), Test: ast.TestNull, X: c.expr(e.NullTest.Arg),
			Not: e.NullTest.Nulltesttype == pg_query.NullTestType_IS_NOT_NULL}
	case *pg_query.Node_BooleanTest:
		return c.booleanTest(e.BooleanTest)
	case *pg_query.Node_SubLink:
		return c.subLink(e.SubLink)
	case *pg_query.Node_CaseExpr:
		return c.caseExpr(e.CaseExpr)
	case *pg_query.Node_TypeCast:
		return c.typeCast(e.TypeCast)
	case *pg_query.Node_CollateClause:
		at := c.origin(e.CollateClause.Location)
		return &ast.Collate{Pos: at, X: c.expr(e.CollateClause.Arg),
			Collation: ast.Name{Pos: at, Parts: stringsOf(e.CollateClause.Collname)}}
	case *pg_query.Node_FuncCall:
		return c.funcCall(e.FuncCall)
	case *pg_query.Node_NamedArgExpr:
		return &ast.NamedArg{Pos: c.origin(e.NamedArgExpr.Location), Name: e.NamedArgExpr.Name, Value: c.expr(e.NamedArgExpr.Arg)}
	}
	return c.constructor(n)
}

// constructor converts what builds a value from others, and SQL's own functions.
func (c *converter) constructor(n *pg_query.Node) ast.Expr {
	switch e := n.GetNode().(type) {
	case *pg_query.Node_AArrayExpr:
		return &ast.ArrayLiteral{Pos: c.origin(e.AArrayExpr.Location), Elems: c.exprs(e.AArrayExpr.Elements)}
	case *pg_query.Node_RowExpr:
		return &ast.RowLiteral{Pos: c.origin(e.RowExpr.Location), Fields: c.exprs(e.RowExpr.Args),
			Implicit: e.RowExpr.RowFormat == pg_query.CoercionForm_COERCE_IMPLICIT_CAST}
	case *pg_query.Node_AIndirection:
		return c.indirection(e.AIndirection)
	case *pg_query.Node_CoalesceExpr:
		return &ast.Conditional{Pos: c.origin(e.CoalesceExpr.Location), Kind: ast.CondCoalesce, Args: c.exprs(e.CoalesceExpr.Args)}
	case *pg_query.Node_MinMaxExpr:
		kind := ast.CondGreatest
		if e.MinMaxExpr.Op == pg_query.MinMaxOp_IS_LEAST {
			kind = ast.CondLeast
		}
		return &ast.Conditional{Pos: c.origin(e.MinMaxExpr.Location), Kind: kind, Args: c.exprs(e.MinMaxExpr.Args)}
	case *pg_query.Node_GroupingFunc:
		return &ast.Grouping{Pos: c.origin(e.GroupingFunc.Location), Args: c.exprs(e.GroupingFunc.Args)}
	case *pg_query.Node_SqlvalueFunction:
		return c.valueFunction(e.SqlvalueFunction)
	case *pg_query.Node_SetToDefault:
		return &ast.Default{Pos: c.origin(e.SetToDefault.Location)}
	case *pg_query.Node_JsonFuncExpr:
		return c.jsonFunction(e.JsonFuncExpr)
	case *pg_query.Node_JsonIsPredicate:
		c.unsupported(c.origin(e.JsonIsPredicate.Location), "IS JSON")
	case *pg_query.Node_XmlExpr:
		c.unsupported(c.origin(e.XmlExpr.Location), "XML")
	case *pg_query.Node_CurrentOfExpr:
		c.unsupported(ast.NoPos, "WHERE CURRENT OF")
	case *pg_query.Node_MergeSupportFunc:
		c.unsupported(c.origin(e.MergeSupportFunc.Location), "MERGE_ACTION")
	default:
		c.unsupported(ast.NoPos, "this kind of expression")
	}
	return nil
}

func (c *converter) columnRef(r *pg_query.ColumnRef) ast.Expr {
	at := c.origin(r.Location)
	last := r.Fields[len(r.Fields)-1]
	if last.GetAStar() != nil {
		return &ast.Star{Pos: at, Qualifier: stringsOf(r.Fields[:len(r.Fields)-1])}
	}
	for _, field := range r.Fields {
		if field.GetAStar() != nil {
			c.syntaxError(at, "improper use of \"*\"")
		}
	}
	return &ast.ColumnRef{Pos: at, Parts: stringsOf(r.Fields)}
}

func (c *converter) boolExpr(b *pg_query.BoolExpr) ast.Expr {
	at := c.origin(b.Location)
	if b.Boolop != pg_query.BoolExprType_NOT_EXPR {
		return &ast.Logical{Pos: at, Or: b.Boolop == pg_query.BoolExprType_OR_EXPR, Args: c.exprs(b.Args)}
	}
	x := c.expr(b.Args[0])
	// x NOT IN (query) arrives as NOT (x IN (query)) with both at one place.
	if in, ok := x.(*ast.InSubquery); ok && in.Pos == at && !in.Not {
		in.Not = true
		return in
	}
	// a IS NOT DISTINCT FROM b and NOT BETWEEN have their own forms.
	return &ast.Not{Pos: at, X: x}
}

func (c *converter) booleanTest(t *pg_query.BooleanTest) ast.Expr {
	test := &ast.IsTest{Pos: c.origin(t.Location), X: c.expr(t.Arg)}
	switch t.Booltesttype {
	case pg_query.BoolTestType_IS_TRUE, pg_query.BoolTestType_IS_NOT_TRUE:
		test.Test = ast.TestTrue
	case pg_query.BoolTestType_IS_FALSE, pg_query.BoolTestType_IS_NOT_FALSE:
		test.Test = ast.TestFalse
	default:
		test.Test = ast.TestUnknown
	}
	switch t.Booltesttype {
	case pg_query.BoolTestType_IS_NOT_TRUE, pg_query.BoolTestType_IS_NOT_FALSE, pg_query.BoolTestType_IS_NOT_UNKNOWN:
		test.Not = true
	default:
	}
	return test
}

func operatorOf(names []*pg_query.Node) ast.Operator {
	parts := stringsOf(names)
	switch len(parts) {
	case 0:
		return ast.Operator{}
	case 1:
		return ast.Operator{Name: parts[0]}
	}
	return ast.Operator{Schema: parts[len(parts)-2], Name: parts[len(parts)-1]}
}

func (c *converter) operatorExpr(e *pg_query.A_Expr) ast.Expr {
	at := c.origin(e.Location)
	op := operatorOf(e.Name)
	switch e.Kind {
	case pg_query.A_Expr_Kind_AEXPR_OP:
		return c.plainOperator(e, at, op)
	case pg_query.A_Expr_Kind_AEXPR_OP_ANY, pg_query.A_Expr_Kind_AEXPR_OP_ALL:
		return &ast.Quantified{Pos: at, Op: op, All: e.Kind == pg_query.A_Expr_Kind_AEXPR_OP_ALL,
			Left: c.expr(e.Lexpr), Array: c.expr(e.Rexpr)}
	case pg_query.A_Expr_Kind_AEXPR_DISTINCT, pg_query.A_Expr_Kind_AEXPR_NOT_DISTINCT:
		return &ast.IsDistinct{Pos: at, Not: e.Kind == pg_query.A_Expr_Kind_AEXPR_NOT_DISTINCT,
			Left: c.expr(e.Lexpr), Right: c.expr(e.Rexpr)}
	case pg_query.A_Expr_Kind_AEXPR_NULLIF:
		return &ast.Conditional{Pos: at, Kind: ast.CondNullif, Args: []ast.Expr{c.expr(e.Lexpr), c.expr(e.Rexpr)}}
	case pg_query.A_Expr_Kind_AEXPR_IN:
		return &ast.InList{Pos: at, Not: op.Name == "<>", X: c.expr(e.Lexpr), List: c.exprs(e.Rexpr.GetList().GetItems())}
	case pg_query.A_Expr_Kind_AEXPR_LIKE, pg_query.A_Expr_Kind_AEXPR_ILIKE, pg_query.A_Expr_Kind_AEXPR_SIMILAR:
		return c.like(e, at, op)
	}
	return c.between(e, at)
}

func (c *converter) plainOperator(e *pg_query.A_Expr, at ast.Pos, op ast.Operator) ast.Expr {
	if e.Lexpr == nil {
		return &ast.Unary{Pos: at, Op: op, X: c.expr(e.Rexpr)}
	}
	left, right := c.expr(e.Lexpr), c.expr(e.Rexpr)
	if n := c.at[at]; n != nil && n.operator == "div" {
		return &ast.FuncCall{Pos: at, Name: ast.Name{Pos: at, Parts: []string{"div"}}, Args: []ast.Expr{left, right}}
	}
	return &ast.Binary{Pos: at, Op: op, Left: left, Right: right}
}

func (c *converter) like(e *pg_query.A_Expr, at ast.Pos, op ast.Operator) ast.Expr {
	like := &ast.Like{Pos: at, Not: op.Name != "" && op.Name[0] == '!', X: c.expr(e.Lexpr)}
	switch e.Kind {
	case pg_query.A_Expr_Kind_AEXPR_ILIKE:
		like.Kind = ast.LikeILike
	case pg_query.A_Expr_Kind_AEXPR_SIMILAR:
		like.Kind = ast.LikeSimilar
	default:
	}
	if n := c.at[at]; n != nil {
		switch n.operator {
		case "rlike":
			like.Kind = ast.LikeRegexp
		case "iregexp":
			like.Kind = ast.LikeIRegexp
		}
	}
	pattern := e.Rexpr
	if call := pattern.GetFuncCall(); call != nil && len(call.Funcname) == 2 && stringOf(call.Funcname[0]) == "pg_catalog" {
		switch stringOf(call.Funcname[1]) {
		case "like_escape", "similar_to_escape":
			pattern = call.Args[0]
			if len(call.Args) > 1 {
				like.Escape = c.expr(call.Args[1])
			}
		}
	}
	like.Pattern = c.expr(pattern)
	return like
}

func (c *converter) between(e *pg_query.A_Expr, at ast.Pos) ast.Expr {
	b := &ast.Between{Pos: at, X: c.expr(e.Lexpr)}
	switch e.Kind {
	case pg_query.A_Expr_Kind_AEXPR_BETWEEN:
	case pg_query.A_Expr_Kind_AEXPR_NOT_BETWEEN:
		b.Not = true
	case pg_query.A_Expr_Kind_AEXPR_BETWEEN_SYM:
		b.Symmetric = true
	case pg_query.A_Expr_Kind_AEXPR_NOT_BETWEEN_SYM:
		b.Not, b.Symmetric = true, true
	default:
		c.unsupported(at, "this operator")
		return nil
	}
	bounds := e.Rexpr.GetList().GetItems()
	if len(bounds) == 2 {
		b.Low, b.High = c.expr(bounds[0]), c.expr(bounds[1])
	}
	return b
}

func (c *converter) subLink(s *pg_query.SubLink) ast.Expr {
	at := c.origin(s.Location)
	q := c.subquery(s.Subselect, at)
	switch s.SubLinkType {
	case pg_query.SubLinkType_EXISTS_SUBLINK:
		return &ast.Exists{Pos: at, Query: q}
	case pg_query.SubLinkType_EXPR_SUBLINK:
		return &ast.ScalarSubquery{Pos: at, Query: q}
	case pg_query.SubLinkType_ARRAY_SUBLINK:
		return &ast.ArraySubquery{Pos: at, Query: q}
	case pg_query.SubLinkType_ANY_SUBLINK:
		if len(s.OperName) == 0 {
			return &ast.InSubquery{Pos: at, X: c.expr(s.Testexpr), Query: q}
		}
		return &ast.Quantified{Pos: at, Op: operatorOf(s.OperName), Left: c.expr(s.Testexpr), Query: q}
	case pg_query.SubLinkType_ALL_SUBLINK:
		return &ast.Quantified{Pos: at, Op: operatorOf(s.OperName), All: true, Left: c.expr(s.Testexpr), Query: q}
	}
	c.unsupported(at, "this kind of subquery")
	return nil
}

func (c *converter) caseExpr(e *pg_query.CaseExpr) ast.Expr {
	out := &ast.Case{Pos: c.origin(e.Location), Operand: c.expr(e.Arg), Else: c.expr(e.Defresult)}
	for _, n := range e.Args {
		w := n.GetCaseWhen()
		out.Whens = append(out.Whens, ast.When{Pos: c.origin(w.Location), Cond: c.expr(w.Expr), Result: c.expr(w.Result)})
	}
	return out
}

// indirection converts x[i], x[a:b], (x).f and (x).*.
func (c *converter) indirection(n *pg_query.A_Indirection) ast.Expr {
	x := c.expr(n.Arg)
	if x == nil {
		return nil
	}
	at := x.Offset()
	for _, step := range n.Indirection {
		switch s := step.GetNode().(type) {
		case *pg_query.Node_String_:
			x = &ast.FieldAccess{Pos: at, X: x, Field: s.String_.Sval}
		case *pg_query.Node_AStar:
			x = &ast.FieldStar{Pos: at, X: x}
		case *pg_query.Node_AIndices:
			if s.AIndices.IsSlice {
				x = &ast.Slice{Pos: at, X: x, Low: c.expr(s.AIndices.Lidx), High: c.expr(s.AIndices.Uidx)}
			} else {
				x = &ast.Subscript{Pos: at, X: x, Index: c.expr(s.AIndices.Uidx)}
			}
		}
	}
	return x
}
