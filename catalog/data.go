package catalog

import (
	"context"
	"database/sql"
	"slices"
	"strings"

	"github.com/tarnlake/tarn/connectors"
	"github.com/tarnlake/tarn/internal/partition"
	"github.com/tarnlake/tarn/internal/sqlerr"
	"github.com/tarnlake/tarn/internal/types"
)

// dataCache holds lists of partitions and of files. Both are named by commits and so never stale.
type dataCache struct {
	partitions *lru[listKey, []*Partition]
	newest     *lru[int64, int64] // the last commit whose list of a table was loaded
	files      *lru[filesKey, []connectors.DataFile]
	statistics *lru[listKey, connectors.TableStats] // of whole tables
}

type listKey struct{ table, commit int64 }

type filesKey struct {
	table int64
	key   string
	begin int64
}

func newDataCache() *dataCache {
	return &dataCache{
		partitions: newLRU[listKey, []*Partition](128 << 20),
		newest:     newLRU[int64, int64](100_000),
		files:      newLRU[filesKey, []connectors.DataFile](128 << 20),
		statistics: newLRU[listKey, connectors.TableStats](1000),
	}
}

const selectPartitions = "SELECT key, row_count, byte_count, file_count, summary, begin_commit FROM tarn_partitions WHERE table_id = $1 AND "

// partitionsAt lists a table's partitions as of a commit, ordered by key.
func (c *Catalog) partitionsAt(ctx context.Context, table, commit int64, columnTypes []types.Type) ([]*Partition, error) {
	if known, ok := c.data.partitions.get(listKey{table, commit}); ok {
		return known, nil
	}
	var out []*Partition
	err := c.db.view(ctx, func(tx *sql.Tx) (err error) {
		if from, ok := c.data.newest.get(table); ok && from < commit {
			if old, ok := c.data.partitions.get(listKey{table, from}); ok {
				var vacuumed int64
				err = tx.QueryRowContext(ctx, "SELECT COALESCE(MAX(vacuumed), $2) FROM tarn_heads WHERE table_id = $1", table, current).Scan(&vacuumed)
				if err != nil {
					return err
				}
				if vacuumed <= from { // else rows that ended since may be gone
					out, err = advancePartitions(ctx, tx, table, old, from, commit, columnTypes)
					return err
				}
			}
		}
		if err = stillReadable(ctx, tx, table, commit); err == nil {
			out, err = loadPartitions(ctx, tx, selectPartitions+"begin_commit <= $2 AND $2 < end_commit", []any{table, commit}, columnTypes)
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	weight := int64(64)
	for _, p := range out {
		weight += int64(200 + len(p.Key) + len(p.summary))
	}
	c.data.partitions.put(listKey{table, commit}, out, weight)
	if from, ok := c.data.newest.get(table); !ok || from < commit {
		c.data.newest.put(table, commit, 1)
	}
	return out, nil
}

func loadPartitions(ctx context.Context, q querier, query string, args []any, columnTypes []types.Type) ([]*Partition, error) {
	var out []*Partition
	err := each(ctx, q, query, args, func(row *sql.Rows) error {
		p := &Partition{}
		err := row.Scan(&p.Key, &p.Rows, &p.Bytes, &p.Files, &p.summary, &p.Begin)
		if err != nil {
			return err
		}
		out = append(out, p)
		p.Values, err = partition.Values(columnTypes, p.Key)
		return err
	})
	sortPartitions(out)
	return out, err
}

func sortPartitions(list []*Partition) {
	slices.SortFunc(list, func(a, b *Partition) int { return strings.Compare(a.Key, b.Key) })
}

// advancePartitions gives the list at commit from the list at an earlier one.
func advancePartitions(ctx context.Context, q querier, table int64, old []*Partition, from, commit int64, columnTypes []types.Type) ([]*Partition, error) {
	ended := map[string]bool{}
	err := each(ctx, q, "SELECT key FROM tarn_partitions WHERE table_id = $1 AND end_commit > $2 AND end_commit <= $3",
		[]any{table, from, commit}, func(row *sql.Rows) error {
			var key string
			err := row.Scan(&key)
			ended[key] = true
			return err
		})
	if err != nil {
		return nil, err
	}
	begun, err := loadPartitions(ctx, q, selectPartitions+"begin_commit > $2 AND begin_commit <= $3 AND end_commit > $3",
		[]any{table, from, commit}, columnTypes)
	if err != nil {
		return nil, err
	}
	out := make([]*Partition, 0, len(old)+len(begun))
	for _, p := range old {
		if !ended[p.Key] {
			out = append(out, p)
		}
	}
	out = append(out, begun...)
	sortPartitions(out)
	return out, nil
}

// filesOf lists the files of partitions that partitionsAt gave for commit, in their order.
func (c *Catalog) filesOf(ctx context.Context, table, commit int64, partitions []*Partition) ([]connectors.DataFile, error) {
	lists := make([][]connectors.DataFile, len(partitions))
	missing := map[string]int{}
	total := 0
	for i, p := range partitions {
		if p.Begin == 0 {
			lists[i] = p.staged
		} else if known, ok := c.data.files.get(filesKey{table, p.Key, p.Begin}); ok {
			lists[i] = known
		} else {
			missing[p.Key] = i
		}
	}
	if len(missing) > 0 {
		if err := c.loadFiles(ctx, table, commit, partitions, missing, lists); err != nil {
			return nil, err
		}
	}
	for _, list := range lists {
		total += len(list)
	}
	out := make([]connectors.DataFile, 0, total)
	for _, list := range lists {
		out = append(out, list...)
	}
	return out, nil
}

// loadFiles fills lists[missing[key]] and the cache.
func (c *Catalog) loadFiles(ctx context.Context, table, commit int64, partitions []*Partition, missing map[string]int, lists [][]connectors.DataFile) error {
	query := `SELECT partition_key, path, size, row_count, etag, stats FROM tarn_files
		WHERE table_id = $1 AND begin_commit <= $2 AND $2 < end_commit`
	args := []any{table, commit}
	if len(missing) <= 100 { // else reading all is cheaper
		for key := range missing {
			args = append(args, key)
		}
		query += " AND partition_key IN (" + placeholders(3, len(missing)) + ")"
	}
	err := each(ctx, c.db.read, query+" ORDER BY partition_key, begin_commit, path", args, func(row *sql.Rows) error {
		var f connectors.DataFile
		if err := row.Scan(&f.Partition, &f.Path, &f.Size, &f.Rows, &f.ETag, &f.Stats); err != nil {
			return err
		}
		if at, ok := missing[f.Partition]; ok {
			lists[at] = append(lists[at], f)
		}
		return nil
	})
	if err == nil {
		err = stillReadable(ctx, c.db.read, table, commit)
	}
	if err != nil {
		return c.db.wrap(ctx, err)
	}
	for _, at := range missing {
		weight := int64(64)
		for _, f := range lists[at] {
			weight += int64(150 + len(f.Path) + len(f.Stats))
		}
		c.data.files.put(filesKey{table, partitions[at].Key, partitions[at].Begin}, lists[at], weight)
	}
	return nil
}

// stillReadable fails when VACUUM has removed rows that a table has at a commit: a lease prevents that,
// unless this server was cut off or frozen for longer than it lasts.
func stillReadable(ctx context.Context, q querier, table, commit int64) error {
	var heads, later int64
	err := q.QueryRowContext(ctx, `SELECT COUNT(DISTINCT h.table_id), COUNT(v.version) FROM tarn_heads h
		LEFT JOIN tarn_versions v ON v.table_id = h.table_id AND v.commit_id > $2 AND v.commit_id <= h.vacuumed
		WHERE h.table_id = $1`, table, commit).Scan(&heads, &later)
	if err == nil && (heads == 0 || later > 0) {
		return sqlerr.New(sqlerr.SnapshotTooOld, "snapshot too old").
			WithDetail("VACUUM has removed what this transaction reads: the server had no contact with the catalog for longer than its lease.").
			WithHint("Run the transaction again.")
	}
	return err
}
