package connectors

import (
	"context"
	"encoding/json"
	"sync/atomic"

	"github.com/tarnlake/tarn/internal/memory"
	"github.com/tarnlake/tarn/internal/objstore"
	"github.com/tarnlake/tarn/internal/vec"
)

// Connector is one kind of storage. Implementations are safe for concurrent use.
type Connector interface {
	// Splits lists the pieces of scan that may hold rows of its Domains. feed may narrow them while
	// the list is being consumed; it may be nil.
	Splits(ctx context.Context, scan Scan, feed FilterFeed) (SplitSource, error)
	// Read opens one split. The source gives the scan's columns in order, rows that fail
	// request.Filter excluded (by selection or by leaving them out).
	Read(ctx context.Context, request ReadRequest) (vec.Source, error)
}

// Warmer is a Connector that can prepare to read splits.
type Warmer interface {
	// Warm is told of splits that will be read soon, in this process. It does not block.
	Warm(ctx context.Context, scan Scan, splits []Split)
}

// Writer is a Connector that takes rows.
type Writer interface {
	// Write opens a sink for one driver's share of the rows of target.
	Write(ctx context.Context, request WriteRequest) (PageSink, error)
}

// SplitSource gives splits in batches; (nil, nil) is the end. Close may come at any time.
type SplitSource interface {
	Next(ctx context.Context, most int) ([]Split, error)
	Close() error
}

// ReadRequest is all that a reader needs for one split.
type ReadRequest struct {
	Scan   Scan
	Split  Split
	Filter RowFilter  // nil: all rows
	Feed   FilterFeed // nil: no dynamic domains
	Pool   *memory.Pool
	Stats  *ScanStats // counters to add to, never nil
}

// RowFilter is a compiled filter, applied in stages so that each stage's columns are decoded only
// for rows that the stages before it let through. It is used by one goroutine at a time.
type RowFilter interface {
	// Stages is the number of stages, constant for the filter's life.
	Stages() int
	// Columns lists the scan columns (ordinals in Scan.Columns) that a stage reads.
	Columns(stage int) []int
	// Apply narrows b.Sel to the rows that pass. Only the columns of stages up to this one are valid
	// in b, and only for the rows of b.Sel. The new Sel is valid until the next Apply.
	Apply(stage int, b *vec.Batch) error
}

// FilterFeed delivers what is learnt while the query runs: domains of join builds, a top-N's threshold.
type FilterFeed interface {
	// Domains gives the present domains and a number that changes with them. It never blocks.
	Domains() (domains []Domain, version uint64)
	// Wait blocks until the filters worth waiting for are complete, a short time has passed or ctx is done.
	Wait(ctx context.Context)
}

// ScanStats counts what a scan did; all fields are added to atomically.
type ScanStats struct {
	Splits                     atomic.Int64 // read to their end, or as far as was wanted
	Files, FilesPruned         atomic.Int64
	RowGroups, RowGroupsPruned atomic.Int64
	// Of the row groups pruned: by Bloom filters, by the page index (ORC's row index); the rest by statistics.
	PrunedByBloom, PrunedByIndex atomic.Int64
	Pages, PagesPruned           atomic.Int64 // of page indexes that were looked at
	RowsRead, RowsSelected       atomic.Int64
	BytesRead                    atomic.Int64
	Gets, Lists                  atomic.Int64
	Rejected                     atomic.Int64 // rows skipped by ignore_errors
	// Storage counts the requests to remote stores of listing and reading the scan's splits.
	Storage objstore.Counters
}

// Target says where rows go. It travels to workers as JSON.
type Target struct {
	Connector string
	Schema    string
	Name      string
	Columns   []Column // of the rows that sinks get, in order
	Partition []int    // ordinals in Columns
	Handle    json.RawMessage
}

// WriteRequest is all that a sink needs.
type WriteRequest struct {
	Target Target
	// Attempt is unique for every try of every driver; staged names are derived from it.
	Attempt string
	Pool    *memory.Pool
	Stats   *WriteStats
}

// WriteStats counts what a write did; all fields are added to atomically.
type WriteStats struct {
	Files, Rows, Bytes, Partitions atomic.Int64
}

// PageSink stages rows. After Finish or Abort it is closed. Nothing that it stages is visible
// before the fragments are committed; Abort removes it, after Finish too, as long as the fragments
// have not been handed on.
type PageSink interface {
	Append(ctx context.Context, b *vec.Batch) error
	Finish(ctx context.Context) ([]Fragment, error)
	Abort(ctx context.Context) error
}

// Fragment describes one staged piece to the coordinator's commit.
type Fragment struct {
	Rows    int64
	Payload json.RawMessage
}
