package types

import (
	"sort"
	"unicode/utf8"

	"github.com/tarnlake/tarn/internal/sqlerr"
)

// ValidateJSON tells whether b is one JSON value, with PostgreSQL's error and detail if it is not.
func ValidateJSON(b []byte) error {
	l := jsonLexer{text: b}
	l.next()
	if l.fault == "" {
		l.value(0, nil)
	}
	return l.finish()
}

// AppendJSONB appends the normal form of a JSON value: no duplicate keys (the last one counts), keys
// ordered by length and then bytes, one blank after ':' and ','.
func AppendJSONB(dst, b []byte) ([]byte, error) {
	l := jsonLexer{text: b}
	l.next()
	var root jsonNode
	if l.fault == "" {
		l.value(0, &root)
	}
	if err := l.finish(); err != nil {
		return dst, err
	}
	return root.append(dst), nil
}

const maxJSONDepth = 6000

// jsonNode is a parsed value; scalars keep their normalised text.
type jsonNode struct {
	kind    byte // '{', '[' or 0 for a scalar
	scalar  []byte
	keys    []string
	members []jsonNode
}

func (n *jsonNode) append(dst []byte) []byte {
	switch n.kind {
	case '{':
		dst = append(dst, '{')
		for i := range n.members {
			if i > 0 {
				dst = append(dst, ", "...)
			}
			dst = append(AppendJSONString(dst, n.keys[i]), ": "...)
			dst = n.members[i].append(dst)
		}
		return append(dst, '}')
	case '[':
		dst = append(dst, '[')
		for i := range n.members {
			if i > 0 {
				dst = append(dst, ", "...)
			}
			dst = n.members[i].append(dst)
		}
		return append(dst, ']')
	}
	return append(dst, n.scalar...)
}

func (n *jsonNode) sortKeys() {
	order := make([]int, len(n.keys))
	for i := range order {
		order[i] = i
	}
	sort.SliceStable(order, func(a, b int) bool {
		x, y := n.keys[order[a]], n.keys[order[b]]
		if len(x) != len(y) {
			return len(x) < len(y)
		}
		return x < y
	})
	keys, members := make([]string, 0, len(order)), make([]jsonNode, 0, len(order))
	for i, at := range order {
		if i+1 < len(order) && n.keys[order[i+1]] == n.keys[at] {
			continue
		}
		keys, members = append(keys, n.keys[at]), append(members, n.members[at])
	}
	n.keys, n.members = keys, members
}

// jsonLexer reads tokens. token is '{' '}' '[' ']' ':' ',' 's'tring 'n'umber 'w'ord, 0 at the end.
type jsonLexer struct {
	text       []byte
	at         int
	start      int
	token      byte
	fault      string
	deep       bool
	badUnicode bool
}

func (l *jsonLexer) fail(detail string) { l.fault = detail }

func (l *jsonLexer) finish() error {
	if l.fault == "" && l.token != 0 {
		l.expected("end of input")
	}
	switch {
	case l.deep:
		return sqlerr.New(sqlerr.StatementTooComplex, "stack depth limit exceeded")
	case l.fault != "":
		return sqlerr.New(sqlerr.InvalidTextRepresentation, "invalid input syntax for type json").WithDetail("%s", l.fault)
	case l.badUnicode:
		return sqlerr.New(sqlerr.UntranslatableCharacter, "unsupported Unicode escape sequence").
			WithDetail("\\u0000 cannot be converted to text.")
	}
	return nil
}

func (l *jsonLexer) expected(what string) {
	if l.token == 0 {
		l.fail("The input string ended unexpectedly.")
		return
	}
	l.fail("Expected " + what + ", but found \"" + string(l.text[l.start:l.at]) + "\".")
}

func (l *jsonLexer) next() {
	for l.at < len(l.text) && (l.text[l.at] == ' ' || l.text[l.at] == '\t' || l.text[l.at] == '\n' || l.text[l.at] == '\r') {
		l.at++
	}
	l.start = l.at
	if l.at == len(l.text) {
		l.token = 0
		return
	}
	switch c := l.text[l.at]; {
	case c == '{' || c == '}' || c == '[' || c == ']' || c == ':' || c == ',':
		l.token = c
		l.at++
	case c == '"':
		l.token = 's'
		l.scanString()
	case c == '-' || isDigit(c):
		l.token = 'n'
		l.scanNumber()
	default:
		l.token = 'w'
		l.scanWord()
		switch string(l.text[l.start:l.at]) {
		case "true", "false", "null":
		default:
			l.invalidToken()
		}
	}
}

func (l *jsonLexer) invalidToken() {
	l.fail("Token \"" + string(l.text[l.start:l.at]) + "\" is invalid.")
}

func (l *jsonLexer) scanWord() {
	for l.at < len(l.text) && (isLetter(l.text[l.at]) || isDigit(l.text[l.at]) || l.text[l.at] == '_' || l.text[l.at] >= 0x80) {
		l.at++
	}
	if l.at == l.start {
		l.at++
	}
}

func (l *jsonLexer) scanNumber() {
	if l.text[l.at] == '-' {
		l.at++
	}
	first := l.at
	n := countDigits(l.text[l.at:])
	l.at += n
	ok := n > 0 && (n == 1 || l.text[first] != '0')
	if l.at < len(l.text) && l.text[l.at] == '.' {
		n = countDigits(l.text[l.at+1:])
		ok = ok && n > 0
		l.at += 1 + n
	}
	if l.at < len(l.text) && l.text[l.at]|0x20 == 'e' {
		l.at++
		if l.at < len(l.text) && (l.text[l.at] == '+' || l.text[l.at] == '-') {
			l.at++
		}
		n = countDigits(l.text[l.at:])
		ok = ok && n > 0
		l.at += n
	}
	if end := l.at; l.at < len(l.text) && l.text[l.at] != '.' {
		l.scanTail()
		ok = ok && end == l.at
	}
	if !ok {
		l.invalidToken()
	}
}

func (l *jsonLexer) scanTail() {
	for l.at < len(l.text) && (isLetter(l.text[l.at]) || isDigit(l.text[l.at]) || l.text[l.at] == '_' || l.text[l.at] >= 0x80) {
		l.at++
	}
}

func (l *jsonLexer) scanString() {
	for l.at++; l.at < len(l.text); l.at++ {
		switch c := l.text[l.at]; {
		case c == '"':
			l.at++
			return
		case c < ' ':
			l.fail("Character with value 0x" + string([]byte{hexDigits[c>>4], hexDigits[c&15]}) + " must be escaped.")
			return
		case c == '\\':
			l.at++
			if l.at == len(l.text) {
				l.start = l.at
				l.fail("Token \"" + string(l.text[l.start:]) + "\" is invalid.")
				return
			}
			if !l.scanEscape() {
				return
			}
		}
	}
	l.fail("Token \"" + string(l.text[l.start:]) + "\" is invalid.")
}

const hexDigits = "0123456789abcdef"

func (l *jsonLexer) scanEscape() bool {
	switch c := l.text[l.at]; c {
	case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
		return true
	case 'u':
		for range 4 {
			l.at++
			if l.at >= len(l.text) || hexValue(l.text[l.at]) > 15 {
				l.fail("\"\\u\" must be followed by four hexadecimal digits.")
				return false
			}
		}
		return true
	default:
		_, size := utf8.DecodeRune(l.text[l.at:])
		l.fail("Escape sequence \"\\" + string(l.text[l.at:l.at+size]) + "\" is invalid.")
		return false
	}
}

// value reads one value into node (nil: only checks it), leaving the token behind it.
func (l *jsonLexer) value(depth int, node *jsonNode) {
	if depth > maxJSONDepth {
		l.deep, l.fault = true, "deep"
		return
	}
	switch l.token {
	case '{':
		l.object(depth, node)
	case '[':
		l.array(depth, node)
	case 's', 'n', 'w':
		if node != nil {
			node.scalar = l.normalScalar()
		}
		l.next()
	default:
		l.expected("JSON value")
	}
}

func (l *jsonLexer) object(depth int, node *jsonNode) {
	if node != nil {
		node.kind = '{'
	}
	l.next()
	for first := true; l.fault == ""; first = false {
		if l.token == '}' && first {
			break
		}
		if l.token != 's' {
			if first {
				l.expected("string or \"}\"")
			} else {
				l.expected("string")
			}
			return
		}
		var member *jsonNode
		if node != nil {
			node.keys = append(node.keys, string(UnescapeJSON(l.text[l.start+1:l.at-1])))
			node.members = append(node.members, jsonNode{})
			member = &node.members[len(node.members)-1]
		}
		if l.next(); l.fault != "" {
			return
		}
		if l.token != ':' {
			l.expected("\":\"")
			return
		}
		if l.next(); l.fault != "" {
			return
		}
		if l.value(depth+1, member); l.fault != "" {
			return
		}
		if l.token == '}' {
			break
		}
		if l.token != ',' {
			l.expected("\",\" or \"}\"")
			return
		}
		l.next()
	}
	if l.fault == "" {
		if node != nil {
			node.sortKeys()
		}
		l.next()
	}
}

func (l *jsonLexer) array(depth int, node *jsonNode) {
	if node != nil {
		node.kind = '['
	}
	l.next()
	for first := true; l.fault == ""; first = false {
		if l.token == ']' && first {
			break
		}
		var member *jsonNode
		if node != nil {
			node.members = append(node.members, jsonNode{})
			member = &node.members[len(node.members)-1]
		}
		if l.value(depth+1, member); l.fault != "" {
			return
		}
		if l.token == ']' {
			break
		}
		if l.token != ',' {
			l.expected("\",\" or \"]\"")
			return
		}
		l.next()
	}
	if l.fault == "" {
		l.next()
	}
}
