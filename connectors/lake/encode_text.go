package lake

import (
	"io"

	"github.com/tarnlake/tarn/internal/colstats"
	"github.com/tarnlake/tarn/internal/format/csv"
	"github.com/tarnlake/tarn/internal/format/json"
	"github.com/tarnlake/tarn/internal/format/stream"
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
	return &textEncoder{w, l.collectors()}, nil
}

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
	return &textEncoder{w, l.collectors()}, nil
}

// textWriter is what the writers of CSV and JSON files share.
type textWriter interface {
	Append(b *vec.Batch) error
	Rows() int64
	Bytes() int64
	Finish() error
}

// textEncoder writes a file of lines, which holds back no rows that a Flush could end.
type textEncoder struct {
	textWriter
	collectors collectors
}

func (e *textEncoder) Append(b *vec.Batch) error {
	e.collectors.add(b)
	return e.textWriter.Append(b)
}

func (e *textEncoder) Flush() error { return nil }

func (e *textEncoder) Finish() (colstats.Summary, colstats.Sketches, error) {
	if err := e.textWriter.Finish(); err != nil {
		return colstats.Summary{}, nil, err
	}
	summary, sketches := e.collectors.finish(e.Rows())
	return summary, sketches, nil
}

func (e *textEncoder) Close() {}
