package connectors

import (
	"encoding/json"

	"github.com/tarnlake/tarn/internal/types"
)

// TableKind says what a name stands for.
type TableKind uint8

// The kinds of relations.
const (
	BaseTable TableKind = iota
	External            // files listed at creation, not owned
	View                // ViewSQL, expanded by the binder
	Virtual             // system tables, pg_catalog
	Temporary           // visible to its session only
)

// Table is a resolved relation in one snapshot. It is immutable.
type Table struct {
	Connector string // the name under which the connector is registered
	Schema    string
	Name      string
	ID        int64 // stable across renames; 0 for file functions and virtual tables without one
	Kind      TableKind
	Columns   []Column
	// Partition lists the ordinals of the partition columns, outermost first.
	Partition []int
	// SortedBy lists the ordinals by which rows are sorted within a file.
	SortedBy   []int
	Properties map[string]string
	ViewSQL    string
	SearchPath []string // of the view's creator
	// Handle is the connector's own description, passed back in Scan and Target.
	Handle json.RawMessage
	// Listed: the table is the files that were there when it was resolved. Who runs a statement again resolves
	// it anew.
	Listed bool
}

// Column is a table's column. ID is stable across renames; files are matched by it where they know it.
type Column struct {
	ID      int32
	Name    string
	Type    types.Type
	NotNull bool
	Comment string
	Default string // SQL text, "" for none
}

// RowType gives the columns as fields.
func (t *Table) RowType() types.Schema {
	out := make(types.Schema, len(t.Columns))
	for i, c := range t.Columns {
		out[i] = types.Field{Name: c.Name, Type: c.Type, Nullable: !c.NotNull}
	}
	return out
}

// TableStats is what is known of the rows that a Scan would give, before its row filter.
type TableStats struct {
	Rows    float64
	Bytes   float64
	Exact   bool                // Rows is exact
	Columns map[int]ColumnStats // by table ordinal; absent: nothing known
}

// ColumnStats describes one column. Minimum and Maximum bound all non-null values when not nil.
type ColumnStats struct {
	Distinct         float64 // estimated number of distinct values; 0 is unknown
	NullFraction     float64
	Minimum, Maximum *types.Datum
	AverageWidth     float64 // bytes of a string; 0 is unknown
}

// Domain is a set of values of a scan column that may be needed: rows outside all of it can be
// skipped without looking at the row filter. It is a superset: pruning by it must stay optional.
type Domain struct {
	Column           int          // ordinal in Scan.Columns
	Minimum, Maximum *types.Datum // nil: unbounded
	MinimumExclusive bool
	MaximumExclusive bool
	Values           []types.Datum // if not nil: only these values, sorted
	Nulls            bool          // NULL is in the set
}

// ScanColumn is one column that a scan gives.
type ScanColumn struct {
	Ordinal int // in Table.Columns
	ID      int32
	Name    string
	Type    types.Type
	// Subfields, if not nil, lists what is read of a row: paths of field ordinals, of fields of fields.
	// A reader may give NULL for all other fields.
	Subfields [][]int `json:",omitempty"`
}

// Scan says what to read of a table. It travels to workers as JSON.
type Scan struct {
	Connector string
	Schema    string
	Name      string
	Handle    json.RawMessage
	Columns   []ScanColumn
	Domains   []Domain `json:",omitempty"`
	// Limit, if positive, is a number of rows after which the reader will be closed.
	Limit int64 `json:",omitempty"`
	// Options carries FOR VERSION AS OF and the like, resolved by Metadata.
	Options map[string]string `json:",omitempty"`
}

// Split is a piece of a scan for one driver. It travels to workers as JSON.
type Split struct {
	Payload json.RawMessage
	Rows    int64 `json:",omitempty"` // 0 is unknown
	Bytes   int64 `json:",omitempty"`
	// Affinity prefers one node for equal strings; Node demands one ("" for none).
	Affinity string `json:",omitempty"`
	Node     string `json:",omitempty"`
}
