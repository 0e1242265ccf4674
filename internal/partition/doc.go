// Package partition names partitions as Hive does: values as text, escaped into path segments
// `column=value`, and read back from them.
//
// The text of a value is canonical: equal values of a type have equal texts, so that a partition's
// Key identifies it whatever its columns are called. NULL is `__HIVE_DEFAULT_PARTITION__`, and so,
// as in Hive, is the empty string on the way in: a path cannot hold it.
package partition
