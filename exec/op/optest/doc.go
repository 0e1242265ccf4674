// Package optest runs plans over small tables under many configurations (batch sizes, drivers,
// encodings, selections, NULLs, forced spilling) and compares the rows with those that a naive
// reference computed.
package optest
