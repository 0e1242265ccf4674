// Package catalog knows every name, file and statistic of the lake, in a SQL database: SQLite
// embedded by default, PostgreSQL when several servers share it.
//
// All rows carry the commit that began and the one that ended them, and commits are numbered by one
// counter whose row lock orders them, so one number is a snapshot of everything. A Tx fixes such a
// number when it begins and stages its changes in memory, where its own reads see them; no database
// transaction outlives a statement. Commit is one database transaction: it locks the counter, looks
// for conflicts with commits after the snapshot, writes, and ends. A token makes it repeatable: a
// commit whose reply was lost is recognised when it is tried again.
//
//	Catalog ── latest ──▶ directory   immutable: all names at one commit, advanced by deltas
//	   │                     ▲
//	   └─ Begin ─▶ Tx ── overlay over the directory: staged definitions and file changes
//	                └─ Commit ─▶ conflicts ─▶ rows with begin_commit = n
//
// A table's files are grouped by partition. Whatever changes a partition's files gives it a new row,
// so partitions and their files are cached under (table, key, begin) and never grow stale.
//
// Conflicts: appends never conflict with appends. A transaction that overwrites or deletes
// partitions fails with 40001 when another changed one of them after its snapshot, and so does any
// write to a table whose definition changed meanwhile.
package catalog
