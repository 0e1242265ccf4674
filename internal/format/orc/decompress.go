package orc

import (
	"errors"
	"fmt"
	"io"

	"github.com/klauspost/compress/s2"
	"github.com/pierrec/lz4/v4"

	"github.com/tarnlake/tarn/internal/format/codec"
	"github.com/tarnlake/tarn/internal/format/scan"
)

const (
	defaultBlockSize = 256 << 10
	// maxBlockSize bounds the decompressed size of a compression chunk.
	maxBlockSize = 64 << 20
	// chunkHeader is the bytes before each compression chunk: its length and whether it is stored
	// as it was.
	chunkHeader = 3
	// slack is the number of readable bytes behind decompressed data.
	slack = codec.Slack
)

var errChunk = errors.New("compression chunk is malformed")

// codecPool keeps decompressors for reuse.
type codecPool struct{ codec.Decompressors }

// decompress expands src behind the first len(dst) bytes of dst, growing it to what src needs, at
// most limit bytes. The result has slack readable bytes behind it.
func (p *codecPool) decompress(kind compressionKind, dst, src []byte, limit int) (out []byte, err error) {
	head := len(dst)
	switch kind {
	case compressZlib:
		return p.Deflate(src, func(r io.Reader) ([]byte, error) { return readAll(dst, r, limit, 4*len(src)) })
	case compressSnappy:
		n, err := s2.DecodedLen(src)
		if err != nil || n > limit || n > 64*len(src)+64 {
			return nil, errChunk
		}
		dst = reserve(dst, n)
		_, err = s2.Decode(dst[head:head+n], src)
		return dst[:head+n], err
	case compressLZO:
		dst = reserve(dst, limit)
		n, err := decompressLZO(dst[head:head+limit], src)
		return dst[:head+n], err
	case compressLZ4:
		most := min(limit, 255*len(src)+64)
		dst = reserve(dst, most)
		n, err := lz4.UncompressBlock(src, dst[head:head+most])
		return dst[:head+max(n, 0)], err
	case compressZstd:
		return p.decompressZstd(dst, src, limit)
	case compressBrotli:
		return p.Brotli(src, func(r io.Reader) ([]byte, error) { return readAll(dst, r, limit, 4*len(src)) })
	}
	return nil, fmt.Errorf("compression kind %d is unknown", kind)
}

// reserve gives dst with room for n bytes and slack behind its length.
func reserve(dst []byte, n int) []byte {
	need := len(dst) + n + slack
	if cap(dst) < need {
		grown := codec.Uncleared(need)
		copy(grown, dst)
		return grown[:len(dst)]
	}
	return dst
}

func (p *codecPool) decompressZstd(dst, src []byte, limit int) ([]byte, error) {
	out, err := p.Zstd(reserve(dst, min(limit, 64*len(src))), src, maxBlockSize)
	if err != nil {
		return nil, err
	}
	if len(out)-len(dst) > limit {
		return nil, errChunk
	}
	return reserve(out, 0), nil
}

// readAll appends what r gives to dst; guess is how much that may be.
func readAll(dst []byte, r io.Reader, limit, guess int) ([]byte, error) {
	head := len(dst)
	dst = reserve(dst, min(max(guess, 4096), limit))
	for {
		if len(dst) == cap(dst)-slack {
			if len(dst)-head >= limit {
				var end [1]byte
				if n, err := r.Read(end[:]); n != 0 || err != io.EOF && err != nil {
					return nil, errChunk
				}
				return dst, nil
			}
			dst = reserve(dst, min(2*(len(dst)-head), limit-(len(dst)-head)))
		}
		n, err := r.Read(dst[len(dst) : cap(dst)-slack])
		dst = dst[:len(dst)+n]
		if len(dst)-head > limit {
			return nil, errChunk
		}
		switch {
		case err == io.EOF:
			return dst, nil
		case err != nil:
			return nil, err
		}
	}
}

// decompressAll expands a whole section: footers, metadata, indexes.
func (p *codecPool) decompressAll(kind compressionKind, data []byte, blockSize int64, most int, budget *scan.Budget) ([]byte, error) {
	if kind == compressNone {
		return data, nil
	}
	var out, chunk []byte
	for len(data) > 0 {
		if len(data) < chunkHeader {
			return nil, errChunk
		}
		original, length := parseChunkHeader(data)
		if data = data[chunkHeader:]; length > len(data) {
			return nil, errChunk
		}
		section := data[:length]
		if !original {
			held := cap(chunk)
			var err error
			if chunk, err = p.decompress(kind, chunk[:0], section, int(blockSize)); err != nil {
				return nil, err
			}
			if err := budget.Take(int64(cap(chunk) - held)); err != nil {
				return nil, err
			}
			section = chunk
		}
		if err := budget.Take(2 * int64(len(section))); err != nil {
			return nil, err
		}
		out = append(out, section...)
		if data = data[length:]; len(out) > most {
			return nil, fmt.Errorf("metadata of more than %d bytes", most)
		}
	}
	return out, nil
}

func parseChunkHeader(b []byte) (original bool, length int) {
	header := int(b[0]) | int(b[1])<<8 | int(b[2])<<16
	return header&1 != 0, header >> 1
}
