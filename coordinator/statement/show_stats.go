package statement

import (
	"context"

	"github.com/tarnlake/tarn/connectors"
	"github.com/tarnlake/tarn/internal/types"
	"github.com/tarnlake/tarn/planner/parser/ast"
)

// statsListing is Trino's SHOW STATS: a row a column, and one for the table.
var statsListing = types.Schema{field("column_name", types.Text), field("data_size", types.Float64), field("distinct_values_count", types.Float64),
	field("nulls_fraction", types.Float64), field("row_count", types.Float64), field("low_value", types.Text), field("high_value", types.Text)}

func (r *run) fillStats(ctx context.Context, st *ast.Show, l *listing) error {
	if st.Query != nil {
		return r.unsupported(st.Query.Pos, "SHOW STATS FOR a query").WithHint("EXPLAIN shows the estimates of a query.")
	}
	t, err := r.relation(ctx, *st.Target)
	if err != nil {
		return err
	}
	stats, err := r.tx.TableStatistics(ctx, t)
	if err != nil {
		return err
	}
	for i, c := range t.Columns {
		row := []types.Datum{types.StringDatum(c.Name), types.NullDatum(), types.NullDatum(), types.NullDatum(), types.NullDatum(), types.NullDatum(), types.NullDatum()}
		if known, ok := stats.Columns[i]; ok {
			fillColumnStats(row, c, known, stats.Rows)
		}
		l.rows = append(l.rows, row)
	}
	l.add(types.NullDatum(), types.FloatDatum(stats.Bytes), types.NullDatum(), types.NullDatum(), types.FloatDatum(stats.Rows), types.NullDatum(), types.NullDatum())
	return nil
}

func fillColumnStats(row []types.Datum, c connectors.Column, known connectors.ColumnStats, rows float64) {
	if known.AverageWidth > 0 {
		row[1] = types.FloatDatum(known.AverageWidth * rows * (1 - known.NullFraction))
	}
	if known.Distinct > 0 {
		row[2] = types.FloatDatum(known.Distinct)
	}
	row[3] = types.FloatDatum(known.NullFraction)
	if known.Minimum != nil {
		row[5] = types.StringDatum(types.Format(c.Type, *known.Minimum, nil))
	}
	if known.Maximum != nil {
		row[6] = types.StringDatum(types.Format(c.Type, *known.Maximum, nil))
	}
}
