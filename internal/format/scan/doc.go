// Package scan is what the readers of files share: what a scan asks for (columns, staged filter,
// domains, counters), how fields are found by name, and for columnar files the Assembler that
// decodes columns stage by stage for the rows that are left, reading ahead of distant stores, the
// comparison of a file's statistics with domains, and the conversion of vectors from a file's types
// to a table's.
package scan
