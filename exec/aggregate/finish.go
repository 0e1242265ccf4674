package aggregate

import (
	"context"

	"github.com/tarnlake/tarn/exec/pipeline"
	"github.com/tarnlake/tarn/internal/fn"
	"github.com/tarnlake/tarn/internal/plan"
	"github.com/tarnlake/tarn/internal/types"
	"github.com/tarnlake/tarn/internal/vec"
)

// NewFinish makes results of partial states, each row being a group of its own.
func NewFinish(node *plan.Aggregate, input []types.Type) pipeline.Operator {
	return finish{node, input}
}

type finish struct {
	node  *plan.Aggregate
	input []types.Type
}

func (f finish) New(d *pipeline.Driver) (pipeline.Transform, error) {
	s, err := newSpec(f.node, f.input, d.Environment.Registry, d.Environment.Session)
	if err != nil {
		return nil, err
	}
	states, err := s.accumulators()
	if err != nil {
		return nil, err
	}
	return &finishing{spec: s, states: states, out: vec.Batch{Cols: make([]vec.Vector, len(s.keys)+len(s.calls))}}, nil
}

func (finish) Close() error { return nil }

// finishing holds the states of one batch at a time.
type finishing struct {
	spec   *spec
	states []fn.Accumulator
	groups []int32
	args   []*vec.Vector
	out    vec.Batch
}

func (f *finishing) Process(_ context.Context, in *vec.Batch, emit pipeline.Emit) error {
	for i := len(f.groups); i < in.Len; i++ {
		f.groups = append(f.groups, int32(i))
	}
	rows := in.Sel
	if rows == nil {
		rows = f.groups[:in.Len]
	}
	for i, k := range f.spec.keys {
		f.out.Cols[i].Alias(&in.Cols[k])
	}
	for i, state := range f.states {
		f.args = f.args[:0]
		for _, a := range f.spec.calls[i].Args {
			f.args = append(f.args, &in.Cols[a])
		}
		state.Reset()
		state.Resize(in.Len)
		if err := state.Merge(rows, f.args, in.Sel); err != nil {
			return err
		}
		if err := state.Final(0, in.Len, &f.out.Cols[len(f.spec.keys)+i]); err != nil {
			return err
		}
	}
	f.out.Len, f.out.Sel = in.Len, in.Sel
	return emit(&f.out)
}

func (*finishing) Finish(context.Context, pipeline.Emit) error { return nil }
func (*finishing) Close() error                                { return nil }
