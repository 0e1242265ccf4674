package aggregate_test

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"sort"
	"strings"
	"testing"

	"github.com/tarnlake/tarn/exec/op/optest"
	"github.com/tarnlake/tarn/exec/order"
	"github.com/tarnlake/tarn/internal/fn"
	"github.com/tarnlake/tarn/internal/plan"
	"github.com/tarnlake/tarn/internal/types"
	"github.com/tarnlake/tarn/internal/vec"
)

var (
	long  = types.Of(types.Int64)
	text  = types.Of(types.Text)
	truth = types.Of(types.Bool)
)

// values is an accumulator that keeps every group's values: slow, and easy to see through.
type values struct {
	groups [][]types.Datum
	final  func([]types.Datum) types.Datum
	result types.Type
}

func (v *values) Resize(n int) {
	for len(v.groups) < n {
		v.groups = append(v.groups, nil)
	}
}

func (v *values) Update(groups []int32, args []*vec.Vector, rows []int32) error {
	for i, g := range groups {
		row := i
		if rows != nil {
			row = int(rows[i])
		}
		v.groups[g] = append(v.groups[g], args[0].Datum(row))
	}
	return nil
}

func (v *values) Merge(groups []int32, partial []*vec.Vector, rows []int32) error {
	for i, g := range groups {
		row := i
		if rows != nil {
			row = int(rows[i])
		}
		v.groups[g] = append(v.groups[g], partial[0].Datum(row).Items...)
	}
	return nil
}

func (v *values) Partial(from, n int, out []*vec.Vector) error {
	out[0].Resize(types.ArrayOf(long), 0)
	for _, group := range v.groups[from : from+n] {
		out[0].AppendDatum(types.Datum{Items: group})
	}
	return nil
}

func (v *values) Final(from, n int, out *vec.Vector) error {
	out.Resize(v.result, n)
	for i, group := range v.groups[from : from+n] {
		out.SetDatum(i, v.final(group))
	}
	return nil
}

func (v *values) Bytes() int64 { return int64(len(v.groups)) * 32 }
func (v *values) Reset()       { v.groups = nil }

func sum(list []types.Datum) types.Datum {
	out := types.NullDatum()
	for _, d := range list {
		if !d.Null {
			out = types.IntDatum(out.I64 + d.I64)
		}
	}
	return out
}

func count(list []types.Datum) types.Datum {
	n := int64(0)
	for _, d := range list {
		if !d.Null {
			n++
		}
	}
	return types.IntDatum(n)
}

func join(list []types.Datum) types.Datum {
	var parts []string
	for _, d := range list {
		parts = append(parts, optest.Text(long, d))
	}
	return types.StringDatum(strings.Join(parts, ","))
}

const sumCall, countCall, joinCall = 0, 1, 2

func registry() *fn.Registry {
	overload := func(name string, final func([]types.Datum) types.Datum, result types.Type, ignores bool) fn.Overload {
		return fn.Overload{Name: name, Impl: fn.Aggregate{IgnoresOrder: ignores,
			New:     func(fn.Call) (fn.Accumulator, error) { return &values{final: final, result: result}, nil },
			Partial: func(fn.Call) []types.Type { return []types.Type{types.ArrayOf(long)} }}}
	}
	return fn.NewRegistry([]fn.Overload{overload("sum", sum, long, true), overload("count", count, long, true), overload("join", join, text, false)})
}

var finals = []func([]types.Datum) types.Datum{sum, count, join}

// aggregateCase is an aggregation and its naive answer.
type aggregateCase struct {
	in    optest.Table
	keys  []int
	calls []plan.AggregateCall
}

func (c *aggregateCase) schema() types.Schema {
	var out types.Schema
	for _, k := range c.keys {
		out = append(out, types.Field{Type: c.in.Types[k]})
	}
	for _, call := range c.calls {
		out = append(out, types.Field{Type: call.Result})
	}
	return out
}

func (c *aggregateCase) plan(tables *optest.Tables) plan.Node {
	n := &plan.Aggregate{Input: tables.Scan("t"), Keys: c.keys, Calls: c.calls}
	n.Out = c.schema()
	return n
}

// steps aggregates partially first, then in the given phases.
func (c *aggregateCase) steps(phases ...plan.Phase) func(tables *optest.Tables) plan.Node {
	return func(tables *optest.Tables) plan.Node {
		partial := &plan.Aggregate{Input: tables.Scan("t"), Keys: c.keys, Calls: c.calls, Phase: plan.Partial}
		keys := make([]int, len(c.keys))
		for i, k := range c.keys {
			partial.Out = append(partial.Out, types.Field{Type: c.in.Types[k]})
			keys[i] = i
		}
		var calls []plan.AggregateCall
		for _, call := range c.calls {
			call.Args, call.Filter = []int{len(partial.Out)}, -1
			calls = append(calls, call)
			partial.Out = append(partial.Out, types.Field{Type: types.ArrayOf(long)})
		}
		last := partial
		for _, phase := range phases {
			last = &plan.Aggregate{Input: last, Phase: phase, Keys: keys, Calls: calls}
			last.Out = partial.Out
		}
		last.Out = c.schema()
		return last
	}
}

func (c *aggregateCase) answer() []optest.Row {
	groups, names := map[string][]optest.Row{}, []string{}
	for _, row := range c.in.Rows {
		name := ""
		for _, k := range c.keys {
			name += optest.Text(c.in.Types[k], row[k]) + "|"
		}
		if groups[name] == nil {
			names = append(names, name)
		}
		groups[name] = append(groups[name], row)
	}
	if len(c.keys) == 0 && len(names) == 0 {
		names = append(names, "")
	}
	var out []optest.Row
	for _, name := range names {
		var row optest.Row
		for _, k := range c.keys {
			row = append(row, groups[name][0][k])
		}
		for _, call := range c.calls {
			row = append(row, c.call(call, groups[name]))
		}
		out = append(out, row)
	}
	return out
}

func (c *aggregateCase) call(call plan.AggregateCall, rows []optest.Row) types.Datum {
	var kept []optest.Row
	seen := map[string]bool{}
	for _, row := range rows {
		if call.Filter >= 0 && (row[call.Filter].Null || row[call.Filter].I64 == 0) {
			continue
		}
		value := optest.Text(c.in.Types[call.Args[0]], row[call.Args[0]])
		if call.Distinct && seen[value] {
			continue
		}
		seen[value] = true
		kept = append(kept, row)
	}
	key := func(row optest.Row) (out []byte) {
		for _, k := range call.OrderBy {
			v := vec.NewFlat(c.in.Types[k.Column], 0)
			v.AppendDatum(row[k.Column])
			out = order.AppendKey(out, v, 0, k)
		}
		return out
	}
	sort.SliceStable(kept, func(a, b int) bool { return bytes.Compare(key(kept[a]), key(kept[b])) < 0 })
	var list []types.Datum
	for _, row := range kept {
		list = append(list, row[call.Args[0]])
	}
	return finals[call.Function](list)
}

// input has columns: two keys, an argument, a filter, and a unique number.
func input(n int, keyTypes [2]types.Type, domain int64) optest.Table {
	r := rand.New(rand.NewPCG(uint64(n), uint64(domain)))
	t := optest.Table{Types: []types.Type{keyTypes[0], keyTypes[1], long, truth, long}}
	key := func(t types.Type) types.Datum {
		v := r.Int64N(domain)
		switch {
		case r.IntN(12) == 0:
			return types.NullDatum()
		case t.Kind == types.Text:
			return types.StringDatum(strings.Repeat("group", int(v%5)) + fmt.Sprint(v))
		case t.Kind == types.Float64:
			return types.FloatDatum(float64(v))
		case t.Kind == types.Bool:
			return types.IntDatum(v & 1)
		}
		return types.IntDatum(v)
	}
	for i := range n {
		row := optest.Row{key(keyTypes[0]), key(keyTypes[1]), types.IntDatum(r.Int64N(6)), types.BoolDatum(r.IntN(2) == 0), types.IntDatum(int64(i))}
		if r.IntN(9) == 0 {
			row[2+r.IntN(2)] = types.NullDatum()
		}
		t.Rows = append(t.Rows, row)
	}
	return t
}

func call(function uint32, result types.Type) plan.AggregateCall {
	return plan.AggregateCall{Function: function, Name: "test", Args: []int{2}, Filter: -1, Result: result}
}

func run(t *testing.T, name string, c *aggregateCase, phases bool) {
	t.Helper()
	tables := map[string]optest.Table{"t": c.in}
	optest.Run(t, optest.Case{Name: name, Tables: tables, Plan: c.plan, Want: c.answer(), Registry: registry()})
	if phases && !t.Failed() {
		optest.Run(t, optest.Case{Name: name + " in two steps", Tables: tables, Plan: c.steps(plan.Final), Want: c.answer(), Registry: registry()})
		optest.Run(t, optest.Case{Name: name + " in three steps", Tables: tables, Plan: c.steps(plan.Combine, plan.Finish), Want: c.answer(), Registry: registry()})
	}
}

func TestGroupsOverKeyTypes(t *testing.T) {
	small, date := types.Of(types.Int16), types.Of(types.Date)
	filtered := call(countCall, long)
	filtered.Filter = 3
	calls := []plan.AggregateCall{call(sumCall, long), filtered, call(countCall, long)}
	for _, keyTypes := range [][2]types.Type{{long, small}, {text, date}, {text, text}, {types.Of(types.Float64), long}, {truth, date}} {
		for _, domain := range []int64{3, 400} {
			for _, keys := range [][]int{{0}, {1, 0}, {}} {
				run(t, fmt.Sprintf("keys %v of %v below %d", keys, keyTypes, domain), &aggregateCase{in: input(300, keyTypes, domain), keys: keys, calls: calls}, true)
				if t.Failed() {
					return
				}
			}
		}
	}
}

func TestDistinctAndOrderedCalls(t *testing.T) {
	distinct, sorted, both := call(countCall, long), call(joinCall, text), call(joinCall, text)
	distinct.Distinct, distinct.Filter = true, 3
	sorted.OrderBy = []plan.SortKey{{Column: 2, Descending: true}, {Column: 4}}
	both.Distinct, both.OrderBy = true, []plan.SortKey{{Column: 2, NullsFirst: true}}
	for _, keys := range [][]int{{0}, {}, {0, 1}} {
		run(t, fmt.Sprintf("distinct and ordered by %v", keys), &aggregateCase{in: input(300, [2]types.Type{long, text}, 9), keys: keys,
			calls: []plan.AggregateCall{distinct, sorted, both, call(sumCall, long)}}, false)
	}
}

func TestEmptyInput(t *testing.T) {
	calls := []plan.AggregateCall{call(sumCall, long), call(countCall, long)}
	for _, keys := range [][]int{{}, {0}} {
		run(t, "empty", &aggregateCase{in: input(0, [2]types.Type{long, long}, 3), keys: keys, calls: calls}, true)
	}
}
