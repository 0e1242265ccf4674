package lexer

import (
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/tarnlake/tarn/internal/sqlerr"
)

// number reads an integer or a decimal; PostgreSQL 16's 0x, 0o, 0b and _ included.
func (s *scanner) number() (Token, error) {
	start := s.at
	kind := Integer
	if digits := radixDigits(s.peek(0), s.peek(1)); digits != "" {
		s.at += 2
		s.digitRun(digits)
		if s.at == start+2 {
			return Token{}, s.fail(start, "invalid "+radixName(s.text[start+1])+" integer", s.text[start:s.at])
		}
		return s.endNumber(kind, start)
	}
	s.digitRun("0123456789")
	if s.peek(0) == '.' && s.peek(1) != '.' {
		kind = Decimal
		s.at++
		s.digitRun("0123456789")
	}
	if c := s.peek(0); c == 'e' || c == 'E' {
		ahead := 1
		if sign := s.peek(1); sign == '+' || sign == '-' {
			ahead = 2
		}
		if isDigit(s.peek(ahead)) {
			kind = Decimal
			s.at += ahead
			s.digitRun("0123456789")
		}
	}
	return s.endNumber(kind, start)
}

func (s *scanner) endNumber(kind Kind, start int) (Token, error) {
	if isNameStart(s.peek(0)) {
		end := s.at + 1
		for end < len(s.text) && !utf8.RuneStart(s.text[end]) {
			end++
		}
		return Token{}, s.fail(start, "trailing junk after numeric literal", s.text[start:end])
	}
	return s.token(kind, start, s.text[start:s.at]), nil
}

func (s *scanner) digitRun(digits string) {
	for s.at < len(s.text) {
		if strings.IndexByte(digits, s.text[s.at]) < 0 &&
			(s.text[s.at] != '_' || s.at+1 >= len(s.text) || strings.IndexByte(digits, s.text[s.at+1]) < 0) {
			return
		}
		s.at++
	}
}

func radixDigits(zero, letter byte) string {
	if zero != '0' {
		return ""
	}
	switch letter {
	case 'x', 'X':
		return "0123456789abcdefABCDEF"
	case 'o', 'O':
		return "01234567"
	case 'b', 'B':
		return "01"
	}
	return ""
}

func radixName(letter byte) string {
	switch letter {
	case 'x', 'X':
		return "hexadecimal"
	case 'o', 'O':
		return "octal"
	}
	return "binary"
}

// quotedString reads a string whose quote stands at open, and the strings that continue it after a
// line break.
func (s *scanner) quotedString(start, open int, escapes bool) (string, error) {
	var value strings.Builder
	s.at = open + 1
	for {
		run := s.at
		for s.at < len(s.text) && s.text[s.at] != '\'' && (!escapes || s.text[s.at] != '\\') {
			s.at++
		}
		value.WriteString(s.text[run:s.at])
		if s.at >= len(s.text) {
			return "", s.fail(start, "unterminated quoted string", s.text[start:])
		}
		if s.text[s.at] == '\\' {
			if err := s.escape(start, &value); err != nil {
				return "", err
			}
			continue
		}
		s.at++
		switch {
		case s.peek(0) == '\'':
			value.WriteByte('\'')
			s.at++
		case s.continued():
		default:
			if escapes && !utf8.ValidString(value.String()) {
				return "", sqlerr.New(sqlerr.CharacterNotInRepertoire, "invalid byte sequence for encoding \"UTF8\"").
					At(utf8.RuneCountInString(s.text[:start]) + 1)
			}
			return value.String(), nil
		}
	}
}

// continued passes to the inside of the next quoted part when only white space and at least one
// line break lie between.
func (s *scanner) continued() bool {
	line := false
	for i := s.at; i < len(s.text); i++ {
		switch c := s.text[i]; {
		case c == '\n' || c == '\r':
			line = true
		case isSpace(c):
		case c == '-' && i+1 < len(s.text) && s.text[i+1] == '-' && line:
			for i+1 < len(s.text) && s.text[i+1] != '\n' && s.text[i+1] != '\r' {
				i++
			}
		case c == '\'' && line:
			s.at = i + 1
			return true
		default:
			return false
		}
	}
	return false
}

// escape reads one backslash escape of an E string.
func (s *scanner) escape(start int, value *strings.Builder) error {
	s.at++
	c := s.peek(0)
	if s.at >= len(s.text) {
		return s.fail(start, "unterminated quoted string", s.text[start:])
	}
	switch {
	case c == 'x' && isHex(s.peek(1)):
		s.at++
		value.WriteByte(byte(s.base(16, 2)))
		return nil
	case c >= '0' && c <= '7':
		value.WriteByte(byte(s.base(8, 3)))
		return nil
	case c == 'u' || c == 'U':
		width := 4
		if c == 'U' {
			width = 8
		}
		s.at++
		digits := s.at
		code := s.base(16, width)
		if s.at-digits != width {
			return s.unicodeError(s.at, "invalid Unicode escape")
		}
		return s.writeCode(value, code, digits, func() (uint32, bool) {
			if s.peek(0) != '\\' || (s.peek(1) != 'u' && s.peek(1) != 'U') {
				return 0, false
			}
			width := 4
			if s.peek(1) == 'U' {
				width = 8
			}
			s.at += 2
			return s.base(16, width), true
		})
	}
	s.at++
	if i := strings.IndexByte("bfnrtv", c); i >= 0 {
		c = "\b\f\n\r\t\v"[i]
	}
	value.WriteByte(c)
	return nil
}

// base reads up to width digits of base 8 or 16.
func (s *scanner) base(radix, width int) uint32 {
	end := s.at
	for end < len(s.text) && end-s.at < width && isHex(s.text[end]) && (radix == 16 || s.text[end] < '8' && isDigit(s.text[end])) {
		end++
	}
	code, err := strconv.ParseUint(s.text[s.at:end], radix, 32)
	s.at = end
	if err != nil {
		return 0
	}
	return uint32(code)
}

// writeCode appends a code point, taking the second half of a surrogate pair from second.
func (s *scanner) writeCode(value *strings.Builder, code uint32, at int, second func() (uint32, bool)) error {
	if code >= 0xD800 && code < 0xDC00 {
		low, ok := second()
		if !ok || low < 0xDC00 || low > 0xDFFF {
			return s.unicodeError(at, "invalid Unicode surrogate pair")
		}
		code = 0x10000 + (code-0xD800)<<10 + low - 0xDC00
	}
	if code == 0 || code > utf8.MaxRune || (code >= 0xDC00 && code <= 0xDFFF) {
		return s.unicodeError(at, "invalid Unicode escape value")
	}
	value.WriteRune(rune(code))
	return nil
}

func (s *scanner) unicodeError(at int, message string) error {
	return sqlerr.New(sqlerr.SyntaxError, "%s", message).At(utf8.RuneCountInString(s.text[:at]) + 1)
}

func (s *scanner) bitString(start int, digits, unterminated string) (string, error) {
	s.at = start + 2
	length := strings.IndexByte(s.text[s.at:], '\'')
	if length < 0 {
		return "", s.fail(start, unterminated, s.text[start:])
	}
	value := s.text[s.at : s.at+length]
	s.at += length + 1
	for i, c := range value {
		if !strings.ContainsRune(digits, c) {
			kind := "binary"
			if len(digits) > 2 {
				kind = "hexadecimal"
			}
			return "", sqlerr.New(sqlerr.InvalidTextRepresentation, "\"%c\" is not a valid %s digit", c, kind).
				At(utf8.RuneCountInString(s.text[:start+2+i]) + 1)
		}
	}
	if s.continued() {
		rest, err := s.bitString(s.at-2, digits, unterminated)
		return value + rest, err
	}
	return value, nil
}

func (s *scanner) quotedName(start, open int, quote byte) (Token, error) {
	var name strings.Builder
	s.at = open + 1
	for {
		run := s.at
		length := strings.IndexByte(s.text[run:], quote)
		if length < 0 {
			return Token{}, s.fail(start, "unterminated quoted identifier", s.text[start:])
		}
		name.WriteString(s.text[run : run+length])
		s.at = run + length + 1
		if s.peek(0) != quote {
			break
		}
		name.WriteByte(quote)
		s.at++
	}
	if name.Len() == 0 {
		return Token{}, s.fail(start, "zero-length delimited identifier", s.text[start:s.at])
	}
	token := s.token(Quoted, start, cutName(name.String()))
	if quote == '`' {
		// Engines that quote so do not distinguish case.
		token.Backquoted, token.Text = true, fold(token.Text)
	}
	return token, nil
}

func isHex(c byte) bool {
	return isDigit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F')
}

// mergeUnicodeEscapes decodes U&'…' and U&"…", joining a UESCAPE clause that follows.
func mergeUnicodeEscapes(sql string, tokens []Token) ([]Token, error) {
	if !strings.Contains(sql, "&") {
		return tokens, nil
	}
	kept := tokens[:0]
	for i := 0; i < len(tokens); i++ {
		token := tokens[i]
		if !isUnicodeToken(sql, token) {
			kept = append(kept, token)
			continue
		}
		escape := byte('\\')
		if i+2 < len(tokens) && tokens[i+1].Word("uescape") && tokens[i+2].Kind == String {
			text := tokens[i+2].Text
			if len(text) != 1 || isHex(text[0]) || strings.ContainsAny(text, "+'\" \t\n\r\f\v") {
				return nil, sqlerr.New(sqlerr.SyntaxError, "invalid Unicode escape character at or near \"%s\"",
					sql[tokens[i+2].Start:tokens[i+2].End]).At(utf8.RuneCountInString(sql[:tokens[i+2].Start]) + 1)
			}
			escape = text[0]
			token.End = tokens[i+2].End
			i += 2
		}
		decoded, err := decodeUnicode(sql, token, escape)
		if err != nil {
			return nil, err
		}
		token.Text = decoded
		kept = append(kept, token)
	}
	return kept, nil
}

func isUnicodeToken(sql string, token Token) bool {
	return (token.Kind == String || token.Kind == Quoted) && token.End-token.Start > 3 &&
		(sql[token.Start] == 'u' || sql[token.Start] == 'U') && sql[token.Start+1] == '&'
}

func decodeUnicode(sql string, token Token, escape byte) (string, error) {
	var value strings.Builder
	s := scanner{text: token.Text}
	for s.at < len(s.text) {
		if s.text[s.at] != escape {
			value.WriteByte(s.text[s.at])
			s.at++
			continue
		}
		if s.peek(1) == escape {
			value.WriteByte(escape)
			s.at += 2
			continue
		}
		code, ok := s.unicodeEscape()
		if !ok {
			return "", unicodeTokenError(sql, token, "invalid Unicode escape")
		}
		err := s.writeCode(&value, code, s.at, func() (uint32, bool) {
			if s.peek(0) != escape {
				return 0, false
			}
			return s.unicodeEscape()
		})
		if err != nil {
			return "", unicodeTokenError(sql, token, err.Error())
		}
	}
	if token.Kind == Quoted {
		return cutName(value.String()), nil
	}
	return value.String(), nil
}

// unicodeEscape reads \XXXX or \+XXXXXX.
func (s *scanner) unicodeEscape() (uint32, bool) {
	s.at++
	width := 4
	if s.peek(0) == '+' {
		s.at++
		width = 6
	}
	digits := s.at
	code := s.base(16, width)
	return code, s.at-digits == width
}

func unicodeTokenError(sql string, token Token, message string) error {
	return sqlerr.New(sqlerr.SyntaxError, "%s", message).At(utf8.RuneCountInString(sql[:token.Start]) + 1)
}
