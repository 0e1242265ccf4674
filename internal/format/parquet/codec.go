package parquet

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"github.com/klauspost/compress/s2"
	"github.com/klauspost/compress/zstd"
	"github.com/pierrec/lz4/v4"

	"github.com/tarnlake/tarn/internal/format/codec"
)

// slack is the number of readable bytes behind every page.
const slack = codec.Slack

// codecPool keeps decompressors for reuse.
type codecPool struct{ codec.Decompressors }

var errSize = errors.New("decompressed size differs from the declared one")

// paddedBuffer gives a buffer of n bytes with slack behind it, reusing b. It is not cleared: pages
// whose strings are handed out take new memory each, and are overwritten at once.
func paddedBuffer(b []byte, n int) []byte {
	if cap(b) < n+slack {
		b = codec.Uncleared(n + slack)
	}
	return b[:n]
}

// plausible tells whether src may expand to size bytes, as far as that can be told without doing it.
func plausible(id codecID, src []byte, size int) bool {
	ratio := 0
	switch id {
	case codecSnappy:
		n, err := s2.DecodedLen(src)
		if err != nil || n != size {
			return err != nil // which decompress tells
		}
		ratio = 64
	case codecZstd:
		var head zstd.Header
		if head.Decode(src) == nil && head.HasFCS && head.FrameContentSize > uint64(size) {
			return false
		}
		ratio = 48 << 10 // a repeated byte takes 3 in a block of 128 KB
	case codecLZ4Raw, codecLZ4Hadoop:
		ratio = 255
	case codecGzip:
		ratio = 1100
	default:
		return true
	}
	return size/ratio <= len(src)+1
}

// decompress expands src into dst's memory (or new memory) to exactly size bytes with slack behind
// them. It never takes memory for more than size.
func (p *codecPool) decompress(id codecID, dst, src []byte, size int) ([]byte, error) {
	switch id {
	case codecSnappy:
		n, err := s2.DecodedLen(src)
		if err != nil {
			return nil, err
		}
		if n != size {
			return nil, errSize
		}
		dst = paddedBuffer(dst, size)
		_, err = s2.Decode(dst, src)
		return dst, err
	case codecZstd:
		return p.decompressZstd(dst, src, size)
	case codecLZ4Raw:
		return decompressLZ4(dst, src, size)
	case codecLZ4Hadoop:
		return decompressHadoopLZ4(dst, src, size)
	case codecGzip:
		return p.Gzip(src, func(r io.Reader) ([]byte, error) { return readExactly(dst, r, size, 1100*len(src)) })
	case codecBrotli:
		return p.Brotli(src, func(r io.Reader) ([]byte, error) { return readExactly(dst, r, size, 1024*len(src)) })
	}
	return nil, fmt.Errorf("compression codec %d is not supported", id)
}

func (p *codecPool) decompressZstd(dst, src []byte, size int) ([]byte, error) {
	dst = paddedBuffer(dst, size)
	out, err := p.ZstdWithin(dst[:0:size+slack], src) // with slack behind a block it is copied by the word
	switch {
	case errors.Is(err, zstd.ErrDecoderSizeExceeded):
		return nil, errSize
	case err != nil:
		return nil, err
	case len(out) != size:
		return nil, errSize
	}
	return out, nil
}

// readExactly reads size bytes and then the end; mostBytes is what the input can expand to at first.
func readExactly(dst []byte, r io.Reader, size, mostBytes int) ([]byte, error) {
	dst = paddedBuffer(dst, min(size, mostBytes+64))
	n, err := io.ReadFull(r, dst)
	for err == nil && n < size {
		grown := paddedBuffer(nil, min(2*n+1024, size))
		copy(grown, dst)
		dst = grown
		var more int
		more, err = io.ReadFull(r, dst[n:])
		n += more
	}
	if err != nil {
		return nil, err
	}
	var end [1]byte
	if more, err := r.Read(end[:]); more != 0 || err != nil && err != io.EOF {
		return nil, errSize
	}
	return dst, nil
}

func decompressLZ4(dst, src []byte, size int) ([]byte, error) {
	dst = paddedBuffer(dst, size)
	n, err := lz4.UncompressBlock(src, dst)
	if err == nil && n != size {
		err = errSize
	}
	return dst, err
}

// decompressHadoopLZ4 reads Hadoop's framing: blocks of (decompressed size, compressed size, data),
// big-endian. Writers that meant a raw block by this codec are understood too.
func decompressHadoopLZ4(dst, src []byte, size int) ([]byte, error) {
	dst = paddedBuffer(dst, size)
	at, rest := 0, src
	for len(rest) >= 8 {
		want, have := int(binary.BigEndian.Uint32(rest)), int(binary.BigEndian.Uint32(rest[4:]))
		if want > size-at || have > len(rest)-8 {
			break
		}
		n, err := lz4.UncompressBlock(rest[8:8+have], dst[at:at+want])
		if err != nil || n != want {
			break
		}
		at, rest = at+want, rest[8+have:]
	}
	if at == size && len(rest) == 0 {
		return dst, nil
	}
	return decompressLZ4(dst, src, size)
}
