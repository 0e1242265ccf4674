package build_test

import (
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/tarnlake/tarn/exec/functions"
	"github.com/tarnlake/tarn/exec/op/optest"
	"github.com/tarnlake/tarn/internal/expr"
	"github.com/tarnlake/tarn/internal/memory"
	"github.com/tarnlake/tarn/internal/plan"
	"github.com/tarnlake/tarn/internal/types"
)

// TestEveryOperatorNoticesACancel runs each kind of operator over an endless table, or over an input
// that takes it very long, and cancels it in the middle.
func TestEveryOperatorNoticesACancel(t *testing.T) {
	defer goleak.VerifyNone(t)
	long := types.Of(types.Int64)
	in := optest.Table{Types: []types.Type{long, long}}
	for i := range 3000 {
		in.Rows = append(in.Rows, optest.Row{types.IntDatum(int64(i)), types.IntDatum(1)})
	}
	tables := &optest.Tables{Tables: map[string]optest.Table{"endless": in, "t": in}, Endless: "endless"}
	registry := functions.Registry()
	out := func(n plan.Node, width int) plan.Node {
		for range width {
			n.Head().Out = append(n.Head().Out, types.Field{Type: long})
		}
		return n
	}
	none := &expr.Compare{Op: expr.Less, Left: &expr.Column{ID: 0, T: long}, Right: &expr.Literal{Value: types.IntDatum(-5), T: long}}
	endless := func() plan.Node { return tables.Scan("endless") }
	finite := func() plan.Node { return tables.Scan("t") }
	count := plan.AggregateCall{Name: "count", Function: registry.ByName("count")[0].ID, Filter: -1, Result: long}
	base := func() plan.Node {
		return out(&plan.Values{Rows: [][]expr.Expr{{&expr.Literal{Value: types.IntDatum(1), T: long}}}}, 1)
	}
	for name, node := range map[string]plan.Node{
		"filter":      out(&plan.Filter{Input: endless(), Predicate: none}, 2),
		"aggregate":   out(&plan.Aggregate{Input: endless(), Keys: []int{0}, Calls: []plan.AggregateCall{count}}, 2),
		"join build":  out(&plan.HashJoin{Left: finite(), Right: endless(), LeftKeys: []int{0}, RightKeys: []int{0}, NullEqual: []bool{false}}, 4),
		"join probe":  out(&plan.HashJoin{Kind: plan.Anti, Left: endless(), Right: finite(), LeftKeys: []int{0}, RightKeys: []int{0}, NullEqual: []bool{false}}, 2),
		"join chains": out(&plan.Aggregate{Input: out(&plan.HashJoin{Left: out(&plan.NestedLoopJoin{Left: finite(), Right: finite()}, 4), Right: finite(), LeftKeys: []int{1}, RightKeys: []int{1}, NullEqual: []bool{false}}, 6), Calls: []plan.AggregateCall{count}}, 1),
		"nested loop": out(&plan.NestedLoopJoin{Kind: plan.Anti, Left: endless(), Right: finite(), Condition: &expr.Compare{Op: expr.Less, Left: &expr.Column{ID: 0, T: long}, Right: &expr.Column{ID: 2, T: long}}}, 2),
		"sort":        out(&plan.Sort{Input: endless(), Keys: []plan.SortKey{{Column: 0}}}, 2),
		"top-n":       out(&plan.TopN{Input: endless(), Keys: []plan.SortKey{{Column: 0}}, Limit: 10}, 2),
		"limit":       out(&plan.Limit{Input: out(&plan.Filter{Input: endless(), Predicate: none}, 2), Limit: 10}, 2),
		"window":      out(&plan.Window{Input: endless(), Partition: []int{0}}, 2),
		"shared":      out(&plan.With{Definitions: []plan.Definition{{Name: 1, Plan: endless()}}, Body: out(&plan.Shared{Name: 1}, 2)}, 2),
		"recursive":   out(&plan.Aggregate{Input: out(&plan.Recursive{Name: 1, Base: base(), Step: out(&plan.Shared{Name: 1}, 1)}, 1), Calls: []plan.AggregateCall{count}}, 1),
		"window of one partition": out(&plan.Aggregate{Input: out(&plan.Window{Input: out(&plan.NestedLoopJoin{Left: finite(), Right: finite()}, 4), Order: []plan.SortKey{{Column: 1}},
			Functions: []plan.WindowCall{{AggregateCall: count, Aggregate: true, Frame: plan.Frame{Start: plan.Bound{Kind: plan.UnboundedPreceding}, End: plan.Bound{Kind: plan.CurrentRow}}}}}, 5), Calls: []plan.AggregateCall{count}}, 1),
		"union": out(&plan.Aggregate{Input: out(&plan.Union{All: []plan.Node{finite(), endless()}}, 2), Calls: []plan.AggregateCall{count}}, 1),
	} {
		optest.Cancel(t, name, node, optest.Environment(t, tables, registry), 60*time.Millisecond)
		forced := optest.Environment(t, tables, registry)
		forced.Spill.Force = true
		optest.Cancel(t, name+", spilling", node, forced, 60*time.Millisecond)
		tight := optest.Environment(t, tables, registry)
		tight.Pool = memory.NewRoot("query", 4<<20)
		optest.Cancel(t, name+", short of memory", node, tight, 200*time.Millisecond)
	}
}
