package objstore

import (
	"errors"
	"fmt"
	"io/fs"
	"path"
	"sync"
)

// Lossy makes a Local store forget, on demand, every write that was not made durable, as a machine
// that loses power does: bytes not synced, and directory entries whose directory was not synced.
// It is for crash tests.
type Lossy struct {
	directory
	power   sync.RWMutex // held for reading by every operation, for good once power is off
	mu      sync.Mutex
	undo    []undo // in the order of the operations
	trashed int
}

type undo struct {
	parents []string // directories whose sync makes the operation durable
	revert  func() error
}

// MakeLossy changes store, before its first use, so that Crash can be called.
func MakeLossy(store *Local) *Lossy {
	l := &Lossy{directory: store.dir}
	store.dir = l
	return l
}

// Crash takes back everything that was not durable. Operations wait meanwhile.
func (l *Lossy) Crash() error {
	l.power.Lock()
	defer l.power.Unlock()
	return l.revert()
}

// PowerOff is Crash for good: operations block from then on, until the process is ended.
func (l *Lossy) PowerOff() error {
	l.power.Lock()
	return l.revert()
}

func (l *Lossy) revert() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	var first error
	for i := len(l.undo) - 1; i >= 0; i-- {
		if len(l.undo[i].parents) == 0 {
			continue
		}
		if err := l.undo[i].revert(); err != nil && first == nil {
			first = err
		}
	}
	l.undo = nil
	return first
}

func (l *Lossy) remember(revert func() error, names ...string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	u := undo{revert: revert}
	for _, name := range names {
		u.parents = append(u.parents, path.Dir(name))
	}
	l.undo = append(l.undo, u)
}

// SyncDir makes the operations on a directory's entries durable.
func (l *Lossy) SyncDir(name string) error {
	l.power.RLock()
	defer l.power.RUnlock()
	if err := l.directory.SyncDir(name); err != nil {
		return err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	for i := range l.undo {
		left := l.undo[i].parents[:0]
		for _, parent := range l.undo[i].parents {
			if parent != name {
				left = append(left, parent)
			}
		}
		l.undo[i].parents = left
	}
	return nil
}

// Create tracks the new entry and the bytes written.
func (l *Lossy) Create(name string) (file, error) {
	l.power.RLock()
	defer l.power.RUnlock()
	f, err := l.directory.Create(name)
	if err != nil {
		return nil, err
	}
	l.remember(func() error { return ignoreMissing(l.directory.Remove(name)) }, name)
	return &lossyFile{file: f, disk: l}, nil
}

// Mkdir tracks the new entry.
func (l *Lossy) Mkdir(name string) error {
	l.power.RLock()
	defer l.power.RUnlock()
	err := l.directory.Mkdir(name)
	if err == nil {
		l.remember(func() error { return ignoreMissing(l.removeTree(name)) }, name)
	}
	return err
}

// Link tracks the new entry.
func (l *Lossy) Link(from, to string) error {
	l.power.RLock()
	defer l.power.RUnlock()
	err := l.directory.Link(from, to)
	if err == nil {
		l.remember(func() error { return ignoreMissing(l.directory.Remove(to)) }, to)
	}
	return err
}

// Rename keeps what it replaced until the directory is synced.
func (l *Lossy) Rename(from, to string) error {
	l.power.RLock()
	defer l.power.RUnlock()
	trash := l.trash(to)
	if err := l.directory.Rename(from, to); err != nil {
		return err
	}
	l.remember(func() error {
		if err := ignoreMissing(l.directory.Rename(to, from)); err != nil || trash == "" {
			return err
		}
		return l.directory.Rename(trash, to)
	}, to)
	return nil
}

// Remove keeps the file until the directory is synced.
func (l *Lossy) Remove(name string) error {
	l.power.RLock()
	defer l.power.RUnlock()
	info, err := l.directory.Stat(name)
	if err != nil || info.IsDir() {
		return l.directory.Remove(name)
	}
	trash := l.trash(name)
	if err := l.directory.Remove(name); err != nil {
		return err
	}
	l.remember(func() error { return ignoreMissing(l.directory.Rename(trash, name)) }, name)
	return nil
}

// trash links name aside and gives that name, "" when there is no such file.
func (l *Lossy) trash(name string) string {
	l.mu.Lock()
	l.trashed++
	trash := fmt.Sprintf(".lost-%d%s", l.trashed, temporarySuffix)
	l.mu.Unlock()
	if l.directory.Link(name, trash) != nil {
		return ""
	}
	return trash
}

func (l *Lossy) removeTree(name string) error {
	f, err := l.directory.Open(name)
	if err != nil {
		return err
	}
	entries, err := f.ReadDir(-1)
	f.Close()
	if err != nil {
		return err
	}
	for _, entry := range entries {
		child := name + "/" + entry.Name()
		if entry.IsDir() {
			err = l.removeTree(child)
		} else {
			err = l.directory.Remove(child)
		}
		if err != nil {
			return err
		}
	}
	return l.directory.Remove(name)
}

func ignoreMissing(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

// lossyFile keeps bytes in memory until they are synced.
type lossyFile struct {
	file
	disk    *Lossy
	pending []byte
}

func (f *lossyFile) Write(p []byte) (int, error) {
	f.pending = append(f.pending, p...)
	return len(p), nil
}

func (f *lossyFile) Sync() error {
	f.disk.power.RLock()
	defer f.disk.power.RUnlock()
	if _, err := f.file.Write(f.pending); err != nil {
		return err
	}
	f.pending = f.pending[:0]
	return f.file.Sync()
}
