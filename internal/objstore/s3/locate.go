package s3

import (
	"net/http"
	"slices"
	"strings"
	"sync"

	"github.com/tarnlake/tarn/internal/objstore"
	"github.com/tarnlake/tarn/internal/sqlerr"
)

// Buckets makes stores as locations name their buckets. It implements objstore.Locator for s3://
// URLs and their spellings s3a:// and s3n://.
type Buckets struct {
	options   func(bucket string) Options
	transport http.RoundTripper

	mu     sync.Mutex
	stores map[string]*Store
}

// Schemes lists the schemes of URLs that Buckets serve.
func Schemes() []string { return []string{"s3", "s3a", "s3n"} }

// NewBuckets makes a locator; options gives those of a bucket, connections bounds those to one host.
func NewBuckets(connections int, options func(bucket string) Options) *Buckets {
	return &Buckets{options: options, transport: newTransport(Options{MaxConnections: connections}.withDefaults().MaxConnections),
		stores: map[string]*Store{}}
}

// Locate implements objstore.Locator. Keys are taken as they are, %XX and empty segments included.
func (b *Buckets) Locate(location string) (objstore.Store, string, error) {
	scheme, rest, found := strings.Cut(location, "://")
	if !found || !slices.Contains(Schemes(), strings.ToLower(scheme)) {
		return nil, "", sqlerr.New(sqlerr.InvalidParameterValue, "%q is not an s3:// URL", location)
	}
	bucket, key, _ := strings.Cut(rest, "/")
	if bucket == "" || strings.ContainsAny(bucket, "*?[]{}@: ") || strings.ContainsRune(location, 0) {
		return nil, "", sqlerr.New(sqlerr.InvalidParameterValue, "URL %q names no bucket", location).WithHint("Write s3://bucket/key.")
	}
	return b.Store(bucket), key, nil
}

// Store gives the store of a bucket, always the same one.
func (b *Buckets) Store(bucket string) *Store {
	b.mu.Lock()
	defer b.mu.Unlock()
	s := b.stores[bucket]
	if s == nil {
		s = newStore(bucket, b.options(bucket), b.transport)
		b.stores[bucket] = s
	}
	return s
}

// Used lists the stores that have been located.
func (b *Buckets) Used() []*Store {
	b.mu.Lock()
	defer b.mu.Unlock()
	out := make([]*Store, 0, len(b.stores))
	for _, s := range b.stores {
		out = append(out, s)
	}
	slices.SortFunc(out, func(a, b *Store) int { return strings.Compare(a.bucket, b.bucket) })
	return out
}
