// Package diskcache keeps ranges of remote files on a local disk.
//
//	ReadRanges ─▶ split at what is kept ─┬▶ extents, verified ────────────▶ the caller's buffers
//	                                     └▶ the store ─▶ copies ─▶ writer ─▶ extents
//
// An extent is a run of bytes of one version (ETag) of one object, in a file of its own whose name
// tells which; so it is never stale, and the directory is the index. Its header holds the object's
// whole name and a checksum of every 64 KiB: what a crash or a bad disk has damaged is noticed when
// it is read, dropped, and read from the store. Files are written under a temporary name and renamed,
// never synced. What is kept is chosen by S3-FIFO.
//
// Nothing that happens to the disk fails a read: errors turn into requests to the store. Writing
// happens in the background from bounded memory; a disk that is too slow, full or broken is not
// written to, for a while.
package diskcache
