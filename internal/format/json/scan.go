package json

import (
	"math/bits"
	"unsafe"
)

// span is where a value lies in the block: of a string the text between the quotes.
type span struct {
	at    uint32
	flags uint32 // kind, foldedFlag, length
}

// The kinds of values, in the top bits of span.flags.
const (
	kindNull    = 0 << 29 // null or, where all of the span is 0, no such key
	kindString  = 1 << 29
	kindEscaped = 2 << 29 // a string with escapes
	kindInteger = 3 << 29
	kindNumber  = 4 << 29 // with point or exponent
	kindBool    = 5 << 29
	kindObject  = 6 << 29
	kindArray   = 7 << 29
	kindMask    = 7 << 29
	foldedFlag  = 1 << 28 // found by a key that differs in case
	lengthMask  = foldedFlag - 1
)

func (s span) kind() uint32 { return s.flags & kindMask }
func (s span) length() int  { return int(s.flags & lengthMask) }
func (s span) text(data []byte) []byte {
	return data[s.at : int(s.at)+s.length() : int(s.at)+s.length()]
}

// maxRecord bounds a record's length: spans must hold it.
const maxRecord = lengthMask - 1

// padding is how many zeros are readable behind every block. They end every scan, as no JSON text
// holds them.
const padding = 64

// maxDepth is how deep values may be nested.
const maxDepth = 1000

const (
	ones  = 0x0101010101010101
	highs = 0x8080808080808080
)

// scanner steps through the values of one block.
type scanner struct {
	data   []byte // with padding behind
	end    int
	lines  bool // line breaks stand between records only
	fault  fault
	faulty int // position of the fault
}

// fault is why a text is not read.
type fault uint8

const (
	noFault fault = iota
	badSyntax
	badEscape // \u with half of a surrogate pair
	tooDeep
	notObject
	moreBehind // a second value on the line, or behind the array
	badText    // not UTF-8
	tooLong
)

// fail notes a fault and gives the negative position that scans return with it.
func (s *scanner) fail(at int, why fault) int {
	s.fault, s.faulty = why, at
	return -1
}

func (s *scanner) at(i int) byte {
	return *(*byte)(unsafe.Add(unsafe.Pointer(unsafe.SliceData(s.data)), i))
}

func (s *scanner) word(i int) uint64 {
	return *(*uint64)(unsafe.Add(unsafe.Pointer(unsafe.SliceData(s.data)), i))
}

// blank passes over white space.
func (s *scanner) blank(i int) int {
	for {
		switch s.at(i) {
		case ' ', '\t', '\r':
		case '\n':
			if s.lines {
				return i
			}
		default:
			return i
		}
		i++
	}
}

// blankLines passes over white space, line breaks too.
func (s *scanner) blankLines(i int) int {
	for c := s.at(i); c == ' ' || c == '\t' || c == '\n' || c == '\r'; c = s.at(i) {
		i++
	}
	return i
}

// str scans the string whose text begins at i, gives the position behind its closing quote.
func (s *scanner) str(i int) (int, span) {
	begin := i
	kind := uint32(kindString)
	base := unsafe.Pointer(unsafe.SliceData(s.data))
	for {
		w := *(*uint64)(unsafe.Add(base, i))
		quote, escape := w^('"'*ones), w^('\\'*ones)
		// The lowest bit set is exact; others may be borrowed.
		special := ((quote-ones)&^quote | (escape-ones)&^escape | (w-' '*ones)&^w) & highs
		if special == 0 {
			i += 8
			continue
		}
		i += bits.TrailingZeros64(special) >> 3
		switch *(*byte)(unsafe.Add(base, i)) {
		case '"':
			return i + 1, span{uint32(begin), uint32(i-begin) | kind}
		case '\\':
			kind = kindEscaped
			if i = s.escape(i + 1); i < 0 {
				return -1, span{}
			}
		default:
			return s.fail(i, badSyntax), span{}
		}
	}
}

// escape checks what follows a backslash.
func (s *scanner) escape(i int) int {
	switch s.at(i) {
	case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
		return i + 1
	case 'u':
	default:
		return s.fail(i, badSyntax)
	}
	unit, ok := s.hex(i + 1)
	if !ok {
		return s.fail(i, badSyntax)
	}
	i += 5
	if unit < 0xD800 || unit > 0xDFFF {
		return i
	}
	if unit >= 0xDC00 {
		return s.fail(i-6, badEscape)
	}
	if s.at(i) != '\\' || s.at(i+1) != 'u' {
		return s.fail(i, badEscape)
	}
	if unit, ok = s.hex(i + 2); !ok || unit < 0xDC00 || unit > 0xDFFF {
		return s.fail(i, badEscape)
	}
	return i + 6
}

// hex reads four hexadecimal digits.
func (s *scanner) hex(i int) (unit uint32, ok bool) {
	for k := range 4 {
		digit := hexDigit(s.at(i + k))
		if digit > 15 {
			return 0, false
		}
		unit = unit<<4 | uint32(digit)
	}
	return unit, true
}

func hexDigit(c byte) byte {
	switch {
	case c >= '0' && c <= '9':
		return c - '0'
	case c|0x20 >= 'a' && c|0x20 <= 'f':
		return c | 0x20 - 'a' + 10
	}
	return 255
}

// number scans the number at i.
func (s *scanner) number(i int) (int, span) {
	base := unsafe.Pointer(unsafe.SliceData(s.data))
	begin := i
	c := *(*byte)(unsafe.Add(base, i))
	if c == '-' {
		i++
		c = *(*byte)(unsafe.Add(base, i))
	}
	first := i
	for c-'0' < 10 {
		i++
		c = *(*byte)(unsafe.Add(base, i))
	}
	if i == first || *(*byte)(unsafe.Add(base, first)) == '0' && i > first+1 {
		return s.fail(i, badSyntax), span{}
	}
	if c != '.' && c|0x20 != 'e' {
		return i, span{uint32(begin), uint32(i-begin) | kindInteger}
	}
	if c == '.' {
		i++
		first = i
		for c = *(*byte)(unsafe.Add(base, i)); c-'0' < 10; c = *(*byte)(unsafe.Add(base, i)) {
			i++
		}
		if i == first {
			return s.fail(i, badSyntax), span{}
		}
	}
	if c|0x20 == 'e' {
		if i++; s.at(i) == '+' || s.at(i) == '-' {
			i++
		}
		if i = s.digits(i); i < 0 {
			return i, span{}
		}
	}
	return i, span{uint32(begin), uint32(i-begin) | kindNumber}
}

// digits passes over at least one digit.
func (s *scanner) digits(i int) int {
	begin := i
	for s.at(i)-'0' < 10 {
		i++
	}
	if i == begin {
		return s.fail(i, badSyntax)
	}
	return i
}

const (
	wordTrue = 't' | 'r'<<8 | 'u'<<16 | 'e'<<24
	wordNull = 'n' | 'u'<<8 | 'l'<<16 | 'l'<<24
	wordAlse = 'a' | 'l'<<8 | 's'<<16 | 'e'<<24
)

// value scans the value at i, which no white space precedes, and gives the position behind it.
func (s *scanner) value(i int) (int, span) {
	switch c := s.at(i); c {
	case '"':
		return s.str(i + 1)
	case '-', '0', '1', '2', '3', '4', '5', '6', '7', '8', '9':
		return s.number(i)
	case 't':
		if uint32(s.word(i)) == wordTrue {
			return i + 4, span{uint32(i), 4 | kindBool}
		}
	case 'f':
		if uint32(s.word(i+1)) == wordAlse {
			return i + 5, span{uint32(i), 5 | kindBool}
		}
	case 'n':
		if uint32(s.word(i)) == wordNull {
			return i + 4, span{uint32(i), kindNull}
		}
	case '{', '[':
		return s.nested(i)
	}
	return s.fail(i, badSyntax), span{}
}

// nested scans an object or array.
func (s *scanner) nested(i int) (int, span) {
	begin := i
	kind := uint32(kindObject)
	if s.at(i) == '[' {
		kind = kindArray
	}
	var inObject [maxDepth/64 + 1]uint64 // a bit for each level
	depth := 0
	for {
		// A value begins at i.
		switch s.at(i) {
		case '{':
			if depth++; depth >= maxDepth {
				return s.fail(i, tooDeep), span{}
			}
			inObject[depth>>6] |= 1 << (depth & 63)
			if i = s.blank(i + 1); s.at(i) != '}' {
				if i = s.key(i); i < 0 {
					return i, span{}
				}
				continue
			}
			i++
			depth--
		case '[':
			if depth++; depth >= maxDepth {
				return s.fail(i, tooDeep), span{}
			}
			inObject[depth>>6] &^= 1 << (depth & 63)
			if i = s.blank(i + 1); s.at(i) != ']' {
				continue
			}
			i++
			depth--
		default:
			if i, _ = s.value(i); i < 0 {
				return i, span{}
			}
		}
		// A value has ended; others may with it.
		for {
			if depth == 0 {
				return i, span{uint32(begin), uint32(i-begin) | kind}
			}
			i = s.blank(i)
			object := inObject[depth>>6]>>(depth&63)&1 != 0
			c := s.at(i)
			i++
			if c == ',' {
				if i = s.blank(i); object {
					if i = s.key(i); i < 0 {
						return i, span{}
					}
				}
				break
			}
			if object && c != '}' || !object && c != ']' {
				return s.fail(i-1, badSyntax), span{}
			}
			depth--
		}
	}
}

// key passes over a key, the colon and the white space around it.
func (s *scanner) key(i int) int {
	if s.at(i) != '"' {
		return s.fail(i, badSyntax)
	}
	i, _ = s.str(i + 1)
	if i < 0 {
		return i
	}
	return s.colon(i)
}

// colon passes over the colon behind a key and the white space around it.
func (s *scanner) colon(i int) int {
	if s.at(i) != ':' {
		if i = s.blank(i); s.at(i) != ':' {
			return s.fail(i, badSyntax)
		}
	}
	if i++; s.at(i) <= ' ' {
		i = s.blank(i)
	}
	return i
}
