package csv

import (
	"context"
	"encoding/binary"
	"strings"
	"unicode/utf8"

	"github.com/tarnlake/tarn/internal/format/stream"
	"github.com/tarnlake/tarn/internal/sqlerr"
)

// Encoding of a file's text.
type Encoding uint8

// The encodings.
const (
	UTF8 Encoding = iota
	Latin1
	UTF16 // as the byte order mark says, little-endian without one
	UTF16BigEndian
)

// parseEncoding reads the name of an encoding.
func parseEncoding(name string) (Encoding, bool) {
	switch strings.NewReplacer("-", "", "_", "").Replace(strings.ToLower(name)) {
	case "utf8", "unicode":
		return UTF8, true
	case "latin1", "iso88591":
		return Latin1, true
	case "utf16", "utf16le":
		return UTF16, true
	case "utf16be":
		return UTF16BigEndian, true
	}
	return UTF8, false
}

// inUTF8 converts an input to UTF-8; name is the file's.
func inUTF8(in stream.Input, name string, encoding Encoding) stream.Input {
	switch encoding {
	case Latin1:
		return &latin1Input{in: in}
	case UTF16, UTF16BigEndian:
		return &utf16Input{in: in, name: name, big: encoding == UTF16BigEndian}
	}
	return in
}

// latin1Input turns ISO 8859-1 into UTF-8.
type latin1Input struct {
	in     stream.Input
	buffer []byte
}

func (l *latin1Input) Read(ctx context.Context, p []byte) (int, error) {
	if l.buffer == nil {
		l.buffer = make([]byte, stream.BlockSize/2)
	}
	n, err := l.in.Read(ctx, l.buffer[:min(len(l.buffer), len(p)/2)])
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

func (l *latin1Input) Close() { l.in.Close() }

// utf16Input turns UTF-16 into UTF-8, without the byte order mark.
type utf16Input struct {
	in      stream.Input
	name    string
	big     bool
	started bool
	buffer  []byte
	rest    int   // bytes at the buffer's beginning that are part of a character
	offset  int64 // of the buffer in the file
}

// Read fills p as far as whole characters go; p must hold some.
func (u *utf16Input) Read(ctx context.Context, p []byte) (int, error) {
	if u.buffer == nil {
		u.buffer = make([]byte, stream.BlockSize/2)
	}
	for {
		// Two bytes become at most three.
		most := min(len(u.buffer), len(p)*2/3&^1)
		if most-u.rest < 2 {
			return 0, sqlerr.Internal("UTF-16 is read into %d bytes", len(p))
		}
		n, err := u.in.Read(ctx, u.buffer[u.rest:most])
		if err != nil {
			return 0, err
		}
		b := u.buffer[:u.rest+n]
		if n == 0 && len(b) > 0 {
			return 0, u.bad(0)
		}
		used := 0
		if !u.started && len(b) >= 2 {
			u.started = true
			switch mark := binary.LittleEndian.Uint16(b); mark {
			case 0xfeff:
				u.big, used = false, 2
			case 0xfffe:
				u.big, used = true, 2
			}
		}
		used, written, fine := u.decode(p, b, used)
		if !fine {
			return 0, u.bad(used)
		}
		u.rest = copy(u.buffer, b[used:])
		u.offset += int64(used)
		if written > 0 || n == 0 {
			return written, nil
		}
	}
}

// decode writes the characters of b from position at on to p and gives the position up to which they are
// whole; or, if not fine, that of what is no character.
func (u *utf16Input) decode(p, b []byte, at int) (used, written int, fine bool) {
	unit := func(i int) rune {
		if u.big {
			return rune(b[i])<<8 | rune(b[i+1])
		}
		return rune(b[i+1])<<8 | rune(b[i])
	}
	for ; at+1 < len(b); at += 2 {
		c := unit(at)
		switch {
		case c < 0x80:
			p[written] = byte(c)
			written++
			continue
		case c >= 0xdc00 && c < 0xe000:
			return at, written, false
		case c >= 0xd800 && c < 0xdc00:
			if at+3 >= len(b) {
				return at, written, true
			}
			low := unit(at + 2)
			if low < 0xdc00 || low >= 0xe000 {
				return at, written, false
			}
			c = 0x10000 + (c-0xd800)<<10 + low - 0xdc00
			at += 2
		}
		written += utf8.EncodeRune(p[written:], c)
	}
	return at, written, true
}

func (u *utf16Input) bad(at int) error {
	return sqlerr.New(sqlerr.CharacterNotInRepertoire, "invalid byte sequence for encoding \"UTF16\" at byte %d of CSV file %q", u.offset+int64(at), u.name)
}

func (u *utf16Input) Close() { u.in.Close() }

// errNotUTF8 names the first bytes of a text that are no character.
func errNotUTF8(text []byte) error {
	for len(text) > 0 {
		c, size := utf8.DecodeRune(text)
		if c == utf8.RuneError && size == 1 {
			break
		}
		text = text[size:]
	}
	var shown strings.Builder
	const digits = "0123456789abcdef"
	for _, c := range text[:min(len(text), 3)] {
		shown.WriteString(" 0x" + string([]byte{digits[c>>4], digits[c&15]}))
		if c < 0x80 {
			break
		}
	}
	return sqlerr.New(sqlerr.CharacterNotInRepertoire, "invalid byte sequence for encoding \"UTF8\":%s", shown.String()).
		WithHint("If the file is not in UTF-8, name its encoding: encoding => 'latin-1' or 'utf-16'.")
}
