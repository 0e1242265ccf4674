package stream

import (
	"bytes"
	"compress/bzip2"
	"context"
	"errors"
	"io"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"

	"github.com/tarnlake/tarn/internal/format/scan"
	"github.com/tarnlake/tarn/internal/objstore"
	"github.com/tarnlake/tarn/internal/sqlerr"
)

// BlockSize is how much of a file is read at a time.
const BlockSize = 1 << 20

// Reject is a record, or a value of one, that a reader leaves out with ignore_errors.
type Reject struct {
	Line   int64
	Column string // "" where the record as a whole is bad
	Text   string // of the value or the record, not all of a long one
	Error  string
}

// Shown gives the text of a Reject.
func Shown(text []byte) string {
	const most = 1000
	if len(text) > most {
		return string(bytes.ToValidUTF8(text[:most], []byte("?"))) + "..."
	}
	return string(bytes.ToValidUTF8(bytes.TrimRight(text, "\r\n"), []byte("?")))
}

// Quoted gives the beginning of a value for an error message.
func Quoted(text []byte) string {
	const most = 100
	if len(text) > most {
		return string(text[:most]) + "..."
	}
	return string(text)
}

// Good lists the rows of a batch that are not bad, in the memory of into.
func Good(into []int32, rows int, bad map[int]bool) []int32 {
	if into = into[:0]; into == nil {
		into = []int32{} // not all rows, but none
	}
	for i := range rows {
		if !bad[i] {
			into = append(into, int32(i))
		}
	}
	return into
}

// Input gives a file's bytes in order, decompressed.
type Input interface {
	// Read fills p from the front and gives the number of bytes; 0 is the end.
	Read(ctx context.Context, p []byte) (int, error)
	// Close ends what is under way; it may be called once.
	Close()
}

// smallRead is how little room ReadMore leaves unused: encodings want room for some characters.
const smallRead = 16

// ReadMore reads at least n bytes, where there are as many and p holds them: who looks at all of a
// record again for each part of it that arrives takes time with its square. It gives 0 at the end.
func ReadMore(ctx context.Context, read func(context.Context, []byte) (int, error), p []byte, n int) (int, error) {
	have, err := read(ctx, p)
	for err == nil && have > 0 && have < n && len(p)-have >= smallRead {
		more := 0
		if more, err = read(ctx, p[have:]); more == 0 {
			break
		}
		have += more
	}
	return have, err
}

// Reading ahead of distant stores: aheadDepth chunks are under way beside the one being decoded.
const (
	aheadChunk = 4 << 20
	aheadDepth = 2
)

// AheadBytes is how much memory reading length bytes of a distant store takes beside the caller's.
func AheadBytes(length int64) int64 { return min((aheadDepth+1)*aheadChunk, length) }

// Open starts reading bytes [offset, offset+length) of an object, which are the whole of it when it
// is compressed.
func Open(store objstore.Store, object objstore.Object, compression Compression, offset, length int64, counters scan.Counters) Input {
	raw := &rangeInput{store: store, object: object, at: offset, end: offset + length, counters: counters}
	if objstore.IsDistant(store) && length > BlockSize {
		raw.ahead = objstore.NewAhead(store, object, offset, offset+length, aheadChunk, aheadDepth)
	}
	return unpack(raw, compression)
}

// OpenStart reads an object from its start, not far.
func OpenStart(store objstore.Store, object objstore.Object, compression Compression, counters scan.Counters) Input {
	return unpack(&rangeInput{store: store, object: object, end: object.Size, counters: counters}, compression)
}

func unpack(raw *rangeInput, compression Compression) Input {
	if kind := compression.Of(raw.object.Path); kind != None {
		return &compressedInput{raw: &contextReader{in: raw}, path: objstore.Shown(raw.store, raw.object.Path), kind: kind}
	}
	return raw
}

type rangeInput struct {
	store    objstore.Store
	object   objstore.Object
	at, end  int64
	counters scan.Counters
	ahead    *objstore.Ahead // nil: every read asks the store
}

func (r *rangeInput) Read(ctx context.Context, p []byte) (int, error) {
	n := int(min(int64(len(p)), r.end-r.at))
	if n <= 0 {
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
	scan.Count(r.counters.BytesRead, int64(n))
	scan.Count(r.counters.Gets, 1)
	r.at += int64(n)
	return n, nil
}

func (r *rangeInput) ask(ctx context.Context, p []byte) error {
	return r.store.ReadRanges(ctx, r.object.Path, r.object.ETag, []objstore.Range{{Offset: r.at, Length: int64(len(p))}}, [][]byte{p})
}

func (r *rangeInput) Close() {
	if r.ahead != nil {
		r.ahead.Close()
	}
}

// contextReader is an io.Reader over an input; ctx is that of the read going on.
type contextReader struct {
	ctx    context.Context
	in     Input
	buffer []byte
	left   []byte
}

func (c *contextReader) Read(p []byte) (int, error) {
	if len(c.left) == 0 {
		if c.buffer == nil {
			c.buffer = make([]byte, BlockSize)
		}
		n, err := c.in.Read(c.ctx, c.buffer)
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

func (c *compressedInput) Read(ctx context.Context, p []byte) (int, error) {
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
	switch c.kind {
	case Gzip:
		r, err := gzip.NewReader(c.raw)
		if errors.Is(err, io.EOF) {
			return io.ErrUnexpectedEOF
		}
		c.reader = r
		return err
	case Bzip2:
		c.reader = bzip2.NewReader(c.raw)
		return nil
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
	if errors.Is(err, io.ErrUnexpectedEOF) {
		return sqlerr.New(sqlerr.DataCorrupted, "file %q is truncated: its %s data ends too early", c.path, c.kind)
	}
	return sqlerr.New(sqlerr.DataCorrupted, "file %q cannot be decompressed: %v", c.path, err)
}

func (c *compressedInput) Close() {
	if c.stop != nil {
		c.stop()
		c.stop = nil
	}
	c.raw.in.Close()
}
