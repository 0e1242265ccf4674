package parser

import (
	"github.com/tarnlake/tarn/internal/sqlerr"
	"github.com/tarnlake/tarn/planner/parser/ast"
	"github.com/tarnlake/tarn/planner/parser/lexer"
)

func (c *cursor) set() ast.Statement {
	c.expect("set")
	if c.accept("session", "characteristics", "as", "transaction") {
		return &ast.SetTransaction{Session: true, Modes: c.transactionModes()}
	}
	if c.accept("session", "authorization") {
		return c.setWord("session_authorization", ast.ScopeSession)
	}
	scope := ast.ScopeSession
	// SET SESSION = … would be a setting of that name.
	if !c.peek(1).Is("=") && !c.peek(1).Word("to") {
		if c.acceptOne("session", "local") == "local" {
			scope = ast.ScopeLocal
		}
	}
	switch {
	case c.accept("transaction", "snapshot"):
		return &ast.SetTransaction{Snapshot: c.stringLiteral()}
	case c.accept("transaction"):
		return &ast.SetTransaction{Modes: c.transactionModes()}
	case c.accept("time", "zone"):
		return c.setTimeZone(scope)
	case c.accept("names"):
		if c.end() {
			return &ast.Set{Scope: scope, Name: "client_encoding", Default: true}
		}
		return c.setWord("client_encoding", scope)
	case c.sees("schema") && c.peek(1).Kind == lexer.String:
		c.next()
		return c.setWord("search_path", scope)
	case c.sees("role") && !c.peek(1).Is("=") && !c.peek(1).Word("to"):
		c.next()
		return c.setWord("role", scope)
	case c.sees("constraints"):
		c.unsupported(c.pos(), "SET CONSTRAINTS")
		return nil
	}
	return c.setName(scope)
}

func (c *cursor) setName(scope ast.SetScope) ast.Statement {
	s := &ast.Set{Scope: scope, Name: c.settingName()}
	if !c.acceptSymbol("=") {
		c.expect("to")
	}
	if c.accept("default") {
		s.Default = true
		return s
	}
	for c.err == nil {
		s.Values = append(s.Values, c.settingValue())
		if !c.acceptSymbol(",") {
			break
		}
	}
	return s
}

func (c *cursor) settingName() string {
	name := c.name()
	for c.acceptSymbol(".") {
		name += "." + c.label()
	}
	return asciiLower(name)
}

// settingValue reads a string, number, bare word or, for Trino's sake, any expression.
func (c *cursor) settingValue() ast.Expr {
	token := c.token()
	switch {
	case c.end():
		c.unexpected()
		return nil
	case token.Is("-") || token.Is("+"):
		return c.signedNumber()
	case token.Name() && (c.peek(1).Is(",") || c.at+1 == c.last()):
		c.next()
		return &ast.Literal{Pos: posOf(token), Kind: ast.LitString, Text: token.Text}
	}
	return nameAsString(c.untilComma())
}

// nameAsString turns a lone name, which has no columns to refer to, into a string.
func nameAsString(value ast.Expr) ast.Expr {
	if word, ok := value.(*ast.ColumnRef); ok && len(word.Parts) == 1 {
		return &ast.Literal{Pos: word.Pos, Kind: ast.LitString, Text: word.Parts[0]}
	}
	return value
}

// setWord reads the value of a setting that is written without = or TO.
func (c *cursor) setWord(name string, scope ast.SetScope) ast.Statement {
	s := &ast.Set{Scope: scope, Name: name}
	if c.accept("default") {
		s.Default = true
		return s
	}
	token := c.token()
	if c.err == nil && token.Kind != lexer.String && !token.Name() {
		c.unexpected()
	}
	c.next()
	s.Values = []ast.Expr{&ast.Literal{Pos: posOf(token), Kind: ast.LitString, Text: token.Text}}
	return s
}

func (c *cursor) setTimeZone(scope ast.SetScope) ast.Statement {
	s := &ast.Set{Scope: scope, Name: "timezone"}
	if c.accept("default") || c.accept("local") {
		s.Default = true
		return s
	}
	s.Values = []ast.Expr{c.settingValue()}
	return s
}

func (c *cursor) reset() ast.Statement {
	c.expect("reset")
	s := &ast.Set{Default: true}
	switch {
	case c.accept("all"):
		s.Name = "all"
	case c.accept("time", "zone"):
		s.Name = "timezone"
	case c.accept("transaction", "isolation", "level"):
		s.Name = "transaction_isolation"
	case c.accept("session", "authorization"):
		s.Name = "session_authorization"
	default:
		if c.peek(1).Name() {
			c.accept("session")
		}
		s.Name = c.settingName()
	}
	return s
}

// transactionModes reads modes with or without commas between them.
func (c *cursor) transactionModes() ast.TransactionModes {
	var modes ast.TransactionModes
	for c.err == nil && !c.end() {
		switch {
		case c.accept("isolation", "level"):
			modes.Isolation = c.isolationLevel()
		case c.accept("read", "only"):
			modes.Access = ast.ReadOnly
		case c.accept("read", "write"):
			modes.Access = ast.ReadWrite
		case c.accept("deferrable"):
			modes.Deferrable = ast.DeferrableOn
		case c.accept("not", "deferrable"):
			modes.Deferrable = ast.DeferrableOff
		default:
			c.unexpected()
		}
		c.acceptSymbol(",")
	}
	return modes
}

func (c *cursor) isolationLevel() ast.IsolationLevel {
	switch {
	case c.accept("read", "uncommitted"):
		return ast.ReadUncommitted
	case c.accept("read", "committed"):
		return ast.ReadCommitted
	case c.accept("repeatable", "read"):
		return ast.RepeatableRead
	case c.accept("serializable"):
		return ast.Serializable
	}
	c.unexpected()
	return ast.IsolationUnset
}

func (c *cursor) transaction() ast.Statement {
	s := &ast.Transaction{}
	switch word := c.next().Text; word {
	case "begin", "start":
		s.Start = word == "start"
		if s.Start {
			c.expect("transaction")
		} else {
			c.acceptOne("work", "transaction")
		}
		s.Modes = c.transactionModes()
	case "savepoint":
		s.Kind, s.Savepoint = ast.Savepoint, c.name()
	case "release":
		c.accept("savepoint")
		s.Kind, s.Savepoint = ast.ReleaseSavepoint, c.name()
	default:
		c.endTransaction(s, word)
	}
	return s
}

func (c *cursor) endTransaction(s *ast.Transaction, word string) {
	s.Kind = ast.Commit
	if word == "rollback" || word == "abort" {
		s.Kind = ast.Rollback
	}
	if c.sees("prepared") {
		c.unsupported(c.pos(), "two-phase commit")
		return
	}
	c.acceptOne("work", "transaction")
	switch {
	case word == "rollback" && c.accept("to"):
		c.accept("savepoint")
		s.Kind, s.Savepoint = ast.RollbackToSavepoint, c.name()
	case c.accept("and", "chain"):
		s.Chain = true
	case c.accept("and", "no", "chain"):
	}
}

func (c *cursor) rollbackTable() ast.Statement {
	c.expect("rollback", "table")
	s := &ast.RollbackTable{Table: c.qualified()}
	c.expect("to")
	s.To.Pos = c.pos()
	switch c.acceptOne("version", "timestamp") {
	case "timestamp":
		s.To.Timestamp = true
	case "":
		c.unexpected()
	}
	s.To.Value = c.expressionUntil(func() bool { return false })
	return s
}

func (c *cursor) prepare() ast.Statement {
	c.expect("prepare")
	if c.sees("transaction") && c.peek(1).Kind == lexer.String {
		c.unsupported(c.pos(), "two-phase commit")
		return nil
	}
	s := &ast.Prepare{Name: c.name()}
	if c.acceptSymbol("(") {
		for c.err == nil {
			s.Types = append(s.Types, c.typeName())
			if !c.acceptSymbol(",") {
				break
			}
		}
		c.expectSymbol(")")
	}
	if !c.accept("from") {
		c.expect("as")
	}
	if c.err == nil {
		s.Statement = c.statement()
	}
	return s
}

func (c *cursor) execute() ast.Statement {
	c.expect("execute")
	s := &ast.Execute{}
	if c.sees("immediate") && c.peek(1).Kind == lexer.String {
		c.next()
		c.executeImmediate(s)
	} else {
		s.Name = c.name()
	}
	switch {
	case c.token().Is("("):
		s.Args = c.arguments()
	case c.accept("using"):
		for c.err == nil {
			s.Args = append(s.Args, c.untilComma())
			if !c.acceptSymbol(",") {
				break
			}
		}
	}
	return s
}

func (c *cursor) executeImmediate(s *ast.Execute) {
	at := c.pos()
	inner, err := ParseOne(c.stringLiteral())
	if err != nil {
		c.fail(outerError(err, at.CharPosition(c.sql)))
		return
	}
	s.Immediate = inner
}

// outerError puts an error inside a string literal at the literal's place.
func outerError(err error, position int) error {
	inner := *sqlerr.From(err)
	inner.Position = position
	return &inner
}

func (c *cursor) declareCursor() ast.Statement {
	c.expect("declare")
	s := &ast.DeclareCursor{Name: c.name()}
	for c.err == nil && !c.accept("cursor") {
		switch {
		case c.accept("binary"):
			s.Binary = true
		case c.accept("insensitive"):
			s.Insensitive = true
		case c.accept("asensitive"):
		case c.accept("scroll"):
			s.Scroll = true
		case c.accept("no", "scroll"):
			s.NoScroll = true
		default:
			c.unexpected()
		}
	}
	if c.accept("with", "hold") {
		s.Hold = true
	} else {
		c.accept("without", "hold")
	}
	c.expect("for")
	if c.err == nil {
		s.Query = c.query(c.last())
	}
	return s
}

func (c *cursor) fetch() ast.Statement {
	s := &ast.Fetch{Move: c.next().Text == "move", Count: 1}
	c.fetchDirection(s)
	if !c.accept("from") {
		c.accept("in")
	}
	s.Cursor = c.name()
	return s
}

func (c *cursor) fetchDirection(s *ast.Fetch) {
	numberAhead := c.token().Kind == lexer.Integer || c.token().Is("-") || c.token().Is("+")
	if numberAhead {
		s.Count = c.integer()
		return
	}
	// FETCH next alone names a cursor of that name.
	if next := c.peek(1); next.Kind == lexer.EOF || next.Is(";") {
		return
	}
	switch c.acceptOne("next", "prior", "first", "last", "absolute", "relative", "forward", "backward", "all") {
	case "prior":
		s.Direction = ast.FetchBackward
	case "first":
		s.Direction = ast.FetchAbsolute
	case "last":
		s.Direction, s.Count = ast.FetchAbsolute, -1
	case "absolute":
		s.Direction, s.Count = ast.FetchAbsolute, c.integer()
	case "relative":
		s.Direction, s.Count = ast.FetchRelative, c.integer()
	case "all":
		s.All = true
	case "forward":
		c.fetchCount(s)
	case "backward":
		s.Direction = ast.FetchBackward
		c.fetchCount(s)
	}
}

func (c *cursor) fetchCount(s *ast.Fetch) {
	if c.accept("all") {
		s.All = true
	} else if c.token().Kind == lexer.Integer || c.token().Is("-") || c.token().Is("+") {
		s.Count = c.integer()
	}
}
