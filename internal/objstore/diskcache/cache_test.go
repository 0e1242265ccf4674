package diskcache

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/tarnlake/tarn/internal/objstore"
	"github.com/tarnlake/tarn/internal/objstore/objtest"
)

// counted is a store that counts what is read of it.
type counted struct {
	objstore.Store
	reads, bytes atomic.Int64
}

func (c *counted) ReadRanges(ctx context.Context, path, etag string, ranges []objstore.Range, buffers [][]byte) error {
	c.reads.Add(1)
	for _, r := range ranges {
		c.bytes.Add(r.Length)
	}
	return c.Store.ReadRanges(ctx, path, etag, ranges, buffers)
}

type site struct {
	*testing.T
	far       *counted
	near      objstore.Store
	cache     *Cache
	directory string
	content   []byte
	object    objstore.Object
}

func open(t *testing.T, directory string, size int64, failWrite func() error) *Cache {
	t.Helper()
	c, err := Open(Options{Directory: directory, Size: size, FailWrite: failWrite})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

// newSite has an object of n random bytes in a store with an empty cache before it.
func newSite(t *testing.T, n int, size int64, failWrite func() error) *site {
	t.Helper()
	local, err := objstore.OpenLocal(t.TempDir(), objstore.Options{})
	if err != nil {
		t.Fatal(err)
	}
	s := &site{T: t, far: &counted{Store: local}, directory: t.TempDir(), content: make([]byte, n)}
	_, _ = rand.NewChaCha8([32]byte{3}).Read(s.content)
	if s.object, err = local.Put(t.Context(), "a/b", s.content); err != nil {
		t.Fatal(err)
	}
	s.cache = open(t, s.directory, size, failWrite)
	s.near = &store{s.far, s.cache, "far"}
	return s
}

// reopen is what a restart of the process does.
func (s *site) reopen(size int64) {
	s.Helper()
	if err := s.cache.Close(); err != nil {
		s.Fatal(err)
	}
	s.cache = open(s.T, s.directory, size, nil)
	s.near = &store{s.far, s.cache, "far"}
}

func (s *site) read(ranges ...objstore.Range) {
	s.Helper()
	buffers := make([][]byte, len(ranges))
	for i, r := range ranges {
		buffers[i] = make([]byte, r.Length)
	}
	if err := s.near.ReadRanges(s.Context(), s.object.Path, s.object.ETag, ranges, buffers); err != nil {
		s.Fatal(err)
	}
	for i, r := range ranges {
		if !bytes.Equal(buffers[i], s.content[r.Offset:r.Offset+r.Length]) {
			s.Fatalf("wrong bytes at %d", r.Offset)
		}
	}
}

// fetched reads and gives the bytes that came from the store.
func (s *site) fetched(ranges ...objstore.Range) int64 {
	s.Helper()
	before := s.far.bytes.Load()
	s.read(ranges...)
	s.settle()
	return s.far.bytes.Load() - before
}

// settle waits until everything accepted is written.
func (s *site) settle() {
	s.Helper()
	for range 1000 {
		s.cache.mu.Lock()
		pending := s.cache.pending
		s.cache.mu.Unlock()
		if pending == 0 {
			return
		}
		time.Sleep(5 * time.Millisecond)
	}
	s.Fatal("extents are not written")
}

func (s *site) files() (names []string, size int64) {
	s.Helper()
	_ = filepath.Walk(s.directory, func(path string, info os.FileInfo, err error) error {
		if err == nil && !info.IsDir() && info.Name() != "lock" {
			names, size = append(names, path), size+info.Size()
		}
		return nil
	})
	return names, size
}

func TestCachedStoreIsAStore(t *testing.T) {
	local, err := objstore.OpenLocal(t.TempDir(), objstore.Options{})
	if err != nil {
		t.Fatal(err)
	}
	objtest.Run(t, &store{local, open(t, t.TempDir(), 1<<30, nil), "s"})
}

func TestReadsComeFromTheDisk(t *testing.T) {
	s := newSite(t, 20<<20, 1<<30, nil)
	var counters objstore.Counters
	if n := s.fetched(objstore.Range{Offset: 5000, Length: 9 << 20}); n != 9<<20 {
		t.Errorf("cold: %d", n)
	}
	if n := s.fetched(objstore.Range{Offset: 5000, Length: 9 << 20}, objstore.Range{Offset: 70_000, Length: 100_000}); n != 0 {
		t.Errorf("warm: %d", n)
	}
	if n := s.fetched(objstore.Range{Offset: 0, Length: 9000}); n != 5000 {
		t.Errorf("a part in front: %d", n)
	}
	if n := s.fetched(objstore.Range{Offset: 12 << 20, Length: 1 << 20}, objstore.Range{Offset: 8 << 20, Length: 8 << 20}); n > 10<<20 {
		t.Errorf("gaps: %d", n)
	}
	s.fetched(objstore.Range{Length: 16 << 20}) // what overlapped in one call was not kept
	s.reopen(1 << 30)
	ctx := objstore.WithCounters(t.Context(), &counters)
	before := s.far.bytes.Load()
	buffer := make([]byte, 16<<20)
	if err := s.near.ReadRanges(ctx, s.object.Path, s.object.ETag, []objstore.Range{{Length: 16 << 20}}, [][]byte{buffer}); err != nil || !bytes.Equal(buffer, s.content[:16<<20]) {
		t.Fatal(err)
	}
	if n := s.far.bytes.Load() - before; n != 0 {
		t.Errorf("after a restart: %d", n)
	}
	if u := counters.Usage(); u.CacheHits != 1 || u.CacheBytesRead != 16<<20 || u.CacheMisses != 0 {
		t.Errorf("%+v", u)
	}
	if got := s.cache.Stats(); got.Failures != 0 || got.Skipped != 0 || got.Bytes < 16<<20 {
		t.Errorf("%+v", got)
	}
}

func TestChangedObjectIsReadAnew(t *testing.T) {
	s := newSite(t, 1<<20, 1<<30, nil)
	all := objstore.Range{Length: 1 << 20}
	s.fetched(all)
	old := s.object
	s.content = append([]byte(nil), s.content...)
	s.content[5]++
	var err error
	if s.object, err = s.far.Put(t.Context(), "a/b", s.content); err != nil {
		t.Fatal(err)
	}
	if n := s.fetched(all); n != 1<<20 {
		t.Errorf("%d bytes of the new version", n)
	}
	if err := s.near.ReadRanges(t.Context(), "a/b", old.ETag, []objstore.Range{{Length: 10}}, [][]byte{make([]byte, 10)}); err != nil {
		t.Error("the version that was asked for is kept:", err)
	}
	if n := s.fetched(all); n != 0 {
		t.Errorf("%d", n)
	}
}

// TestDamagedFilesAreReadAgain: every kind of damage is noticed, and mended by reading the store.
func TestDamagedFilesAreReadAgain(t *testing.T) {
	for name, damage := range map[string]func(data []byte) []byte{
		"flipped data":   func(d []byte) []byte { d[len(d)-70_000] ^= 1; return d },
		"last byte":      func(d []byte) []byte { d[len(d)-1] ^= 0x80; return d },
		"flipped header": func(d []byte) []byte { d[30] ^= 1; return d },
		"checksum":       func(d []byte) []byte { d[60] ^= 1; return d },
		"cut":            func(d []byte) []byte { return d[:len(d)/2] },
		"empty":          func([]byte) []byte { return nil },
		"zeroes":         func(d []byte) []byte { return make([]byte, len(d)) },
		"another file's": func(d []byte) []byte { return append(d[:40:40], bytes.Repeat([]byte{7}, len(d)-40)...) },
	} {
		t.Run(name, func(t *testing.T) {
			for _, restart := range []bool{false, true} {
				s := newSite(t, 300_000, 1<<30, nil)
				all := objstore.Range{Length: 300_000}
				s.fetched(all)
				files, _ := s.files()
				if len(files) != 1 {
					t.Fatal(files)
				}
				data, err := os.ReadFile(files[0])
				if err != nil {
					t.Fatal(err)
				}
				if err := os.WriteFile(files[0], damage(data), 0o600); err != nil {
					t.Fatal(err)
				}
				if restart {
					s.reopen(1 << 30)
				}
				if n := s.fetched(all); n != 300_000 {
					t.Errorf("%d bytes were read again", n)
				}
				if n := s.fetched(all); n != 0 {
					t.Errorf("%d bytes were read again after mending", n)
				}
			}
		})
	}
}

// TestBoundOfTheDisk: what lies on the disk stays within the bound.
func TestBoundOfTheDisk(t *testing.T) {
	const size = 2 << 20
	s := newSite(t, 16<<20, size, nil)
	for i := range 64 {
		s.fetched(objstore.Range{Offset: int64(i) << 18, Length: 1 << 18})
		if _, used := s.files(); used > size {
			t.Fatalf("%d bytes on the disk", used)
		}
	}
	if got := s.cache.Stats(); got.Evictions < 50 || got.Bytes > size || got.Entries < 4 {
		t.Errorf("%+v", got)
	}
	s.reopen(size / 4)
	if _, used := s.files(); used > size/4 {
		t.Errorf("%d bytes after a restart with a smaller bound", used)
	}
	tiny := newSite(t, 1<<20, 1000, nil)
	if n := tiny.fetched(objstore.Range{Length: 1 << 20}); n != 1<<20 {
		t.Error(n)
	}
	if files, _ := tiny.files(); len(files) > 0 {
		t.Errorf("%q", files)
	}
}

// TestScansPassThrough: what is read often survives a long scan.
func TestScansPassThrough(t *testing.T) {
	s := newSite(t, 32<<20, 4<<20, nil)
	often := objstore.Range{Offset: 0, Length: 1 << 20}
	s.fetched(often)
	s.fetched(often)
	for at := int64(1 << 20); at < 32<<20; at += 1 << 18 {
		s.fetched(objstore.Range{Offset: at, Length: 1 << 18})
	}
	if n := s.fetched(often); n != 0 {
		t.Errorf("%d bytes of it were pushed out", n)
	}
}

// TestFullDisk: a disk without room costs nothing but the cache.
func TestFullDisk(t *testing.T) {
	var full atomic.Bool
	s := newSite(t, 4<<20, 1<<30, func() error {
		if full.Load() {
			return &os.PathError{Op: "write", Path: "x", Err: syscall.ENOSPC}
		}
		return nil
	})
	for i := range int64(10) {
		s.fetched(objstore.Range{Offset: i << 17, Length: 1 << 17})
	}
	full.Store(true)
	held := s.cache.Stats().Bytes
	s.read(objstore.Range{Length: 4 << 20})
	s.settle()
	if got := s.cache.Stats(); got.Failures != 1 || got.Bytes >= held || got.Bytes == 0 {
		t.Errorf("%+v, had %d", got, held)
	}
	s.read(objstore.Range{Length: 4 << 20})
	s.settle()
	if got := s.cache.Stats(); got.Failures != 1 || got.Skipped == 0 {
		t.Errorf("it does not rest: %+v", got)
	}
	full.Store(false)
	s.cache.mu.Lock()
	s.cache.resting = time.Time{}
	s.cache.mu.Unlock()
	s.fetched(objstore.Range{Length: 4 << 20})
	if n := s.fetched(objstore.Range{Length: 4 << 20}); n != 0 {
		t.Errorf("%d bytes are not kept after there is room again", n)
	}
}

// TestDirectoryGoesAway: somebody removes the files of a running cache.
func TestDirectoryGoesAway(t *testing.T) {
	s := newSite(t, 1<<20, 1<<30, nil)
	all := objstore.Range{Length: 1 << 20}
	s.fetched(all)
	if err := os.RemoveAll(s.directory); err != nil {
		t.Fatal(err)
	}
	if n := s.fetched(all); n != 1<<20 {
		t.Error(n)
	}
	s.read(all)
}

// TestProcessesKeepApart: two caches of one directory do not see each other's files.
func TestProcessesKeepApart(t *testing.T) {
	s := newSite(t, 1<<20, 1<<30, nil)
	all := objstore.Range{Length: 1 << 20}
	s.fetched(all)
	second := open(t, s.directory, 1<<30, nil)
	if second.directory == s.cache.directory {
		t.Fatal("one directory for both")
	}
	first := s.cache
	s.cache, s.near = second, &store{s.far, second, "far"}
	if n := s.fetched(all); n != 1<<20 {
		t.Error(n)
	}
	s.cache, s.near = first, &store{s.far, first, "far"}
	if n := s.fetched(all); n != 0 {
		t.Error(n)
	}
}

// TestOverlapsOnTheirWay: of a range of which a part is still being written, the rest is kept.
func TestOverlapsOnTheirWay(t *testing.T) {
	gate := make(chan struct{})
	s := newSite(t, 1<<20, 16<<20, func() error { <-gate; return nil })
	all := objstore.Range{Length: 100_000}
	s.read(all)
	s.read(objstore.Range{Offset: 200, Length: 99_800})
	s.read(objstore.Range{Offset: 50_000, Length: 150_000})
	close(gate)
	s.settle()
	for _, r := range []objstore.Range{all, {Offset: 50_000, Length: 150_000}} {
		if n := s.fetched(r); n != 0 {
			t.Errorf("%d bytes of %+v were fetched again", n, r)
		}
	}
	if got := s.cache.Stats(); got.Entries != 2 || got.Skipped != 0 {
		t.Errorf("%+v", got)
	}
}

// TestManyReaders: readers of overlapping ranges, evictions and damage at once give right bytes.
func TestManyReaders(t *testing.T) {
	s := newSite(t, 8<<20, 3<<20, nil)
	var wait sync.WaitGroup
	stop := make(chan struct{})
	for n := range 8 {
		wait.Go(func() {
			random := rand.New(rand.NewPCG(uint64(n), 1))
			for range 150 {
				offset := random.Int64N(8<<20 - 1)
				length := 1 + random.Int64N(min(1<<20, 8<<20-offset))
				buffer := make([]byte, length)
				if err := s.near.ReadRanges(t.Context(), s.object.Path, s.object.ETag, []objstore.Range{{Offset: offset, Length: length}}, [][]byte{buffer}); err != nil {
					t.Error(err)
				} else if !bytes.Equal(buffer, s.content[offset:offset+length]) {
					t.Errorf("wrong bytes at %d", offset)
				}
			}
		})
	}
	var damage sync.WaitGroup
	damage.Go(func() {
		random := rand.New(rand.NewPCG(9, 9))
		for {
			select {
			case <-stop:
				return
			case <-time.After(5 * time.Millisecond):
			}
			if files, _ := s.files(); len(files) > 0 {
				if f, err := os.OpenFile(files[random.IntN(len(files))], os.O_WRONLY, 0); err == nil {
					_, _ = f.WriteAt([]byte{byte(random.Int())}, random.Int64N(100_000))
					f.Close()
				}
			}
		}
	})
	wait.Wait()
	close(stop)
	damage.Wait()
	s.settle()
	if got := s.cache.Stats(); got.Bytes > 3<<20 {
		t.Errorf("%+v", got)
	}
}

// TestKilled: a process that is killed while it writes leaves a cache that gives right bytes and no
// rubbish.
func TestKilled(t *testing.T) {
	const variable = "TARN_TEST_DISKCACHE"
	if setting := os.Getenv(variable); setting != "" {
		directory, root, _ := strings.Cut(setting, "|")
		local, err := objstore.OpenLocal(root, objstore.Options{})
		if err != nil {
			t.Fatal(err)
		}
		object, err := local.Stat(t.Context(), "a/b")
		if err != nil {
			t.Fatal(err)
		}
		near := &store{local, open(t, directory, 6<<20, nil), "far"}
		buffer := make([]byte, 1<<18)
		for i := int64(0); ; i++ { // until it is killed
			r := objstore.Range{Offset: i * 37_777 % (8<<20 - 1<<18), Length: 1 << 18}
			if err := near.ReadRanges(t.Context(), "a/b", object.ETag, []objstore.Range{r}, [][]byte{buffer}); err != nil {
				t.Fatal(err)
			}
		}
	}
	s := newSite(t, 8<<20, 6<<20, nil)
	root := s.far.Store.(*objstore.Local).Root()
	for round := range 12 {
		if err := s.cache.Close(); err != nil {
			t.Fatal(err)
		}
		command := exec.Command(os.Args[0], "-test.run", "^TestKilled$")
		command.Env = append(os.Environ(), fmt.Sprintf("%s=%s|%s", variable, s.directory, root))
		if err := command.Start(); err != nil {
			t.Fatal(err)
		}
		before, _ := s.files()
		for end := time.Now().Add(30 * time.Second); ; time.Sleep(time.Millisecond) {
			if now, _ := s.files(); !slices.Equal(now, before) {
				break
			}
			if time.Now().After(end) {
				t.Fatal("the process writes nothing")
			}
		}
		time.Sleep(time.Duration(17*round) * time.Millisecond) // it is in the middle of something else each time
		_ = command.Process.Kill()
		_ = command.Wait()
		s.cache = open(t, s.directory, 6<<20, nil)
		s.near = &store{s.far, s.cache, "far"}
		files, used := s.files()
		for _, file := range files {
			if strings.Contains(file, temporaryMark) {
				t.Errorf("left: %s", file)
			}
		}
		if used > 6<<20 {
			t.Errorf("%d bytes", used)
		}
		for at := int64(0); at < 8<<20; at += 1 << 20 {
			s.read(objstore.Range{Offset: at, Length: 1 << 20})
		}
		s.settle()
		if got := s.cache.Stats(); got.Failures > 0 {
			t.Errorf("a killed process, unlike a crashed machine, leaves no damage: %+v", got)
		}
	}
}
