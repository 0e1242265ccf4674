package durability

import (
	"errors"
	"io"
	"os"
	"sync"
	"unsafe"

	"modernc.org/libc"
	sqlite3 "modernc.org/sqlite/lib"
)

// This file makes SQLite lose what it has not synced: its files' methods are replaced by ones that
// remember, until the next sync, what every write has replaced.

// catalogPower is on until catalogPowerOff; SQLite's operations hold it for reading.
var catalogPower struct {
	sync.RWMutex
	mu    sync.Mutex
	paths map[uintptr]string // of open files
	undo  []overwritten      // in the order of the operations

	open, write, truncate, sync, close uintptr // SQLite's own
}

// overwritten is what a file held before a write that is not durable.
type overwritten struct {
	path   string
	offset int64
	bytes  []byte
	size   int64
}

type (
	openFunction     = func(tls *libc.TLS, vfs, path, file uintptr, flags int32, out uintptr) int32
	writeFunction    = func(tls *libc.TLS, file, from uintptr, count int32, offset int64) int32
	truncateFunction = func(tls *libc.TLS, file uintptr, size int64) int32
	syncFunction     = func(tls *libc.TLS, file uintptr, flags int32) int32
	closeFunction    = func(tls *libc.TLS, file uintptr) int32
)

// at gives what lies at an address of SQLite's.
func at[T any](address uintptr) *T { return *(**T)(unsafe.Pointer(&address)) }

// function gives the function that a pointer of SQLite's stands for.
func function[T any](pointer uintptr) T { return *(*T)(unsafe.Pointer(&pointer)) }

// pointer makes SQLite's kind of pointer to a function that lives as long as the process.
func pointer[T any](f T) uintptr { return *(*uintptr)(unsafe.Pointer(&f)) }

// installPowerSwitch must be called before the catalog is opened.
func installPowerSwitch() {
	p := &catalogPower
	p.paths = map[uintptr]string{}
	tls := libc.NewTLS()
	if rc := sqlite3.Xsqlite3_initialize(tls); rc != sqlite3.SQLITE_OK {
		panic(rc)
	}
	vfs := at[sqlite3.Tsqlite3_vfs](sqlite3.Xsqlite3_vfs_find(tls, 0))
	p.open, vfs.FxOpen = vfs.FxOpen, pointer[openFunction](openWithPower)
}

func openWithPower(tls *libc.TLS, vfs, path, file uintptr, flags int32, out uintptr) int32 {
	p := &catalogPower
	rc := function[openFunction](p.open)(tls, vfs, path, file, flags, out)
	if rc != sqlite3.SQLITE_OK || path == 0 {
		return rc // a temporary file, or none
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	opened := at[sqlite3.Tsqlite3_file](file)
	methods := new(sqlite3.Tsqlite3_io_methods)
	*methods = *at[sqlite3.Tsqlite3_io_methods](opened.FpMethods)
	p.write, p.truncate, p.sync, p.close = methods.FxWrite, methods.FxTruncate, methods.FxSync, methods.FxClose
	methods.FxWrite, methods.FxTruncate = pointer[writeFunction](writeWithPower), pointer[truncateFunction](truncateWithPower)
	methods.FxSync, methods.FxClose = pointer[syncFunction](syncWithPower), pointer[closeFunction](closeWithPower)
	keptMethods = append(keptMethods, methods)
	opened.FpMethods = uintptr(unsafe.Pointer(methods))
	p.paths[file] = libc.GoString(path)
	return rc
}

// keptMethods keeps the collector from what only SQLite refers to.
var keptMethods []*sqlite3.Tsqlite3_io_methods

// remember notes what lies where a file is about to change; count -1 is up to its end.
func remember(file uintptr, offset int64, count int) {
	p := &catalogPower
	p.mu.Lock()
	defer p.mu.Unlock()
	o := overwritten{path: p.paths[file], offset: offset}
	f, err := os.Open(o.path)
	if err != nil {
		panic(err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		panic(err)
	}
	if o.size = info.Size(); count < 0 {
		count = int(max(o.size-offset, 0))
	}
	o.bytes = make([]byte, count)
	n, err := f.ReadAt(o.bytes, offset)
	if err != nil && !errors.Is(err, io.EOF) {
		panic(err)
	}
	o.bytes = o.bytes[:n]
	p.undo = append(p.undo, o)
}

func writeWithPower(tls *libc.TLS, file, from uintptr, count int32, offset int64) int32 {
	catalogPower.RLock()
	defer catalogPower.RUnlock()
	remember(file, offset, int(count))
	return function[writeFunction](catalogPower.write)(tls, file, from, count, offset)
}

func truncateWithPower(tls *libc.TLS, file uintptr, size int64) int32 {
	catalogPower.RLock()
	defer catalogPower.RUnlock()
	remember(file, size, -1)
	return function[truncateFunction](catalogPower.truncate)(tls, file, size)
}

func syncWithPower(tls *libc.TLS, file uintptr, flags int32) int32 {
	p := &catalogPower
	p.RLock()
	defer p.RUnlock()
	rc := function[syncFunction](p.sync)(tls, file, flags)
	if rc != sqlite3.SQLITE_OK {
		return rc
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	left := p.undo[:0]
	for _, o := range p.undo {
		if o.path != p.paths[file] {
			left = append(left, o)
		}
	}
	p.undo = left
	return rc
}

func closeWithPower(tls *libc.TLS, file uintptr) int32 {
	p := &catalogPower
	p.mu.Lock()
	delete(p.paths, file)
	p.mu.Unlock()
	return function[closeFunction](p.close)(tls, file)
}

// catalogPowerOff takes back every write that was not synced; SQLite's writes block from then on.
func catalogPowerOff() error {
	p := &catalogPower
	p.Lock()
	for i := len(p.undo) - 1; i >= 0; i-- {
		o := &p.undo[i]
		f, err := os.OpenFile(o.path, os.O_RDWR, 0)
		if err != nil {
			return err
		}
		_, err = f.WriteAt(o.bytes, o.offset)
		if err = errors.Join(err, f.Truncate(o.size), f.Close()); err != nil {
			return err
		}
	}
	return nil
}
