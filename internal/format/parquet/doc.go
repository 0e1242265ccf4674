// Package parquet reads Parquet files into vectors and writes vectors to Parquet files.
//
// Reading goes page by page, with no library between the bytes and the vector:
//
//	footer ─▶ File: fields, row groups, statistics
//	Reader: row group ─(statistics against domains)─▶ column chunks ─▶ pages ─▶ vectors
//
// A Reader decodes the columns of the filter's first stage for a range of rows, lets the filter
// narrow the selection, and decodes the others only where rows are left: pages without a selected
// row are never decompressed, and within a page only selected values are built. When few rows are
// left the batch is compacted. String dictionaries stay encoded: such a vector is a Dict vector over
// the row group's dictionary, unless the writer gave the dictionary up in mid-batch. Plain strings
// are views into the decompressed page.
//
// Types: unsigned integers widen; decimals of at most 18 digits are int64; UTC-adjusted timestamps
// are timestamptz; nanoseconds are rounded down to microseconds; INT96 is a timestamp. A column may
// be asked for in a wider type than the file's, see convert.go.
//
// Trust: every length, offset and code that comes from the file is checked before use, allocations
// follow bytes that are present and not sizes that are declared, page checksums are verified where
// written, and an error names file, row group and column (XX001). Encrypted files are refused.
//
// The Writer makes files of sorted or unsorted batches with bounded memory and returns the
// statistics that the catalog keeps.
package parquet
