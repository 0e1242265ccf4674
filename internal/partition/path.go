package partition

import (
	"strings"
	"unicode/utf8"

	"github.com/tarnlake/tarn/internal/sqlerr"
	"github.com/tarnlake/tarn/internal/types"
)

// NullName is the path segment's value for NULL.
const NullName = "__HIVE_DEFAULT_PARTITION__"

// Key identifies a partition by its values alone: the escaped texts joined by '/'. A table without
// partition columns has one partition, "".
func Key(columnTypes []types.Type, values []types.Datum) (string, error) {
	var b strings.Builder
	for i, v := range values {
		if i > 0 {
			b.WriteByte('/')
		}
		text, err := segment(columnTypes[i], v)
		if err != nil {
			return "", err
		}
		b.WriteString(text)
	}
	return b.String(), nil
}

// Path gives Hive's directory of a partition: "ds=2018-08-01/hour=3", "" without partition columns.
func Path(names []string, columnTypes []types.Type, values []types.Datum) (string, error) {
	var b strings.Builder
	for i, v := range values {
		if i > 0 {
			b.WriteByte('/')
		}
		text, err := segment(columnTypes[i], v)
		if err != nil {
			return "", err
		}
		b.WriteString(Escape(names[i]))
		b.WriteByte('=')
		b.WriteString(text)
	}
	return b.String(), nil
}

// PathOfKey gives the directory for a Key.
func PathOfKey(names []string, key string) string {
	if len(names) == 0 {
		return ""
	}
	parts := strings.Split(key, "/")
	for i := range parts {
		parts[i] = Escape(names[i]) + "=" + parts[i]
	}
	return strings.Join(parts, "/")
}

// Values reads a Key back.
func Values(columnTypes []types.Type, key string) ([]types.Datum, error) {
	if len(columnTypes) == 0 {
		return nil, nil
	}
	parts := strings.Split(key, "/")
	out := make([]types.Datum, len(columnTypes))
	for i, t := range columnTypes {
		if i >= len(parts) {
			return nil, badKey(key)
		}
		v, err := Value(t, parts[i])
		if err != nil {
			return nil, err
		}
		out[i] = v
	}
	return out, nil
}

// Value reads the escaped text of one path segment, what follows its '='.
func Value(t types.Type, escaped string) (types.Datum, error) {
	if escaped == NullName {
		return types.NullDatum(), nil
	}
	text := Unescape(escaped)
	if t.Kind != types.Bytea && (!utf8.ValidString(text) || strings.IndexByte(text, 0) >= 0) {
		return types.Datum{}, sqlerr.New(sqlerr.CharacterNotInRepertoire, "partition value %q is no valid UTF-8 text", escaped)
	}
	return Parse(t, text)
}

func segment(t types.Type, v types.Datum) (string, error) {
	if v.Null || t.Physical() == types.PhysString && v.Str == "" {
		return NullName, nil
	}
	text, err := Format(t, v)
	if err != nil {
		return "", err
	}
	if text == NullName {
		// A string that reads like NULL: escaping one character keeps it apart.
		return "%5F" + NullName[1:], nil
	}
	return Escape(text), nil
}

// Pair is one `name=value` segment of a path, unescaped but for Value, which Value reads.
type Pair struct{ Name, Value string }

// Pairs finds the `name=value` directories in a path, outermost first; the file's own name is not
// looked at.
func Pairs(path string) []Pair {
	var out []Pair
	segments := strings.Split(path, "/")
	for _, s := range segments[:len(segments)-1] {
		if name, value, found := strings.Cut(s, "="); found && name != "" {
			out = append(out, Pair{Unescape(name), value})
		}
	}
	return out
}

const upperHex = "0123456789ABCDEF"

// mustEscape lists what Hive escapes in a path segment, the slash and the percent sign among it;
// a leading dot or underscore would hide the file from other engines but Hive leaves it alone.
func mustEscape(c byte) bool {
	switch c {
	case '"', '#', '%', '\'', '*', '/', ':', '=', '?', '\\', '{', '[', ']', '^', '\x7f':
		return true
	}
	return c < 0x20
}

// Escape writes s as a path segment.
func Escape(s string) string {
	count := 0
	for i := range len(s) {
		if mustEscape(s[i]) {
			count++
		}
	}
	dots := s == "." || s == ".."
	if count == 0 && !dots {
		return s
	}
	out := make([]byte, 0, len(s)+2*count+4)
	for i := range len(s) {
		if c := s[i]; mustEscape(c) || dots {
			out = append(out, '%', upperHex[c>>4], upperHex[c&15])
		} else {
			out = append(out, c)
		}
	}
	return string(out)
}

// Unescape undoes Escape; a '%' that is not followed by two hexadecimal digits stands for itself.
func Unescape(s string) string {
	if !strings.Contains(s, "%") {
		return s
	}
	out := make([]byte, 0, len(s))
	for i := 0; i < len(s); i++ {
		if s[i] == '%' && i+2 < len(s) {
			high, low := hexDigit(s[i+1]), hexDigit(s[i+2])
			if high >= 0 && low >= 0 {
				out = append(out, byte(high<<4|low))
				i += 2
				continue
			}
		}
		out = append(out, s[i])
	}
	return string(out)
}

func hexDigit(c byte) int {
	switch {
	case c >= '0' && c <= '9':
		return int(c - '0')
	case c >= 'a' && c <= 'f':
		return int(c-'a') + 10
	case c >= 'A' && c <= 'F':
		return int(c-'A') + 10
	}
	return -1
}
