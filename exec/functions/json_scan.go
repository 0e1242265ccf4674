package functions

import (
	"bytes"
	"strconv"
	"strings"

	"github.com/tarnlake/tarn/internal/types"
)

// The functions below walk over valid JSON without building anything: values are sub-slices.

func skipBlank(b []byte, i int) int {
	for i < len(b) && (b[i] == ' ' || b[i] >= '\t' && b[i] <= '\r') {
		i++
	}
	return i
}

// skipString gives the end of the string that begins at i.
func skipString(b []byte, i int) int {
	for i++; i < len(b); i++ {
		switch b[i] {
		case '\\':
			i++
		case '"':
			return i + 1
		}
	}
	return i
}

// skipValue gives the end of the value that begins at i.
func skipValue(b []byte, i int) int {
	if i >= len(b) {
		return i
	}
	switch b[i] {
	case '"':
		return skipString(b, i)
	case '{', '[':
		depth := 0
		for i < len(b) {
			switch b[i] {
			case '"':
				i = skipString(b, i)
				continue
			case '{', '[':
				depth++
			case '}', ']':
				if depth--; depth == 0 {
					return i + 1
				}
			}
			i++
		}
		return i
	}
	for i < len(b) && b[i] != ',' && b[i] != '}' && b[i] != ']' && b[i] != ' ' && (b[i] < '\t' || b[i] > '\r') {
		i++
	}
	return i
}

func trimJSON(b []byte) []byte { return bytes.Trim(b, " \t\r\n") }

// jsonKind gives json_typeof's name for a value.
func jsonKind(b []byte) string {
	b = trimJSON(b)
	if len(b) == 0 {
		return "null"
	}
	switch b[0] {
	case '{':
		return "object"
	case '[':
		return "array"
	case '"':
		return "string"
	case 't', 'f':
		return "boolean"
	case 'n':
		return "null"
	}
	return "number"
}

// eachMember calls f for the members of an object until it gives false; the key is unescaped.
func eachMember(b []byte, f func(key, value []byte) bool) {
	b = trimJSON(b)
	for i := skipBlank(b, 1); i < len(b) && b[i] == '"'; {
		end := skipString(b, i)
		key := types.UnescapeJSON(b[i+1 : end-1])
		i = skipBlank(b, skipBlank(b, end)+1) // behind the colon
		end = skipValue(b, i)
		if !f(key, b[i:end]) {
			return
		}
		if i = skipBlank(b, end); i < len(b) && b[i] == ',' {
			i = skipBlank(b, i+1)
		}
	}
}

// eachElement calls f for the elements of an array until it gives false.
func eachElement(b []byte, f func(value []byte) bool) {
	b = trimJSON(b)
	for i := skipBlank(b, 1); i < len(b) && b[i] != ']'; {
		end := skipValue(b, i)
		if !f(b[i:end]) {
			return
		}
		if i = skipBlank(b, end); i < len(b) && b[i] == ',' {
			i = skipBlank(b, i+1)
		}
	}
}

// member gives the value behind a key of an object, the last one when the key repeats.
func member(b []byte, key string) (value []byte, ok bool) {
	if jsonKind(b) != "object" {
		return nil, false
	}
	eachMember(b, func(k, v []byte) bool {
		if string(k) == key {
			value, ok = v, true
		}
		return true
	})
	return value, ok
}

func elements(b []byte) [][]byte {
	var out [][]byte
	eachElement(b, func(v []byte) bool {
		out = append(out, v)
		return true
	})
	return out
}

// elementIn is element; a scalar in jsonb counts as an array of itself.
func elementIn(t types.Type, b []byte, n int) ([]byte, bool) {
	if t.Kind == types.JSONB {
		switch jsonKind(b) {
		case "array", "object":
		default:
			return b, n == 0 || n == -1
		}
	}
	return element(b, n)
}

// element gives element n of an array, from 0, from the end for a negative one.
func element(b []byte, n int) ([]byte, bool) {
	if jsonKind(b) != "array" {
		return nil, false
	}
	if n < 0 {
		all := elements(b)
		if n += len(all); n < 0 {
			return nil, false
		}
		return all[n], true
	}
	var found []byte
	eachElement(b, func(v []byte) bool {
		if n == 0 {
			found = v
		}
		n--
		return n >= 0
	})
	return found, found != nil
}

// step goes into an object by key or into an array by number.
func step(b []byte, key string) ([]byte, bool) {
	if jsonKind(b) == "array" {
		n, err := strconv.Atoi(key)
		if err != nil {
			return nil, false
		}
		return element(b, n)
	}
	return member(b, key)
}

// walk follows a path.
func walk(b []byte, path []string) ([]byte, bool) {
	for _, key := range path {
		var ok bool
		if b, ok = step(b, key); !ok {
			return nil, false
		}
	}
	return b, true
}

// scalarText is what ->> gives: strings without quotes, NULL for null, anything else as it stands.
func scalarText(dst, value []byte) ([]byte, bool) {
	value = trimJSON(value)
	switch {
	case len(value) == 0 || value[0] == 'n':
		return dst, false
	case value[0] == '"':
		return append(dst, types.UnescapeJSON(value[1:len(value)-1])...), true
	}
	return append(dst, value...), true
}

// parsePath reads a path like $.a.b[0]["c d"] as keys.
func parsePath(path string) ([]string, bool) {
	rest, ok := strings.CutPrefix(path, "$")
	if !ok {
		rest = "." + path
	}
	var out []string
	for rest != "" {
		switch {
		case strings.HasPrefix(rest, `["`) || strings.HasPrefix(rest, `['`):
			end := strings.Index(rest[2:], rest[1:2]+"]")
			if end < 0 {
				return nil, false
			}
			out, rest = append(out, rest[2:2+end]), rest[end+4:]
		case rest[0] == '[':
			end := strings.IndexByte(rest, ']')
			if end < 0 {
				return nil, false
			}
			if _, err := strconv.Atoi(rest[1:end]); err != nil {
				return nil, false
			}
			out, rest = append(out, rest[1:end]), rest[end+1:]
		case rest[0] == '.':
			end := strings.IndexAny(rest[1:], ".[")
			if end < 0 {
				end = len(rest) - 1
			}
			if end == 0 {
				return nil, false
			}
			out, rest = append(out, strings.Trim(rest[1:1+end], `"`)), rest[1+end:]
		default:
			return nil, false
		}
	}
	return out, true
}
