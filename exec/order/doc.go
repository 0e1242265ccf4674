// Package order holds the operators that order rows: sort, top-N and window.
//
// Sort keys are normalized: each row's key is a string of bytes, and comparing bytes is comparing
// rows, whatever the types, directions and places of NULL. Rows are kept in a row store, keys beside
// them; sorting moves neither, only pairs of (first twelve key bytes, row number).
//
// Rows beyond the memory go to disk as sorted runs, which are merged when read. A window's runs are
// merged by ranges of keys that hold whole partitions, so that drivers share them; a partition too
// large for memory is set aside and streamed. What a window function computes over a partition is in
// exec/window; here are the sink that sorts the rows and the source that hands partitions to it
// (window_sink.go).
package order
