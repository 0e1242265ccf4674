package op

import (
	"context"
	"sync/atomic"

	"github.com/tarnlake/tarn/exec/pipeline"
	"github.com/tarnlake/tarn/internal/vec"
)

// maker is an Operator that holds nothing to close.
type maker func(d *pipeline.Driver) (pipeline.Transform, error)

func (m maker) New(d *pipeline.Driver) (pipeline.Transform, error) { return m(d) }
func (maker) Close() error                                         { return nil }

// stateless is embedded by transforms that hold back no rows and own nothing.
type stateless struct{}

func (stateless) Finish(context.Context, pipeline.Emit) error { return nil }
func (stateless) Close() error                                { return nil }

// once gives a stream to the first driver that asks and empty streams to the others.
type once struct {
	taken atomic.Bool
	open  func(ctx context.Context, d *pipeline.Driver) (vec.Source, error)
	close func() error
}

func (o *once) Open(ctx context.Context, d *pipeline.Driver) (vec.Source, error) {
	if o.taken.Swap(true) {
		return nothing{}, nil
	}
	return o.open(ctx, d)
}

func (o *once) Close() error {
	if o.close != nil {
		return o.close()
	}
	return nil
}

// nothing is a stream without rows.
type nothing struct{}

func (nothing) Next(context.Context) (*vec.Batch, error) { return nil, nil }
func (nothing) Close() error                             { return nil }

// batches is a stream of batches in memory.
type batches struct{ rest []*vec.Batch }

func (s *batches) Next(context.Context) (*vec.Batch, error) {
	if len(s.rest) == 0 {
		return nil, nil
	}
	b := s.rest[0]
	s.rest = s.rest[1:]
	return b, nil
}

func (*batches) Close() error { return nil }

// Sequence gives the row numbers 0 … n-1, growing list as needed.
func sequence(list []int32, n int) []int32 {
	for i := len(list); i < n; i++ {
		list = append(list, int32(i))
	}
	return list
}
