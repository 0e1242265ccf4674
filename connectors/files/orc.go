package files

import (
	"context"

	"github.com/tarnlake/tarn/internal/format/orc"
	"github.com/tarnlake/tarn/internal/objstore"
	"github.com/tarnlake/tarn/internal/sqlerr"
	"github.com/tarnlake/tarn/internal/vec"
)

// ORC opens a file's footer, from the cache if it is there.
func (o *Opener) ORC(ctx context.Context, store objstore.Store, object objstore.Object) (*orc.File, error) {
	return footerOf(ctx, store, object, &o.orcFooters, &o.orcFlights, orc.OpenObject)
}

func (o *Opener) openORC(ctx context.Context, r Request, constants *constants) (vec.Source, error) {
	f, err := o.ORC(ctx, r.Store, r.Object)
	if err != nil {
		return nil, err
	}
	options := orc.ReadOptions{Part: r.Piece.Part, Parts: r.Piece.Parts, Pool: r.Pool, Counters: counters(r.Stats)}
	positional := f.Positional()
	for _, c := range r.Columns {
		request := orc.ColumnRequest{Field: orc.MissingField, Type: c.Type}
		if c.Constant == nil {
			request.Field = f.Lookup(c.Name)
			if request.Field < 0 && positional && c.Position >= 0 && c.Position < len(f.Schema()) {
				request.Field = c.Position
			}
			if request.Field < 0 && c.Required {
				return nil, sqlerr.New(sqlerr.UndefinedColumn, "file %q has no column %q", r.Object.Path, c.Name).
					WithHint("Read files of different columns with union_by_name => true.")
			}
		}
		options.Columns = append(options.Columns, request)
	}
	options.Domains = domainSource(r, constants)
	if r.Filter != nil {
		options.Filter = r.Filter
		if len(constants.columns) > 0 {
			options.Filter = &constantFilter{r.Filter, constants}
		}
	}
	return f.Reader(options)
}
