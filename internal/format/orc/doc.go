// Package orc reads ORC files into vectors and writes vectors to ORC files.
//
//	postscript ─▶ footer ─▶ File: fields, stripes, statistics
//	Reader: stripe ─(statistics)─▶ row index ─(statistics, Bloom filters)─▶ row groups
//	        ─▶ columns ─▶ streams ─▶ compression chunks ─▶ run-length runs ─▶ vectors
//
// A column is read from several streams: which rows are present, data, lengths or a second part of
// the value. A stream gives its decompressed bytes a chunk at a time (input.go); run-length decoders
// read from it; values_*.go put the decoded values where the rows are. The row index of a stripe
// tells statistics of each 10,000 rows and where they begin in every stream, so that row groups which
// nobody wants are neither decompressed nor, if large enough, fetched.
//
// A Reader decodes the columns of the filter's first stage, lets the filter narrow the selection and
// decodes the others for the rows that are left (scan.Assembler). String dictionaries stay encoded:
// such a vector is a Dict vector over the stripe's dictionary. Strings are views into decompressed
// chunks.
//
// Types: tinyint is smallint; timestamps are rounded down to microseconds, and shown as the wall
// clock of the writer's time zone, as the format wants; dates and timestamps of writers with the
// hybrid calendar are converted to the proleptic one; a union is a row of a tag and a field for each
// kind. Encrypted files and the delta directories of Hive's transactional tables are refused.
//
// Trust: every length, offset and code that comes from the file is checked before use, allocations
// follow bytes that are present and not sizes that are declared, and an error names file, stripe and
// column (XX001).
package orc
