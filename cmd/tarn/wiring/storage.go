package wiring

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"github.com/tarnlake/tarn/internal/config"
	"github.com/tarnlake/tarn/internal/objstore"
	"github.com/tarnlake/tarn/internal/objstore/diskcache"
	"github.com/tarnlake/tarn/internal/objstore/s3"
	"github.com/tarnlake/tarn/internal/objstore/web"
	"github.com/tarnlake/tarn/internal/sqlerr"
)

// warehouse is where tables go that name no location.
func (s *System) warehouse(c *config.Config) string {
	if c.Storage.Warehouse == "" {
		return filepath.Join(s.Data, "warehouse")
	}
	return objstore.Canonical(c.Storage.Warehouse)
}

// stores finds the storage of locations: local ones below the roots, and buckets.
func (s *System) stores(options Options) (objstore.Locator, error) {
	if options.Stores != nil {
		return options.Stores, nil
	}
	c := options.Config
	roots := append([]string{s.Data}, c.Storage.AllowedLocalRoots...)
	if options.AnyPath {
		roots = append(roots, "/")
	}
	if warehouse := s.warehouse(c); !objstore.IsRemote(warehouse) {
		if err := os.MkdirAll(warehouse, 0o755); err != nil {
			return nil, err
		}
		roots = append(roots, warehouse)
	}
	local, err := objstore.NewLocalLocator(roots...)
	if err != nil {
		return nil, err
	}
	s.buckets = s3.NewBuckets(c.Storage.S3.MaxConnections, func(name string) s3.Options { return bucketOptions(c.Storage, name) })
	located := objstore.Schemes{Local: local, Remote: map[string]objstore.Locator{}}
	remote, err := s.cached(c, s.buckets, options.Log)
	if err != nil {
		return nil, err
	}
	for _, scheme := range s3.Schemes() {
		located.Remote[scheme] = remote
	}
	h := c.Storage.HTTP
	servers := web.NewServers(web.Options{Disabled: !h.Enabled, AllowedHosts: h.AllowedHosts, AllowPrivate: h.AllowPrivate || options.AnyPath,
		AllowLinkLocal: h.AllowLinkLocal, MaxDownload: int64(h.MaxDownload), Timeout: time.Duration(h.RequestTimeout)})
	for _, scheme := range web.Schemes() {
		located.Remote[scheme] = servers
	}
	return located, nil
}

// cached puts the cache on the local disk before buckets, if there is one.
func (s *System) cached(c *config.Config, buckets *s3.Buckets, log *slog.Logger) (objstore.Locator, error) {
	if c.Cache.Size == 0 {
		return buckets, nil
	}
	directory := c.Cache.Path
	if directory == "" {
		directory = filepath.Join(s.Data, "cache")
	}
	var err error
	if s.disk, err = diskcache.Open(diskcache.Options{Directory: directory, Size: int64(c.Cache.Size), Log: log}); err != nil {
		return nil, sqlerr.New(sqlerr.ConfigFileError, "the disk cache cannot be opened: %v", err).WithHint("Set cache.path to a directory that the server may write, or cache.size to 0.")
	}
	return &diskcache.Locator{Inner: buckets, Cache: s.disk, Name: func(store objstore.Store) string {
		bucket := store.(*s3.Store).Bucket()
		reached, _ := c.Storage.OfBucket(bucket)
		return reached.Endpoint + "/" + bucket
	}}, nil
}

// ProbeWarehouse writes, reads, lists and removes an object below a warehouse in a bucket.
func ProbeWarehouse(ctx context.Context, c *config.Config) error {
	buckets := s3.NewBuckets(1, func(name string) s3.Options {
		o := bucketOptions(c.Storage, name)
		o.MaxAttempts = 3
		return o
	})
	store, key, err := buckets.Locate(objstore.Canonical(c.Storage.Warehouse))
	if err != nil {
		return err
	}
	name := objstore.Below(key, fmt.Sprintf(".tarn-doctor-%x", time.Now().UnixNano()))
	if _, err := store.Put(ctx, name, []byte("probe")); err != nil {
		return err
	}
	_, listed := store.ListPage(ctx, objstore.ListRequest{Prefix: name, Limit: 1})
	read := store.ReadRanges(ctx, name, "", []objstore.Range{{Length: 5}}, [][]byte{make([]byte, 5)})
	return errors.Join(listed, read, store.DeleteMany(ctx, key, []string{name}))
}

func bucketOptions(c config.Storage, name string) s3.Options {
	b, section := c.OfBucket(name)
	return s3.Options{Endpoint: b.Endpoint, Region: b.Region, PathStyle: b.PathStyle, Anonymous: b.Anonymous,
		AccessKey: b.AccessKeyID, SecretKey: b.SecretAccessKey, SessionToken: b.SessionToken, Profile: b.Profile, Where: section,
		MaxConnections: b.MaxConnections, RequestTimeout: time.Duration(b.RequestTimeout), MaxAttempts: b.MaxAttempts, PartSize: int(b.PartSize)}
}

// StorageUsage gives the requests to each bucket since the process started.
func (s *System) StorageUsage() map[string]objstore.Usage {
	out := map[string]objstore.Usage{}
	if s.buckets == nil {
		return out
	}
	for _, store := range s.buckets.Used() {
		out[store.Bucket()] = store.Usage()
	}
	return out
}

// Caches gives what the caches of files have done since the process started.
func (s *System) Caches() []objstore.CacheStats {
	out := []objstore.CacheStats{s.metadata.Stats()}
	if s.disk != nil {
		out = append(out, s.disk.Stats())
	}
	return out
}
