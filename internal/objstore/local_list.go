package objstore

import (
	"context"
	"errors"
	"io/fs"
	"path"
	"slices"
	"strings"
	"syscall"

	"github.com/tarnlake/tarn/internal/sqlerr"
)

// errPageFull ends a walk early.
var errPageFull = errors.New("page is full")

// ListPage implements Store. Temporary files of writers are not listed.
func (l *Local) ListPage(ctx context.Context, request ListRequest) (Page, error) {
	if request.Delimiter != "" && request.Delimiter != "/" {
		return Page{}, sqlerr.New(sqlerr.FeatureNotSupported, "list delimiter %q is not supported", request.Delimiter)
	}
	limit := request.Limit
	if limit <= 0 {
		limit = 1000
	}
	var page Page
	last := ""
	err := l.list(ctx, request.Prefix, request.StartAfter, request.Delimiter == "", func(object Object, isPrefix bool) error {
		if isTemporary(path.Base(object.Path)) {
			return nil
		}
		if len(page.Objects)+len(page.Prefixes) == limit {
			page.Next = last
			return errPageFull
		}
		last = object.Path
		if isPrefix {
			page.Prefixes = append(page.Prefixes, object.Path)
		} else {
			page.Objects = append(page.Objects, object)
		}
		return nil
	})
	if err != nil && !errors.Is(err, errPageFull) {
		return Page{}, err
	}
	return page, nil
}

// list visits keys with prefix that are greater than after, in byte order; when not recursive,
// directories below the prefix are visited as prefixes that end in "/".
func (l *Local) list(ctx context.Context, prefix, after string, recursive bool, visit func(Object, bool) error) error {
	start := "."
	if at := strings.LastIndexByte(prefix, '/'); at >= 0 {
		name, err := l.name(prefix[:at])
		if err != nil {
			return err
		}
		start = name
	}
	w := walk{store: l, prefix: prefix, after: after, recursive: recursive, visit: visit}
	err := w.directory(ctx, start)
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ENOTDIR) {
		return nil
	}
	var system *fs.PathError
	if errors.As(err, &system) {
		return l.fail(err, "list", start)
	}
	return err
}

type walk struct {
	store         *Local
	prefix, after string
	recursive     bool
	visit         func(Object, bool) error
	links         int // symbolic links followed on the way to the current directory
}

// mostLinks bounds how many symbolic links to directories are followed one below the other: those
// that lead back up would be walked for ever.
const mostLinks = 3

func (w *walk) directory(ctx context.Context, name string) error {
	f, err := w.store.dir.Open(name)
	if err != nil {
		return err
	}
	entries, err := f.ReadDir(-1)
	f.Close()
	if err != nil {
		return err
	}
	keys := make([]string, 0, len(entries))
	byKey := make(map[string]fs.DirEntry, len(entries))
	for _, entry := range entries {
		key := entry.Name()
		if name != "." {
			key = name + "/" + key
		}
		isDirectory := entry.IsDir()
		if entry.Type()&fs.ModeSymlink != 0 {
			info, err := w.store.dir.Stat(key)
			if err != nil {
				continue // dangling, or leaves the root
			}
			isDirectory = info.IsDir()
		}
		if isDirectory {
			key += "/"
		}
		keys = append(keys, key)
		byKey[key] = entry
	}
	slices.Sort(keys)
	for _, key := range keys {
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := w.entry(ctx, key, byKey[key]); err != nil {
			return err
		}
	}
	return nil
}

func (w *walk) entry(ctx context.Context, key string, entry fs.DirEntry) error {
	if directory, ok := strings.CutSuffix(key, "/"); ok {
		switch {
		case strings.HasPrefix(w.prefix, key): // on the way to the prefix
		case !strings.HasPrefix(key, w.prefix):
			return nil
		case !w.recursive:
			if key <= w.after {
				return nil
			}
			return w.visit(Object{Path: key}, true)
		}
		if key <= w.after && !strings.HasPrefix(w.after, key) {
			return nil
		}
		if entry.Type()&fs.ModeSymlink != 0 {
			if w.links == mostLinks {
				return nil
			}
			w.links++
			defer func() { w.links-- }()
		}
		err := w.directory(ctx, directory)
		if errors.Is(err, fs.ErrNotExist) {
			return nil // removed meanwhile
		}
		return err
	}
	if !strings.HasPrefix(key, w.prefix) || key <= w.after {
		return nil
	}
	info, err := w.store.dir.Stat(key)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return w.store.fail(err, "stat", key)
	}
	if !info.Mode().IsRegular() {
		return nil
	}
	return w.visit(objectOf(key, info), false)
}
