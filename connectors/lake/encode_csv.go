package lake

import (
	"io"

	"github.com/tarnlake/tarn/internal/colstats"
	"github.com/tarnlake/tarn/internal/format/csv"
	"github.com/tarnlake/tarn/internal/vec"
)

// csv starts a CSV file.
func (l *layout) csv(out io.Writer) (encoder, error) {
	format, _, err := csv.ParseFormat(csv.DefaultFormat(), l.properties)
	if err != nil {
		return nil, err
	}
	w, err := csv.NewWriter(out, l.schema, format, nil)
	if err != nil {
		return nil, err
	}
	return &csvEncoder{w: w, collectors: l.collectors()}, nil
}

type csvEncoder struct {
	w          *csv.Writer
	collectors collectors
}

func (e *csvEncoder) Append(b *vec.Batch) error {
	e.collectors.add(b)
	return e.w.Append(b)
}

func (e *csvEncoder) Flush() error { return nil }

func (e *csvEncoder) Bytes() int64 { return e.w.Bytes() }

func (e *csvEncoder) Finish() (colstats.Summary, colstats.Sketches, error) {
	if err := e.w.Finish(); err != nil {
		return colstats.Summary{}, nil, err
	}
	summary, sketches := e.collectors.finish(e.w.Rows())
	return summary, sketches, nil
}

func (e *csvEncoder) Close() {}
