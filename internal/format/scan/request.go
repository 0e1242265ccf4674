package scan

import (
	"context"
	"errors"
	"sync/atomic"

	"github.com/tarnlake/tarn/internal/objstore"
	"github.com/tarnlake/tarn/internal/sqlerr"
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
	// Subfields, if not nil, lists the fields of a row that are wanted, as paths of ordinals in Type; the
	// others are NULL.
	Subfields [][]int
}

// Below gives the paths that go on below a field; false when it is not wanted at all. All of the field is
// wanted where the result is nil.
func Below(subfields [][]int, field int) (below [][]int, wanted bool) {
	if subfields == nil {
		return nil, true
	}
	for _, path := range subfields {
		switch {
		case len(path) == 0 || path[0] != field:
		case len(path) == 1:
			return nil, true
		default:
			below, wanted = append(below, path[1:]), true
		}
	}
	return below, wanted
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
	// Of the row groups pruned: by Bloom filters, by the page index (ORC's row index); the rest by statistics.
	PrunedByBloom, PrunedByIndex *atomic.Int64
	Pages, PagesPruned           *atomic.Int64 // of page indexes that were looked at
	RowsRead, RowsSelected       *atomic.Int64
	BytesRead, Gets              *atomic.Int64
	Rejected                     *atomic.Int64 // records of text files left out by ignore_errors
}

// Count adds n to a counter, if there is one.
func Count(counter *atomic.Int64, n int64) {
	if counter != nil {
		counter.Add(n)
	}
}

// Keep applies a filter to a batch whose columns are all there; nil keeps all rows.
func Keep(filter RowFilter, b *vec.Batch) error {
	if filter == nil {
		return nil
	}
	for stage := range filter.Stages() {
		if b.Rows() == 0 {
			return nil
		}
		if err := filter.Apply(stage, b); err != nil {
			return err
		}
	}
	return nil
}

// ValueError says which row of the rows read has a value that its column does not take.
type ValueError struct {
	At    int // among the rows that the read gave
	Cause error
}

func (e *ValueError) Error() string { return e.Cause.Error() }
func (e *ValueError) Unwrap() error { return e.Cause }

// RefusedRow gives the user's error behind a ValueError and the row that has the value, among those
// that pick chose from; ok is false for all other errors.
func RefusedRow(err error, pick []int32) (cause *sqlerr.Error, row int64, ok bool) {
	var bad *ValueError
	if !errors.As(err, &bad) || !errors.As(bad.Cause, &cause) {
		return nil, 0, false
	}
	row = int64(bad.At)
	if bad.At < len(pick) {
		row = int64(pick[bad.At])
	}
	return cause, row, true
}

// Fetch reads ranges of an object, and counts them.
func Fetch(ctx context.Context, store objstore.Store, object objstore.Object, counters Counters, ranges []objstore.Range, buffers [][]byte) error {
	var bytes int64
	for _, r := range ranges {
		bytes += r.Length
	}
	Count(counters.BytesRead, bytes)
	Count(counters.Gets, int64(len(ranges)))
	return store.ReadRanges(ctx, object.Path, object.ETag, ranges, buffers)
}
