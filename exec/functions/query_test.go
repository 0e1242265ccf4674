package functions_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/tarnlake/tarn/connectors"
	"github.com/tarnlake/tarn/exec/eval"
	"github.com/tarnlake/tarn/exec/functions"
	"github.com/tarnlake/tarn/internal/expr"
	"github.com/tarnlake/tarn/internal/fn"
	"github.com/tarnlake/tarn/internal/sqlerr"
	"github.com/tarnlake/tarn/internal/types"
	"github.com/tarnlake/tarn/internal/vec"
	"github.com/tarnlake/tarn/planner/binder"
	"github.com/tarnlake/tarn/planner/logical"
	"github.com/tarnlake/tarn/planner/parser"
)

// noTables is a catalog without relations.
type noTables struct{}

func (noTables) ResolveTable(context.Context, binder.TableName) (*connectors.Table, error) {
	return nil, nil
}
func (noTables) ResolveTableFunction(context.Context, binder.TableFunctionCall) (*connectors.Table, error) {
	return nil, nil
}
func (noTables) NearestTable(context.Context, binder.TableName) string { return "" }
func (noTables) BeginWrite(context.Context, binder.WriteSpec) (connectors.Target, error) {
	return connectors.Target{}, sqlerr.Internal("nothing to write to")
}

// engine runs queries over constants, slowly and simply: enough to try every function out.
type engine struct {
	registry *fn.Registry
	session  *fn.Session
	columns  *logical.Columns
}

func newEngine(zone string) *engine {
	return &engine{registry: functions.Registry(), session: &fn.Session{User: "tester", Database: "warehouse", TimeZone: zone,
		StatementTime: time.Date(2018, 8, 1, 12, 0, 0, 0, time.UTC).UnixMicro(), TransactionTime: time.Date(2018, 8, 1, 12, 0, 0, 0, time.UTC).UnixMicro(),
		SearchPath: []string{"public"}, Settings: map[string]string{}, BackendPID: 42}}
}

func (e *engine) env() eval.Env { return eval.Env{Registry: e.registry, Session: e.session} }

// relation is a materialized result.
type relation struct {
	ids  []logical.ColID
	cols []vec.Vector
	n    int
}

func (r *relation) types() []types.Type {
	out := make([]types.Type, len(r.cols))
	for i := range r.cols {
		out[i] = r.cols[i].Type
	}
	return out
}

func (r *relation) ordinal(id logical.ColID) int {
	for i, have := range r.ids {
		if have == id {
			return i
		}
	}
	panic(fmt.Sprintf("column %d is not there", id))
}

// query gives the rows of a query as text, NULL as ∅.
func (e *engine) query(sql string) (rows []string, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic: %v", p)
		}
	}()
	stmt, err := parser.ParseOne(sql)
	if err != nil {
		return nil, err
	}
	bound, err := binder.Bind(context.Background(), stmt, binder.Env{Catalog: noTables{}, Registry: e.registry, Session: e.session, SQL: sql,
		Fold: func(x expr.Expr) (types.Datum, error) { return eval.Fold(x, e.env()) }})
	if err != nil {
		return nil, err
	}
	e.columns = bound.Plan.Columns
	result, err := e.run(bound.Plan.Root)
	if err != nil {
		return nil, err
	}
	zone, err := types.LoadZone(e.session.TimeZone)
	if err != nil {
		return nil, err
	}
	for i := range result.n {
		var line []string
		for _, c := range bound.Plan.Output {
			v := &result.cols[result.ordinal(c.ID)]
			if d := v.Datum(i); d.Null {
				line = append(line, "∅")
			} else {
				line = append(line, types.Format(v.Type, d, zone))
			}
		}
		rows = append(rows, strings.Join(line, "|"))
	}
	return rows, nil
}

func (e *engine) run(n logical.Node) (*relation, error) {
	switch n := n.(type) {
	case *logical.Values:
		return e.values(n)
	case *logical.Project:
		in, err := e.run(n.Input)
		if err != nil {
			return nil, err
		}
		return e.project(in, n.Exprs)
	case *logical.Filter:
		return e.filter(n)
	case *logical.Aggregate:
		return e.aggregate(n)
	case *logical.Unnest:
		return e.unnest(n)
	case *logical.Window:
		return e.window(n)
	case *logical.Sort:
		return e.run(n.Input)
	}
	return nil, fmt.Errorf("the test engine does not run %T", n)
}

func (e *engine) values(n *logical.Values) (*relation, error) {
	out := &relation{ids: n.IDs, n: len(n.Rows)}
	for i := range n.IDs {
		out.cols = append(out.cols, *vec.NewFlat(e.columns.Info(n.IDs[i]).Type, len(n.Rows)))
	}
	for r, row := range n.Rows {
		for i, x := range row {
			d, err := eval.Fold(x, e.env())
			if err != nil {
				return nil, err
			}
			out.cols[i].SetDatum(r, d)
		}
	}
	return out, nil
}

// ordinals turns column numbers into positions in r, with lambda parameters moved out of the way.
func ordinals(r *relation, e expr.Expr) expr.Expr {
	const base = 1 << 20
	params := map[expr.ColumnID]bool{}
	expr.Walk(e, func(x expr.Expr) bool {
		if l, ok := x.(*expr.Lambda); ok {
			for i := range l.Params {
				params[l.FirstParam+expr.ColumnID(i)] = true
			}
		}
		return true
	})
	return expr.Rewrite(e, func(x expr.Expr) expr.Expr {
		switch x := x.(type) {
		case *expr.Column:
			if params[x.ID] {
				return &expr.Column{ID: x.ID + base, Name: x.Name, T: x.T}
			}
			return &expr.Column{ID: expr.ColumnID(r.ordinal(x.ID)), Name: x.Name, T: x.T}
		case *expr.Lambda:
			out := *x
			out.FirstParam += base
			return &out
		}
		return x
	})
}

func (e *engine) project(in *relation, list []logical.Computed) (*relation, error) {
	out := &relation{n: in.n}
	var exprs []expr.Expr
	for _, c := range list {
		out.ids = append(out.ids, c.ID)
		exprs = append(exprs, ordinals(in, c.Expr))
	}
	p, err := eval.CompileProjection(exprs, in.types(), e.env())
	if err != nil {
		return nil, err
	}
	results := make([]vec.Vector, len(exprs))
	if err := p.Eval(&vec.Batch{Cols: in.cols, Len: in.n}, results); err != nil {
		return nil, err
	}
	out.cols = make([]vec.Vector, len(exprs))
	for i := range results {
		out.cols[i].CopyFrom(&results[i])
	}
	return out, nil
}

func (e *engine) filter(n *logical.Filter) (*relation, error) {
	in, err := e.run(n.Input)
	if err != nil {
		return nil, err
	}
	p, err := eval.CompilePredicate(ordinals(in, n.Predicate), in.types(), e.env())
	if err != nil {
		return nil, err
	}
	sel, err := p.Select(&vec.Batch{Cols: in.cols, Len: in.n}, nil)
	if err != nil {
		return nil, err
	}
	out := &relation{ids: in.ids, n: len(sel), cols: make([]vec.Vector, len(in.cols))}
	for i := range in.cols {
		vec.Gather(&out.cols[i], &in.cols[i], sel)
	}
	return out, nil
}

// callOf describes an aggregate or window call, with the constants that the projection below holds.
func (e *engine) callOf(in *relation, name string, args []logical.ColID, result types.Type) (fn.Call, []*vec.Vector) {
	call := fn.Call{Name: name, Result: result, Session: e.session}
	var vectors []*vec.Vector
	for _, id := range args {
		v := &in.cols[in.ordinal(id)]
		call.Args = append(call.Args, v.Type)
		var constant *types.Datum
		if v.Enc == vec.Const {
			d := v.Datum(0)
			constant = &d
		}
		call.Constants = append(call.Constants, constant)
		vectors = append(vectors, v)
	}
	return call, vectors
}

// aggregate runs every call twice: at once, and split over partial states that are merged.
func (e *engine) aggregate(n *logical.Aggregate) (*relation, error) {
	in, err := e.run(n.Input)
	if err != nil {
		return nil, err
	}
	if len(n.Keys) > 0 {
		return nil, fmt.Errorf("the test engine does not group")
	}
	out := &relation{n: 1}
	for _, c := range n.Calls {
		impl := e.registry.Overload(c.Function).Impl.(fn.Aggregate)
		call, args := e.callOf(in, c.Name, c.Args, c.Type)
		rows := e.aggregateRows(in, c, args)
		whole, err := accumulateRows(impl, call, args, [][]int32{rows})
		if err != nil {
			return nil, err
		}
		parts := [][]int32{rows[:len(rows)/3], rows[len(rows)/3 : len(rows)/2], rows[len(rows)/2:], {}}
		merged, err := accumulateRows(impl, call, args, parts)
		if err != nil {
			return nil, err
		}
		a, b := types.Format(c.Type, whole.Datum(0), nil), types.Format(c.Type, merged.Datum(0), nil)
		if a != b && !strings.HasPrefix(c.Type.String(), "double") && c.Type.Kind != types.Float32 {
			return nil, fmt.Errorf("%s gives %s at once and %s in parts", c.Name, a, b)
		}
		out.ids = append(out.ids, c.ID)
		out.cols = append(out.cols, *whole)
	}
	return out, nil
}

// aggregateRows lists the rows that a call sees, after FILTER and DISTINCT, in its ORDER BY.
func (e *engine) aggregateRows(in *relation, c logical.AggregateCall, args []*vec.Vector) []int32 {
	rows := []int32{}
	seen := map[string]bool{}
	for i := range in.n {
		if c.Filter != 0 {
			if d := in.cols[in.ordinal(c.Filter)].Datum(i); d.Null || d.I64 == 0 {
				continue
			}
		}
		if c.Distinct {
			key := ""
			for _, a := range args {
				key += fmt.Sprintf("%v|%s;", a.IsNull(i), types.Format(a.Type, a.Datum(i), nil))
			}
			if seen[key] {
				continue
			}
			seen[key] = true
		}
		rows = append(rows, int32(i))
	}
	sortRows(in, rows, c.OrderBy)
	return rows
}

func sortRows(in *relation, rows []int32, keys []logical.SortKey) {
	less := func(a, b int32) bool {
		for _, k := range keys {
			v := &in.cols[in.ordinal(k.Column)]
			x, y := v.Datum(int(a)), v.Datum(int(b))
			if x.Null || y.Null {
				if x.Null == y.Null {
					continue
				}
				return x.Null == k.NullsFirst
			}
			if c := types.CompareDatums(v.Type, x, y); c != 0 {
				return c < 0 != k.Descending
			}
		}
		return false
	}
	for i := 1; i < len(rows); i++ {
		for j := i; j > 0 && less(rows[j], rows[j-1]); j-- {
			rows[j], rows[j-1] = rows[j-1], rows[j]
		}
	}
}

// accumulateRows feeds each part to an accumulator of its own and merges them in order.
func accumulateRows(impl fn.Aggregate, call fn.Call, args []*vec.Vector, parts [][]int32) (*vec.Vector, error) {
	total, err := impl.New(call)
	if err != nil {
		return nil, err
	}
	total.Resize(2) // the second group stays empty
	for i, rows := range parts {
		groups := make([]int32, len(rows))
		if i == 0 && len(parts) == 1 {
			if err := total.Update(groups, args, rows); err != nil {
				return nil, err
			}
			continue
		}
		part, err := impl.New(call)
		if err != nil {
			return nil, err
		}
		part.Resize(1)
		if err := part.Update(groups, args, rows); err != nil {
			return nil, err
		}
		var partial []*vec.Vector
		for range impl.Partial(call) {
			partial = append(partial, &vec.Vector{})
		}
		if err := part.Partial(0, 1, partial); err != nil {
			return nil, err
		}
		for k, t := range impl.Partial(call) {
			if !partial[k].Type.Equal(t) {
				return nil, fmt.Errorf("%s: partial column %d is %s, declared %s", call.Name, k, partial[k].Type, t)
			}
		}
		if err := total.Merge([]int32{0}, partial, nil); err != nil {
			return nil, err
		}
	}
	out := &vec.Vector{}
	return out, total.Final(0, 1, out)
}

// unnest runs one table function over every row.
func (e *engine) unnest(n *logical.Unnest) (*relation, error) {
	in, err := e.run(n.Input)
	if err != nil {
		return nil, err
	}
	if len(n.Functions) != 1 || n.OrdinalityID != 0 || n.Outer {
		return nil, fmt.Errorf("the test engine unnests one function")
	}
	call := n.Functions[0]
	var list []logical.Computed
	for i, a := range call.Args {
		list = append(list, logical.Computed{ID: logical.ColID(-1 - i), Expr: a})
	}
	args, err := e.project(in, list)
	if err != nil {
		return nil, err
	}
	impl := e.registry.Overload(call.Function).Impl.(fn.Table)
	described, vectors := e.callOf(args, call.Name, args.ids, types.Type{})
	schema, err := impl.Columns(described)
	if err != nil {
		return nil, err
	}
	k, err := impl.New(described)
	if err != nil {
		return nil, err
	}
	out := &relation{ids: append(append([]logical.ColID{}, in.ids...), call.IDs...)}
	made := make([]*vec.Vector, len(schema))
	for i, f := range schema {
		made[i] = vec.NewFlat(f.Type, 0)
	}
	var source []int32
	for r := range in.n {
		for more := true; more; {
			if more, err = k.Expand(vectors, r, made); err != nil {
				return nil, err
			}
			for len(source) < made[0].Len {
				source = append(source, int32(r))
			}
		}
	}
	out.n = len(source)
	out.cols = make([]vec.Vector, 0, len(out.ids))
	for i := range in.cols {
		var v vec.Vector
		vec.Gather(&v, &in.cols[i], source)
		out.cols = append(out.cols, v)
	}
	for _, v := range made {
		out.cols = append(out.cols, *v)
	}
	return out, nil
}

// window runs pure window functions over the whole input as one partition.
func (e *engine) window(n *logical.Window) (*relation, error) {
	in, err := e.run(n.Input)
	if err != nil {
		return nil, err
	}
	rows := make([]int32, in.n)
	for i := range rows {
		rows[i] = int32(i)
	}
	sortRows(in, rows, n.Order)
	sorted := &relation{ids: in.ids, n: in.n, cols: make([]vec.Vector, len(in.cols))}
	for i := range in.cols {
		vec.Gather(&sorted.cols[i], &in.cols[i], rows)
	}
	for _, c := range n.Calls {
		impl, ok := e.registry.Overload(c.Function).Impl.(fn.Window)
		if !ok {
			return nil, fmt.Errorf("the test engine runs pure window functions only")
		}
		call, args := e.callOf(sorted, c.Name, c.Args, c.Type)
		p := &fn.WindowPartition{Rows: in.n, IgnoreNulls: c.IgnoreNulls}
		for _, a := range args {
			var flat vec.Vector
			if a.Enc == vec.Dict {
				vec.Flatten(&flat, a)
			} else {
				flat.Alias(a)
			}
			p.Args = append(p.Args, &flat)
		}
		peers(sorted, n.Order, p)
		evaluator, err := impl.New(call)
		if err != nil {
			return nil, err
		}
		out := &vec.Vector{}
		if err := evaluator.Evaluate(p, out); err != nil {
			return nil, err
		}
		sorted.ids = append(sorted.ids, c.ID)
		sorted.cols = append(sorted.cols, *out)
	}
	return sorted, nil
}

// peers bounds each row's peers; the frame is the default one, up to the last peer.
func peers(r *relation, keys []logical.SortKey, p *fn.WindowPartition) {
	p.PeerStart, p.PeerEnd = make([]int32, r.n), make([]int32, r.n)
	p.FrameStart, p.FrameEnd = make([]int32, r.n), make([]int32, r.n)
	key := func(i int) string {
		out := ""
		for _, k := range keys {
			v := &r.cols[r.ordinal(k.Column)]
			out += fmt.Sprintf("%v|%s;", v.IsNull(i), types.Format(v.Type, v.Datum(i), nil))
		}
		return out
	}
	for start := 0; start < r.n; {
		end := start + 1
		for end < r.n && key(end) == key(start) {
			end++
		}
		for i := start; i < end; i++ {
			p.PeerStart[i], p.PeerEnd[i], p.FrameEnd[i] = int32(start), int32(end), int32(end)
		}
		start = end
	}
}

func TestEngineSmoke(t *testing.T) {
	e := newEngine("UTC")
	for sql, want := range map[string]string{
		"SELECT 1 + 2": "3",
		"SELECT 1.25 + 2.5, 7 / 2, -7 % 2, 1.0 / 3":                                                      "3.75|3|-1|0.3333333333333333",
		"SELECT sum(x), count(*), avg(x), min(x), max(x) FROM (VALUES (1), (2), (NULL)) t(x)":            "3|3|1.5000000000000000|1|2",
		"SELECT substring('lakehouse' from 5 for 3), 'abc' LIKE 'a%c'":                                   "hou|t",
		"SELECT extract(year FROM date '2018-08-01'), date_trunc('month', timestamp '2018-08-17 10:00')": "2018|2018-08-01 00:00:00",
		"SELECT x, row_number() OVER (ORDER BY x DESC) FROM (VALUES (1), (2)) t(x)":                      "2|1\n1|2",
	} {
		rows, err := e.query(sql)
		if got := strings.Join(rows, "\n"); err != nil || got != want {
			t.Errorf("%s: %s, %v; want %s", sql, got, err, want)
		}
	}
}
