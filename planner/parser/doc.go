// Package parser turns SQL text into Tarn's syntax tree, planner/parser/ast.
//
//	text ─▶ lexer ─▶ guard ─┬▶ queries, DML: rewriter ─▶ PostgreSQL's grammar ─▶ converter ─┐
//	                        └▶ everything else: our own recursive reader ◀─ embedded queries ┴▶ ast
//
// PostgreSQL's own grammar (pg_query_go) reads queries and data changes; nothing of it is visible
// outside. Spellings of other engines are rewritten before, token by token, and a map leads every
// position back to the user's text. Utility statements, DDL and what PostgreSQL lacks are read by
// the cursor in the stmt files, which hands queries and expressions inside them to the same path.
//
// The guard measures every chain of operators first: the C grammar would overflow its stack on a
// long one and take the process with it.
//
// Parse is safe for concurrent use; it keeps no state.
package parser
