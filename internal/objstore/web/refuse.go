package web

import (
	"context"

	"github.com/tarnlake/tarn/internal/objstore"
	"github.com/tarnlake/tarn/internal/sqlerr"
)

func (s *Store) refuse(what string) error {
	return sqlerr.New(sqlerr.FeatureNotSupported, "web servers cannot be asked to %s: %q", what, s.origin)
}

// ListPage implements objstore.Store.
func (s *Store) ListPage(context.Context, objstore.ListRequest) (objstore.Page, error) {
	return objstore.Page{}, sqlerr.New(sqlerr.FeatureNotSupported, "web servers do not list their files: %q", s.origin).
		WithHint("Name the file, or several in an array.")
}

// Put implements objstore.Store.
func (s *Store) Put(context.Context, string, []byte) (objstore.Object, error) {
	return objstore.Object{}, s.refuse("store files")
}

// PutIfAbsent implements objstore.Store.
func (s *Store) PutIfAbsent(context.Context, string, []byte) (objstore.Object, error) {
	return objstore.Object{}, s.refuse("store files")
}

// PutIfMatch implements objstore.Store.
func (s *Store) PutIfMatch(context.Context, string, []byte, string) (objstore.Object, error) {
	return objstore.Object{}, s.refuse("store files")
}

// DeleteMany implements objstore.Store.
func (s *Store) DeleteMany(context.Context, string, []string) error {
	return s.refuse("remove files")
}

// Create implements objstore.Store.
func (s *Store) Create(context.Context, string) (objstore.Writer, error) {
	return nil, s.refuse("store files")
}
