package cluster

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tarnlake/tarn/connectors"
	"github.com/tarnlake/tarn/exec/functions"
	"github.com/tarnlake/tarn/exec/op/optest"
	"github.com/tarnlake/tarn/exec/pipeline"
	"github.com/tarnlake/tarn/internal/expr"
	"github.com/tarnlake/tarn/internal/plan"
	"github.com/tarnlake/tarn/internal/types"
)

var (
	long = types.Of(types.Int64)
	text = types.Of(types.Text)
)

// tables has t(k bigint, v bigint, s text) with some NULLs, and small(k bigint, name text).
func tables(rows int) *optest.Tables {
	t := optest.Table{Types: []types.Type{long, long, text}}
	for i := range rows {
		row := optest.Row{types.IntDatum(int64(i * 7919 % 101)), types.IntDatum(int64(i)), types.StringDatum(fmt.Sprintf("row number %d", i))}
		if i%13 == 0 {
			row[0] = types.NullDatum()
		}
		t.Rows = append(t.Rows, row)
	}
	small := optest.Table{Types: []types.Type{long, text}}
	for i := range 50 {
		small.Rows = append(small.Rows, optest.Row{types.IntDatum(int64(i * 2)), types.StringDatum(fmt.Sprintf("the name of key %d", i*2))})
	}
	return &optest.Tables{Tables: map[string]optest.Table{"t": t, "small": small}, SplitRows: 150}
}

func fields(of ...types.Type) (out types.Schema) {
	for i, t := range of {
		out = append(out, types.Field{Name: fmt.Sprint("c", i), Type: t, Nullable: true})
	}
	return out
}

func out[N plan.Node](n N, of ...types.Type) N {
	n.Head().Out = fields(of...)
	return n
}

// read is an Exchange without an input.
func read(source, reader int, kind plan.ExchangeKind, of ...types.Type) *plan.Exchange {
	return out(&plan.Exchange{Source: source, Reader: reader, Kind: kind}, of...)
}

// fragments numbers the plan nodes and the fragments; the first one is the root.
func fragments(list ...plan.Fragment) []plan.Fragment {
	roots := make([]plan.Node, len(list))
	for i := range list {
		list[i].ID, roots[i] = i, list[i].Root
		if list[i].Output.Readers == 0 {
			list[i].Output.Readers = 1
		}
	}
	plan.Number(roots...)
	list[0].Single = true
	return list
}

// rows runs fragments and gives the rows as text, sorted unless ordered.
func rows(t testing.TB, c *Cluster, list []plan.Fragment, ordered bool) ([]string, error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 60*time.Second)
	defer cancel()
	running, err := c.Scheduler.Run(ctx, c.Request(list))
	if err != nil {
		return nil, err
	}
	columns := list[0].Root.Schema().Types()
	var result []string
	for {
		b, err := running.Next(ctx)
		if err != nil {
			_ = running.Close()
			return nil, err
		}
		if b == nil {
			break
		}
		for _, row := range optest.Rows(b) {
			var parts []string
			for i, d := range row {
				parts = append(parts, optest.Text(columns[i], d))
			}
			result = append(result, strings.Join(parts, "|"))
		}
	}
	if err := running.Close(); err != nil {
		return nil, err
	}
	root := running.Actual(list[0].Root.Head().ID)
	if root == nil || root.Rows != int64(len(result)) {
		t.Fatalf("the statistics of the root do not count its %d rows: %+v", len(result), root)
	}
	if !ordered {
		slices.Sort(result)
	}
	return result, nil
}

func start(t testing.TB, workers int, data *optest.Tables) *Cluster {
	return Start(t, Options{Workers: workers, Drivers: 2, Connectors: map[string]connectors.Connector{"tables": data}})
}

// plans are queries in fragments, with their answers worked out from the tables row by row.
func plans(data *optest.Tables) map[string]struct {
	list    []plan.Fragment
	want    []string
	ordered bool
} {
	registry := functions.Registry()
	count := plan.AggregateCall{Name: "count", Function: registry.ByName("count")[0].ID, Filter: -1, Result: long}
	type query = struct {
		list    []plan.Fragment
		want    []string
		ordered bool
	}
	all := data.Tables["t"].Rows
	show := func(t types.Type, d types.Datum) string { return optest.Text(t, d) }
	var everything, keysSorted, joined, selfJoined []string
	counts := map[string]int{}
	names := map[string]string{}
	for _, r := range data.Tables["small"].Rows {
		names[show(long, r[0])] = show(text, r[1])
	}
	for _, r := range all {
		k := show(long, r[0])
		everything = append(everything, strings.Join([]string{k, show(long, r[1]), show(text, r[2])}, "|"))
		counts[k]++
		if name, ok := names[k]; ok && !r[0].Null {
			joined = append(joined, strings.Join([]string{show(long, r[1]), name}, "|"))
		}
		selfJoined = append(selfJoined, show(long, r[1]))
	}
	byV := slices.Clone(all)
	slices.SortStableFunc(byV, func(a, b optest.Row) int { return int(b[1].I64 - a[1].I64) })
	for _, r := range byV {
		keysSorted = append(keysSorted, strings.Join([]string{show(long, r[0]), show(long, r[1]), show(text, r[2])}, "|"))
	}
	var grouped []string
	for k, n := range counts {
		grouped = append(grouped, fmt.Sprintf("%s|%d", k, n))
	}
	for _, list := range [][]string{everything, grouped, joined, selfJoined} {
		slices.Sort(list)
	}
	scan := func(name string) plan.Node { return data.Scan(name) }
	three := []types.Type{long, long, text}
	join := func(left, right plan.Node) plan.Node {
		return out(&plan.HashJoin{Left: left, Right: right, LeftKeys: []int{0}, RightKeys: []int{0}, NullEqual: []bool{false}, Output: []int{1, 4}}, long, text)
	}
	descending := []plan.SortKey{{Column: 1, Descending: true}}
	merge := func() plan.Node {
		x := read(1, 0, plan.Merge, three...)
		x.Order = descending
		return x
	}
	return map[string]query{
		"gather": {list: fragments(plan.Fragment{Root: read(1, 0, plan.Gather, three...)},
			plan.Fragment{Root: scan("t"), Output: plan.Output{Kind: plan.Gather}}), want: everything},
		"round robin, forward": {list: fragments(plan.Fragment{Root: read(1, 0, plan.Gather, three...)},
			plan.Fragment{Root: out(&plan.Limit{Input: read(2, 0, plan.Forward, three...), Limit: -1}, three...), Output: plan.Output{Kind: plan.Gather}},
			plan.Fragment{Root: out(&plan.Limit{Input: read(3, 0, plan.RoundRobin, three...), Limit: -1}, three...), Output: plan.Output{Kind: plan.Forward}},
			plan.Fragment{Root: scan("t"), Output: plan.Output{Kind: plan.RoundRobin}}), want: everything},
		"grouped": {list: fragments(plan.Fragment{Root: read(1, 0, plan.Gather, long, long)},
			plan.Fragment{Root: out(&plan.Aggregate{Input: read(2, 0, plan.Hash, long, long), Keys: []int{0},
				Calls: []plan.AggregateCall{ofPartial(count, 1)}, Phase: plan.Final}, long, long), Output: plan.Output{Kind: plan.Gather}},
			plan.Fragment{Root: out(&plan.Aggregate{Input: scan("t"), Keys: []int{0}, Calls: []plan.AggregateCall{count}, Phase: plan.Partial}, long, long),
				Output: plan.Output{Kind: plan.Hash, Keys: []int{0}}}), want: grouped},
		"merged": {list: fragments(plan.Fragment{Root: merge()},
			plan.Fragment{Root: out(&plan.Sort{Input: scan("t"), Keys: descending}, three...), Output: plan.Output{Kind: plan.Merge}}),
			want: keysSorted, ordered: true},
		"broadcast join": {list: fragments(plan.Fragment{Root: read(1, 0, plan.Gather, long, text)},
			plan.Fragment{Root: join(scan("t"), read(2, 0, plan.Broadcast, long, text)), Output: plan.Output{Kind: plan.Gather}},
			plan.Fragment{Root: scan("small"), Output: plan.Output{Kind: plan.Broadcast}}), want: joined},
		"hash join, one side from one task": {list: fragments(plan.Fragment{Root: read(1, 0, plan.Gather, long, text)},
			plan.Fragment{Root: join(read(2, 0, plan.Hash, three...), read(3, 0, plan.Hash, long, text)), Output: plan.Output{Kind: plan.Gather}},
			plan.Fragment{Root: scan("t"), Output: plan.Output{Kind: plan.Hash, Keys: []int{0}}},
			plan.Fragment{Root: scan("small"), Single: true, Output: plan.Output{Kind: plan.Hash, Keys: []int{0}}}), want: joined},
		"filtered hash join": {list: filtered(data, join), want: joined},
		"read twice": {list: fragments(plan.Fragment{Root: out(&plan.HashJoin{Left: read(1, 0, plan.Gather, three...), Right: read(1, 1, plan.Gather, three...),
			LeftKeys: []int{1}, RightKeys: []int{1}, NullEqual: []bool{false}, Output: []int{4}}, long)},
			plan.Fragment{Root: scan("t"), Output: plan.Output{Kind: plan.Gather, Readers: 2}}), want: selfJoined},
		"no rows": {list: fragments(plan.Fragment{Root: read(1, 0, plan.Gather, three...)},
			plan.Fragment{Root: out(&plan.Filter{Input: scan("t"), Predicate: &expr.Compare{Op: expr.Less, Left: &expr.Column{ID: 1, T: long},
				Right: &expr.Literal{Value: types.IntDatum(-5), T: long}}}, three...), Output: plan.Output{Kind: plan.Gather}})},
	}
}

// ofPartial makes the final half of an aggregate whose partial column has an ordinal.
func ofPartial(call plan.AggregateCall, column int) plan.AggregateCall {
	call.Args = []int{column}
	return call
}

func check(t *testing.T, c *Cluster, data *optest.Tables) {
	t.Helper()
	for name, q := range plans(data) {
		got, err := rows(t, c, q.list, q.ordered)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if !slices.Equal(got, q.want) {
			t.Fatalf("%s: %d rows, want %d\n%.300q\n%.300q", name, len(got), len(q.want), got, q.want)
		}
		if !c.Idle() {
			t.Fatalf("%s: something is left: %d bytes", name, c.Memory.Used())
		}
	}
}

func TestAnswersOnOneAndThreeWorkers(t *testing.T) {
	data := tables(5000)
	for _, workers := range []int{1, 3} {
		t.Run(fmt.Sprint(workers), func(t *testing.T) { check(t, start(t, workers, data), data) })
	}
}

// filtered is a join whose build side tells the other side's scan, in another fragment, what to look for.
func filtered(data *optest.Tables, join func(left, right plan.Node) plan.Node) []plan.Fragment {
	joined := join(read(2, 0, plan.Hash, long, long, text), read(3, 0, plan.Hash, long, text)).(*plan.HashJoin)
	joined.Filters = []plan.DynamicSource{{Filter: 7, Key: 0}}
	scan := data.Scan("t")
	scan.Dynamic = []plan.DynamicUse{{Filter: 7, Column: 0}}
	return fragments(plan.Fragment{Root: read(1, 0, plan.Gather, long, text)},
		plan.Fragment{Root: joined, Output: plan.Output{Kind: plan.Gather}, Filters: []int{7}},
		plan.Fragment{Root: scan, Output: plan.Output{Kind: plan.Hash, Keys: []int{0}}},
		plan.Fragment{Root: data.Scan("small"), Output: plan.Output{Kind: plan.Hash, Keys: []int{0}}})
}

func TestScansUseWhatJoinsOfOtherTasksLearn(t *testing.T) {
	data := tables(5000)
	c := start(t, 3, data)
	q := plans(data)["filtered hash join"]
	running, err := c.Scheduler.Run(t.Context(), c.Request(q.list))
	if err != nil {
		t.Fatal(err)
	}
	joined := 0
	for {
		b, err := running.Next(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if b == nil {
			break
		}
		joined += b.Rows()
	}
	if err := running.Close(); err != nil {
		t.Fatal(err)
	}
	scan := running.Actual(q.list[2].Root.Head().ID)
	if scan == nil || scan.Rows != int64(len(q.want)) || joined != len(q.want) {
		t.Fatalf("the scan gave %+v for %d joined rows", scan, len(q.want))
	}
}

func TestRetainedRowsGoToDisk(t *testing.T) {
	data := tables(3000)
	c := Start(t, Options{Workers: 2, Drivers: 1, Connectors: map[string]connectors.Connector{"tables": data},
		Spill: pipeline.Spill{Directory: t.TempDir(), Enabled: true, Force: true}})
	check(t, c, data)
}
