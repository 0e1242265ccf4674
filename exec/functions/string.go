package functions

import (
	"bytes"
	"strings"
	"unicode"
	"unicode/utf8"
	"unsafe"

	"github.com/tarnlake/tarn/internal/fn"
	"github.com/tarnlake/tarn/internal/types"
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
	return append(substringOverloads(),
		textRow("lower", "Makes letters small.", "lower('TARN') → tarn", params("s", text), text,
			appendText(func(dst []byte, r row) []byte { return appendLower(dst, r.bytes(0)) })),
		textRow("upper", "Makes letters capital.", "upper('tarn') → TARN", params("s", text), text,
			appendText(func(dst []byte, r row) []byte { return appendUpper(dst, r.bytes(0)) })),
		textRow("length", "Number of characters.", "length('tärn') → 4", params("s", text), integer,
			value(func(r row) int32 { return int32(types.CountCharacters(r.str(0))) })),
	)
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
			return append(dst[:i], strings.ToUpper(string(b[i-at:]))...)
		}
	}
	return dst
}
