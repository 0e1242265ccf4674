package files

import (
	"context"

	"github.com/tarnlake/tarn/connectors"
	"github.com/tarnlake/tarn/internal/colstats"
	"github.com/tarnlake/tarn/internal/format/orc"
	"github.com/tarnlake/tarn/internal/format/parquet"
	"github.com/tarnlake/tarn/internal/objstore"
	"github.com/tarnlake/tarn/internal/types"
)

// footer is what the end of a columnar file tells.
type footer struct {
	rows   int64
	schema types.Schema
	lookup func(name string) int
	stats  func(field int) fieldStats
	// positional files have no names of their own: fields are found by their place.
	positional bool
}

type fieldStats struct {
	minimum, maximum *types.Datum
	nulls, distinct  int64 // -1: unknown
}

// hasFooter tells whether files of a format describe themselves.
func hasFooter(format string) bool { return format == "parquet" || format == "orc" }

// footer reads the footer of a file, from the cache if it is there.
func (o *Opener) footer(ctx context.Context, format string, store objstore.Store, object objstore.Object) (footer, error) {
	if format == "orc" {
		f, err := o.orc(ctx, store, object)
		if err != nil {
			return footer{}, err
		}
		return orcFooter(f), nil
	}
	f, err := o.parquet(ctx, store, object)
	if err != nil {
		return footer{}, err
	}
	return parquetFooter(f), nil
}

func parquetFooter(f *parquet.File) footer {
	return footer{rows: f.Rows(), schema: f.Schema(), lookup: f.Lookup, stats: func(field int) fieldStats {
		s := f.Stats(field)
		return fieldStats{minimum: s.Minimum, maximum: s.Maximum, nulls: s.Nulls, distinct: s.Distinct}
	}}
}

func orcFooter(f *orc.File) footer {
	return footer{rows: f.Rows(), schema: f.Schema(), lookup: f.Lookup, positional: f.Positional(), stats: func(field int) fieldStats {
		s := f.Stats(field)
		return fieldStats{minimum: s.Minimum, maximum: s.Maximum, nulls: s.Nulls, distinct: -1}
	}}
}

// summary gives what the footer tells of columns, which are found by their storage names or, where
// a table declares them in order, by place.
func (f footer) summary(columns []connectors.FileColumn, inOrder bool) *colstats.Summary {
	out := &colstats.Summary{Rows: f.rows}
	for i, c := range columns {
		at := f.lookup(c.StorageName)
		if at < 0 && inOrder && f.positional && i < len(f.schema) {
			at = i
		}
		if at < 0 {
			out.Columns = append(out.Columns, colstats.Column{ID: c.ID, Physical: c.Type.Physical(), Nulls: f.rows})
			continue
		}
		stats := f.stats(at)
		if stats.nulls < 0 || !sameOrder(f.schema[at].Type, c.Type) {
			continue
		}
		column := colstats.Column{ID: c.ID, Physical: c.Type.Physical(), Nulls: stats.nulls, Minimum: stats.minimum, Maximum: stats.maximum}
		if stats.distinct > 0 {
			column.Distinct = float64(stats.distinct)
		}
		out.Columns = append(out.Columns, column)
	}
	out.Sort()
	return out
}
