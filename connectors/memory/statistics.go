package memory

import (
	"fmt"
	"math"

	"github.com/tarnlake/tarn/connectors"
	"github.com/tarnlake/tarn/internal/types"
	"github.com/tarnlake/tarn/internal/vec"
)

// sampleRows is how many rows the estimates of distinct values are drawn from.
const sampleRows = 4096

// Stats gives the statistics of one version of a table. The number of rows, the bounds and the share of nulls are
// exact for scalar columns; distinct values are estimated from a sample. They are counted once, on first use.
func (c *Connector) Stats(table *connectors.Table) (connectors.TableStats, error) {
	found, err := c.content(table.Handle, table.Schema, table.Name)
	if err != nil {
		return connectors.TableStats{}, err
	}
	found.counted.Do(func() {
		found.stats = connectors.TableStats{
			Rows: float64(found.rows), Bytes: float64(found.bytes), Exact: true,
			Columns: map[int]connectors.ColumnStats{},
		}
		for ordinal := range table.Columns {
			if found.rows > 0 {
				found.stats.Columns[ordinal] = found.column(ordinal)
			}
		}
	})
	return found.stats, nil
}

// column counts one column.
func (c *content) column(ordinal int) connectors.ColumnStats {
	stats := connectors.ColumnStats{}
	nulls := int64(0)
	stride := max(1, c.rows/sampleRows)
	sample := newSample()
	position := int64(0)
	for _, b := range c.batches {
		v := &b.Cols[ordinal]
		nulls += nullsOf(v)
		bound(&stats, v)
		for row := 0; row < v.Len; row++ {
			if position%stride == 0 && !v.IsNull(row) {
				sample.add(v.Datum(row))
			}
			position++
		}
	}
	stats.NullFraction = float64(nulls) / float64(c.rows)
	stats.Distinct = sample.distinct(float64(c.rows - nulls))
	if sample.rows > 0 {
		stats.AverageWidth = float64(sample.width) / float64(sample.rows)
	}
	return stats
}

func nullsOf(v *vec.Vector) int64 {
	if v.Enc == vec.Const {
		if v.IsNull(0) {
			return int64(v.Len)
		}
		return 0
	}
	if v.Type.Kind == types.Unknown {
		return int64(v.Len)
	}
	return int64(v.Len - v.Valid.CountSet(v.Len))
}

// bound widens the bounds by a vector's values. Types other than numbers, dates and texts have none.
func bound(stats *connectors.ColumnStats, v *vec.Vector) {
	switch v.Type.Physical() {
	case types.PhysInt16:
		boundNumbers[int16](stats, v)
	case types.PhysInt32:
		boundNumbers[int32](stats, v)
	case types.PhysInt64:
		boundNumbers[int64](stats, v)
	case types.PhysString:
		boundTexts(stats, v)
	}
}

func boundNumbers[T int16 | int32 | int64](stats *connectors.ColumnStats, v *vec.Vector) {
	flat, index, constant := v.Base()
	values := vec.Values[T](flat)
	var low, high T
	found := false
	for row := range v.Len {
		if v.IsNull(row) {
			continue
		}
		at := row
		if constant {
			at = 0
		} else if index != nil {
			at = int(index[row])
		}
		value := values[at]
		if !found {
			low, high, found = value, value, true
		}
		low, high = min(low, value), max(high, value)
	}
	if found {
		widen(stats, types.IntDatum(int64(low)), types.IntDatum(int64(high)))
	}
}

func boundTexts(stats *connectors.ColumnStats, v *vec.Vector) {
	lowest, highest := -1, -1
	for row := range v.Len {
		if v.IsNull(row) {
			continue
		}
		if lowest < 0 || v.Str(row) < v.Str(lowest) {
			lowest = row
		}
		if highest < 0 || v.Str(row) > v.Str(highest) {
			highest = row
		}
	}
	if lowest >= 0 {
		widen(stats, v.Datum(lowest), v.Datum(highest))
	}
}

// widen makes the bounds include low and high.
func widen(stats *connectors.ColumnStats, low, high types.Datum) {
	if stats.Minimum == nil {
		stats.Minimum, stats.Maximum = &low, &high
		return
	}
	if low.I64 < stats.Minimum.I64 || low.Str < stats.Minimum.Str {
		stats.Minimum = &low
	}
	if high.I64 > stats.Maximum.I64 || high.Str > stats.Maximum.Str {
		stats.Maximum = &high
	}
}

// sample counts how often each value occurs among some of the rows.
type sample struct {
	seen  map[string]int
	rows  int
	width int
}

func newSample() *sample { return &sample{seen: map[string]int{}} }

func (s *sample) add(d types.Datum) {
	s.rows++
	s.width += len(d.Str)
	s.seen[fmt.Sprint(d)]++
}

// distinct estimates the number of different values among rows rows, by Haas and Stokes' formula: values seen once
// stand for others like them.
func (s *sample) distinct(rows float64) float64 {
	once := 0
	for _, times := range s.seen {
		if times == 1 {
			once++
		}
	}
	n, d := float64(s.rows), float64(len(s.seen))
	if n == 0 || n >= rows {
		return d
	}
	return math.Round(min(rows, n*d/(n-float64(once)+float64(once)*n/rows)))
}
