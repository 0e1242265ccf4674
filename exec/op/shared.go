package op

import (
	"context"
	"sync/atomic"

	"github.com/tarnlake/tarn/exec/pipeline"
	"github.com/tarnlake/tarn/exec/spill"
	"github.com/tarnlake/tarn/internal/memory"
	"github.com/tarnlake/tarn/internal/types"
	"github.com/tarnlake/tarn/internal/vec"
)

// Materialize is a sink that keeps all rows for several readers.
type Materialize struct {
	buffer *spill.Buffer
	pool   *memory.Pool
	node   *pipeline.NodeStats
}

// NewMaterialize makes an empty one; its memory is charged to the node.
func NewMaterialize(columns []types.Type, environment *pipeline.Environment, node *pipeline.NodeStats) *Materialize {
	pool := environment.Pool.Child(node.Name, memory.Unlimited)
	return &Materialize{buffer: spill.NewBuffer(columns, pool, environment.SpillPolicy(node)), pool: pool, node: node}
}

// Local gives the shared buffer.
func (m *Materialize) Local(*pipeline.Driver) (pipeline.LocalSink, error) { return m, nil }

// Consume keeps the batch.
func (m *Materialize) Consume(_ context.Context, b *vec.Batch) error { return m.buffer.Append(b) }

// Merge has nothing to add.
func (m *Materialize) Merge(context.Context) error { return nil }

// Finalize records the memory.
func (m *Materialize) Finalize(context.Context) error {
	m.node.RaiseMemory(m.pool.Peak())
	return nil
}

// Close drops the rows.
func (m *Materialize) Close() error { return m.buffer.Close() }

// Rows is the number of rows kept.
func (m *Materialize) Rows() int64 { return m.buffer.Rows() }

// Buffer gives the rows.
func (m *Materialize) Buffer() *spill.Buffer { return m.buffer }

// Read gives a source of all rows; every call makes an independent one.
func (m *Materialize) Read() pipeline.Source {
	return &bufferSource{of: func() *spill.Buffer { return m.buffer }}
}

// bufferSource shares a buffer's batches among drivers.
type bufferSource struct {
	of   func() *spill.Buffer
	next atomic.Int64
}

func (s *bufferSource) Open(context.Context, *pipeline.Driver) (vec.Source, error) {
	return s.of().Reader(&s.next), nil
}

func (s *bufferSource) Close() error { return nil }
