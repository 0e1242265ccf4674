// Package task runs one plan on this worker: it builds the pipelines, starts their drivers, and gives
// the root's rows as a stream.
package task
