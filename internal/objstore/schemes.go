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
