package partition

import (
	"errors"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/tarnlake/tarn/internal/sqlerr"
	"github.com/tarnlake/tarn/internal/types"
)

// FuzzPath names a partition by any text: the path stays one segment, leads nowhere else, and gives
// the text back; and any path reads as values that have one canonical text.
func FuzzPath(f *testing.F) {
	for _, seed := range []string{"", "..", ".", "a/b", "../../etc", "%2F", "100%", "ds=1", NullName, "%5F_HIVE_DEFAULT_PARTITION__", "\x00\xff", "ü\u2028", "2018-08-01", "-0", "1e5", "infinity", "{}"} {
		f.Add(seed, "ds")
	}
	kinds := []types.Type{
		types.Of(types.Bool), types.Of(types.Int16), types.Of(types.Int32), types.Of(types.Int64), types.Of(types.Float32), types.Of(types.Float64),
		types.DecimalOf(12, 2), types.DecimalOf(38, 10), types.Of(types.Text), types.Of(types.Date), types.Of(types.Time), types.Of(types.Timestamp),
		types.Of(types.TimestampTZ), types.Of(types.UUID),
	}
	f.Fuzz(func(t *testing.T, s, name string) {
		columns := []types.Type{types.Of(types.Text), types.Of(types.Text)}
		values := []types.Datum{types.StringDatum(s), types.StringDatum(name)}
		key, err := Key(columns, values)
		if err != nil {
			t.Fatal(err)
		}
		path, err := Path([]string{name, "b"}, columns, values)
		if err != nil {
			t.Fatal(err)
		}
		for _, segment := range strings.Split(path, "/") {
			if segment == "" || segment == "." || segment == ".." || strings.ContainsAny(segment, "\x00\n\\") {
				t.Fatalf("%q has the segment %q", path, segment)
			}
		}
		if strings.Count(path, "/") != 1 || strings.Count(key, "/") != 1 || PathOfKey([]string{name, "b"}, key) != path {
			t.Fatalf("path %q, key %q", path, key)
		}
		for _, text := range []string{s, name} {
			if !utf8.ValidString(text) || strings.Contains(text, "\x00") {
				if _, err := Values(columns, key); sqlerr.CodeOf(err) != sqlerr.CharacterNotInRepertoire {
					t.Fatalf("%q is taken for text (%v)", text, err)
				}
				return
			}
		}
		back, err := Values(columns, key)
		if err != nil || back[0].Null != (s == "") || !back[0].Null && back[0].Str != s || back[1].Str != name {
			t.Fatalf("%q %q became %+v (%v)", s, name, back, err)
		}
		for _, kind := range kinds {
			d, err := Value(kind, s)
			if err != nil {
				var user *sqlerr.Error
				if !errors.As(err, &user) || user.Code.Class() == "XX" {
					t.Fatal(err)
				}
				continue
			}
			if kind.Kind == types.Text && d.Str == "" {
				continue // an empty string is NULL on the way in
			}
			first, err := Key([]types.Type{kind}, []types.Datum{d})
			if err != nil {
				t.Fatalf("%s %q: %v", kind, s, err)
			}
			again, err := Values([]types.Type{kind}, first)
			if err != nil || again[0].Null != d.Null || !d.Null && types.CompareDatums(kind, again[0], d) != 0 {
				t.Fatalf("%s %q is %+v, written %q, which is %+v (%v)", kind, s, d, first, again, err)
			}
			if second, err := Key([]types.Type{kind}, again); err != nil || second != first {
				t.Fatalf("%s: %q and %q name one partition", kind, first, second)
			}
		}
		for _, pair := range Pairs(s) {
			_ = Unescape(pair.Value)
		}
	})
}
