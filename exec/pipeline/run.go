package pipeline

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"github.com/tarnlake/tarn/internal/slots"
)

// Run runs the pipelines, each when those before it have finished. It returns the first error; a
// panic is an error (XX000). Sources and stages are closed when their pipeline has ended, a sink when
// also all pipelines that come after it have.
func Run(ctx context.Context, environment *Environment, pipelines []*Pipeline) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	task := &task{environment: environment, cancel: cancel,
		finished: make(map[*Pipeline]chan struct{}, len(pipelines)), users: make(map[*Pipeline]int, len(pipelines))}
	for _, p := range pipelines {
		task.finished[p] = make(chan struct{})
		task.users[p]++
		for _, before := range p.After {
			task.users[before]++
		}
	}
	var wait sync.WaitGroup
	for _, p := range pipelines {
		wait.Add(1)
		go func() {
			defer wait.Done()
			task.pipeline(ctx, p)
		}()
	}
	wait.Wait()
	return task.failure
}

// task is one call of Run.
type task struct {
	environment *Environment
	cancel      context.CancelCauseFunc
	finished    map[*Pipeline]chan struct{} // closed when the pipeline has succeeded

	mu      sync.Mutex
	failure error
	users   map[*Pipeline]int // pipelines that may still use the sink, itself included
}

func (t *task) fail(err error) {
	if err == nil {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.failure == nil {
		t.failure = err
		t.cancel(err)
	}
}

// pipeline waits for what must come before, runs the pipeline, and closes what is no longer needed.
func (t *task) pipeline(ctx context.Context, p *Pipeline) {
	err := guard(func() error {
		for _, before := range p.After {
			select {
			case <-t.finished[before]:
			case <-ctx.Done():
				return context.Cause(ctx)
			}
		}
		return runPipeline(ctx, t.environment, p)
	})
	t.fail(err)
	t.fail(closePipeline(p))
	if err == nil {
		close(t.finished[p])
	}
	t.release(p)
	for _, before := range p.After {
		t.release(before)
	}
}

func (t *task) release(p *Pipeline) {
	t.mu.Lock()
	t.users[p]--
	unused := t.users[p] == 0
	t.mu.Unlock()
	if unused {
		t.fail(guard(p.Sink.Close))
	}
}

// closePipeline closes sources and stages; the sink may still be read by others.
func closePipeline(p *Pipeline) error {
	var first error
	keep := func(err error) {
		if err != nil && first == nil {
			first = err
		}
	}
	for _, b := range p.Branches {
		keep(guard(b.Source.Close))
	}
	for _, s := range p.Stages {
		keep(guard(s.Operator.Close))
	}
	return first
}

// pipelineRun is what the drivers of one running pipeline share.
type pipelineRun struct {
	pipeline    *Pipeline
	drivers     int
	lastBranch  map[*Stage]int
	stopped     map[*Stage]*atomic.Bool
	sinkStopped atomic.Bool

	mu       sync.Mutex
	arrived  map[int]int           // per barrier branch
	open     map[int]chan struct{} // closed when all have arrived
	watching map[*watch]struct{}   // branches being read, to be interrupted when stopped
}

type watch struct {
	branch *Branch
	cancel context.CancelFunc
}

func runPipeline(ctx context.Context, environment *Environment, p *Pipeline) error {
	drivers := environment.Drivers
	if p.Drivers > 0 {
		drivers = min(drivers, p.Drivers)
	}
	run := newPipelineRun(p, drivers)
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	errs := make(chan error, drivers)
	for i := range drivers {
		d := &Driver{Index: i, Count: drivers, Environment: environment, run: run,
			lease: environment.Slots.Lease(), stages: make(map[*Stage]Transform, len(p.Stages))}
		go func() {
			err := guard(func() error { return d.drive(ctx) })
			if closing := guard(d.close); err == nil {
				err = closing
			}
			errs <- err
		}()
	}
	var first error
	for range drivers {
		if err := <-errs; err != nil && !errors.Is(err, ErrStop) && first == nil {
			first = err
			cancel(err)
		}
	}
	if first != nil {
		return first
	}
	lease := environment.Slots.Lease()
	if err := lease.Acquire(ctx); err != nil {
		return err
	}
	defer lease.Release()
	return finalize(ctx, p, lease)
}

// finalize ends the sink once all drivers have merged.
func finalize(ctx context.Context, p *Pipeline, lease *slots.Lease) error {
	c := clock{start: time.Now()}
	c.charge(p.SinkNode)
	defer c.charge(nil)
	return guard(func() error { return p.Sink.Finalize(slots.With(ctx, lease)) })
}

func newPipelineRun(p *Pipeline, drivers int) *pipelineRun {
	run := &pipelineRun{pipeline: p, drivers: drivers,
		lastBranch: map[*Stage]int{}, stopped: map[*Stage]*atomic.Bool{},
		arrived: map[int]int{}, open: map[int]chan struct{}{}, watching: map[*watch]struct{}{}}
	for i, b := range p.Branches {
		if b.Barrier {
			run.open[i] = make(chan struct{})
		}
		for s := b.Next; s != nil; s = s.Next {
			run.lastBranch[s] = i
		}
	}
	for _, s := range p.Stages {
		run.stopped[s] = &atomic.Bool{}
	}
	return run
}

// arrive waits until all drivers have come to barrier branch i.
func (r *pipelineRun) arrive(ctx context.Context, i int) error {
	r.mu.Lock()
	r.arrived[i]++
	if r.arrived[i] == r.drivers {
		close(r.open[i])
	}
	r.mu.Unlock()
	select {
	case <-r.open[i]:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// wanted tells whether rows of the branch can still have an effect.
func (r *pipelineRun) wanted(b *Branch) bool {
	if r.branchStopped(b) {
		return false
	}
	for s := b.Next; s != nil; s = s.Next {
		if idle, ok := s.Operator.(Idle); ok && idle.Idle() {
			return false
		}
	}
	return true
}

func (r *pipelineRun) branchStopped(b *Branch) bool {
	for s := b.Next; s != nil; s = s.Next {
		if r.stopped[s].Load() {
			return true
		}
	}
	return r.sinkStopped.Load()
}

// stop marks a stage (or the sink) as wanting no more rows, for all drivers, and interrupts the
// branches that lead to it.
func (r *pipelineRun) stop(flag *atomic.Bool) {
	flag.Store(true)
	r.mu.Lock()
	defer r.mu.Unlock()
	for w := range r.watching {
		if r.branchStopped(w.branch) {
			w.cancel()
		}
	}
}

// watch registers a branch's reading to be interrupted; the result ends that.
func (r *pipelineRun) watch(b *Branch, cancel context.CancelFunc) func() {
	w := &watch{b, cancel}
	r.mu.Lock()
	r.watching[w] = struct{}{}
	r.mu.Unlock()
	return func() {
		r.mu.Lock()
		delete(r.watching, w)
		r.mu.Unlock()
	}
}

// unlessStopped drops the error that interrupting a reader caused.
func (r *pipelineRun) unlessStopped(b *Branch, err error) error {
	if r.branchStopped(b) {
		return ErrStop
	}
	return err
}
