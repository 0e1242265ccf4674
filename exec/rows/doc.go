// Package rows keeps many rows in memory outside the Go heap: the build sides of joins, the keys of
// groups, the payload of sorts.
//
// A Layout gives every column a fixed place in a row of fixed width:
//
//	values of 16 and 8 bytes │ 4 │ 2 │ 1 │ null bits │ padding to 8
//
// Strings are views; long ones point into chunks that the Store keeps on the Go heap, so that
// vectors gathered from a store stay valid after it is freed. Arrays, maps and rows are serialized.
// Rows lie one after the other in one Region and are named by their number, a uint32 from 1 on (0
// is "no row"). Several Writers append at once, each into chunks of its own.
//
// The package also hashes key columns and compares stored keys with rows of a batch, a vector at a
// time: equal values have equal hashes under every encoding, −0 equals 0, NaN equals NaN, intervals
// are equal when PostgreSQL says so.
package rows
