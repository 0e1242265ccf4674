package parser

import (
	"strings"

	"github.com/tarnlake/tarn/internal/sqlerr"
	"github.com/tarnlake/tarn/planner/parser/lexer"
)

// addHint gives a syntax error at tokens[i] our spelling of what another engine would have
// understood there.
func addHint(err *sqlerr.Error, sql string, tokens []lexer.Token, i int) {
	if err.Hint != "" {
		return
	}
	token := tokens[i]
	previous, next := lexer.Token{}, lexer.Token{}
	if i > 0 {
		previous = tokens[i-1]
	}
	if i+1 < len(tokens) {
		next = tokens[i+1]
	}
	if hint := wordHint(token, previous, next); hint != "" {
		err.WithHint("%s", hint)
		return
	}
	// The grammar often complains one word after the foreign one.
	if hint := wordHint(previous, lexer.Token{}, token); hint != "" {
		err.WithHint("%s", hint)
		return
	}
	for back := 2; back <= 3 && i-back >= 0; back++ {
		if tokens[i-back].Word("match_recognize") {
			err.WithHint("%s", wordHint(tokens[i-back], lexer.Token{}, lexer.Token{}))
			return
		}
	}
	if token.Kind == lexer.Ident && lexer.ClassOf(token.Text) == lexer.ClassReserved &&
		(previous.Is(",") || previous.Is("(") || previous.Is(".") || previous.WordIn("select", "as", "table", "from", "by")) && !next.Is("(") {
		err.WithHint("%s is a reserved word; as a name it is written \"%s\".", strings.ToUpper(token.Text), token.Text)
	}
}

func wordHint(token, previous, next lexer.Token) string {
	if token.Kind == lexer.Op {
		if token.Text == "&&" || token.Text == "||" {
			return "Logical operators are AND and OR; || joins strings."
		}
		return ""
	}
	if token.Kind != lexer.Ident {
		return ""
	}
	switch token.Text {
	case "top":
		return "Write LIMIT n at the end of the query."
	case "minus":
		return "Write EXCEPT."
	case "match_recognize":
		return "Row pattern recognition is not supported; window functions can often express it."
	case "pivot", "unpivot":
		return "Write aggregates with FILTER (WHERE ...), one per column."
	case "lateral":
		if next.Word("view") {
			return "Write CROSS JOIN UNNEST(array) AS t (column)."
		}
	case "explode", "posexplode":
		return "Write CROSS JOIN UNNEST(array) AS t (column)."
	case "cluster", "distribute", "sort":
		if next.Word("by") {
			return "Write ORDER BY; how rows are distributed is the engine's affair."
		}
	case "engine", "auto_increment", "autoincrement":
		return "Storage is chosen by STORED AS and WITH (...); there are no generated keys."
	case "upsert":
		return "Write MERGE or INSERT OVERWRITE."
	case "replace":
		if next.Word("into") {
			return "Write INSERT OVERWRITE."
		}
	case "ifnull", "nvl":
		return "Write coalesce(a, b)."
	case "tblproperties":
		return "Write WITH (name = value, ...)."
	case "exclude", "except":
		if previous.Is("*") {
			return "List the columns that you want."
		}
	case "start", "connect":
		if next.WordIn("with", "by") {
			return "Write WITH RECURSIVE."
		}
	}
	return ""
}

func upperWord(token lexer.Token) string { return strings.ToUpper(token.Text) }
