package catalog

import (
	"fmt"
	"os"
	"strings"
	"syscall"

	"github.com/tarnlake/tarn/internal/sqlerr"
)

// guard keeps a second process off an embedded catalog. The lock belongs to the open file, so it
// ends with the process however that ends.
type guard struct{ file *os.File }

func lockFile(path string) (*guard, error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, sqlerr.Wrap(err, sqlerr.IOError, "could not open the catalog's lock file")
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		holder := make([]byte, 64)
		n, _ := f.ReadAt(holder, 0)
		f.Close()
		return nil, sqlerr.New(sqlerr.ObjectInUse, "the catalog is in use by another server%s", processNote(string(holder[:n]))).
			WithDetail("It holds the lock on %s.", path).
			WithHint("Stop that server or start this one with another data directory; to share a catalog between servers, set catalog.url to a PostgreSQL database.")
	}
	if err := f.Truncate(0); err == nil {
		fmt.Fprintf(f, "%d\n", os.Getpid())
	}
	return &guard{f}, nil
}

func processNote(holder string) string {
	if pid := strings.TrimSpace(holder); pid != "" {
		return " (process " + pid + ")"
	}
	return ""
}

func (g *guard) release() {
	if g != nil {
		g.file.Close()
	}
}
