package files

import (
	"context"
	"strconv"

	"github.com/tarnlake/tarn/internal/format/scan"
	"github.com/tarnlake/tarn/internal/objstore"
	"github.com/tarnlake/tarn/internal/objstore/metadata"
	"github.com/tarnlake/tarn/internal/slots"
)

// Warm begins to read the footers of files in distant stores that will be opened soon. It does not
// wait; errors come when the files are opened.
func (o *Opener) Warm(ctx context.Context, store objstore.Store, object objstore.Object, format string) {
	if !objstore.IsDistant(store) || object.ETag == "" {
		return
	}
	ctx = slots.Without(ctx)
	switch format {
	case "parquet":
		if !o.metadata.Has(metadata.Of(store, object, metadata.ParquetFooter, 0, 0)) {
			go quietly(func() { _, _ = o.parquet(ctx, store, object) })
		}
	case "orc":
		if !o.metadata.Has(metadata.Of(store, object, metadata.ORCFooter, 0, 0)) {
			go quietly(func() { _, _ = o.orc(ctx, store, object) })
		}
	}
}

// quietly leaves it to the query that opens the file to panic, where that fails one query only.
func quietly(do func()) {
	defer func() { _ = recover() }()
	do()
}

// footerOf gives what a file's footer says, read by open unless it is kept or being read already.
func footerOf[V interface{ MemorySize() int64 }](ctx context.Context, o *Opener, kind metadata.Kind, store objstore.Store, object objstore.Object,
	open func(context.Context, objstore.Store, objstore.Object, *scan.Budget) (V, error)) (none V, err error) {
	if object.ETag == "" || object.Size == 0 {
		if object, err = store.Stat(ctx, object.Path); err != nil {
			return none, err
		}
	}
	return metadata.Load(ctx, o.metadata, metadata.Of(store, object, kind, 0, 0), func() (V, int64, error) {
		budget, release := scan.PoolBudget(ctx, o.pool, "the footer of file "+strconv.Quote(object.Path))
		defer release()
		f, err := open(ctx, store, object, budget)
		if err != nil {
			return none, 0, err
		}
		return f, f.MemorySize(), nil
	})
}
