package session

import (
	"context"

	"github.com/tarnlake/tarn/internal/types"
	"github.com/tarnlake/tarn/internal/vec"
)

// SpoolMaker makes room for rows that outlive their query: of drained, held and scrollable portals.
type SpoolMaker interface {
	NewSpool(columns []types.Type) (Spool, error)
}

// Spool keeps batches in order. It is used by one goroutine at a time.
type Spool interface {
	// Append stores a copy of the batch's selected rows.
	Append(ctx context.Context, b *vec.Batch) error
	// Read gives batch i, without a selection, valid until the next Read.
	Read(ctx context.Context, i int) (*vec.Batch, error)
	Close() error
}

// memorySpools keeps everything in memory: for servers without a spill directory.
type memorySpools struct{}

type memorySpool struct{ batches []*vec.Batch }

func (memorySpools) NewSpool([]types.Type) (Spool, error) { return &memorySpool{}, nil }

func (m *memorySpool) Append(_ context.Context, b *vec.Batch) error {
	m.batches = append(m.batches, b.Clone())
	return nil
}

func (m *memorySpool) Read(_ context.Context, i int) (*vec.Batch, error) { return m.batches[i], nil }

func (m *memorySpool) Close() error {
	m.batches = nil
	return nil
}

// rowStore numbers the rows of a spool: row 0 is the first one stored.
type rowStore struct {
	spool  Spool
	starts []int64 // first row of each batch
	rows   int64

	current   *vec.Batch // batch number currentAt
	currentAt int
}

func newRowStore(maker SpoolMaker, columns []types.Type) (*rowStore, error) {
	spool, err := maker.NewSpool(columns)
	if err != nil {
		return nil, err
	}
	return &rowStore{spool: spool, currentAt: -1}, nil
}

func (r *rowStore) append(ctx context.Context, b *vec.Batch) error {
	n := int64(b.Rows())
	if n == 0 {
		return nil
	}
	if err := r.spool.Append(ctx, b); err != nil {
		return err
	}
	r.starts = append(r.starts, r.rows)
	r.rows += n
	return nil
}

// at gives the batch that holds row (which must exist) and the row's place in it.
func (r *rowStore) at(ctx context.Context, row int64) (*vec.Batch, int, error) {
	low, high := 0, len(r.starts)
	for high-low > 1 {
		if mid := (low + high) / 2; r.starts[mid] <= row {
			low = mid
		} else {
			high = mid
		}
	}
	if r.currentAt != low {
		b, err := r.spool.Read(ctx, low)
		if err != nil {
			return nil, 0, err
		}
		r.current, r.currentAt = b, low
	}
	return r.current, int(row - r.starts[low]), nil
}

func (r *rowStore) close() { _ = r.spool.Close() }

// batchSource gives ready-made batches.
type batchSource struct{ batches []*vec.Batch }

func (b *batchSource) Next(context.Context) (*vec.Batch, error) {
	if len(b.batches) == 0 {
		return nil, nil
	}
	next := b.batches[0]
	b.batches = b.batches[1:]
	return next, nil
}

func (b *batchSource) Close() error {
	b.batches = nil
	return nil
}

// textRows makes a source of text columns.
func textRows(columns types.Schema, rows [][]string) vec.Source {
	b := vec.NewBatch(columns.Types(), len(rows))
	for i, row := range rows {
		for c, value := range row {
			b.Cols[c].SetString(i, value)
		}
	}
	return &batchSource{batches: []*vec.Batch{b}}
}
