package catalog

import (
	"context"
	"slices"

	"github.com/tarnlake/tarn/connectors"
	"github.com/tarnlake/tarn/internal/partition"
	"github.com/tarnlake/tarn/internal/sqlerr"
	"github.com/tarnlake/tarn/internal/types"
)

// WriteFiles implements connectors.FileTransaction.
func (tx *Tx) WriteFiles(ctx context.Context, table int64, mode connectors.WriteMode, spec connectors.PartitionSpec, files []connectors.DataFile) error {
	operation := "INSERT"
	if mode != connectors.Append {
		operation = "INSERT OVERWRITE"
	}
	return tx.write(table, operation, func(t *Table, w *tableWrites) error {
		before, err := tx.partitions(ctx, table)
		if err != nil {
			return err
		}
		if mode == connectors.OverwriteDynamic && len(t.Partition) == 0 {
			mode = connectors.OverwriteStatic
		}
		switch mode {
		case connectors.Append:
			if err := checkWriteOnce(t, before, files); err != nil {
				return err
			}
		case connectors.OverwriteStatic:
			if err := w.overwrite(t, before, spec); err != nil {
				return err
			}
		case connectors.OverwriteDynamic:
			for _, key := range partitionsOf(files) {
				w.removePartition(key)
				w.keys[key] = true
			}
		}
		w.added = append(w.added, files...)
		return nil
	})
}

// write stages a change of a table's files.
func (tx *Tx) write(table int64, operation string, change func(t *Table, w *tableWrites) error) error {
	return tx.changeFiles(table, operation, func(t *Table, w *tableWrites) error {
		if t.Kind == connectors.External {
			return sqlerr.New(sqlerr.WrongObjectType, "cannot change rows of external table %q", t.Name).
				WithDetail("Its files belong to somebody else.").
				WithHint("Create a table of your own: CREATE TABLE ... AS SELECT ... FROM %s.", t.Name)
		}
		return change(t, w)
	})
}

func (tx *Tx) changeFiles(table int64, operation string, change func(t *Table, w *tableWrites) error) error {
	return tx.stage(func(state *staged) error {
		t := tx.tableByID(table)
		if t == nil {
			return sqlerr.New(sqlerr.UndefinedTable, "the table does not exist any more")
		}
		if t.Kind == connectors.View {
			return sqlerr.New(sqlerr.ObjectNotInPrerequisiteState, "cannot change rows of view %q", t.Name).
				WithDetail("Views are not updatable.")
		}
		w := state.writes[table].clone()
		if err := change(t, w); err != nil {
			return err
		}
		state.writes[table] = w
		if old := state.operations[table]; old == "" || old == operation {
			state.operations[table] = operation
		} else if old != "CREATE TABLE" {
			state.operations[table] = "WRITE"
		}
		return nil
	})
}

func partitionsOf(files []connectors.DataFile) []string {
	var keys []string
	for _, f := range files {
		keys = append(keys, f.Partition)
	}
	slices.Sort(keys)
	return slices.Compact(keys)
}

func (t *Table) writeOnce() bool { return t.Properties["write_once"] == "true" }

func checkWriteOnce(t *Table, before []*Partition, files []connectors.DataFile) error {
	if !t.writeOnce() {
		return nil
	}
	for _, key := range partitionsOf(files) {
		for _, p := range before {
			if p.Key == key {
				return alreadyWritten(t, key)
			}
		}
	}
	return nil
}

func alreadyWritten(t *Table, key string) error {
	what := "table"
	if len(t.Partition) > 0 {
		what = "partition " + partition.PathOfKey(t.partitionLabels(), key)
	}
	return sqlerr.New(sqlerr.ObjectNotInPrerequisiteState, "%s of write-once table %q has been written already", what, t.Name).
		WithHint("Replace it as a whole with INSERT OVERWRITE.")
}

// partitionLabels lists the present names of the partition columns.
func (t *Table) partitionLabels() []string {
	out := make([]string, len(t.Partition))
	for i, id := range t.Partition {
		out[i] = t.Columns[t.ordinal(id)].Name
	}
	return out
}

// PartitionLabel shows a partition as Hive's SHOW PARTITIONS does: "ds=2018-08-01".
func (t *Table) PartitionLabel(p *Partition) string {
	return partition.PathOfKey(t.partitionLabels(), p.Key)
}

func (w *tableWrites) overwrite(t *Table, before []*Partition, spec connectors.PartitionSpec) error {
	if len(spec) > len(t.Partition) {
		return sqlerr.Internal("%d values for %d partition columns", len(spec), len(t.Partition))
	}
	w.specs = append(w.specs, slices.Clone(spec))
	if !slices.ContainsFunc(spec, func(d *types.Datum) bool { return d != nil }) {
		w.removeAll()
		return nil
	}
	partitionTypes := t.PartitionTypes()
	for _, p := range before {
		if matches(partitionTypes, spec, p.Values) {
			w.removePartition(p.Key)
		}
	}
	return nil
}

func matches(columnTypes []types.Type, spec connectors.PartitionSpec, values []types.Datum) bool {
	for i, want := range spec {
		switch {
		case want == nil:
		case want.Null != values[i].Null:
			return false
		case !want.Null && types.CompareDatums(columnTypes[i], *want, values[i]) != 0:
			return false
		}
	}
	return true
}

// ReplaceFiles implements connectors.FileTransaction.
func (tx *Tx) ReplaceFiles(ctx context.Context, table int64, removed, added []connectors.DataFile) error {
	return tx.write(table, "DELETE", func(_ *Table, w *tableWrites) error { return w.exchange(removed, added) })
}

// SyncFiles stages what was found in the storage of an external table: files that are gone and files
// that are new.
func (tx *Tx) SyncFiles(ctx context.Context, table int64, removed, added []connectors.DataFile) error {
	return tx.changeFiles(table, "SYNC", func(t *Table, w *tableWrites) error {
		if t.Kind != connectors.External {
			return sqlerr.New(sqlerr.WrongObjectType, "%q is not an external table", t.Name)
		}
		return w.exchange(removed, added)
	})
}

// exchange takes files of the present state for others.
func (w *tableWrites) exchange(removed, added []connectors.DataFile) error {
	for _, f := range removed {
		w.keys[f.Partition] = true
		if at := slices.IndexFunc(w.added, func(a connectors.DataFile) bool { return a.Path == f.Path }); at >= 0 {
			w.added = slices.Delete(w.added, at, at+1)
			continue
		}
		w.removedFiles[f.Path] = f
	}
	w.added = append(w.added, added...)
	return nil
}

// DeletePartitions stages the removal of whole partitions, by key.
func (tx *Tx) DeletePartitions(table int64, keys []string) error {
	return tx.write(table, "DELETE", func(t *Table, w *tableWrites) error {
		for _, key := range keys {
			w.removePartition(key)
			w.keys[key] = true
		}
		return nil
	})
}

// Truncate stages the removal of all rows.
func (tx *Tx) Truncate(table int64) error {
	return tx.write(table, "TRUNCATE", func(t *Table, w *tableWrites) error {
		w.specs = append(w.specs, connectors.PartitionSpec{})
		w.removeAll()
		return nil
	})
}

// Restore stages the files that a table had in an earlier version in place of those it has now.
func (tx *Tx) Restore(ctx context.Context, table, version int64) error {
	past, err := tx.AtVersion(ctx, table, version)
	if err != nil {
		return err
	}
	handle, err := connectors.ParseFileTable(past.Handle)
	if err != nil {
		return err
	}
	t := tx.DefinitionByID(table)
	if t == nil || !slices.EqualFunc(handle.PartitionTypes(), t.PartitionTypes(), types.Type.Equal) {
		return sqlerr.New(sqlerr.ObjectNotInPrerequisiteState, "version %d of table %q is partitioned in another way", version, past.Name)
	}
	partitions, err := tx.c.partitionsAt(ctx, table, handle.Commit, handle.PartitionTypes())
	if err != nil {
		return err
	}
	files, err := tx.c.filesOf(ctx, table, handle.Commit, partitions)
	if err != nil {
		return err
	}
	return tx.write(table, "ROLLBACK", func(t *Table, w *tableWrites) error {
		w.specs = append(w.specs, connectors.PartitionSpec{})
		w.removeAll()
		w.added = slices.Clone(files)
		return nil
	})
}

// SetExternalFiles stages what an external table consists of, in place of what it did.
func (tx *Tx) SetExternalFiles(table int64, files []connectors.DataFile) error {
	return tx.stage(func(state *staged) error {
		t := tx.tableByID(table)
		if t == nil || t.Kind != connectors.External {
			return sqlerr.New(sqlerr.WrongObjectType, "not an external table")
		}
		w := state.writes[table].clone()
		w.specs = append(w.specs, connectors.PartitionSpec{})
		w.removeAll()
		w.added = slices.Clone(files)
		state.writes[table] = w
		if state.operations[table] == "" {
			state.operations[table] = "SYNC"
		}
		return nil
	})
}

// SetSketches stages what ANALYZE found: packed sketches of the whole table's columns.
func (tx *Tx) SetSketches(table int64, packed []byte) error {
	return tx.stage(func(state *staged) error {
		if tx.tableByID(table) == nil {
			return sqlerr.New(sqlerr.UndefinedTable, "the table does not exist any more")
		}
		state.sketches[table] = packed
		if state.operations[table] == "" {
			state.operations[table] = "ANALYZE"
		}
		return nil
	})
}
