package csv

import (
	"context"
	"errors"
	"io"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"

	"github.com/tarnlake/tarn/internal/objstore"
	"github.com/tarnlake/tarn/internal/sqlerr"
)

// blockSize is how much of a file is read at a time.
const blockSize = 1 << 20

// input gives a file's bytes in order, decompressed and in UTF-8.
type input interface {
	// read fills p from the front and gives the number of bytes; 0 is the end.
	read(ctx context.Context, p []byte) (int, error)
	close()
}

// Reading ahead of distant stores: aheadDepth chunks are under way beside the one being decoded.
const (
	aheadChunk = 4 << 20
	aheadDepth = 2
)

// openInput starts reading bytes [offset, offset+length) of an object.
func openInput(store objstore.Store, object objstore.Object, format *Format, offset, length int64, counters *Counters) (input, error) {
	raw := &rangeInput{store: store, object: object, at: offset, end: offset + length, counters: counters}
	if objstore.IsDistant(store) && length > blockSize {
		raw.ahead = objstore.NewAhead(store, object, offset, offset+length, aheadChunk, aheadDepth)
	}
	return wrapInput(raw, format)
}

// openStart reads an object from its start, not far.
func openStart(store objstore.Store, object objstore.Object, format *Format, counters *Counters) (input, error) {
	return wrapInput(&rangeInput{store: store, object: object, end: object.Size, counters: counters}, format)
}

// wrapInput decompresses and converts to UTF-8.
func wrapInput(raw *rangeInput, format *Format) (input, error) {
	object := raw.object
	var in input
	switch format.compression(object.Path) {
	case None:
		in = raw
	default:
		in = &compressedInput{raw: &contextReader{in: raw}, path: object.Path, kind: format.compression(object.Path)}
	}
	if format.Encoding == Latin1 {
		in = &latin1Input{in: in}
	}
	return in, nil
}

type rangeInput struct {
	store    objstore.Store
	object   objstore.Object
	at, end  int64
	counters *Counters
	ahead    *objstore.Ahead // nil: every read asks the store
}

func (r *rangeInput) read(ctx context.Context, p []byte) (int, error) {
	n := int(min(int64(len(p)), r.end-r.at))
	if n == 0 {
		return 0, nil
	}
	var err error
	if r.ahead != nil {
		n, err = r.ahead.Read(ctx, p[:n])
	} else {
		err = r.ask(ctx, p[:n])
	}
	if err != nil {
		return 0, err
	}
	count(r.counters.BytesRead, int64(n))
	count(r.counters.Gets, 1)
	r.at += int64(n)
	return n, nil
}

func (r *rangeInput) ask(ctx context.Context, p []byte) error {
	return r.store.ReadRanges(ctx, r.object.Path, r.object.ETag, []objstore.Range{{Offset: r.at, Length: int64(len(p))}}, [][]byte{p})
}

func (r *rangeInput) close() {
	if r.ahead != nil {
		r.ahead.Close()
	}
}

// contextReader is an io.Reader over an input; ctx is that of the read going on.
type contextReader struct {
	ctx    context.Context
	in     input
	buffer []byte
	left   []byte
}

func (c *contextReader) Read(p []byte) (int, error) {
	if len(c.left) == 0 {
		if c.buffer == nil {
			c.buffer = make([]byte, blockSize)
		}
		n, err := c.in.read(c.ctx, c.buffer)
		if err != nil {
			return 0, err
		}
		if n == 0 {
			return 0, io.EOF
		}
		c.left = c.buffer[:n]
	}
	n := copy(p, c.left)
	c.left = c.left[n:]
	return n, nil
}

type compressedInput struct {
	raw    *contextReader
	path   string
	kind   Compression
	reader io.Reader
	stop   func()
}

func (c *compressedInput) read(ctx context.Context, p []byte) (int, error) {
	c.raw.ctx = ctx
	if c.reader == nil {
		if err := c.open(); err != nil {
			return 0, c.fail(err)
		}
	}
	n, err := io.ReadFull(c.reader, p)
	if errors.Is(err, io.EOF) && n == 0 || errors.Is(err, io.ErrUnexpectedEOF) && c.ended() {
		return n, nil
	}
	return n, c.fail(err)
}

// ended tells a short last read from a truncated stream: the decompressor itself says EOF then.
func (c *compressedInput) ended() bool {
	var b [1]byte
	n, err := c.reader.Read(b[:])
	return n == 0 && errors.Is(err, io.EOF)
}

func (c *compressedInput) open() error {
	if c.kind == Gzip {
		r, err := gzip.NewReader(c.raw)
		if errors.Is(err, io.EOF) {
			return io.ErrUnexpectedEOF
		}
		c.reader = r
		return err
	}
	r, err := zstd.NewReader(c.raw, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxWindow(128<<20))
	if err == nil {
		c.reader, c.stop = r, r.Close
	}
	return err
}

func (c *compressedInput) fail(err error) error {
	var known *sqlerr.Error
	if err == nil || errors.As(err, &known) || errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	return sqlerr.New(sqlerr.DataCorrupted, "file %q cannot be decompressed: %v", c.path, err)
}

func (c *compressedInput) close() {
	if c.stop != nil {
		c.stop()
		c.stop = nil
	}
	c.raw.in.close()
}

// latin1Input turns ISO 8859-1 into UTF-8.
type latin1Input struct {
	in     input
	buffer []byte
}

func (l *latin1Input) read(ctx context.Context, p []byte) (int, error) {
	if l.buffer == nil {
		l.buffer = make([]byte, blockSize/2)
	}
	n, err := l.in.read(ctx, l.buffer[:min(len(l.buffer), len(p)/2)])
	at := 0
	for _, c := range l.buffer[:n] {
		if c < 0x80 {
			p[at] = c
			at++
		} else {
			p[at], p[at+1] = 0xc0|c>>6, 0x80|c&0x3f
			at += 2
		}
	}
	return at, err
}

func (l *latin1Input) close() { l.in.close() }

// streamInput reads from a stream that somebody else owns.
type streamInput struct{ r io.Reader }

func (s *streamInput) read(ctx context.Context, p []byte) (int, error) {
	if err := ctx.Err(); err != nil {
		return 0, err
	}
	n, err := io.ReadFull(s.r, p)
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		err = nil
	}
	return n, err
}

func (s *streamInput) close() {}
