// Package objtest says in tests what every objstore.Store must do.
package objtest
