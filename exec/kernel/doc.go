// Package kernel holds the loops over columns that everything in exec shares: tiny generic helpers
// that inline together with the function literal at their call, comparisons that give selections,
// hashes, row lists and the movement of rows between vectors.
//
// Rows of a batch are named by ascending lists of int32, as in vec.Batch.Sel; nil stands for all n
// rows. Rows that are not listed may hold anything: fixed-width values of such rows may be read
// (wrapping arithmetic does no harm), but string views, lists and dictionary codes may not.
//
// The helpers in loop.go must stay below the inliner's budget: a test reads the compiler's report.
package kernel
