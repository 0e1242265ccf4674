package refusal

import (
	"bytes"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"
)

func TestALineAMinute(t *testing.T) {
	var out bytes.Buffer
	l := New(slog.New(slog.NewTextHandler(&out, nil)))
	now := time.Unix(1000, 0)
	l.now = func() time.Time { return now }
	for i := range 50 {
		l.Warn(fmt.Sprintf("10.0.0.1:%d", 1000+i), "refused", "error", "why")
	}
	l.Warn("10.0.0.2:1", "refused")
	l.Warn("10.0.0.1:1", "something else")
	if n := strings.Count(out.String(), "\n"); n != 3 {
		t.Fatalf("%d lines: %s", n, out.String())
	}
	now = now.Add(time.Minute)
	l.Warn("10.0.0.1:9", "refused")
	if !strings.Contains(out.String(), `msg=refused from=10.0.0.1:9 more_like_this=49`) {
		t.Fatal(out.String())
	}
}

func TestMemoryIsBounded(t *testing.T) {
	var out bytes.Buffer
	l := New(slog.New(slog.NewTextHandler(&out, nil)))
	for i := range 20 * mostReasons {
		l.Warn(fmt.Sprintf("10.%d.%d.%d:1", i>>16, i>>8&255, i&255), "refused")
	}
	if len(l.reasons) > mostReasons+1 {
		t.Fatalf("%d reasons are kept", len(l.reasons))
	}
	if n := strings.Count(out.String(), "\n"); n > mostReasons+1 {
		t.Fatalf("%d lines", n)
	}
}
