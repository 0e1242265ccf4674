// Package files reads tables that are nothing but files: paths and patterns in FROM, read_parquet,
// read_csv, and the functions that look inside files. It also opens single files for the lake's
// tables, which differ only in where the list of files comes from.
//
//	Resolve ── pattern ─▶ list ─▶ schema of the first file (of all: union_by_name) ─▶ Table
//	Splits  ── list, partition values against domains ─▶ one split or several for each file
//	Read    ── footer (cached) ─▶ format's reader, constant columns put in before the filter looks
package files
