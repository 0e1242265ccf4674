// Package objstore is the one interface through which table files are read and written, and its
// implementation for local directories.
//
// A store holds objects under slash-separated keys, byte-ordered, without directories of their own,
// as S3 does; Local maps keys to files below a root. An object appears at once and whole: a Writer's
// bytes are invisible until Commit has made them durable. A read names the version (ETag) that it
// expects, so that a file replaced behind the catalog's back gives an error and never mixed rows.
//
// Errors are sqlerr errors: 58P01 for a missing object, 53100 for a full disk, 42501 for missing
// rights, 58030 for the rest. Failed conditions wrap ErrPrecondition.
package objstore
