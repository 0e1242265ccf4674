package parser

import (
	"errors"
	"strings"
	"unicode/utf8"

	pg_query "github.com/pganalyze/pg_query_go/v6"
	pg_parser "github.com/pganalyze/pg_query_go/v6/parser"

	"github.com/tarnlake/tarn/internal/sqlerr"
	"github.com/tarnlake/tarn/planner/parser/ast"
	"github.com/tarnlake/tarn/planner/parser/lexer"
)

// runGrammar parses one statement by PostgreSQL's grammar; nil without error for an empty one.
func runGrammar(f *fragment) (*pg_query.Node, error) {
	result, err := pg_query.Parse(f.text)
	if err != nil {
		return nil, f.grammarError(err)
	}
	if len(result.Stmts) == 0 {
		return nil, nil
	}
	if len(result.Stmts) > 1 {
		return nil, sqlerr.Internal("the grammar found %d statements in one", len(result.Stmts))
	}
	return result.Stmts[0].Stmt, nil
}

// grammarError turns the grammar's error into ours, with the position in the user's text.
func (f *fragment) grammarError(err error) error {
	var syntax *pg_parser.Error
	if !errors.As(err, &syntax) {
		if strings.Contains(err.Error(), "recursion depth") {
			return stackDepthError()
		}
		return sqlerr.Wrap(err, sqlerr.InternalError, "cannot read the syntax tree")
	}
	out := sqlerr.New(codeOfMessage(syntax.Message), "%s", syntax.Message)
	if out.Code == sqlerr.StatementTooComplex {
		return stackDepthError()
	}
	if strings.HasPrefix(out.Message, "LIMIT #,#") {
		out.WithHint("Use separate LIMIT and OFFSET clauses.")
	}
	if syntax.Cursorpos <= 0 {
		return out
	}
	offset := byteOffset(f.text, syntax.Cursorpos)
	at := f.origin(int32(offset))
	out.At(at.CharPosition(f.sql))
	if strings.HasPrefix(out.Message, "syntax error at or near ") {
		f.showToken(out, int(at))
	}
	return out
}

// showToken words a syntax error with the user's token and adds what may help.
func (f *fragment) showToken(out *sqlerr.Error, at int) {
	tokens, err := lexer.Scan(f.sql)
	if err != nil {
		return
	}
	for i, token := range tokens {
		if token.End <= at || token.Start > at {
			continue
		}
		if f.marker != "" || len(f.segments) > 1 {
			*out = *syntaxErrorAt(f.sql, token)
		}
		addHint(out, f.sql, tokens, i)
		return
	}
}

func codeOfMessage(message string) sqlerr.Code {
	switch {
	case strings.Contains(message, "memory exhausted"), strings.Contains(message, "stack depth limit"):
		return sqlerr.StatementTooComplex
	case strings.Contains(message, "not yet implemented"), strings.Contains(message, "not yet supported"),
		strings.Contains(message, "not implemented"):
		return sqlerr.FeatureNotSupported
	case strings.HasPrefix(message, "frame "):
		return sqlerr.WindowingError
	case strings.HasPrefix(message, "precision for type"), strings.HasPrefix(message, "invalid number of"):
		return sqlerr.InvalidParameterValue
	}
	return sqlerr.SyntaxError
}

// byteOffset turns a 1-based character position into a byte offset.
func byteOffset(text string, position int) int {
	offset := 0
	for ; position > 1 && offset < len(text); position-- {
		_, size := utf8.DecodeRuneInString(text[offset:])
		offset += size
	}
	return offset
}

// syntaxErrorAt is PostgreSQL's complaint about a token.
func syntaxErrorAt(sql string, token lexer.Token) *sqlerr.Error {
	position := ast.Pos(token.Start).CharPosition(sql)
	if token.Kind == lexer.EOF {
		return sqlerr.New(sqlerr.SyntaxError, "syntax error at end of input").At(position)
	}
	return sqlerr.New(sqlerr.SyntaxError, "syntax error at or near \"%s\"", tokenText(sql, token)).At(position)
}
