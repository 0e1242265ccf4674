// Package connectors is the service provider interface: all that a connector may see of the engine,
// and all that the engine may see of a connector.
//
// A table is read in four steps. On the coordinator, the catalog (or a Relations source of the engine)
// resolves its name to a Table inside a transaction's snapshot, and the planner makes a Scan of it: the
// columns, and the Domains that rows must lie in. Splits then lists the pieces that may hold such rows.
// On a worker, Read turns one split into a vec.Source, decoding the filter's columns first and the
// others only for rows that passed. A write is the mirror image: the Table gives a Target, workers open
// PageSinks on it (Writer) whose Fragments tell what was staged, and the coordinator lists those files
// in a FileTransaction, which its commit makes visible.
//
// Scan, Split, Target and Fragment are plain data that travel as JSON. Connectors evaluate no
// expressions: exec compiles the RowFilter that they apply.
package connectors
