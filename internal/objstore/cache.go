package objstore

// CacheStats is what a cache of files' contents has done since it was made, and holds.
type CacheStats struct {
	Name                    string // "metadata" or "disk"
	Hits, Misses, Evictions int64
	HitBytes, MissBytes     int64 // of the disk's
	Failures                int64 // entries that were damaged or could not be read or written
	Skipped                 int64 // entries that were not written since the disk was too slow or full
	Bytes, Limit, Entries   int64
	Pending                 int64 // bytes that wait to be written to the disk
}
