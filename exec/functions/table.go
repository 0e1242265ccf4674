package functions

import (
	"time"

	"github.com/tarnlake/tarn/internal/fn"
	"github.com/tarnlake/tarn/internal/sqlerr"
	"github.com/tarnlake/tarn/internal/types"
	"github.com/tarnlake/tarn/internal/vec"
)

// listFunction makes a table function from one that gives all rows of a call at once, a Datum for
// each column.
type listFunction func(r row) ([][]types.Datum, error)

type listKernel struct {
	of   listFunction
	call *fn.Call
	rows [][]types.Datum
	next int
	busy bool
}

func (l *listKernel) Expand(args []*vec.Vector, at int, out []*vec.Vector) (more bool, err error) {
	if !l.busy {
		if l.rows, err = l.of(row{args, at, l.call}); err != nil {
			return false, err
		}
		l.next, l.busy = 0, true
	}
	for n := 0; n < vec.BatchSize && l.next < len(l.rows); n++ {
		for c, d := range l.rows[l.next] {
			out[c].AppendDatum(d)
		}
		l.next++
	}
	l.busy = l.next < len(l.rows)
	return l.busy, nil
}

func tableRow(name, doc, example string, p []fn.Param, columns func(call fn.Call) (types.Schema, error), list listFunction) fn.Overload {
	return fn.Overload{Name: name, Params: p, Nulls: fn.Called, Category: categoryTable, Doc: doc, Example: example, MayFail: true,
		Impl: fn.Table{Columns: columns, New: func(call fn.Call) (fn.TableKernel, error) { return &listKernel{of: list, call: &call}, nil }}}
}

// columns gives fixed result columns: columns("key", text, "value", text).
func columns(pairs ...any) func(fn.Call) (types.Schema, error) {
	var schema types.Schema
	for _, p := range params(pairs...) {
		schema = append(schema, types.Field{Name: p.Name, Type: p.Type, Nullable: true})
	}
	return func(fn.Call) (types.Schema, error) { return schema, nil }
}

// anyNull tells whether a strict function gives no rows.
func anyNull(r row) bool {
	for i := range r.args {
		if r.null(i) {
			return true
		}
	}
	return false
}

// single wraps values as rows of one column.
func single(items []types.Datum) [][]types.Datum {
	out := make([][]types.Datum, len(items))
	for i := range items {
		out[i] = items[i : i+1]
	}
	return out
}

func tableFunctions() []fn.Overload {
	out := append(seriesFunctions(), []fn.Overload{
		tableRow("unnest", "The elements of an array, each as a row.", "unnest(ARRAY[1, 2]) → 1 2", []fn.Param{anyArray}, func(call fn.Call) (types.Schema, error) {
			return types.Schema{{Name: "unnest", Type: elementType(call.Args), Nullable: true}}, nil
		}, func(r row) ([][]types.Datum, error) { return single(itemsOf(r, 0)), nil }),
		tableRow("unnest", "The entries of a map, each as a row of key and value.", "unnest(map(ARRAY['a'], ARRAY[1])) → (a,1)", []fn.Param{family("map", fn.AnyMap)}, func(call fn.Call) (types.Schema, error) {
			t := call.Args[0]
			return types.Schema{{Name: "key", Type: *t.Key}, {Name: "value", Type: *t.Elem, Nullable: true}}, nil
		}, func(r row) ([][]types.Datum, error) {
			items := itemsOf(r, 0)
			var out [][]types.Datum
			for i := 0; i+1 < len(items); i += 2 {
				out = append(out, items[i:i+2])
			}
			return out, nil
		}),
	}...)
	out = append(out, subscriptSeries()...)
	return append(out, textTables()...)
}

func subscriptSeries() []fn.Overload {
	list := func(r row) ([][]types.Datum, error) {
		if anyNull(r) || r.int32(1) != 1 {
			return nil, nil
		}
		n := len(r.datum(0).Items)
		out := make([]types.Datum, n)
		for i := range out {
			out[i] = types.IntDatum(int64(i) + 1)
			if r.given(2) && r.bool(2) {
				out[i] = types.IntDatum(int64(n - i))
			}
		}
		return single(out), nil
	}
	p := []fn.Param{anyArray, {Name: "dimension", Type: integer}, {Name: "reverse", Type: boolean}}
	const doc, example = "The subscripts of an array's first dimension.", "generate_subscripts(ARRAY[4, 5], 1) → 1 2"
	return []fn.Overload{
		tableRow("generate_subscripts", doc, example, p[:2:2], columns("generate_subscripts", integer), list),
		tableRow("generate_subscripts", doc, example, p, columns("generate_subscripts", integer), list),
	}
}

func textTables() []fn.Overload {
	cache := func() patternCache { return patternCache{} }
	texts := types.ArrayOf(text)
	matches := func(r row) ([][]types.Datum, error) {
		if anyNull(r) {
			return nil, nil
		}
		p, err := cache().get(r.str(1), flagsOf(r, 2))
		if err != nil {
			return nil, err
		}
		most := 1
		if p.global {
			most = -1
		}
		if err := r.room(len(r.bytes(0))); err != nil {
			return nil, err
		}
		var out [][]types.Datum
		for _, match := range p.all(r.bytes(0), 0, most) {
			out = append(out, []types.Datum{{Items: groupsOf(r.bytes(0), match)}})
		}
		return out, nil
	}
	pieces := func(r row) ([][]types.Datum, error) {
		if anyNull(r) {
			return nil, nil
		}
		parts, err := splitByPattern(cache(), r)
		return single(parts), err
	}
	split := func(r row) ([][]types.Datum, error) {
		if r.null(0) {
			return nil, nil
		}
		parts, err := splitText(r)
		return single(parts), err
	}
	var out []fn.Overload
	for n := 2; n <= 3; n++ {
		p := params("s", text, "pattern", text, "flags", text)[:n]
		out = append(out,
			tableRow("regexp_matches", "The groups of the first match, with flag g of every match.", "regexp_matches('abab', 'b', 'g') → {b} {b}", p, columns("regexp_matches", texts), matches),
			tableRow("regexp_split_to_table", "The parts of s between matches.", "regexp_split_to_table('a b', '\\s') → a b", p, columns("regexp_split_to_table", text), pieces),
			tableRow("string_to_table", "The parts of s between delimiters.", "string_to_table('a,b', ',') → a b", params("s", text, "delimiter", text, "null", text)[:n],
				columns("string_to_table", text), split))
	}
	return out
}

// seriesKernel generates start, start + step … stop without holding them all.
type seriesKernel struct {
	call    *fn.Call
	current types.Datum
	busy    bool
	advance func(r row, at types.Datum) (types.Datum, bool, error)
	check   func(r row) error
	before  func(r row, at types.Datum) bool // still within stop
}

func (s *seriesKernel) Expand(args []*vec.Vector, at int, out []*vec.Vector) (more bool, err error) {
	r := row{args, at, s.call}
	if !s.busy {
		if anyNull(r) {
			return false, nil
		}
		if err := s.check(r); err != nil {
			return false, err
		}
		s.current, s.busy = r.datum(0), true
	}
	for range vec.BatchSize {
		if !s.before(r, s.current) {
			s.busy = false
			return false, nil
		}
		out[0].AppendDatum(s.current)
		next, ok, err := s.advance(r, s.current)
		if err != nil {
			return false, err
		}
		if !ok {
			s.busy = false
			return false, nil
		}
		s.current = next
	}
	return true, nil
}

func zeroStep() error {
	return errorf(sqlerr.InvalidParameterValue, "step size cannot equal zero")
}

func seriesRow(name string, p []fn.Param, t types.Type, build func(call *fn.Call) (*seriesKernel, error)) fn.Overload {
	columns := func(call fn.Call) (types.Schema, error) {
		result := t
		if t.Kind == types.Decimal {
			result = call.Args[0]
		}
		return types.Schema{{Name: name, Type: result}}, nil
	}
	v := volatilityOf(t)
	return fn.Overload{Name: name, Params: p, Nulls: fn.Called, Category: categoryTable, MayFail: true, Volatility: v,
		Doc: "The values from start to stop, step apart.", Example: "generate_series(1, 3) → 1 2 3",
		Impl: fn.Table{Columns: columns, New: func(call fn.Call) (fn.TableKernel, error) { return build(&call) }}}
}

func seriesFunctions() []fn.Overload {
	var out []fn.Overload
	for _, t := range []types.Type{integer, bigint} {
		for n := 2; n <= 3; n++ {
			out = append(out, seriesRow("generate_series", params("start", t, "stop", t, "step", t)[:n], t, integerSeries))
		}
	}
	numeric := []fn.Param{family("start", fn.Common), family("stop", fn.Common), family("step", fn.Common)}
	for n := 2; n <= 3; n++ {
		out = append(out, seriesRow("generate_series", numeric[:n:n], types.Of(types.Decimal), decimalSeries))
	}
	for _, t := range []types.Type{timestamp, timestampTZ} {
		out = append(out, seriesRow("generate_series", params("start", t, "stop", t, "step", interval), t, momentSeries))
	}
	return out
}

func integerSeries(call *fn.Call) (*seriesKernel, error) {
	step := func(r row) int64 {
		if r.given(2) {
			return r.datum(2).I64
		}
		return 1
	}
	return &seriesKernel{call: call,
		check: func(r row) error {
			if step(r) == 0 {
				return zeroStep()
			}
			return nil
		},
		before: func(r row, at types.Datum) bool {
			if step(r) > 0 {
				return at.I64 <= r.datum(1).I64
			}
			return at.I64 >= r.datum(1).I64
		},
		advance: func(r row, at types.Datum) (types.Datum, bool, error) {
			return types.IntDatum(at.I64 + step(r)), !addOverflows(at.I64, step(r)), nil
		}}, nil
}

func decimalSeries(call *fn.Call) (*seriesKernel, error) {
	t := call.Args[0]
	if t.Kind != types.Decimal {
		return nil, errorf(sqlerr.UndefinedFunction, "function generate_series(%s, %s) does not exist", t.Base(), call.Args[1].Base())
	}
	step := func(r row) types.Int128 {
		if r.given(2) {
			return r.wide(2)
		}
		return types.Pow10(int(t.Scale))
	}
	return &seriesKernel{call: call,
		check: func(r row) error {
			if step(r).Sign() == 0 {
				return zeroStep()
			}
			return nil
		},
		before: func(r row, at types.Datum) bool { return at.Unscaled(t).Compare(r.wide(1))*step(r).Sign() <= 0 },
		advance: func(r row, at types.Datum) (types.Datum, bool, error) {
			next, ok := at.Unscaled(t).AddChecked(step(r))
			return types.DecimalDatum(t, next), ok, nil
		}}, nil
}

func momentSeries(call *fn.Call) (*seriesKernel, error) {
	zone := time.UTC
	if call.Args[0].Kind == types.TimestampTZ {
		var err error
		if zone, err = zoneOf(call); err != nil {
			return nil, err
		}
	}
	sign := func(r row) int { return r.span(2).Compare(types.IntervalValue{}) }
	return &seriesKernel{call: call,
		check: func(r row) error {
			if sign(r) == 0 {
				return zeroStep()
			}
			return nil
		},
		before: func(r row, at types.Datum) bool {
			if sign(r) > 0 {
				return at.I64 <= r.int64(1)
			}
			return at.I64 >= r.int64(1)
		},
		advance: func(r row, at types.Datum) (types.Datum, bool, error) {
			next, err := addIntervalTZ(at.I64, r.span(2), zone)
			return types.IntDatum(next), true, err
		}}, nil
}
