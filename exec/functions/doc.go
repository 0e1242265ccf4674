// Package functions implements the SQL functions, operators and aggregates that internal/fn declares,
// and puts them into the one immutable registry. One file holds one family; a row of the registry
// carries its documentation and an example, from which docs/functions.md and system.functions come.
//
// Names, results and errors follow PostgreSQL; Presto's, Hive's and Impala's spellings are further
// rows. Kernels that TPC-H-like queries live on have loops of their own; for the rest, which do far
// more work per value than a call costs, generic adapters in define.go run a Go function per row.
package functions
