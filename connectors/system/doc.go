// Package system serves virtual tables: schema system, and whatever other schemas it is handed.
//
// The tables' rows come from listers that the coordinator hands in; this package knows how they are
// read, and what the columns of the server's own tables are called. A scan of a virtual table is one
// split, which must be read on the node that lists it.
package system
