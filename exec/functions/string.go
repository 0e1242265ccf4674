package functions

import (
	"bytes"
	"strings"
	"unicode"
	"unicode/utf8"
	"unsafe"

	"github.com/tarnlake/tarn/internal/fn"
	"github.com/tarnlake/tarn/internal/sqlerr"
	"github.com/tarnlake/tarn/internal/types"
	"github.com/tarnlake/tarn/internal/vec"
)

// bytesAsString views bytes as a string for the length of a call.
func bytesAsString(b []byte) string { return unsafe.String(unsafe.SliceData(b), len(b)) }

// textRow is a strict function over strings.
func textRow(name, doc, example string, p []fn.Param, result types.Type, impl fn.Impl) fn.Overload {
	return fn.Overload{Name: name, Params: p, ResultType: result, Category: categoryString, Doc: doc, Example: example, Impl: impl}
}

func failing(o fn.Overload) fn.Overload {
	o.MayFail = true
	return o
}

func stringFunctions() []fn.Overload {
	out := append(substringOverloads(), caseFunctions()...)
	out = append(out, lengthFunctions()...)
	out = append(out, trimFunctions()...)
	out = append(out, searchFunctions()...)
	out = append(out, concatFunctions()...)
	return append(out, buildFunctions()...)
}

func caseFunctions() []fn.Overload {
	lower := []fn.Overload{textRow("lower", "Makes letters small.", "lower('TARN') → tarn", params("s", text), text,
		appendText(func(dst []byte, r row) []byte { return appendLower(dst, r.bytes(0)) }))}
	upper := []fn.Overload{textRow("upper", "Makes letters capital.", "upper('tarn') → TARN", params("s", text), text,
		appendText(func(dst []byte, r row) []byte { return appendUpper(dst, r.bytes(0)) }))}
	return append(append(aliases(lower, "lcase"), aliases(upper, "ucase")...),
		textRow("initcap", "Makes the first letter of each word capital and the others small.", "initcap('hi THOMAS') → Hi Thomas", params("s", text), text,
			appendText(func(dst []byte, r row) []byte { return appendInitcap(dst, r.str(0)) })))
}

// appendLower and appendUpper change ASCII letters at once and others by Unicode's simple mapping.
func appendLower(dst, b []byte) []byte {
	at := len(dst)
	dst = append(dst, b...)
	for i := at; i < len(dst); i++ {
		c := dst[i]
		if c-'A' < 26 {
			dst[i] = c | 0x20
		} else if c >= utf8.RuneSelf {
			return append(dst[:i], bytes.Map(unicode.ToLower, b[i-at:])...)
		}
	}
	return dst
}

func appendUpper(dst, b []byte) []byte {
	at := len(dst)
	dst = append(dst, b...)
	for i := at; i < len(dst); i++ {
		c := dst[i]
		if c-'a' < 26 {
			dst[i] = c &^ 0x20
		} else if c >= utf8.RuneSelf {
			return append(dst[:i], bytes.Map(unicode.ToUpper, b[i-at:])...)
		}
	}
	return dst
}

func appendInitcap(dst []byte, s string) []byte {
	inWord := false
	for _, r := range s {
		switch word := unicode.IsLetter(r) || unicode.IsDigit(r); {
		case !word:
			inWord = false
		case inWord:
			r = unicode.ToLower(r)
		default:
			r, inWord = unicode.ToUpper(r), true
		}
		dst = utf8.AppendRune(dst, r)
	}
	return dst
}

func lengthFunctions() []fn.Overload {
	length := []fn.Overload{textRow("length", "Number of characters.", "length('tärn') → 4", params("s", text), integer,
		fn.Scalar{New: func(fn.Call) (fn.Kernel, error) { return countCharacters, nil }})}
	out := aliases(length, "char_length", "character_length")
	for _, t := range []types.Type{text, bytea} {
		out = append(out,
			textRow("octet_length", "Number of bytes.", "octet_length('tärn') → 5", params("s", t), integer, value(func(r row) int32 { return int32(len(r.bytes(0))) })),
			textRow("bit_length", "Number of bits.", "bit_length('tarn') → 32", params("s", t), integer, value(func(r row) int32 { return int32(8 * len(r.bytes(0))) })))
	}
	out = append(out, textRow("octet_length", "Number of bytes, blanks at the end of char(n) included.", "octet_length('ab'::char(4)) → 4", params("s", types.Of(types.Char)), integer,
		value(func(r row) int32 {
			s := r.str(0)
			return int32(len(s) + max(0, max(int(r.args[0].Type.Length), 1)-types.CountCharacters(s)))
		})))
	return append(out, textRow("length", "Number of bytes.", `length('\x1234'::bytea) → 2`, params("s", bytea), integer,
		value(func(r row) int32 { return int32(len(r.bytes(0))) })))
}

// countCharacters is the kernel of length(text).
func countCharacters(args []*vec.Vector, n int, rows []int32, out *vec.Vector) error {
	views, buffers, o := vec.Values[vec.View](args[0]), args[0].Buffers, vec.Values[int32](out)
	and := mask(args[0])
	if rows == nil && and != 0 && vec.AllASCII(views[:n], buffers) {
		for at := range n {
			o[at] = int32(views[at].Len())
		}
		return nil
	}
	if rows == nil {
		for at := range n {
			o[at] = int32(types.CountCharacters(views[at&and].String(buffers)))
		}
		return nil
	}
	for _, at := range rows {
		o[at] = int32(types.CountCharacters(views[int(at)&and].String(buffers)))
	}
	return nil
}

// trimmer makes trim functions of one name: of blanks, or of any of the characters given.
func trimmer(name, doc, example string, left, right bool) []fn.Overload {
	blanks := slice(func(s []byte, _ row) (int, int, error) {
		from, to := 0, len(s)
		for left && from < to && s[from] == ' ' {
			from++
		}
		for right && from < to && s[to-1] == ' ' {
			to--
		}
		return from, to, nil
	})
	chosen := slice(func(s []byte, r row) (int, int, error) {
		from, to, set := 0, len(s), r.str(1)
		for left && from < to {
			c, size := utf8.DecodeRune(s[from:to])
			if !strings.ContainsRune(set, c) {
				break
			}
			from += size
		}
		for right && from < to {
			c, size := utf8.DecodeLastRune(s[from:to])
			if !strings.ContainsRune(set, c) {
				break
			}
			to -= size
		}
		return from, to, nil
	})
	return []fn.Overload{
		textRow(name, doc+" blanks.", example, params("s", text), text, blanks),
		textRow(name, doc+" the characters given.", name+"('xtarnx', 'x') → "+strings.Trim("tarn", "x"), params("s", text, "characters", text), text, chosen),
	}
}

func trimFunctions() []fn.Overload {
	out := append(trimmer("btrim", "Removes at both ends", "btrim('  tarn ') → tarn", true, true),
		trimmer("trim", "Removes at both ends", "trim('  tarn ') → tarn", true, true)...)
	out = append(out, trimmer("ltrim", "Removes at the start", "ltrim('  tarn') → tarn", true, false)...)
	out = append(out, trimmer("rtrim", "Removes at the end", "rtrim('tarn  ') → tarn", false, true)...)
	for i := range out {
		switch out[i].Name {
		case "ltrim":
			if len(out[i].Params) > 1 {
				out[i].Example = "ltrim('xtarnx', 'x') → tarnx"
			}
		case "rtrim":
			if len(out[i].Params) > 1 {
				out[i].Example = "rtrim('xtarnx', 'x') → xtarn"
			}
		}
	}
	return out
}

// characterPosition turns a byte offset into a 1-based character position; -1 is 0.
func characterPosition(s string, at int) int32 {
	if at < 0 {
		return 0
	}
	return int32(types.CountCharacters(s[:at])) + 1
}

func searchFunctions() []fn.Overload {
	find := []fn.Overload{textRow("strpos", "Position (1-based) of the first occurrence of part in s, 0 for none.", "strpos('high', 'ig') → 2",
		params("s", text, "part", text), integer, value(func(r row) int32 { return characterPosition(r.str(0), strings.Index(r.str(0), r.str(1))) }))}
	out := aliases(find, "position", "instr")
	return append(out,
		textRow("starts_with", "Tells whether s begins with prefix.", "starts_with('alphabet', 'alph') → true", params("s", text, "prefix", text), boolean,
			flag(func(r row) bool { return strings.HasPrefix(r.str(0), r.str(1)) })),
		textRow("^@", "Tells whether s begins with prefix.", "'alphabet' ^@ 'alph' → true", params("s", text, "prefix", text), boolean,
			flag(func(r row) bool { return strings.HasPrefix(r.str(0), r.str(1)) })),
		textRow("ends_with", "Tells whether s ends with suffix.", "ends_with('alphabet', 'bet') → true", params("s", text, "suffix", text), boolean,
			flag(func(r row) bool { return strings.HasSuffix(r.str(0), r.str(1)) })),
		textRow("contains", "Tells whether part occurs in s.", "contains('alphabet', 'hab') → true", params("s", text, "part", text), boolean,
			flag(func(r row) bool { return strings.Contains(r.str(0), r.str(1)) })),
		textRow("left", "First n characters; for a negative n all but the last -n.", "left('abcde', 2) → ab", params("s", text, "n", integer), text,
			slice(func(s []byte, r row) (int, int, error) {
				n := int(r.int32(1))
				if n < 0 {
					n = max(types.CountCharacters(bytesAsString(s))+n, 0)
				}
				_, to := characterSpan(s, 0, n)
				return 0, to, nil
			})),
		textRow("right", "Last n characters; for a negative n all but the first -n.", "right('abcde', 2) → de", params("s", text, "n", integer), text,
			slice(func(s []byte, r row) (int, int, error) {
				n := int(r.int32(1))
				skip := -n
				if n >= 0 {
					skip = max(types.CountCharacters(bytesAsString(s))-n, 0)
				}
				return types.CharacterOffset(bytesAsString(s), skip), len(s), nil
			})),
		failing(textRow("split_part", "Field number n (1-based, negative counts from the end) of s cut at delimiter.", "split_part('a,b,c', ',', 2) → b",
			params("s", text, "delimiter", text, "n", integer), text, slice(splitPart))),
	)
}

func splitPart(s []byte, r row) (int, int, error) {
	delimiter, n := r.str(1), int(r.int32(2))
	text := bytesAsString(s)
	switch {
	case n == 0:
		return 0, 0, errorf(sqlerr.InvalidParameterValue, "field position must not be zero")
	case delimiter == "":
		if n == 1 || n == -1 {
			return 0, len(s), nil
		}
		return 0, 0, nil
	case n < 0:
		if n += strings.Count(text, delimiter) + 2; n < 1 {
			return 0, 0, nil
		}
	}
	from := 0
	for ; n > 1; n-- {
		at := strings.Index(text[from:], delimiter)
		if at < 0 {
			return 0, 0, nil
		}
		from += at + len(delimiter)
	}
	if at := strings.Index(text[from:], delimiter); at >= 0 {
		return from, from + at, nil
	}
	return from, len(s), nil
}
