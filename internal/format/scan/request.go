package scan

import (
	"sync/atomic"

	"github.com/tarnlake/tarn/internal/types"
	"github.com/tarnlake/tarn/internal/vec"
)

// Pseudo-fields of a ColumnRequest.
const (
	MissingField  = -1 // every row is NULL
	PositionField = -2 // the row's position in the file, from 0, as bigint
)

// ColumnRequest asks for one column of the batches.
type ColumnRequest struct {
	Field int // ordinal in the file's Schema, MissingField or PositionField
	Type  types.Type
}

// RowFilter is connectors.RowFilter: a filter applied in stages, whose columns are ordinals in the
// requested columns.
type RowFilter interface {
	Stages() int
	Columns(stage int) []int
	Apply(stage int, b *vec.Batch) error
}

// Counters are added to while reading; a nil one is not counted.
type Counters struct {
	RowGroups, RowGroupsPruned *atomic.Int64
	RowsRead, RowsSelected     *atomic.Int64
	BytesRead, Gets            *atomic.Int64
}

// Count adds n to a counter, if there is one.
func Count(counter *atomic.Int64, n int64) {
	if counter != nil {
		counter.Add(n)
	}
}

// ValueError says which row of the rows read has a value that its column does not take.
type ValueError struct {
	At    int // among the rows that the read gave
	Cause error
}

func (e *ValueError) Error() string { return e.Cause.Error() }
func (e *ValueError) Unwrap() error { return e.Cause }
