package catalog

import (
	"context"
	"database/sql"
	"errors"
	"maps"
	"slices"
	"strconv"

	"github.com/tarnlake/tarn/connectors"
	"github.com/tarnlake/tarn/internal/colstats"
	"github.com/tarnlake/tarn/internal/sqlerr"
)

// totals sums up files.
type totals struct{ rows, bytes, files int64 }

func (t *totals) add(o totals) {
	t.rows += o.rows
	t.bytes += o.bytes
	t.files += o.files
}

// writeData writes the files and a new version of every table that changed; redefined lists those
// whose definitions did.
func (w *writer) writeData(ctx context.Context, redefined []int64) error {
	changed := map[int64]bool{}
	for _, id := range redefined {
		changed[id] = true
	}
	for id := range w.state.writes {
		if id > 0 {
			changed[id] = changed[id] || false
		}
	}
	for id := range w.state.sketches { // a version as well: plans made before are out of date
		if id > 0 {
			changed[id] = changed[id] || false
		}
	}
	for _, id := range slices.Sorted(maps.Keys(changed)) {
		t := w.state.tables[id]
		if t == nil && !changed[id] {
			t = w.base.tables[id]
		}
		var begun totals
		if writes := w.state.writes[id]; writes != nil && t != nil {
			var err error
			if begun, err = w.writeTable(ctx, t, writes); err != nil {
				return err
			}
		}
		if err := w.writeVersion(ctx, id, t, changed[id], begun); err != nil {
			return err
		}
	}
	return nil
}

// writeTable writes one table's files and partitions and gives the totals of the new partition rows.
func (w *writer) writeTable(ctx context.Context, t *Table, writes *tableWrites) (begun totals, err error) {
	if err := w.endPartitions(ctx, t.ID, writes); err != nil {
		return begun, err
	}
	if err := w.endFiles(ctx, t.ID, writes); err != nil {
		return begun, err
	}
	rows := make([][]any, 0, len(writes.added))
	for _, f := range writes.added {
		rows = append(rows, []any{t.ID, f.Partition, f.Path, f.Size, f.Rows, f.ETag, notNil(f.Stats), w.commit, current})
	}
	err = w.tx.c.db.insert(ctx, w.q, "tarn_files (table_id, partition_key, path, size, row_count, etag, stats, begin_commit, end_commit)", rows)
	if err != nil {
		return begun, err
	}
	return w.beginPartitions(ctx, t, writes)
}

func notNil(b []byte) []byte {
	if b == nil {
		return []byte{}
	}
	return b
}

// endPartitions ends whole partitions and their files.
func (w *writer) endPartitions(ctx context.Context, table int64, writes *tableWrites) error {
	for _, rows := range []struct{ name, key string }{{"tarn_files", "partition_key"}, {"tarn_partitions", "key"}} {
		query := "UPDATE " + rows.name + " SET end_commit = $1 WHERE table_id = $2 AND end_commit = $3"
		if writes.removedAll {
			if err := w.exec(ctx, query, w.commit, table, current); err != nil {
				return err
			}
			continue
		}
		for chunk := range slices.Chunk(slices.Sorted(maps.Keys(writes.removedPartitions)), 100) {
			args := []any{w.commit, table, current}
			for _, key := range chunk {
				args = append(args, key)
			}
			if err := w.exec(ctx, query+" AND "+rows.key+" IN ("+placeholders(4, len(chunk))+")", args...); err != nil {
				return err
			}
		}
	}
	return nil
}

// endFiles ends single files, all of which must be current.
func (w *writer) endFiles(ctx context.Context, table int64, writes *tableWrites) error {
	for chunk := range slices.Chunk(slices.Sorted(maps.Keys(writes.removedFiles)), 100) {
		args := []any{w.commit, table, current}
		for _, path := range chunk {
			args = append(args, path)
		}
		result, err := w.q.ExecContext(ctx, "UPDATE tarn_files SET end_commit = $1 WHERE table_id = $2 AND end_commit = $3 AND path IN ("+
			placeholders(4, len(chunk))+")", args...)
		if err != nil {
			return err
		}
		if n, err := result.RowsAffected(); err != nil || n != int64(len(chunk)) {
			return sqlerr.Internal("%d of %d replaced files are listed (%v)", n, len(chunk), err)
		}
	}
	return nil
}

// partitionSum is a partition's row in the making.
type partitionSum struct {
	totals
	summary  *colstats.Summary
	sketches colstats.Sketches
}

// beginPartitions gives every touched partition a new row.
func (w *writer) beginPartitions(ctx context.Context, t *Table, writes *tableWrites) (begun totals, err error) {
	sums := map[string]*partitionSum{}
	sum := func(key string) *partitionSum {
		if sums[key] == nil {
			sums[key] = &partitionSum{summary: &colstats.Summary{}, sketches: colstats.Sketches{}}
		}
		return sums[key]
	}
	shrunk := map[string]bool{} // their old rows' figures are of no use
	for _, f := range writes.removedFiles {
		shrunk[f.Partition] = true
		sum(f.Partition)
	}
	for _, f := range writes.added {
		sum(f.Partition)
	}
	keys := slices.Sorted(maps.Keys(sums))
	if err := w.takeOver(ctx, t, keys, shrunk, sums); err != nil {
		return begun, err
	}
	for _, f := range writes.added {
		s := sum(f.Partition)
		if shrunk[f.Partition] { // counted with the files that stayed; only its sketches are new
			more, err := colstats.UnpackSketches(f.Sketches)
			if err != nil {
				return begun, err
			}
			s.sketches.Merge(more)
			continue
		}
		s.add(totals{f.Rows, f.Size, 1})
		if err := mergeFile(t, s.summary, s.sketches, f); err != nil {
			return begun, err
		}
	}
	var rows [][]any
	for _, key := range keys {
		s := sums[key]
		if s.files == 0 {
			continue
		}
		begun.add(s.totals)
		for i := range s.summary.Columns {
			if c := &s.summary.Columns[i]; s.sketches[c.ID] != nil {
				c.Distinct = s.sketches[c.ID].Estimate()
			}
		}
		rows = append(rows, []any{t.ID, key, s.rows, s.bytes, s.files, s.summary.Pack(), s.sketches.Pack(), w.commit, current})
	}
	return begun, w.tx.c.db.insert(ctx, w.q, `tarn_partitions (table_id, key, row_count, byte_count, file_count, summary, sketches, begin_commit, end_commit)`, rows)
}

// takeOver ends the current rows of partitions and carries their figures over.
func (w *writer) takeOver(ctx context.Context, t *Table, keys []string, shrunk map[string]bool, sums map[string]*partitionSum) error {
	for chunk := range slices.Chunk(keys, 100) {
		args := []any{t.ID, current}
		for _, key := range chunk {
			args = append(args, key)
		}
		in := " WHERE table_id = $1 AND end_commit = $2 AND key IN (" + placeholders(3, len(chunk)) + ")"
		err := each(ctx, w.q, "SELECT key, row_count, byte_count, file_count, summary, sketches FROM tarn_partitions"+in, args, func(row *sql.Rows) error {
			var key string
			var old totals
			var summary, sketches []byte
			if err := row.Scan(&key, &old.rows, &old.bytes, &old.files, &summary, &sketches); err != nil {
				return err
			}
			s := sums[key]
			var err error
			if s.sketches, err = colstats.UnpackSketches(sketches); err != nil || shrunk[key] {
				return err
			}
			s.totals = old
			s.summary, err = colstats.Unpack(summary)
			return err
		})
		if err != nil {
			return err
		}
		args[0], args[1] = t.ID, current
		err = w.exec(ctx, "UPDATE tarn_partitions SET end_commit = $"+strconv.Itoa(len(args)+1)+in, append(args, w.commit)...)
		if err != nil {
			return err
		}
	}
	for key := range shrunk {
		if err := w.recount(ctx, t, key, sums[key]); err != nil {
			return err
		}
	}
	return nil
}

// recount sums up the files that a partition has now.
func (w *writer) recount(ctx context.Context, t *Table, key string, s *partitionSum) error {
	return each(ctx, w.q, "SELECT size, row_count, stats FROM tarn_files WHERE table_id = $1 AND partition_key = $2 AND end_commit = $3",
		[]any{t.ID, key, current}, func(row *sql.Rows) error {
			var f connectors.DataFile
			if err := row.Scan(&f.Size, &f.Rows, &f.Stats); err != nil {
				return err
			}
			s.add(totals{f.Rows, f.Size, 1})
			return mergeFile(t, s.summary, s.sketches, f)
		})
}

// writeVersion adds a version to a table's history. t is nil when the table is dropped.
func (w *writer) writeVersion(ctx context.Context, id int64, t *Table, definition bool, begun totals) error {
	var version int64
	var before, ended totals
	err := w.q.QueryRowContext(ctx, `SELECT v.version, v.row_count, v.byte_count, v.file_count FROM tarn_heads h
		JOIN tarn_versions v ON v.table_id = h.table_id AND v.version = h.version WHERE h.table_id = $1`, id).
		Scan(&version, &before.rows, &before.bytes, &before.files)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return err
	}
	err = w.q.QueryRowContext(ctx, `SELECT COALESCE(SUM(row_count), 0), COALESCE(SUM(byte_count), 0), COALESCE(SUM(file_count), 0)
		FROM tarn_partitions WHERE table_id = $1 AND end_commit = $2`, id, w.commit).Scan(&ended.rows, &ended.bytes, &ended.files)
	if err != nil {
		return err
	}
	version++
	w.versions[id] = version
	err = w.exec(ctx, `INSERT INTO tarn_versions (table_id, version, commit_id, operation, definition, row_count, byte_count, file_count)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`, id, version, w.commit, w.kindOperation(id, t), bit(definition),
		before.rows-ended.rows+begun.rows, before.bytes-ended.bytes+begun.bytes, before.files-ended.files+begun.files)
	if err != nil {
		return err
	}
	return w.exec(ctx, `INSERT INTO tarn_heads (table_id, version, commit_id, vacuumed) VALUES ($1, $2, $3, 0)
		ON CONFLICT (table_id) DO UPDATE SET version = $2, commit_id = $3`, id, version, w.commit)
}

// writeSketches brings the tables' own sketches up to date: those of ANALYZE replace, those of new
// files add. What was deleted still counts until the next ANALYZE or full overwrite.
func (w *writer) writeSketches(ctx context.Context) error {
	fresh := map[int64][]byte{}
	for id, writes := range w.state.writes {
		if id < 0 || w.state.tables[id] == nil && w.base.tables[id] == nil {
			continue
		}
		merged := colstats.Sketches{}
		if !writes.removedAll {
			var stored []byte
			err := w.q.QueryRowContext(ctx, "SELECT sketches FROM tarn_statistics WHERE table_id = $1", id).Scan(&stored)
			if err != nil && !errors.Is(err, sql.ErrNoRows) {
				return err
			}
			if merged, err = colstats.UnpackSketches(stored); err != nil {
				return err
			}
		}
		for _, f := range writes.added {
			more, err := colstats.UnpackSketches(f.Sketches)
			if err != nil {
				return err
			}
			merged.Merge(more)
		}
		fresh[id] = merged.Pack()
	}
	for id, packed := range w.state.sketches {
		if id > 0 {
			fresh[id] = packed
		}
	}
	for id, packed := range fresh {
		err := w.exec(ctx, `INSERT INTO tarn_statistics (table_id, sketches, analyzed_at) VALUES ($1, $2, $3)
			ON CONFLICT (table_id) DO UPDATE SET sketches = $2, analyzed_at = $3`, id, packed, w.tx.c.options.Now().UnixMicro())
		if err != nil {
			return err
		}
	}
	return nil
}
