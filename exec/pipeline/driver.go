package pipeline

import (
	"context"
	"errors"
	"runtime/debug"
	"sync/atomic"
	"time"

	"github.com/tarnlake/tarn/internal/slots"
	"github.com/tarnlake/tarn/internal/sqlerr"
	"github.com/tarnlake/tarn/internal/vec"
)

// Driver is one goroutine's run of a pipeline. Operators may read its fields.
type Driver struct {
	Index       int // 0 … number of drivers − 1
	Count       int // drivers of this pipeline
	Environment *Environment

	run      *pipelineRun
	lease    *slots.Lease
	clock    clock
	yielded  time.Duration // clock reading at the last offer of the slot
	stages   map[*Stage]Transform
	local    LocalSink
	recoders recoders
}

// clock charges time to plan nodes: whatever passes between two switches belongs to the node
// switched to first.
type clock struct {
	start   time.Time
	last    time.Duration
	current *NodeStats
}

// charge books the time since the last switch and makes to the current node.
func (c *clock) charge(to *NodeStats) (previous *NodeStats) {
	now := time.Since(c.start)
	if c.current != nil {
		c.current.Nanos.Add(int64(now - c.last))
	}
	previous, c.current, c.last = c.current, to, now
	return previous
}

// drive runs the pipeline's branches in order and then merges the local sink.
func (d *Driver) drive(ctx context.Context) error {
	if err := d.lease.Acquire(ctx); err != nil {
		return err
	}
	defer d.lease.Release()
	ctx = slots.With(ctx, d.lease)
	d.clock.start = time.Now()
	defer func() { d.clock.charge(nil) }()
	if err := d.prepare(); err != nil {
		return err
	}
	for i, branch := range d.run.pipeline.Branches {
		if branch.Barrier {
			if err := slots.Block(ctx, func() error { return d.run.arrive(ctx, i) }); err != nil {
				return err
			}
		}
		if d.run.wanted(branch) {
			if err := d.branch(ctx, branch); err != nil && !errors.Is(err, ErrStop) {
				return err
			}
		}
		if err := d.finish(ctx, i); err != nil {
			return err
		}
	}
	d.clock.charge(d.run.pipeline.SinkNode)
	return d.local.Merge(ctx)
}

func (d *Driver) prepare() error {
	p := d.run.pipeline
	d.clock.charge(p.SinkNode)
	for _, stage := range p.Stages {
		t, err := stage.Operator.New(d)
		if err != nil {
			return err
		}
		d.stages[stage] = t
	}
	local, err := p.Sink.Local(d)
	d.local = local
	return err
}

// close ends the driver's transforms; the first error counts.
func (d *Driver) close() error {
	var first error
	for _, stage := range d.run.pipeline.Stages {
		if t := d.stages[stage]; t != nil {
			if err := t.Close(); err != nil && first == nil {
				first = err
			}
		}
	}
	return first
}

// branch pulls the driver's share of one source through the stages. Only the reading is interrupted
// when rows are no longer wanted: those that passed a LIMIT must still arrive.
func (d *Driver) branch(ctx context.Context, b *Branch) (err error) {
	reading, cancel := context.WithCancel(ctx)
	defer cancel()
	defer d.run.watch(b, cancel)()
	d.clock.charge(b.Node)
	source, err := b.Source.Open(reading, d)
	if err != nil {
		return d.run.unlessStopped(b, err)
	}
	defer func() {
		if closing := source.Close(); closing != nil && err == nil {
			err = closing
		}
	}()
	emit := d.edge(ctx, b.Node, b.Emits, b.Next)
	for {
		d.clock.charge(b.Node)
		if err := d.offer(ctx); err != nil {
			return err
		}
		batch, err := source.Next(reading)
		if err != nil {
			return d.run.unlessStopped(b, err)
		}
		if batch == nil {
			return nil
		}
		if err := emit(batch); err != nil {
			return err
		}
	}
}

// finish ends the stages that no branch after number i feeds.
func (d *Driver) finish(ctx context.Context, i int) error {
	for _, stage := range d.run.pipeline.Stages {
		if d.run.lastBranch[stage] != i {
			continue
		}
		d.clock.charge(stage.Node)
		err := d.stages[stage].Finish(ctx, d.edge(ctx, stage.Node, stage.Emits, stage.Next))
		if err != nil && !errors.Is(err, ErrStop) {
			return err
		}
	}
	return nil
}

// edge makes the Emit by which node from hands rows to a stage, or to the sink (nil).
func (d *Driver) edge(ctx context.Context, from *NodeStats, counts bool, to *Stage) Emit {
	var consume func(*vec.Batch) error
	node, stopped := d.run.pipeline.SinkNode, &d.run.sinkStopped
	if to == nil {
		consume = func(b *vec.Batch) error { return d.local.Consume(ctx, b) }
	} else {
		node, stopped = to.Node, d.run.stopped[to]
		transform, next := d.stages[to], d.edge(ctx, to.Node, to.Emits, to.Next)
		consume = func(b *vec.Batch) error { return transform.Process(ctx, b, next) }
	}
	deliver := func(b *vec.Batch) error {
		if stopped.Load() {
			return ErrStop
		}
		previous := d.clock.charge(node)
		err := d.offer(ctx)
		if err == nil {
			err = consume(b)
		}
		d.clock.charge(previous)
		if err != nil && errors.Is(err, ErrStop) {
			d.run.stop(stopped)
			return ErrStop
		}
		return err
	}
	if d.recoders.active(d.Environment) {
		deliver = d.recoders.wrap(d.Environment, deliver)
	}
	return func(b *vec.Batch) error {
		rows := b.Rows()
		if rows == 0 {
			return nil
		}
		if counts {
			from.Rows.Add(int64(rows))
			from.Batches.Add(1)
		}
		return deliver(b)
	}
}

// offer is the batch edge: it notices cancellation and lets others compute after a quantum. The time
// that others take is no plan node's.
func (d *Driver) offer(ctx context.Context) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if d.clock.last-d.yielded < slots.Step {
		return nil
	}
	before := time.Since(d.clock.start)
	err := d.lease.Yield(ctx)
	after := time.Since(d.clock.start)
	d.clock.last += after - before
	d.yielded = after
	return err
}

// guard runs f and turns a panic into an internal error of this query alone.
func guard(f func() error) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = sqlerr.Internal("internal error: %v", r).WithDetail("%s", debug.Stack())
		}
	}()
	return f()
}

// Parallel runs f(0) … f(n-1), each once, on at most Drivers goroutines of which the caller is one.
// The first error stops the rest and is returned.
func (e *Environment) Parallel(ctx context.Context, n int, f func(ctx context.Context, i int) error) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var next atomic.Int64
	work := func(ctx context.Context) error {
		for {
			i := int(next.Add(1)) - 1
			if i >= n {
				return nil
			}
			if ctx.Err() != nil {
				return context.Cause(ctx)
			}
			err := f(ctx, i)
			if err == nil {
				err = slots.Offer(ctx)
			}
			if err != nil {
				cancel(err)
				return err
			}
		}
	}
	helpers := min(e.Drivers, n) - 1
	errs := make(chan error, max(helpers, 0))
	for range helpers {
		go func() {
			errs <- guard(func() error {
				lease := e.Slots.Lease()
				if err := lease.Acquire(ctx); err != nil {
					return err
				}
				defer lease.Release()
				return work(slots.With(ctx, lease))
			})
		}()
	}
	err := guard(func() error { return work(ctx) })
	if err != nil {
		cancel(err)
	}
	_ = slots.Block(ctx, func() error {
		for range helpers {
			if other := <-errs; err == nil {
				err = other
			}
		}
		return nil
	})
	if err != nil && errors.Is(err, context.Canceled) && ctx.Err() != nil {
		err = context.Cause(ctx)
	}
	return err
}
