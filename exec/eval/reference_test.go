package eval

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/tarnlake/tarn/exec/functions"
	"github.com/tarnlake/tarn/exec/kernel"
	"github.com/tarnlake/tarn/internal/expr"
	"github.com/tarnlake/tarn/internal/fn"
	"github.com/tarnlake/tarn/internal/types"
	"github.com/tarnlake/tarn/internal/vec"
)

// reference evaluates an expression for one row of datums, operand by operand, as SQL defines it: it
// knows no vectors, selections, dictionaries or sharing. Functions run their kernel on that one row.
type reference struct {
	registry *fn.Registry
	session  *fn.Session
	row      []types.Datum
}

func (r *reference) eval(e expr.Expr) (types.Datum, error) {
	switch e := e.(type) {
	case *expr.Column:
		return r.row[e.ID], nil
	case *expr.Literal:
		return e.Value, nil
	case *expr.Compare:
		return r.compare(e)
	case *expr.And:
		return r.logic(e.Args, 0)
	case *expr.Or:
		return r.logic(e.Args, 1)
	case *expr.Not:
		d, err := r.eval(e.Arg)
		d.I64 = 1 - d.I64
		return d, err
	case *expr.IsNull:
		d, err := r.eval(e.Arg)
		return types.BoolDatum(d.Null), err
	case *expr.Case:
		for _, w := range e.Whens {
			chosen, err := r.condition(w.Condition, true)
			if err != nil {
				return types.NullDatum(), err
			}
			if chosen {
				return r.eval(w.Result)
			}
		}
		if e.Else == nil {
			return types.NullDatum(), nil
		}
		return r.eval(e.Else)
	case *expr.Coalesce:
		for _, a := range e.Args {
			if d, err := r.eval(a); err != nil || !d.Null {
				return d, err
			}
		}
		return types.NullDatum(), nil
	case *expr.In:
		return r.in(e)
	case *expr.Try:
		d, err := r.eval(e.Arg)
		if err != nil && isDataError(err) {
			return types.NullDatum(), nil
		}
		return d, err
	case *expr.Cast:
		return r.cast(e)
	case *expr.Call:
		return r.call(e)
	}
	panic(fmt.Sprintf("%T", e))
}

func (r *reference) compare(e *expr.Compare) (types.Datum, error) {
	a, err := r.eval(e.Left)
	if err != nil {
		return a, err
	}
	b, err := r.eval(e.Right)
	if err != nil {
		return b, err
	}
	if e.Op == expr.Distinct || e.Op == expr.NotDistinct {
		same := a.Null && b.Null || !a.Null && !b.Null && types.CompareDatums(e.Left.Type(), a, b) == 0
		return types.BoolDatum(same == (e.Op == expr.NotDistinct)), nil
	}
	if a.Null || b.Null {
		return types.NullDatum(), nil
	}
	return types.BoolDatum(kernel.Holds(e.Op, types.CompareDatums(e.Left.Type(), a, b))), nil
}

func (r *reference) logic(args []expr.Expr, decided int64) (types.Datum, error) {
	unknown := false
	for _, a := range args {
		d, err := r.eval(a)
		switch {
		case err != nil:
			return d, err
		case d.Null:
			unknown = true
		case d.I64 == decided:
			return d, nil
		}
	}
	return types.Datum{Null: unknown, I64: 1 - decided}, nil
}

// condition tells whether e is want; it stops as soon as that is decided.
func (r *reference) condition(e expr.Expr, want bool) (bool, error) {
	var args []expr.Expr
	all := false
	switch e := e.(type) {
	case *expr.Not:
		return r.condition(e.Arg, !want)
	case *expr.And:
		args, all = e.Args, want
	case *expr.Or:
		args, all = e.Args, !want
	default:
		d, err := r.eval(e)
		return !d.Null && (d.I64 != 0) == want, err
	}
	for _, a := range args {
		if is, err := r.condition(a, want); err != nil || is != all {
			return !all, err
		}
	}
	return all, nil
}

func (r *reference) in(e *expr.In) (types.Datum, error) {
	a, err := r.eval(e.Arg)
	if err != nil {
		return a, err
	}
	unknown := a.Null && len(e.List) > 0
	found := false
	list := slices.Clone(e.List) // constants are looked at first
	slices.SortStableFunc(list, func(x, y expr.Expr) int { return constantLast(x) - constantLast(y) })
	for _, x := range list {
		if found {
			break
		}
		b, err := r.eval(x)
		if err != nil {
			return b, err
		}
		switch {
		case a.Null || b.Null:
			unknown = true
		case types.CompareDatums(e.Arg.Type(), a, b) == 0:
			found = true
		}
	}
	return types.Datum{Null: !found && unknown, I64: map[bool]int64{true: 1}[found]}, nil
}

func constantLast(e expr.Expr) int {
	if _, ok := e.(*expr.Literal); ok {
		return 0
	}
	return 1
}

func (r *reference) cast(e *expr.Cast) (types.Datum, error) {
	d, err := r.eval(e.Arg)
	if err != nil || d.Null {
		return d, err
	}
	if isRelabel(e.Arg.Type(), e.To) {
		return d, nil
	}
	c := conversion{from: e.Arg.Type(), to: e.To, try: e.Try, assign: e.Assign, session: r.session}
	return oneRow(c.kernel(), e.To, []types.Type{e.Arg.Type()}, []types.Datum{d})
}

func (r *reference) call(e *expr.Call) (types.Datum, error) {
	o := r.registry.Overload(e.Function)
	call := fn.Call{Name: o.Name, Result: e.T, Session: r.session, Constants: make([]*types.Datum, len(e.Args))}
	var args []types.Datum
	for _, a := range e.Args {
		d, err := r.eval(a)
		if err != nil {
			return d, err
		}
		args = append(args, d)
		call.Args = append(call.Args, a.Type())
	}
	if o.Nulls == fn.Strict && slices.ContainsFunc(args, func(d types.Datum) bool { return d.Null }) {
		return types.NullDatum(), nil
	}
	k, err := o.Impl.(fn.Scalar).New(call)
	if err != nil {
		return types.NullDatum(), err
	}
	return oneRow(k, e.T, call.Args, args)
}

func oneRow(k fn.Kernel, result types.Type, argTypes []types.Type, args []types.Datum) (types.Datum, error) {
	var vectors []*vec.Vector
	for i, d := range args {
		v := vec.NewFlat(argTypes[i], 1)
		v.SetDatum(0, d)
		vectors = append(vectors, v)
	}
	out := vec.NewFlat(result, 1)
	if err := k(vectors, 1, nil, out); err != nil {
		return types.NullDatum(), err
	}
	return out.Datum(0), nil
}

// generator makes random expressions and batches.
type generator struct {
	r        *rand.Rand
	registry *fn.Registry
	columns  []types.Type
}

var columnTypes = []types.Type{
	types.Of(types.Bool), types.Of(types.Int16), types.Of(types.Int32), types.Of(types.Int32), types.Of(types.Int64), types.Of(types.Float64),
	types.DecimalOf(9, 2), types.DecimalOf(30, 4), types.Of(types.Text), types.Of(types.Text), types.Of(types.Date), types.Of(types.Timestamp), types.Of(types.Interval),
}

func (g *generator) datum(t types.Type) types.Datum {
	r := g.r
	if r.IntN(6) == 0 {
		return types.NullDatum()
	}
	small := int64(r.IntN(9) - 4)
	switch t.Kind {
	case types.Bool:
		return types.BoolDatum(r.IntN(2) == 0)
	case types.Int16, types.Int32, types.Int64:
		if r.IntN(8) == 0 {
			switch t.Kind {
			case types.Int16:
				small = 32767 - int64(r.IntN(2))*65535
			case types.Int32:
				small = 2147483647 - int64(r.IntN(2))*4294967295
			default:
				small = 9223372036854775807 - int64(r.IntN(2))
			}
		}
		return types.IntDatum(small)
	case types.Float64:
		return types.FloatDatum([]float64{0, 1, -2.5, 1e300, -1e-300, 3, 0.1}[r.IntN(7)])
	case types.Decimal:
		if t.Physical() == types.PhysInt128 {
			return types.Datum{I128: types.MulInt64(small*12345, int64(r.IntN(3))*1_000_000_007+1)}
		}
		return types.IntDatum(small * 125)
	case types.Text:
		return types.StringDatum([]string{"", "a", "abc", "12", "-7", "a somewhat longer text", "another longer text here", "x%y", "2020-01-02"}[r.IntN(9)])
	case types.Date:
		return types.IntDatum(small*400 + 17000)
	case types.Timestamp:
		return types.IntDatum(small*86_400_000_000*33 + 1_500_000_000_000_000)
	case types.Interval:
		return types.Datum{Span: types.IntervalValue{Months: int32(small), Days: int32(r.IntN(40)), Micros: small * 3_600_000_000}}
	}
	panic(t.String())
}

// batch makes columns in random encodings and a random selection; rows holds the same values plain.
func (g *generator) batch(n int) (b *vec.Batch, rows [][]types.Datum) {
	b = &vec.Batch{Len: n}
	rows = make([][]types.Datum, n)
	for _, t := range g.columns {
		v := g.vector(t, n)
		for i := range n {
			rows[i] = append(rows[i], v.Datum(i))
		}
		b.Cols = append(b.Cols, *v)
	}
	if g.r.IntN(3) > 0 {
		b.Sel = []int32{}
		keep := []int{2, 8, 50}[g.r.IntN(3)]
		for i := range n {
			if g.r.IntN(keep) == 0 {
				b.Sel = append(b.Sel, int32(i))
			}
		}
		g.poison(b)
	}
	return b, rows
}

func (g *generator) vector(t types.Type, n int) *vec.Vector {
	nulls := g.r.IntN(2) == 0
	value := func() types.Datum {
		for {
			if d := g.datum(t); nulls || !d.Null {
				return d
			}
		}
	}
	switch g.r.IntN(4) {
	case 0:
		return vec.NewConst(t, value(), n)
	case 1:
		dict := vec.NewFlat(t, 0)
		for range 1 + g.r.IntN(6) {
			d := value()
			for d.Null {
				d = g.datum(t)
			}
			dict.AppendDatum(d)
		}
		v := &vec.Vector{}
		v.ResizeDict(dict, 0, n)
		codes := v.Codes()
		for i := range codes {
			codes[i] = int32(g.r.IntN(dict.Len))
			if nulls && g.r.IntN(5) == 0 {
				if v.Valid == nil {
					v.MakeValid()
				}
				v.Valid.Clear(i)
			}
		}
		return v
	}
	v := vec.NewFlat(t, n)
	for i := range n {
		v.SetDatum(i, value())
	}
	return v
}

// poison ruins what rows outside the selection hold, as late materialization may leave it.
func (g *generator) poison(b *vec.Batch) {
	selected := map[int32]bool{}
	for _, r := range b.Sel {
		selected[r] = true
	}
	for c := range b.Cols {
		v := &b.Cols[c]
		if v.Enc == vec.Const {
			continue
		}
		for i := range b.Len {
			if selected[int32(i)] {
				continue
			}
			switch {
			case v.Enc == vec.Dict:
				v.Codes()[i] = 1 << 30
			case v.Type.Physical() == types.PhysString:
				vec.Values[vec.View](v)[i] = vec.View{Head: 1 << 20, Tail: 77}
			case v.Type.Physical() == types.PhysInt64:
				vec.Values[int64](v)[i] = -1 << 63
			case v.Type.Physical() == types.PhysInt32:
				vec.Values[int32](v)[i] = -1 << 31
			}
		}
	}
}

func (g *generator) literal(t types.Type) expr.Expr { return &expr.Literal{Value: g.datum(t), T: t} }

// expression makes an expression of type t.
func (g *generator) expression(t types.Type, depth int) expr.Expr {
	if depth == 0 || g.r.IntN(6) == 0 {
		if g.r.IntN(4) == 0 {
			return g.literal(t)
		}
		var of []int
		for i, c := range g.columns {
			if c.Equal(t) {
				of = append(of, i)
			}
		}
		if len(of) == 0 {
			return g.literal(t)
		}
		return column(of[g.r.IntN(len(of))], t)
	}
	switch g.r.IntN(5) {
	case 0:
		e := &expr.Case{T: t}
		for range 1 + g.r.IntN(2) {
			e.Whens = append(e.Whens, expr.When{Condition: g.expression(types.Of(types.Bool), depth-1), Result: g.expression(t, depth-1)})
		}
		if g.r.IntN(2) == 0 {
			e.Else = g.expression(t, depth-1)
		}
		return e
	case 1:
		e := &expr.Coalesce{T: t}
		for range 2 + g.r.IntN(2) {
			e.Args = append(e.Args, g.expression(t, depth-1))
		}
		return e
	case 2:
		if g.r.IntN(2) == 0 {
			return &expr.Try{Arg: g.expression(t, depth-1)}
		}
		from := columnTypes[g.r.IntN(len(columnTypes))]
		if CanCast(from, t) && from.Kind != types.Bool && (t.Kind != types.Interval || from.Kind == types.Interval) {
			return &expr.Cast{Arg: g.expression(from, depth-1), To: t, Try: g.r.IntN(2) == 0}
		}
	}
	if t.Kind == types.Bool && g.r.IntN(4) > 0 {
		return g.condition(depth)
	}
	return g.call(t, depth)
}

func (g *generator) condition(depth int) expr.Expr {
	b := types.Of(types.Bool)
	some := func() types.Type { return g.columns[g.r.IntN(len(g.columns))] }
	switch g.r.IntN(7) {
	case 0, 1:
		e := []expr.Expr{g.expression(b, depth-1), g.expression(b, depth-1), g.expression(b, depth-1)}[:2+g.r.IntN(2)]
		if g.r.IntN(2) == 0 {
			return &expr.And{Args: e}
		}
		return &expr.Or{Args: e}
	case 2:
		return &expr.Not{Arg: g.expression(b, depth-1)}
	case 3:
		return &expr.IsNull{Arg: g.expression(some(), depth-1)}
	case 4:
		t := some()
		e := &expr.In{Arg: g.expression(t, depth-1)}
		for range 1 + g.r.IntN(9) {
			if g.r.IntN(8) == 0 {
				e.List = append(e.List, g.expression(t, depth-1))
			} else {
				e.List = append(e.List, g.literal(t))
			}
		}
		return e
	case 5:
		t := some()
		at := g.r.IntN(len(g.columns))
		for !g.columns[at].Equal(t) {
			at = g.r.IntN(len(g.columns))
		}
		return &expr.And{Args: []expr.Expr{
			&expr.Compare{Op: []expr.Operator{expr.Greater, expr.GreaterEqual}[g.r.IntN(2)], Left: column(at, t), Right: g.literal(t)},
			&expr.Compare{Op: []expr.Operator{expr.Less, expr.LessEqual}[g.r.IntN(2)], Left: column(at, t), Right: g.literal(t)}}}
	}
	t := some()
	return &expr.Compare{Op: expr.Operator(g.r.IntN(8)), Left: g.expression(t, depth-1), Right: g.expression(t, depth-1)}
}

// call picks a function with exact parameters whose result is t; for decimals, arithmetic.
func (g *generator) call(t types.Type, depth int) expr.Expr {
	var fitting []*fn.Overload
	for i := range g.registry.All() {
		o := &g.registry.All()[i]
		if _, scalar := o.Impl.(fn.Scalar); !scalar || o.Volatility != fn.Immutable || o.Variadic || o.Result != nil || o.ResultOf != nil ||
			!o.ResultType.Equal(t) || len(o.Params) == 0 || o.Name == "repeat" || o.Name == "lpad" || o.Name == "rpad" || strings.HasPrefix(o.Name, "$") {
			continue
		}
		usable := true
		for _, p := range o.Params {
			usable = usable && p.Family == fn.Exact && slices.ContainsFunc(columnTypes, func(c types.Type) bool { return c.Equal(p.Type) })
		}
		if usable {
			fitting = append(fitting, o)
		}
	}
	if len(fitting) == 0 {
		return g.literal(t)
	}
	o := fitting[g.r.IntN(len(fitting))]
	call := &expr.Call{Function: o.ID, Name: o.Name, T: t}
	for _, p := range o.Params {
		call.Args = append(call.Args, g.expression(p.Type, depth-1))
	}
	return call
}

// decimalArithmetic checks + - * / over both layouts, whose types the binder would compute.
func (g *generator) decimalArithmetic() expr.Expr {
	operand := func() expr.Expr {
		t := []types.Type{types.DecimalOf(9, 2), types.DecimalOf(30, 4)}[g.r.IntN(2)]
		return g.expression(t, 1)
	}
	a, b := operand(), operand()
	o := g.registry.ByName([]string{"+", "-", "*", "/", "%"}[g.r.IntN(5)])
	for _, x := range o {
		if len(x.Params) == 2 && x.Params[0].Family == fn.Numeric {
			t, err := x.Result([]types.Type{a.Type(), b.Type()})
			if err != nil {
				panic(err)
			}
			return &expr.Call{Function: x.ID, Name: x.Name, Args: []expr.Expr{a, b}, T: t}
		}
	}
	panic("no decimal arithmetic")
}

func TestAgainstReference(t *testing.T) {
	registry := functions.Registry()
	g := &generator{r: rand.New(rand.NewPCG(11, 12)), registry: registry, columns: columnTypes}
	rounds := 3000
	if testing.Short() {
		rounds = 500
	}
	failed := 0
	for round := range rounds {
		target := columnTypes[g.r.IntN(len(columnTypes))]
		e := g.expression(target, 1+g.r.IntN(4))
		if g.r.IntN(5) == 0 {
			e = g.decimalArithmetic()
		}
		failed += g.check(t, round, e)
	}
	if failed > rounds/2 {
		t.Errorf("%d of %d expressions raised errors: too few values were compared", failed, rounds)
	}
}

// check compares evaluator, predicate and reference on two batches; 1 means that errors agreed.
func (g *generator) check(t *testing.T, round int, e expr.Expr) (failed int) {
	t.Helper()
	env := Env{Registry: g.registry, Session: &fn.Session{TimeZone: "UTC"}}
	evaluator, err := Compile(e, g.columns, env)
	if err != nil {
		return g.compileError(t, round, e, err)
	}
	for range 2 {
		b, rows := g.batch([]int{0, 1, 7, 70, 300}[g.r.IntN(5)])
		sel := b.Sel
		if sel == nil {
			sel = kernel.All(nil, b.Len)
		}
		// A condition may leave out what cannot change its outcome, so the evaluator may raise fewer
		// errors than the reference, never others.
		want, raises := make([]types.Datum, b.Len), make([]bool, b.Len)
		var wantErr error
		for _, r := range sel {
			ref := &reference{registry: g.registry, session: env.Session, row: rows[r]}
			if want[r], err = ref.eval(e); err != nil {
				wantErr, raises[r] = err, true
			}
		}
		v, err := evaluator.Eval(b)
		if err != nil && wantErr == nil {
			t.Fatalf("round %d: %s\nerror %v, reference %v", round, expr.Format(e, nil), err, wantErr)
		}
		if err != nil {
			return 1
		}
		for _, r := range sel {
			if got := v.Datum(int(r)); !raises[r] && !sameResult(e.Type(), got, want[r]) {
				t.Fatalf("round %d row %d: %s\ngot  %s\nwant %s\nrow  %+v", round, r, expr.Format(e, nil), show(e.Type(), got), show(e.Type(), want[r]), rows[r])
			}
		}
		if wantErr == nil {
			g.checkProjection(t, e, b, sel, want, env)
		}
		if e.Type().Kind == types.Bool && wantErr == nil {
			g.checkPredicate(t, e, b, sel, want, env)
		}
	}
	return 0
}

// compileError is right when the reference fails too, on rows without NULLs at least.
func (g *generator) compileError(t *testing.T, round int, e expr.Expr, err error) int {
	if !isDataError(err) {
		t.Fatalf("round %d: %s: %v", round, expr.Format(e, nil), err)
	}
	return 1
}

// checkProjection shares one expression between a conditional place and two plain ones.
func (g *generator) checkProjection(t *testing.T, e expr.Expr, b *vec.Batch, sel []int32, want []types.Datum, env Env) {
	t.Helper()
	given := &expr.Not{Arg: &expr.IsNull{Arg: column(2, g.columns[2])}}
	chosen := &expr.Case{Whens: []expr.When{{Condition: given, Result: e}}, Else: e, T: e.Type()}
	p, err := CompileProjection([]expr.Expr{chosen, e, &expr.Coalesce{Args: []expr.Expr{e, e}, T: e.Type()}, chosen}, g.columns, env)
	if err != nil {
		t.Fatal(err)
	}
	out := make([]vec.Vector, 4)
	if err := p.Eval(b, out); err != nil {
		t.Fatalf("%s in a projection: %v", expr.Format(e, nil), err)
	}
	for i := range out {
		for _, r := range sel {
			if got := out[i].Datum(int(r)); !sameResult(e.Type(), got, want[r]) {
				t.Fatalf("row %d, column %d: %s\ngot  %s\nwant %s", r, i, expr.Format(e, nil), show(e.Type(), got), show(e.Type(), want[r]))
			}
		}
	}
}

func (g *generator) checkPredicate(t *testing.T, e expr.Expr, b *vec.Batch, sel []int32, want []types.Datum, env Env) {
	t.Helper()
	p, err := CompilePredicate(e, g.columns, env)
	if err != nil {
		t.Fatal(err)
	}
	got, err := p.Select(b, b.Sel)
	if err != nil {
		t.Fatalf("%s as a predicate: %v", expr.Format(e, nil), err)
	}
	var expected []int32
	for _, r := range sel {
		if !want[r].Null && want[r].I64 != 0 {
			expected = append(expected, r)
		}
	}
	if !slices.Equal(got, expected) {
		t.Fatalf("%s selects %v, want %v", expr.Format(e, nil), got, expected)
	}
}

func sameResult(t types.Type, a, b types.Datum) bool {
	if a.Null || b.Null {
		return a.Null == b.Null
	}
	return types.CompareDatums(t, a, b) == 0
}

func show(t types.Type, d types.Datum) string {
	if d.Null {
		return "NULL"
	}
	return types.Format(t, d, nil)
}

func FuzzAgainstReference(f *testing.F) {
	f.Add(uint64(1), uint64(2))
	f.Add(uint64(99), uint64(0))
	registry := functions.Registry()
	f.Fuzz(func(t *testing.T, a, b uint64) {
		g := &generator{r: rand.New(rand.NewPCG(a, b)), registry: registry, columns: columnTypes}
		g.check(t, 0, g.expression(columnTypes[g.r.IntN(len(columnTypes))], 1+g.r.IntN(4)))
		g.check(t, 1, g.decimalArithmetic())
	})
}
