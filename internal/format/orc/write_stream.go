package orc

import "github.com/tarnlake/tarn/internal/format/codec"

// Compression of a written file's streams.
type Compression = codec.Compression

// The compressions that a Writer offers; Zstd is the default.
const (
	Zstd         = codec.Zstd
	Snappy       = codec.Snappy
	Zlib         = codec.Deflate
	LZ4          = codec.LZ4
	Uncompressed = codec.Uncompressed
)

// ParseCompression reads a name as users write it in WITH (compression = …).
func ParseCompression(name string) (Compression, error) {
	return codec.Names{Zstd: {"zstd"}, Snappy: {"snappy"}, Zlib: {"zlib", "gzip"}, LZ4: {"lz4"},
		Uncompressed: {"none", "uncompressed"}}.Parse("ORC", name)
}

// compressor makes compression chunks.
type compressor struct {
	*codec.Compressor
	kind compressionKind
}

func newCompressor(c Compression, level int) (*compressor, error) {
	made, err := codec.NewCompressor(c, codec.Options{Level: level, Window: defaultBlockSize, AllLiterals: true})
	kind := map[Compression]compressionKind{Zstd: compressZstd, Snappy: compressSnappy, Zlib: compressZlib, LZ4: compressLZ4, Uncompressed: compressNone}[c]
	return &compressor{made, kind}, err
}

// appendChunk appends src as a compression chunk, or as it is in files without compression.
func (c *compressor) appendChunk(dst, src []byte) ([]byte, error) {
	if c.kind == compressNone {
		return append(dst, src...), nil
	}
	if len(src) == 0 {
		return dst, nil
	}
	packed, err := c.Compress(src)
	if err != nil {
		return dst, err
	}
	header, body := len(packed)<<1, packed
	if len(packed) == 0 || len(packed) >= len(src) {
		header, body = len(src)<<1|1, src
	}
	dst = append(dst, byte(header), byte(header>>8), byte(header>>16))
	return append(dst, body...), nil
}

// appendSection appends data of any length, in chunks.
func (c *compressor) appendSection(dst, data []byte) ([]byte, error) {
	for len(data) > 0 {
		n := min(len(data), defaultBlockSize)
		var err error
		if dst, err = c.appendChunk(dst, data[:n]); err != nil {
			return dst, err
		}
		data = data[n:]
	}
	return dst, nil
}

// outStream collects one stream of a stripe.
type outStream struct {
	compressor *compressor
	raw        []byte // of the open chunk
	done       []byte // finished chunks
	total      int64  // bytes before compression, of finished chunks
	err        error
}

// seal compresses full chunks.
func (s *outStream) seal() {
	for len(s.raw) >= defaultBlockSize && s.err == nil && s.compressor.kind != compressNone {
		s.done, s.err = s.compressor.appendChunk(s.done, s.raw[:defaultBlockSize])
		s.total += defaultBlockSize
		s.raw = append(s.raw[:0], s.raw[defaultBlockSize:]...)
	}
}

// position appends where the next byte will be.
func (s *outStream) position(to []uint64) []uint64 {
	if s.compressor.kind == compressNone {
		return append(to, uint64(len(s.raw)))
	}
	s.seal()
	return append(to, uint64(len(s.done)), uint64(len(s.raw)))
}

// finish gives the whole stream.
func (s *outStream) finish() ([]byte, error) {
	s.seal()
	if s.err != nil {
		return nil, s.err
	}
	if s.compressor.kind == compressNone {
		return s.raw, nil
	}
	s.done, s.err = s.compressor.appendChunk(s.done, s.raw)
	s.total += int64(len(s.raw))
	s.raw = s.raw[:0]
	return s.done, s.err
}

func (s *outStream) reset() { s.raw, s.done, s.total = s.raw[:0], s.done[:0], 0 }

// size is what the stream holds; the open chunk is taken to shrink to a third.
func (s *outStream) size() int64 {
	if s.compressor.kind == compressNone {
		return int64(len(s.raw))
	}
	return int64(len(s.done) + len(s.raw)/3)
}

func (s *outStream) memory() int64 { return int64(cap(s.done) + cap(s.raw)) }
