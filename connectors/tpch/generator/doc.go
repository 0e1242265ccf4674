// Package generator makes the rows of the TPC-H benchmark's eight tables, at any scale factor.
//
// The rows are those of the TPC's own dbgen (release 3): each column draws from random streams of its own, every row
// has a fixed allotment of each stream, and so any range of rows follows from its numbers alone. What dbgen skips row
// by row is skipped here by computing the stream's state at the range's first row; a column that is not asked for costs
// nothing. The columns of a batch are written one after another, each in a loop of its own:
//
//	Reader ─▶ chunk: orders 4096…4607 ─▶ column(l_shipdate) ─▶ lineDates ─▶ drawLines(stream) + order dates
//	                                    └▶ column(l_returnflag) ─▶ returnFlags ─▶ column(l_receiptdate) ─▶ …
//
// Comments are pieces of a text of 300 MiB, dbgen's "text pool", which textpool.go writes when a comment is first asked
// for. Columns of few words are dictionary vectors.
//
// The generator implements the TPC Benchmark H standard specification; it is not a product of the Transaction
// Processing Performance Council, and runs over its rows are not TPC-H results.
package generator
