package parquet

import "github.com/tarnlake/tarn/internal/format/codec"

// Compression of a written file's pages.
type Compression = codec.Compression

// The compressions that a Writer offers; Zstd is the default.
const (
	Zstd         = codec.Zstd
	Snappy       = codec.Snappy
	Gzip         = codec.Deflate
	LZ4          = codec.LZ4
	Uncompressed = codec.Uncompressed
)

// ParseCompression reads a name as users write it in WITH (compression = …).
func ParseCompression(name string) (Compression, error) {
	return codec.Names{Zstd: {"zstd"}, Snappy: {"snappy"}, Gzip: {"gzip"}, LZ4: {"lz4", "lz4_raw"},
		Uncompressed: {"none", "uncompressed"}}.Parse("Parquet", name)
}

// compressor compresses pages, one after the other.
type compressor struct {
	*codec.Compressor
	id codecID
}

func newCompressor(c Compression, level int) (*compressor, error) {
	made, err := codec.NewCompressor(c, codec.Options{Level: level, Window: 1 << 20, Gzip: true})
	id := map[Compression]codecID{Zstd: codecZstd, Snappy: codecSnappy, Gzip: codecGzip, LZ4: codecLZ4Raw, Uncompressed: codecNone}[c]
	return &compressor{made, id}, err
}
