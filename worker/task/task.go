package task

import (
	"context"
	"errors"
	"sync"

	"github.com/tarnlake/tarn/exec/build"
	"github.com/tarnlake/tarn/exec/op"
	"github.com/tarnlake/tarn/exec/pipeline"
	"github.com/tarnlake/tarn/internal/memory"
	"github.com/tarnlake/tarn/internal/plan"
	"github.com/tarnlake/tarn/internal/sqlerr"
	"github.com/tarnlake/tarn/internal/vec"
)

// Env is what a task runs with; the zero value of a field means its default.
type Env = pipeline.Environment

// Stats is what a task's plan nodes did, readable while it runs.
type Stats = pipeline.Stats

// Run starts a plan. The stream gives the root's rows and must be closed: that cancels what still
// runs and waits for it, after which all memory, files and goroutines of the task are gone. An error
// of Next is final. Drivers wait when the reader falls behind by a few batches.
func Run(ctx context.Context, root plan.Node, env Env) (vec.Source, *Stats, error) {
	return run(ctx, env, func(e *Env, stats *Stats, output pipeline.Sink) ([]*pipeline.Pipeline, error) {
		return build.Build(root, e, stats, output)
	})
}

// RunFragment is Run for a part of a plan that exchanges rows and dynamic filters with others.
func RunFragment(ctx context.Context, root plan.Node, env Env, filters *op.DynamicFilters) (vec.Source, *Stats, error) {
	return run(ctx, env, func(e *Env, stats *Stats, output pipeline.Sink) ([]*pipeline.Pipeline, error) {
		return build.Fragment(root, e, stats, output, filters)
	})
}

func run(ctx context.Context, env Env, built func(*Env, *Stats, pipeline.Sink) ([]*pipeline.Pipeline, error)) (vec.Source, *Stats, error) {
	environment := env.WithDefaults()
	environment.Pool = environment.Pool.Child("task", memory.Unlimited)
	stats := pipeline.NewStats()
	output := pipeline.NewOutput(environment.Drivers + 1)
	pipelines, err := safely(environment.Pool, func() ([]*pipeline.Pipeline, error) { return built(environment, stats, output) })
	if err != nil {
		return nil, nil, err
	}
	ctx, cancel := context.WithCancelCause(ctx)
	s := &stream{output: output, cancel: cancel, done: make(chan struct{})}
	go func() {
		defer close(s.done)
		s.err = pipeline.Run(ctx, environment, pipelines)
		_ = output.Close()
		environment.Pool.Close()
		cancel(nil)
	}()
	return s, stats, nil
}

// safely closes the task's pool when building fails or panics.
func safely(pool *memory.Pool, built func() ([]*pipeline.Pipeline, error)) (pipelines []*pipeline.Pipeline, err error) {
	done := false
	defer func() {
		if !done {
			pool.Close()
		}
	}()
	pipelines, err = built()
	done = err == nil
	return pipelines, err
}

// Start starts a plan whose rows go into a sink. done is closed when the task has ended and all its
// memory, files and goroutines are gone; failure then tells how. Cancelling ctx ends the task early.
func Start(ctx context.Context, root plan.Node, env Env, output pipeline.Sink, filters *op.DynamicFilters) (task *Started, err error) {
	environment := env.WithDefaults()
	environment.Pool = environment.Pool.Child("task", memory.Unlimited)
	t := &Started{Stats: pipeline.NewStats(), done: make(chan struct{})}
	pipelines, err := safely(environment.Pool, func() ([]*pipeline.Pipeline, error) {
		return build.Fragment(root, environment, t.Stats, output, filters)
	})
	if err != nil {
		return nil, err
	}
	go func() {
		defer close(t.done)
		t.err = pipeline.Run(ctx, environment, pipelines)
		environment.Pool.Close()
	}()
	return t, nil
}

// Started is a task under way.
type Started struct {
	Stats *Stats
	done  chan struct{}
	err   error // set before done is closed
}

// Done is closed when the task has ended.
func (t *Started) Done() <-chan struct{} { return t.done }

// Err waits for the end and tells how the task failed, nil when it did not.
func (t *Started) Err() error {
	<-t.done
	return t.err
}

// errClosed is why a task ends whose stream was closed.
var errClosed = errors.New("the task's stream was closed")

// stream is the root's rows.
type stream struct {
	output *pipeline.Output
	cancel context.CancelCauseFunc
	once   sync.Once
	done   chan struct{} // closed when the task has ended; err is set before
	err    error
}

// Next gives the next batch, which stays valid even after the call of the one after.
func (s *stream) Next(ctx context.Context) (*vec.Batch, error) {
	select {
	case b, more := <-s.output.Batches():
		if more {
			return b, nil
		}
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
	select {
	case <-s.done:
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
	return nil, s.failure()
}

func (s *stream) failure() error {
	switch {
	case s.err == nil:
		return nil
	case errors.Is(s.err, errClosed):
		return sqlerr.New(sqlerr.QueryCanceled, "canceling statement due to user request")
	}
	return s.err
}

// Close cancels the task, if it still runs, and waits for its end.
func (s *stream) Close() error {
	s.once.Do(func() { s.cancel(errClosed) })
	for range s.output.Batches() {
	}
	<-s.done
	return nil
}
