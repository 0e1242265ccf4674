package order_test

import (
	"bytes"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/tarnlake/tarn/exec/op/optest"
	"github.com/tarnlake/tarn/exec/order"
	"github.com/tarnlake/tarn/internal/plan"
	"github.com/tarnlake/tarn/internal/types"
	"github.com/tarnlake/tarn/internal/vec"
)

var columns = []types.Type{types.Of(types.Int64), types.Of(types.Text), types.Of(types.Float64), types.Of(types.Interval),
	types.DecimalOf(38, 2), types.Of(types.Bool), types.Of(types.Int32), types.ArrayOf(types.Of(types.Int32)), types.Of(types.UUID), types.Of(types.Int16)}

func draw(r *rand.Rand, t types.Type) types.Datum {
	if r.IntN(7) == 0 {
		return types.NullDatum()
	}
	n := r.Int64N(7) - 3
	switch t.Kind {
	case types.Text:
		return types.StringDatum([]string{"", "a", "a\x00", "a\x00b", "ab", "a long string with a tail", "b"}[n+3])
	case types.Float64:
		return types.FloatDatum([]float64{math.Inf(-1), -2.5, math.Copysign(0, -1), 0, 1e300, math.NaN(), 3}[n+3])
	case types.Interval:
		return types.Datum{Span: []types.IntervalValue{{Months: 1}, {Days: 30}, {Days: 29, Micros: 1}, {Micros: -5}, {}, {Months: -1}, {Days: 31}}[n+3]}
	case types.Decimal:
		return types.Datum{I128: types.MulInt64(n, 1<<62)}
	case types.UUID:
		return types.Datum{I128: types.Int128{Hi: n << 60, Lo: uint64(n)}}
	case types.Bool:
		return types.IntDatum(n & 1)
	case types.Array:
		return types.Datum{Items: [][]types.Datum{{}, {types.IntDatum(1)}, {types.IntDatum(1), types.NullDatum()}, {types.IntDatum(1), types.IntDatum(0)},
			{types.NullDatum()}, {types.IntDatum(-1), types.IntDatum(5)}, {types.IntDatum(2)}}[n+3]}
	case types.Int64:
		return types.IntDatum(n << 59)
	}
	return types.IntDatum(n)
}

// naive compares non-null values by their meaning.
func naive(t types.Type, a, b types.Datum) int {
	switch t.Kind {
	case types.Text:
		return strings.Compare(a.Str, b.Str)
	case types.Float64:
		switch {
		case math.IsNaN(a.F64) && math.IsNaN(b.F64):
			return 0
		case math.IsNaN(a.F64):
			return 1
		case math.IsNaN(b.F64):
			return -1
		case a.F64 < b.F64:
			return -1
		case a.F64 > b.F64:
			return 1
		}
		return 0
	case types.Interval:
		return a.Span.Compare(b.Span)
	case types.Decimal:
		return a.I128.Compare(b.I128)
	case types.UUID:
		return strings.Compare(fmt.Sprintf("%016x%016x", uint64(a.I128.Hi), a.I128.Lo), fmt.Sprintf("%016x%016x", uint64(b.I128.Hi), b.I128.Lo))
	case types.Array:
		for i := range min(len(a.Items), len(b.Items)) {
			if c := byKey(*t.Elem, a.Items[i], b.Items[i], plan.SortKey{}); c != 0 {
				return c
			}
		}
		return len(a.Items) - len(b.Items)
	}
	switch {
	case a.I64 < b.I64:
		return -1
	case a.I64 > b.I64:
		return 1
	}
	return 0
}

func byKey(t types.Type, a, b types.Datum, k plan.SortKey) int {
	first := -1
	if !k.NullsFirst {
		first = 1
	}
	switch {
	case a.Null && b.Null:
		return 0
	case a.Null:
		return first
	case b.Null:
		return -first
	}
	c := naive(t, a, b)
	if k.Descending {
		c = -c
	}
	return c
}

func TestKeyBytesOrderAsValues(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 3))
	for _, typ := range columns {
		for range 3000 {
			k := plan.SortKey{Descending: r.IntN(2) == 0, NullsFirst: r.IntN(2) == 0}
			v := vec.NewFlat(typ, 0)
			v.AppendDatum(draw(r, typ))
			v.AppendDatum(draw(r, typ))
			x, y := order.AppendKey(nil, v, 0, k), order.AppendKey(nil, v, 1, k)
			want := byKey(typ, v.Datum(0), v.Datum(1), k)
			if got := bytes.Compare(x, y); got != min(max(want, -1), 1) {
				t.Fatalf("%s %+v: %v against %v: %d, want %d", typ, k, v.Datum(0), v.Datum(1), got, want)
			}
			if want != 0 && (bytes.HasPrefix(x, y) || bytes.HasPrefix(y, x)) {
				t.Fatalf("%s: a key is another one's prefix", typ)
			}
		}
	}
}

// table has all columns and a last one that makes the order of rows total.
func table(n int) optest.Table {
	r := rand.New(rand.NewPCG(2, uint64(n)))
	t := optest.Table{Types: append(append([]types.Type{}, columns...), types.Of(types.Int64))}
	for i := range n {
		var row optest.Row
		for _, typ := range columns {
			row = append(row, draw(r, typ))
		}
		t.Rows = append(t.Rows, append(row, types.IntDatum(int64(i*7919%10007))))
	}
	return t
}

func sorted(in optest.Table, keys []plan.SortKey) []optest.Row {
	rows := slices.Clone(in.Rows)
	slices.SortStableFunc(rows, func(a, b optest.Row) int {
		for _, k := range keys {
			if c := byKey(in.Types[k.Column], a[k.Column], b[k.Column], k); c != 0 {
				return c
			}
		}
		return 0
	})
	return rows
}

func someKeys(r *rand.Rand, n int, last int) []plan.SortKey {
	var keys []plan.SortKey
	for range n {
		keys = append(keys, plan.SortKey{Column: r.IntN(len(columns)), Descending: r.IntN(2) == 0, NullsFirst: r.IntN(2) == 0})
	}
	return append(keys, plan.SortKey{Column: last})
}

func TestSort(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 5))
	for _, n := range []int{0, 1, 400} {
		in := table(n)
		for keys := range 4 {
			list := someKeys(r, keys, len(columns))
			optest.Run(t, optest.Case{Name: fmt.Sprintf("sort %+v", list), Tables: map[string]optest.Table{"t": in}, Want: sorted(in, list), Ordered: true,
				Plan: func(tables *optest.Tables) plan.Node {
					s := &plan.Sort{Input: tables.Scan("t"), Keys: list}
					s.Out = s.Input.Schema()
					return s
				}})
		}
	}
}

func TestTopN(t *testing.T) {
	r := rand.New(rand.NewPCG(6, 6))
	in := table(6000)
	for _, c := range []struct{ limit, offset int64 }{{10, 0}, {3, 5990}, {5, 7000}, {0, 0}, {2500, 100}, {-1, 5900}} {
		list := someKeys(r, 1, len(columns))
		rows := sorted(in, list)
		rows = rows[min(int(c.offset), len(rows)):]
		if c.limit >= 0 {
			rows = rows[:min(int(c.limit), len(rows))]
		}
		optest.Run(t, optest.Case{Name: fmt.Sprintf("top %+v", c), Tables: map[string]optest.Table{"t": in}, Want: rows, Ordered: true,
			Plan: func(tables *optest.Tables) plan.Node {
				n := &plan.TopN{Input: tables.Scan("t"), Keys: list, Limit: c.limit, Offset: c.offset}
				n.Out = n.Input.Schema()
				return n
			}})
	}
}

func TestTopNWithTiesKeepsThePeersOfTheLast(t *testing.T) {
	in := optest.Table{Types: []types.Type{types.Of(types.Int64)}}
	for i := range int64(3000) {
		in.Rows = append(in.Rows, optest.Row{types.IntDatum(i % 100)})
	}
	var want []optest.Row
	for i := range 90 {
		want = append(want, optest.Row{types.IntDatum(int64(i / 30))})
	}
	optest.Run(t, optest.Case{Name: "ties", Tables: map[string]optest.Table{"t": in}, Want: want[5:], Ordered: true,
		Plan: func(tables *optest.Tables) plan.Node {
			n := &plan.TopN{Input: tables.Scan("t"), Keys: []plan.SortKey{{Column: 0}}, Limit: 60, Offset: 5, WithTies: true}
			n.Out = n.Input.Schema()
			return n
		}})
}

// TestTopNThresholdReachesTheScan reads sorted rows: after the first thousands the scan drops the rest.
func TestTopNThresholdReachesTheScan(t *testing.T) {
	in := optest.Table{Types: []types.Type{types.Of(types.Int64)}}
	for i := range int64(50_000) {
		in.Rows = append(in.Rows, optest.Row{types.IntDatum(i)})
	}
	tables := &optest.Tables{Tables: map[string]optest.Table{"t": in}}
	scan := tables.Scan("t")
	scan.Dynamic = []plan.DynamicUse{{Filter: 1}}
	n := &plan.TopN{Input: scan, Keys: []plan.SortKey{{Column: 0}}, Limit: 5, Filter: &plan.DynamicSource{Filter: 1}}
	n.Out = scan.Out
	plan.Number(n)
	rows, stats, err := optest.Execute(t.Context(), n, optest.Environment(t, tables, nil))
	if err != nil || len(rows) != 5 || rows[4][0].I64 != 4 {
		t.Fatal(err, rows)
	}
	if given := stats.ByID(1).Rows.Load(); given > 20_000 {
		t.Fatalf("the scan gave %d rows", given)
	}
}
