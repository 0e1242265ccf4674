// Package order holds the operators that order rows: sort, top-N and window.
//
// Sort keys are normalized: each row's key is a string of bytes, and comparing bytes is comparing
// rows, whatever the types, directions and places of NULL. Rows are kept in a row store, keys beside
// them; sorting moves neither, only pairs of (first eight key bytes, row number).
package order
