package objstore

import (
	"context"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/tarnlake/tarn/internal/sqlerr"
)

// Links that lead out of the root give a user's error, and those that lead back up end.
func TestListThroughLinks(t *testing.T) {
	outside, root := t.TempDir(), t.TempDir()
	for _, err := range []error{
		os.WriteFile(filepath.Join(outside, "secret"), nil, 0o600),
		os.WriteFile(filepath.Join(root, "file"), nil, 0o600),
		os.Symlink(outside, filepath.Join(root, "out")),
		os.Symlink(".", filepath.Join(root, "a")),
		os.Symlink(".", filepath.Join(root, "b")),
		os.Symlink("self", filepath.Join(root, "self")),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	store, err := OpenLocal(root, Options{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := store.ListPage(context.Background(), ListRequest{Prefix: "out/"}); sqlerr.CodeOf(err) != sqlerr.InsufficientPrivilege {
		t.Errorf("a link out of the root: %v", err)
	}
	page, err := store.ListPage(context.Background(), ListRequest{Limit: 10_000})
	if err != nil || len(page.Objects) != 1+2+4+8 {
		t.Errorf("%d files (%v)", len(page.Objects), err)
	}
	for _, o := range page.Objects {
		if filepath.Base(o.Path) != "file" {
			t.Errorf("%s is listed", o.Path)
		}
	}
}

// A pipe in the place of a file is not waited for.
func TestPipes(t *testing.T) {
	root := t.TempDir()
	if err := syscall.Mkfifo(filepath.Join(root, "pipe"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, at := range []string{root, "/"} {
		store, err := OpenLocal(at, Options{})
		if err != nil {
			t.Fatal(err)
		}
		key := "pipe"
		if at == "/" {
			key = filepath.Join(root, key)[1:]
		}
		done := make(chan error)
		go func() {
			done <- store.ReadRanges(context.Background(), key, "", []Range{{Offset: 0, Length: 1}}, [][]byte{make([]byte, 1)})
		}()
		select {
		case err := <-done:
			if err == nil {
				t.Error("a pipe gives a byte")
			}
		case <-time.After(10 * time.Second):
			t.Fatal("a pipe is waited for")
		}
	}
}
