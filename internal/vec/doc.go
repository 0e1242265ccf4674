// Package vec holds columns of values in memory: the Vector, the Batch that operators hand to each
// other, and the Source that every producer of batches implements.
//
// A Vector is a closed struct over Arrow-layout buffers. Its encoding is Flat (one value a row),
// Const (one value for all rows) or Dict (codes into a flat dictionary without nulls). Strings are
// 16-byte views: length and up to 12 bytes inline, or length, 4-byte prefix, buffer number and
// offset. Booleans take one byte a value. Nothing in Data is a Go pointer.
//
// Lifetime is by rule, not by counting: a batch and all that it refers to are valid until its
// producer's next call of Next (or the return of emit); who keeps rows copies them. Dictionaries
// and string buffers are immutable once handed out and may be kept by reference.
package vec
