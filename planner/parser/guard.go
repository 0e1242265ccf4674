package parser

import (
	"strings"
	"unicode/utf8"

	"github.com/tarnlake/tarn/internal/sqlerr"
	"github.com/tarnlake/tarn/planner/parser/ast"
	"github.com/tarnlake/tarn/planner/parser/lexer"
)

// The limits of one text. PostgreSQL's grammar recurses in C over long chains of operators, where
// an overflow of the stack ends the process; so a chain is measured before it gets there.
const (
	maxTextBytes  = 64 << 20
	maxChain      = 4000 // operators, casts, joins, set operators one below the other
	maxNesting    = 1000 // parentheses and brackets
	maxStatements = 100_000
)

func stackDepthError() *sqlerr.Error {
	return sqlerr.New(sqlerr.StatementTooComplex, "stack depth limit exceeded").
		WithHint("Break the statement's longest chain of operators, joins or set operations: use IN, VALUES, concat() or a table instead.")
}

// checkText refuses what no statement may hold.
func checkText(sql string) error {
	if len(sql) > maxTextBytes {
		return sqlerr.New(sqlerr.ProgramLimitExceeded, "statement is longer than %d bytes", maxTextBytes).
			WithHint("Load large data by COPY instead of INSERT.")
	}
	if i := strings.IndexByte(sql, 0); i >= 0 {
		return sqlerr.New(sqlerr.CharacterNotInRepertoire, "invalid byte sequence for encoding \"UTF8\": 0x00").
			At(ast.Pos(i).CharPosition(sql))
	}
	if utf8.ValidString(sql) {
		return nil
	}
	for i, r := range sql {
		if r != utf8.RuneError {
			continue
		}
		if _, size := utf8.DecodeRuneInString(sql[i:]); size == 1 {
			return sqlerr.New(sqlerr.CharacterNotInRepertoire, "invalid byte sequence for encoding \"UTF8\": 0x%02x", sql[i]).
				At(ast.Pos(i).CharPosition(sql))
		}
	}
	return nil
}

// level measures one pair of brackets, or the whole statement. chain counts the operators since the
// last comma, AND or OR; joins and sets those of the current SELECT and of the whole level, which no
// comma ends; below is the deepest bracket since the last comma.
type level struct {
	chain, joins, sets int
	below, deepest     int
	between            int
	isCase             bool // CASE … END instead of brackets
}

func (l *level) depth() int { return max(l.deepest, l.chain+l.joins+l.sets+l.below) }

func (l *level) comma() {
	l.deepest = max(l.deepest, l.chain+l.joins+l.sets+l.below)
	l.chain, l.between = 0, 0
	if l.joins == 0 && l.sets == 0 {
		l.below = 0
	}
}

// checkDepth bounds the depth of the tree that a statement's tokens can make.
func checkDepth(sql string, tokens []lexer.Token) error {
	levels := make([]level, 1, 16)
	for i := range tokens {
		token := &tokens[i]
		top := &levels[len(levels)-1]
		switch token.Kind {
		case lexer.Op:
			top.chain++
		case lexer.Ident:
			levels = wordDepth(levels, token.Text)
		case lexer.Punct:
			switch token.Text {
			case "(", "[":
				levels = append(levels, level{})
			case ")", "]":
				for len(levels) > 1 && levels[len(levels)-1].isCase {
					levels = popLevel(levels)
				}
				levels = popLevel(levels)
			case ",":
				top.comma()
			}
		}
		if len(levels) > maxNesting || levels[len(levels)-1].depth() > maxChain {
			return stackDepthError().At(ast.Pos(token.Start).CharPosition(sql))
		}
	}
	total := 0
	for i := range levels {
		total += levels[i].depth()
	}
	if total > 2*maxChain {
		return stackDepthError()
	}
	return nil
}

func popLevel(levels []level) []level {
	if len(levels) == 1 {
		return levels
	}
	inner := levels[len(levels)-1].depth()
	levels = levels[:len(levels)-1]
	top := &levels[len(levels)-1]
	top.below = max(top.below, inner)
	return levels
}

func wordDepth(levels []level, word string) []level {
	top := &levels[len(levels)-1]
	switch word {
	case "case":
		top.chain++
		return append(levels, level{isCase: true})
	case "end":
		if top.isCase {
			return popLevel(levels)
		}
	case "when", "then", "else":
		if top.isCase {
			top.comma()
		}
	default:
		top.word(word)
	}
	return levels
}

func (l *level) word(word string) {
	switch word {
	case "and", "or":
		if word == "and" && l.between > 0 {
			l.between--
			return
		}
		l.comma()
	case "is", "isnull", "notnull", "at", "collate", "not", "like", "ilike", "similar", "in", "rlike", "regexp",
		"iregexp", "div", "overlaps":
		l.chain++
	case "between":
		l.chain++
		l.between++
	case "join":
		l.joins++
	case "union", "intersect", "except":
		l.comma()
		l.joins = 0
		l.sets++
	}
}
