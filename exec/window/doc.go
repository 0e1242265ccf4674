// Package window computes window functions over one sorted partition at a time.
//
// The caller collects a partition's rows, sorted by the window's order, as flat columns. From them
// follow the peers (rows equal in the order), then for each function the frame of every row as a
// range of row numbers, then the values. Aggregates over frames use the accumulators of ordinary
// aggregation in one of four ways: once, when every frame is the whole partition; incrementally, when
// frames only grow; by a tree of partial states, when they slide (Leis, Kundhikanjana, Kemper,
// Neumann: "Efficient Processing of Window Functions in Analytical SQL Queries", 2015); or frame by
// frame, when the aggregate depends on the order of its rows. Growing frames of aggregates that have
// Prefixes are computed for a chunk of rows at once.
//
// A partition that does not fit in memory goes through a Stream, which reads it several times, a piece
// at a time. Functions that need all rows at hand (frames bounded by values, IGNORE NULLS, nth_value
// over all rows before …) cannot be streamed: their partitions must fit.
package window
