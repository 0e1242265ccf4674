package codec

import (
	"bytes"
	"io"
	"strings"

	"github.com/klauspost/compress/flate"
	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/s2"
	"github.com/klauspost/compress/zstd"
	"github.com/pierrec/lz4/v4"

	"github.com/tarnlake/tarn/internal/sqlerr"
)

// Compression of a written file.
type Compression uint8

// The compressions that writers offer; Zstd is the default.
const (
	Zstd Compression = iota
	Snappy
	Deflate // in the frame of the format
	LZ4
	Uncompressed
)

// Names of the compressions in a format, as users write them in WITH (compression = …): lower case,
// the one to recommend first.
type Names map[Compression][]string

// Parse finds a compression by name; format is who errors name.
func (n Names) Parse(format, name string) (Compression, error) {
	if name == "" {
		return Zstd, nil
	}
	var known []string
	for c := range Uncompressed + 1 {
		for _, other := range n[c] {
			if name == other || name == strings.ToUpper(other) {
				return c, nil
			}
		}
		known = append(known, n[c][0])
	}
	last := len(known) - 1
	return 0, sqlerr.New(sqlerr.InvalidParameterValue, "unknown %s compression %q", format, name).
		WithHint("Use %s or %s.", strings.Join(known[:last], ", "), known[last])
}

// Options say how a format wants its blocks.
type Options struct {
	Level       int  // 0 is the fastest; zstd: 1, 3, 7 and up
	Window      int  // of zstd, in bytes
	AllLiterals bool // zstd compresses the bytes between matches whether or not that saves much
	Gzip        bool // Deflate's blocks are gzip files, else bare
}

// zstdMemory is about what an encoder of zstd holds.
const zstdMemory = 4 << 20

// Compressor compresses blocks, one after the other. It is used by one goroutine at a time.
type Compressor struct {
	compression Compression
	zstd        *zstd.Encoder
	deflate     interface {
		io.WriteCloser
		Reset(io.Writer)
	}
	lz4    lz4.Compressor
	buffer []byte
}

// NewCompressor makes a compressor.
func NewCompressor(compression Compression, o Options) (*Compressor, error) {
	c := &Compressor{compression: compression}
	var err error
	switch compression {
	case Zstd:
		speed := zstd.SpeedFastest
		switch {
		case o.Level >= 7:
			speed = zstd.SpeedBetterCompression
		case o.Level >= 2:
			speed = zstd.SpeedDefault
		}
		options := []zstd.EOption{zstd.WithEncoderConcurrency(1), zstd.WithEncoderLevel(speed), zstd.WithEncoderCRC(false), zstd.WithWindowSize(o.Window)}
		if o.AllLiterals {
			options = append(options, zstd.WithAllLitEntropyCompression(true))
		}
		c.zstd, err = zstd.NewWriter(nil, options...)
	case Deflate:
		if o.Gzip {
			c.deflate, err = gzip.NewWriterLevel(nil, max(o.Level, 1))
		} else {
			c.deflate, err = flate.NewWriter(nil, max(o.Level, 1))
		}
	case Snappy, LZ4, Uncompressed:
	default:
		err = sqlerr.Internal("unknown compression %d", compression)
	}
	return c, err
}

// Compression is what the compressor was made for.
func (c *Compressor) Compression() Compression { return c.compression }

// Compress gives the compressed form of src, valid until the next call; src itself when it is
// Uncompressed.
func (c *Compressor) Compress(src []byte) ([]byte, error) {
	switch c.compression {
	case Zstd:
		c.buffer = c.zstd.EncodeAll(src, c.buffer[:0])
	case Snappy:
		c.room(s2.MaxEncodedLen(len(src)))
		return s2.EncodeSnappy(c.buffer[:cap(c.buffer)], src), nil
	case Deflate:
		b := bytes.NewBuffer(c.buffer[:0])
		c.deflate.Reset(b)
		if _, err := c.deflate.Write(src); err != nil {
			return nil, err
		}
		if err := c.deflate.Close(); err != nil {
			return nil, err
		}
		c.buffer = b.Bytes()
	case LZ4:
		c.room(lz4.CompressBlockBound(len(src)))
		n, err := c.lz4.CompressBlock(src, c.buffer[:cap(c.buffer)])
		return c.buffer[:n], err
	default:
		return src, nil
	}
	return c.buffer, nil
}

func (c *Compressor) room(size int) {
	if cap(c.buffer) < size {
		c.buffer = make([]byte, size)
	}
}

// Memory is about what the compressor holds.
func (c *Compressor) Memory() int64 {
	held := int64(cap(c.buffer))
	if c.zstd != nil {
		held += zstdMemory
	}
	return held
}

// Close releases the compressor.
func (c *Compressor) Close() {
	if c.zstd != nil {
		c.zstd.Close()
	}
}
