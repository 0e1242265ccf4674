package functions

import (
	"bytes"
	"net/url"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/tarnlake/tarn/internal/fn"
	"github.com/tarnlake/tarn/internal/sqlerr"
	"github.com/tarnlake/tarn/internal/types"
)

// maxText bounds results that a small argument could blow up.
const maxText = 1 << 28

func tooLongText() error { return errorf(sqlerr.ProgramLimitExceeded, "requested length too large") }

func buildFunctions() []fn.Overload {
	out := append(padFunctions(), quoteFunctions()...)
	out = append(out, urlFunctions()...)
	return append(out,
		textRow("replace", "Replaces every occurrence of a part.", "replace('abcabc', 'b', 'x') → axcaxc", params("s", text, "from", text, "to", text), text,
			toText(func(dst []byte, r row) ([]byte, bool, error) {
				return appendReplaced(dst, r.bytes(0), r.bytes(1), r.bytes(2))
			})),
		textRow("replace", "Removes every occurrence of a part.", "replace('abcabc', 'b') → acac", params("s", text, "part", text), text,
			toText(func(dst []byte, r row) ([]byte, bool, error) { return appendReplaced(dst, r.bytes(0), r.bytes(1), nil) })),
		textRow("translate", "Replaces each character that is in from by the one at its place in to, or removes it.", "translate('12345', '143', 'ax') → a2x5",
			params("s", text, "from", text, "to", text), text, appendText(appendTranslated)),
		textRow("reverse", "The characters in opposite order.", "reverse('abc') → cba", params("s", text), text, appendText(func(dst []byte, r row) []byte {
			b := r.bytes(0)
			for len(b) > 0 {
				_, size := utf8.DecodeLastRune(b)
				dst = append(dst, b[len(b)-size:]...)
				b = b[:len(b)-size]
			}
			return dst
		})),
		failing(textRow("repeat", "s, n times.", "repeat('ab', 3) → ababab", params("s", text, "n", integer), text, toText(func(dst []byte, r row) ([]byte, bool, error) {
			s, n := r.bytes(0), int(r.int32(1))
			if n > 0 && len(s)*n > maxText {
				return dst, false, tooLongText()
			}
			for range n {
				dst = append(dst, s...)
			}
			return dst, true, nil
		}))),
		textRow("ascii", "Unicode number of the first character, 0 for none.", "ascii('x') → 120", params("s", text), integer, value(func(r row) int32 {
			if len(r.bytes(0)) == 0 {
				return 0
			}
			c, _ := utf8.DecodeRune(r.bytes(0))
			return c
		})),
		textRow("codepoint", "Unicode number of the only character.", "codepoint('x') → 120", params("s", text), integer, value(func(r row) int32 {
			c, _ := utf8.DecodeRune(r.bytes(0))
			return c
		})),
		failing(textRow("chr", "Character with a Unicode number.", "chr(65) → A", params("n", integer), text, toText(func(dst []byte, r row) ([]byte, bool, error) {
			n := r.int32(0)
			switch {
			case n == 0:
				return dst, false, errorf(sqlerr.ProgramLimitExceeded, "null character not permitted")
			case n < 0:
				return dst, false, errorf(sqlerr.ProgramLimitExceeded, "character number must be positive")
			case !utf8.ValidRune(n):
				return dst, false, errorf(sqlerr.ProgramLimitExceeded, "requested character not valid for encoding: %d", n)
			}
			return utf8.AppendRune(dst, n), true, nil
		}))),
		failing(textRow("overlay", "Replaces the characters from start on by part.", "overlay('Txxxxas' placing 'hom' from 2 for 4) → Thomas",
			params("s", text, "part", text, "start", integer, "count", integer), text, toText(func(dst []byte, r row) ([]byte, bool, error) {
				return appendOverlaid(dst, r, int(r.int32(2)), int(r.int32(3)))
			}))),
		failing(textRow("overlay", "Replaces as many characters from start on as part has.", "overlay('abcdef' placing 'XY' from 3) → abXYef",
			params("s", text, "part", text, "start", integer), text, toText(func(dst []byte, r row) ([]byte, bool, error) {
				return appendOverlaid(dst, r, int(r.int32(2)), types.CountCharacters(r.str(1)))
			}))),
		failing(textRow("levenshtein", "Number of single-character edits between two strings.", "levenshtein('GUMBO', 'GAMBOL') → 2",
			params("a", text, "b", text), integer, toFixed(func(r row) (int32, bool, error) { return levenshtein([]rune(r.str(0)), []rune(r.str(1))) }))),
		failing(textRow("hamming_distance", "Number of places at which two strings of equal length differ.", "hamming_distance('abc', 'abd') → 1",
			params("a", text, "b", text), bigint, toFixed(func(r row) (int64, bool, error) {
				a, b := []rune(r.str(0)), []rune(r.str(1))
				if len(a) != len(b) {
					return 0, false, errorf(sqlerr.InvalidParameterValue, "the input strings to hamming_distance must have the same length")
				}
				n := int64(0)
				for i := range a {
					if a[i] != b[i] {
						n++
					}
				}
				return n, true, nil
			}))),
		textRow("to_hex", "Hexadecimal digits of a number.", "to_hex(255) → ff", params("n", integer), text,
			appendText(func(dst []byte, r row) []byte { return strconv.AppendUint(dst, uint64(uint32(r.int32(0))), 16) })),
		textRow("to_hex", "Hexadecimal digits of a number.", "to_hex(2147483648) → 80000000", params("n", bigint), text,
			appendText(func(dst []byte, r row) []byte { return strconv.AppendUint(dst, uint64(r.int64(0)), 16) })),
	)
}

func appendReplaced(dst, s, from, to []byte) ([]byte, bool, error) {
	if len(from) == 0 {
		return append(dst, s...), true, nil
	}
	for {
		at := bytes.Index(s, from)
		if at < 0 {
			return append(dst, s...), true, nil
		}
		if dst = append(append(dst, s[:at]...), to...); len(dst) > maxText {
			return dst, false, tooLongText()
		}
		s = s[at+len(from):]
	}
}

func appendTranslated(dst []byte, r row) []byte {
	from, to := []rune(r.str(1)), []rune(r.str(2))
	for _, c := range r.str(0) {
		at := -1
		for i, f := range from {
			if f == c {
				at = i
				break
			}
		}
		switch {
		case at < 0:
			dst = utf8.AppendRune(dst, c)
		case at < len(to):
			dst = utf8.AppendRune(dst, to[at])
		}
	}
	return dst
}

func appendOverlaid(dst []byte, r row, start, count int) ([]byte, bool, error) {
	if start <= 0 {
		return dst, false, errorf(sqlerr.SubstringError, "negative substring length not allowed")
	}
	s := r.str(0)
	dst = append(dst, s[:types.CharacterOffset(s, start-1)]...)
	dst = append(dst, r.bytes(1)...)
	return append(dst, s[types.CharacterOffset(s, max(start-1+count, 0)):]...), true, nil
}

func levenshtein(a, b []rune) (int32, bool, error) {
	if len(a) > 8192 || len(b) > 8192 {
		return 0, false, errorf(sqlerr.InvalidParameterValue, "levenshtein argument exceeds maximum length of 8192 characters")
	}
	line := make([]int32, len(b)+1)
	for j := range line {
		line[j] = int32(j)
	}
	for i, x := range a {
		diagonal := line[0]
		line[0] = int32(i) + 1
		for j, y := range b {
			cost := diagonal
			if x != y {
				cost++
			}
			diagonal = line[j+1]
			line[j+1] = min(cost, line[j]+1, line[j+1]+1)
		}
	}
	return line[len(b)], true, nil
}

func padFunctions() []fn.Overload {
	var out []fn.Overload
	add := func(name, doc, example string, left bool) {
		pad := toText(func(dst []byte, r row) ([]byte, bool, error) {
			fill := " "
			if r.given(2) {
				fill = r.str(2)
			}
			return appendPadded(dst, r.str(0), fill, int(r.int32(1)), left)
		})
		out = append(out,
			failing(textRow(name, doc+" with blanks.", example, params("s", text, "n", integer), text, pad)),
			failing(textRow(name, doc+" with fill.", strings.Replace(example, "5)", "5, 'xy')", 1), params("s", text, "n", integer, "fill", text), text, pad)))
	}
	add("lpad", "Brings s to n characters by cutting it or filling it up at the start", "lpad('hi', 5) →    hi", true)
	add("rpad", "Brings s to n characters by cutting it or filling it up at the end", "rpad('hi', 5) → hi   ", false)
	out[1].Example, out[3].Example = "lpad('hi', 5, 'xy') → xyxhi", "rpad('hi', 5, 'xy') → hixyx"
	return out
}

func appendPadded(dst []byte, s, fill string, n int, left bool) ([]byte, bool, error) {
	n = max(n, 0)
	if n > maxText {
		return dst, false, tooLongText()
	}
	have := types.CountCharacters(s)
	if have >= n {
		return append(dst, s[:types.CharacterOffset(s, n)]...), true, nil
	}
	if !left {
		dst = append(dst, s...)
	}
	if fill != "" {
		width := types.CountCharacters(fill)
		missing := n - have
		for ; missing >= width; missing -= width {
			dst = append(dst, fill...)
		}
		dst = append(dst, fill[:types.CharacterOffset(fill, missing)]...)
	}
	if left {
		dst = append(dst, s...)
	}
	return dst, true, nil
}

func quoteFunctions() []fn.Overload {
	nullable := fn.Overload{Name: "quote_nullable", Params: params("s", text), ResultType: text, Nulls: fn.Called, Category: categoryString,
		Doc: "The string as an SQL literal, NULL as the word.", Example: "quote_nullable(NULL) → NULL",
		Impl: appendText(func(dst []byte, r row) []byte {
			if r.null(0) {
				return append(dst, "NULL"...)
			}
			return appendQuotedLiteral(dst, r.str(0))
		})}
	return []fn.Overload{
		textRow("quote_ident", "The string as an SQL name, quoted where it must be.", `quote_ident('Foo bar') → "Foo bar"`, params("s", text), text,
			appendText(func(dst []byte, r row) []byte { return appendQuotedName(dst, r.str(0)) })),
		textRow("quote_literal", "The string as an SQL literal.", `quote_literal('O''Reilly') → 'O''Reilly'`, params("s", text), text,
			appendText(func(dst []byte, r row) []byte { return appendQuotedLiteral(dst, r.str(0)) })),
		{Name: "quote_literal", Params: []fn.Param{family("x", fn.Any)}, ResultType: text, Category: categoryString, Volatility: fn.Stable,
			Doc: "Any value as an SQL literal.", Example: "quote_literal(42.5) → '42.5'",
			Impl: withZone(func(dst []byte, r row, zone *time.Location) ([]byte, bool, error) {
				return appendQuotedLiteral(dst, string(appendValue(nil, r, 0, zone))), true, nil
			})},
		nullable,
	}
}

// urlPart makes a function that gives a part of a URL, NULL where there is none.
func urlPart(name, doc, example string, part func(u *url.URL) string) fn.Overload {
	return textRow(name, doc, example, params("url", text), text, toText(func(dst []byte, r row) ([]byte, bool, error) {
		u, err := url.Parse(strings.Clone(r.str(0)))
		if err != nil {
			return dst, false, nil
		}
		return append(dst, part(u)...), true, nil
	}))
}

func urlFunctions() []fn.Overload {
	const example = "('https://tarn.dev:8480/a/b?x=1#top') → "
	return []fn.Overload{
		urlPart("url_extract_host", "Host of a URL.", "url_extract_host"+example+"tarn.dev", (*url.URL).Hostname),
		urlPart("url_extract_path", "Path of a URL.", "url_extract_path"+example+"/a/b", func(u *url.URL) string { return u.Path }),
		urlPart("url_extract_protocol", "Protocol of a URL.", "url_extract_protocol"+example+"https", func(u *url.URL) string { return u.Scheme }),
		urlPart("url_extract_query", "Query of a URL.", "url_extract_query"+example+"x=1", func(u *url.URL) string { return u.RawQuery }),
		urlPart("url_extract_fragment", "Fragment of a URL.", "url_extract_fragment"+example+"top", func(u *url.URL) string { return u.Fragment }),
		textRow("url_extract_port", "Port of a URL, NULL for none.", "url_extract_port"+example+"8480", params("url", text), bigint,
			toFixed(func(r row) (int64, bool, error) {
				u, err := url.Parse(strings.Clone(r.str(0)))
				if err != nil {
					return 0, false, nil
				}
				port, err := strconv.ParseInt(u.Port(), 10, 32)
				return port, err == nil, nil
			})),
		textRow("url_extract_parameter", "Value of a parameter in a URL's query, NULL for none.", "url_extract_parameter('https://tarn.dev/?x=1', 'x') → 1",
			params("url", text, "name", text), text, toText(func(dst []byte, r row) ([]byte, bool, error) {
				u, err := url.Parse(strings.Clone(r.str(0)))
				if err != nil || !u.Query().Has(r.str(1)) {
					return dst, false, nil
				}
				return append(dst, u.Query().Get(r.str(1))...), true, nil
			})),
		textRow("url_encode", "Escapes a string for use in a URL's query.", "url_encode('a b&c') → a+b%26c", params("s", text), text,
			appendText(func(dst []byte, r row) []byte { return append(dst, url.QueryEscape(r.str(0))...) })),
		failing(textRow("url_decode", "Undoes url_encode.", "url_decode('a+b%26c') → a b&c", params("s", text), text,
			toText(func(dst []byte, r row) ([]byte, bool, error) {
				s, err := url.QueryUnescape(r.str(0))
				if err != nil {
					return dst, false, errorf(sqlerr.InvalidParameterValue, "invalid URL escape in \"%s\"", r.str(0))
				}
				return append(dst, s...), true, nil
			}))),
	}
}
