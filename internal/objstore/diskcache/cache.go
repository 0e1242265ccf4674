package diskcache

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"syscall"
	"time"

	"github.com/tarnlake/tarn/internal/objstore"
)

// Options of a Cache.
type Options struct {
	// Directory holds the files; it is made if need be, and must hold nothing else.
	Directory string
	// Size bounds them, headers included.
	Size int64
	Log  *slog.Logger
	// FailWrite, if set, is called before a file is written; its error fails that, for tests.
	FailWrite func() error
}

const (
	// mostPending bounds the memory of ranges that wait to be written.
	mostPending = 64 << 20
	// writers is how many files are written at once.
	writers = 2
	// restTime is how long nothing is written after a failure.
	restTime = 10 * time.Second
	// mostProcesses is how many processes may share a directory.
	mostProcesses = 64
	temporaryMark = ".new-"
)

// Cache keeps extents. It is safe for concurrent use.
type Cache struct {
	options   Options
	directory string
	lock      *os.File
	jobs      chan job
	done      sync.WaitGroup

	mu      sync.Mutex
	closed  bool
	index   *index
	writing map[extent]bool // accepted and not there yet
	pending int64           // bytes accepted
	making  int64           // sizes of the files being written
	resting time.Time       // nothing is written before
	number  int64           // of temporary files
	stats   objstore.CacheStats
}

// job is an extent to be written.
type job struct {
	extent extent
	name   string
	data   []byte
}

// Open opens the cache of a directory and finds what is in it. Processes that share a directory keep
// apart, each in a subdirectory of its own, of Size each.
func Open(options Options) (*Cache, error) {
	if options.Log == nil {
		options.Log = slog.New(slog.DiscardHandler)
	}
	c := &Cache{options: options, jobs: make(chan job, 1024), index: newIndex(options.Size), writing: map[extent]bool{}}
	if err := c.claim(); err != nil {
		return nil, err
	}
	if err := c.load(); err != nil {
		c.lock.Close()
		return nil, err
	}
	for range writers {
		c.done.Go(c.write)
	}
	return c, nil
}

// claim takes the first subdirectory that no other process uses.
func (c *Cache) claim() error {
	for n := range mostProcesses {
		directory := filepath.Join(c.options.Directory, fmt.Sprint(n))
		if err := os.MkdirAll(directory, 0o700); err != nil {
			return err
		}
		lock, err := os.OpenFile(filepath.Join(directory, "lock"), os.O_RDWR|os.O_CREATE, 0o600)
		if err != nil {
			return err
		}
		if err = syscall.Flock(int(lock.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err == nil {
			c.directory, c.lock = directory, lock
			return nil
		}
		lock.Close()
		if !errors.Is(err, syscall.EWOULDBLOCK) {
			return err
		}
	}
	return fmt.Errorf("%d processes use the cache directory %q", mostProcesses, c.options.Directory)
}

// load finds the extents that an earlier process left, oldest first, and removes everything else.
func (c *Cache) load() error {
	type left struct {
		extent   extent
		size     int64
		modified time.Time
	}
	var found []left
	err := filepath.WalkDir(c.directory, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || path == c.lock.Name() {
			return err
		}
		e, ok := parseFile(entry.Name())
		info, err := entry.Info()
		if !ok || err != nil || filepath.Join(c.directory, e.file()) != path || info.Size() < e.length+headAlign {
			_ = os.Remove(path)
			return nil
		}
		found = append(found, left{e, info.Size(), info.ModTime()})
		return nil
	})
	if err != nil {
		return err
	}
	slices.SortFunc(found, func(a, b left) int { return a.modified.Compare(b.modified) })
	for _, f := range found {
		if c.index.overlaps(f.extent) {
			c.remove(f.extent)
			continue
		}
		evicted, ok := c.index.add(f.extent, roundUp(f.size))
		for _, gone := range evicted {
			c.remove(gone)
		}
		if !ok {
			c.remove(f.extent)
		}
	}
	return nil
}

func roundUp(size int64) int64 { return (size + headAlign - 1) / headAlign * headAlign }

func (c *Cache) remove(e extent) { _ = os.Remove(filepath.Join(c.directory, e.file())) }

// Stats gives what the cache has done and holds.
func (c *Cache) Stats() objstore.CacheStats {
	c.mu.Lock()
	defer c.mu.Unlock()
	s := c.stats
	s.Name, s.Bytes, s.Limit, s.Entries = "disk", c.index.queue.Bytes(), c.index.queue.Capacity(), int64(c.index.queue.Len())
	s.Pending = c.pending
	return s
}

// Close writes what waits and gives the directory back. Reads may go on, past the cache.
func (c *Cache) Close() error {
	c.mu.Lock()
	if c.closed {
		c.mu.Unlock()
		return nil
	}
	c.closed = true
	close(c.jobs)
	c.mu.Unlock()
	c.done.Wait()
	return c.lock.Close()
}

// find gives the extents that hold parts of a range, and notes that they are used.
func (c *Cache) find(o object, from, to int64) []extent {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return nil
	}
	found := slices.Clone(c.index.find(o, from, to))
	for _, e := range found {
		c.index.queue.Use(e)
	}
	return found
}

// drop forgets an extent that could not be read. One that went for others meanwhile is no failure.
func (c *Cache) drop(e extent, err error) {
	c.mu.Lock()
	c.index.remove(e)
	if errors.Is(err, fs.ErrNotExist) {
		c.mu.Unlock()
		return
	}
	c.stats.Failures++
	c.mu.Unlock()
	c.remove(e)
	c.options.Log.Warn("an entry of the disk cache was dropped", "file", e.file(), "error", err)
}

// keep takes a copy of bytes of an object to be written, as far as they are not there or on their way.
func (c *Cache) keep(o object, name string, offset int64, data []byte) {
	for _, gap := range c.gaps(extent{o, offset, int64(len(data))}) {
		part, at := data[gap.offset-offset:gap.end()-offset], gap.offset
		for len(part) > 0 {
			n := min(len(part), mostExtent)
			if rest := len(part) - n; rest > 0 && rest < leastExtent {
				n -= leastExtent
			}
			c.accept(extent{o, at, int64(n)}, name, part[:n])
			part, at = part[n:], at+int64(n)
		}
	}
}

// gaps gives the parts of an extent that are neither there nor on their way, ascending.
func (c *Cache) gaps(e extent) (out []extent) {
	c.mu.Lock()
	taken := slices.Clone(c.index.find(e.object, e.offset, e.end()))
	for w := range c.writing {
		if w.object == e.object && w.offset < e.end() && e.offset < w.end() {
			taken = append(taken, w)
		}
	}
	c.mu.Unlock()
	slices.SortFunc(taken, func(a, b extent) int { return cmp.Compare(a.offset, b.offset) })
	at := e.offset
	for _, t := range append(taken, extent{e.object, e.end(), 0}) {
		if t.offset > at {
			out = append(out, extent{e.object, at, t.offset - at})
		}
		at = max(at, t.end())
	}
	return out
}

// accept queues an extent, if there is room and no part of it has come to be there or on its way since.
func (c *Cache) accept(e extent, name string, data []byte) {
	c.mu.Lock()
	if c.closed || c.underWay(e) || c.index.overlaps(e) || roundUp(e.length+e.headerSize(len(name))) > c.options.Size {
		c.mu.Unlock()
		return
	}
	if c.pending+e.length > mostPending || time.Now().Before(c.resting) || len(c.jobs) == cap(c.jobs) {
		c.stats.Skipped++
		c.mu.Unlock()
		return
	}
	c.pending += e.length
	c.writing[e] = true
	c.mu.Unlock()
	copied := slices.Clone(data)
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return
	}
	select {
	case c.jobs <- job{e, name, copied}:
	default:
		c.pending -= e.length
		delete(c.writing, e)
		c.stats.Skipped++
	}
}

// underWay tells whether a part of an extent is on its way already; the lock is held.
func (c *Cache) underWay(e extent) bool {
	for w := range c.writing {
		if w.object == e.object && w.offset < e.end() && e.offset < w.end() {
			return true
		}
	}
	return false
}

// write writes extents until the cache is closed.
func (c *Cache) write() {
	for j := range c.jobs {
		c.store(j)
	}
}

// store makes room for an extent, writes it, and only then lists it.
func (c *Cache) store(j job) {
	size := roundUp(j.extent.length + j.extent.headerSize(len(j.name)))
	c.mu.Lock()
	c.number++
	temporary := filepath.Join(c.directory, fmt.Sprintf("%s%d", temporaryMark, c.number))
	wanted := time.Now().After(c.resting) && !c.index.overlaps(j.extent) && c.making+size <= c.options.Size
	var evicted []extent
	if wanted {
		c.making += size
		evicted = c.index.shrink(c.options.Size - c.making)
		c.stats.Evictions += int64(len(evicted))
	}
	c.mu.Unlock()
	for _, gone := range evicted {
		c.remove(gone)
	}
	var err error
	if wanted {
		if c.options.FailWrite != nil {
			err = c.options.FailWrite()
		}
		if err == nil {
			err = j.extent.write(c.directory, j.name, temporary, j.data)
		}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.pending -= j.extent.length
	delete(c.writing, j.extent)
	if !wanted {
		c.stats.Skipped++
		return
	}
	c.making -= size
	switch {
	case err != nil:
		c.failed(err)
	case c.index.overlaps(j.extent):
		c.remove(j.extent)
	default:
		gone, ok := c.index.add(j.extent, size)
		if !ok {
			gone = append(gone, j.extent)
		}
		for _, e := range gone {
			c.remove(e)
		}
	}
}

// failed rests after a write that failed, and gives space back where there is none; the lock is held.
func (c *Cache) failed(err error) {
	c.stats.Failures++
	c.resting = time.Now().Add(restTime)
	if errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) {
		gone := c.index.shrink(c.index.queue.Bytes() / 10 * 9)
		c.stats.Evictions += int64(len(gone))
		for _, e := range gone {
			c.remove(e)
		}
	}
	c.options.Log.Warn("the disk cache could not be written to", "directory", c.directory, "error", err)
}
