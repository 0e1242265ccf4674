package types

import (
	"encoding/hex"

	"github.com/tarnlake/tarn/internal/sqlerr"
)

// AppendBytea appends bytes as \x and hexadecimal digits.
func AppendBytea(dst []byte, s string) []byte {
	dst = append(dst, '\\', 'x')
	const digits = "0123456789abcdef"
	for i := 0; i < len(s); i++ {
		dst = append(dst, digits[s[i]>>4], digits[s[i]&15])
	}
	return dst
}

// ParseBytea reads \x… or the escape form, in which \\ is a backslash and \ooo an octal byte.
func ParseBytea(b []byte) ([]byte, error) {
	if len(b) >= 2 && b[0] == '\\' && b[1] == 'x' {
		return parseHex(b[2:])
	}
	out := make([]byte, 0, len(b))
	for i := 0; i < len(b); i++ {
		switch {
		case b[i] != '\\':
			out = append(out, b[i])
		case i+1 < len(b) && b[i+1] == '\\':
			out = append(out, '\\')
			i++
		case i+3 < len(b) && isOctal(b[i+1], '3') && isOctal(b[i+2], '7') && isOctal(b[i+3], '7'):
			out = append(out, (b[i+1]-'0')<<6|(b[i+2]-'0')<<3|(b[i+3]-'0'))
			i += 3
		default:
			return nil, sqlerr.New(sqlerr.InvalidTextRepresentation, "invalid input syntax for type bytea")
		}
	}
	return out, nil
}

func isOctal(c, most byte) bool { return c >= '0' && c <= most }

func parseHex(b []byte) ([]byte, error) {
	digits := make([]byte, 0, len(b))
	for i := 0; i < len(b); i++ {
		if isSpace(b[i]) {
			if len(digits)%2 == 0 {
				continue
			}
		}
		if hexValue(b[i]) > 15 {
			return nil, sqlerr.New(sqlerr.InvalidParameterValue, "invalid hexadecimal digit: \"%s\"", b[i:i+characterBytes(b[i:])])
		}
		digits = append(digits, b[i])
	}
	if len(digits)%2 != 0 {
		return nil, sqlerr.New(sqlerr.InvalidParameterValue, "invalid hexadecimal data: odd number of digits")
	}
	out := make([]byte, len(digits)/2)
	_, err := hex.Decode(out, digits)
	return out, err
}

// characterBytes gives the length of the first UTF-8 character of b.
func characterBytes(b []byte) int {
	n := 1
	for n < len(b) && b[n]&0xC0 == 0x80 {
		n++
	}
	return n
}

func hexValue(c byte) byte {
	switch {
	case c >= '0' && c <= '9':
		return c - '0'
	case c|0x20 >= 'a' && c|0x20 <= 'f':
		return c | 0x20 - 'a' + 10
	}
	return 255
}

// AppendUUID appends the form 8-4-4-4-12.
func AppendUUID(dst []byte, v Int128) []byte {
	const digits = "0123456789abcdef"
	for i := range 16 {
		if i == 4 || i == 6 || i == 8 || i == 10 {
			dst = append(dst, '-')
		}
		word := uint64(v.Hi)
		if i >= 8 {
			word = v.Lo
		}
		c := byte(word >> (56 - 8*(i%8)))
		dst = append(dst, digits[c>>4], digits[c&15])
	}
	return dst
}

// ParseUUID reads 32 hexadecimal digits with hyphens after any group of four, in braces or not.
func ParseUUID(b []byte) (Int128, error) {
	s := b
	if len(s) >= 2 && s[0] == '{' && s[len(s)-1] == '}' {
		s = s[1 : len(s)-1]
	}
	var words [2]uint64
	n := 0
	for i, c := range s {
		d := hexValue(c)
		if c == '-' && n > 0 && n%4 == 0 && n < 32 && s[i-1] != '-' {
			continue
		}
		if d > 15 || n == 32 {
			return Int128{}, badSyntax("uuid", b)
		}
		words[n/16] = words[n/16]<<4 | uint64(d)
		n++
	}
	if n != 32 {
		return Int128{}, badSyntax("uuid", b)
	}
	return Int128{Hi: int64(words[0]), Lo: words[1]}, nil
}
