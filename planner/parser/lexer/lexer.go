package lexer

import (
	"strings"
	"unicode/utf8"

	"github.com/tarnlake/tarn/internal/sqlerr"
)

// maxNameBytes is PostgreSQL's limit of a name; longer ones are cut.
const maxNameBytes = 63

const operatorChars = "~!@#^&|?+-*/%<>="

// Scan gives the tokens of sql; the last one is EOF, at the end of the text. sql must be valid
// UTF-8.
func Scan(sql string) ([]Token, error) {
	s := scanner{text: sql}
	tokens := make([]Token, 0, len(sql)/5+2)
	for {
		token, err := s.next()
		if err != nil {
			return nil, err
		}
		tokens = append(tokens, token)
		if token.Kind == EOF {
			return mergeUnicodeEscapes(sql, tokens)
		}
	}
}

type scanner struct {
	text  string
	at    int
	signs int // up to here, text from at on is + and − that stand alone
}

func (s *scanner) peek(ahead int) byte {
	if s.at+ahead < len(s.text) {
		return s.text[s.at+ahead]
	}
	return 0
}

func (s *scanner) fail(start int, message, shown string) error {
	return sqlerr.New(sqlerr.SyntaxError, "%s at or near \"%s\"", message, shown).
		At(utf8.RuneCountInString(s.text[:start]) + 1)
}

func (s *scanner) next() (Token, error) {
	if err := s.skipBlank(); err != nil {
		return Token{}, err
	}
	start := s.at
	if start >= len(s.text) {
		return Token{Kind: EOF, Start: start, End: start}, nil
	}
	c := s.text[start]
	switch {
	case isNameStart(c):
		return s.word()
	case isDigit(c), c == '.' && isDigit(s.peek(1)):
		return s.number()
	case c == '\'':
		text, err := s.quotedString(start, start, false)
		return s.token(String, start, text), err
	case c == '"':
		return s.quotedName(start, start, '"')
	case c == '`':
		return s.quotedName(start, start, '`')
	case c == '$':
		return s.dollar()
	case strings.IndexByte(operatorChars, c) >= 0:
		return s.operator(), nil
	}
	return s.punctuation(), nil
}

func (s *scanner) token(kind Kind, start int, text string) Token {
	return Token{Kind: kind, Start: start, End: s.at, Text: text}
}

func (s *scanner) punctuation() Token {
	start := s.at
	rest := s.text[start:]
	for _, symbol := range [...]string{"::", ":=", ".."} {
		if strings.HasPrefix(rest, symbol) {
			s.at += 2
			return s.token(Op, start, symbol)
		}
	}
	_, size := utf8.DecodeRuneInString(rest)
	s.at += size
	return s.token(Punct, start, s.text[start:s.at])
}

// skipBlank passes white space and comments.
func (s *scanner) skipBlank() error {
	for s.at < len(s.text) {
		c := s.text[s.at]
		switch {
		case isSpace(c):
			s.at++
		case c == '-' && s.peek(1) == '-':
			for s.at < len(s.text) && s.text[s.at] != '\n' && s.text[s.at] != '\r' {
				s.at++
			}
		case c == '/' && s.peek(1) == '*':
			if err := s.skipBlockComment(); err != nil {
				return err
			}
		default:
			return nil
		}
	}
	return nil
}

func (s *scanner) skipBlockComment() error {
	start, depth := s.at, 0
	for s.at < len(s.text) {
		switch {
		case s.text[s.at] == '/' && s.peek(1) == '*':
			depth++
			s.at += 2
		case s.text[s.at] == '*' && s.peek(1) == '/':
			depth--
			s.at += 2
			if depth == 0 {
				return nil
			}
		default:
			s.at++
		}
	}
	return s.fail(start, "unterminated /* comment", s.text[start:])
}

// word reads a name, or a string with a letter before its quote.
func (s *scanner) word() (Token, error) {
	start := s.at
	if s.peek(1) == '\'' {
		switch s.text[start] {
		case 'e', 'E':
			text, err := s.quotedString(start, start+1, true)
			return s.token(String, start, text), err
		case 'b', 'B':
			text, err := s.bitString(start, "01", "unterminated bit string literal")
			return s.token(Bits, start, text), err
		case 'x', 'X':
			text, err := s.bitString(start, "0123456789abcdefABCDEF", "unterminated hexadecimal string literal")
			return s.token(HexBits, start, text), err
		case 'n', 'N':
			text, err := s.quotedString(start, start+1, false)
			return s.token(String, start, text), err
		}
	}
	if (s.text[start] == 'u' || s.text[start] == 'U') && s.peek(1) == '&' {
		switch s.peek(2) {
		case '\'':
			text, err := s.quotedString(start, start+2, false)
			return s.token(String, start, text), err
		case '"':
			return s.quotedName(start, start+2, '"')
		}
	}
	for s.at < len(s.text) && isNamePart(s.text[s.at]) {
		s.at++
	}
	return s.token(Ident, start, cutName(fold(s.text[start:s.at]))), nil
}

// operator reads the longest run of operator characters that PostgreSQL takes as one operator.
func (s *scanner) operator() Token {
	start := s.at
	if start < s.signs {
		s.at++
		return s.token(Op, start, s.text[start:s.at])
	}
	end, special := start, false
	for end < len(s.text) && strings.IndexByte(operatorChars, s.text[end]) >= 0 {
		if end > start && (strings.HasPrefix(s.text[end:], "--") || strings.HasPrefix(s.text[end:], "/*")) {
			break
		}
		special = special || strings.IndexByte("~!@#^&|?%", s.text[end]) >= 0
		end++
	}
	if !special { // trailing signs belong to what follows: SQL's own operators do not end in one
		s.signs = end
		for end > start+1 && (s.text[end-1] == '+' || s.text[end-1] == '-') {
			end--
		}
	}
	s.at = end
	return s.token(Op, start, s.text[start:end])
}

func (s *scanner) dollar() (Token, error) {
	start := s.at
	if isDigit(s.peek(1)) {
		s.at++
		for isDigit(s.peek(0)) {
			s.at++
		}
		if isNameStart(s.peek(0)) {
			return Token{}, s.fail(start, "trailing junk after parameter", s.text[start:s.at+1])
		}
		return s.token(Param, start, s.text[start+1:s.at]), nil
	}
	tagEnd := start + 1
	for tagEnd < len(s.text) && isNamePart(s.text[tagEnd]) && s.text[tagEnd] != '$' {
		tagEnd++
	}
	if tagEnd >= len(s.text) || s.text[tagEnd] != '$' {
		return s.punctuation(), nil
	}
	tag := s.text[start : tagEnd+1]
	length := strings.Index(s.text[tagEnd+1:], tag)
	if length < 0 {
		return Token{}, s.fail(start, "unterminated dollar-quoted string", s.text[start:])
	}
	s.at = tagEnd + 1 + length + len(tag)
	return s.token(String, start, s.text[tagEnd+1:tagEnd+1+length]), nil
}

func isSpace(c byte) bool { return c == ' ' || (c >= '\t' && c <= '\r') }
func isDigit(c byte) bool { return c >= '0' && c <= '9' }
func isNameStart(c byte) bool {
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c >= 0x80
}
func isNamePart(c byte) bool { return isNameStart(c) || isDigit(c) || c == '$' }

// fold lowers ASCII letters only, as PostgreSQL does for UTF-8.
func fold(name string) string {
	for i := 0; i < len(name); i++ {
		if c := name[i]; c >= 'A' && c <= 'Z' {
			folded := []byte(name)
			for ; i < len(folded); i++ {
				if c := folded[i]; c >= 'A' && c <= 'Z' {
					folded[i] = c + 'a' - 'A'
				}
			}
			return string(folded)
		}
	}
	return name
}

func cutName(name string) string {
	if len(name) <= maxNameBytes {
		return name
	}
	end := maxNameBytes
	for end > 0 && !utf8.RuneStart(name[end]) {
		end--
	}
	return name[:end]
}
