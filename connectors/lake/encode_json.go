package lake

import (
	"io"

	"github.com/tarnlake/tarn/internal/colstats"
	"github.com/tarnlake/tarn/internal/format/json"
	"github.com/tarnlake/tarn/internal/format/stream"
	"github.com/tarnlake/tarn/internal/vec"
)

// json starts a JSON file of lines.
func (l *layout) json(out io.Writer) (encoder, error) {
	format := json.DefaultFormat()
	if name := l.properties["compression"]; name != "" {
		var err error
		if format.Compression, err = stream.ParseCompression(name); err != nil {
			return nil, err
		}
	}
	w, err := json.NewWriter(out, l.schema, format, nil)
	if err != nil {
		return nil, err
	}
	return &jsonEncoder{w: w, collectors: l.collectors()}, nil
}

type jsonEncoder struct {
	w          *json.Writer
	collectors collectors
}

func (e *jsonEncoder) Append(b *vec.Batch) error {
	e.collectors.add(b)
	return e.w.Append(b)
}

func (e *jsonEncoder) Flush() error { return nil }

func (e *jsonEncoder) Bytes() int64 { return e.w.Bytes() }

func (e *jsonEncoder) Finish() (colstats.Summary, colstats.Sketches, error) {
	if err := e.w.Finish(); err != nil {
		return colstats.Summary{}, nil, err
	}
	summary, sketches := e.collectors.finish(e.w.Rows())
	return summary, sketches, nil
}

func (e *jsonEncoder) Close() {}
