// Package csv reads delimited text files into vectors and writes them.
//
// A file is cut into Splits that begin at record boundaries: the Splitter finds them by following
// the quotes through the whole file, so that a quoted line break never breaks a record, and each
// split knows its first line's number. A Reader takes a split block by block: it finds the fields
// of up to a batch of records, then converts column by column straight into vectors; strings are
// views into the block. Columns that nobody asked for are only stepped over.
//
// A field is quoted when its first character is the quote; quotes elsewhere are text. An unquoted
// field equal to one of Format.Null (by default the empty one) is NULL. A record with too few or
// too many fields, or a value that its column's type does not take, is an error that names file,
// line, column and value, or with IgnoreErrors is counted and left out. Blank lines are passed over
// where a record has more than one field.
package csv
