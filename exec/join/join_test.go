package join_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/tarnlake/tarn/exec/op/optest"
	"github.com/tarnlake/tarn/internal/expr"
	"github.com/tarnlake/tarn/internal/plan"
	"github.com/tarnlake/tarn/internal/sqlerr"
	"github.com/tarnlake/tarn/internal/types"
)

// truth is SQL's three-valued logic.
type truth int

const (
	no truth = iota
	unknown
	yes
)

func equal(t types.Type, a, b types.Datum, nullEqual bool) truth {
	switch {
	case a.Null || b.Null:
		if nullEqual && a.Null == b.Null {
			return yes
		}
		if nullEqual {
			return no
		}
		return unknown
	case t.Physical() == types.PhysInt64 && a.I64 != b.I64, t.Physical() == types.PhysString && a.Str != b.Str:
		return no
	case optest.Text(t, a) == optest.Text(t, b):
		return yes
	}
	return no
}

// joinCase describes a hash join and, naively, its answer.
type joinCase struct {
	kind                plan.JoinKind
	left, right         optest.Table
	leftKeys, rightKeys []int
	nullEqual           []bool
	nullAware           bool
	// residual compares a left with a right column: left < right; nil for none.
	residual *[2]int
	output   []int
}

func (c *joinCase) condition(l, r optest.Row) truth {
	result := yes
	for k := range c.leftKeys {
		result = min(result, equal(c.left.Types[c.leftKeys[k]], l[c.leftKeys[k]], r[c.rightKeys[k]], c.nullEqual[k]))
	}
	if c.residual != nil && result != no {
		a, b := l[c.residual[0]], r[c.residual[1]]
		switch {
		case a.Null || b.Null:
			result = min(result, unknown)
		case a.I64 >= b.I64:
			result = no
		}
	}
	return result
}

func nulls(n int) optest.Row {
	row := make(optest.Row, n)
	for i := range row {
		row[i] = types.NullDatum()
	}
	return row
}

// answer gives full rows: left, right, mark; project cuts them to the output.
func (c *joinCase) answer() []optest.Row {
	var out []optest.Row
	give := func(l, r optest.Row, mark types.Datum) {
		out = append(out, c.project(append(append(append(optest.Row{}, l...), r...), mark)))
	}
	rightMatched := make([]bool, len(c.right.Rows))
	for _, l := range c.left.Rows {
		best, matches := no, 0
		for i, r := range c.right.Rows {
			t := c.condition(l, r)
			best = max(best, t)
			if t == yes {
				matches++
				rightMatched[i] = true
				switch c.kind {
				case plan.Inner, plan.Left, plan.Right, plan.Full, plan.Single:
					give(l, r, types.NullDatum())
				}
			}
		}
		none := nulls(len(c.right.Types))
		switch c.kind {
		case plan.Left, plan.Full, plan.Single:
			if matches == 0 {
				give(l, none, types.NullDatum())
			}
		case plan.Semi:
			if best == yes {
				give(l, none, types.NullDatum())
			}
		case plan.Anti:
			if best != yes {
				give(l, none, types.NullDatum())
			}
		case plan.NullAwareAnti:
			if best == no {
				give(l, none, types.NullDatum())
			}
		case plan.Mark:
			mark := types.BoolDatum(best == yes)
			if best == unknown && c.nullAware {
				mark = types.NullDatum()
			}
			give(l, none, mark)
		}
	}
	for i, r := range c.right.Rows {
		switch c.kind {
		case plan.Right, plan.Full, plan.RightAnti:
			if !rightMatched[i] {
				give(nulls(len(c.left.Types)), r, types.NullDatum())
			}
		case plan.RightSemi:
			if rightMatched[i] {
				give(nulls(len(c.left.Types)), r, types.NullDatum())
			}
		}
	}
	return out
}

func (c *joinCase) ordinals() []int {
	if c.output != nil {
		return c.output
	}
	var out []int
	for i := range len(c.left.Types) + len(c.right.Types) + 1 {
		left, right := i < len(c.left.Types), i >= len(c.left.Types) && i < len(c.left.Types)+len(c.right.Types)
		switch c.kind {
		case plan.Semi, plan.Anti, plan.NullAwareAnti:
			right = false
			fallthrough
		case plan.Mark:
			if left || c.kind == plan.Mark && !right {
				out = append(out, i)
			}
		case plan.RightSemi, plan.RightAnti:
			if right {
				out = append(out, i)
			}
		default:
			if left || right {
				out = append(out, i)
			}
		}
	}
	return out
}

func (c *joinCase) project(full optest.Row) optest.Row {
	var out optest.Row
	for _, o := range c.ordinals() {
		out = append(out, full[o])
	}
	return out
}

func (c *joinCase) schema() types.Schema {
	all := append(append(append([]types.Type{}, c.left.Types...), c.right.Types...), types.Of(types.Bool))
	var out types.Schema
	for _, o := range c.ordinals() {
		out = append(out, types.Field{Type: all[o]})
	}
	return out
}

func (c *joinCase) tables() map[string]optest.Table {
	return map[string]optest.Table{"left": c.left, "right": c.right}
}

// residualExpr is left column < right column.
func (c *joinCase) residualExpr() expr.Expr {
	if c.residual == nil {
		return nil
	}
	l, r := c.residual[0], c.residual[1]
	return &expr.Compare{Op: expr.Less, Left: &expr.Column{ID: expr.ColumnID(l), T: c.left.Types[l]},
		Right: &expr.Column{ID: expr.ColumnID(len(c.left.Types) + r), T: c.right.Types[r]}}
}

func (c *joinCase) hash(tables *optest.Tables) plan.Node {
	left := tables.Scan("left")
	n := &plan.HashJoin{Kind: c.kind, Left: left, Right: tables.Scan("right"), LeftKeys: c.leftKeys, RightKeys: c.rightKeys,
		NullEqual: c.nullEqual, Residual: c.residualExpr(), NullAware: c.nullAware, Output: c.output}
	n.Out = c.schema()
	switch c.kind {
	case plan.Inner, plan.Right, plan.Semi, plan.RightSemi, plan.RightAnti:
		for k, column := range c.leftKeys {
			if !c.nullEqual[k] {
				n.Filters = append(n.Filters, plan.DynamicSource{Filter: k + 1, Key: k})
				left.Dynamic = append(left.Dynamic, plan.DynamicUse{Filter: k + 1, Column: column})
			}
		}
	}
	return n
}

// loop is the same join without keys: all of the condition is evaluated.
func (c *joinCase) loop(tables *optest.Tables) plan.Node {
	var parts []expr.Expr
	for k := range c.leftKeys {
		operator := expr.Equal
		if c.nullEqual[k] {
			operator = expr.NotDistinct
		}
		parts = append(parts, &expr.Compare{Op: operator, Left: &expr.Column{ID: expr.ColumnID(c.leftKeys[k]), T: c.left.Types[c.leftKeys[k]]},
			Right: &expr.Column{ID: expr.ColumnID(len(c.left.Types) + c.rightKeys[k]), T: c.right.Types[c.rightKeys[k]]}})
	}
	if r := c.residualExpr(); r != nil {
		parts = append(parts, r)
	}
	n := &plan.NestedLoopJoin{Kind: c.kind, Left: tables.Scan("left"), Right: tables.Scan("right"), Condition: expr.Conjoin(parts),
		NullAware: c.nullAware, Output: c.output}
	n.Out = c.schema()
	return n
}

var allKinds = []plan.JoinKind{plan.Inner, plan.Left, plan.Right, plan.Full, plan.Semi, plan.Anti, plan.NullAwareAnti, plan.Mark,
	plan.Single, plan.RightSemi, plan.RightAnti}

// value draws a key or payload value.
func value(r *rand.Rand, t types.Type, domain int64, nullIn int) types.Datum {
	if nullIn > 0 && r.IntN(nullIn) == 0 {
		return types.NullDatum()
	}
	n := r.Int64N(domain)
	switch t.Physical() {
	case types.PhysString:
		return types.StringDatum(strings.Repeat("key", int(n%7)) + fmt.Sprint(n))
	case types.PhysFloat64:
		return types.FloatDatum(float64(n) / 2)
	case types.PhysInt128:
		return types.Datum{I128: types.MulInt64(n, 1<<62)}
	}
	return types.IntDatum(n)
}

func table(r *rand.Rand, n int, domain int64, nullIn int, columns ...types.Type) optest.Table {
	t := optest.Table{Types: columns}
	for range n {
		row := make(optest.Row, len(columns))
		for c, typ := range columns {
			row[c] = value(r, typ, domain, nullIn)
		}
		t.Rows = append(t.Rows, row)
	}
	return t
}

// unique keeps the first row of every key.
func unique(t optest.Table, keys []int) optest.Table {
	seen := map[string]bool{}
	out := optest.Table{Types: t.Types}
	for _, row := range t.Rows {
		text := ""
		for _, k := range keys {
			text += optest.Text(t.Types[k], row[k]) + "|"
		}
		if !seen[text] {
			seen[text] = true
			out.Rows = append(out.Rows, row)
		}
	}
	return out
}

func run(t *testing.T, name string, c *joinCase) {
	t.Helper()
	want := c.answer()
	optest.Run(t, optest.Case{Name: name + " hash", Tables: c.tables(), Plan: c.hash, Want: want})
	if !t.Failed() && len(c.left.Rows)*len(c.right.Rows) < 6_000 {
		optest.Run(t, optest.Case{Name: name + " loop", Tables: c.tables(), Plan: c.loop, Want: want})
	}
}

func TestEveryKindOverKeyTypes(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 9))
	long, text, small, wide := types.Of(types.Int64), types.Of(types.Text), types.Of(types.Int16), types.DecimalOf(38, 0)
	for _, keys := range [][]types.Type{{long}, {text}, {types.Of(types.Date), small}, {long, text}, {types.Of(types.Float64)}, {wide}} {
		for _, kind := range allKinds {
			columns := append(append([]types.Type{}, keys...), long, text)
			c := &joinCase{kind: kind, left: table(r, 90, 30, 8, columns...), right: table(r, 50, 30, 8, columns...)}
			for k := range keys {
				c.leftKeys, c.rightKeys = append(c.leftKeys, k), append(c.rightKeys, k)
				// With NULL-aware kinds at most one key is compared under three-valued logic.
				c.nullEqual = append(c.nullEqual, k > 0)
			}
			if kind == plan.Single {
				c.right = unique(c.right, c.rightKeys)
			}
			c.nullAware = kind == plan.Mark
			name := fmt.Sprintf("kind %d keys %v", kind, keys)
			run(t, name, c)
			c.nullAware = false
			if kind == plan.Mark {
				run(t, name+" exists", c)
			}
			if t.Failed() {
				return
			}
		}
	}
}

func TestEveryKindWithResidualAndOutput(t *testing.T) {
	r := rand.New(rand.NewPCG(2, 9))
	long, text := types.Of(types.Int64), types.Of(types.Text)
	for _, kind := range allKinds {
		c := &joinCase{kind: kind, left: table(r, 90, 20, 10, long, long, text), right: table(r, 60, 20, 10, text, long, long),
			leftKeys: []int{0}, rightKeys: []int{1}, nullEqual: []bool{false}, residual: &[2]int{1, 2}}
		switch kind {
		case plan.Single:
			c.right = unique(c.right, c.rightKeys)
		case plan.NullAwareAnti:
			c.residual = nil // the planner gives such joins no residual
		}
		switch kind {
		case plan.Semi, plan.Anti, plan.NullAwareAnti:
			c.output = []int{2, 0}
		case plan.RightSemi, plan.RightAnti:
			c.output = []int{5, 3}
		case plan.Mark:
			c.output = []int{6, 2}
		default:
			c.output = []int{3, 0, 5, 0}
		}
		run(t, fmt.Sprintf("kind %d residual", kind), c)
		if t.Failed() {
			return
		}
	}
}

func TestEmptySides(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 9))
	long := types.Of(types.Int64)
	for _, kind := range allKinds {
		for _, sizes := range [][2]int{{0, 20}, {20, 0}, {0, 0}} {
			c := &joinCase{kind: kind, left: table(r, sizes[0], 9, 3, long, long), right: unique(table(r, sizes[1], 90, 3, long, long), []int{0}),
				leftKeys: []int{0}, rightKeys: []int{0}, nullEqual: []bool{false}, nullAware: kind == plan.Mark}
			run(t, fmt.Sprintf("kind %d sizes %v", kind, sizes), c)
			if t.Failed() {
				return
			}
		}
	}
}

func TestSparseAndDenseIntegerKeys(t *testing.T) {
	r := rand.New(rand.NewPCG(4, 9))
	long := types.Of(types.Int64)
	for _, domain := range []int64{5, 500, 1 << 40, 1 << 62} {
		left, right := table(r, 1000, domain, 20, long, long), table(r, 400, domain, 20, long, long)
		for i := range left.Rows {
			if i%3 == 0 {
				left.Rows[i][0] = right.Rows[r.IntN(len(right.Rows))][0]
			}
			left.Rows[i][0].I64 -= domain / 2
		}
		for i := range right.Rows {
			right.Rows[i][0].I64 -= domain / 2
		}
		for _, kind := range []plan.JoinKind{plan.Inner, plan.Left, plan.Full, plan.Semi} {
			c := &joinCase{kind: kind, left: left, right: right, leftKeys: []int{0}, rightKeys: []int{0}, nullEqual: []bool{false}}
			if domain == 5 {
				c.left.Rows, c.right.Rows = left.Rows[:100], right.Rows[:60]
			}
			run(t, fmt.Sprintf("kind %d domain %d", kind, domain), c)
			if t.Failed() {
				return
			}
		}
	}
}

func TestSingleRefusesASecondMatch(t *testing.T) {
	long := types.Of(types.Int64)
	one := optest.Table{Types: []types.Type{long}, Rows: []optest.Row{{types.IntDatum(1)}}}
	two := optest.Table{Types: []types.Type{long}, Rows: []optest.Row{{types.IntDatum(1)}, {types.IntDatum(1)}}}
	c := &joinCase{kind: plan.Single, left: one, right: two, leftKeys: []int{0}, rightKeys: []int{0}, nullEqual: []bool{false}}
	for _, p := range []func(*optest.Tables) plan.Node{c.hash, c.loop} {
		err := optest.Fails(t, optest.Case{Name: "single", Tables: c.tables(), Plan: p})
		if sqlerr.CodeOf(err) != sqlerr.CardinalityViolation {
			t.Fatal(err)
		}
	}
}

// TestDynamicFilterReachesTheScan joins 20 of 5,000 keys: the scan must drop nearly all rows.
func TestDynamicFilterReachesTheScan(t *testing.T) {
	for _, typ := range []types.Type{types.Of(types.Int32), types.Of(types.Text)} {
		left, right := optest.Table{Types: []types.Type{typ}}, optest.Table{Types: []types.Type{typ}}
		r := rand.New(rand.NewPCG(5, 9))
		for range 5000 {
			left.Rows = append(left.Rows, optest.Row{value(r, typ, 1<<30, 0)})
		}
		for i := range 20 {
			right.Rows = append(right.Rows, left.Rows[i*200])
		}
		c := &joinCase{kind: plan.Inner, left: left, right: right, leftKeys: []int{0}, rightKeys: []int{0}, nullEqual: []bool{false}}
		tables := &optest.Tables{Tables: c.tables()}
		node := c.hash(tables)
		plan.Number(node)
		rows, stats, err := optest.Execute(t.Context(), node, optest.Environment(t, tables, nil))
		if err != nil || len(rows) != 20 {
			t.Fatal(err, len(rows))
		}
		scan := node.(*plan.HashJoin).Left.Head().ID
		if n := stats.ByID(scan).Rows.Load(); n > 60 {
			t.Fatalf("%s: the scan gave %d rows", typ, n)
		}
	}
}
