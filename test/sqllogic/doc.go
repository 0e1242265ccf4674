// Package sqllogic reads, runs and completes .slt files: statements with the answers that a server
// must give over the PostgreSQL protocol.
//
// A file is a list of records, separated by blank lines:
//
//	statement ok
//	CREATE TABLE t (a int)
//
//	statement error 42P01
//	SELECT * FROM missing
//
//	query IT rowsort
//	SELECT a, b FROM t
//	----
//	1	one
//	2	NULL
//
// A query names a type for each column (I integer, R real, T text, B boolean, D decimal or date,
// any other letter is compared as text; - for the whole leaves them open) and how to sort before comparing: nosort (the default),
// rowsort, or valuesort. Columns are separated by tabs; NULL is NULL, an empty string (empty), and
// line breaks in values are \n. R columns may differ by 1e-9 of their size.
//
// "skipif SERVER" and "onlyif SERVER" before a record leave it out for a server ("postgresql",
// "tarn", "duckdb"); "loop NAME FROM TO" and "foreach NAME VALUE…", closed by "endloop", repeat
// records with ${NAME} replaced. "halt" ends the file. Lines that begin with # are comments.
package sqllogic
