package parser

import (
	"github.com/tarnlake/tarn/planner/parser/ast"
	"github.com/tarnlake/tarn/planner/parser/lexer"
)

// copyStatement reads COPY with the options of both syntaxes.
func (c *cursor) copyStatement() ast.Statement {
	c.expect("copy")
	s := &ast.Copy{}
	if c.sees("binary") && c.peek(1).Name() {
		s.Options = append(s.Options, flagOption(c.pos(), "format", "binary"))
		c.next()
	}
	if c.token().Is("(") {
		start := c.at
		c.skipBrackets()
		end := c.at
		if c.err != nil {
			return nil
		}
		c.at = start
		s.Query = c.query(end)
		c.expect("to")
		s.Direction = ast.CopyTo
	} else {
		name := c.qualified()
		s.Table = &name
		if c.token().Is("(") {
			s.Columns = c.columnList()
		}
		if c.accept("to") {
			s.Direction = ast.CopyTo
		} else {
			c.expect("from")
		}
	}
	c.copyPlace(s)
	c.copyOptions(s)
	if s.Direction == ast.CopyFrom && c.accept("where") {
		s.Where = c.expressionUntil(func() bool { return false })
	}
	return s
}

func flagOption(at ast.Pos, name, value string) ast.Property {
	return ast.Property{Pos: at, Name: name, Value: &ast.Literal{Pos: at, Kind: ast.LitString, Text: value}}
}

func (c *cursor) copyPlace(s *ast.Copy) {
	if c.acceptOne("stdin", "stdout") != "" {
		return
	}
	s.Program = c.accept("program")
	s.Path = c.stringLiteral()
}

func (c *cursor) copyOptions(s *ast.Copy) {
	at := c.pos()
	if c.accept("using", "delimiters") || c.accept("delimiters") {
		s.Options = append(s.Options, flagOption(at, "delimiter", c.stringLiteral()))
	}
	c.accept("with")
	if c.token().Is("(") {
		s.Options = append(s.Options, c.copyOptionList()...)
		return
	}
	for c.err == nil && !c.end() && !c.sees("where") {
		s.Options = append(s.Options, c.oldCopyOption())
	}
}

func (c *cursor) copyOptionList() []ast.Property {
	c.expectSymbol("(")
	var list []ast.Property
	for c.err == nil {
		p := ast.Property{Pos: c.pos(), Name: asciiLower(c.label())}
		switch {
		case c.token().Is(","), c.token().Is(")"):
		case c.token().Is("*"):
			p.Value = &ast.Star{Pos: c.pos()}
			c.next()
		case c.token().Is("("):
			p.Value = c.copyColumns()
		default:
			c.acceptSymbol("=")
			p.Value = c.optionValue()
		}
		list = append(list, p)
		if !c.acceptSymbol(",") {
			break
		}
	}
	c.expectSymbol(")")
	return list
}

// copyColumns reads a bracketed list of names as strings.
func (c *cursor) copyColumns() ast.Expr {
	list := &ast.ArrayLiteral{Pos: c.pos()}
	c.expectSymbol("(")
	for c.err == nil {
		token := c.token()
		if !token.Name() && token.Kind != lexer.String {
			c.unexpected()
			break
		}
		c.next()
		list.Elems = append(list.Elems, &ast.Literal{Pos: posOf(token), Kind: ast.LitString, Text: token.Text})
		if !c.acceptSymbol(",") {
			break
		}
	}
	c.expectSymbol(")")
	return list
}

// oldCopyOption reads one option of the syntax before PostgreSQL 9.
func (c *cursor) oldCopyOption() ast.Property {
	at := c.pos()
	switch word := c.acceptOne("binary", "freeze", "csv", "header", "delimiter", "null", "quote", "escape", "encoding", "force"); word {
	case "binary", "csv":
		return flagOption(at, "format", word)
	case "freeze", "header":
		return ast.Property{Pos: at, Name: word}
	case "delimiter", "null", "quote", "escape", "encoding":
		c.accept("as")
		return flagOption(at, word, c.stringLiteral())
	case "force":
		return c.forceOption(at)
	}
	c.unexpected()
	return ast.Property{}
}

func (c *cursor) forceOption(at ast.Pos) ast.Property {
	p := ast.Property{Pos: at}
	switch {
	case c.accept("quote"):
		p.Name = "force_quote"
	case c.accept("not", "null"):
		p.Name = "force_not_null"
	case c.accept("null"):
		p.Name = "force_null"
	default:
		c.unexpected()
	}
	if c.token().Is("*") {
		p.Value = &ast.Star{Pos: c.pos()}
		c.next()
		return p
	}
	list := &ast.ArrayLiteral{Pos: c.pos()}
	for c.err == nil {
		name := c.identifier()
		list.Elems = append(list.Elems, &ast.Literal{Pos: name.Pos, Kind: ast.LitString, Text: name.Name})
		if !c.acceptSymbol(",") {
			break
		}
	}
	p.Value = list
	return p
}
