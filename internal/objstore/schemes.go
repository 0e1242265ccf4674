package objstore

import (
	"strings"

	"github.com/tarnlake/tarn/internal/sqlerr"
)

// Schemes is a Locator that asks others by the scheme of the URL: "s3" for s3://…; paths and file://
// URLs go to Local.
type Schemes struct {
	Local  Locator
	Remote map[string]Locator
}

// Locate implements Locator.
func (s Schemes) Locate(location string) (Store, string, error) {
	scheme, _, found := strings.Cut(location, "://")
	if !found || strings.EqualFold(scheme, "file") || strings.ContainsRune(scheme, '/') {
		return s.Local.Locate(location)
	}
	if remote := s.Remote[strings.ToLower(scheme)]; remote != nil {
		return remote.Locate(location)
	}
	return nil, "", sqlerr.New(sqlerr.FeatureNotSupported, "storage %q is not supported: %q", scheme+"://", location).
		WithHint("Use an s3:// or file:// URL or a local path.")
}

// Canonical gives the one spelling of a location by which locations are compared: s3a:// and s3n://
// are s3://, file:// URLs and relative paths are absolute paths, and no slash is at the end.
func Canonical(location string) string {
	scheme, rest, found := strings.Cut(location, "://")
	switch scheme = strings.ToLower(scheme); {
	case location == "":
		return ""
	case found && (scheme == "s3a" || scheme == "s3n"):
		scheme = "s3"
	case !found || scheme == "file":
		if local, err := LocalPath(location); err == nil && !IsPattern(location) {
			return strings.TrimRight(local, "/")
		}
	}
	if !found {
		return strings.TrimRight(location, "/")
	}
	return scheme + "://" + strings.TrimRight(rest, "/")
}

// IsRemote tells whether a location is not on a local file system.
func IsRemote(location string) bool {
	scheme, _, found := strings.Cut(location, "://")
	return found && !strings.EqualFold(scheme, "file")
}
