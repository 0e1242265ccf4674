package ast

import "unicode/utf8"

// Pos is a 0-based byte offset in the user's original SQL.
type Pos int

// NoPos marks a node that the user did not write.
const NoPos Pos = -1

// Offset gives the position itself; it makes every node a Node.
func (p Pos) Offset() Pos { return p }

// CharPosition gives the 1-based character position of p in sql, and 0 for NoPos: what
// sqlerr.Error.At expects.
func (p Pos) CharPosition(sql string) int {
	if p < 0 {
		return 0
	}
	if int(p) > len(sql) {
		p = Pos(len(sql))
	}
	return utf8.RuneCountInString(sql[:p]) + 1
}

// Node is any part of a tree.
type Node interface{ Offset() Pos }

// Statement is one SQL statement. The set of implementations is closed.
type Statement interface {
	Node
	// Span gives the statement's text in the original SQL: sql[start:end], without the semicolon.
	Span() (start, end Pos)
	// SetSpan is for the parser.
	SetSpan(start, end Pos)
	statement()
}

// Source is embedded by every Statement; Pos is the start of its text and End the end.
type Source struct {
	Pos
	End Pos
}

// Span gives the statement's place in the original SQL.
func (s *Source) Span() (start, end Pos) { return s.Pos, s.End }

// SetSpan sets the statement's place.
func (s *Source) SetSpan(start, end Pos) { s.Pos, s.End = start, end }

func (s *Source) statement() {}

// Expr is a scalar expression. The set of implementations is closed.
type Expr interface {
	Node
	expr()
}

// FromItem is one item of a FROM list: a table, a sub-query, a function, UNNEST, a file, a join.
// The set of implementations is closed.
type FromItem interface {
	Node
	fromItem()
}

// QueryBody is what a Query orders and limits: *SelectCore, *SetOperation or *Values.
type QueryBody interface {
	Node
	queryBody()
}

// Name is a possibly qualified name, outermost qualifier first: {"t"}, {"schema", "t"},
// {"catalog", "schema", "t"}.
type Name struct {
	Pos
	Parts []string
}

// Last gives the unqualified part, "" for an empty name.
func (n Name) Last() string {
	if len(n.Parts) == 0 {
		return ""
	}
	return n.Parts[len(n.Parts)-1]
}

// Identifier is one name with its place, where a list of names is written out.
type Identifier struct {
	Pos
	Name string
}
