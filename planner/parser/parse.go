package parser

import (
	"errors"

	pg_query "github.com/pganalyze/pg_query_go/v6"

	"github.com/tarnlake/tarn/internal/sqlerr"
	"github.com/tarnlake/tarn/planner/parser/ast"
	"github.com/tarnlake/tarn/planner/parser/lexer"
)

// Parse reads a text of any number of statements; empty ones are left out. Each statement's Span is
// its place in sql, and all positions count in sql. An error is a *sqlerr.Error with a position.
func Parse(sql string) ([]ast.Statement, error) {
	if err := checkText(sql); err != nil {
		return nil, err
	}
	tokens, err := lexer.Scan(sql)
	if err != nil {
		return nil, err
	}
	var list []ast.Statement
	for start, i := 0, 0; i < len(tokens); i++ {
		if tokens[i].Kind != lexer.EOF && !tokens[i].Is(";") {
			continue
		}
		if i > start {
			statement, err := parseStatement(sql, tokens[start:i+1:i+1])
			if err != nil {
				return nil, err
			}
			list = append(list, statement)
			if len(list) > maxStatements {
				return nil, sqlerr.New(sqlerr.ProgramLimitExceeded, "more than %d statements in one text", maxStatements)
			}
		}
		start = i + 1
	}
	return list, nil
}

// ParseOne reads a text of exactly one statement.
func ParseOne(sql string) (ast.Statement, error) {
	list, err := Parse(sql)
	if err != nil {
		return nil, err
	}
	switch len(list) {
	case 0:
		return nil, sqlerr.New(sqlerr.SyntaxError, "syntax error at end of input").At(ast.Pos(len(sql)).CharPosition(sql))
	case 1:
		return list[0], nil
	}
	at, _ := list[1].Span()
	return nil, sqlerr.New(sqlerr.SyntaxError, "cannot insert multiple commands into a prepared statement").At(at.CharPosition(sql))
}

// parseStatement reads one statement; the last token is its end and no part of it.
func parseStatement(sql string, tokens []lexer.Token) (ast.Statement, error) {
	if err := checkDepth(sql, tokens); err != nil {
		return nil, err
	}
	c := &cursor{sql: sql, tokens: tokens}
	statement := c.statement()
	if c.err != nil {
		return nil, unsupportedForm(sql, tokens, c.err)
	}
	return statement, nil
}

// unsupportedForm looks at a syntax error of our own reader once more: where PostgreSQL's grammar
// accepts the statement, it is not wrong but a form that there is no use for here.
func unsupportedForm(sql string, tokens []lexer.Token, err error) error {
	var e *sqlerr.Error
	first := tokens[0]
	if !errors.As(err, &e) || e.Code != sqlerr.SyntaxError || first.Kind != lexer.Ident || isGrammarWord(first.Text) {
		return err
	}
	result, grammarErr := pg_query.Parse(sql[first.Start:tokens[len(tokens)-2].End])
	if grammarErr != nil || len(result.Stmts) != 1 {
		return err
	}
	what := upperWord(first)
	if second := tokens[1]; second.Kind == lexer.Ident && first.WordIn("create", "alter", "drop") {
		what += " " + upperWord(second)
	}
	return sqlerr.New(sqlerr.FeatureNotSupported, "this form of %s is not supported", what).At(e.Position)
}

// isGrammarWord tells whether a statement that begins so is the grammar's from the start.
func isGrammarWord(word string) bool {
	switch word {
	case "select", "with", "values", "table", "insert", "update", "delete", "merge":
		return true
	}
	return false
}

// statement reads the statement at the cursor, up to the end of the tokens.
func (c *cursor) statement() ast.Statement {
	start := c.at
	statement := c.ownStatement()
	if statement == nil && c.err == nil {
		c.at = start
		statement = c.grammarStatement()
	}
	if c.err != nil || statement == nil {
		return nil
	}
	c.finish()
	statement.SetSpan(ast.Pos(c.tokens[start].Start), ast.Pos(c.tokens[c.last()-1].End))
	return statement
}

// grammarStatement hands the rest of the tokens to PostgreSQL's grammar.
func (c *cursor) grammarStatement() ast.Statement {
	first := c.token()
	f, node := c.runRewritten(c.at, c.last(), "", "")
	if node == nil {
		return nil
	}
	convert := &converter{fragment: f}
	statement := convert.statement(node)
	if convert.err != nil {
		c.fail(convert.err)
		return nil
	}
	if statement == nil {
		c.unsupported(ast.Pos(first.Start), upperWord(first))
		return nil
	}
	c.at = c.last()
	return statement
}

// runRewritten runs the grammar over the tokens from to before end, with prefix and suffix around
// them; nil after an error.
func (c *cursor) runRewritten(from, end int, prefix, suffix string) (*fragment, *pg_query.Node) {
	if from >= end {
		c.at = end
		c.unexpected()
		return nil, nil
	}
	f, err := rewrite(c.sql, c.tokens[from:end+1], prefix, suffix)
	if err != nil {
		c.fail(err)
		return nil, nil
	}
	node, err := runGrammar(f)
	if err != nil {
		c.fail(err)
		return nil, nil
	}
	if node == nil {
		c.unexpected()
	}
	return f, node
}

// query reads the tokens up to end as a query.
func (c *cursor) query(end int) *ast.Query {
	f, node := c.runRewritten(c.at, end, "", "")
	if node == nil {
		return nil
	}
	if node.GetSelectStmt() == nil {
		c.unexpected()
		return nil
	}
	convert := &converter{fragment: f}
	q := convert.subquery(node, c.pos())
	if convert.err != nil {
		c.fail(convert.err)
		return nil
	}
	c.at = end
	return q
}

// expression reads the tokens up to end as one expression.
func (c *cursor) expression(end int) ast.Expr {
	if literal := c.simpleLiteral(end); literal != nil {
		return literal
	}
	f, node := c.runRewritten(c.at, end, "SELECT (", ")")
	if node == nil {
		return nil
	}
	convert := &converter{fragment: f}
	targets := node.GetSelectStmt().GetTargetList()
	if len(targets) != 1 {
		c.unexpected()
		return nil
	}
	e := convert.expr(targets[0].GetResTarget().GetVal())
	if convert.err != nil {
		c.fail(convert.err)
		return nil
	}
	c.at = end
	return e
}

// simpleLiteral reads a lone constant without asking the grammar.
func (c *cursor) simpleLiteral(end int) ast.Expr {
	if end != c.at+1 {
		return nil
	}
	token := c.token()
	literal := &ast.Literal{Pos: ast.Pos(token.Start), Kind: ast.LitString, Text: token.Text}
	switch {
	case token.Kind == lexer.String:
	case token.Kind == lexer.Integer || token.Kind == lexer.Decimal:
		literal.Kind, literal.Text = numberLiteral(token.Text)
	case token.WordIn("true", "false"):
		literal.Kind = ast.LitBool
	case token.Word("null"):
		literal.Kind, literal.Text = ast.LitNull, ""
	default:
		return nil
	}
	c.at = end
	return literal
}

// expressionUntil reads an expression that ends where stop says, at the closing bracket of its
// surroundings, or with the statement.
func (c *cursor) expressionUntil(stop func() bool) ast.Expr {
	start := c.at
	c.skipUntil(stop)
	if c.err != nil {
		return nil
	}
	end := c.at
	c.at = start
	return c.expression(end)
}
