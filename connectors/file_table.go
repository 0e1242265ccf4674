package connectors

import (
	"context"
	"encoding/json"
	"time"

	"github.com/tarnlake/tarn/internal/sqlerr"
	"github.com/tarnlake/tarn/internal/types"
)

// FileTable is the Handle of a table whose rows lie in files that a catalog lists. A catalog makes
// it, a file connector reads it; workers need nothing else.
type FileTable struct {
	ID     int64
	Commit int64 // the snapshot
	// Transaction names the live transaction whose staged changes count as well; "" for none.
	Transaction string `json:",omitempty"`
	Location    string // URL or directory below which all files of the table lie
	Format      string // "parquet", "orc", "csv", "json"
	Columns     []FileColumn
	Partition   []int             // ordinals in Columns
	SortedBy    []int             `json:",omitempty"`
	Properties  map[string]string `json:",omitempty"`
}

// FileColumn is a column of a FileTable. StorageName is its name in files and partition paths: it
// stays when the column is renamed, and is unique among all columns that the table ever had.
type FileColumn struct {
	ID          int32
	Name        string
	StorageName string
	Type        types.Type
	NotNull     bool `json:",omitempty"`
}

// DataFile is a file of a table as a catalog lists it.
type DataFile struct {
	Path      string // relative to the table's location
	Size      int64
	Rows      int64
	ETag      string `json:",omitempty"` // "": not checked
	Partition string `json:",omitempty"` // partition.Key of its values
	Stats     []byte `json:",omitempty"` // packed colstats.Summary
	Sketches  []byte `json:",omitempty"` // packed colstats.Sketches, only on the way to a commit
}

// ParseFileTable reads a Handle.
func ParseFileTable(handle json.RawMessage) (*FileTable, error) {
	t := &FileTable{}
	if err := json.Unmarshal(handle, t); err != nil {
		return nil, sqlerr.Internal("table handle: %v", err)
	}
	return t, nil
}

// Encode gives the Handle.
func (t *FileTable) Encode() json.RawMessage {
	out, err := json.Marshal(t)
	if err != nil { // plain data: cannot fail
		panic(sqlerr.Internal("table handle: %v", err))
	}
	return out
}

// PartitionTypes lists the types of the partition columns.
func (t *FileTable) PartitionTypes() []types.Type {
	out := make([]types.Type, len(t.Partition))
	for i, ordinal := range t.Partition {
		out[i] = t.Columns[ordinal].Type
	}
	return out
}

// FileLister answers, on the coordinator, which files a scan of a FileTable has to read: those of
// its snapshot (with its transaction's staged changes) that may hold rows of its Domains. The
// partition columns' domains are applied exactly, the others through file statistics.
type FileLister interface {
	Files(ctx context.Context, scan Scan) (FileList, error)
}

// FileList is a pruned listing: Total counts the files before pruning.
type FileList struct {
	Files []DataFile
	Total int
}

// WriteMode says what becomes of the rows that are already there.
type WriteMode uint8

// The modes.
const (
	// Append keeps them.
	Append WriteMode = iota
	// OverwriteStatic removes the partitions that a PartitionSpec selects, also when nothing is written.
	OverwriteStatic
	// OverwriteDynamic removes the partitions that rows are written to; of a table without partition
	// columns all rows.
	OverwriteDynamic
)

// PartitionSpec selects partitions: its element i, where not nil, is the value that partition column
// i has. An empty spec selects all.
type PartitionSpec []*types.Datum

// FileTransaction is where staged files go: a catalog's transaction. Its methods stage changes in
// memory; they become visible to others at its commit.
type FileTransaction interface {
	// WriteFiles adds files to a table, after removing what mode and spec say.
	WriteFiles(ctx context.Context, table int64, mode WriteMode, spec PartitionSpec, files []DataFile) error
	// ReplaceFiles exchanges listed files for others of the same partitions.
	ReplaceFiles(ctx context.Context, table int64, removed, added []DataFile) error
}

// Target says how to write all columns of the table, in the table's order.
func (t *Table) Target() Target {
	return Target{Connector: t.Connector, Schema: t.Schema, Name: t.Name, Columns: t.Columns,
		Partition: t.Partition, Handle: t.Handle}
}

// Unreferenced lists files of a table that no snapshot needs any more: those that ended up to commit
// Horizon. Paths is empty unless the table owns its files.
type Unreferenced struct {
	Table    int64
	Location string
	Owned    bool
	Paths    []string // relative to Location
	Horizon  int64
}

// FileHistory lets VACUUM end history and find out what is left over.
type FileHistory interface {
	// Expire ends the history of a table (0: of all) as far as retention and running statements
	// allow. A history of at least 0 replaces the retention. What it lists nobody reads any more.
	Expire(ctx context.Context, table int64, history time.Duration) ([]Unreferenced, error)
	// Forget is told that the files are gone.
	Forget(ctx context.Context, u Unreferenced) error
	// Referenced gives all paths that any table lists, or listed and did not yet Forget, at a
	// location, and the locations of other tables below it.
	Referenced(ctx context.Context, location string) (paths map[string]bool, nested []string, err error)
	// Roots lists the directories in which locations of tables are chosen.
	Roots(ctx context.Context) ([]string, error)
}
