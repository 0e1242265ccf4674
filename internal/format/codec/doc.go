// Package codec is what the columnar formats share of compression: the names of compressions that
// users choose by, a compressor of one block after the other, decompressors kept for reuse, and
// memory that is not cleared before it is overwritten.
package codec
