package build_test

import (
	"slices"
	"sort"
	"testing"

	"github.com/tarnlake/tarn/exec/build"
	"github.com/tarnlake/tarn/exec/functions"
	"github.com/tarnlake/tarn/exec/op"
	"github.com/tarnlake/tarn/exec/op/optest"
	"github.com/tarnlake/tarn/exec/pipeline"
	"github.com/tarnlake/tarn/internal/fn"
	"github.com/tarnlake/tarn/internal/plan"
	"github.com/tarnlake/tarn/internal/types"
)

// TestEarlyGroupsMayComeSeveralTimes groups in fragments that give states, and puts the states together:
// with many rows a group, with rows that nearly all are groups of their own (they pass, at last), and
// when memory is asked back all the time.
func TestEarlyGroupsMayComeSeveralTimes(t *testing.T) {
	long := types.Of(types.Int64)
	registry := functions.Registry()
	for name, c := range map[string]struct {
		rows, groups int64
		force        bool
		most, least  int // states that the first step gives
	}{
		"few groups":  {rows: 20_000, groups: 300, most: 300, least: 300},
		"all differ":  {rows: 150_000, groups: 150_000, most: 150_000, least: 150_000},
		"short of it": {rows: 20_000, groups: 300, force: true, most: 20_000, least: 400},
	} {
		in := optest.Table{Types: []types.Type{long, long, types.Of(types.Bool)}}
		type answer struct{ sum, count, least int64 }
		want := map[int64]*answer{}
		for i := range c.rows {
			key, value, kept := i*7919%c.groups, i%1013, i%3 > 0
			in.Rows = append(in.Rows, optest.Row{types.IntDatum(key), types.IntDatum(value), types.BoolDatum(kept)})
			a := want[key]
			if a == nil {
				a = &answer{least: value}
				want[key] = a
			}
			if a.least = min(a.least, value); kept {
				a.sum += value
			}
			a.count++
		}
		tables := &optest.Tables{Tables: map[string]optest.Table{"t": in}, SplitRows: 10_000}
		call := func(name string, filter int) plan.AggregateCall {
			for _, o := range registry.ByName(name) {
				if len(o.Params) == 1 && (o.Params[0].Family != 0 || o.Params[0].Type.Kind == types.Int64) {
					return plan.AggregateCall{Name: name, Function: o.ID, Args: []int{1}, ArgTypes: []types.Type{long}, Filter: filter, Result: long}
				}
			}
			t.Fatal("no function", name)
			return plan.AggregateCall{}
		}
		calls := []plan.AggregateCall{call("sum", 2), call("count", -1), call("min", -1)}
		calls[0].Result = types.DecimalOf(38, 0)
		first := &plan.Aggregate{Input: tables.Scan("t"), Keys: []int{0}, Calls: calls, Phase: plan.Partial}
		last := &plan.Aggregate{Keys: []int{0}, Calls: slices.Clone(calls), Phase: plan.Final}
		first.Out = types.Schema{{Type: long}}
		last.Out = types.Schema{{Type: long}}
		for i := range last.Calls {
			c := &calls[i]
			partial := registry.Overload(c.Function).Impl.(fn.Aggregate).Partial(
				fn.Call{Name: c.Name, Args: c.ArgTypes, Result: c.Result, Constants: make([]*types.Datum, 1)})
			last.Calls[i].Args, last.Calls[i].Filter = nil, -1
			for _, p := range partial {
				last.Calls[i].Args = append(last.Calls[i].Args, len(first.Out))
				first.Out = append(first.Out, types.Field{Type: p, Nullable: true})
			}
			last.Out = append(last.Out, types.Field{Type: calls[i].Result, Nullable: true})
		}
		states := fragment(t, tables, first, c.force)
		if len(states) < c.least || len(states) > c.most {
			t.Errorf("%s: %d states", name, len(states))
		}
		tables.Tables["states"] = optest.Table{Types: first.Out.Types(), Rows: states}
		last.Input = tables.Scan("states")
		// What takes states may let those pass, too, that it only puts together.
		again := &plan.Aggregate{Input: last.Input, Keys: last.Keys, Calls: last.Calls, Phase: plan.Combine}
		again.Out = first.Out
		tables.Tables["combined"] = optest.Table{Types: first.Out.Types(), Rows: fragment(t, tables, again, c.force)}
		for _, source := range []string{"states", "combined"} {
			last.Input = tables.Scan(source)
			e := optest.Environment(t, tables, registry)
			plan.Number(last)
			rows, _, err := optest.Execute(t.Context(), last, e)
			if err != nil || len(rows) != len(want) {
				t.Fatal(name, source, len(rows), len(want), err)
			}
			for _, row := range rows {
				a := want[row[0].I64]
				if optest.Text(calls[0].Result, row[1]) != optest.Text(long, types.IntDatum(a.sum)) && !(row[1].Null && a.sum == 0) ||
					row[2].I64 != a.count || row[3].I64 != a.least {
					t.Fatalf("%s, %s: group %d has %v, not %v", name, source, row[0].I64, row, *a)
				}
			}
		}
	}
}

// fragment runs a plan as a fragment, and gives its rows by key.
func fragment(t *testing.T, tables *optest.Tables, root plan.Node, force bool) []optest.Row {
	t.Helper()
	e := optest.Environment(t, tables, functions.Registry())
	e.Spill.Force, e.Drivers = force, 1
	plan.Number(root)
	output := pipeline.NewOutput(2)
	pipelines, err := build.Fragment(root, e, pipeline.NewStats(), output, op.NewDynamicFilters())
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan error)
	go func() {
		err := pipeline.Run(t.Context(), e, pipelines)
		_ = output.Close()
		done <- err
	}()
	var rows []optest.Row
	for b := range output.Batches() {
		rows = append(rows, optest.Rows(b)...)
	}
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	if used := e.Pool.Used(); used != 0 {
		t.Fatalf("%d bytes not returned", used)
	}
	sort.SliceStable(rows, func(a, b int) bool { return rows[a][0].I64 < rows[b][0].I64 })
	return rows
}
