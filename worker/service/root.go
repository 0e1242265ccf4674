package service

import (
	"context"

	"github.com/tarnlake/tarn/exec/op"
	"github.com/tarnlake/tarn/exec/pipeline"
	"github.com/tarnlake/tarn/internal/plan"
	"github.com/tarnlake/tarn/internal/rpc"
	"github.com/tarnlake/tarn/internal/vec"
	"github.com/tarnlake/tarn/worker/exchange"
	"github.com/tarnlake/tarn/worker/task"
)

// Root runs a query's root fragment in this process, on behalf of the coordinator in it. The
// environment is complete but for its Exchange; its pool stays the caller's.
//
// publish is told of the dynamic filters that other tasks wait for.
func (w *Worker) Root(ctx context.Context, root *plan.Fragment, environment pipeline.Environment, inlets []rpc.Inlet,
	publish func(filter int, learnt *op.Learnt)) (*Root, error) {
	in := exchange.NewInlets(ctx, exchange.InletsConfig{Inlets: inlets, Transfer: w, Pool: environment.Pool,
		BatchSize: environment.WithDefaults().BatchSize})
	environment.Exchange = in.Open
	filters := op.NewDynamicFilters()
	for _, id := range root.Filters {
		filters.Get(id).Watch(func(l *op.Learnt) { publish(id, l) })
	}
	rows, stats, err := task.RunFragment(ctx, root.Root, environment, filters)
	if err != nil {
		in.Close(false)
		return nil, err
	}
	return &Root{Source: rows, inlets: in, Stats: stats}, nil
}

// Root is the rows of a root fragment.
type Root struct {
	vec.Source
	Stats  *task.Stats
	inlets *exchange.Inlets
}

// Close ends the fragment and what it reads, and waits for both.
func (r *Root) Close() error {
	err := r.Source.Close()
	r.inlets.Close(false)
	return err
}

// Report tells what the plan nodes did so far.
func (r *Root) Report() []rpc.NodeStats { return task.Report(r.Stats) }
