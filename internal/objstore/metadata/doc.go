// Package metadata keeps in memory what readers have decoded of files besides their rows: footers,
// stripe footers, row and page indexes, Bloom filters. Entries are named by store, path and ETag, so
// they are never stale. Who asks for what is being loaded waits for it instead of loading it again.
package metadata
