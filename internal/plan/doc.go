// Package plan holds physical plans: what exec runs, EXPLAIN shows and the fragment codec carries.
//
// Columns are ordinals in the input. A join's condition sees the left input's columns followed by
// the right's. Keys and arguments of aggregates, sorts and windows are ordinals too: a Project below
// computes anything else. One set of nodes serves one process and many; an Exchange stands only
// where rows change process.
package plan
