// Package physical turns an optimized logical plan into the operators that run it.
//
// Columns get ordinals here. Each logical node is converted with the set of columns that its parent
// needs, so that scans, joins and projections hand on no others; a projection that only renames
// disappears. The package also chooses join algorithms and build sides, states the Domains by which
// scans are pruned, and connects join builds to the scans that their dynamic filters reach.
package physical
