package files

import (
	"context"

	"github.com/tarnlake/tarn/connectors"
	"github.com/tarnlake/tarn/internal/format/parquet"
	"github.com/tarnlake/tarn/internal/format/scan"
	"github.com/tarnlake/tarn/internal/format/stream"
	"github.com/tarnlake/tarn/internal/memory"
	"github.com/tarnlake/tarn/internal/objstore"
	"github.com/tarnlake/tarn/internal/objstore/metadata"
	"github.com/tarnlake/tarn/internal/sqlerr"
	"github.com/tarnlake/tarn/internal/types"
	"github.com/tarnlake/tarn/internal/vec"
	"github.com/tarnlake/tarn/internal/vec/page"
)

// Column is one column that a file read gives.
type Column struct {
	Name string // in the file
	Type types.Type
	// Constant, if not nil, is the column's value in all rows: partition values, the file's name.
	Constant *types.Datum
	// Position, in a file that has no names (CSV without a header, ORC with Hive's _col0), is the
	// field's ordinal; -1 for none.
	Position int
	// Required makes a file without the column an error; else the column is NULL.
	Required bool
	// Subfields, if not nil, lists what is read of a row, as connectors.ScanColumn has it.
	Subfields [][]int
}

// Request asks for a part of one file.
type Request struct {
	Store   objstore.Store
	Object  objstore.Object // Path and Size at least; ETag "" accepts any version
	Format  string          // "parquet", "orc", "csv", "json"
	CSV     *CSV            // of CSV files
	JSON    *JSON           // of JSON files
	Columns []Column
	Piece   Piece
	Domains []connectors.Domain // columns are ordinals in Columns
	Filter  connectors.RowFilter
	Feed    connectors.FilterFeed
	Pool    *memory.Pool
	Stats   *connectors.ScanStats
	// Reject is told what ignore_errors leaves out of CSV and JSON files; nil: nobody is.
	Reject func(stream.Reject)
}

// Opener opens files and keeps what describes them. It is safe for concurrent use.
type Opener struct {
	metadata *metadata.Cache
	buffers  page.Buffers // of compressed bytes
	pool     *memory.Pool
}

// NewOpener keeps footers, indexes and headers in the cache given. Large footers count in the pool,
// which may be nil, while they are read.
func NewOpener(kept *metadata.Cache, pool *memory.Pool) *Opener {
	return &Opener{metadata: kept, pool: pool}
}

// Open starts reading. A file that the constants put outside the domains is not looked at.
func (o *Opener) Open(ctx context.Context, r Request) (vec.Source, error) {
	if r.Stats == nil {
		r.Stats = &connectors.ScanStats{}
	}
	constants := newConstants(r.Columns)
	if r.Piece.first() {
		r.Stats.Files.Add(1)
	}
	if constants.outside(r.Domains) || r.Feed != nil && constants.outside(feedDomains(r.Feed)) {
		if r.Piece.first() {
			r.Stats.FilesPruned.Add(1)
		}
		return emptySource{}, nil
	}
	var source vec.Source
	var err error
	switch r.Format {
	case "parquet":
		source, err = o.openParquet(ctx, r, constants)
	case "orc":
		source, err = o.openORC(ctx, r, constants)
	case "csv":
		source, err = o.openCSV(ctx, r, constants)
	case "json":
		source, err = o.openJSON(r, constants)
	default:
		return nil, sqlerr.New(sqlerr.FeatureNotSupported, "files of format %q cannot be read", r.Format)
	}
	if err != nil {
		return nil, err
	}
	if len(constants.columns) == 0 {
		return source, nil
	}
	return &constantSource{source, constants}, nil
}

func feedDomains(feed connectors.FilterFeed) []connectors.Domain {
	domains, _ := feed.Domains()
	return domains
}

// parquet opens a file's footer, from the cache if it is there.
func (o *Opener) parquet(ctx context.Context, store objstore.Store, object objstore.Object) (*parquet.File, error) {
	return footerOf(ctx, o, metadata.ParquetFooter, store, object, parquet.OpenObject)
}

// fields gives for each column the field of the file that find tells, or scan.MissingField: where find
// gives a negative number, and for constants.
func (r *Request) fields(find func(Column) int) ([]int, error) {
	out := make([]int, len(r.Columns))
	for i, c := range r.Columns {
		out[i] = scan.MissingField
		if c.Constant != nil {
			continue
		}
		if field := find(c); field >= 0 {
			out[i] = field
		} else if c.Required {
			return nil, sqlerr.New(sqlerr.UndefinedColumn, "file %q has no column %q", objstore.Shown(r.Store, r.Object.Path), c.Name).
				WithHint("Read files of different columns with union_by_name => true.")
		}
	}
	return out, nil
}

func (o *Opener) openParquet(ctx context.Context, r Request, constants *constants) (vec.Source, error) {
	f, err := o.parquet(ctx, r.Store, r.Object)
	if err != nil {
		return nil, err
	}
	options := parquet.ReadOptions{RowGroups: rowGroups(f, r.Piece.Share), Metadata: o.metadata, Buffers: &o.buffers, Pool: r.Pool, Counters: counters(r.Stats)}
	fields, err := r.fields(func(c Column) int { return f.Lookup(c.Name) })
	if err != nil {
		return nil, err
	}
	for i, c := range r.Columns {
		options.Columns = append(options.Columns, parquet.ColumnRequest{Field: fields[i], Type: c.Type, Subfields: c.Subfields})
	}
	options.Domains = domainSource(r, constants)
	options.Filter = constants.filter(r.Filter)
	return f.Reader(options)
}

func counters(s *connectors.ScanStats) scan.Counters {
	return scan.Counters{RowGroups: &s.RowGroups, RowGroupsPruned: &s.RowGroupsPruned,
		PrunedByBloom: &s.PrunedByBloom, PrunedByIndex: &s.PrunedByIndex, Pages: &s.Pages, PagesPruned: &s.PagesPruned, RowsRead: &s.RowsRead,
		RowsSelected: &s.RowsSelected, BytesRead: &s.BytesRead, Gets: &s.Gets, Rejected: &s.Rejected}
}

// rowGroups lists the groups of a share. Never nil: that would mean all.
func rowGroups(f *parquet.File, share scan.Share) []int {
	out := []int{}
	var before int64
	for g := range f.RowGroups() {
		if share.Holds(before, f.GroupRows(g), f.Rows()) {
			out = append(out, g)
		}
		before += f.GroupRows(g)
	}
	return out
}

// domainSource gives the static domains and those of the feed, without the constant columns'.
func domainSource(r Request, constants *constants) func() []scan.Domain {
	static := constants.convert(nil, r.Domains)
	if r.Feed == nil {
		if len(static) == 0 {
			return nil
		}
		return func() []scan.Domain { return static }
	}
	var version uint64
	present := static
	return func() []scan.Domain {
		domains, now := r.Feed.Domains()
		if now != version {
			version = now
			present = constants.convert(static[:len(static):len(static)], domains)
		}
		return present
	}
}

// emptySource has no rows.
type emptySource struct{}

func (emptySource) Next(context.Context) (*vec.Batch, error) { return nil, nil }
func (emptySource) Close() error                             { return nil }
