package types

import "unicode/utf8"

// normalScalar gives the present token as jsonb writes it.
func (l *jsonLexer) normalScalar() []byte {
	text := l.text[l.start:l.at]
	switch l.token {
	case 's':
		plain := UnescapeJSON(text[1 : len(text)-1])
		for _, c := range plain {
			if c == 0 {
				l.badUnicode = true
			}
		}
		return AppendJSONString(nil, string(plain))
	case 'n':
		return plainNumber(text)
	}
	return text
}

// plainNumber writes a JSON number without exponent, as numeric does: 1e2 is 100, -0 is 0.
func plainNumber(text []byte) []byte {
	d, ok := splitDecimal(text)
	if !ok || d.exponent > 10000 || d.exponent < -10000 {
		return text
	}
	digits := append(append([]byte(nil), d.whole...), d.fraction...)
	point := len(d.whole) + d.exponent
	scale := max(len(d.fraction)-d.exponent, 0)
	var out []byte
	zero := true
	if point <= 0 {
		out = append(out, '0')
	}
	for i := min(point, 0); i < max(point, point+scale); i++ {
		if i == point && (point > 0 || i == point) && len(out) > 0 {
			out = append(out, '.')
		}
		c := byte('0')
		if i >= 0 && i < len(digits) {
			c = digits[i]
		}
		if c != '0' {
			zero = false
		}
		out = append(out, c)
	}
	for len(out) > 1 && out[0] == '0' && out[1] != '.' {
		out = out[1:]
	}
	if d.negative && !zero {
		out = append([]byte{'-'}, out...)
	}
	return out
}

// AppendJSONString appends s as a JSON string, escaping what PostgreSQL's to_json escapes.
func AppendJSONString(dst []byte, s string) []byte {
	dst = append(dst, '"')
	from := 0
	for i := 0; i < len(s); i++ {
		c := s[i]
		if c >= ' ' && c != '"' && c != '\\' {
			continue
		}
		dst = append(dst, s[from:i]...)
		from = i + 1
		switch c {
		case '"', '\\':
			dst = append(dst, '\\', c)
		case '\n':
			dst = append(dst, '\\', 'n')
		case '\r':
			dst = append(dst, '\\', 'r')
		case '\t':
			dst = append(dst, '\\', 't')
		case '\b':
			dst = append(dst, '\\', 'b')
		case '\f':
			dst = append(dst, '\\', 'f')
		default:
			dst = append(dst, '\\', 'u', '0', '0', hexDigits[c>>4], hexDigits[c&15])
		}
	}
	return append(append(dst, s[from:]...), '"')
}

// UnescapeJSON gives the characters of a valid JSON string without its quotes. The result is b
// itself when nothing is escaped.
func UnescapeJSON(b []byte) []byte {
	first := 0
	for first < len(b) && b[first] != '\\' {
		first++
	}
	if first == len(b) {
		return b
	}
	out := append(make([]byte, 0, len(b)), b[:first]...)
	for i := first; i < len(b); i++ {
		if b[i] != '\\' || i+1 == len(b) {
			out = append(out, b[i])
			continue
		}
		i++
		switch b[i] {
		case 'n':
			out = append(out, '\n')
		case 'r':
			out = append(out, '\r')
		case 't':
			out = append(out, '\t')
		case 'b':
			out = append(out, '\b')
		case 'f':
			out = append(out, '\f')
		case 'u':
			r, used := unicodeEscape(b[i:])
			out = utf8.AppendRune(out, r)
			i += used - 1
		default:
			out = append(out, b[i])
		}
	}
	return out
}

// unicodeEscape reads uXXXX, or a surrogate pair uXXXX\uXXXX, and gives the bytes used.
func unicodeEscape(b []byte) (rune, int) {
	high, ok := fourHex(b)
	if !ok {
		return utf8.RuneError, 1
	}
	if high >= 0xD800 && high < 0xDC00 && len(b) >= 11 && b[5] == '\\' && b[6] == 'u' {
		if low, ok := fourHex(b[6:]); ok && low >= 0xDC00 && low < 0xE000 {
			return (high-0xD800)<<10 + (low - 0xDC00) + 0x10000, 11
		}
	}
	return high, 5
}

func fourHex(b []byte) (rune, bool) {
	if len(b) < 5 {
		return 0, false
	}
	var r rune
	for _, c := range b[1:5] {
		d := hexValue(c)
		if d > 15 {
			return 0, false
		}
		r = r<<4 | rune(d)
	}
	return r, true
}
