package window

import (
	"context"
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/tarnlake/tarn/exec/functions"
	"github.com/tarnlake/tarn/internal/fn"
	"github.com/tarnlake/tarn/internal/plan"
	"github.com/tarnlake/tarn/internal/types"
	"github.com/tarnlake/tarn/internal/vec"
)

// inBatches gives columns' rows a few at a time.
type inBatches struct {
	in   []vec.Vector
	size int
	at   int
	b    vec.Batch
}

func (s *inBatches) Next(context.Context) (*vec.Batch, error) {
	n := min(s.size, s.in[0].Len-s.at)
	if n == 0 {
		return nil, nil
	}
	s.b.Cols, s.b.Len = make([]vec.Vector, len(s.in)), n
	for c := range s.in {
		Slice(&s.b.Cols[c], &s.in[c], s.at, n)
	}
	s.at += n
	return &s.b, nil
}

func (s *inBatches) Close() error { return nil }

// overloadOf finds a function over the given argument types.
func overloadOf(t *testing.T, registry *fn.Registry, name string, args ...types.Type) *fn.Overload {
	for _, exact := range []bool{true, false} {
		for _, o := range registry.ByName(name) {
			matches := len(o.Params) == len(args)
			for i := range args {
				matches = matches && (o.Params[i].Family != fn.Exact && !exact || o.Params[i].Type.Kind == args[i].Kind)
			}
			if matches {
				return o
			}
		}
	}
	t.Fatal("no function", name, args)
	return nil
}

// TestStreamAgreesWithWholePartitions evaluates every function and frame that can be streamed both ways.
func TestStreamAgreesWithWholePartitions(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 4))
	registry := functions.Registry()
	long, integer, text, double := types.Of(types.Int64), types.Of(types.Int32), types.Of(types.Text), types.Of(types.Float64)
	frame := func(unit plan.FrameUnit, start, end plan.BoundKind) plan.Frame {
		return plan.Frame{Unit: unit, Start: plan.Bound{Kind: start, Offset: 3}, End: plan.Bound{Kind: end, Offset: 3}}
	}
	frames := []plan.Frame{
		frame(plan.Range, plan.UnboundedPreceding, plan.CurrentRow), frame(plan.Rows, plan.UnboundedPreceding, plan.CurrentRow),
		frame(plan.Groups, plan.UnboundedPreceding, plan.CurrentRow), frame(plan.Range, plan.UnboundedPreceding, plan.UnboundedFollowing),
		frame(plan.Rows, plan.Preceding, plan.Following), frame(plan.Rows, plan.CurrentRow, plan.Following), frame(plan.Rows, plan.Preceding, plan.Preceding),
		{Unit: plan.Rows, Start: plan.Bound{Kind: plan.Preceding, Offset: 3}, End: plan.Bound{Kind: plan.CurrentRow}, Exclude: uint8(fn.ExcludeCurrentRow)},
	}
	var calls []plan.WindowCall
	add := func(name string, f plan.Frame, result types.Type, aggregate bool, args ...int) {
		c := plan.WindowCall{Aggregate: aggregate, Frame: f}
		c.Name, c.Args, c.Result, c.Filter = name, args, result, -1
		if aggregate && len(calls)%2 == 0 {
			c.Filter = 4
		}
		columns := []types.Type{long, long, text, long, types.Of(types.Bool), double, integer}
		for _, a := range args {
			c.ArgTypes = append(c.ArgTypes, columns[a])
		}
		c.Function = overloadOf(t, registry, name, c.ArgTypes...).ID
		calls = append(calls, c)
	}
	for _, f := range frames {
		for range 2 {
			add("count", f, long, true, 0)
			add("sum", f, types.DecimalOf(38, 0), true, 0)
			add("sum", f, double, true, 5)
			add("avg", f, double, true, 5)
			add("min", f, long, true, 0)
			add("max", f, double, true, 5)
			add("max", f, text, true, 2)
			add("array_agg", f, types.ArrayOf(long), true, 0)
		}
		if f.Start.Kind != plan.UnboundedPreceding {
			add("first_value", f, text, false, 2)
			add("nth_value", f, long, false, 0, 6)
		}
	}
	for _, name := range []string{"row_number", "rank", "dense_rank"} {
		add(name, frames[0], long, false)
	}
	add("percent_rank", frames[0], double, false)
	add("cume_dist", frames[0], double, false)
	add("ntile", frames[0], integer, false, 6)
	add("lag", frames[0], text, false, 2)
	add("lead", frames[0], long, false, 0, 6)
	for _, n := range []int{1, 4, 40, 130} {
		in := partition(r, n)
		vec.Values[uint8](&in[4])[0] = 1
		in = append(in, *vec.NewFlat(double, n), *vec.NewFlat(integer, n))
		words := vec.NewFlat(text, n)
		for i := range n {
			vec.Values[int64](&in[0])[i] = r.Int64N(1000) - 500
			if r.IntN(6) == 0 {
				in[0].SetNull(i)
			}
			words.SetString(i, fmt.Sprint("a word longer than a view: ", r.IntN(100)))
			vec.Values[int64](&in[3])[i] = 5
			vec.Values[float64](&in[5])[i] = float64(r.IntN(100)) / 8
			vec.Values[int32](&in[6])[i] = 3
		}
		in[2] = *words
		for _, order := range [][]plan.SortKey{nil, {{Column: 1}}} {
			for i := range calls {
				agrees(t, registry, &plan.Window{Order: order, Functions: calls[i : i+1]}, in, n)
			}
			agrees(t, registry, &plan.Window{Order: order, Functions: calls}, in, n)
			if t.Failed() {
				return
			}
		}
	}
}

func agrees(t *testing.T, registry *fn.Registry, node *plan.Window, in []vec.Vector, n int) {
	t.Helper()
	ctx := context.Background()
	whole, err := New(node, registry, &fn.Session{})
	if err != nil {
		t.Fatal(err)
	}
	want := make([]vec.Vector, len(node.Functions))
	if err := whole.Partition(ctx, in, n, want); err != nil {
		t.Fatal(err)
	}
	pieces, _ := New(node, registry, &fn.Session{})
	if name, ok := pieces.Streamable(); !ok {
		t.Fatalf("%s %+v is not streamed", name, node.Functions[0].Frame)
	}
	s, err := pieces.NewStream(ctx, func() vec.Source { return &inBatches{in: in, size: 3} }, 7)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	out := make([]vec.Vector, len(in)+len(want))
	at := 0
	for {
		got, err := s.Next(ctx, out)
		if err != nil {
			t.Fatal(err)
		}
		if got == 0 {
			break
		}
		for i := range got {
			for c := range out {
				from := &vec.Vector{}
				if c < len(in) {
					from = &in[c]
				} else {
					from = &want[c-len(in)]
				}
				if a, b := fmt.Sprint(out[c].Datum(i)), fmt.Sprint(from.Datum(at+i)); a != b {
					f := node.Functions[max(c-len(in), 0)]
					t.Errorf("%s%v %+v row %d of %d column %d: %s, want %s", f.Name, f.ArgTypes, f.Frame, at+i, n, c, a, b)
					return
				}
			}
		}
		at += got
	}
	if at != n {
		t.Errorf("%d rows, want %d", at, n)
	}
}
