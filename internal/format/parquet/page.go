package parquet

import (
	"context"
	"fmt"
	"hash/crc32"

	"github.com/tarnlake/tarn/internal/objstore"
	"github.com/tarnlake/tarn/internal/slots"
	"github.com/tarnlake/tarn/internal/vec/page"
)

type pageKind int32

const (
	pageDataV1     pageKind = 0
	pageIndex      pageKind = 1
	pageDictionary pageKind = 2
	pageDataV2     pageKind = 3
)

type pageHeader struct {
	kind                     pageKind
	uncompressed, compressed int32
	crc                      uint32
	hasCRC                   bool
	values                   int32 // rows of a flat column, nulls included
	rows                     int32 // v2
	encoding                 encodingID
	levelEncoding            encodingID // v1: of definition levels
	repLevelEncoding         encodingID
	definitionBytes          int32 // v2
	repetitionBytes          int32
	isCompressed             bool
}

func (r *thriftReader) pageHeader() pageHeader {
	h := pageHeader{kind: -1, uncompressed: -1, compressed: -1, isCompressed: true, values: -1,
		levelEncoding: encRLE, repLevelEncoding: encRLE}
	r.fields(func(id int16, kind byte) bool {
		switch {
		case id == 1 && kind == thriftI32:
			h.kind = pageKind(r.i32())
		case id == 2 && kind == thriftI32:
			h.uncompressed = r.i32()
		case id == 3 && kind == thriftI32:
			h.compressed = r.i32()
		case id == 4 && kind == thriftI32:
			h.crc, h.hasCRC = uint32(r.i32()), true
		case id == 5 && kind == thriftStruct, id == 7 && kind == thriftStruct:
			r.pageHeaderV1(&h)
		case id == 8 && kind == thriftStruct:
			r.pageHeaderV2(&h)
		default:
			return false
		}
		return true
	})
	return h
}

// pageHeaderV1 reads the header of a data page, or of a dictionary page, which has the first two fields.
func (r *thriftReader) pageHeaderV1(h *pageHeader) {
	r.fields(func(id int16, kind byte) bool {
		if kind != thriftI32 {
			return false
		}
		switch id {
		case 1:
			h.values = r.i32()
		case 2:
			h.encoding = encodingID(r.i32())
		case 3:
			h.levelEncoding = encodingID(r.i32())
		case 4:
			h.repLevelEncoding = encodingID(r.i32())
		default:
			return false
		}
		return true
	})
}

func (r *thriftReader) pageHeaderV2(h *pageHeader) {
	r.fields(func(id int16, kind byte) bool {
		switch {
		case id == 1 && kind == thriftI32:
			h.values = r.i32()
		case id == 3 && kind == thriftI32:
			h.rows = r.i32()
		case id == 4 && kind == thriftI32:
			h.encoding = encodingID(r.i32())
		case id == 5 && kind == thriftI32:
			h.definitionBytes = r.i32()
		case id == 6 && kind == thriftI32:
			h.repetitionBytes = r.i32()
		case id == 7:
			h.isCompressed = kind == thriftTrue
		default:
			return false
		}
		return true
	})
}

// windowSize is how much of a chunk is read at a time.
const windowSize = 4 << 20

// maxHeader bounds a page header; statistics of long strings are the only large part.
const maxHeader = 1 << 20

// chunkStream gives the bytes of one column chunk in order, a window at a time.
type chunkStream struct {
	reader      *Reader
	column      int
	at, end     int64 // unread part of the chunk
	window      []byte
	memory      *page.Memory // the window's, unless that came from reading ahead
	windowStart int64
	lent        bool // values refer to the window: it must not be reused
	fresh       bool // nothing of the chunk has been read
	idle        bool // nothing of the last row group's chunk was read
	windowHeld  int64
	pageHeld    int64
	dictHeld    int64
}

// open starts at a chunk.
func (s *chunkStream) open(start, end int64) {
	s.at, s.end, s.fresh = start, end, true
	s.window, s.windowStart = s.window[:0], start
}

// peek gives n bytes (fewer at the chunk's end) at the read position, with slack behind them.
func (s *chunkStream) peek(ctx context.Context, n int) ([]byte, error) {
	n = int(min(int64(n), s.end-s.at))
	have := s.windowStart + int64(len(s.window)) - s.at
	if s.at < s.windowStart || have < int64(n) {
		if err := s.fetch(ctx, n); err != nil {
			return nil, err
		}
	}
	off := int(s.at - s.windowStart)
	return s.window[off : off+n], nil
}

func (s *chunkStream) fetch(ctx context.Context, n int) error {
	if joined, err := s.join(ctx, n); joined || err != nil {
		return err
	}
	size := int(min(max(int64(n), windowSize), s.end-s.at))
	s.fresh = false
	if err := s.grow(size); err != nil {
		return err
	}
	s.windowStart = s.at
	if err := s.reader.fetch(ctx, []objstore.Range{{Offset: s.at, Length: int64(size)}}, [][]byte{s.window}); err != nil {
		return err
	}
	s.askNext(ctx)
	return nil
}

// grow makes the window size bytes of memory that nobody refers to.
func (s *chunkStream) grow(size int) error {
	if s.lent {
		s.window, s.memory, s.lent = nil, nil, false
	}
	if cap(s.window) < size+slack {
		s.drop()
		if err := s.reader.memory.Resize(&s.windowHeld, int64(size+slack)); err != nil {
			return err
		}
		s.memory = s.reader.options.Buffers.Take(size + slack)
		s.window = s.memory.Bytes()
	}
	s.window = s.window[:size]
	return nil
}

// drop gives the window's memory back, for other readers, if nothing refers to it.
func (s *chunkStream) drop() {
	if s.memory != nil && !s.lent {
		s.memory.Release()
	}
	s.window, s.memory = nil, nil
}

// header reads the next page's header and moves behind it.
func (s *chunkStream) header(ctx context.Context) (pageHeader, error) {
	for guess := 256; ; guess *= 8 {
		data, err := s.peek(ctx, guess)
		if err != nil {
			return pageHeader{}, err
		}
		r := thriftReader{data: data}
		h := r.pageHeader()
		if r.failed {
			if len(data) < guess || guess >= maxHeader {
				return h, errThrift
			}
			continue
		}
		s.at += int64(r.at)
		if h.uncompressed < 0 || h.compressed < 0 || int64(h.compressed) > s.end-s.at {
			return h, fmt.Errorf("page of %d bytes (%d decompressed) where %d bytes are left", h.compressed, h.uncompressed, s.end-s.at)
		}
		if h.kind != pageIndex && h.values < 0 {
			return h, errThrift
		}
		if h.kind == pageDataV2 && (h.definitionBytes < 0 || h.repetitionBytes < 0 ||
			int64(h.definitionBytes)+int64(h.repetitionBytes) > int64(min(h.compressed, h.uncompressed))) {
			return h, fmt.Errorf("page levels take %d and %d bytes of %d", h.definitionBytes, h.repetitionBytes, h.compressed)
		}
		return h, nil
	}
}

// skip moves behind the page whose header was read.
func (s *chunkStream) skip(h pageHeader) { s.at += int64(h.compressed) }

// pageBytes are a page's parts after decompression. values has slack readable bytes behind it.
type pageBytes struct {
	repetitions, definitions []byte // levels, without length prefixes
	values                   []byte
	buffer                   []byte // the memory behind, to be reused; nil when the window is
}

// body reads, verifies and decompresses the page whose header was read, into buffer's memory. held is
// what is reserved for the page's memory.
func (s *chunkStream) body(ctx context.Context, h pageHeader, codec codecID, buffer []byte, held *int64, maxDefinition, maxRepetition int) (p pageBytes, err error) {
	if err := slots.Offer(ctx); err != nil {
		return p, err
	}
	data, err := s.peek(ctx, int(h.compressed))
	if err != nil {
		return p, err
	}
	s.skip(h)
	if h.hasCRC {
		if sum := crc32.ChecksumIEEE(data); sum != h.crc {
			return p, fmt.Errorf("page checksum is %08x, should be %08x", sum, h.crc)
		}
	}
	levels, size := 0, int(h.uncompressed)
	if h.kind == pageDataV2 {
		levels = int(h.repetitionBytes) + int(h.definitionBytes)
		p.repetitions = data[:h.repetitionBytes]
		p.definitions = data[h.repetitionBytes:levels]
		data, size = data[levels:], size-levels
	}
	if codec == codecNone || !h.isCompressed || len(data) == 0 && size == 0 {
		if len(data) != size {
			return p, errSize
		}
		p.values = data[:len(data):min(cap(data), len(data)+slack)]
	} else {
		if !plausible(codec, data, size) {
			return p, fmt.Errorf("page cannot be decompressed: %w", errSize)
		}
		if err := s.reader.memory.Resize(held, int64(max(cap(buffer), size+slack))); err != nil {
			return p, err
		}
		if p.values, err = s.reader.file.codecs.decompress(codec, buffer, data, size); err != nil {
			return p, fmt.Errorf("page cannot be decompressed: %w", err)
		}
		p.buffer = p.values
	}
	if h.kind == pageDataV1 {
		if maxRepetition > 0 {
			if p.repetitions, p.values, err = cutLevels(p.values, h.repLevelEncoding, int(h.values), maxRepetition); err != nil {
				return p, err
			}
		}
		if maxDefinition > 0 {
			p.definitions, p.values, err = cutLevels(p.values, h.levelEncoding, int(h.values), maxDefinition)
		}
	}
	return p, err
}

// cutLevels takes a version 1 page's length-prefixed levels off its values.
func cutLevels(data []byte, encoding encodingID, values, maxLevel int) (levels, rest []byte, err error) {
	if encoding == encBitPacked {
		n := (values*int(bitWidthOf(maxLevel)) + 7) / 8
		if n > len(data) {
			return nil, nil, errLevels
		}
		return unpackLegacyLevels(data[:n], values, bitWidthOf(maxLevel)), data[n:], nil
	}
	if encoding != encRLE || len(data) < 4 {
		return nil, nil, errLevels
	}
	n := uint32(data[0]) | uint32(data[1])<<8 | uint32(data[2])<<16 | uint32(data[3])<<24
	if uint64(n) > uint64(len(data)-4) {
		return nil, nil, errLevels
	}
	return data[4 : 4+n], data[4+n:], nil
}
