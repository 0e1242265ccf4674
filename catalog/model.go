package catalog

import (
	"maps"
	"math"
	"slices"

	"github.com/tarnlake/tarn/connectors"
	"github.com/tarnlake/tarn/internal/types"
)

// current is the end of rows that have none.
const current = int64(math.MaxInt64)

// Schema is a namespace of tables. It is immutable.
type Schema struct {
	ID         int64
	Name       string
	Location   string // where its tables' files go; "" for the warehouse
	Comment    string
	Owner      string
	Properties map[string]string
}

// Table is the definition of a table or a view in one snapshot. It is immutable.
type Table struct {
	ID         int64
	SchemaID   int64
	Name       string
	Kind       connectors.TableKind // BaseTable, External, View, Temporary
	Format     string               // "parquet", "orc", "csv", "json"; "" for views
	Location   string
	Comment    string
	Owner      string
	Columns    []Column
	Partition  []int32 // column IDs, outermost first
	SortedBy   []int32 // column IDs
	Properties map[string]string
	// NextColumn is the ID for the next column to be added.
	NextColumn int32
	// ViewSQL, SearchPath and DependsOn describe a view.
	ViewSQL    string
	SearchPath []string
	DependsOn  []Dependency
}

// Column is a column of a Table. ID and StorageName never change.
type Column struct {
	ID          int32
	Name        string
	StorageName string
	Type        types.Type
	NotNull     bool
	Default     string
	Comment     string
}

// Dependency is a relation that a view reads. Schema and Name are as its text names it.
type Dependency struct {
	Table   int64
	Schema  string
	Name    string
	Columns []int32
	// Seen lists all columns that the relation had when the view was made, under the names that they
	// had then: within the view it keeps them. Empty: as it is now.
	Seen []SeenColumn
}

// SeenColumn is a column as a view knows it.
type SeenColumn struct {
	ID   int32
	Name string
}

// storedDependency is how a Dependency's columns are kept.
type storedDependency struct {
	Read []int32
	Seen []SeenColumn
}

// ColumnByName finds a column's ordinal, -1 if there is none.
func (t *Table) ColumnByName(name string) int {
	return slices.IndexFunc(t.Columns, func(c Column) bool { return c.Name == name })
}

// ordinal finds a column by ID, -1 if it is gone.
func (t *Table) ordinal(id int32) int {
	return slices.IndexFunc(t.Columns, func(c Column) bool { return c.ID == id })
}

func (t *Table) ordinals(ids []int32) []int {
	out := make([]int, len(ids))
	for i, id := range ids {
		out[i] = t.ordinal(id)
	}
	return out
}

// PartitionTypes lists the types of the partition columns.
func (t *Table) PartitionTypes() []types.Type {
	out := make([]types.Type, len(t.Partition))
	for i, id := range t.Partition {
		out[i] = t.Columns[t.ordinal(id)].Type
	}
	return out
}

// PartitionNames lists the storage names of the partition columns.
func (t *Table) PartitionNames() []string {
	out := make([]string, len(t.Partition))
	for i, id := range t.Partition {
		out[i] = t.Columns[t.ordinal(id)].StorageName
	}
	return out
}

func (t *Table) typeOf(id int32) (types.Type, bool) {
	if at := t.ordinal(id); at >= 0 {
		return t.Columns[at].Type, true
	}
	return types.Type{}, false
}

// clone gives a copy whose slices and maps may be changed.
func (t *Table) clone() *Table {
	out := *t
	out.Columns = slices.Clone(t.Columns)
	out.Partition = slices.Clone(t.Partition)
	out.SortedBy = slices.Clone(t.SortedBy)
	out.Properties = maps.Clone(t.Properties)
	out.DependsOn = slices.Clone(t.DependsOn)
	return &out
}

// Partition is one partition of a table in one snapshot. It is immutable.
type Partition struct {
	Key     string // partition.Key of its values
	Values  []types.Datum
	Rows    int64
	Bytes   int64
	Files   int64
	Begin   int64 // the commit that made it as it is; 0 when it is staged
	summary []byte
	// staged holds the files of a partition that the transaction changed, nil otherwise.
	staged []connectors.DataFile
	// sketches of a staged partition's new files.
	sketches []byte
}

// Version is one entry of a table's history.
type Version struct {
	Number    int64
	Commit    int64
	At        int64 // microseconds since 1970 UTC
	Operation string
	User      string
	Rows      int64
	Bytes     int64
	Files     int64
}

// User may connect. Verifier is "SCRAM-SHA-256$…", or "" without a password.
type User struct {
	Name      string
	Verifier  string
	Superuser bool
	Login     bool
}

// Setting is a stored default of a session setting for User, or for all when that is "".
type Setting struct{ User, Name, Value string }

func kindName(k connectors.TableKind) string {
	switch k {
	case connectors.View:
		return "view"
	case connectors.External:
		return "external"
	}
	return "table"
}

func kindOf(name string) connectors.TableKind {
	switch name {
	case "view":
		return connectors.View
	case "external":
		return connectors.External
	}
	return connectors.BaseTable
}
