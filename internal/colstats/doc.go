// Package colstats holds what is known of the columns of a file, a partition or a table: rows,
// nulls, minimum, maximum, width, and a HyperLogLog sketch of the distinct values.
//
// A Collector fills a Summary while rows are written. Summaries and sketches merge, and pack into
// compact, versioned bytes: a catalog keeps one packed Summary a file, and sketches only for each
// partition and table, for they are larger. Columns are known by their stable IDs.
package colstats
