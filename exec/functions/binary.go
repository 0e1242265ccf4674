package functions

import (
	"crypto/md5"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"encoding/hex"
	"hash/crc32"
	"strings"
	"unicode/utf8"

	"github.com/zeebo/xxh3"

	"github.com/tarnlake/tarn/internal/fn"
	"github.com/tarnlake/tarn/internal/sqlerr"
	"github.com/tarnlake/tarn/internal/types"
)

func binaryRow(name, doc, example string, p []fn.Param, result types.Type, impl fn.Scalar) fn.Overload {
	return fn.Overload{Name: name, Params: p, ResultType: result, Category: categoryBinary, Doc: doc, Example: example, Impl: impl}
}

func binaryFunctions() []fn.Overload {
	var out []fn.Overload
	for _, t := range []types.Type{text, bytea} {
		out = append(out, binaryRow("md5", "MD5 digest in hexadecimal digits.", "md5('abc') → 900150983cd24fb0d6963f7d28e17f72", params("s", t), text,
			appendText(func(dst []byte, r row) []byte {
				sum := md5.Sum(r.bytes(0))
				return hex.AppendEncode(dst, sum[:])
			})))
	}
	out = append(out, digestFunctions()...)
	return append(out,
		failing(binaryRow("encode", "Writes bytes as hex, base64 or escape.", `encode('\x1234'::bytea, 'hex') → 1234`, params("b", bytea, "format", text), text, toText(encode))),
		failing(binaryRow("decode", "Reads hex, base64 or escape.", `decode('1234', 'hex') → \x1234`, params("s", text, "format", text), bytea, toText(decode))),
		binaryRow("to_base64", "Writes bytes as base64.", `to_base64('\x616263'::bytea) → YWJj`, params("b", bytea), text,
			appendText(func(dst []byte, r row) []byte { return base64.StdEncoding.AppendEncode(dst, r.bytes(0)) })),
		failing(binaryRow("from_base64", "Reads base64.", `from_base64('YWJj') → \x616263`, params("s", text), bytea,
			toText(func(dst []byte, r row) ([]byte, bool, error) { return decodeBase64(dst, r.str(0)) }))),
		binaryRow("to_hex", "Hexadecimal digits of bytes.", `to_hex('\x616263'::bytea) → 616263`, params("b", bytea), text,
			appendText(func(dst []byte, r row) []byte { return append(dst, strings.ToUpper(hex.EncodeToString(r.bytes(0)))...) })),
		failing(binaryRow("from_hex", "Reads hexadecimal digits.", `from_hex('616263') → \x616263`, params("s", text), bytea,
			toText(func(dst []byte, r row) ([]byte, bool, error) { return decodeHex(dst, r.str(0)) }))),
		binaryRow("to_utf8", "The bytes of a string.", `to_utf8('abc') → \x616263`, params("s", text), bytea,
			appendText(func(dst []byte, r row) []byte { return append(dst, r.bytes(0)...) })),
		binaryRow("from_utf8", "The string that bytes hold; what is not UTF-8 is replaced.", `from_utf8('\x616263'::bytea) → abc`, params("b", bytea), text,
			appendText(func(dst []byte, r row) []byte { return append(dst, strings.ToValidUTF8(r.str(0), "\uFFFD")...) })),
		failing(binaryRow("convert_from", "The string that bytes in an encoding hold.", `convert_from('\x616263'::bytea, 'UTF8') → abc`, params("b", bytea, "encoding", text), text,
			toText(func(dst []byte, r row) ([]byte, bool, error) {
				if err := checkEncoding(r.str(1)); err != nil {
					return dst, false, err
				}
				if b := r.bytes(0); !utf8.Valid(b) {
					return dst, false, errorf(sqlerr.CharacterNotInRepertoire, "invalid byte sequence for encoding \"UTF8\"")
				}
				return append(dst, r.bytes(0)...), true, nil
			}))),
		failing(binaryRow("convert_to", "The bytes of a string in an encoding.", `convert_to('abc', 'UTF8') → \x616263`, params("s", text, "encoding", text), bytea,
			toText(func(dst []byte, r row) ([]byte, bool, error) {
				return append(dst, r.bytes(0)...), true, checkEncoding(r.str(1))
			}))),
		failing(binaryRow("get_byte", "Byte number n, from 0.", `get_byte('\x1234'::bytea, 1) → 52`, params("b", bytea, "n", integer), integer,
			toFixed(func(r row) (int32, bool, error) {
				b, n := r.bytes(0), r.int32(1)
				if n < 0 || int(n) >= len(b) {
					return 0, false, errorf(sqlerr.ArraySubscriptError, "index %d out of valid range, 0..%d", n, len(b)-1)
				}
				return int32(b[n]), true, nil
			}))),
		failing(binaryRow("substring", "The bytes from start (1-based) on, count of them.", `substring('\x123456'::bytea, 2, 1) → \x34`, params("b", bytea, "start", integer, "count", integer), bytea,
			slice(func(s []byte, r row) (int, int, error) {
				start, count := int64(r.int32(1)), int64(r.int32(2))
				if count < 0 {
					return 0, 0, errorf(sqlerr.SubstringError, "negative substring length not allowed")
				}
				from := min(max(start, 1)-1, int64(len(s)))
				return int(from), int(min(max(start+count-1, 0), int64(len(s)))), nil
			}))),
		binaryRow("crc32", "CRC-32 checksum.", `crc32('\x616263'::bytea) → 891568578`, params("b", bytea), bigint, value(func(r row) int64 { return int64(crc32.ChecksumIEEE(r.bytes(0))) })),
		binaryRow("hash", "A 64-bit hash of a string (XXH3).", "hash('abc') → 8696274497037089104", params("s", text), bigint, value(func(r row) int64 { return int64(xxh3.Hash(r.bytes(0))) })),
	)
}

func checkEncoding(name string) error {
	switch strings.ToLower(strings.ReplaceAll(name, "-", "")) {
	case "utf8", "unicode":
		return nil
	}
	return errorf(sqlerr.InvalidParameterValue, "invalid source encoding name \"%s\"", name)
}

func digestFunctions() []fn.Overload {
	digest := func(name, doc, example string, sum func(b []byte) []byte) []fn.Overload {
		var out []fn.Overload
		for _, t := range []types.Type{bytea, text} {
			out = append(out, binaryRow(name, doc, example, params("b", t), bytea, appendText(func(dst []byte, r row) []byte { return append(dst, sum(r.bytes(0))...) })))
		}
		return out
	}
	out := digest("sha1", "SHA-1 digest.", `sha1('abc') → \xa9993e364706816aba3e25717850c26c9cd0d89d`, func(b []byte) []byte { s := sha1.Sum(b); return s[:] })
	out = append(out, digest("sha224", "SHA-224 digest.", `sha224('abc') → \x23097d223405d8228642a477bda255b32aadbce4bda0b3f7e36c9da7`, func(b []byte) []byte { s := sha256.Sum224(b); return s[:] })...)
	out = append(out, digest("sha256", "SHA-256 digest.", `sha256('abc') → \xba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad`, func(b []byte) []byte { s := sha256.Sum256(b); return s[:] })...)
	out = append(out, digest("sha384", "SHA-384 digest.", `sha384('') → \x38b060a751ac96384cd9327eb1b1e36a21fdb71114be07434c0cc7bf63f6e1da274edebfe76f65fbd51ad2f14898b95b`, func(b []byte) []byte { s := sha512.Sum384(b); return s[:] })...)
	return append(out, digest("sha512", "SHA-512 digest.", `substring(sha512('abc'), 1, 4) → \xddaf35a1`, func(b []byte) []byte { s := sha512.Sum512(b); return s[:] })...)
}

func encode(dst []byte, r row) ([]byte, bool, error) {
	b := r.bytes(0)
	switch strings.ToLower(r.str(1)) {
	case "hex":
		return hex.AppendEncode(dst, b), true, nil
	case "base64":
		// PostgreSQL breaks lines after 76 characters
		for len(b) > 57 {
			dst = append(base64.StdEncoding.AppendEncode(dst, b[:57]), '\n')
			b = b[57:]
		}
		return base64.StdEncoding.AppendEncode(dst, b), true, nil
	case "escape":
		for _, c := range b {
			switch {
			case c == 0 || c >= 0x80:
				dst = append(dst, '\\', '0'+c>>6, '0'+c>>3&7, '0'+c&7)
			case c == '\\':
				dst = append(dst, '\\', '\\')
			default:
				dst = append(dst, c)
			}
		}
		return dst, true, nil
	}
	return dst, false, errorf(sqlerr.InvalidParameterValue, "unrecognized encoding: \"%s\"", r.str(1))
}

func decode(dst []byte, r row) ([]byte, bool, error) {
	switch strings.ToLower(r.str(1)) {
	case "hex":
		return decodeHex(dst, r.str(0))
	case "base64":
		return decodeBase64(dst, r.str(0))
	case "escape":
		b, err := types.ParseBytea(append([]byte(nil), r.bytes(0)...))
		return append(dst, b...), true, err
	}
	return dst, false, errorf(sqlerr.InvalidParameterValue, "unrecognized encoding: \"%s\"", r.str(1))
}

func decodeHex(dst []byte, s string) ([]byte, bool, error) {
	b, err := types.ParseBytea([]byte(`\x` + s))
	return append(dst, b...), true, err
}

func decodeBase64(dst []byte, s string) ([]byte, bool, error) {
	s = strings.NewReplacer("\n", "", "\r", "", " ", "", "\t", "").Replace(s)
	b, err := base64.StdEncoding.DecodeString(s)
	if err != nil {
		return dst, false, errorf(sqlerr.InvalidParameterValue, "invalid base64 end sequence").(*sqlerr.Error).
			WithHint("Input data is missing padding, is truncated, or is otherwise corrupted.")
	}
	return append(dst, b...), true, nil
}
