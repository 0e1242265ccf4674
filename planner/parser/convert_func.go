package parser

import (
	"strconv"

	pg_query "github.com/pganalyze/pg_query_go/v6"

	"github.com/tarnlake/tarn/planner/parser/ast"
)

func (c *converter) funcCall(f *pg_query.FuncCall) ast.Expr {
	at := c.origin(f.Location)
	name := stringsOf(f.Funcname)
	if mark := c.noteOf(name[len(name)-1]); mark != nil && mark.isLambda {
		return c.lambda(f, at, mark)
	}
	special := f.Funcformat == pg_query.CoercionForm_COERCE_SQL_SYNTAX
	if special {
		name = name[len(name)-1:]
		if name[0] == "timezone" {
			return c.atTimeZone(f, at)
		}
	}
	call := &ast.FuncCall{Pos: at, Name: ast.Name{Pos: at, Parts: name}, Args: c.exprs(f.Args), Star: f.AggStar,
		Distinct: f.AggDistinct, OrderBy: c.sortItems(f.AggOrder), WithinGroup: f.AggWithinGroup,
		Variadic: f.FuncVariadic, Filter: c.expr(f.AggFilter), Special: special}
	if f.Over != nil {
		call.Over = c.windowSpec(f.Over)
	}
	if n := c.at[at]; n != nil {
		call.Nulls, call.Overflow = n.nulls, n.overflow
	}
	return call
}

func (c *converter) lambda(f *pg_query.FuncCall, at ast.Pos, mark *note) ast.Expr {
	body := c.exprs(f.Args)
	if len(body) != 1 {
		c.syntaxError(at, "a lambda has one expression after ->")
		return nil
	}
	return &ast.Lambda{Pos: at, Params: mark.params, Body: body[0]}
}

// atTimeZone converts timezone(zone, x), as the grammar writes x AT TIME ZONE zone.
func (c *converter) atTimeZone(f *pg_query.FuncCall, at ast.Pos) ast.Expr {
	if len(f.Args) == 1 {
		return &ast.AtTimeZone{Pos: at, X: c.expr(f.Args[0])}
	}
	return &ast.AtTimeZone{Pos: at, X: c.expr(f.Args[1]), Zone: c.expr(f.Args[0])}
}

// The bits of WindowDef.FrameOptions.
const (
	frameNonDefault         = 1 << 0
	frameRange              = 1 << 1
	frameRows               = 1 << 2
	frameGroups             = 1 << 3
	startUnboundedPreceding = 1 << 5
	endUnboundedPreceding   = 1 << 6
	startCurrentRow         = 1 << 9
	endCurrentRow           = 1 << 10
	startOffsetPreceding    = 1 << 11
	endOffsetPreceding      = 1 << 12
	startOffsetFollowing    = 1 << 13
	endOffsetFollowing      = 1 << 14
	frameExcludeCurrentRow  = 1 << 15
	frameExcludeGroup       = 1 << 16
	frameExcludeTies        = 1 << 17
)

func (c *converter) windowSpec(w *pg_query.WindowDef) *ast.WindowSpec {
	spec := &ast.WindowSpec{Pos: c.origin(w.Location), Ref: w.Refname, PartitionBy: c.exprs(w.PartitionClause),
		OrderBy: c.sortItems(w.OrderClause)}
	if w.Name != "" {
		spec.NameOnly, spec.Ref = true, w.Name
	}
	if w.FrameOptions&frameNonDefault != 0 {
		spec.Frame = c.frame(w, spec.Pos)
	}
	return spec
}

func (c *converter) frame(w *pg_query.WindowDef, at ast.Pos) *ast.Frame {
	bits := w.FrameOptions
	f := &ast.Frame{Pos: at, Unit: ast.FrameRange}
	switch {
	case bits&frameRows != 0:
		f.Unit = ast.FrameRows
	case bits&frameGroups != 0:
		f.Unit = ast.FrameGroups
	}
	f.Start = ast.FrameBound{Offset: c.expr(w.StartOffset), Kind: boundKind(bits, startUnboundedPreceding,
		startOffsetPreceding, startCurrentRow, startOffsetFollowing)}
	f.End = ast.FrameBound{Offset: c.expr(w.EndOffset), Kind: boundKind(bits, endUnboundedPreceding,
		endOffsetPreceding, endCurrentRow, endOffsetFollowing)}
	switch {
	case bits&frameExcludeCurrentRow != 0:
		f.Exclude = ast.ExcludeCurrentRow
	case bits&frameExcludeGroup != 0:
		f.Exclude = ast.ExcludeGroup
	case bits&frameExcludeTies != 0:
		f.Exclude = ast.ExcludeTies
	}
	return f
}

func boundKind(bits, unboundedPreceding, offsetPreceding, current, offsetFollowing int32) ast.BoundKind {
	switch {
	case bits&unboundedPreceding != 0:
		return ast.UnboundedPreceding
	case bits&offsetPreceding != 0:
		return ast.OffsetPreceding
	case bits&current != 0:
		return ast.CurrentRow
	case bits&offsetFollowing != 0:
		return ast.OffsetFollowing
	}
	return ast.UnboundedFollowing
}

var valueFunctionNames = map[pg_query.SQLValueFunctionOp]string{
	pg_query.SQLValueFunctionOp_SVFOP_CURRENT_DATE:        "current_date",
	pg_query.SQLValueFunctionOp_SVFOP_CURRENT_TIME:        "current_time",
	pg_query.SQLValueFunctionOp_SVFOP_CURRENT_TIME_N:      "current_time",
	pg_query.SQLValueFunctionOp_SVFOP_CURRENT_TIMESTAMP:   "current_timestamp",
	pg_query.SQLValueFunctionOp_SVFOP_CURRENT_TIMESTAMP_N: "current_timestamp",
	pg_query.SQLValueFunctionOp_SVFOP_LOCALTIME:           "localtime",
	pg_query.SQLValueFunctionOp_SVFOP_LOCALTIME_N:         "localtime",
	pg_query.SQLValueFunctionOp_SVFOP_LOCALTIMESTAMP:      "localtimestamp",
	pg_query.SQLValueFunctionOp_SVFOP_LOCALTIMESTAMP_N:    "localtimestamp",
	pg_query.SQLValueFunctionOp_SVFOP_CURRENT_ROLE:        "current_role",
	pg_query.SQLValueFunctionOp_SVFOP_CURRENT_USER:        "current_user",
	pg_query.SQLValueFunctionOp_SVFOP_USER:                "user",
	pg_query.SQLValueFunctionOp_SVFOP_SESSION_USER:        "session_user",
	pg_query.SQLValueFunctionOp_SVFOP_CURRENT_CATALOG:     "current_catalog",
	pg_query.SQLValueFunctionOp_SVFOP_CURRENT_SCHEMA:      "current_schema",
}

func (c *converter) valueFunction(v *pg_query.SQLValueFunction) ast.Expr {
	at := c.origin(v.Location)
	call := &ast.FuncCall{Pos: at, Name: ast.Name{Pos: at, Parts: []string{valueFunctionNames[v.Op]}}, Special: true}
	if v.Typmod >= 0 {
		call.Args = []ast.Expr{&ast.Literal{Pos: at, Kind: ast.LitInteger, Text: strconv.Itoa(int(v.Typmod))}}
	}
	return call
}

// jsonFunction converts JSON_EXISTS, JSON_VALUE and JSON_QUERY to calls of (document, path), with a
// cast where RETURNING asks for a type.
func (c *converter) jsonFunction(j *pg_query.JsonFuncExpr) ast.Expr {
	at := c.origin(j.Location)
	name := "json_value"
	switch j.Op {
	case pg_query.JsonExprOp_JSON_EXISTS_OP:
		name = "json_exists"
	case pg_query.JsonExprOp_JSON_QUERY_OP:
		name = "json_query"
	default:
	}
	if len(j.Passing) > 0 || j.Wrapper > pg_query.JsonWrapper_JSW_NONE || j.Quotes > pg_query.JsonQuotes_JS_QUOTES_KEEP ||
		!nullBehavior(j.OnEmpty) || !nullBehavior(j.OnError) {
		c.unsupported(at, "this option of "+name)
		return nil
	}
	args := []ast.Expr{c.expr(j.ContextItem.GetRawExpr()), c.expr(j.Pathspec)}
	call := ast.Expr(&ast.FuncCall{Pos: at, Name: ast.Name{Pos: at, Parts: []string{name}}, Args: args, Special: true})
	if j.Output != nil {
		call = &ast.Cast{Pos: at, X: call, Type: c.typeName(j.Output.TypeName)}
	}
	return call
}

func nullBehavior(b *pg_query.JsonBehavior) bool {
	return b == nil || b.Btype == pg_query.JsonBehaviorType_JSON_BEHAVIOR_NULL
}
