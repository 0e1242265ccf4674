// Package statement runs the statements that are neither queries nor writes of rows: definitions of
// schemas, tables and views, SHOW and DESCRIBE, statistics, users, COPY. It is the engine's Utility.
//
// One file holds one family of statements. Every change is staged in the session's transaction
// through catalog.Tx; nothing here writes the catalog by itself. Rows are moved by the engine:
// CREATE TABLE AS and COPY bind a query or an INSERT and let the engine run it.
//
//	Plan ─▶ session.Prepared (columns, parameters)      Execute ─▶ stage ─▶ session.Result
//
// Messages, SQLSTATEs and positions are PostgreSQL's wherever it has the statement.
package statement
