package shell

import (
	"strings"

	"github.com/nyaosorg/go-readline-ny"

	"github.com/tarnlake/tarn/planner/parser/lexer"
)

// highlighting colours keywords, literals and comments by the scanner's own tokens.
func highlighting() []readline.Highlight {
	return []readline.Highlight{
		{Pattern: tokenPattern(isKeyword), Sequence: "\x1b[1;34m"},
		{Pattern: tokenPattern(isString), Sequence: "\x1b[32m"},
		{Pattern: tokenPattern(isNumber), Sequence: "\x1b[36m"},
		{Pattern: commentPattern{}, Sequence: "\x1b[2m"},
	}
}

// tokenPattern finds the tokens that a test accepts.
type tokenPattern func(lexer.Token) bool

func (p tokenPattern) FindAllStringIndex(text string, _ int) [][]int {
	var found [][]int
	for _, token := range tokensOf(text) {
		if p(token) {
			found = append(found, []int{token.Start, token.End})
		}
	}
	return found
}

// tokensOf scans text; an open string or comment at its end is left out.
func tokensOf(text string) []lexer.Token {
	if strings.HasPrefix(strings.TrimSpace(text), `\`) {
		return nil
	}
	tokens, err := lexer.Scan(text)
	for err != nil && text != "" {
		cut := strings.LastIndexAny(text, "'\"`$/")
		if cut < 0 {
			return nil
		}
		text = text[:cut]
		tokens, err = lexer.Scan(text)
	}
	return tokens
}

func isKeyword(t lexer.Token) bool {
	return t.Kind == lexer.Ident && (lexer.ClassOf(t.Text) != lexer.ClassNone || statementWords[t.Text])
}

func isString(t lexer.Token) bool {
	return t.Kind == lexer.String || t.Kind == lexer.Bits || t.Kind == lexer.HexBits
}

func isNumber(t lexer.Token) bool {
	return t.Kind == lexer.Integer || t.Kind == lexer.Decimal || t.Kind == lexer.Param
}

// commentPattern finds comments: what lies between tokens and is not blank.
type commentPattern struct{}

func (commentPattern) FindAllStringIndex(text string, _ int) [][]int {
	var found [][]int
	at := 0
	for _, token := range tokensOf(text) {
		gap := text[at:min(token.Start, len(text))]
		if start := strings.Index(gap, "--"); start >= 0 {
			found = append(found, []int{at + start, token.Start})
		} else if start := strings.Index(gap, "/*"); start >= 0 {
			found = append(found, []int{at + start, token.Start})
		}
		at = token.End
	}
	return found
}

// statementWords begin statements and clauses but may be names elsewhere, so the grammar's classes
// leave them out.
var statementWords = wordSet(`abort add alter begin by call cascade close columns comment commit copy cube cursor database
	deallocate declare delete describe discard drop execute exists explain extension external filter first following format
	function groups if index inner insert key last lock materialized merge nulls optimize over overwrite partition partitioned
	partitions preceding prepare qualify range recursive release rename replace reset restrict revoke rollback rollup rows
	savepoint schema schemas set sets show start stats stored sync tables temp temporary transaction truncate type unbounded
	unnest update use vacuum version view views without work location ordinality pivot`)

func wordSet(words string) map[string]bool {
	set := map[string]bool{}
	for _, word := range strings.Fields(words) {
		set[word] = true
	}
	return set
}
