// Package join is the hash join.
//
//	right rows ─▶ Build (sink): rows into a store, key ranges noted ─▶ Finalize: table
//	left rows  ─▶ Probe (stage): codes ─▶ heads ─▶ chains ─▶ residual ─▶ output
//	                                   afterwards, for some kinds: right rows without a match
//
// A key becomes a 64-bit code: integer keys are packed by their ranges so that equal codes are equal
// keys; other keys are hashed and candidates are compared. The table leads from a code to the first
// right row with it, either by an array (dense codes) or by slots of {code, row} found by hash;
// further rows with the code are chained through their numbers. Loops that miss the cache hold
// nothing but independent loads.
package join
