package files

import (
	"context"

	"github.com/tarnlake/tarn/internal/format/orc"
	"github.com/tarnlake/tarn/internal/objstore"
	"github.com/tarnlake/tarn/internal/objstore/metadata"
	"github.com/tarnlake/tarn/internal/vec"
)

// orc opens a file's footer, from the cache if it is there.
func (o *Opener) orc(ctx context.Context, store objstore.Store, object objstore.Object) (*orc.File, error) {
	return footerOf(ctx, o, metadata.ORCFooter, store, object, orc.OpenObject)
}

func (o *Opener) openORC(ctx context.Context, r Request, constants *constants) (vec.Source, error) {
	f, err := o.orc(ctx, r.Store, r.Object)
	if err != nil {
		return nil, err
	}
	options := orc.ReadOptions{Share: r.Piece.Share, Metadata: o.metadata, Pool: r.Pool, Counters: counters(r.Stats)}
	positional := f.Positional()
	fields, err := r.fields(func(c Column) int {
		if at := f.Lookup(c.Name); at >= 0 || !positional || c.Position >= len(f.Schema()) {
			return at
		}
		return c.Position
	})
	if err != nil {
		return nil, err
	}
	for i, c := range r.Columns {
		options.Columns = append(options.Columns, orc.ColumnRequest{Field: fields[i], Type: c.Type, Subfields: c.Subfields})
	}
	options.Domains = domainSource(r, constants)
	options.Filter = constants.filter(r.Filter)
	return f.Reader(options)
}
