// Package fifo chooses what a bounded cache keeps, by S3-FIFO: a newcomer stays in a small queue and
// moves to the main one only if it is used again before it reaches the end, so that a scan of data
// that is read once passes through without pushing out what is read often. Names of newcomers that
// went unused are remembered for a while; those that come back go to the main queue at once.
package fifo
