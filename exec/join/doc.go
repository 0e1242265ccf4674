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
//
// A right side that would take more than half of the memory left goes to disk, scattered by hash into
// parts, and so do the left rows (scatter). After them Rest joins part after part:
//
//	part ─▶ right rows into a store ─▶ table ─▶ left rows probe it ─▶ unmatched right rows
//	          │ too many: both sides are cut again, by other bits of the hash
//	          └ cutting does not help, few keys have nearly all rows: the right rows come in pieces,
//	            the left rows go past each, and bitmaps remember what they have met
//
// NullAware joins with correlation are scattered by the correlated keys alone, so that all right rows
// that decide about a left row are in its part.
package join
