// Package stream gives the readers of text files their bytes in order: ranges of stored objects,
// read ahead where the store is distant, and decompressed. Writers compress by it, and both say by it
// what ignore_errors leaves out.
package stream
