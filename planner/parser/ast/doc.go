// Package ast is Tarn's closed SQL syntax tree.
//
// The parser builds it, the binder reads it, nobody else changes it. The three sealed interfaces
// are Statement, FromItem and Expr; everything else is a plain struct. A node never refers to the
// grammar that produced it.
//
// Positions: every node embeds Pos, the 0-based byte offset in the user's original text at which
// PostgreSQL would report an error about the node (an operator's own place for binary operators,
// the function's name for calls, the first character for the rest; NoPos where there is none).
// CharPosition turns an offset into the 1-based character position that errors carry.
//
// Names: unquoted identifiers are folded to lower case, quoted ones kept; a node holds the result.
package ast
