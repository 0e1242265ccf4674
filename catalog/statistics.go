package catalog

import (
	"context"
	"database/sql"
	"errors"

	"github.com/tarnlake/tarn/connectors"
	"github.com/tarnlake/tarn/internal/colstats"
	"github.com/tarnlake/tarn/internal/types"
)

// maxSketchedPartitions is how many partitions' own sketches are merged for a scan; for more, those
// of the whole table bound the estimate.
const maxSketchedPartitions = 32

// Statistics tells what is known of the rows that a scan would give: those of the partitions that
// its domains leave. Like Files it knows snapshots and live transactions. The result is shared and
// must not be changed.
func (c *Catalog) Statistics(ctx context.Context, scan connectors.Scan) (connectors.TableStats, error) {
	handle, err := connectors.ParseFileTable(scan.Handle)
	if err != nil {
		return connectors.TableStats{}, err
	}
	partitions, err := c.partitionsOf(ctx, handle)
	if err != nil {
		return connectors.TableStats{}, err
	}
	p := newPruner(handle, scan.Columns, scan.Domains)
	kept := make([]*Partition, 0, len(partitions))
	for _, each := range partitions {
		if p.partition(each) {
			kept = append(kept, each)
		}
	}
	whole := len(kept) == len(partitions)
	if !whole || handle.Transaction != "" {
		return c.statistics(ctx, handle, kept, whole)
	}
	key := listKey{handle.ID, handle.Commit}
	if known, ok := c.data.statistics.get(key); ok {
		return known, nil
	}
	stats, err := c.statistics(ctx, handle, kept, whole)
	if err == nil {
		c.data.statistics.put(key, stats, 1)
	}
	return stats, err
}

func (c *Catalog) statistics(ctx context.Context, handle *connectors.FileTable, partitions []*Partition, whole bool) (connectors.TableStats, error) {
	out := connectors.TableStats{Exact: true, Columns: map[int]connectors.ColumnStats{}}
	typeOf := handleTypes(handle)
	merged := &colstats.Summary{}
	for _, p := range partitions {
		out.Rows += float64(p.Rows)
		out.Bytes += float64(p.Bytes)
		summary, err := colstats.Unpack(p.summary)
		if err != nil {
			return out, err
		}
		if len(summary.Columns) == 0 && p.Rows > 0 {
			out.Exact = false // nobody looked into its files: the rows are a guess
		}
		merged.Merge(summary, typeOf)
	}
	sketches, err := c.sketches(ctx, handle, partitions, whole)
	if err != nil {
		return out, err
	}
	for ordinal, column := range handle.Columns {
		known := merged.Column(column.ID)
		if known == nil || merged.Rows == 0 {
			continue
		}
		stats := connectors.ColumnStats{NullFraction: float64(known.Nulls) / float64(merged.Rows), Minimum: known.Minimum, Maximum: known.Maximum}
		values := float64(merged.Rows - known.Nulls)
		stats.Distinct = known.Distinct
		if s := sketches[column.ID]; s != nil {
			stats.Distinct = s.Estimate()
		}
		stats.Distinct = min(stats.Distinct, values)
		if known.Physical == types.PhysString && values > 0 {
			stats.AverageWidth = float64(known.Bytes) / values
		}
		out.Columns[ordinal] = stats
	}
	partitionStatistics(handle, partitions, &out)
	return out, nil
}

func handleTypes(handle *connectors.FileTable) func(int32) (types.Type, bool) {
	return func(id int32) (types.Type, bool) {
		for _, c := range handle.Columns {
			if c.ID == id {
				return c.Type, true
			}
		}
		return types.Type{}, false
	}
}

// sketches merges what is known of the distinct values in partitions.
func (c *Catalog) sketches(ctx context.Context, handle *connectors.FileTable, partitions []*Partition, whole bool) (colstats.Sketches, error) {
	merged := colstats.Sketches{}
	add := func(packed []byte) error {
		more, err := colstats.UnpackSketches(packed)
		merged.Merge(more)
		return err
	}
	stored := []any{handle.ID, handle.Commit}
	for _, p := range partitions {
		if p.Begin == 0 {
			if err := add(p.sketches); err != nil {
				return nil, err
			}
			continue
		}
		stored = append(stored, p.Key)
	}
	keys := len(stored) - 2
	if keys == 0 || handle.ID < 0 {
		return merged, nil
	}
	if whole || keys > maxSketchedPartitions {
		var packed []byte
		err := c.db.read.QueryRowContext(ctx, "SELECT sketches FROM tarn_statistics WHERE table_id = $1", handle.ID).Scan(&packed)
		if errors.Is(err, sql.ErrNoRows) {
			return merged, nil
		}
		if err != nil {
			return nil, c.db.wrap(ctx, err)
		}
		return merged, add(packed)
	}
	err := each(ctx, c.db.read, `SELECT sketches FROM tarn_partitions WHERE table_id = $1 AND begin_commit <= $2 AND $2 < end_commit
		AND key IN (`+placeholders(3, keys)+")", stored, func(row *sql.Rows) error {
		var packed []byte
		if err := row.Scan(&packed); err != nil {
			return err
		}
		return add(packed)
	})
	return merged, c.db.wrap(ctx, err)
}

// partitionStatistics fills in the partition columns, whose values are known exactly.
func partitionStatistics(handle *connectors.FileTable, partitions []*Partition, out *connectors.TableStats) {
	for at, ordinal := range handle.Partition {
		t := handle.Columns[ordinal].Type
		var stats connectors.ColumnStats
		var rows, nulls, width float64
		distinct := map[string]bool{}
		for _, p := range partitions {
			rows += float64(p.Rows)
			v := p.Values[at]
			if v.Null {
				nulls += float64(p.Rows)
				continue
			}
			distinct[segmentOf(p.Key, at)] = true
			width += float64(len(v.Str)) * float64(p.Rows)
			if stats.Minimum == nil || types.CompareDatums(t, v, *stats.Minimum) < 0 {
				stats.Minimum = &v
			}
			if stats.Maximum == nil || types.CompareDatums(t, v, *stats.Maximum) > 0 {
				stats.Maximum = &v
			}
		}
		stats.Distinct = float64(len(distinct))
		if rows > 0 {
			stats.NullFraction = nulls / rows
		}
		if rows > nulls {
			stats.AverageWidth = width / (rows - nulls)
		}
		out.Columns[ordinal] = stats
	}
}

// segmentOf gives the at-th part of a partition's key.
func segmentOf(key string, at int) string {
	for from := 0; ; at-- {
		end := from
		for end < len(key) && key[end] != '/' {
			end++
		}
		if at == 0 || end == len(key) {
			return key[from:end]
		}
		from = end + 1
	}
}

// LatestPartition gives the greatest value of a table's first partition column among partitions
// that hold rows, and the column's type; NULL when there is none.
func (tx *Tx) LatestPartition(ctx context.Context, schema, name string) (types.Datum, types.Type, error) {
	tx.mu.Lock()
	defer tx.mu.Unlock()
	t, err := tx.find("relation", Name{schema, name})
	if err != nil {
		return types.NullDatum(), types.Type{}, err
	}
	if len(t.Partition) == 0 {
		return types.NullDatum(), types.Type{}, notPartitioned(t)
	}
	partitions, err := tx.partitions(ctx, t.ID)
	if err != nil {
		return types.NullDatum(), types.Type{}, err
	}
	column := t.Columns[t.ordinal(t.Partition[0])].Type
	latest := types.NullDatum()
	for _, p := range partitions {
		v := p.Values[0]
		if !v.Null && p.Rows > 0 && (latest.Null || types.CompareDatums(column, v, latest) > 0) {
			latest = v
		}
	}
	return latest, column, nil
}
