package orc

import (
	"bytes"

	"github.com/klauspost/compress/flate"
	"github.com/klauspost/compress/s2"
	"github.com/klauspost/compress/zstd"
	"github.com/pierrec/lz4/v4"

	"github.com/tarnlake/tarn/internal/sqlerr"
)

// Compression of a written file's streams.
type Compression uint8

// The compressions that a Writer offers; Zstd is the default.
const (
	Zstd Compression = iota
	Snappy
	Zlib
	LZ4
	Uncompressed
)

// ParseCompression reads a name as users write it in WITH (compression = …).
func ParseCompression(name string) (Compression, error) {
	switch name {
	case "zstd", "ZSTD", "":
		return Zstd, nil
	case "snappy", "SNAPPY":
		return Snappy, nil
	case "gzip", "GZIP", "zlib", "ZLIB":
		return Zlib, nil
	case "lz4", "LZ4":
		return LZ4, nil
	case "none", "NONE", "uncompressed", "UNCOMPRESSED":
		return Uncompressed, nil
	}
	return 0, sqlerr.New(sqlerr.InvalidParameterValue, "unknown ORC compression %q", name).
		WithHint("Use zstd, snappy, zlib, lz4 or none.")
}

// compressor makes compression chunks.
type compressor struct {
	kind   compressionKind
	zstd   *zstd.Encoder
	flate  *flate.Writer
	lz4    lz4.Compressor
	buffer []byte
}

func newCompressor(c Compression, level int) (*compressor, error) {
	switch c {
	case Zstd:
		speed := zstd.SpeedFastest
		switch {
		case level >= 7:
			speed = zstd.SpeedBetterCompression
		case level >= 2:
			speed = zstd.SpeedDefault
		}
		e, err := zstd.NewWriter(nil, zstd.WithEncoderConcurrency(1), zstd.WithEncoderLevel(speed), zstd.WithEncoderCRC(false),
			zstd.WithWindowSize(defaultBlockSize), zstd.WithAllLitEntropyCompression(true))
		return &compressor{kind: compressZstd, zstd: e}, err
	case Snappy:
		return &compressor{kind: compressSnappy}, nil
	case Zlib:
		w, err := flate.NewWriter(nil, max(level, 1))
		return &compressor{kind: compressZlib, flate: w}, err
	case LZ4:
		return &compressor{kind: compressLZ4}, nil
	case Uncompressed:
		return &compressor{kind: compressNone}, nil
	}
	return nil, sqlerr.Internal("unknown compression %d", c)
}

// appendChunk appends src as a compression chunk, or as it is in files without compression.
func (c *compressor) appendChunk(dst, src []byte) ([]byte, error) {
	if c.kind == compressNone {
		return append(dst, src...), nil
	}
	if len(src) == 0 {
		return dst, nil
	}
	packed, err := c.compress(src)
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

// compress gives the compressed form of src, valid until the next call; empty when it cannot shrink.
func (c *compressor) compress(src []byte) ([]byte, error) {
	switch c.kind {
	case compressZstd:
		c.buffer = c.zstd.EncodeAll(src, c.buffer[:0])
	case compressSnappy:
		if need := s2.MaxEncodedLen(len(src)); cap(c.buffer) < need {
			c.buffer = make([]byte, need)
		}
		return s2.EncodeSnappy(c.buffer[:cap(c.buffer)], src), nil
	case compressZlib:
		b := bytes.NewBuffer(c.buffer[:0])
		c.flate.Reset(b)
		if _, err := c.flate.Write(src); err != nil {
			return nil, err
		}
		if err := c.flate.Close(); err != nil {
			return nil, err
		}
		c.buffer = b.Bytes()
	case compressLZ4:
		if need := lz4.CompressBlockBound(len(src)); cap(c.buffer) < need {
			c.buffer = make([]byte, need)
		}
		n, err := c.lz4.CompressBlock(src, c.buffer[:cap(c.buffer)])
		return c.buffer[:n], err
	}
	return c.buffer, nil
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

func (c *compressor) close() {
	if c.zstd != nil {
		c.zstd.Close()
	}
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
