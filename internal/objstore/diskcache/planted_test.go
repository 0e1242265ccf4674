package diskcache

import (
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/tarnlake/tarn/internal/objstore"
)

// Whatever lies in the place of a file of the cache: it is not waited for, nor followed, and the store is
// read instead.
func TestPlantedFiles(t *testing.T) {
	for name, plant := range map[string]func(path string) error{
		"pipe":      func(path string) error { return syscall.Mkfifo(path, 0o600) },
		"directory": func(path string) error { return os.Mkdir(path, 0o700) },
		"device":    func(path string) error { return os.Symlink("/dev/zero", path) },
	} {
		s := newSite(t, 1<<20, 16<<20, nil)
		all := objstore.Range{Offset: 0, Length: 1 << 20}
		s.read(all)
		s.settle()
		files, _ := s.files()
		if len(files) == 0 {
			t.Fatal("nothing is kept")
		}
		for _, file := range files {
			if !filepath.IsAbs(file) {
				file = filepath.Join(s.cache.directory, file)
			}
			if err := os.Remove(file); err != nil {
				t.Fatal(err)
			}
			if err := plant(file); err != nil {
				t.Fatal(err)
			}
		}
		done := make(chan struct{})
		go func() {
			defer close(done)
			s.read(all)
		}()
		select {
		case <-done:
		case <-time.After(10 * time.Second):
			t.Fatalf("a %s is waited for", name)
		}
	}
}
