package objstore

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"io/fs"
	"path"
	"strings"
	"syscall"

	"github.com/tarnlake/tarn/internal/sqlerr"
)

const temporarySuffix = ".tarn-tmp"

func isTemporary(base string) bool { return strings.HasSuffix(base, temporarySuffix) }

// localWriter streams into a temporary file beside its target.
type localWriter struct {
	store     *Local
	key       string
	temporary string
	made      []string // directories created on the way, outermost first
	file      file
	done      bool
}

// Create implements Store.
func (l *Local) Create(ctx context.Context, key string) (Writer, error) {
	w, err := l.create(ctx, key)
	if err != nil {
		return nil, err
	}
	return w, nil
}

func (l *Local) create(ctx context.Context, key string) (*localWriter, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	name, err := l.name(key)
	if err != nil {
		return nil, err
	}
	if err := l.failPoint(BeforeCreate, key); err != nil {
		return nil, err
	}
	var random [8]byte
	rand.Read(random[:])
	w := &localWriter{store: l, key: key,
		temporary: path.Join(path.Dir(name), "."+path.Base(name)+"."+hex.EncodeToString(random[:])+temporarySuffix)}
	// DeleteMany may remove a directory that is empty between our mkdir and our create.
	for range 10 {
		if w.made, err = l.makeParents(path.Dir(name), w.made); err != nil {
			return nil, l.fail(err, "create", key)
		}
		if w.file, err = l.dir.Create(w.temporary); !errors.Is(err, fs.ErrNotExist) {
			break
		}
	}
	if err != nil {
		return nil, l.fail(err, "create", key)
	}
	return w, nil
}

func (l *Local) makeParents(name string, made []string) ([]string, error) {
	if name == "." {
		return made, nil
	}
	err := l.dir.Mkdir(name)
	if errors.Is(err, fs.ErrNotExist) {
		if made, err = l.makeParents(path.Dir(name), made); err != nil {
			return made, err
		}
		err = l.dir.Mkdir(name)
	}
	if errors.Is(err, fs.ErrExist) {
		return made, nil
	}
	if err != nil {
		return made, err
	}
	return append(made, name), nil
}

// Write implements Writer.
func (w *localWriter) Write(p []byte) (int, error) {
	if err := w.store.failPoint(BeforeWrite, w.key); err != nil {
		return 0, err
	}
	n, err := w.file.Write(p)
	if err != nil {
		return n, w.store.fail(err, "write to", w.key)
	}
	return n, nil
}

// Commit implements Writer.
func (w *localWriter) Commit(ctx context.Context) (Object, error) {
	return w.commit(ctx, func() error { return w.store.dir.Rename(w.temporary, w.key) })
}

// commit syncs the file, publishes it and syncs every directory whose entries changed.
func (w *localWriter) commit(ctx context.Context, publish func() error) (object Object, err error) {
	if w.done {
		return Object{}, sqlerr.Internal("file %q was closed twice", w.key)
	}
	defer func() {
		if err != nil {
			w.Abort()
		}
	}()
	if err = ctx.Err(); err != nil {
		return Object{}, err
	}
	l := w.store
	if err = l.failPoint(BeforeSync, w.key); err != nil {
		return Object{}, err
	}
	if err = w.file.Sync(); err != nil {
		return Object{}, l.fail(err, "fsync", w.key)
	}
	info, err := w.file.Stat()
	if err != nil {
		return Object{}, l.fail(err, "stat", w.key)
	}
	if err = l.failPoint(BeforeRename, w.key); err != nil {
		return Object{}, err
	}
	if err = publish(); err != nil {
		return Object{}, l.fail(err, "rename", w.key)
	}
	w.done = true
	closed := w.file.Close()
	if err = l.failPoint(BeforeSyncDir, w.key); err != nil {
		return Object{}, err
	}
	for _, made := range w.made {
		if err = l.dir.SyncDir(path.Dir(made)); err != nil {
			return Object{}, l.fail(err, "fsync", made)
		}
	}
	if err = l.dir.SyncDir(path.Dir(w.key)); err != nil {
		return Object{}, l.fail(err, "fsync", path.Dir(w.key))
	}
	if closed != nil {
		return Object{}, l.fail(closed, "close", w.key)
	}
	return objectOf(w.key, info), nil
}

// Abort implements Writer.
func (w *localWriter) Abort() error {
	if w.done {
		return nil
	}
	w.done = true
	w.file.Close()
	err := w.store.dir.Remove(w.temporary)
	for i := len(w.made) - 1; i >= 0 && w.store.dir.Remove(w.made[i]) == nil; i-- {
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return w.store.fail(err, "remove", w.key)
	}
	return nil
}

// Put implements Store.
func (l *Local) Put(ctx context.Context, key string, data []byte) (Object, error) {
	w, err := l.filled(ctx, key, data)
	if err != nil {
		return Object{}, err
	}
	return w.Commit(ctx)
}

func (l *Local) filled(ctx context.Context, key string, data []byte) (*localWriter, error) {
	w, err := l.create(ctx, key)
	if err != nil {
		return nil, err
	}
	if _, err := w.Write(data); err != nil {
		w.Abort()
		return nil, err
	}
	return w, nil
}

// PutIfAbsent implements Store.
func (l *Local) PutIfAbsent(ctx context.Context, key string, data []byte) (Object, error) {
	w, err := l.filled(ctx, key, data)
	if err != nil {
		return Object{}, err
	}
	return w.commit(ctx, func() error {
		err := l.dir.Link(w.temporary, key)
		if errors.Is(err, fs.ErrExist) {
			return sqlerr.Wrap(ErrPrecondition, sqlerr.DuplicateFile, "file %q already exists", key)
		}
		if err != nil {
			return err
		}
		return l.dir.Remove(w.temporary)
	})
}

// PutIfMatch implements Store.
func (l *Local) PutIfMatch(ctx context.Context, key string, data []byte, etag string) (Object, error) {
	w, err := l.filled(ctx, key, data)
	if err != nil {
		return Object{}, err
	}
	return w.commit(ctx, func() error {
		l.match.Lock()
		defer l.match.Unlock()
		parent, err := l.dir.Open(path.Dir(key))
		if err != nil {
			return err
		}
		defer parent.Close()
		if err := syscall.Flock(int(parent.Fd()), syscall.LOCK_EX); err != nil {
			return err
		}
		info, err := l.dir.Stat(key)
		if errors.Is(err, fs.ErrNotExist) {
			return sqlerr.Wrap(ErrPrecondition, sqlerr.UndefinedFile, "file %q does not exist", key)
		}
		if err != nil {
			return err
		}
		if now := etagOf(info); now != etag {
			return l.changed(key, etag, now)
		}
		return l.dir.Rename(w.temporary, key)
	})
}
