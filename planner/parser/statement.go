package parser

import "github.com/tarnlake/tarn/planner/parser/ast"

// ownStatement reads the statements that are ours to read; nil for those of the grammar.
func (c *cursor) ownStatement() ast.Statement {
	return nil
}
