package op

import (
	"context"
	"sync"

	"github.com/tarnlake/tarn/exec/pipeline"
	"github.com/tarnlake/tarn/internal/sqlerr"
	"github.com/tarnlake/tarn/internal/types"
	"github.com/tarnlake/tarn/internal/vec"
)

// SingleRow takes at most one row and gives it, or a row of NULLs.
type SingleRow struct {
	columns []types.Type
	mu      sync.Mutex
	row     *vec.Batch
}

// NewSingleRow makes the sink of a scalar subquery; Rows is the source of what comes after.
func NewSingleRow(columns []types.Type) *SingleRow { return &SingleRow{columns: columns} }

// Local gives the shared sink: there is but one row to take.
func (s *SingleRow) Local(*pipeline.Driver) (pipeline.LocalSink, error) { return s, nil }

// Consume keeps the row; a second one is an error.
func (s *SingleRow) Consume(_ context.Context, b *vec.Batch) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if b.Rows() > 1 || s.row != nil {
		return sqlerr.New(sqlerr.CardinalityViolation, "more than one row returned by a subquery used as an expression")
	}
	s.row = b.Clone()
	return nil
}

// Merge has nothing to add.
func (s *SingleRow) Merge(context.Context) error { return nil }

// Finalize supplies the row of NULLs.
func (s *SingleRow) Finalize(context.Context) error {
	if s.row == nil {
		s.row = &vec.Batch{Len: 1}
		for _, t := range s.columns {
			s.row.Cols = append(s.row.Cols, *vec.NewConst(t, types.NullDatum(), 1))
		}
	}
	return nil
}

// Close has nothing to free.
func (s *SingleRow) Close() error { return nil }

// Rows gives the row to one driver.
func (s *SingleRow) Rows() pipeline.Source {
	return &once{open: func(context.Context, *pipeline.Driver) (vec.Source, error) {
		return &batches{rest: []*vec.Batch{s.row}}, nil
	}}
}
