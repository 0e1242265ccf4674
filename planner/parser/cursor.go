package parser

import (
	"strconv"

	"github.com/tarnlake/tarn/internal/sqlerr"
	"github.com/tarnlake/tarn/planner/parser/ast"
	"github.com/tarnlake/tarn/planner/parser/lexer"
)

// cursor walks over one statement's tokens; the last token is the semicolon or the end of the text
// and is never passed. The first error sticks: from then on the cursor stands at the end, and every
// reader gives zero values.
type cursor struct {
	sql    string
	tokens []lexer.Token
	at     int
	err    error
}

func (c *cursor) last() int { return len(c.tokens) - 1 }

// token is the current token, peek the one n further on.
func (c *cursor) token() lexer.Token { return c.tokens[c.at] }

func (c *cursor) peek(n int) lexer.Token { return c.tokens[min(c.at+n, c.last())] }

// pos is the current token's place.
func (c *cursor) pos() ast.Pos { return ast.Pos(c.tokens[c.at].Start) }

func (c *cursor) end() bool { return c.at == c.last() }

func (c *cursor) next() lexer.Token {
	token := c.tokens[c.at]
	if c.at < c.last() {
		c.at++
	}
	return token
}

func (c *cursor) fail(err error) {
	if c.err == nil {
		c.err = err
	}
	c.at = c.last()
}

// unexpected complains about the current token as PostgreSQL does.
func (c *cursor) unexpected() {
	if c.err != nil {
		return
	}
	err := syntaxErrorAt(c.sql, c.token())
	addHint(err, c.sql, c.tokens, c.at)
	c.fail(err)
}

func (c *cursor) unsupported(at ast.Pos, what string) {
	c.fail(sqlerr.New(sqlerr.FeatureNotSupported, "%s is not supported", what).At(at.CharPosition(c.sql)))
}

// sees tells whether the given words come next.
func (c *cursor) sees(words ...string) bool {
	if c.err != nil {
		return false
	}
	for i, word := range words {
		if !c.peek(i).Word(word) {
			return false
		}
	}
	return true
}

// accept passes the given words if all of them come next.
func (c *cursor) accept(words ...string) bool {
	if !c.sees(words...) {
		return false
	}
	c.at += len(words)
	return true
}

// acceptOne passes one of the words and gives it.
func (c *cursor) acceptOne(words ...string) string {
	if c.err == nil && c.token().WordIn(words...) {
		return c.next().Text
	}
	return ""
}

func (c *cursor) expect(words ...string) {
	for _, word := range words {
		if !c.accept(word) {
			c.unexpected()
			return
		}
	}
}

func (c *cursor) acceptSymbol(symbol string) bool {
	if c.err != nil || !c.token().Is(symbol) {
		return false
	}
	c.next()
	return true
}

func (c *cursor) expectSymbol(symbol string) {
	if !c.acceptSymbol(symbol) {
		c.unexpected()
	}
}

// seesName tells whether a name (of a table or column) comes next.
func (c *cursor) seesName() bool {
	token := c.token()
	switch token.Kind {
	case lexer.Quoted:
		return true
	case lexer.Ident:
		class := lexer.ClassOf(token.Text)
		return class == lexer.ClassNone || class == lexer.ClassColumn
	}
	return false
}

// name reads the name of a table or column.
func (c *cursor) name() string { return c.identifier().Name }

func (c *cursor) identifier() ast.Identifier {
	if c.err != nil || !c.seesName() {
		c.unexpected()
		return ast.Identifier{Pos: ast.NoPos}
	}
	at := c.pos()
	return ast.Identifier{Pos: at, Name: c.next().Text}
}

// label reads any word, reserved or not.
func (c *cursor) label() string {
	if c.err != nil || !c.token().Name() {
		c.unexpected()
		return ""
	}
	return c.next().Text
}

// word reads a bare word, reserved or not.
func (c *cursor) word() string {
	if c.err != nil || c.token().Kind != lexer.Ident {
		c.unexpected()
		return ""
	}
	return c.next().Text
}

// qualified reads a.b.c; parts after the first may be reserved words, and so may the first before
// a dot (default.t).
func (c *cursor) qualified() ast.Name {
	name := ast.Name{Pos: c.pos()}
	if c.token().Kind == lexer.Ident && c.peek(1).Is(".") {
		name.Parts = append(name.Parts, c.next().Text)
	} else {
		name.Parts = append(name.Parts, c.name())
	}
	for c.acceptSymbol(".") {
		name.Parts = append(name.Parts, c.label())
	}
	if len(name.Parts) > 4 {
		c.fail(sqlerr.New(sqlerr.SyntaxError, "improper qualified name (too many dotted names)").
			At(name.Pos.CharPosition(c.sql)))
	}
	return name
}

func (c *cursor) qualifiedList() []ast.Name {
	list := []ast.Name{c.qualified()}
	for c.acceptSymbol(",") {
		list = append(list, c.qualified())
	}
	return list
}

// columnList reads (a, b).
func (c *cursor) columnList() []ast.Identifier {
	c.expectSymbol("(")
	list := []ast.Identifier{c.identifier()}
	for c.acceptSymbol(",") {
		list = append(list, c.identifier())
	}
	c.expectSymbol(")")
	return list
}

func (c *cursor) seesString() bool { return c.err == nil && c.token().Kind == lexer.String }

func (c *cursor) stringLiteral() string {
	if !c.seesString() {
		c.unexpected()
		return ""
	}
	return c.next().Text
}

// integer reads a number with an optional sign.
func (c *cursor) integer() int64 {
	negative := c.acceptSymbol("-")
	if !negative {
		c.acceptSymbol("+")
	}
	if c.err != nil || c.token().Kind != lexer.Integer {
		c.unexpected()
		return 0
	}
	token := c.token()
	_, text := numberLiteral(token.Text)
	if negative {
		text = "-" + text
	}
	value, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		c.unexpected()
		return 0
	}
	c.next()
	return value
}

// finish checks that the statement ends here.
func (c *cursor) finish() {
	if c.err == nil && !c.end() {
		c.unexpected()
	}
}

// skipBrackets passes a bracketed stretch, the cursor standing at its opening.
func (c *cursor) skipBrackets() {
	depth := 0
	for !c.end() {
		token := c.next()
		switch {
		case token.Is("("), token.Is("["):
			depth++
		case token.Is(")"), token.Is("]"):
			depth--
			if depth == 0 {
				return
			}
		}
	}
	c.unexpected()
}

// skipUntil passes tokens until stop says so of one outside brackets, a closing bracket of the
// surroundings, or the end.
func (c *cursor) skipUntil(stop func() bool) {
	for c.err == nil && !c.end() {
		token := c.token()
		if token.Is(")") || token.Is("]") || stop() {
			return
		}
		if token.Is("(") || token.Is("[") {
			c.skipBrackets()
			continue
		}
		c.next()
	}
}
