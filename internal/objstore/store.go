package objstore

import (
	"context"
	"errors"
	"time"
)

// ErrPrecondition is wrapped by errors of conditional puts and of reads of a version that is gone.
var ErrPrecondition = errors.New("precondition failed")

// ChangedHint is the hint of a file that is no longer the version that was asked for.
const ChangedHint = "Run the statement again. If the file belongs to an external table, run SYNC TABLE first."

// Object describes a stored object.
type Object struct {
	Path     string
	Size     int64
	ETag     string // changes whenever the content does
	Modified time.Time
}

// Range is a span of bytes of an object.
type Range struct{ Offset, Length int64 }

// ListRequest selects a page of keys.
type ListRequest struct {
	Prefix     string // of the key, not of a path segment
	Delimiter  string // "" or "/": with it, keys below the next "/" appear once, in Page.Prefixes
	StartAfter string // only keys (and prefixes) greater than this
	Limit      int    // most objects and prefixes to give; 0 is 1000
}

// Page is a part of a listing, in byte order of keys.
type Page struct {
	Objects  []Object
	Prefixes []string
	Next     string // StartAfter of the next page; "" at the end
}

// Store reads and writes objects. It is safe for concurrent use. Calls block on I/O and return soon
// after ctx is done.
type Store interface {
	// ReadRanges fills buffers[i], of ranges[i].Length bytes, for each i. etag, if not "", must be
	// the object's present one. Neighbouring ranges may be read together. A range beyond the end is
	// an error.
	ReadRanges(ctx context.Context, path, etag string, ranges []Range, buffers [][]byte) error
	Stat(ctx context.Context, path string) (Object, error)
	ListPage(ctx context.Context, request ListRequest) (Page, error)
	// Put stores data under path, replacing what was there.
	Put(ctx context.Context, path string, data []byte) (Object, error)
	// PutIfAbsent fails with ErrPrecondition if path exists; of several callers one wins.
	PutIfAbsent(ctx context.Context, path string, data []byte) (Object, error)
	// PutIfMatch fails with ErrPrecondition unless path exists with this etag.
	PutIfMatch(ctx context.Context, path string, data []byte, etag string) (Object, error)
	// DeleteMany removes objects; missing ones are not an error. Where there are directories, those
	// that become empty are removed too, as far as they lie below the one given ("" is the root).
	DeleteMany(ctx context.Context, below string, paths []string) error
	// Create starts a new object, invisible until Commit. The Writer must be committed or aborted.
	Create(ctx context.Context, path string) (Writer, error)
}

// Shown gives the name of an object as users write it: a URL where the store has them, else its path.
func Shown(store Store, path string) string {
	if s, ok := store.(interface{ Shown(path string) string }); ok {
		return s.Shown(path)
	}
	return path
}

// Writer streams one object. It is used by one goroutine at a time.
type Writer interface {
	Write(p []byte) (int, error)
	// Commit makes the object durable and visible, replacing what was there. After an error nothing
	// of it stays.
	Commit(ctx context.Context) (Object, error)
	// Abort discards what was written. After Commit or Abort it does nothing.
	Abort() error
}

// Walk calls visit for every object whose key starts with prefix, in key order.
func Walk(ctx context.Context, store Store, prefix string, visit func(Object) error) error {
	request := ListRequest{Prefix: prefix}
	for {
		page, err := store.ListPage(ctx, request)
		if err != nil {
			return err
		}
		for _, object := range page.Objects {
			if err := visit(object); err != nil {
				return err
			}
		}
		if page.Next == "" {
			return nil
		}
		request.StartAfter = page.Next
	}
}
