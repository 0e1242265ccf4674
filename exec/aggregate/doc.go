// Package aggregate is hash aggregation.
//
//	rows ─▶ Consume: each driver's table of groups ──(too many groups, memory)──▶ partitions by hash
//	Finalize: one table → its groups; few groups → merged; else partitions
//	Groups (source): drivers take partitions, merge each in a table of its own, and emit its groups
//
// A table is a grouper, which numbers distinct keys, and one accumulator for each aggregate, which
// holds the states of all groups. Partial states travel in columns: through partitions, through spill
// files, and, for a Partial node, to other processes.
//
// Aggregates with DISTINCT or ORDER BY have no states to merge: their rows are partitioned as they
// are, and each partition is aggregated at once from its rows.
package aggregate
