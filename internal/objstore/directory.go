package objstore

import (
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
)

// directory is the part of a file system that Local uses; names are relative and slash-separated.
// os.Root implements most of it and keeps symbolic links from leaving the root.
type directory interface {
	Open(name string) (file, error)
	Create(name string) (file, error) // must not exist
	Mkdir(name string) error
	Remove(name string) error
	Rename(from, to string) error
	Link(from, to string) error // to must not exist
	Stat(name string) (fs.FileInfo, error)
	// SyncDir makes the entries of a directory durable.
	SyncDir(name string) error
}

// file is an open file.
type file interface {
	io.Writer
	io.ReaderAt
	io.Closer
	Stat() (fs.FileInfo, error)
	Sync() error
	ReadDir(n int) ([]fs.DirEntry, error)
	Fd() uintptr
}

// confined is a directory below an os.Root.
type confined struct{ root *os.Root }

// Open does not wait for who writes to a pipe of that name.
func (c confined) Open(name string) (file, error) {
	return c.root.OpenFile(name, os.O_RDONLY|syscall.O_NONBLOCK, 0)
}
func (c confined) Create(name string) (file, error) {
	return c.root.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
}
func (c confined) Mkdir(name string) error               { return c.root.Mkdir(name, 0o755) }
func (c confined) Remove(name string) error              { return c.root.Remove(name) }
func (c confined) Rename(from, to string) error          { return c.root.Rename(from, to) }
func (c confined) Link(from, to string) error            { return c.root.Link(from, to) }
func (c confined) Stat(name string) (fs.FileInfo, error) { return c.root.Stat(name) }
func (c confined) SyncDir(name string) error             { return syncDir(c, name) }

// wholeMachine is a directory for the root "/", where links may lead anywhere.
type wholeMachine struct{ root string }

func (w wholeMachine) path(name string) string {
	return filepath.Join(w.root, filepath.FromSlash(name))
}
func (w wholeMachine) Open(name string) (file, error) {
	return os.OpenFile(w.path(name), os.O_RDONLY|syscall.O_NONBLOCK, 0)
}
func (w wholeMachine) Create(name string) (file, error) {
	return os.OpenFile(w.path(name), os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
}
func (w wholeMachine) Mkdir(name string) error               { return os.Mkdir(w.path(name), 0o755) }
func (w wholeMachine) Remove(name string) error              { return os.Remove(w.path(name)) }
func (w wholeMachine) Rename(from, to string) error          { return os.Rename(w.path(from), w.path(to)) }
func (w wholeMachine) Link(from, to string) error            { return os.Link(w.path(from), w.path(to)) }
func (w wholeMachine) Stat(name string) (fs.FileInfo, error) { return os.Stat(w.path(name)) }
func (w wholeMachine) SyncDir(name string) error             { return syncDir(w, name) }

func syncDir(d directory, name string) error {
	f, err := d.Open(name)
	if err != nil {
		return err
	}
	defer f.Close()
	return f.Sync()
}
