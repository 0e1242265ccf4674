package stream

import (
	"io"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"

	"github.com/tarnlake/tarn/internal/sqlerr"
)

// Output counts and, where asked to, compresses what is written to another writer.
type Output struct {
	out     io.Writer
	pack    io.WriteCloser // nil: not compressed
	written int64
}

// Compress starts writing to out; Auto means uncompressed.
func Compress(out io.Writer, compression Compression) (*Output, error) {
	o := &Output{out: out}
	switch compression {
	case Gzip:
		o.pack = gzip.NewWriter((*counted)(o))
	case Zstd:
		z, err := zstd.NewWriter((*counted)(o), zstd.WithEncoderConcurrency(1), zstd.WithEncoderLevel(zstd.SpeedFastest))
		if err != nil {
			return nil, err
		}
		o.pack = z
	case Bzip2:
		return nil, sqlerr.New(sqlerr.FeatureNotSupported, "files cannot be written with compression bzip2").
			WithHint("Use gzip or zstd.")
	}
	return o, nil
}

// counted writes to the end of an Output.
type counted Output

func (c *counted) Write(p []byte) (int, error) {
	n, err := c.out.Write(p)
	c.written += int64(n)
	return n, err
}

// Write implements io.Writer.
func (o *Output) Write(p []byte) (int, error) {
	if o.pack != nil {
		return o.pack.Write(p)
	}
	return (*counted)(o).Write(p)
}

// Written is the number of bytes that have arrived at the end.
func (o *Output) Written() int64 { return o.written }

// Finish writes what the compressor still holds. It does not close the underlying writer.
func (o *Output) Finish() error {
	if o.pack != nil {
		return o.pack.Close()
	}
	return nil
}
