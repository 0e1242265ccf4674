// Package formattest holds what the tests of file formats share: rows of nested values, and a store
// that is far away.
package formattest
