package config

// Cache says what is kept of files that queries read.
type Cache struct {
	Metadata Size `toml:"metadata" doc:"Memory for footers, indexes and Bloom filters of files, taken from memory.limit; 0 is a 32nd of it, at most 512MB."`
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
