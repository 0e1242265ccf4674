// Package connectors is the service provider interface: all that a connector may see of the engine,
// and all that the engine may see of a connector.
//
// A table is read in four steps. On the coordinator, Metadata resolves its name to a Table inside a
// transaction's snapshot, and the optimizer fills in a Scan: the columns, and the Domains that rows
// must lie in. Splits then lists the pieces that may hold such rows. On a worker, Read turns one
// split into a vec.Source, decoding the filter's columns first and the others only for rows that
// passed. A write is the mirror image: BeginWrite makes a Target, workers Write pages to it and
// return Fragments, and FinishWrite stages them for the transaction's commit.
//
// Scan, Split, Target and Fragment are plain data that travel as JSON. Connectors evaluate no
// expressions: exec compiles the RowFilter that they apply.
package connectors
