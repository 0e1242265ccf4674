package codec

import (
	"bytes"
	"io"
	"strings"
	"sync"
	"unsafe"

	"github.com/andybalholm/brotli"
	"github.com/klauspost/compress/flate"
	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
)

// Slack is the number of readable bytes behind decompressed data, so that decoders may load whole
// words.
const Slack = 64

// Uncleared gives n bytes that hold whatever was there, to be overwritten at once.
func Uncleared(n int) []byte {
	var unset strings.Builder // the one way to memory without clearing it
	unset.Grow(n)
	return unsafe.Slice(unsafe.StringData(unset.String()), n)
}

// Decompressors are kept for reuse. The zero value is ready; it is safe for concurrent use.
type Decompressors struct{ zstd, zstdWithin, deflate, gzip, brotli sync.Pool }

// Zstd appends what src holds to dst; most bounds the memory for it, and must always be the same.
func (p *Decompressors) Zstd(dst, src []byte, most uint64) ([]byte, error) {
	d, _ := p.zstd.Get().(*zstd.Decoder)
	if d == nil {
		var err error
		if d, err = zstd.NewReader(nil, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxMemory(most)); err != nil {
			return nil, err
		}
	}
	defer p.zstd.Put(d)
	return d.DecodeAll(src, dst)
}

// ZstdWithin is Zstd into the memory that dst has behind it: what does not fit fails with
// zstd.ErrDecoderSizeExceeded.
func (p *Decompressors) ZstdWithin(dst, src []byte) ([]byte, error) {
	d, _ := p.zstdWithin.Get().(*zstd.Decoder)
	if d == nil {
		var err error
		if d, err = zstd.NewReader(nil, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxMemory(4<<30), zstd.WithDecodeAllCapLimit(true)); err != nil {
			return nil, err
		}
	}
	defer p.zstdWithin.Put(d)
	return d.DecodeAll(src, dst)
}

// Deflate hands what src holds, bare deflated data, to read.
func (p *Decompressors) Deflate(src []byte, read func(io.Reader) ([]byte, error)) ([]byte, error) {
	r, _ := p.deflate.Get().(io.ReadCloser)
	if r == nil {
		r = flate.NewReader(nil)
	}
	defer p.deflate.Put(r)
	if err := r.(flate.Resetter).Reset(bytes.NewReader(src), nil); err != nil {
		return nil, err
	}
	return read(r)
}

// Gzip is Deflate for a gzip file.
func (p *Decompressors) Gzip(src []byte, read func(io.Reader) ([]byte, error)) ([]byte, error) {
	r, _ := p.gzip.Get().(*gzip.Reader)
	if r == nil {
		r = new(gzip.Reader)
	}
	defer p.gzip.Put(r)
	if err := r.Reset(bytes.NewReader(src)); err != nil {
		return nil, err
	}
	return read(r)
}

// Brotli is Deflate for a brotli stream.
func (p *Decompressors) Brotli(src []byte, read func(io.Reader) ([]byte, error)) ([]byte, error) {
	r, _ := p.brotli.Get().(*brotli.Reader)
	if r == nil {
		r = brotli.NewReader(nil)
	}
	defer p.brotli.Put(r)
	if err := r.Reset(bytes.NewReader(src)); err != nil {
		return nil, err
	}
	return read(r)
}
