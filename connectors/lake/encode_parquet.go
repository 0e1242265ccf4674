package lake

import (
	"io"
	"strconv"

	"github.com/tarnlake/tarn/internal/colstats"
	"github.com/tarnlake/tarn/internal/format/parquet"
	"github.com/tarnlake/tarn/internal/memory"
	"github.com/tarnlake/tarn/internal/sqlerr"
	"github.com/tarnlake/tarn/internal/types"
	"github.com/tarnlake/tarn/internal/vec"
)

// parquet starts a Parquet file.
func (l *layout) parquet(out io.Writer, pool *memory.Pool, edge func() error, sorted bool) (encoder, error) {
	compression, err := parquet.ParseCompression(l.properties["compression"])
	if err != nil {
		return nil, err
	}
	if l.parquetWork == nil {
		if l.parquetWork, err = parquet.NewWorkspace(compression, 0); err != nil {
			return nil, err
		}
	}
	options := parquet.WriterOptions{Workspace: l.parquetWork, FieldIDs: l.ids, Bloom: l.bloom, Pool: pool, Edge: edge}
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

func (e *parquetEncoder) Flush() error { return e.w.Flush() }

func (e *parquetEncoder) Bytes() int64 { return e.w.Bytes() }

func (e *parquetEncoder) Finish() (colstats.Summary, colstats.Sketches, error) {
	written, err := e.w.Finish()
	if err != nil {
		return colstats.Summary{}, nil, err
	}
	summary, sketches := colstats.Summary{Rows: written.Rows}, colstats.Sketches{}
	for i := range written.Columns {
		t := e.layout.schema[i].Type
		if !hasStatistics(t) {
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
