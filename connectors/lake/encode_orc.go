package lake

import (
	"io"

	"github.com/tarnlake/tarn/internal/colstats"
	"github.com/tarnlake/tarn/internal/format/orc"
	"github.com/tarnlake/tarn/internal/memory"
	"github.com/tarnlake/tarn/internal/vec"
)

// orc starts an ORC file.
func (l *layout) orc(out io.Writer, pool *memory.Pool, edge func() error) (encoder, error) {
	compression, err := orc.ParseCompression(l.properties["compression"])
	if err != nil {
		return nil, err
	}
	if l.orcWork == nil {
		if l.orcWork, err = orc.NewWorkspace(compression, 0); err != nil {
			return nil, err
		}
	}
	w, err := orc.NewWriter(out, l.schema, orc.WriterOptions{Workspace: l.orcWork, Bloom: l.bloom, Pool: pool, Edge: edge})
	if err != nil {
		return nil, err
	}
	return &orcEncoder{w: w, collectors: l.collectors()}, nil
}

type orcEncoder struct {
	w          *orc.Writer
	collectors collectors
}

func (e *orcEncoder) Append(b *vec.Batch) error {
	e.collectors.add(b)
	return e.w.Append(b)
}

func (e *orcEncoder) Flush() error { return e.w.Flush() }

func (e *orcEncoder) Bytes() int64 { return e.w.Bytes() }

func (e *orcEncoder) Finish() (colstats.Summary, colstats.Sketches, error) {
	written, err := e.w.Finish()
	if err != nil {
		return colstats.Summary{}, nil, err
	}
	summary, sketches := e.collectors.finish(written.Rows)
	return summary, sketches, nil
}

func (e *orcEncoder) Close() { e.w.Close() }
