package lake

import (
	"io"

	"github.com/tarnlake/tarn/internal/colstats"
	"github.com/tarnlake/tarn/internal/format/csv"
	"github.com/tarnlake/tarn/internal/types"
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
	e := &csvEncoder{w: w}
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

type csvEncoder struct {
	w          *csv.Writer
	columns    []int // that have a collector
	collectors []*colstats.Collector
}

func (e *csvEncoder) Append(b *vec.Batch) error {
	for i, c := range e.collectors {
		c.Add(&b.Cols[e.columns[i]], b.Sel)
	}
	return e.w.Append(b)
}

func (e *csvEncoder) Bytes() int64 { return e.w.Bytes() }

func (e *csvEncoder) Finish() (colstats.Summary, colstats.Sketches, error) {
	if err := e.w.Finish(); err != nil {
		return colstats.Summary{}, nil, err
	}
	summary, sketches := colstats.Summary{Rows: e.w.Rows()}, colstats.Sketches{}
	for _, c := range e.collectors {
		summary.Columns = append(summary.Columns, c.Column())
		sketches[c.ID] = &c.Sketch
	}
	summary.Sort()
	return summary, sketches, nil
}

func (e *csvEncoder) Close() {}
