package parser

import (
	pg_query "github.com/pganalyze/pg_query_go/v6"

	"github.com/tarnlake/tarn/planner/parser/ast"
)

func (c *converter) typeName(t *pg_query.TypeName) *ast.TypeName {
	if t == nil {
		return nil
	}
	at := c.origin(t.Location)
	if t.Setof || t.PctType {
		c.unsupported(at, "SETOF or %TYPE")
		return nil
	}
	names := stringsOf(t.Names)
	out := &ast.TypeName{Pos: at, ArrayDims: len(t.ArrayBounds)}
	if len(names) == 0 {
		return out
	}
	if mark := c.noteOf(names[len(names)-1]); mark != nil && mark.typeName != nil {
		copied := *mark.typeName
		copied.ArrayDims += out.ArrayDims
		return &copied
	}
	out.Name = names[len(names)-1]
	if len(names) > 1 {
		out.Schema = names[len(names)-2]
	}
	if out.Schema == "pg_catalog" && out.Name == "interval" {
		c.intervalModifiers(t, out)
		return out
	}
	for _, n := range t.Typmods {
		modifier := n.GetAConst()
		if modifier == nil || modifier.GetIval() == nil {
			c.syntaxError(at, "type modifiers must be simple constants or identifiers")
			return out
		}
		out.Modifiers = append(out.Modifiers, int64(modifier.GetIval().GetIval()))
	}
	return out
}

// intervalFullRange is the field mask of an interval type without a qualifier.
const intervalFullRange = 0x7FFF

var intervalFields = map[int32]string{
	1 << 2:                       "YEAR",
	1 << 1:                       "MONTH",
	1 << 3:                       "DAY",
	1 << 10:                      "HOUR",
	1 << 11:                      "MINUTE",
	1 << 12:                      "SECOND",
	1<<2 | 1<<1:                  "YEAR TO MONTH",
	1<<3 | 1<<10:                 "DAY TO HOUR",
	1<<3 | 1<<10 | 1<<11:         "DAY TO MINUTE",
	1<<3 | 1<<10 | 1<<11 | 1<<12: "DAY TO SECOND",
	1<<10 | 1<<11:                "HOUR TO MINUTE",
	1<<10 | 1<<11 | 1<<12:        "HOUR TO SECOND",
	1<<11 | 1<<12:                "MINUTE TO SECOND",
}

func (c *converter) intervalModifiers(t *pg_query.TypeName, out *ast.TypeName) {
	for i, n := range t.Typmods {
		value := n.GetAConst().GetIval().GetIval()
		switch {
		case i == 1:
			out.Modifiers = []int64{int64(value)}
		case value != intervalFullRange:
			out.IntervalFields = intervalFields[value]
		}
	}
}

func (c *converter) typeCast(t *pg_query.TypeCast) ast.Expr {
	typ := c.typeName(t.TypeName)
	if t.Location < 0 && t.Arg.GetAConst().GetSval() != nil && typ != nil {
		return c.typedLiteral(typ, t.Arg.GetAConst().GetSval().GetSval())
	}
	at := c.origin(t.Location)
	cast := &ast.Cast{Pos: at, X: c.expr(t.Arg), Type: typ}
	if n := c.at[at]; n != nil {
		cast.Try = n.try
	}
	return cast
}

func (c *converter) typedLiteral(typ *ast.TypeName, text string) ast.Expr {
	if typ.Schema != "pg_catalog" || typ.Name != "interval" || typ.ArrayDims > 0 {
		return &ast.TypedLiteral{Pos: typ.Pos, Type: typ, Text: text}
	}
	literal := &ast.IntervalLiteral{Pos: typ.Pos, Text: text, Fields: typ.IntervalFields, Precision: -1}
	if len(typ.Modifiers) == 1 {
		literal.Precision = int(typ.Modifiers[0])
	}
	if n := c.at[typ.Pos]; n != nil {
		literal.Negative = n.negative
	}
	return literal
}
