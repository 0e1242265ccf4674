package window

import (
	"context"

	"github.com/tarnlake/tarn/internal/fn"
	"github.com/tarnlake/tarn/internal/plan"
	"github.com/tarnlake/tarn/internal/sqlerr"
	"github.com/tarnlake/tarn/internal/vec"
)

// Evaluator computes the functions of one Window node. It is used by one goroutine at a time.
type Evaluator struct {
	order []plan.SortKey
	calls []call
	peers peers
}

// call is one function.
type call struct {
	plan.WindowCall
	function  fn.WindowEvaluator
	aggregate *aggregate
}

// New prepares the functions of node.
func New(node *plan.Window, registry *fn.Registry, session *fn.Session) (*Evaluator, error) {
	e := &Evaluator{order: node.Order}
	for _, f := range node.Functions {
		overload := registry.Overload(f.Function)
		if overload == nil {
			return nil, sqlerr.Internal("window function %s has no overload %d", f.Name, f.Function)
		}
		c := call{WindowCall: f}
		use := fn.Call{Name: f.Name, Args: f.ArgTypes, Result: f.Result, Constants: f.Constants, Session: session}
		var err error
		switch implementation := overload.Impl.(type) {
		case fn.Window:
			c.function, err = implementation.New(use)
		case fn.Aggregate:
			c.aggregate = &aggregate{implementation: implementation, call: use}
			err = c.aggregate.prepare()
		default:
			err = sqlerr.Internal("%s is no window function", f.Name)
		}
		if err != nil {
			return nil, err
		}
		e.calls = append(e.calls, c)
	}
	return e, nil
}

// Partition gives the values of every function for the n rows of one partition. in holds the node's
// input columns, Flat or Const, sorted by the node's order; out gets one vector a function, whose
// memory is reused.
func (e *Evaluator) Partition(ctx context.Context, in []vec.Vector, n int, out []vec.Vector) error {
	e.peers.find(in, e.order, n)
	for i := range e.calls {
		if err := ctx.Err(); err != nil {
			return context.Cause(ctx)
		}
		if err := e.calls[i].evaluate(ctx, e, in, n, &out[i]); err != nil {
			return err
		}
	}
	return nil
}

func (c *call) evaluate(ctx context.Context, e *Evaluator, in []vec.Vector, n int, out *vec.Vector) error {
	start, end, err := frames(c.Frame, in, e.order, &e.peers, n)
	if err != nil {
		return err
	}
	args := make([]*vec.Vector, len(c.Args))
	for i, ordinal := range c.Args {
		args[i] = &in[ordinal]
	}
	if c.function != nil {
		out.Resize(c.Result, n)
		return c.function.Evaluate(&fn.WindowPartition{Rows: n, Args: args, PeerStart: e.peers.start, PeerEnd: e.peers.end,
			FrameStart: start, FrameEnd: end, Exclude: fn.Exclusion(c.Frame.Exclude), IgnoreNulls: c.IgnoreNulls}, out)
	}
	f := &framed{ctx: ctx, args: args, n: n, start: start, end: end, peers: &e.peers, exclude: fn.Exclusion(c.Frame.Exclude)}
	if c.Filter >= 0 {
		f.filter = &in[c.Filter]
	}
	return c.aggregate.over(f, c.Frame, out)
}
