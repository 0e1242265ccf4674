package parquet

import (
	"bytes"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/s2"
	"github.com/klauspost/compress/zstd"
	"github.com/pierrec/lz4/v4"

	"github.com/tarnlake/tarn/internal/sqlerr"
)

// Compression of a written file's pages.
type Compression uint8

// The compressions that a Writer offers; Zstd is the default.
const (
	Zstd Compression = iota
	Snappy
	Gzip
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
	case "gzip", "GZIP":
		return Gzip, nil
	case "lz4", "LZ4", "lz4_raw", "LZ4_RAW":
		return LZ4, nil
	case "none", "NONE", "uncompressed", "UNCOMPRESSED":
		return Uncompressed, nil
	}
	return 0, sqlerr.New(sqlerr.InvalidParameterValue, "unknown Parquet compression %q", name).
		WithHint("Use zstd, snappy, gzip, lz4 or none.")
}

// compressor compresses pages, one after the other.
type compressor struct {
	codec  codecID
	zstd   *zstd.Encoder
	gzip   *gzip.Writer
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
			zstd.WithWindowSize(1<<20))
		return &compressor{codec: codecZstd, zstd: e}, err
	case Snappy:
		return &compressor{codec: codecSnappy}, nil
	case Gzip:
		g, err := gzip.NewWriterLevel(nil, max(level, 1))
		return &compressor{codec: codecGzip, gzip: g}, err
	case LZ4:
		return &compressor{codec: codecLZ4Raw}, nil
	case Uncompressed:
		return &compressor{codec: codecNone}, nil
	}
	return nil, sqlerr.Internal("unknown compression %d", c)
}

// compress gives the compressed form of src, valid until the next call.
func (c *compressor) compress(src []byte) ([]byte, error) {
	switch c.codec {
	case codecZstd:
		c.buffer = c.zstd.EncodeAll(src, c.buffer[:0])
	case codecSnappy:
		if need := s2.MaxEncodedLen(len(src)); cap(c.buffer) < need {
			c.buffer = make([]byte, need)
		}
		return s2.EncodeSnappy(c.buffer[:cap(c.buffer)], src), nil
	case codecGzip:
		b := bytes.NewBuffer(c.buffer[:0])
		c.gzip.Reset(b)
		if _, err := c.gzip.Write(src); err != nil {
			return nil, err
		}
		if err := c.gzip.Close(); err != nil {
			return nil, err
		}
		c.buffer = b.Bytes()
	case codecLZ4Raw:
		if need := lz4.CompressBlockBound(len(src)); cap(c.buffer) < need {
			c.buffer = make([]byte, need)
		}
		n, err := c.lz4.CompressBlock(src, c.buffer[:cap(c.buffer)])
		return c.buffer[:n], err
	default:
		return src, nil
	}
	return c.buffer, nil
}

// memory is about what the compressor holds beside its buffer.
func (c *compressor) memory() int64 {
	if c.zstd != nil {
		return 4 << 20
	}
	return 0
}

func (c *compressor) close() {
	if c.zstd != nil {
		c.zstd.Close()
	}
}
