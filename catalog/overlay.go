package catalog

import (
	"context"
	"maps"
	"slices"

	"github.com/tarnlake/tarn/connectors"
	"github.com/tarnlake/tarn/internal/colstats"
	"github.com/tarnlake/tarn/internal/partition"
	"github.com/tarnlake/tarn/internal/sqlerr"
)

// tableWrites is what a transaction has done to a table's files. It is replaced, never changed.
type tableWrites struct {
	// removedAll, removedPartitions and removedFiles hide files that the snapshot has.
	removedAll        bool
	removedPartitions map[string]bool
	removedFiles      map[string]connectors.DataFile // by path
	added             []connectors.DataFile
	// specs and keys are the partitions that nobody else may have changed since the snapshot.
	specs []connectors.PartitionSpec
	keys  map[string]bool
}

func (w *tableWrites) clone() *tableWrites {
	if w == nil {
		return &tableWrites{removedPartitions: map[string]bool{}, removedFiles: map[string]connectors.DataFile{}, keys: map[string]bool{}}
	}
	return &tableWrites{w.removedAll, maps.Clone(w.removedPartitions), maps.Clone(w.removedFiles), slices.Clone(w.added),
		slices.Clone(w.specs), maps.Clone(w.keys)}
}

// removePartition hides a partition, the transaction's own files in it too.
func (w *tableWrites) removePartition(key string) {
	w.removedPartitions[key] = true
	w.added = slices.DeleteFunc(w.added, func(f connectors.DataFile) bool { return f.Partition == key })
	maps.DeleteFunc(w.removedFiles, func(_ string, f connectors.DataFile) bool { return f.Partition == key })
}

func (w *tableWrites) removeAll() {
	w.removedAll, w.added = true, nil
	clear(w.removedPartitions)
	clear(w.removedFiles)
}

// basePartitions lists the partitions that the table has in the snapshot. mu is held.
func (tx *Tx) basePartitions(ctx context.Context, id int64) ([]*Partition, error) {
	if id < 0 {
		return tx.tempBase.partitions[id], nil
	}
	t := tx.base.tables[id]
	if t == nil || t.Kind == connectors.View {
		return nil, nil
	}
	return tx.c.partitionsAt(ctx, id, tx.headCommit(id), t.PartitionTypes())
}

// partitions lists the partitions of the present state, by key. mu is held.
func (tx *Tx) partitions(ctx context.Context, id int64) ([]*Partition, error) {
	w := tx.state.writes[id]
	if w == nil {
		return tx.basePartitions(ctx, id)
	}
	if known, ok := tx.overlaid[id]; ok {
		return known, nil
	}
	base, err := tx.basePartitions(ctx, id)
	if err != nil {
		return nil, err
	}
	out, err := tx.overlay(ctx, tx.tableByID(id), w, base)
	if err == nil {
		tx.overlaid[id] = out
	}
	return out, err
}

func (tx *Tx) overlay(ctx context.Context, t *Table, w *tableWrites, base []*Partition) ([]*Partition, error) {
	changed := map[string][]connectors.DataFile{} // what is left of the base files and what was added
	for _, f := range w.removedFiles {
		changed[f.Partition] = nil
	}
	for _, f := range w.added {
		changed[f.Partition] = nil
	}
	var out, old []*Partition
	for _, p := range base {
		if w.removedAll || w.removedPartitions[p.Key] {
			continue
		}
		if _, touched := changed[p.Key]; touched {
			old = append(old, p)
		} else {
			out = append(out, p)
		}
	}
	left, err := tx.c.filesOf(ctx, t.ID, tx.headCommit(t.ID), old)
	if err != nil {
		return nil, err
	}
	for _, f := range left {
		if _, removed := w.removedFiles[f.Path]; !removed {
			changed[f.Partition] = append(changed[f.Partition], f)
		}
	}
	for _, f := range w.added {
		changed[f.Partition] = append(changed[f.Partition], f)
	}
	for key, files := range changed {
		if len(files) == 0 {
			continue
		}
		p, err := stagedPartition(t, key, files)
		if err != nil {
			return nil, err
		}
		out = append(out, p)
	}
	sortPartitions(out)
	return out, nil
}

// stagedPartition makes the partition that consists of files.
func stagedPartition(t *Table, key string, files []connectors.DataFile) (*Partition, error) {
	values, err := partition.Values(t.PartitionTypes(), key)
	if err != nil {
		return nil, err
	}
	p := &Partition{Key: key, Values: values, Files: int64(len(files)), staged: files}
	summary, sketches := &colstats.Summary{}, colstats.Sketches{}
	for _, f := range files {
		p.Rows += f.Rows
		p.Bytes += f.Size
		if err := mergeFile(t, summary, sketches, f); err != nil {
			return nil, err
		}
	}
	p.summary = summary.Pack()
	p.sketches = sketches.Pack()
	return p, nil
}

// mergeFile adds a file's statistics; a file without any makes all columns unknown.
func mergeFile(t *Table, summary *colstats.Summary, sketches colstats.Sketches, f connectors.DataFile) error {
	of := &colstats.Summary{Rows: f.Rows}
	if len(f.Stats) > 0 {
		var err error
		if of, err = colstats.Unpack(f.Stats); err != nil {
			return err
		}
	}
	summary.Merge(of, t.typeOf)
	more, err := colstats.UnpackSketches(f.Sketches)
	if err != nil {
		return err
	}
	sketches.Merge(more)
	return nil
}

// Partitions lists a table's partitions in the present state, by key.
func (tx *Tx) Partitions(ctx context.Context, table int64) ([]*Partition, error) {
	tx.mu.Lock()
	defer tx.mu.Unlock()
	if tx.tableByID(table) == nil {
		return nil, sqlerr.Internal("table %d is gone", table)
	}
	return tx.partitions(ctx, table)
}

// ListFiles lists a table's files in the present state, by partition.
func (tx *Tx) ListFiles(ctx context.Context, table int64) ([]connectors.DataFile, error) {
	tx.mu.Lock()
	defer tx.mu.Unlock()
	partitions, err := tx.partitions(ctx, table)
	if err != nil {
		return nil, err
	}
	return tx.c.filesOf(ctx, table, tx.headCommit(table), partitions)
}
