// Package tpch is the connector of catalog tpch: the eight tables of the TPC-H benchmark, at every scale factor, made
// by the generator when they are read. A schema is a scale factor: sf1, sf100, "sf0.01" (or sf0_01, without quotes).
//
// Splits are ranges of a table's rows (of orders, for lineitem); a range of primary keys reads only the rows in it.
// Columns are generated as a filter asks for them: those of later stages not at all where no row of a batch is left.
package tpch
