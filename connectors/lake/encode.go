package lake

import (
	"io"
	"strconv"
	"strings"

	"github.com/tarnlake/tarn/connectors"
	"github.com/tarnlake/tarn/internal/colstats"
	"github.com/tarnlake/tarn/internal/format/orc"
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
	// Flush ends what is open of the file's rows, row group or stripe, where that gives memory back.
	Flush() error
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

	parquetWork *parquet.Workspace // of all files of the sink; nil before the first
	orcWork     *orc.Workspace
}

// memory is what the files of the sink share.
func (l *layout) memory() (n int64) {
	if l.parquetWork != nil {
		n += l.parquetWork.Memory()
	}
	if l.orcWork != nil {
		n += l.orcWork.Memory()
	}
	return n
}

// close gives back what the files of the sink shared. None is open.
func (l *layout) close() {
	if l.parquetWork != nil {
		l.parquetWork.Close()
	}
	if l.orcWork != nil {
		l.orcWork.Close()
	}
	l.parquetWork, l.orcWork = nil, nil
}

// DefaultFileSize is the target_file_size of tables that do not say.
const DefaultFileSize = 256 << 20

func newLayout(handle *connectors.FileTable, data []int) (*layout, error) {
	l := &layout{format: handle.Format, properties: handle.Properties, targetSize: DefaultFileSize}
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
	if l.format != "csv" && l.format != "json" {
		return l.format
	}
	switch l.properties["compression"] {
	case "gzip":
		return l.format + ".gz"
	case "zstd":
		return l.format + ".zst"
	}
	return l.format
}

// encoder starts a file. sorted tells that all its rows come in order; edge is where the CPU is offered.
func (l *layout) encoder(out io.Writer, pool *memory.Pool, edge func() error, sorted bool) (encoder, error) {
	switch l.format {
	case "parquet":
		return l.parquet(out, pool, edge, sorted)
	case "orc":
		return l.orc(out, pool, edge)
	case "csv":
		return l.csv(out)
	case "json":
		return l.json(out)
	}
	return nil, sqlerr.New(sqlerr.FeatureNotSupported, "tables of format %q cannot be written", l.format)
}

// collectors gather the statistics of columns for formats whose writers keep none.
type collectors struct {
	columns []int // that have a collector
	of      []*colstats.Collector
}

func (l *layout) collectors() collectors {
	var c collectors
	for i, f := range l.schema {
		if hasStatistics(f.Type) {
			c.columns = append(c.columns, i)
			c.of = append(c.of, &colstats.Collector{ID: l.ids[i], Type: f.Type})
		}
	}
	return c
}

// hasStatistics tells whether statistics of columns of a type are kept: nested values have none.
func hasStatistics(t types.Type) bool {
	switch t.Physical() {
	case types.PhysList, types.PhysRow, types.PhysNone:
		return false
	}
	return true
}

func (c collectors) add(b *vec.Batch) {
	for i, collector := range c.of {
		collector.Add(&b.Cols[c.columns[i]], b.Sel)
	}
}

func (c collectors) finish(rows int64) (colstats.Summary, colstats.Sketches) {
	summary, sketches := colstats.Summary{Rows: rows}, colstats.Sketches{}
	for _, collector := range c.of {
		summary.Columns = append(summary.Columns, collector.Column())
		sketches[collector.ID] = &collector.Sketch
	}
	summary.Sort()
	return summary, sketches
}
