package op

import (
	"context"

	"github.com/tarnlake/tarn/exec/eval"
	"github.com/tarnlake/tarn/exec/pipeline"
	"github.com/tarnlake/tarn/internal/expr"
	"github.com/tarnlake/tarn/internal/fn"
	"github.com/tarnlake/tarn/internal/plan"
	"github.com/tarnlake/tarn/internal/sqlerr"
	"github.com/tarnlake/tarn/internal/types"
	"github.com/tarnlake/tarn/internal/vec"
)

// NewUnnest runs table functions for every input row, side by side.
func NewUnnest(calls []plan.TableCall, ordinality, outer bool, input []types.Type) pipeline.Operator {
	return maker(func(d *pipeline.Driver) (pipeline.Transform, error) {
		u := &unnest{ordinality: ordinality, outer: outer, size: d.Environment.BatchSize}
		for _, call := range calls {
			f, err := newTableFunction(call, d.Environment, input)
			if err != nil {
				return nil, err
			}
			u.functions = append(u.functions, f)
		}
		return u, nil
	})
}

// tableFunction is one function of an Unnest, for one driver.
type tableFunction struct {
	kernel     fn.TableKernel
	projection *eval.Projection
	values     []vec.Vector
	columns    types.Schema
	args       []*vec.Vector
	out        []*vec.Vector
	more       bool // the current row has further results
}

func newTableFunction(call plan.TableCall, environment *pipeline.Environment, input []types.Type) (*tableFunction, error) {
	overload := environment.Registry.Overload(call.Function)
	if overload == nil {
		return nil, sqlerr.Internal("no function number %d (%s)", call.Function, call.Name)
	}
	table, ok := overload.Impl.(fn.Table)
	if !ok {
		return nil, sqlerr.Internal("function %s gives no rows", call.Name)
	}
	use := fn.Call{Name: call.Name, Session: environment.Session}
	for _, e := range call.Args {
		use.Args = append(use.Args, e.Type())
		var constant *types.Datum
		if literal, ok := e.(*expr.Literal); ok {
			constant = &literal.Value
		}
		use.Constants = append(use.Constants, constant)
	}
	f := &tableFunction{columns: call.Columns}
	var err error
	if f.kernel, err = table.New(use); err != nil {
		return nil, err
	}
	f.values = make([]vec.Vector, len(call.Args))
	f.projection, err = eval.CompileProjection(call.Args, input, environment.Expressions())
	return f, err
}

// start evaluates the arguments for a batch and forgets earlier results.
func (f *tableFunction) start(in *vec.Batch) error {
	if err := f.projection.Eval(in, f.values); err != nil {
		return err
	}
	f.args = f.args[:0]
	for i := range f.values {
		flat := &vec.Vector{}
		vec.Flatten(flat, &f.values[i])
		f.args = append(f.args, flat)
	}
	f.clear()
	return nil
}

// clear makes new result columns: those handed downstream are not written again.
func (f *tableFunction) clear() {
	f.out = make([]*vec.Vector, 0, len(f.columns))
	for _, c := range f.columns {
		f.out = append(f.out, vec.NewFlat(c.Type, 0))
	}
}

// rows is the number of result rows so far.
func (f *tableFunction) rows() int {
	if len(f.out) == 0 {
		return 0
	}
	return f.out[0].Len
}

// pad extends the results with NULLs to n rows.
func (f *tableFunction) pad(n int) {
	for _, v := range f.out {
		for v.Len < n {
			v.AppendDatum(types.NullDatum())
		}
	}
}

type unnest struct {
	stateless
	functions  []*tableFunction
	ordinality bool
	outer      bool
	size       int
	parents    []int32 // input row of each result row
	numbers    []int64 // WITH ORDINALITY
	out        vec.Batch
}

func (u *unnest) Process(ctx context.Context, in *vec.Batch, emit pipeline.Emit) error {
	for _, f := range u.functions {
		if err := f.start(in); err != nil {
			return err
		}
	}
	u.parents, u.numbers = u.parents[:0], u.numbers[:0]
	n := in.Rows()
	for i := range n {
		row := i
		if in.Sel != nil {
			row = int(in.Sel[i])
		}
		if err := u.row(ctx, in, row, emit); err != nil {
			return err
		}
	}
	return u.flush(in, emit)
}

// row expands one input row.
func (u *unnest) row(ctx context.Context, in *vec.Batch, row int, emit pipeline.Emit) error {
	ordinal := int64(0)
	for _, f := range u.functions {
		f.more = true
	}
	for first := true; ; first = false {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		pending := false
		for _, f := range u.functions {
			var err error
			if f.more && f.rows() < len(u.parents)+u.size {
				f.more, err = f.kernel.Expand(f.args, row, f.out)
			}
			if err != nil {
				return err
			}
			pending = pending || f.more
		}
		ordinal = u.level(row, pending, ordinal)
		if first && !pending && ordinal == 0 && u.outer {
			for _, f := range u.functions {
				f.pad(len(u.parents) + 1)
			}
			u.parents, u.numbers = append(u.parents, int32(row)), append(u.numbers, 0)
		}
		if len(u.parents) >= u.size {
			if err := u.flush(in, emit); err != nil {
				return err
			}
		}
		if !pending {
			return nil
		}
	}
}

// level turns results into output rows: as many as the longest function has when all are done with
// the row, else as many as those that are not done have in common.
func (u *unnest) level(row int, pending bool, ordinal int64) int64 {
	n := len(u.parents)
	if pending {
		n = int(^uint(0) >> 1)
		for _, f := range u.functions {
			if f.more {
				n = min(n, f.rows())
			}
		}
	} else {
		for _, f := range u.functions {
			n = max(n, f.rows())
		}
	}
	for _, f := range u.functions {
		if !f.more {
			f.pad(n)
		}
	}
	for len(u.parents) < n {
		ordinal++
		u.parents, u.numbers = append(u.parents, int32(row)), append(u.numbers, ordinal)
	}
	return ordinal
}

// flush hands on the complete output rows; results beyond them stay for the current row.
func (u *unnest) flush(in *vec.Batch, emit pipeline.Emit) error {
	n := len(u.parents)
	if n == 0 {
		return nil
	}
	u.out = vec.Batch{Len: n, Cols: make([]vec.Vector, len(in.Cols), len(in.Cols)+len(u.functions)+1)}
	for c := range in.Cols {
		vec.Gather(&u.out.Cols[c], &in.Cols[c], u.parents)
	}
	for _, f := range u.functions {
		rest := sequence(nil, f.rows())[n:]
		done := f.out
		f.clear()
		for c, v := range done {
			for _, r := range rest {
				f.out[c].AppendDatum(v.Datum(int(r)))
			}
			head := *v
			if len(rest) > 0 {
				vec.Gather(&head, v, sequence(nil, n))
			}
			u.out.Cols = append(u.out.Cols, head)
		}
	}
	if u.ordinality {
		v := vec.NewFlat(types.Of(types.Int64), n)
		copy(vec.Values[int64](v), u.numbers)
		for i, number := range u.numbers {
			if number == 0 {
				v.SetNull(i)
			}
		}
		u.out.Cols = append(u.out.Cols, *v)
	}
	u.parents, u.numbers = u.parents[:0], u.numbers[:0]
	return emit(&u.out)
}
