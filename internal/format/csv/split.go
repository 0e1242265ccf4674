package csv

import (
	"bytes"
	"context"

	"github.com/tarnlake/tarn/internal/format/scan"
	"github.com/tarnlake/tarn/internal/format/stream"
	"github.com/tarnlake/tarn/internal/objstore"
)

// Split is a part of a file that begins and ends between records; or, where they are Guessed, the
// records that begin in some run of bytes. The zero value is the whole file.
type Split struct {
	Offset, Length int64
	Line           int64 `json:",omitempty"` // of its first byte, from 1; 0: not known
	Guessed        bool  `json:",omitempty"`
}

// Splitter cuts a file into Splits: at any bytes or, if it has to, by reading through it once.
type Splitter struct {
	parts, next int64 // of even length, for parts > 0

	format Format
	in     stream.Input
	object objstore.Object
	target int64

	block  []byte
	buffer []byte
	offset int64 // of block in the file
	at     int   // in block
	state  quoteState
	before byte // the byte before block[at]
	skip   int  // lines at the start still to pass over

	start     int64 // of the open split
	startLine int64
	counted   int64 // newlines before block
	done      bool
}

type quoteState uint8

const (
	outside quoteState = iota
	inQuotes
	afterEscape // in quotes, the character before was an escape that is no quote
	afterQuote  // in quotes, the character before was a quote: the end, or half of a doubled one
)

// NewSplitter cuts object into splits of about target bytes.
func NewSplitter(store objstore.Store, object objstore.Object, format Format, target int64) (*Splitter, error) {
	s := &Splitter{format: format, object: object, target: max(target, 1), before: format.Newline, startLine: 1, skip: format.Skip}
	if !format.splittable(object.Path) || object.Size <= s.target+s.target/2 {
		return s, nil
	}
	if !format.Multiline {
		const least = 16 // the byte order mark lies in the first split
		s.parts = max(object.Size/max(s.target, least), 1)
		return s, nil
	}
	s.in = stream.Open(store, object, stream.None, 0, object.Size, scan.Counters{})
	return s, nil
}

// Reads tells whether Next reads through the file.
func (s *Splitter) Reads() bool { return s.in != nil }

// Close ends the reading, should Next not have come to the end.
func (s *Splitter) Close() {
	if s.in != nil && !s.done {
		s.done = true
		s.in.Close()
	}
}

// part gives the next of the even parts.
func (s *Splitter) part() Split {
	boundary := func(part int64) int64 {
		return part*(s.object.Size/s.parts) + min(part, s.object.Size%s.parts)
	}
	out := Split{Offset: boundary(s.next), Guessed: true}
	s.next++
	out.Length = boundary(s.next) - out.Offset
	s.done = s.next == s.parts
	return out
}

// Next gives the next split, false at the end. If it Reads, it does so to the split's end.
func (s *Splitter) Next(ctx context.Context) (Split, bool, error) {
	if s.done {
		return Split{}, false, nil
	}
	if s.parts > 0 {
		return s.part(), true, nil
	}
	if s.in == nil {
		s.done = true
		return Split{Length: s.object.Size, Line: 1}, s.object.Size > 0, nil
	}
	for {
		if s.at == len(s.block) {
			more, err := s.fill(ctx)
			if err != nil {
				return Split{}, false, err
			}
			if !more {
				s.done = true
				s.in.Close()
				out := Split{Offset: s.start, Length: s.object.Size - s.start, Line: s.startLine}
				return out, out.Length > 0, nil
			}
		}
		if boundary := s.scan(s.start + s.target - s.offset); boundary >= 0 {
			out := Split{Offset: s.start, Length: s.offset + int64(boundary) - s.start, Line: s.startLine}
			s.start += out.Length
			s.startLine = s.counted + int64(bytes.Count(s.block[:boundary], []byte{s.format.Newline})) + 1
			return out, true, nil
		}
	}
}

func (s *Splitter) fill(ctx context.Context) (bool, error) {
	s.offset += int64(len(s.block))
	s.counted += int64(bytes.Count(s.block, []byte{s.format.Newline}))
	if s.buffer == nil {
		s.buffer = make([]byte, 4*stream.BlockSize)
	}
	n, err := s.in.Read(ctx, s.buffer)
	s.block, s.at = s.buffer[:n], 0
	return n > 0, err
}

// scan moves on to the end of a record at or behind position from of the block and gives the
// position behind it, or goes to the block's end and gives -1.
func (s *Splitter) scan(from int64) int {
	newline := s.format.Newline
	for s.at < len(s.block) {
		if s.skip > 0 {
			n := bytes.IndexByte(s.block[s.at:], newline)
			if n < 0 {
				break
			}
			s.move(s.at + n + 1)
			s.skip--
			continue
		}
		if s.state != outside {
			s.quoted()
			continue
		}
		end := len(s.block)
		if s.format.Quote != 0 {
			if q := bytes.IndexByte(s.block[s.at:], s.format.Quote); q >= 0 {
				end = s.at + q
			}
		}
		if first := max(int64(s.at), from-1); first < int64(end) {
			if n := bytes.IndexByte(s.block[first:end], newline); n >= 0 {
				s.move(int(first) + n + 1)
				return s.at
			}
		}
		s.move(end)
		if end < len(s.block) {
			if s.before == s.format.Delimiter || s.before == newline || s.offset == 0 && s.at == 3 && bytes.HasPrefix(s.block, byteOrderMark) {
				s.state = inQuotes
			}
			s.move(end + 1)
		}
	}
	if s.at < len(s.block) {
		s.move(len(s.block))
	}
	return -1
}

// move goes forward to position to.
func (s *Splitter) move(to int) {
	if to > s.at {
		s.before = s.block[to-1]
		s.at = to
	}
}

// quoted consumes at least one byte inside quotes.
func (s *Splitter) quoted() {
	c := s.block[s.at]
	switch s.state {
	case afterQuote:
		if c != s.format.Quote {
			s.state = outside
			return
		}
		s.state = inQuotes
		s.move(s.at + 1)
	case afterEscape:
		s.state = inQuotes
		s.move(s.at + 1)
	default:
		rest := s.block[s.at:]
		q := bytes.IndexByte(rest, s.format.Quote)
		if s.format.Escape != s.format.Quote && s.format.Escape != 0 {
			if q >= 0 {
				rest = rest[:q]
			}
			if e := bytes.IndexByte(rest, s.format.Escape); e >= 0 {
				s.state = afterEscape
				s.move(s.at + e + 1)
				return
			}
		}
		if q < 0 {
			s.move(len(s.block))
			return
		}
		s.move(s.at + q + 1)
		if s.state = outside; s.format.Escape == s.format.Quote {
			s.state = afterQuote
		}
	}
}

var byteOrderMark = []byte{0xef, 0xbb, 0xbf}

// recordAt gives the position of the first record at or behind a position and the number of its line,
// by reading through what is before.
func recordAt(ctx context.Context, store objstore.Store, object objstore.Object, format Format, position int64) (at, line int64, err error) {
	s := &Splitter{format: format, object: object, target: position, before: format.Newline, startLine: 1, skip: format.Skip}
	s.in = stream.Open(store, object, stream.None, 0, object.Size, scan.Counters{})
	defer s.Close()
	split, _, err := s.Next(ctx)
	return split.Length, s.startLine, err
}
