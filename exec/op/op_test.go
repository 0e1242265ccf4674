package op_test

import (
	"math/rand/v2"
	"testing"

	"github.com/tarnlake/tarn/exec/op/optest"
	"github.com/tarnlake/tarn/internal/expr"
	"github.com/tarnlake/tarn/internal/fn"
	"github.com/tarnlake/tarn/internal/plan"
	"github.com/tarnlake/tarn/internal/types"
	"github.com/tarnlake/tarn/internal/vec"
)

var (
	long = types.Of(types.Int64)
	text = types.Of(types.Text)
)

func integer(v int64) types.Datum { return types.IntDatum(v) }

func column(i int, t types.Type) expr.Expr { return &expr.Column{ID: expr.ColumnID(i), T: t} }

func literal(v int64) expr.Expr { return &expr.Literal{Value: integer(v), T: long} }

func schema(list ...types.Type) (out types.Schema) {
	for _, t := range list {
		out = append(out, types.Field{Type: t, Nullable: true})
	}
	return out
}

// numbers is a table (n bigint, name text) with NULLs.
func numbers(n int) optest.Table {
	r := rand.New(rand.NewPCG(8, 8))
	t := optest.Table{Types: []types.Type{long, text}}
	for i := range n {
		row := optest.Row{integer(int64(i)), types.StringDatum("a name of some length"[:r.IntN(21)])}
		if r.IntN(7) == 0 {
			row[r.IntN(2)] = types.NullDatum()
		}
		t.Rows = append(t.Rows, row)
	}
	return t
}

func one(t optest.Table) map[string]optest.Table { return map[string]optest.Table{"t": t} }

func below(column int, t types.Type, limit int64) expr.Expr {
	return &expr.Compare{Op: expr.Less, Left: &expr.Column{ID: expr.ColumnID(column), T: t}, Right: literal(limit)}
}

func TestScanFilterProject(t *testing.T) {
	in := numbers(500)
	var want []optest.Row
	for _, row := range in.Rows {
		if !row[0].Null && row[0].I64 < 200 && row[0].I64 >= 20 {
			want = append(want, optest.Row{row[1], types.BoolDatum(row[1].Null), row[0]})
		}
	}
	optest.Run(t, optest.Case{Name: "scan, filter, project", Tables: one(in), Want: want, NoSpill: true,
		Plan: func(c *optest.Tables) plan.Node {
			scan := c.Scan("t")
			scan.Filter = below(0, long, 200)
			scan.Output, scan.Out = []int{1, 0}, schema(text, long)
			filter := &plan.Filter{Input: scan, Predicate: &expr.Compare{Op: expr.GreaterEqual, Left: column(1, long), Right: literal(20)}}
			filter.Out = scan.Out
			project := &plan.Project{Input: filter, Exprs: []expr.Expr{column(0, text), &expr.IsNull{Arg: column(0, text)}, column(1, long)}}
			project.Out = schema(text, types.Of(types.Bool), long)
			return project
		}})
}

func TestLimitCountsOverAllDrivers(t *testing.T) {
	in := optest.Table{Types: []types.Type{long}}
	for range 300 {
		in.Rows = append(in.Rows, optest.Row{integer(7)})
	}
	for _, c := range []struct{ limit, offset, rows int64 }{{10, 0, 10}, {0, 5, 0}, {-1, 290, 10}, {100, 250, 50}, {5, 400, 0}, {1 << 62, 1 << 62, 0}} {
		optest.Run(t, optest.Case{Name: "limit", Tables: one(in), Want: in.Rows[:c.rows], NoSpill: true,
			Plan: func(tables *optest.Tables) plan.Node {
				limit := &plan.Limit{Input: tables.Scan("t"), Limit: c.limit, Offset: c.offset}
				limit.Out = schema(long)
				return limit
			}})
	}
}

func TestUnionOfLimitsKeepsBothSides(t *testing.T) {
	in := optest.Table{Types: []types.Type{long}}
	for range 100 {
		in.Rows = append(in.Rows, optest.Row{integer(1)})
	}
	var want []optest.Row
	for range 3 + 100 + 1 {
		want = append(want, optest.Row{integer(1)})
	}
	optest.Run(t, optest.Case{Name: "union", Tables: one(in), Want: want, NoSpill: true,
		Plan: func(tables *optest.Tables) plan.Node {
			limit := &plan.Limit{Input: tables.Scan("t"), Limit: 3}
			limit.Out = schema(long)
			values := &plan.Values{Rows: [][]expr.Expr{{literal(1)}}}
			values.Out = schema(long)
			union := &plan.Union{All: []plan.Node{limit, tables.Scan("t"), values}}
			union.Out = schema(long)
			return union
		}})
}

func TestExpand(t *testing.T) {
	in := numbers(60)
	var want []optest.Row
	for _, row := range in.Rows {
		want = append(want, optest.Row{row[0], row[1], integer(0)}, optest.Row{row[0], types.NullDatum(), integer(1)},
			optest.Row{types.NullDatum(), types.NullDatum(), integer(2)})
	}
	optest.Run(t, optest.Case{Name: "expand", Tables: one(in), Want: want, NoSpill: true,
		Plan: func(tables *optest.Tables) plan.Node {
			expand := &plan.Expand{Input: tables.Scan("t"), Keys: []int{0, 1}, Sets: [][]int{{0, 1}, {0}, {}}}
			expand.Out = schema(long, text, long)
			return expand
		}})
}

func TestSharedIsReadTwice(t *testing.T) {
	in := numbers(200)
	want := append(append([]optest.Row{}, in.Rows...), in.Rows...)
	optest.Run(t, optest.Case{Name: "with", Tables: one(in), Want: want,
		Plan: func(tables *optest.Tables) plan.Node {
			first, second := &plan.Shared{Name: 4}, &plan.Shared{Name: 4}
			first.Out, second.Out = schema(long, text), schema(long, text)
			union := &plan.Union{All: []plan.Node{first, second}}
			union.Out = first.Out
			with := &plan.With{Definitions: []plan.Definition{{Name: 4, Plan: tables.Scan("t")}, {Name: 5, Plan: tables.Scan("t")}}, Body: union}
			with.Out = first.Out
			return with
		}})
}

// The table holds edges n → n+1 and n → 7n modulo 50.
func TestRecursiveFollowsEdges(t *testing.T) {
	edges := optest.Table{Types: []types.Type{long, long}}
	for i := range int64(50) {
		edges.Rows = append(edges.Rows, optest.Row{integer(i), integer((i + 1) % 50)}, optest.Row{integer(i), integer((i * 7) % 50)})
	}
	var want []optest.Row
	for i := range int64(50) {
		want = append(want, optest.Row{integer(i)})
	}
	recursive := func(tables *optest.Tables) plan.Node {
		base := &plan.Values{Rows: [][]expr.Expr{{literal(3)}, {literal(3)}}}
		base.Out = schema(long)
		working := &plan.Shared{Name: 1}
		working.Out = schema(long)
		shared := &plan.Shared{Name: 2}
		shared.Out = schema(long, long)
		step := &plan.HashJoin{Kind: plan.Inner, Left: working, Right: shared, LeftKeys: []int{0}, RightKeys: []int{0}, NullEqual: []bool{false}, Output: []int{2}}
		step.Out = schema(long)
		n := &plan.Recursive{Name: 1, Base: base, Step: step, Distinct: true}
		n.Out = schema(long)
		with := &plan.With{Definitions: []plan.Definition{{Name: 2, Plan: tables.Scan("t")}}, Body: n}
		with.Out = n.Out
		return with
	}
	optest.Run(t, optest.Case{Name: "recursive", Tables: one(edges), Want: want, Plan: recursive})
}

// series is a table function series(n): 1 … n, in pieces of at most 4 rows.
type series struct{ at int64 }

func (s *series) Expand(args []*vec.Vector, row int, out []*vec.Vector) (bool, error) {
	d := args[0].Datum(row)
	for range 4 {
		if d.Null || s.at >= d.I64 {
			s.at = 0
			return false, nil
		}
		s.at++
		out[0].AppendDatum(integer(s.at))
	}
	return true, nil
}

func TestUnnest(t *testing.T) {
	registry := fn.NewRegistry([]fn.Overload{{Name: "series", Impl: fn.Table{
		New: func(fn.Call) (fn.TableKernel, error) { return &series{}, nil }}}})
	in := optest.Table{Types: []types.Type{long, long}}
	for i := range int64(40) {
		in.Rows = append(in.Rows, optest.Row{integer(i % 11), integer((i * 5) % 13)})
	}
	in.Rows[7][0] = types.NullDatum()
	for _, outer := range []bool{false, true} {
		var want []optest.Row
		for _, row := range in.Rows {
			n := max(row[0].I64, row[1].I64)
			for i := int64(1); i <= n || i == 1 && outer; i++ {
				result := optest.Row{row[0], row[1], integer(i), integer(i), integer(i)}
				if i > row[0].I64 || row[0].Null {
					result[2] = types.NullDatum()
				}
				if i > row[1].I64 {
					result[3] = types.NullDatum()
				}
				if n == 0 {
					result[4] = types.NullDatum()
				}
				want = append(want, result)
			}
		}
		optest.Run(t, optest.Case{Name: "unnest", Tables: one(in), Want: want, Registry: registry, NoSpill: true,
			Plan: func(tables *optest.Tables) plan.Node {
				n := &plan.Unnest{Input: tables.Scan("t"), Ordinality: true, Outer: outer, Functions: []plan.TableCall{
					{Name: "series", Args: []expr.Expr{column(0, long)}, Columns: schema(long)},
					{Name: "series", Args: []expr.Expr{column(1, long)}, Columns: schema(long)}}}
				n.Out = schema(long, long, long, long, long)
				return n
			}})
	}
}
