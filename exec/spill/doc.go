// Package spill writes batches that do not fit in memory to temporary files and reads them back.
//
// A File has no name: it is unlinked as soon as it is open, so that nothing is left behind however
// the process ends. Each batch is one Block, compressed with LZ4 where that helps, and checked by a
// checksum when read. A Buffer keeps batches in memory as long as its pool allows and puts the rest
// into a file. A file
// of hash parts is Partitioned: aggregation and join write it part by part and read parts alone.
package spill
