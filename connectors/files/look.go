package files

import (
	"context"
	"strconv"

	"github.com/tarnlake/tarn/connectors"
	"github.com/tarnlake/tarn/internal/partition"
	"github.com/tarnlake/tarn/internal/sqlerr"
	"github.com/tarnlake/tarn/internal/types"
	"github.com/tarnlake/tarn/internal/vec"
)

// lookColumns lists the columns of functions that look at files rather than read them.
func lookColumns(function string) []fileSetColumn {
	text, number := types.Of(types.Text), types.Of(types.Int64)
	switch function {
	case "glob":
		return []fileSetColumn{{Name: "file", Type: text}, {Name: "size", Type: number}, {Name: "modified", Type: types.Of(types.TimestampTZ)}}
	case "parquet_schema":
		return []fileSetColumn{{Name: "file_name", Type: text}, {Name: "name", Type: text}, {Name: "type", Type: text}, {Name: "nullable", Type: types.Of(types.Bool)},
			{Name: "field_id", Type: types.Of(types.Int32)}}
	case "orc_metadata":
		return []fileSetColumn{{Name: "file_name", Type: text}, {Name: "stripe_id", Type: number}, {Name: "stripe_num_rows", Type: number},
			{Name: "stripe_size", Type: number}, {Name: "column_id", Type: number}, {Name: "name", Type: text}, {Name: "type", Type: text},
			{Name: "num_values", Type: number}, {Name: "stats_null_count", Type: number}, {Name: "stats_min_value", Type: text},
			{Name: "stats_max_value", Type: text}, {Name: "compression", Type: text}, {Name: "created_by", Type: text}}
	}
	return []fileSetColumn{{Name: "file_name", Type: text}, {Name: "row_group_id", Type: number}, {Name: "row_group_num_rows", Type: number},
		{Name: "column_id", Type: number}, {Name: "path_in_schema", Type: text}, {Name: "type", Type: text}, {Name: "num_values", Type: number},
		{Name: "stats_null_count", Type: number}, {Name: "stats_distinct_count", Type: number}, {Name: "stats_min_value", Type: text},
		{Name: "stats_max_value", Type: text}, {Name: "total_compressed_size", Type: number}, {Name: "total_uncompressed_size", Type: number},
		{Name: "created_by", Type: text}}
}

func (c *Connector) resolveLook(ctx context.Context, function string, args []Argument) (*connectors.Table, error) {
	chosen, err := readArguments(function, args)
	if err != nil {
		return nil, err
	}
	for name := range chosen.rest {
		return nil, unknownOption(function, name)
	}
	files, err := find(ctx, c.options.Stores, chosen.patterns)
	if err != nil && !(function == "glob" && sqlerr.CodeOf(err) == sqlerr.UndefinedFile) {
		return nil, err
	}
	return c.table(&fileSet{Function: function, Patterns: chosen.patterns, Columns: lookColumns(function)}, files, chosen), nil
}

// look gives the rows of such a function.
func (c *Connector) look(ctx context.Context, set *fileSet, request connectors.ReadRequest) (vec.Source, error) {
	files, err := find(ctx, c.options.Stores, set.Patterns)
	if err != nil && !(set.Function == "glob" && sqlerr.CodeOf(err) == sqlerr.UndefinedFile) {
		return nil, err
	}
	columns := make([]types.Type, len(request.Scan.Columns))
	for i, column := range request.Scan.Columns {
		columns[i] = column.Type
	}
	s := &lookSource{connector: c, set: set, request: request, files: files, columns: columns}
	return s, nil
}

// lookSource gives one batch a file.
type lookSource struct {
	connector *Connector
	set       *fileSet
	request   connectors.ReadRequest
	files     []found
	columns   []types.Type
}

// Next implements vec.Source.
func (s *lookSource) Next(ctx context.Context) (*vec.Batch, error) {
	for len(s.files) > 0 {
		rows, err := s.connector.rowsOf(ctx, s.set.Function, s.files[0])
		if err != nil {
			return nil, err
		}
		s.files = s.files[1:]
		if len(rows) == 0 {
			continue
		}
		b := vec.NewBatch(s.columns, len(rows))
		for i, column := range s.request.Scan.Columns {
			for row := range rows {
				b.Cols[i].SetDatum(row, rows[row][column.Ordinal])
			}
		}
		if f := s.request.Filter; f != nil {
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
	return nil, nil
}

// Close implements vec.Source.
func (s *lookSource) Close() error {
	s.files = nil
	return nil
}

func (c *Connector) rowsOf(ctx context.Context, function string, f found) ([][]types.Datum, error) {
	text, number := types.StringDatum, types.IntDatum
	switch function {
	case "glob":
		return [][]types.Datum{{text(f.shown), number(f.object.Size), number(f.object.Modified.UnixMicro())}}, nil
	case "orc_metadata":
		return c.stripesOf(ctx, f)
	}
	file, err := c.options.Opener.parquet(ctx, f.store, f.object)
	if err != nil {
		return nil, err
	}
	var out [][]types.Datum
	if function == "parquet_schema" {
		for i, field := range file.Schema() {
			out = append(out, []types.Datum{text(f.shown), text(field.Name), text(field.Type.String()), types.BoolDatum(field.Nullable), number(int64(file.FieldID(i)))})
		}
		return out, nil
	}
	for group := range file.RowGroups() {
		for i, field := range file.Schema() {
			stats := file.GroupStats(group, i)
			out = append(out, []types.Datum{text(f.shown), number(int64(group)), number(file.GroupRows(group)), number(int64(i)), text(field.Name),
				text(field.Type.String()), number(stats.Values), known(stats.Nulls), known(stats.Distinct), shownBound(field.Type, stats.Minimum),
				shownBound(field.Type, stats.Maximum), number(stats.Compressed), number(stats.Uncompressed), text(file.CreatedBy())})
		}
	}
	return out, nil
}

// stripesOf gives a row for each column of each stripe.
func (c *Connector) stripesOf(ctx context.Context, f found) ([][]types.Datum, error) {
	text, number := types.StringDatum, types.IntDatum
	file, err := c.options.Opener.orc(ctx, f.store, f.object)
	if err != nil {
		return nil, err
	}
	var out [][]types.Datum
	for stripe := range file.Stripes() {
		for i, field := range file.Schema() {
			stats := file.StripeStats(stripe, i)
			out = append(out, []types.Datum{text(f.shown), number(int64(stripe)), number(file.StripeRows(stripe)), number(file.StripeBytes(stripe)),
				number(int64(i)), text(field.Name), text(field.Type.String()), number(stats.Values), known(stats.Nulls),
				shownBound(field.Type, stats.Minimum), shownBound(field.Type, stats.Maximum), text(file.Compression()), text(file.Software())})
		}
	}
	return out, nil
}

func known(n int64) types.Datum {
	if n < 0 {
		return types.NullDatum()
	}
	return types.IntDatum(n)
}

func shownBound(t types.Type, d *types.Datum) types.Datum {
	if d == nil {
		return types.NullDatum()
	}
	s, err := partition.Format(t, *d)
	if err != nil {
		return types.NullDatum()
	}
	if t.Kind == types.Bytea {
		s = strconv.Quote(s)
	}
	return types.StringDatum(s)
}
