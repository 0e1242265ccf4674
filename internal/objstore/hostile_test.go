package objstore

import (
	"context"
	"os"
	"path/filepath"
	"testing"

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
