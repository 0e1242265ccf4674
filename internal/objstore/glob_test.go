package objstore

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/tarnlake/tarn/internal/sqlerr"
)

func TestMatchSegments(t *testing.T) {
	for _, c := range []struct {
		pattern, name string
		want          bool
	}{
		{"**/*", "a", true}, {"**/*", "a/b/c", true}, {"**/c", "a/b/c", true}, {"**/b", "a/b/c", false},
		{"**/b/**/c", "b/c", true}, {"**/b/**/c", "a/b/x/y/c", true}, {"a/**", "a", true}, {"a/**/**", "a/b", true},
		{"**/c", "a/.b/c", false}, {"**/.b/c", "a/.b/c", true}, {"**", "", true}, {"a", "a/b", false}, {"a/b", "a", false},
	} {
		if got := matchSegments(strings.Split(c.pattern, "/"), strings.Split(c.name, "/")); got != c.want && c.name != "" {
			t.Errorf("%s for %s: %v", c.pattern, c.name, got)
		}
	}
}

// Patterns that match in very many ways, or almost, are done with at once.
func TestHostilePatterns(t *testing.T) {
	start := time.Now()
	names := strings.Split(strings.Repeat("a/", 400)+"x", "/")
	if matchSegments(strings.Split(strings.Repeat("**/a/", 30)+"nothing", "/"), names) {
		t.Error("x is nothing")
	}
	if !matchSegments(strings.Split(strings.Repeat("**/a/", 30)+"x", "/"), names) {
		t.Error("x is not found")
	}
	root := t.TempDir()
	if err := os.WriteFile(filepath.Join(root, "x"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	store, err := OpenLocal(root, Options{})
	if err != nil {
		t.Fatal(err)
	}
	for _, pattern := range []string{strings.Repeat("{", 50_000) + strings.Repeat("}", 50_000), strings.Repeat("{a,b}", 20)} {
		if _, err := Glob(context.Background(), store, pattern); sqlerr.CodeOf(err) != sqlerr.InvalidParameterValue {
			t.Errorf("%.20s...: %v", pattern, err)
		}
	}
	if took := time.Since(start); took > 10*time.Second {
		t.Errorf("took %v", took)
	}
}
