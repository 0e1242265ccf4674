package build

import (
	"context"

	"github.com/tarnlake/tarn/exec/op"
	"github.com/tarnlake/tarn/exec/pipeline"
	"github.com/tarnlake/tarn/exec/spill"
	"github.com/tarnlake/tarn/internal/plan"
	"github.com/tarnlake/tarn/internal/sqlerr"
	"github.com/tarnlake/tarn/internal/vec"
)

// with announces the definitions; each is built when the first reader asks for it.
func (b *builder) with(n *plan.With) (*flow, error) {
	for _, d := range n.Definitions {
		b.shared[d.Name] = &definition{plan: d.Plan}
	}
	f, err := b.flow(n.Body)
	if err != nil {
		return nil, err
	}
	f.stage(b.node(n), op.NewPass(), true)
	return f, nil
}

// read gives the rows of a definition, or of a recursion's working table.
func (b *builder) read(n *plan.Shared) (*flow, error) {
	d := b.shared[n.Name]
	switch {
	case d == nil:
		return nil, sqlerr.Internal("shared plan %d is not defined", n.Name)
	case d.working != nil:
		return b.begin(b.node(n), op.ReadBuffer(d.working), true), nil
	}
	if err := b.define(d); err != nil {
		return nil, err
	}
	f := b.begin(b.node(n), d.result.Read(), true)
	if d.pipeline != nil {
		f.after(d.pipeline)
	}
	return f, nil
}

// define builds a definition unless that is done.
func (b *builder) define(d *definition) error {
	if d.result != nil {
		return nil
	}
	f, err := b.flow(d.plan)
	if err != nil {
		return err
	}
	d.result = op.NewMaterialize(columns(d.plan), b.environment, b.node(d.plan))
	d.pipeline = b.end(f, b.node(d.plan), d.result)
	return nil
}

// recursive makes a source that runs its rounds as pipelines of their own.
func (b *builder) recursive(n *plan.Recursive) (*flow, error) {
	// What the rounds read from outside must be there before they run, and stay until they end.
	var outside []*pipeline.Pipeline
	known := map[int]*definition{}
	for _, side := range n.Inputs() {
		for below := range plan.Nodes(side) {
			read, ok := below.(*plan.Shared)
			if !ok {
				continue
			}
			d := b.shared[read.Name]
			if d == nil || d.plan == nil {
				continue
			}
			if err := b.define(d); err != nil {
				return nil, err
			}
			if d.pipeline != nil {
				outside = append(outside, d.pipeline)
			}
		}
	}
	for name, d := range b.shared {
		switch {
		case d.working != nil:
			known[name] = d
		case d.result != nil:
			known[name] = &definition{result: d.result}
		}
	}
	round := func(working *spill.Buffer) ([]*pipeline.Pipeline, *op.Materialize, error) {
		inner := &builder{environment: b.environment, stats: b.stats, shared: map[int]*definition{}, filters: op.NewDynamicFilters(),
			publishers: map[int]*pipeline.Pipeline{}}
		for name, d := range known {
			inner.shared[name] = d
		}
		side := n.Base
		if working != nil {
			side = n.Step
			inner.shared[n.Name] = &definition{working: working}
		}
		f, err := inner.flow(side)
		if err != nil {
			inner.abandon()
			return nil, nil, err
		}
		result := op.NewMaterialize(columns(side), b.environment, b.node(n))
		inner.end(f, b.node(n), result)
		inner.connect()
		return inner.pipelines, result, nil
	}
	f := b.begin(b.node(n), op.NewRecursive(round, n.Distinct, columns(n), b.environment, b.node(n)), true)
	f.after(outside...)
	return f, nil
}

func (b *builder) write(n *plan.Write) (*flow, error) {
	f, err := b.flow(n.Input)
	if err != nil {
		return nil, err
	}
	sink, err := op.NewWrite(n, b.environment, b.node(n))
	if err != nil {
		return nil, err
	}
	return b.begin(b.node(n), sink.Fragments(), true, b.end(f, b.node(n), sink)), nil
}

// exchange reads what other tasks send; the node's input runs elsewhere.
func (b *builder) exchange(n *plan.Exchange) (*flow, error) {
	if b.environment.Exchange == nil {
		return b.flow(n.Input)
	}
	f := b.begin(b.node(n), inbox{b.environment, n}, true)
	if n.Kind == plan.Merge {
		f.pipeline.Drivers = 1
	}
	return f, nil
}

type inbox struct {
	environment *pipeline.Environment
	node        *plan.Exchange
}

func (i inbox) Open(ctx context.Context, d *pipeline.Driver) (vec.Source, error) {
	return i.environment.Exchange(ctx, i.node, d.Index)
}

func (i inbox) Close() error { return nil }
