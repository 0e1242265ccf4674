package files

import (
	"cmp"
	"context"
	"slices"

	"github.com/tarnlake/tarn/connectors"
	"github.com/tarnlake/tarn/internal/format/stream"
	"github.com/tarnlake/tarn/internal/objstore"
	"github.com/tarnlake/tarn/internal/types"
	"github.com/tarnlake/tarn/internal/vec"
)

// turnIntoRejects makes the table one of what reading all of its columns with ignore_errors leaves out.
func (set *fileSet) turnIntoRejects() {
	set.Rejects, set.Data = true, set.Columns
	set.Columns = []fileSetColumn{{Name: "file", Type: types.Of(types.Text), Source: fromName}, {Name: "line", Type: types.Of(types.Int64)},
		{Name: "column_name", Type: types.Of(types.Text)}, {Name: "text", Type: types.Of(types.Text)}, {Name: "error", Type: types.Of(types.Text)}}
	if set.CSV != nil {
		set.CSV.Format.IgnoreErrors, set.CSV.Format.Multiline = true, true // so that lines are numbered
	}
	if set.JSON != nil {
		set.JSON.Format.IgnoreErrors = true
	}
}

// readRejects reads a split of such a table.
func (c *Connector) readRejects(ctx context.Context, set *fileSet, s *split, store objstore.Store, object objstore.Object, request connectors.ReadRequest) (vec.Source, error) {
	out := &rejects{file: s.Path, request: request, batch: 1024}
	r := Request{Store: store, Object: object, Format: set.Format, CSV: set.CSV, JSON: set.JSON, Piece: s.Piece, Pool: request.Pool, Stats: request.Stats,
		Reject: func(bad stream.Reject) { out.pending = append(out.pending, bad) }}
	for _, column := range set.Data {
		if column.Source == fromFile {
			r.Columns = append(r.Columns, Column{Name: column.Name, Type: column.Type, Position: column.Position})
		}
	}
	for _, column := range request.Scan.Columns {
		out.types = append(out.types, column.Type)
	}
	var err error
	out.rows, err = c.options.Opener.Open(ctx, r)
	return out, err
}

// rejects gives what its reader leaves out.
type rejects struct {
	file    string
	rows    vec.Source
	request connectors.ReadRequest
	types   []types.Type
	pending []stream.Reject
	batch   int // most of them are given at once
	ended   bool
}

// Next implements vec.Source.
func (r *rejects) Next(ctx context.Context) (*vec.Batch, error) {
	for {
		for !r.ended && len(r.pending) < r.batch {
			b, err := r.rows.Next(ctx)
			if err != nil {
				return nil, err
			}
			r.ended = b == nil
		}
		if len(r.pending) == 0 {
			return nil, nil
		}
		b := r.take(min(len(r.pending), r.batch))
		if f := r.request.Filter; f != nil {
			for stage := range f.Stages() {
				if err := f.Apply(stage, b); err != nil {
					return nil, err
				}
			}
		}
		if b.Rows() > 0 {
			return b, nil
		}
	}
}

// take makes a batch of the first n.
func (r *rejects) take(n int) *vec.Batch {
	slices.SortStableFunc(r.pending, func(a, b stream.Reject) int { return cmp.Compare(a.Line, b.Line) })
	b := vec.NewBatch(r.types, n)
	for row, bad := range r.pending[:n] {
		column := types.NullDatum()
		if bad.Column != "" {
			column = types.StringDatum(bad.Column)
		}
		all := [...]types.Datum{types.StringDatum(r.file), types.IntDatum(bad.Line), column, types.StringDatum(bad.Text), types.StringDatum(bad.Error)}
		for i, wanted := range r.request.Scan.Columns {
			b.Cols[i].SetDatum(row, all[wanted.Ordinal])
		}
	}
	r.pending = slices.Delete(r.pending, 0, n)
	return b
}

// Close implements vec.Source.
func (r *rejects) Close() error { return r.rows.Close() }
