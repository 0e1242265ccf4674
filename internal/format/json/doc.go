// Package json reads files of JSON objects into vectors and writes them.
//
// A file holds one object a line, an array of objects, or objects with any white space between
// them (Layout; told by the file's beginning where it is not given). A file of lines is cut into
// Splits at arbitrary bytes: a split owns the lines that begin in it. A Reader takes its split block
// by block: it checks the records of up to a batch and notes where the values of the wanted keys
// lie (span), then converts column by column straight into vectors; strings without escapes and
// columns of type json are views into the block. The values of other keys are checked, and passed
// over.
//
// The keys of records need not come in an order, nor all be there: a missing one is NULL, as is the
// value null. Of equal keys in one record the last counts. A key is a column's if it is equal to its
// name or else, when no other column's name is, if it is so without regard to case.
//
// A string becomes whatever its text is to the column's type, and a column of text takes any value in
// its JSON form. A record that is not well formed, or a value that its column's type does not take, is
// an error that names file, line, key and value; with IgnoreErrors it is counted and left out, only
// what is not well formed outside a file of lines stays an error.
//
// Infer guesses columns and types from the beginnings of files. Kinds of values that no type but
// json takes all of become json.
package json
