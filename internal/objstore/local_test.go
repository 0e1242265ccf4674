package objstore

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/tarnlake/tarn/internal/sqlerr"
)

func openTemp(t *testing.T, options Options) *Local {
	t.Helper()
	l, err := OpenLocal(t.TempDir(), options)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func put(t *testing.T, s Store, keys ...string) {
	t.Helper()
	for _, key := range keys {
		if _, err := s.Put(context.Background(), key, []byte("content of "+key)); err != nil {
			t.Fatal(err)
		}
	}
}

func keysOf(objects []Object) string {
	var out []string
	for _, o := range objects {
		out = append(out, o.Path)
	}
	return strings.Join(out, " ")
}

func TestPutReadStatDelete(t *testing.T) {
	ctx := context.Background()
	l := openTemp(t, Options{})
	o, err := l.Put(ctx, "a/b/c.bin", []byte("0123456789"))
	if err != nil {
		t.Fatal(err)
	}
	found, err := l.Stat(ctx, "a/b/c.bin")
	if err != nil || found != o || o.Size != 10 {
		t.Fatal(found, o, err)
	}
	buffers := [][]byte{make([]byte, 3), make([]byte, 2)}
	if err := l.ReadRanges(ctx, "a/b/c.bin", o.ETag, []Range{{2, 3}, {8, 2}}, buffers); err != nil {
		t.Fatal(err)
	}
	if string(buffers[0]) != "234" || string(buffers[1]) != "89" {
		t.Fatalf("%s", buffers)
	}
	err = l.ReadRanges(ctx, "a/b/c.bin", "", []Range{{8, 3}}, [][]byte{make([]byte, 3)})
	if sqlerr.CodeOf(err) != sqlerr.DataCorrupted {
		t.Fatal(err)
	}
	err = l.ReadRanges(ctx, "a/b/c.bin", "old", []Range{{0, 1}}, [][]byte{make([]byte, 1)})
	if !errors.Is(err, ErrPrecondition) {
		t.Fatal(err)
	}
	if _, err := l.Put(ctx, "x/y/z/c.bin", nil); err != nil {
		t.Fatal(err)
	}
	if err := l.DeleteMany(ctx, "x", []string{"x/y/z/c.bin"}); err != nil {
		t.Fatal(err)
	}
	if entries, err := os.ReadDir(filepath.Join(l.Root(), "x")); err != nil || len(entries) != 0 {
		t.Fatal("what lies below x goes, x itself stays", entries, err)
	}
	if err := errors.Join(os.Remove(filepath.Join(l.Root(), "x")), l.DeleteMany(ctx, "", []string{"a/b/c.bin", "a/none"})); err != nil {
		t.Fatal(err)
	}
	if _, err := l.Stat(ctx, "a/b/c.bin"); sqlerr.CodeOf(err) != sqlerr.UndefinedFile {
		t.Fatal(err)
	}
	if entries, _ := os.ReadDir(l.Root()); len(entries) != 0 {
		t.Fatal("empty directories left", entries)
	}
}

func TestKeysCannotLeaveTheRoot(t *testing.T) {
	ctx := context.Background()
	l := openTemp(t, Options{})
	for _, key := range []string{"../x", "/etc/passwd", "a/../../x", "", ".", "a//b", "a/", "x\x00"} {
		if _, err := l.Put(ctx, key, nil); err == nil {
			t.Errorf("put %q succeeded", key)
		}
		if _, err := l.Stat(ctx, key); err == nil {
			t.Errorf("stat %q succeeded", key)
		}
	}
	outside := t.TempDir()
	if err := os.WriteFile(filepath.Join(outside, "secret"), []byte("s"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(outside, filepath.Join(l.Root(), "link")); err != nil {
		t.Fatal(err)
	}
	if _, err := l.Stat(ctx, "link/secret"); sqlerr.CodeOf(err) != sqlerr.InsufficientPrivilege {
		t.Error("a link out of the root gives", err)
	}
	if page, err := l.ListPage(ctx, ListRequest{}); err != nil || len(page.Objects) != 0 {
		t.Error(page, err)
	}
}

func TestConditionalPuts(t *testing.T) {
	ctx := context.Background()
	l := openTemp(t, Options{})
	var wins, losses int
	var mu sync.Mutex
	var wait sync.WaitGroup
	for range 16 {
		wait.Go(func() {
			_, err := l.PutIfAbsent(ctx, "d/once", []byte("x"))
			mu.Lock()
			defer mu.Unlock()
			if err == nil {
				wins++
			} else if errors.Is(err, ErrPrecondition) {
				losses++
			} else {
				t.Error(err)
			}
		})
	}
	wait.Wait()
	if wins != 1 || losses != 15 {
		t.Fatal(wins, losses)
	}
	o, err := l.Stat(ctx, "d/once")
	if err != nil {
		t.Fatal(err)
	}
	if o, err = l.PutIfMatch(ctx, "d/once", []byte("second"), o.ETag); err != nil {
		t.Fatal(err)
	}
	if _, err := l.PutIfMatch(ctx, "d/once", []byte("third"), "stale"); !errors.Is(err, ErrPrecondition) {
		t.Fatal(err)
	}
	if now, _ := l.Stat(ctx, "d/once"); now != o {
		t.Fatal(now, o)
	}
	if entries, _ := os.ReadDir(filepath.Join(l.Root(), "d")); len(entries) != 1 {
		t.Fatal("temporary files left", entries)
	}
}

func TestListPagesInKeyOrder(t *testing.T) {
	ctx := context.Background()
	l := openTemp(t, Options{})
	put(t, l, "a-b", "a/b", "a/c/d", "a.b", "b/x", "a/c-1", "ab")
	var got []string
	request := ListRequest{Limit: 2}
	for {
		page, err := l.ListPage(ctx, request)
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, keysOf(page.Objects))
		if page.Next == "" {
			break
		}
		request.StartAfter = page.Next
	}
	if s := strings.Join(got, "|"); s != "a-b a.b|a/b a/c-1|a/c/d ab|b/x" {
		t.Fatal(s)
	}
	page, err := l.ListPage(ctx, ListRequest{Prefix: "a", Delimiter: "/"})
	if err != nil || keysOf(page.Objects) != "a-b a.b ab" || strings.Join(page.Prefixes, " ") != "a/" {
		t.Fatal(page, err)
	}
	page, err = l.ListPage(ctx, ListRequest{Prefix: "a/", Delimiter: "/", StartAfter: "a/b"})
	if err != nil || keysOf(page.Objects) != "a/c-1" || strings.Join(page.Prefixes, " ") != "a/c/" {
		t.Fatal(page, err)
	}
	if page, err = l.ListPage(ctx, ListRequest{Prefix: "none/at/all"}); err != nil || len(page.Objects) != 0 {
		t.Fatal(page, err)
	}
}

func TestGlob(t *testing.T) {
	ctx := context.Background()
	l := openTemp(t, Options{})
	put(t, l, "t/ds=1/a.parquet", "t/ds=1/b.csv", "t/ds=2/a.parquet", "t/ds=2/x/c.parquet", "t/.hidden/a.parquet", "u/a.parquet", "t/ds=2/.b.parquet")
	for pattern, want := range map[string]string{
		"t/*/*.parquet":         "t/ds=1/a.parquet t/ds=2/a.parquet",
		"t/**/*.parquet":        "t/ds=1/a.parquet t/ds=2/a.parquet t/ds=2/x/c.parquet",
		"t/ds=?/a.*":            "t/ds=1/a.parquet t/ds=2/a.parquet",
		"{t/ds=1,u}/*":          "t/ds=1/a.parquet t/ds=1/b.csv u/a.parquet",
		"t/ds={1,{2,3}}/a.*":    "t/ds=1/a.parquet t/ds=2/a.parquet",
		"u/a.parquet":           "u/a.parquet",
		"u/b.parquet":           "",
		"**":                    "t/ds=1/a.parquet t/ds=1/b.csv t/ds=2/a.parquet t/ds=2/x/c.parquet u/a.parquet",
		"**/x/*":                "t/ds=2/x/c.parquet",
		"t/ds=[2-9]/*.parquet":  "t/ds=2/a.parquet",
		"t/*/.b.parquet":        "t/ds=2/.b.parquet",
		"none/*/x":              "",
		"t/ds=1/**/a.parquet":   "t/ds=1/a.parquet",
		"t/*/**/x/**/c.parquet": "t/ds=2/x/c.parquet",
	} {
		got, err := Glob(ctx, l, pattern)
		if err != nil || keysOf(got) != want {
			t.Errorf("%s: %s, want %s (%v)", pattern, keysOf(got), want, err)
		}
	}
	if _, err := Glob(ctx, l, "t/{a"); sqlerr.CodeOf(err) != sqlerr.InvalidParameterValue {
		t.Error(err)
	}
}

func TestFailedWritesLeaveNothing(t *testing.T) {
	ctx := context.Background()
	for _, step := range []Step{BeforeCreate, BeforeWrite, BeforeSync, BeforeRename} {
		l := openTemp(t, Options{FailPoint: func(s Step, _ string) error {
			if s == step {
				return &os.PathError{Op: "write", Path: "x", Err: syscall.ENOSPC}
			}
			return nil
		}})
		_, err := l.Put(ctx, "p/q", []byte("data"))
		if sqlerr.CodeOf(err) != sqlerr.DiskFull || !strings.Contains(err.Error(), "no space left on device") {
			t.Error(step, err)
		}
		if entries, _ := os.ReadDir(l.Root()); len(entries) != 0 {
			t.Error(step, "left", entries)
		}
	}
	l := openTemp(t, Options{})
	w, err := l.Create(ctx, "p/q")
	if err != nil {
		t.Fatal(err)
	}
	w.Write([]byte("half"))
	if page, _ := l.ListPage(ctx, ListRequest{}); len(page.Objects) != 0 {
		t.Error("uncommitted object is listed")
	}
	if n, err := l.RemoveTemporary(ctx, "", time.Hour); n != 0 || err != nil {
		t.Error(n, err)
	}
	if n, err := l.RemoveTemporary(ctx, "", -time.Hour); n != 1 || err != nil {
		t.Error(n, err)
	}
	w.Abort()
}

func TestCrashKeepsOnlyWhatWasSynced(t *testing.T) {
	ctx := context.Background()
	for _, step := range []Step{BeforeCreate, BeforeWrite, BeforeSync, BeforeRename, BeforeSyncDir, "never"} {
		var armed bool
		l := openTemp(t, Options{FailPoint: func(s Step, _ string) error {
			if armed && s == step {
				panic("killed")
			}
			return nil
		}})
		lossy := MakeLossy(l)
		if _, err := l.Put(ctx, "d/file", []byte("old")); err != nil {
			t.Fatal(err)
		}
		armed = true
		func() {
			defer func() { _ = recover() }()
			l.Put(ctx, "d/file", []byte("new!"))
			l.Put(ctx, "e/f/second", []byte("2"))
		}()
		if err := lossy.Crash(); err != nil {
			t.Fatal(step, err)
		}
		page, err := l.ListPage(ctx, ListRequest{})
		if err != nil {
			t.Fatal(err)
		}
		want, wantSize := "d/file", int64(3)
		if step == "never" {
			want, wantSize = "d/file e/f/second", 4
		}
		if keysOf(page.Objects) != want || page.Objects[0].Size != wantSize {
			t.Errorf("%s: %v", step, page.Objects)
		}
	}
	l := openTemp(t, Options{})
	lossy := MakeLossy(l)
	put(t, l, "a", "b")
	if err := l.dir.Remove("a"); err != nil {
		t.Fatal(err)
	}
	if err := lossy.Crash(); err != nil {
		t.Fatal(err)
	}
	if page, _ := l.ListPage(ctx, ListRequest{}); keysOf(page.Objects) != "a b" {
		t.Error("an unsynced removal was durable", page)
	}
}
