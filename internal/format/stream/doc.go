// Package stream gives the readers of text files their bytes in order: ranges of stored objects,
// read ahead where the store is distant, and decompressed.
package stream
