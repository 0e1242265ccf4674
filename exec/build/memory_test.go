package build_test

import (
	"fmt"
	"os"
	"sort"
	"strings"
	"testing"

	"github.com/tarnlake/tarn/exec/functions"
	"github.com/tarnlake/tarn/exec/op/optest"
	"github.com/tarnlake/tarn/exec/pipeline"
	"github.com/tarnlake/tarn/internal/expr"
	"github.com/tarnlake/tarn/internal/memory"
	"github.com/tarnlake/tarn/internal/plan"
	"github.com/tarnlake/tarn/internal/sqlerr"
	"github.com/tarnlake/tarn/internal/types"
)

// hungry gives plans that need several megabytes over the table of 40,000 wide rows.
func hungry(t *testing.T) (*optest.Tables, map[string]func() plan.Node) {
	long, text := types.Of(types.Int64), types.Of(types.Text)
	in := optest.Table{Types: []types.Type{long, text, long}}
	for i := range 40_000 {
		in.Rows = append(in.Rows, optest.Row{types.IntDatum(int64(i) * 7919 % 40_009), types.StringDatum(fmt.Sprintf("some payload of moderate length, number %d", i)), types.IntDatum(int64(i % 97))})
	}
	tables := &optest.Tables{Tables: map[string]optest.Table{"t": in}, SplitRows: 4000}
	registry := functions.Registry()
	function := func(name string, distinct bool) plan.AggregateCall {
		c := plan.AggregateCall{Name: name, Args: []int{2}, ArgTypes: []types.Type{long}, Filter: -1, Result: long, Distinct: distinct}
		for _, o := range registry.ByName(name) {
			if len(o.Params) == 1 && (o.Params[0].Family != 0 || o.Params[0].Type.Kind == types.Int64) {
				c.Function = o.ID
				return c
			}
		}
		t.Fatal("no function", name)
		return c
	}
	out := func(n plan.Node, columns ...types.Type) plan.Node {
		for _, c := range columns {
			n.Head().Out = append(n.Head().Out, types.Field{Type: c, Nullable: true})
		}
		return n
	}
	row := []types.Type{long, text, long}
	join := func(kind plan.JoinKind) func() plan.Node {
		return func() plan.Node {
			columns := append(append([]types.Type{}, row...), row...)
			if kind == plan.RightAnti {
				columns = row
			}
			return out(&plan.HashJoin{Kind: kind, Left: tables.Scan("t"), Right: tables.Scan("t"), LeftKeys: []int{0}, RightKeys: []int{0}, NullEqual: []bool{false}}, columns...)
		}
	}
	return tables, map[string]func() plan.Node{
		"Hash Join":  join(plan.Inner),
		"Hash Join2": join(plan.Full),
		"Hash Join3": join(plan.RightAnti),
		"Aggregate": func() plan.Node {
			return out(&plan.Aggregate{Input: tables.Scan("t"), Keys: []int{1, 0}, Calls: []plan.AggregateCall{function("count", false), function("max", false)}}, text, long, long, long)
		},
		"Aggregate2": func() plan.Node {
			return out(&plan.Aggregate{Input: tables.Scan("t"), Keys: []int{1}, Calls: []plan.AggregateCall{function("count", true)}}, text, long)
		},
		"Aggregate3": func() plan.Node { // few groups with many distinct values each
			call := function("count", true)
			call.Args, call.ArgTypes = []int{1}, []types.Type{text}
			return out(&plan.Aggregate{Input: tables.Scan("t"), Keys: []int{2}, Calls: []plan.AggregateCall{call}}, long, long)
		},
		"Sort": func() plan.Node {
			return out(&plan.Sort{Input: tables.Scan("t"), Keys: []plan.SortKey{{Column: 1, Descending: true}}}, row...)
		},
		"Window": func() plan.Node {
			w := plan.WindowCall{AggregateCall: function("count", false), Aggregate: true, Frame: plan.Frame{Start: plan.Bound{Kind: plan.UnboundedPreceding}, End: plan.Bound{Kind: plan.CurrentRow}}}
			return out(&plan.Window{Input: tables.Scan("t"), Partition: []int{1}, Order: []plan.SortKey{{Column: 0}}, Functions: []plan.WindowCall{w}}, append(row, long)...)
		},
		"Window2": func() plan.Node {
			w := plan.WindowCall{AggregateCall: function("count", false), Aggregate: true, Frame: plan.Frame{Start: plan.Bound{Kind: plan.UnboundedPreceding}, End: plan.Bound{Kind: plan.CurrentRow}}}
			return out(&plan.Window{Input: tables.Scan("t"), Order: []plan.SortKey{{Column: 0}, {Column: 1}}, Functions: []plan.WindowCall{w}}, append(row, long)...)
		},
		"With": func() plan.Node {
			return out(&plan.With{Definitions: []plan.Definition{{Name: 1, Plan: tables.Scan("t")}}, Body: out(&plan.Shared{Name: 1}, row...)}, row...)
		},
		"Nested Loop Join": func() plan.Node {
			condition := &expr.Compare{Op: expr.Less, Left: &expr.Column{ID: 3, T: long}, Right: &expr.Literal{Value: types.IntDatum(3), T: long}}
			few := &plan.Limit{Input: tables.Scan("t"), Limit: 3}
			few.Out = few.Input.Schema()
			return out(&plan.NestedLoopJoin{Kind: plan.Anti, Left: few, Right: tables.Scan("t"), Condition: &expr.And{Args: []expr.Expr{condition,
				&expr.Compare{Op: expr.Less, Left: &expr.Column{ID: 3, T: long}, Right: &expr.Literal{Value: types.IntDatum(0), T: long}}}}}, row...)
		},
	}
}

func run(t *testing.T, tables *optest.Tables, root plan.Node, change func(*pipeline.Environment)) ([]string, *pipeline.Stats, *memory.Pool, error) {
	e := optest.Environment(t, tables, functions.Registry())
	change(e)
	plan.Number(root)
	rows, stats, err := optest.Execute(t.Context(), root, e)
	if used := e.Pool.Used(); used != 0 {
		t.Fatalf("%d bytes not returned", used)
	}
	if left, _ := os.ReadDir(e.Spill.Directory); len(left) != 0 {
		t.Fatal("files left:", left)
	}
	var texts []string
	for _, row := range rows {
		text := ""
		for c, f := range root.Schema() {
			text += optest.Text(f.Type, row[c]) + "|"
		}
		texts = append(texts, text)
	}
	if _, ordered := root.(*plan.Sort); !ordered {
		sort.Strings(texts)
	}
	return texts, stats, e.Pool, err
}

func TestOperatorsSpillWithinTheirMemory(t *testing.T) {
	tables, plans := hungry(t)
	for name, plan := range plans {
		limit := int64(3 << 20)
		if name == "With" || name == "Nested Loop Join" {
			limit = 2 << 20
		}
		want, _, _, err := run(t, tables, plan(), func(*pipeline.Environment) {})
		if err != nil {
			t.Fatal(name, err)
		}
		got, stats, pool, err := run(t, tables, plan(), func(e *pipeline.Environment) { e.Pool = memory.NewRoot("query", limit) })
		if err != nil {
			t.Errorf("%s: %v %s", name, err, sqlerr.From(err).Detail)
			continue
		}
		spilled := int64(0)
		for _, n := range stats.All() {
			spilled += n.Spilled.Load()
		}
		if spilled == 0 {
			t.Errorf("%s did not spill, peak %d", name, pool.Peak())
		}
		if pool.Peak() > limit*2 {
			t.Errorf("%s held %s of %s", name, memory.FormatBytes(pool.Peak()), memory.FormatBytes(limit))
		}
		if strings.Join(got, "\n") != strings.Join(want, "\n") && name != "Nested Loop Join" {
			t.Errorf("%s: %d rows, %d without a limit, or others", name, len(got), len(want))
		}
	}
}

func TestWithoutSpillingMemoryErrorsNameOperatorAndSetting(t *testing.T) {
	tables, plans := hungry(t)
	for name, plan := range plans {
		_, _, _, err := run(t, tables, plan(), func(e *pipeline.Environment) {
			e.Pool, e.Spill.Enabled = memory.NewRoot("query", 1<<20), false
		})
		name = strings.TrimRight(name, "23")
		if sqlerr.CodeOf(err) != sqlerr.OutOfMemory || !strings.Contains(err.Error(), name) && name != "With" || !strings.Contains(sqlerr.From(err).Hint, "spill.enabled") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestUnusableSpillDirectory(t *testing.T) {
	tables, plans := hungry(t)
	for name, plan := range plans {
		_, _, _, err := run(t, tables, plan(), func(e *pipeline.Environment) {
			e.Pool, e.Spill.Directory = memory.NewRoot("query", 2<<20), "/dev/null/none"
		})
		if sqlerr.CodeOf(err) != sqlerr.IOError {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// What DISTINCT keeps counts as memory that spilling frees: groups alone may be small.
func TestDistinctValuesSpill(t *testing.T) {
	tables, plans := hungry(t)
	want, _, _, err := run(t, tables, plans["Aggregate3"](), func(*pipeline.Environment) {})
	if err != nil {
		t.Fatal(err)
	}
	for _, limit := range []int64{150 << 10, 250 << 10, 350 << 10, 500 << 10} {
		got, _, _, err := run(t, tables, plans["Aggregate3"](), func(e *pipeline.Environment) {
			e.Pool, e.Drivers = memory.NewRoot("query", limit), 1
		})
		if err != nil || strings.Join(got, "\n") != strings.Join(want, "\n") {
			t.Errorf("with %s: %v, %d rows", memory.FormatBytes(limit), err, len(got))
		}
	}
}
