package objstore

import (
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/tarnlake/tarn/internal/sqlerr"
)

// Locator finds the store that holds a location as users write it, and the key there. A key may
// hold wildcards, and it ends in "/" when the location does; that of a store's root is "".
type Locator interface {
	Locate(location string) (store Store, key string, err error)
}

// Below gives the key of a path below the location whose key is given.
func Below(key, path string) string {
	if key != "" && !strings.HasSuffix(key, "/") {
		key += "/"
	}
	return key + path
}

// LocalLocator serves file:// URLs and local paths below its roots.
type LocalLocator struct {
	roots []*Local
}

// NewLocalLocator allows paths below the roots, which must exist; "/" allows all.
func NewLocalLocator(roots ...string) (*LocalLocator, error) {
	l := &LocalLocator{}
	for _, root := range roots {
		store, err := OpenLocal(root, Options{})
		if err != nil {
			return nil, err
		}
		l.roots = append(l.roots, store)
	}
	return l, nil
}

// NewStoreLocator serves the stores given.
func NewStoreLocator(stores ...*Local) *LocalLocator { return &LocalLocator{slices.Clone(stores)} }

// Locate implements Locator.
func (l *LocalLocator) Locate(location string) (Store, string, error) {
	file, err := LocalPath(location)
	if err != nil {
		return nil, "", err
	}
	for _, store := range l.roots {
		prefix := strings.TrimSuffix(filepath.ToSlash(store.root), "/") + "/"
		if key, below := strings.CutPrefix(file, prefix); below {
			return store, key, nil
		}
		if file+"/" == prefix {
			return store, "", nil
		}
	}
	return nil, "", sqlerr.New(sqlerr.InsufficientPrivilege, "local path %q is not allowed", location).
		WithHint("Files are read only below the directories of storage.allowed_local_roots.")
}

// LocalPath gives the absolute path that a file:// URL or a path stands for, with slashes.
func LocalPath(location string) (string, error) {
	file := location
	if scheme, rest, found := strings.Cut(location, "://"); found {
		if scheme != "file" {
			return "", sqlerr.New(sqlerr.FeatureNotSupported, "storage %q is not supported: %q", scheme+"://", location).
				WithHint("Use a local path or a file:// URL.")
		}
		if !strings.HasPrefix(rest, "/") {
			return "", sqlerr.New(sqlerr.InvalidParameterValue, "URL %q names a host", location).WithHint("Write file:///path.")
		}
		file = rest // taken as it is: Hive's partition directories hold %XX themselves
	}
	if file == "" || strings.ContainsRune(file, 0) {
		return "", sqlerr.New(sqlerr.InvalidParameterValue, "invalid file path %q", location)
	}
	directory := strings.HasSuffix(file, "/")
	if !path.IsAbs(file) {
		absolute, err := filepath.Abs(file)
		if err != nil {
			return "", fileError(err, "resolve", location)
		}
		file = filepath.ToSlash(absolute)
	}
	file = path.Clean(file)
	if directory && file != "/" {
		file += "/"
	}
	return file, nil
}
