package parser

import (
	"strings"

	"github.com/tarnlake/tarn/planner/parser/ast"
	"github.com/tarnlake/tarn/planner/parser/lexer"
)

// typeName reads a type in PostgreSQL's, Trino's or Hive's spelling.
func (c *cursor) typeName() *ast.TypeName {
	t := &ast.TypeName{Pos: c.pos()}
	if c.err != nil || !c.token().Name() {
		c.unexpected()
		return t
	}
	first := c.token()
	switch {
	case isNestedType(first, c.peek(1)):
		c.nestedType(t)
	case first.Kind == lexer.Ident && c.standardType(t):
	case first.Kind == lexer.Ident && lexer.ClassOf(first.Text) == lexer.ClassReserved:
		c.unexpected()
		return t
	default:
		name := c.qualified()
		t.Name = name.Last()
		if len(name.Parts) > 1 {
			t.Schema = name.Parts[len(name.Parts)-2]
		}
		t.Modifiers = c.modifiers()
	}
	for c.err == nil {
		switch {
		case c.acceptSymbol("["):
			if c.token().Kind == lexer.Integer {
				c.next()
			}
			c.expectSymbol("]")
			t.ArrayDims++
		case c.accept("array"):
			if c.acceptSymbol("[") {
				c.integer()
				c.expectSymbol("]")
			}
			t.ArrayDims++
		default:
			return t
		}
	}
	return t
}

// isNestedType tells whether ARRAY(, MAP(, ROW( or their forms with < begin here.
func isNestedType(name, next lexer.Token) bool {
	return name.WordIn("array", "map", "row", "struct") &&
		(next.Is("(") || next.Kind == lexer.Op && strings.Trim(next.Text, "<") == "")
}

func (c *cursor) nestedType(t *ast.TypeName) {
	t.Name = c.next().Text
	if t.Name == "struct" {
		t.Name = "row"
	}
	closing := ")"
	if !c.acceptSymbol("(") {
		closing = ">"
		c.angle("<")
	}
	for {
		t.Args = append(t.Args, c.typeArg(t.Name == "row"))
		if !c.acceptSymbol(",") {
			break
		}
	}
	if closing == ">" {
		c.angle(closing)
	} else {
		c.expectSymbol(closing)
	}
	if c.err == nil && (t.Name == "array" && len(t.Args) != 1 || t.Name == "map" && len(t.Args) != 2) {
		c.at--
		c.unexpected()
	}
}

// angle passes one < or >, which may be the first character of a longer operator: what is left of
// that stays as the current token, so that array<array<int>> can be read.
func (c *cursor) angle(symbol string) {
	token := c.token()
	if c.err != nil || token.Kind != lexer.Op || len(token.Text) < 2 || !strings.HasPrefix(token.Text, symbol) {
		c.expectSymbol(symbol)
		return
	}
	c.tokens[c.at].Text = token.Text[len(symbol):]
	c.tokens[c.at].Start += len(symbol)
}

// typeArg reads T or, for a row's field, name T or name: T.
func (c *cursor) typeArg(field bool) ast.TypeArg {
	arg := ast.TypeArg{Pos: c.pos()}
	if field && c.fieldNameAhead() {
		arg.Name = c.label()
		c.acceptSymbol(":")
	}
	arg.Type = c.typeName()
	if field && c.accept("comment") {
		c.stringLiteral()
	}
	return arg
}

func (c *cursor) fieldNameAhead() bool {
	if c.err != nil || !c.token().Name() {
		return false
	}
	next := c.peek(1)
	if next.Is(":") {
		return true
	}
	if !next.Name() || isNestedType(c.token(), next) {
		return false
	}
	// A type of two words, such as DOUBLE PRECISION, is no field.
	switch c.token().Text {
	case "double":
		return !next.Word("precision")
	case "timestamp", "time":
		return !next.WordIn("with", "without")
	case "character", "char", "bit", "nchar":
		return !next.Word("varying")
	}
	return true
}

// modifiers reads (10, 2).
func (c *cursor) modifiers() []int64 {
	if !c.acceptSymbol("(") {
		return nil
	}
	list := []int64{c.integer()}
	for c.acceptSymbol(",") {
		list = append(list, c.integer())
	}
	c.expectSymbol(")")
	return list
}

// standardType reads the types that PostgreSQL's grammar spells out, under their internal names.
func (c *cursor) standardType(t *ast.TypeName) bool {
	name := ""
	switch word := c.token().Text; word {
	case "int", "integer":
		name = "int4"
	case "smallint":
		name = "int2"
	case "bigint":
		name = "int8"
	case "real":
		name = "float4"
	case "boolean":
		name = "bool"
	case "decimal", "dec", "numeric":
		name = "numeric"
	case "varchar":
		name = "varchar"
	case "double":
		if !c.peek(1).Word("precision") {
			return false
		}
		c.next()
		name = "float8"
	case "json":
		if c.peek(1).Is(".") {
			return false
		}
		c.next()
		t.Schema, t.Name = "pg_catalog", "json"
		return true
	case "float", "character", "char", "nchar", "national", "bit", "time", "timestamp", "interval":
		c.wordyType(t, word)
		return true
	default:
		return false
	}
	c.next()
	t.Schema, t.Name, t.Modifiers = "pg_catalog", name, c.modifiers()
	return true
}

func (c *cursor) wordyType(t *ast.TypeName, word string) {
	c.next()
	t.Schema = "pg_catalog"
	switch word {
	case "float":
		t.Name = "float8"
		if bits := c.modifiers(); len(bits) > 0 && bits[0] <= 24 {
			t.Name = "float4"
		}
	case "bit":
		t.Name = "bit"
		if c.accept("varying") {
			t.Name = "varbit"
		}
		t.Modifiers = c.modifiers()
		if t.Name == "bit" && t.Modifiers == nil {
			t.Modifiers = []int64{1}
		}
	case "time", "timestamp":
		t.Name = word
		t.Modifiers = c.modifiers()
		if c.accept("with", "time", "zone") || c.accept("with", "local", "time", "zone") {
			t.Name += "tz"
		} else {
			c.accept("without", "time", "zone")
		}
	case "interval":
		t.Name = word
		c.intervalType(t)
	default:
		if word == "national" {
			if c.acceptOne("character", "char") == "" {
				c.unexpected()
			}
		}
		t.Name = "bpchar"
		if c.accept("varying") {
			t.Name = "varchar"
		}
		t.Modifiers = c.modifiers()
		if t.Name == "bpchar" && t.Modifiers == nil {
			t.Modifiers = []int64{1}
		}
	}
}

// intervalType reads what follows INTERVAL: a precision, or fields with a precision of the seconds.
func (c *cursor) intervalType(t *ast.TypeName) {
	if t.Modifiers = c.modifiers(); t.Modifiers != nil {
		return
	}
	fields := c.acceptOne("year", "month", "day", "hour", "minute", "second")
	if fields == "" {
		return
	}
	last := fields
	if c.accept("to") {
		last = c.acceptOne("month", "hour", "minute", "second")
		if last == "" {
			c.unexpected()
		}
		fields += " to " + last
	}
	t.IntervalFields = strings.ToUpper(fields)
	if last == "second" {
		t.Modifiers = c.modifiers()
	}
}
