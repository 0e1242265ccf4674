package lake

import (
	"io"
	"strconv"
	"strings"

	"github.com/tarnlake/tarn/connectors"
	"github.com/tarnlake/tarn/internal/colstats"
	"github.com/tarnlake/tarn/internal/format/parquet"
	"github.com/tarnlake/tarn/internal/memory"
	"github.com/tarnlake/tarn/internal/sqlerr"
	"github.com/tarnlake/tarn/internal/types"
	"github.com/tarnlake/tarn/internal/vec"
)

// encoder writes batches of a table's data columns in one format.
type encoder interface {
	// Append adds the selected rows.
	Append(b *vec.Batch) error
	// Bytes is about what the file has so far.
	Bytes() int64
	// Finish ends the file.
	Finish() (colstats.Summary, colstats.Sketches, error)
	// Close gives memory back; after Finish it does nothing.
	Close()
}

// layout is what all files of one sink share.
type layout struct {
	format     string
	schema     types.Schema // data columns by storage name
	ids        []int32
	properties map[string]string
	sorted     []parquet.SortColumn
	bloom      []int // data columns that get Bloom filters
	targetSize int64
}

// defaultTargetSize is how large files become.
const defaultTargetSize = 256 << 20

func newLayout(handle *connectors.FileTable, data []int) (*layout, error) {
	l := &layout{format: handle.Format, properties: handle.Properties, targetSize: defaultTargetSize}
	for _, ordinal := range data {
		c := handle.Columns[ordinal]
		l.schema = append(l.schema, types.Field{Name: c.StorageName, Type: c.Type, Nullable: !c.NotNull})
		l.ids = append(l.ids, c.ID)
	}
	if names := handle.Properties["bloom_filter_columns"]; names != "" {
		for name := range strings.SplitSeq(names, ",") {
			for at, ordinal := range data {
				if handle.Columns[ordinal].Name == strings.TrimSpace(name) {
					l.bloom = append(l.bloom, at)
				}
			}
		}
	}
	for _, sorted := range handle.SortedBy {
		for at, ordinal := range data {
			if sorted == ordinal {
				l.sorted = append(l.sorted, parquet.SortColumn{Column: at})
			}
		}
	}
	if text := handle.Properties["target_file_size"]; text != "" {
		size, err := strconv.ParseInt(text, 10, 64)
		if err != nil {
			return nil, sqlerr.Internal("target_file_size %q", text)
		}
		l.targetSize = size
	}
	return l, nil
}

// extension ends the names of files.
func (l *layout) extension() string {
	if l.format != "csv" {
		return l.format
	}
	switch l.properties["compression"] {
	case "gzip":
		return "csv.gz"
	case "zstd":
		return "csv.zst"
	}
	return "csv"
}

// encoder starts a file. sorted tells that all its rows come in order.
func (l *layout) encoder(out io.Writer, pool *memory.Pool, sorted bool) (encoder, error) {
	switch l.format {
	case "parquet":
		return l.parquet(out, pool, sorted)
	case "orc":
		return l.orc(out, pool)
	case "csv":
		return l.csv(out)
	}
	return nil, sqlerr.New(sqlerr.FeatureNotSupported, "tables of format %q cannot be written", l.format)
}

func (l *layout) parquet(out io.Writer, pool *memory.Pool, sorted bool) (encoder, error) {
	compression, err := parquet.ParseCompression(l.properties["compression"])
	if err != nil {
		return nil, err
	}
	options := parquet.WriterOptions{Compression: compression, FieldIDs: l.ids, Bloom: l.bloom, Pool: pool}
	if sorted {
		options.SortedBy = l.sorted
	}
	if text := l.properties["row_group_size"]; text != "" {
		if options.RowGroupRows, err = strconv.Atoi(text); err != nil {
			return nil, sqlerr.Internal("row_group_size %q", text)
		}
	}
	w, err := parquet.NewWriter(out, l.schema, options)
	if err != nil {
		return nil, err
	}
	return &parquetEncoder{w: w, layout: l, width: make([]int64, len(l.schema))}, nil
}

type parquetEncoder struct {
	w      *parquet.Writer
	layout *layout
	width  []int64 // bytes of strings
}

func (e *parquetEncoder) Append(b *vec.Batch) error {
	for i := range b.Cols {
		if e.layout.schema[i].Type.Physical() == types.PhysString {
			e.width[i] += stringBytes(&b.Cols[i], b.Sel)
		}
	}
	return e.w.Append(b)
}

// stringBytes adds up the lengths of the strings in rows (nil: all). NULLs have none: their views
// are of length 0, or they are skipped.
func stringBytes(v *vec.Vector, rows []int32) (total int64) {
	count := v.Len
	if rows != nil {
		count = len(rows)
	}
	if v.Type.Physical() != types.PhysString {
		return 0
	}
	base, codes, constant := v.Base()
	views := vec.Values[vec.View](base)
	if constant {
		if v.IsNull(0) {
			return 0
		}
		return int64(count) * int64(views[0].Len())
	}
	for i := range count {
		row := i
		if rows != nil {
			row = int(rows[i])
		}
		if v.Valid != nil && !v.Valid.Get(row) {
			continue
		}
		if codes != nil {
			row = int(codes[row])
		}
		total += int64(views[row].Len())
	}
	return total
}

func (e *parquetEncoder) Bytes() int64 { return e.w.Bytes() }

func (e *parquetEncoder) Finish() (colstats.Summary, colstats.Sketches, error) {
	written, err := e.w.Finish()
	if err != nil {
		return colstats.Summary{}, nil, err
	}
	summary, sketches := colstats.Summary{Rows: written.Rows}, colstats.Sketches{}
	for i := range written.Columns {
		t := e.layout.schema[i].Type
		if p := t.Physical(); p == types.PhysList || p == types.PhysRow || p == types.PhysNone {
			continue
		}
		c := &written.Columns[i]
		sketch := colstats.SketchOf(c.Distinct.Registers())
		sketches[e.layout.ids[i]] = sketch
		summary.Columns = append(summary.Columns, colstats.Column{ID: e.layout.ids[i], Physical: t.Physical(), Nulls: c.Nulls,
			Bytes: e.width[i], Distinct: sketch.Estimate(), Minimum: c.Minimum, Maximum: c.Maximum})
	}
	summary.Sort()
	return summary, sketches, nil
}

func (e *parquetEncoder) Close() { e.w.Close() }
