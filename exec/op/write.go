package op

import (
	"context"
	"fmt"
	"sync"

	"github.com/tarnlake/tarn/connectors"
	"github.com/tarnlake/tarn/exec/pipeline"
	"github.com/tarnlake/tarn/internal/memory"
	"github.com/tarnlake/tarn/internal/plan"
	"github.com/tarnlake/tarn/internal/sqlerr"
	"github.com/tarnlake/tarn/internal/types"
	"github.com/tarnlake/tarn/internal/vec"
)

// Write stages rows in a table: one page sink a driver. Sinks are finished only after all drivers
// have written their last row, so that an error leaves nothing but aborted sinks.
type Write struct {
	writer      connectors.Writer
	target      connectors.Target
	environment *pipeline.Environment
	stats       *pipeline.NodeStats
	pool        *memory.Pool

	mu        sync.Mutex
	open      []connectors.PageSink
	finished  []connectors.PageSink // until their fragments are handed on
	fragments []connectors.Fragment
}

// NewWrite makes the sink of a Write node; Fragments is the source of what comes after.
func NewWrite(node *plan.Write, environment *pipeline.Environment, stats *pipeline.NodeStats) (*Write, error) {
	writer, ok := environment.Connectors[node.Target.Connector].(connectors.Writer)
	if !ok {
		return nil, sqlerr.New(sqlerr.FeatureNotSupported, "cannot write to tables of connector %q", node.Target.Connector)
	}
	return &Write{writer: writer, target: node.Target, environment: environment, stats: stats,
		pool: environment.Pool.Child(stats.Name, memory.Unlimited)}, nil
}

// Local gives a driver its page sink, opened with the first rows.
func (w *Write) Local(d *pipeline.Driver) (pipeline.LocalSink, error) {
	return &writing{write: w, attempt: fmt.Sprintf("%s-%d-%d", w.environment.Attempt, w.environment.Task, d.Index)}, nil
}

// Finalize finishes the page sinks.
func (w *Write) Finalize(ctx context.Context) error {
	sinks := w.open
	return w.environment.Parallel(ctx, len(sinks), func(ctx context.Context, i int) error {
		fragments, err := sinks[i].Finish(ctx)
		w.mu.Lock()
		defer w.mu.Unlock()
		if err == nil {
			w.fragments = append(w.fragments, fragments...)
			w.finished = append(w.finished, sinks[i])
		}
		for at, sink := range w.open {
			if sink == sinks[i] && err == nil {
				w.open = append(append([]connectors.PageSink(nil), w.open[:at]...), w.open[at+1:]...)
				break
			}
		}
		return err
	})
}

// Close aborts what was not finished, and what was when its fragments did not get any further: the
// sinks of other drivers may have failed.
func (w *Write) Close() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	var first error
	for _, sink := range append(w.open, w.finished...) {
		if err := sink.Abort(context.Background()); err != nil && first == nil {
			first = err
		}
	}
	w.open, w.finished = nil, nil
	w.stats.RaiseMemory(w.pool.Peak())
	w.pool.Close()
	return first
}

// Fragments gives a row (rows bigint, payload json) a fragment, to one driver.
func (w *Write) Fragments() pipeline.Source {
	return &once{open: func(context.Context, *pipeline.Driver) (vec.Source, error) {
		out := vec.NewBatch([]types.Type{types.Of(types.Int64), types.Of(types.JSON)}, len(w.fragments))
		for i, f := range w.fragments {
			out.Cols[0].SetDatum(i, types.IntDatum(f.Rows))
			out.Cols[1].SetBytes(i, f.Payload)
		}
		w.mu.Lock()
		w.finished = nil
		w.mu.Unlock()
		return &batches{rest: []*vec.Batch{out}}, nil
	}}
}

// writing is one driver's part.
type writing struct {
	write   *Write
	attempt string
	sink    connectors.PageSink
}

func (l *writing) Consume(ctx context.Context, b *vec.Batch) error {
	if l.sink == nil {
		w := l.write
		sink, err := w.writer.Write(ctx, connectors.WriteRequest{Target: w.target, Attempt: l.attempt, Pool: w.pool, Stats: w.stats.Write})
		if err != nil {
			return err
		}
		l.sink = sink
		w.mu.Lock()
		w.open = append(w.open, sink)
		w.mu.Unlock()
	}
	return l.sink.Append(ctx, b)
}

func (l *writing) Merge(context.Context) error { return nil }
