package connectors

import (
	"context"
	"iter"
	"slices"
	"strings"

	"github.com/tarnlake/tarn/internal/types"
)

// VirtualTable is a table whose rows are made at the moment at which it is read, on a coordinator.
type VirtualTable struct {
	Name    string
	Comment string
	Columns []Column
	// Rows gives the rows, whose values are those of Columns, in order. It stops at the first error.
	Rows func(ctx context.Context, query VirtualQuery) iter.Seq2[[]types.Datum, error]
}

// VirtualQuery says on whose behalf a virtual table is read and which of its rows are of use.
type VirtualQuery struct {
	// Transaction names the reading transaction, "" for none.
	Transaction string
	Domains     []Domain // columns are ordinals in VirtualTable.Columns; other rows are of no use
	// Columns lists the ordinals whose values are looked at; the others may be NULL. Nil: all.
	Columns []int
}

// Reads tells whether a column's values are looked at.
func (q *VirtualQuery) Reads(column int) bool {
	return q.Columns == nil || slices.Contains(q.Columns, column)
}

// Wants tells whether rows with this value in a column may be of use.
func (q *VirtualQuery) Wants(column int, t types.Type, value types.Datum) bool {
	for i := range q.Domains {
		if q.Domains[i].Column == column && !q.Domains[i].Contains(t, value) {
			return false
		}
	}
	return true
}

// VirtualColumns makes columns of names, separated by white space, and as many types.
func VirtualColumns(names string, columnTypes ...types.Type) []Column {
	out := make([]Column, len(columnTypes))
	for i, name := range strings.Fields(names) {
		out[i] = Column{ID: int32(i + 1), Name: name, Type: columnTypes[i]}
	}
	return out
}
