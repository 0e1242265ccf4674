package orc

import (
	"context"
	"errors"

	"github.com/tarnlake/tarn/internal/format/codec"
	"github.com/tarnlake/tarn/internal/format/scan"
	"github.com/tarnlake/tarn/internal/objstore"
	"github.com/tarnlake/tarn/internal/slots"
	"github.com/tarnlake/tarn/internal/vec"
)

// windowSize is how much of a stream is read at a time.
const windowSize = 2 << 20

var errStreamEnd = errors.New("stream ends early")

// input gives the decompressed bytes of one stream, in order. The unread ones that are at hand are
// buffer[at:], with slack readable bytes behind them. After seek nothing happens before the next fill.
type input struct {
	reader     *Reader
	start, end int64 // of the stream in the file
	next       int64 // in the file, behind what buffer holds
	until      int64 // reading ahead beyond is of no use; 0: the stream's end
	raw        []byte
	rawStart   int64
	fresh      bool // the window holds nothing at next
	buffer     []byte
	at         int
	chunkStart int64 // of the chunk last put into buffer, -1 for none
	chunkBase  int   // where its bytes begin
	discard    int   // bytes to pass over before the next ones
	lent       bool  // values refer to buffer: it must not be reused
	text       bool  // keep ascii
	ascii      bool  // all of buffer is ASCII
	held       int64 // reserved
}

// open starts at the beginning of a stream.
func (in *input) open(r *Reader, s *streamInfo) {
	in.reader, in.start, in.end = r, s.start, s.end
	in.move(s.start)
	in.until, in.discard, in.raw, in.rawStart = 0, 0, in.raw[:0], 0
}

func (in *input) move(to int64) {
	in.next, in.chunkStart = to, -1
	in.buffer, in.at = in.buffer[:0], 0
	if in.lent {
		in.buffer, in.lent = nil, false
	}
	in.fresh = to < in.rawStart || to >= in.rawStart+int64(len(in.raw))
}

// seek moves to a place that the row index gives.
func (in *input) seek(p *positions) {
	offset, until := p.next()
	compressed := in.reader.file.meta.compression != compressNone
	within := uint64(0)
	if compressed {
		within, _ = p.next()
	}
	if offset > uint64(in.end-in.start) || within > maxBlockSize {
		p.failed = true
		return
	}
	target := in.start + int64(offset)
	in.until = 0
	if until > 0 || p.bounded {
		// A run that begins before the place may end behind it.
		in.until = min(in.end, in.start+int64(min(until, 1<<40))+runBytes)
		if compressed {
			in.until = min(in.end, in.until+chunkHeader+in.reader.file.meta.blockSize)
		}
	}
	held := len(in.buffer) > 0
	switch {
	case compressed && held && in.chunkStart == target && in.chunkBase+int(within) <= len(in.buffer):
		in.at, in.discard = in.chunkBase+int(within), 0
	case !compressed && held && target <= in.next && target >= in.next-int64(len(in.buffer)):
		in.at, in.discard = len(in.buffer)-int(in.next-target), 0
	default:
		in.move(target)
		in.discard = int(within)
	}
}

// fill brings n unread bytes to hand.
func (in *input) fill(n int) error {
	for in.discard > 0 {
		if in.at == len(in.buffer) {
			if err := in.more(); err != nil {
				return err
			}
		}
		m := min(in.discard, len(in.buffer)-in.at)
		in.at += m
		in.discard -= m
	}
	for len(in.buffer)-in.at < n {
		if err := in.more(); err != nil {
			return err
		}
	}
	return nil
}

// more adds the next compression chunk, or the next window of an uncompressed stream.
func (in *input) more() error {
	if in.next >= in.end {
		return errStreamEnd
	}
	keep := in.buffer[in.at:]
	into := in.buffer
	switch {
	case in.lent:
		into, in.lent = append(codec.Uncleared(len(keep) + slack)[:0], keep...), false
	case in.at > 0:
		into = append(in.buffer[:0], keep...)
	}
	in.buffer, in.at = into, 0
	known := len(keep)
	if err := in.load(); err != nil {
		return err
	}
	if in.text {
		in.ascii = (known == 0 || in.ascii) && vec.IsASCII(in.buffer[known:])
	}
	return in.account()
}

func (in *input) load() error {
	kind := in.reader.file.meta.compression
	if kind == compressNone {
		data, err := in.peek(1)
		if err != nil {
			return err
		}
		if len(in.buffer) == 0 && in.next == in.rawStart { // the window becomes the buffer
			in.next += int64(len(data))
			in.buffer, in.raw = in.raw, in.buffer
			in.rawStart = in.next
			return nil
		}
		in.buffer = append(reserve(in.buffer, len(data)), data...)
		in.next += int64(len(data))
		return nil
	}
	if ctx := in.reader.ctx; ctx != nil {
		if err := slots.Offer(ctx); err != nil {
			return err
		}
	}
	head, err := in.peek(chunkHeader)
	if err != nil {
		return err
	}
	original, length := parseChunkHeader(head)
	if int64(length) > in.end-in.next-chunkHeader {
		return errChunk
	}
	if head, err = in.peek(chunkHeader + length); err != nil {
		return err
	}
	data := head[chunkHeader : chunkHeader+length]
	in.chunkStart, in.chunkBase = in.next, len(in.buffer)
	in.next += int64(chunkHeader + length)
	if original {
		in.buffer = append(reserve(in.buffer, length), data...)
		return nil
	}
	if err := in.makeRoom(); err != nil {
		return err
	}
	out, err := in.reader.file.codecs.decompress(kind, in.buffer, data, int(in.reader.file.meta.blockSize))
	if err != nil {
		return err
	}
	in.buffer = out
	return nil
}

// peek gives at least n bytes of the file at in.next, and as many more as are at hand.
func (in *input) peek(n int) ([]byte, error) {
	if int64(n) > in.end-in.next {
		return nil, errStreamEnd
	}
	if in.next < in.rawStart || in.rawStart+int64(len(in.raw))-in.next < int64(n) {
		if err := in.fetch(n); err != nil {
			return nil, err
		}
	}
	return in.raw[in.next-in.rawStart:], nil
}

// ahead is how much to read from in.next on when n bytes are needed.
func (in *input) ahead(n int) int {
	size := min(windowSize, in.end-in.next)
	if in.until > 0 {
		size = min(size, in.until-in.next)
	}
	return int(max(size, int64(n)))
}

func (in *input) fetch(n int) error {
	if joined, err := in.join(n); joined || err != nil {
		return err
	}
	size := in.ahead(n)
	keep := []byte(nil)
	if in.next >= in.rawStart && in.next < in.rawStart+int64(len(in.raw)) {
		keep = in.raw[in.next-in.rawStart:]
	}
	if cap(in.raw) < size+slack {
		grown := codec.Uncleared(size + slack)[:size]
		copy(grown, keep)
		in.raw = grown
	} else {
		in.raw = in.raw[:size]
		copy(in.raw, keep)
	}
	in.rawStart, in.fresh = in.next, false
	if err := in.account(); err != nil {
		return err
	}
	if err := in.reader.fetch(in.reader.ctx, []objstore.Range{{Offset: in.next + int64(len(keep)), Length: int64(size - len(keep))}},
		[][]byte{in.raw[len(keep):]}); err != nil {
		return err
	}
	in.askNext(in.reader.ctx)
	return nil
}

// prefetch gives the range that the next fill will want first and where to read it to; nil when
// nothing has to be read.
func (in *input) prefetch() (objstore.Range, []byte) {
	if !in.fresh || in.next >= in.end {
		return objstore.Range{}, nil
	}
	size := in.ahead(0)
	if size == 0 {
		return objstore.Range{}, nil
	}
	if cap(in.raw) < size+slack {
		in.raw = codec.Uncleared(size + slack)
	}
	in.raw, in.rawStart, in.fresh = in.raw[:size], in.next, false
	return objstore.Range{Offset: in.next, Length: int64(size)}, in.raw
}

// account brings what is reserved up to date.
func (in *input) account() error {
	return in.reader.memory.Resize(&in.held, int64(cap(in.raw)+cap(in.buffer)))
}

// makeRoom reserves what the next compression chunk may take, before it is expanded.
func (in *input) makeRoom() error {
	most := len(in.buffer) + int(in.reader.file.meta.blockSize) + slack
	if most <= cap(in.buffer) {
		return nil
	}
	return in.reader.memory.Resize(&in.held, int64(cap(in.raw)+cap(in.buffer)+most))
}

// read copies the next len(dst) bytes.
func (in *input) read(dst []byte) error {
	for len(dst) > 0 {
		if err := in.fill(1); err != nil {
			return err
		}
		n := copy(dst, in.buffer[in.at:])
		in.at += n
		dst = dst[n:]
	}
	return nil
}

// skip passes over n bytes.
func (in *input) skip(n int64) error {
	for n > 0 {
		if err := in.fill(0); err != nil {
			return err
		}
		m := min(n, int64(len(in.buffer)-in.at))
		in.at += int(m)
		if n -= m; n == 0 {
			break
		}
		if in.reader.file.meta.compression == compressNone { // without reading
			if n > in.end-in.next {
				return errStreamEnd
			}
			in.move(in.next + n)
			break
		}
		if err := in.more(); err != nil {
			return err
		}
	}
	return nil
}

// positions are the places of a row group in the streams of one column.
type positions struct {
	from, until []uint64
	bounded     bool // until tells where the wanted rows end
	failed      bool
}

func (p *positions) next() (from, until uint64) {
	if len(p.from) == 0 {
		p.failed = true
		return 0, 0
	}
	from, p.from = p.from[0], p.from[1:]
	if len(p.until) > 0 {
		until, p.until = p.until[0], p.until[1:]
	}
	return from, until
}

// count is next for a number of values.
func (p *positions) count(most uint64) int {
	n, _ := p.next()
	if n > most {
		p.failed = true
		return 0
	}
	return int(n)
}

// fetch reads ranges, and counts them.
func (r *Reader) fetch(ctx context.Context, ranges []objstore.Range, buffers [][]byte) error {
	return scan.Fetch(ctx, r.file.store, r.file.object, r.options.Counters, ranges, buffers)
}
