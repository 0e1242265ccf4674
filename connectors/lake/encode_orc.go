package lake

import (
	"io"
	"slices"
	"strings"

	"github.com/tarnlake/tarn/internal/colstats"
	"github.com/tarnlake/tarn/internal/format/orc"
	"github.com/tarnlake/tarn/internal/memory"
	"github.com/tarnlake/tarn/internal/types"
	"github.com/tarnlake/tarn/internal/vec"
)

// orc starts an ORC file.
func (l *layout) orc(out io.Writer, pool *memory.Pool) (encoder, error) {
	compression, err := orc.ParseCompression(l.properties["compression"])
	if err != nil {
		return nil, err
	}
	options := orc.WriterOptions{Compression: compression, Pool: pool}
	for _, name := range strings.Split(l.properties["bloom_filter_columns"], ",") {
		if at := slices.IndexFunc(l.schema, func(f types.Field) bool { return f.Name == name }); at >= 0 {
			options.Bloom = append(options.Bloom, at)
		}
	}
	w, err := orc.NewWriter(out, l.schema, options)
	if err != nil {
		return nil, err
	}
	e := &orcEncoder{w: w}
	for i, f := range l.schema {
		switch f.Type.Physical() {
		case types.PhysList, types.PhysRow, types.PhysNone:
		default:
			e.columns = append(e.columns, i)
			e.collectors = append(e.collectors, &colstats.Collector{ID: l.ids[i], Type: f.Type})
		}
	}
	return e, nil
}

type orcEncoder struct {
	w          *orc.Writer
	columns    []int // that have a collector
	collectors []*colstats.Collector
}

func (e *orcEncoder) Append(b *vec.Batch) error {
	for i, c := range e.collectors {
		c.Add(&b.Cols[e.columns[i]], b.Sel)
	}
	return e.w.Append(b)
}

func (e *orcEncoder) Bytes() int64 { return e.w.Bytes() }

func (e *orcEncoder) Finish() (colstats.Summary, colstats.Sketches, error) {
	written, err := e.w.Finish()
	if err != nil {
		return colstats.Summary{}, nil, err
	}
	summary, sketches := colstats.Summary{Rows: written.Rows}, colstats.Sketches{}
	for _, c := range e.collectors {
		summary.Columns = append(summary.Columns, c.Column())
		sketches[c.ID] = &c.Sketch
	}
	summary.Sort()
	return summary, sketches, nil
}

func (e *orcEncoder) Close() { e.w.Close() }
