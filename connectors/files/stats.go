package files

import (
	"context"

	"github.com/tarnlake/tarn/connectors"
	"github.com/tarnlake/tarn/internal/colstats"
	"github.com/tarnlake/tarn/internal/types"
)

// maxFootersForStats bounds the footers that are read for statistics; of more files the first ones
// speak for the rest.
const maxFootersForStats = 64

// Stats gives what is known of a table that Resolve has given: from the footers of files that have them,
// guessed by size for the rest.
func (c *Connector) Stats(ctx context.Context, t *connectors.Table) (connectors.TableStats, error) {
	l, set, err := c.listingOf(ctx, t.Handle)
	if err != nil || set.Function != "" {
		return connectors.TableStats{}, err
	}
	c.mu.Lock()
	known := l.stats
	c.mu.Unlock()
	if known != nil {
		return *known, nil
	}
	out := connectors.TableStats{Columns: map[int]connectors.ColumnStats{}}
	for _, f := range l.files {
		out.Bytes += float64(f.object.Size)
	}
	if hasFooter(set.Format) {
		if err := c.footerStats(ctx, set, l.files, &out); err != nil {
			return out, err
		}
	} else {
		const bytesPerRow = 100
		out.Rows = out.Bytes / bytesPerRow
	}
	c.mu.Lock()
	l.stats = &out
	c.mu.Unlock()
	return out, nil
}

func (c *Connector) footerStats(ctx context.Context, set *fileSet, files []found, out *connectors.TableStats) error {
	looked := files[:min(len(files), maxFootersForStats)]
	opened := make([]footer, len(looked))
	err := inParallel(ctx, len(looked), func(ctx context.Context, i int) (err error) {
		opened[i], err = c.options.Opener.footer(ctx, set.Format, looked[i].store, looked[i].object)
		return err
	})
	if err != nil {
		return err
	}
	var columns []connectors.FileColumn
	for i, column := range set.Columns {
		if column.Source == fromFile {
			columns = append(columns, connectors.FileColumn{ID: int32(i), StorageName: column.Name, Type: column.Type})
		}
	}
	merged := &colstats.Summary{}
	var bytes float64
	for i, f := range opened {
		merged.Merge(f.summary(columns, false), func(id int32) (types.Type, bool) { return set.Columns[id].Type, true })
		bytes += float64(looked[i].object.Size)
	}
	out.Rows, out.Exact = float64(merged.Rows), len(looked) == len(files)
	if !out.Exact && bytes > 0 {
		out.Rows *= out.Bytes / bytes
	}
	for _, column := range merged.Columns {
		stats := connectors.ColumnStats{Minimum: column.Minimum, Maximum: column.Maximum, Distinct: column.Distinct}
		if merged.Rows > 0 {
			stats.NullFraction = float64(column.Nulls) / float64(merged.Rows)
		}
		if !out.Exact { // other files may hold other values
			stats.Minimum, stats.Maximum = nil, nil
		}
		out.Columns[int(column.ID)] = stats
	}
	return nil
}

// sameOrder tells whether a file's values are a column's, in the same order: a declared length or
// precision of seconds does not matter.
func sameOrder(file, column types.Type) bool {
	file.Length, column.Length = 0, 0
	return file.Equal(column)
}
