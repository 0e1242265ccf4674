package ast

import (
	"fmt"
	"strconv"
	"strings"
)

// primary tells whether e needs no brackets as an operand.
func primary(e Expr) bool {
	switch e := e.(type) {
	case *Literal:
		return !strings.HasPrefix(e.Text, "-")
	case *ColumnRef, *Star, *Param, *TypedLiteral, *IntervalLiteral, *Cast, *Case, *Conditional, *Grouping, *Exists,
		*ScalarSubquery, *ArraySubquery, *ArrayLiteral, *RowLiteral, *Subscript, *Slice, *FieldAccess, *FieldStar, *Default:
		return true
	case *FuncCall:
		return !e.Special || e.Name.Last() != "overlaps" && e.Name.Last() != "is_normalized"
	}
	return false
}

func (p *printer) operand(e Expr) {
	if primary(e) {
		p.expr(e)
		return
	}
	p.text("(")
	p.expr(e)
	p.text(")")
}

func (p *printer) expr(e Expr) {
	switch e := e.(type) {
	case nil:
		return
	case *ColumnRef:
		p.name(e.Parts)
	case *Star:
		p.name(e.Qualifier)
		if len(e.Qualifier) > 0 {
			p.text(".")
		}
		p.text("*")
	case *Literal:
		p.literal(e)
	case *TypedLiteral:
		p.typeName(e.Type)
		p.text(" ", QuoteString(e.Text))
	case *IntervalLiteral:
		p.interval(e)
	case *Param:
		p.text("$", strconv.Itoa(e.Number))
	case *Default:
		p.text("DEFAULT")
	case *FuncCall:
		p.funcCall(e)
	case *NamedArg:
		p.text(QuoteName(e.Name), " => ")
		p.expr(e.Value)
	case *Lambda:
		p.lambda(e)
	case *Conditional:
		p.text([...]string{"COALESCE", "NULLIF", "GREATEST", "LEAST"}[e.Kind], "(")
		p.exprs(e.Args)
		p.text(")")
	case *Grouping:
		p.text("GROUPING(")
		p.exprs(e.Args)
		p.text(")")
	default:
		if !p.predicate(e) {
			p.constructor(e)
		}
	}
}

func (p *printer) literal(e *Literal) {
	switch e.Kind {
	case LitNull:
		p.text("NULL")
	case LitBool:
		p.text(strings.ToUpper(e.Text))
	case LitInteger, LitDecimal:
		p.text(e.Text)
	case LitString:
		p.text(QuoteString(e.Text))
	case LitBit:
		p.text("B'", e.Text, "'")
	case LitHexBit:
		p.text("X'", e.Text, "'")
	}
}

func (p *printer) interval(e *IntervalLiteral) {
	p.text("INTERVAL ")
	if e.Precision >= 0 && e.Fields == "" {
		p.text("(", strconv.Itoa(e.Precision), ") ")
	}
	if e.Negative {
		p.text("-")
	}
	p.text(QuoteString(e.Text))
	if e.Fields == "" {
		return
	}
	p.text(" ", e.Fields)
	if e.Precision >= 0 {
		p.text("(", strconv.Itoa(e.Precision), ")")
	}
}

func (p *printer) operator(op Operator) {
	if op.Schema != "" {
		p.text("OPERATOR(", QuoteName(op.Schema), ".", op.Name, ")")
		return
	}
	p.text(op.Name)
}

func not(negated bool) string {
	if negated {
		return "NOT "
	}
	return ""
}

// predicate prints operators and tests; false when e is none.
func (p *printer) predicate(e Expr) bool {
	switch e := e.(type) {
	case *Unary:
		p.operator(e.Op)
		p.text(" ")
		p.operand(e.X)
	case *Binary:
		p.operand(e.Left)
		p.text(" ")
		p.operator(e.Op)
		p.text(" ")
		p.operand(e.Right)
	case *Logical:
		p.logical(e)
	case *Not:
		p.text("NOT ")
		p.operand(e.X)
	case *IsTest:
		p.operand(e.X)
		p.text(" IS ", not(e.Not), [...]string{"NULL", "TRUE", "FALSE", "UNKNOWN"}[e.Test])
	case *IsDistinct:
		p.operand(e.Left)
		p.text(" IS ", not(e.Not), "DISTINCT FROM ")
		p.operand(e.Right)
	case *Between:
		p.operand(e.X)
		p.text(" ", not(e.Not), "BETWEEN ")
		if e.Symmetric {
			p.text("SYMMETRIC ")
		}
		p.operand(e.Low)
		p.text(" AND ")
		p.operand(e.High)
	case *Like:
		p.like(e)
	case *InList:
		p.operand(e.X)
		p.text(" ", not(e.Not), "IN (")
		p.exprs(e.List)
		p.text(")")
	case *InSubquery:
		p.operand(e.X)
		p.text(" ", not(e.Not), "IN ")
		p.bracketed(e.Query)
	case *Quantified:
		p.quantified(e)
	case *Collate:
		p.operand(e.X)
		p.text(" COLLATE ")
		p.name(e.Collation.Parts)
	case *AtTimeZone:
		p.operand(e.X)
		if e.Zone == nil {
			p.text(" AT LOCAL")
			break
		}
		p.text(" AT TIME ZONE ")
		p.operand(e.Zone)
	default:
		return false
	}
	return true
}

func (p *printer) logical(e *Logical) {
	word := " AND "
	if e.Or {
		word = " OR "
	}
	for i, arg := range e.Args {
		if i > 0 {
			p.text(word)
		}
		if _, nested := arg.(*Logical); nested {
			p.operand(arg)
		} else {
			p.expr(arg)
		}
	}
}

func (p *printer) like(e *Like) {
	p.operand(e.X)
	p.text(" ", not(e.Not), [...]string{"LIKE", "ILIKE", "SIMILAR TO", "RLIKE", "IREGEXP"}[e.Kind], " ")
	p.operand(e.Pattern)
	if e.Escape != nil {
		p.text(" ESCAPE ")
		p.operand(e.Escape)
	}
}

func (p *printer) quantified(e *Quantified) {
	p.operand(e.Left)
	word := map[string]string{"~~": "LIKE", "!~~": "NOT LIKE", "~~*": "ILIKE", "!~~*": "NOT ILIKE"}[e.Op.Name]
	p.text(" ")
	if word != "" && e.Op.Schema == "" {
		p.text(word)
	} else {
		p.operator(e.Op)
	}
	if e.All {
		p.text(" ALL ")
	} else {
		p.text(" ANY ")
	}
	if e.Query != nil {
		p.bracketed(e.Query)
		return
	}
	p.text("(")
	if _, query := e.Array.(*ScalarSubquery); query {
		p.text("(") // brackets of its own, lest it be read as ANY (query)
		p.expr(e.Array)
		p.text(")")
	} else {
		p.expr(e.Array)
	}
	p.text(")")
}

func (p *printer) bracketed(q *Query) {
	p.text("(")
	p.query(q)
	p.text(")")
}

// base prints what a subscript or a field is taken of.
func (p *printer) base(e Expr) {
	switch e.(type) {
	case *Subscript, *Slice, *FieldAccess, *Param:
		p.expr(e)
	default:
		p.text("(")
		p.expr(e)
		p.text(")")
	}
}

// constructor prints what builds or takes apart values.
func (p *printer) constructor(e Expr) {
	switch e := e.(type) {
	case *Exists:
		p.text("EXISTS ")
		p.bracketed(e.Query)
	case *ScalarSubquery:
		p.bracketed(e.Query)
	case *ArraySubquery:
		p.text("ARRAY")
		p.bracketed(e.Query)
	case *ArrayLiteral:
		p.text("ARRAY[")
		p.exprs(e.Elems)
		p.text("]")
	case *RowLiteral:
		if !e.Implicit {
			p.text("ROW")
		}
		p.text("(")
		p.exprs(e.Fields)
		p.text(")")
	case *Subscript:
		p.base(e.X)
		p.text("[")
		p.expr(e.Index)
		p.text("]")
	case *Slice:
		p.base(e.X)
		p.text("[")
		p.sliceBound(e.Low)
		p.text(":")
		p.sliceBound(e.High)
		p.text("]")
	case *FieldAccess:
		p.base(e.X)
		p.text(".", QuoteName(e.Field))
	case *FieldStar:
		p.base(e.X)
		p.text(".*")
	case *Case:
		p.caseExpr(e)
	case *Cast:
		p.text(map[bool]string{false: "CAST(", true: "TRY_CAST("}[e.Try])
		p.argument(e.X)
		p.text(" AS ")
		p.typeName(e.Type)
		p.text(")")
	default:
		panic(fmt.Sprintf("ast: Format of %T", e))
	}
}

// sliceBound prints a bound with brackets around a cast's colons or anything else compound.
func (p *printer) sliceBound(e Expr) {
	if e != nil {
		p.operand(e)
	}
}

func (p *printer) caseExpr(e *Case) {
	p.text("CASE")
	if e.Operand != nil {
		p.text(" ")
		p.expr(e.Operand)
	}
	for _, when := range e.Whens {
		p.text(" WHEN ")
		p.expr(when.Cond)
		p.text(" THEN ")
		p.expr(when.Result)
	}
	if e.Else != nil {
		p.text(" ELSE ")
		p.expr(e.Else)
	}
	p.text(" END")
}

func (p *printer) lambda(e *Lambda) {
	p.text("(")
	p.identifiers(e.Params)
	p.text(") -> ")
	p.expr(e.Body)
}
