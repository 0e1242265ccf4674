// Package durability tests what a server may never lose and never show halfway, by ending server
// processes at every step of writes and commits, with and without loss of power.
//
// The test binary is its own server: run with serverVariable set it serves until it is told to die.
// Its parent arms one step over the process's input, and the process ends there: by SIGKILL, or after
// everything that was not synced has been dropped, from the tables' files as from SQLite's.
package durability
