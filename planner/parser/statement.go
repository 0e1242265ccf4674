package parser

import (
	"github.com/tarnlake/tarn/planner/parser/ast"
	"github.com/tarnlake/tarn/planner/parser/lexer"
)

// ownStatement reads the statements that are ours to read; nil for those of the grammar.
func (c *cursor) ownStatement() ast.Statement {
	first := c.token()
	if first.Kind != lexer.Ident {
		return nil
	}
	switch first.Text {
	case "create":
		return c.createStatement()
	case "alter":
		return c.alterStatement()
	case "drop":
		return c.dropStatement()
	case "truncate":
		return c.truncate()
	case "comment":
		return c.commentOn()
	case "grant", "revoke":
		return c.grant()
	case "copy":
		return c.copyStatement()
	case "call":
		return c.call()
	case "do", "reindex", "cluster", "security", "reassign", "import":
		c.unsupported(c.pos(), upperWord(first))
		return nil
	}
	if s := c.sessionStatement(first.Text); s != nil || c.err != nil {
		return s
	}
	return c.maintenanceStatement(first.Text)
}

// sessionStatement reads what concerns a session: settings, transactions, prepared statements and
// cursors.
func (c *cursor) sessionStatement(word string) ast.Statement {
	switch word {
	case "set":
		return c.set()
	case "reset":
		return c.reset()
	case "show":
		return c.show()
	case "begin", "start", "commit", "end", "abort", "savepoint", "release":
		return c.transaction()
	case "rollback":
		if c.peek(1).Word("table") {
			return c.rollbackTable()
		}
		return c.transaction()
	case "prepare":
		return c.prepare()
	case "execute":
		return c.execute()
	case "deallocate":
		c.next()
		if !c.peek(1).Is(";") && c.peek(1).Kind != lexer.EOF {
			c.accept("prepare")
		}
		return &ast.Deallocate{Name: c.nameOrAll()}
	case "declare":
		return c.declareCursor()
	case "fetch", "move":
		return c.fetch()
	case "close":
		c.next()
		return &ast.CloseCursor{Name: c.nameOrAll()}
	case "discard":
		return c.discard()
	case "listen":
		c.next()
		return &ast.Listen{Channel: c.name()}
	case "unlisten":
		c.next()
		if c.acceptSymbol("*") {
			return &ast.Unlisten{}
		}
		return &ast.Unlisten{Channel: c.name()}
	case "notify":
		return c.notify()
	}
	return nil
}

// maintenanceStatement reads what looks at tables or looks after them.
func (c *cursor) maintenanceStatement(word string) ast.Statement {
	switch word {
	case "explain":
		return c.explain()
	case "describe", "desc":
		return c.describe()
	case "use":
		c.next()
		if c.peek(1).Name() {
			c.accept("schema")
		}
		return &ast.Use{Name: c.qualified()}
	case "analyze", "analyse":
		return c.analyze()
	case "compute":
		return c.computeStats()
	case "vacuum":
		return c.vacuum()
	case "lock":
		return c.lockTable()
	case "checkpoint":
		c.next()
		return &ast.Checkpoint{}
	case "sync", "msck", "invalidate", "refresh":
		return c.syncStatement()
	case "optimize":
		return c.optimize()
	case "load":
		return c.loadData()
	case "kill":
		return c.kill()
	}
	return nil
}

// nameOrAll reads a name; "" for ALL.
func (c *cursor) nameOrAll() string {
	if c.accept("all") {
		return ""
	}
	return c.name()
}

func (c *cursor) discard() ast.Statement {
	c.next()
	what := c.acceptOne("all", "plans", "sequences", "temp", "temporary")
	if what == "" {
		c.unexpected()
	}
	names := map[string]string{"all": "ALL", "plans": "PLANS", "sequences": "SEQUENCES"}
	if name, ok := names[what]; ok {
		return &ast.Discard{What: name}
	}
	return &ast.Discard{What: "TEMP"}
}

func (c *cursor) notify() ast.Statement {
	c.next()
	s := &ast.Notify{Channel: c.name()}
	if c.acceptSymbol(",") {
		s.Payload = c.stringLiteral()
	}
	return s
}

func (c *cursor) call() ast.Statement {
	c.next()
	s := &ast.Call{Name: c.qualified()}
	s.Args = c.arguments()
	return s
}

// arguments reads (a, b, name => c).
func (c *cursor) arguments() []ast.Expr {
	c.expectSymbol("(")
	var list []ast.Expr
	if c.acceptSymbol(")") {
		return list
	}
	for c.err == nil {
		list = append(list, c.argument())
		if !c.acceptSymbol(",") {
			break
		}
	}
	c.expectSymbol(")")
	return list
}

func (c *cursor) argument() ast.Expr {
	if c.token().Name() && (c.peek(1).Is("=>") || c.peek(1).Is(":=")) {
		arg := &ast.NamedArg{Pos: c.pos(), Name: c.label()}
		c.next()
		arg.Value = c.untilComma()
		return arg
	}
	return c.untilComma()
}

// untilComma reads an expression that ends at a comma or the closing bracket around it.
func (c *cursor) untilComma() ast.Expr {
	return c.expressionUntil(func() bool { return c.token().Is(",") })
}

// properties reads (name = value, name, …).
func (c *cursor) properties() []ast.Property {
	c.expectSymbol("(")
	if c.acceptSymbol(")") {
		return nil
	}
	var list []ast.Property
	for c.err == nil {
		list = append(list, c.property())
		if !c.acceptSymbol(",") {
			break
		}
	}
	c.expectSymbol(")")
	return list
}

func (c *cursor) property() ast.Property {
	p := ast.Property{Pos: c.pos(), Name: c.propertyName()}
	if c.acceptSymbol("=") {
		p.Value = c.propertyValue()
	}
	return p
}

func (c *cursor) propertyName() string {
	if c.seesString() && c.token().Text != "" {
		return asciiLower(c.next().Text)
	}
	name := asciiLower(c.label())
	for c.acceptSymbol(".") {
		name += "." + asciiLower(c.label())
	}
	return name
}

// propertyValue reads a value; a bare word is a string.
func (c *cursor) propertyValue() ast.Expr {
	token := c.token()
	next := c.peek(1)
	ends := next.Is(",") || next.Is(")") || c.at+1 >= c.last()
	if token.Name() && ends && !token.WordIn("true", "false", "null") {
		c.next()
		return &ast.Literal{Pos: posOf(token), Kind: ast.LitString, Text: token.Text}
	}
	return nameAsString(c.untilComma())
}

func asciiLower(name string) string {
	lower := []byte(name)
	for i, b := range lower {
		if b >= 'A' && b <= 'Z' {
			lower[i] = b + 'a' - 'A'
		}
	}
	return string(lower)
}

// optionList reads (name [value], …) of EXPLAIN, ANALYZE and VACUUM.
func (c *cursor) optionList() []ast.Property {
	c.expectSymbol("(")
	var list []ast.Property
	for c.err == nil {
		p := ast.Property{Pos: c.pos(), Name: asciiLower(c.label())}
		if !c.token().Is(",") && !c.token().Is(")") {
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

// optionValue reads a string, a number or a bare word.
func (c *cursor) optionValue() ast.Expr {
	token := c.token()
	switch {
	case token.Name(), token.Kind == lexer.String:
		c.next()
		literal := &ast.Literal{Pos: posOf(token), Kind: ast.LitString, Text: token.Text}
		if token.WordIn("true", "false") {
			literal.Kind = ast.LitBool
		}
		return literal
	}
	return c.signedNumber()
}

// ifExists and ifNotExists pass their words.
func (c *cursor) ifExists() bool    { return c.accept("if", "exists") }
func (c *cursor) ifNotExists() bool { return c.accept("if", "not", "exists") }

// restrictOrCascade passes CASCADE or RESTRICT and tells whether it was CASCADE.
func (c *cursor) restrictOrCascade() bool {
	if c.accept("cascade") {
		return true
	}
	c.accept("restrict")
	return false
}

func (c *cursor) optionalPartition() []ast.PartitionValue {
	if c.accept("partition") {
		return c.partitionValues()
	}
	return nil
}
