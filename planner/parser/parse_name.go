package parser

import (
	"github.com/tarnlake/tarn/internal/sqlerr"
	"github.com/tarnlake/tarn/planner/parser/lexer"
)

// ParseName reads a possibly qualified name as it stands in a string: 'public."Mixed"'. Unquoted parts
// are folded, keywords are names.
func ParseName(text string) ([]string, error) {
	bad := sqlerr.New(sqlerr.InvalidName, "invalid name syntax")
	tokens, err := lexer.Scan(text)
	if err != nil {
		return nil, bad
	}
	var parts []string
	for i := 0; ; i += 2 {
		if !tokens[i].Name() || tokens[i].Text == "" {
			return nil, bad
		}
		parts = append(parts, tokens[i].Text)
		switch next := tokens[i+1]; {
		case next.Kind == lexer.EOF:
			return parts, nil
		case !next.Is("."):
			return nil, bad
		}
	}
}
