package parser

import (
	"strings"
	"testing"

	"github.com/tarnlake/tarn/internal/sqlerr"
)

func TestParseName(t *testing.T) {
	for text, want := range map[string]string{"t": "t", "Public.T": "public|t", `"Public"."T x"`: "Public|T x", " a . b ": "a|b",
		"order": "order", `"a.b"`: "a.b", `"a""b"`: `a"b`, "db.s.t": "db|s|t"} {
		parts, err := ParseName(text)
		if got := strings.Join(parts, "|"); err != nil || got != want {
			t.Errorf("%s: %s, %v; want %s", text, got, err, want)
		}
	}
	for _, text := range []string{"", ".", "a.", ".a", "a b", "1", `"a`, "a;b", `""`, "a..b"} {
		if parts, err := ParseName(text); sqlerr.CodeOf(err) != sqlerr.InvalidName {
			t.Errorf("%q: %q, %v", text, parts, err)
		}
	}
}
