// Package storage tests the whole server on S3: what it asks of storage, what is left after faults,
// and files exchanged with other programs.
package storage
