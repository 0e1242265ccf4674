// Package csv reads delimited text files into vectors and writes them.
//
// A file is cut into Splits at any bytes: who reads one guesses by what follows, quotes included,
// where the first record begins there, and who reads the one before sees whether a record really
// ends at that byte; a wrong guess is an error. A file that is known to have line breaks in quotes,
// or whose records must be numbered, is cut by following the quotes through all of it instead, and
// each split knows its first line's number. A Reader takes a split block by block: it finds the fields
// of up to a batch of records, then converts column by column straight into vectors; strings are
// views into the block. Columns that nobody asked for are only stepped over.
//
// A field is quoted when its first character is the quote; quotes elsewhere are text. An unquoted
// field equal to one of Format.Null (by default the empty one) is NULL. A record with too few or
// too many fields, or a value that its column's type does not take, is an error that names file,
// line, column and value, or with IgnoreErrors is counted and left out. Blank lines are passed over
// where a record has more than one field.
package csv
