package objstore

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/tarnlake/tarn/internal/sqlerr"
)

// Step names a moment of a write, for Options.FailPoint.
type Step string

// The steps, in the order in which a committed object passes them.
const (
	BeforeCreate  Step = "create"
	BeforeWrite   Step = "write"
	BeforeSync    Step = "sync"
	BeforeRename  Step = "rename"
	BeforeSyncDir Step = "syncdir"
	BeforeDelete  Step = "delete"
)

// Options of a Local store.
type Options struct {
	// FailPoint, if set, is called before each step of a write; its error fails the step, and a
	// test may end the process in it.
	FailPoint func(step Step, path string) error
}

// Local keeps objects as files below a root directory. Names that leave the root are refused,
// symbolic links that do so as well (unless the root is "/").
type Local struct {
	root    string
	dir     directory
	options Options
	match   sync.Mutex // serialises PutIfMatch within the process; flock does so between processes
}

// OpenLocal opens the store below root, which must exist.
func OpenLocal(root string, options Options) (*Local, error) {
	absolute, err := filepath.Abs(root)
	if err != nil {
		return nil, fileError(err, "open", root)
	}
	l := &Local{root: absolute, options: options}
	if absolute == "/" {
		l.dir = wholeMachine{absolute}
		return l, nil
	}
	r, err := os.OpenRoot(absolute)
	if err != nil {
		return nil, fileError(err, "open", root)
	}
	l.dir = confined{r}
	return l, nil
}

// Root is the directory that holds the objects.
func (l *Local) Root() string { return l.root }

// name checks a key and gives the file's relative name.
func (l *Local) name(key string) (string, error) {
	clean := path.Clean(key)
	if key == "" || clean != key || !filepath.IsLocal(filepath.FromSlash(key)) || strings.ContainsRune(key, 0) {
		return "", sqlerr.New(sqlerr.InvalidParameterValue, "invalid file path %q", key)
	}
	return key, nil
}

// ReadRanges implements Store.
func (l *Local) ReadRanges(ctx context.Context, key, etag string, ranges []Range, buffers [][]byte) error {
	name, err := l.name(key)
	if err != nil {
		return err
	}
	f, err := l.dir.Open(name)
	if err != nil {
		return l.fail(err, "open", key)
	}
	defer f.Close()
	if etag != "" {
		info, err := f.Stat()
		if err != nil {
			return l.fail(err, "stat", key)
		}
		if now := etagOf(info); now != etag {
			return l.changed(key, etag, now)
		}
	}
	for i, r := range ranges {
		if err := ctx.Err(); err != nil {
			return err
		}
		n, err := f.ReadAt(buffers[i][:r.Length], r.Offset)
		if errors.Is(err, io.EOF) && int64(n) < r.Length {
			return sqlerr.New(sqlerr.DataCorrupted, "file %q ends at byte %d, but bytes up to %d were expected",
				key, r.Offset+int64(n), r.Offset+r.Length)
		}
		if err != nil && int64(n) < r.Length {
			return l.fail(err, "read", key)
		}
	}
	return nil
}

func (l *Local) changed(key, expected, found string) error {
	return sqlerr.Wrap(ErrPrecondition, sqlerr.ObjectNotInPrerequisiteState, "file %q has changed", key).
		WithDetail("Expected version %s, found %s.", expected, found).WithHint(ChangedHint)
}

// Stat implements Store.
func (l *Local) Stat(ctx context.Context, key string) (Object, error) {
	if err := ctx.Err(); err != nil {
		return Object{}, err
	}
	name, err := l.name(key)
	if err != nil {
		return Object{}, err
	}
	info, err := l.dir.Stat(name)
	if err == nil && info.IsDir() {
		err = &fs.PathError{Op: "stat", Path: name, Err: syscall.ENOENT}
	}
	if err != nil {
		return Object{}, l.fail(err, "stat", key)
	}
	return objectOf(key, info), nil
}

func objectOf(key string, info fs.FileInfo) Object {
	return Object{Path: key, Size: info.Size(), ETag: etagOf(info), Modified: info.ModTime()}
}

func etagOf(info fs.FileInfo) string {
	var inode uint64
	if s, ok := info.Sys().(*syscall.Stat_t); ok {
		inode = s.Ino
	}
	return fmt.Sprintf("%x-%x-%x", info.Size(), info.ModTime().UnixNano(), inode)
}

// DeleteMany implements Store.
func (l *Local) DeleteMany(ctx context.Context, below string, keys []string) error {
	below = strings.TrimSuffix(below, "/")
	if below != "" {
		below += "/"
	}
	parents := map[string]bool{}
	for _, key := range keys {
		if err := ctx.Err(); err != nil {
			return err
		}
		name, err := l.name(key)
		if err != nil {
			return err
		}
		if err := l.failPoint(BeforeDelete, key); err != nil {
			return err
		}
		switch err := l.dir.Remove(name); {
		case errors.Is(err, fs.ErrNotExist):
		case err != nil:
			return l.fail(err, "remove", key)
		default:
			parents[path.Dir(name)] = true
		}
	}
	for parent := range parents {
		if err := l.dir.SyncDir(parent); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return l.fail(err, "sync", parent)
		}
		for parent != "." && strings.HasPrefix(parent, below) && l.dir.Remove(parent) == nil {
			parent = path.Dir(parent)
		}
	}
	return nil
}

// RemoveTemporary removes files that crashed writers left below prefix, when older than age.
func (l *Local) RemoveTemporary(ctx context.Context, prefix string, age time.Duration) (removed int, err error) {
	limit := time.Now().Add(-age)
	return removed, l.list(ctx, prefix, "", true, func(object Object, isPrefix bool) error {
		if isPrefix || !isTemporary(path.Base(object.Path)) || object.Modified.After(limit) {
			return nil
		}
		if err := l.dir.Remove(object.Path); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return l.fail(err, "remove", object.Path)
		}
		removed++
		return nil
	})
}

func (l *Local) failPoint(step Step, key string) error {
	if l.options.FailPoint == nil {
		return nil
	}
	if err := l.options.FailPoint(step, key); err != nil {
		return l.fail(err, string(step), key)
	}
	return nil
}

func (l *Local) fail(err error, verb, key string) error { return fileError(err, verb, key) }

// fileError words a failed system call as PostgreSQL does.
func fileError(err error, verb, name string) error {
	var known *sqlerr.Error
	if errors.As(err, &known) {
		return err
	}
	code := sqlerr.IOError
	switch {
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, syscall.ENOTDIR):
		code = sqlerr.UndefinedFile
	case errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EDQUOT), errors.Is(err, syscall.EFBIG):
		code = sqlerr.DiskFull
	case errors.Is(err, fs.ErrPermission), errors.Is(err, syscall.EROFS):
		code = sqlerr.InsufficientPrivilege
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return err
	}
	reason := err.Error()
	var number syscall.Errno
	if errors.As(err, &number) {
		reason = number.Error()
	}
	if strings.HasSuffix(reason, "path escapes from parent") { // os.Root's words, for which there is no value
		return sqlerr.New(sqlerr.InsufficientPrivilege, "could not %s file %q: a symbolic link leads out of its directory", verb, name).
			WithHint("Files are read only below the directories of storage.allowed_local_roots.")
	}
	out := sqlerr.New(code, "could not %s file %q: %s", verb, name, reason)
	out.Cause = nil
	return out
}
