package config

// Cache says what is kept of files that queries read.
type Cache struct {
	Metadata Size   `toml:"metadata" doc:"Memory for footers, indexes and Bloom filters of files, taken from memory.limit; 0 is a 32nd of it, at most 512MB."`
	Path     string `toml:"path" doc:"Directory of the cache of remote files on the local disk, best on an SSD; empty is cache below server.data."`
	Size     Size   `toml:"size" doc:"Disk space of that cache, for each process that uses the directory; 0 turns it off."`
}

// leastDisk is the smallest disk cache that is any use.
const leastDisk Size = 16 << 20

func (l *Loaded) checkCache() error {
	if l.Cache.Size != 0 && l.Cache.Size < leastDisk {
		return bad("cache.size (%s) must be 0 or at least 16MB", l.Origin("cache.size"))
	}
	return nil
}

// mostMetadata bounds the cache of metadata whose size nobody has set.
const mostMetadata Size = 512 << 20

// MetadataLimit gives the bound of the cache of metadata.
func (c *Config) MetadataLimit() Size {
	if c.Cache.Metadata > 0 {
		return c.Cache.Metadata
	}
	return min(c.Memory.MemoryLimit()/32, mostMetadata)
}
