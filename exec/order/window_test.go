package order_test

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/tarnlake/tarn/exec/functions"
	"github.com/tarnlake/tarn/exec/op/optest"
	"github.com/tarnlake/tarn/internal/expr"
	"github.com/tarnlake/tarn/internal/fn"
	"github.com/tarnlake/tarn/internal/plan"
	"github.com/tarnlake/tarn/internal/types"
)

// overload finds a function by name and argument types.
func overload(t *testing.T, registry *fn.Registry, name string, args ...types.Kind) uint32 {
	t.Helper()
	for _, o := range registry.ByName(name) {
		if len(o.Params) != len(args) {
			continue
		}
		same := true
		for i, k := range args {
			same = same && (o.Params[i].Family != fn.Exact || o.Params[i].Type.Kind == k)
		}
		if same {
			return o.ID
		}
	}
	t.Fatalf("no function %s%v", name, args)
	return 0
}

// TestWindow checks row_number, a running count and the partition's maximum over partitions of many
// sizes; the order within a partition is total.
func TestWindow(t *testing.T) {
	registry := functions.Registry()
	long, text := types.Of(types.Int64), types.Of(types.Text)
	r := rand.New(rand.NewPCG(4, 4))
	for _, c := range []struct{ rows, domain int }{{0, 1}, {500, 1}, {500, 40}, {12_000, 3}, {12_000, 5000}} {
		in := optest.Table{Types: []types.Type{text, long}}
		for i := range c.rows {
			key := types.StringDatum(fmt.Sprint("partition number ", r.IntN(c.domain)))
			if r.IntN(20) == 0 {
				key = types.NullDatum()
			}
			in.Rows = append(in.Rows, optest.Row{key, types.IntDatum(int64(i * 7919 % 20011))})
		}
		var want []optest.Row
		var keys []plan.SortKey
		if c.domain > 1 {
			keys = append(keys, plan.SortKey{Column: 0})
		}
		rows := sorted(in, append(keys, plan.SortKey{Column: 1, Descending: true}))
		number, first := int64(0), 0
		for i, row := range rows {
			if i > 0 && c.domain > 1 && optest.Text(text, row[0]) != optest.Text(text, rows[i-1][0]) {
				number, first = 0, i
			}
			number++
			want = append(want, optest.Row{row[0], row[1], types.IntDatum(number), types.IntDatum(min(number, 4)), rows[first][1]})
		}
		optest.Run(t, optest.Case{Name: fmt.Sprint("window ", c), Tables: map[string]optest.Table{"t": in}, Want: want, Registry: registry,
			Ordered: c.domain == 1,
			Plan: func(tables *optest.Tables) plan.Node {
				call := func(name string, frame plan.Frame, args []int, kinds ...types.Kind) plan.WindowCall {
					w := plan.WindowCall{Frame: frame, Aggregate: name != "row_number"}
					w.Function, w.Name, w.Args, w.Filter, w.Result = overload(t, registry, name, kinds...), name, args, -1, long
					for range args {
						w.ArgTypes = append(w.ArgTypes, long)
					}
					return w
				}
				all := plan.Frame{Start: plan.Bound{Kind: plan.UnboundedPreceding}, End: plan.Bound{Kind: plan.UnboundedFollowing}}
				n := &plan.Window{Input: withOffset(tables.Scan("t")), Order: []plan.SortKey{{Column: 1, Descending: true}}, Functions: []plan.WindowCall{
					call("row_number", all, nil),
					call("count", plan.Frame{Start: plan.Bound{Kind: plan.Preceding, Offset: 2}, End: plan.Bound{Kind: plan.CurrentRow}}, []int{1}, types.Int64),
					call("max", all, []int{1}, types.Int64)}}
				if c.domain > 1 {
					n.Partition = []int{0}
				}
				n.Out = append(append(types.Schema{}, n.Input.Schema()...), types.Field{Type: long}, types.Field{Type: long}, types.Field{Type: long})
				return withoutOffset(n)
			}})
		if t.Failed() {
			return
		}
	}
}

// withOffset adds a column that is 3, the frame's offset.
func withOffset(scan *plan.Scan) plan.Node {
	project := &plan.Project{Input: scan}
	for i, f := range scan.Out {
		project.Exprs = append(project.Exprs, &expr.Column{ID: expr.ColumnID(i), T: f.Type})
	}
	project.Exprs = append(project.Exprs, &expr.Literal{Value: types.IntDatum(3), T: types.Of(types.Int64)})
	project.Out = append(append(types.Schema{}, scan.Out...), types.Field{Type: types.Of(types.Int64)})
	return project
}

// withoutOffset takes it away again.
func withoutOffset(n plan.Node) plan.Node {
	project := &plan.Project{Input: n}
	for i, f := range n.Schema() {
		if i != 2 {
			project.Exprs = append(project.Exprs, &expr.Column{ID: expr.ColumnID(i), T: f.Type})
			project.Out = append(project.Out, f)
		}
	}
	return project
}
