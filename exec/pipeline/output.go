package pipeline

import (
	"context"
	"sync"

	"github.com/tarnlake/tarn/internal/slots"
	"github.com/tarnlake/tarn/internal/vec"
)

// Output is the sink of a task's last pipeline: a bounded queue of batches that its reader empties.
// Drivers block, without their CPU slot, while the queue is full.
type Output struct {
	queue chan *vec.Batch
	once  sync.Once
}

// NewOutput makes a queue of the given number of batches.
func NewOutput(depth int) *Output { return &Output{queue: make(chan *vec.Batch, depth)} }

// Local gives a driver's writer to the queue.
func (o *Output) Local(*Driver) (LocalSink, error) { return o, nil }

// Consume copies the batch into the queue.
func (o *Output) Consume(ctx context.Context, b *vec.Batch) error {
	own := b.Clone()
	select {
	case o.queue <- own:
		return nil
	default:
	}
	return slots.Block(ctx, func() error {
		select {
		case o.queue <- own:
			return nil
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	})
}

// Merge has nothing to add: the queue is shared.
func (o *Output) Merge(context.Context) error { return nil }

// Finalize has nothing to do either; Close marks the end.
func (o *Output) Finalize(context.Context) error { return nil }

// Close marks the end of the queue.
func (o *Output) Close() error {
	o.once.Do(func() { close(o.queue) })
	return nil
}

// Batches is the queue; it is closed when the task has ended, well or badly.
func (o *Output) Batches() <-chan *vec.Batch { return o.queue }
