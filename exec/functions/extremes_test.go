package functions_test

import (
	"errors"
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/tarnlake/tarn/exec/functions"
	"github.com/tarnlake/tarn/internal/fn"
	"github.com/tarnlake/tarn/internal/sqlerr"
	"github.com/tarnlake/tarn/internal/types"
	"github.com/tarnlake/tarn/internal/vec"
)

// edges are values at which implementations tend to break.
func edges(t types.Type) []types.Datum {
	integers := func(list ...int64) (out []types.Datum) {
		for _, v := range list {
			out = append(out, types.IntDatum(v))
		}
		return out
	}
	switch t.Kind {
	case types.Bool:
		return integers(0, 1)
	case types.Int16:
		return integers(0, 1, -1, math.MaxInt16, math.MinInt16)
	case types.Int32:
		return integers(0, 1, -1, 7, math.MaxInt32, math.MinInt32)
	case types.Int64, types.OID:
		return integers(0, 1, -1, math.MaxInt64, math.MinInt64)
	case types.Float32, types.Float64:
		return []types.Datum{types.FloatDatum(0), types.FloatDatum(-1.5), types.FloatDatum(math.MaxFloat32), types.FloatDatum(math.Inf(1)), types.FloatDatum(math.NaN())}
	case types.Decimal:
		return []types.Datum{{I128: types.Int128{}}, {I128: types.Int128FromInt64(-15)}, {I128: types.Pow10(38).Sub(types.Int128FromInt64(1))}, {I128: types.Pow10(38).Sub(types.Int128FromInt64(1)).Neg()}}
	case types.Text, types.Name, types.Bytea:
		return []types.Datum{types.StringDatum(""), types.StringDatum("day"), types.StringDatum(`a%_\(["'x`), types.StringDatum("tärn ☃ of many words that do not fit inline"), types.StringDatum("%Y-%m YYYY 9,999.9EEEE")}
	case types.JSON, types.JSONB:
		return []types.Datum{types.StringDatum("{}"), types.StringDatum(`[1, {"a": null}]`), types.StringDatum(`"x"`), types.StringDatum("null")}
	case types.Date:
		return integers(0, types.DateInfinity, types.DateMinusInfinity, -2440588, 2145042905)
	case types.Time:
		return integers(0, types.MicrosPerDay)
	case types.Timestamp, types.TimestampTZ:
		return integers(0, types.TimestampInfinity, types.TimestampMinusInfinity, -2440588*types.MicrosPerDay, 106751990*types.MicrosPerDay)
	case types.Interval:
		return []types.Datum{{}, {Span: types.IntervalValue{Months: math.MaxInt32, Days: math.MaxInt32, Micros: math.MaxInt64}},
			{Span: types.IntervalValue{Months: math.MinInt32, Days: math.MinInt32, Micros: math.MinInt64}}, {Span: types.IntervalValue{Months: 1, Days: -1, Micros: 1}}}
	case types.UUID:
		return []types.Datum{{}}
	case types.Array:
		return []types.Datum{{Items: []types.Datum{}}, {Items: []types.Datum{types.NullDatum()}}, {Items: edges(*t.Elem)}}
	}
	return []types.Datum{{}}
}

// concrete gives types for the families, so that each overload can be called.
func concrete(p fn.Param) types.Type {
	switch p.Family {
	case fn.Exact:
		if p.Type.Kind == types.Decimal {
			return types.DecimalOf(38, 4)
		}
		return p.Type
	case fn.Numeric:
		return types.DecimalOf(38, 4)
	case fn.ArrayOf:
		return types.ArrayOf(types.Of(types.Int32))
	case fn.AnyMap:
		return types.MapOf(types.Of(types.Text), types.Of(types.Int32))
	}
	return types.Of(types.Int32)
}

// No argument makes a scalar function panic, hang or fail with anything but a user's error.
func TestEdgesRaiseOnlyUserErrors(t *testing.T) {
	session := &fn.Session{TimeZone: "America/New_York"}
	called := 0
	for _, o := range functions.Registry().All() {
		scalar, ok := o.Impl.(fn.Scalar)
		if !ok || strings.HasPrefix(o.Name, "$") || o.Category == "system" || o.Name == "repeat" || o.Name == "lpad" || o.Name == "rpad" || o.Name == "array_fill" {
			continue
		}
		usable, argTypes := true, []types.Type{}
		for _, p := range o.Params {
			usable = usable && p.Family != fn.Function
			argTypes = append(argTypes, concrete(p))
		}
		if !usable {
			continue
		}
		result := o.ResultType
		var err error
		if o.ResultOf != nil {
			result, err = o.ResultOf(argTypes, make([]*types.Datum, len(argTypes)))
		} else if o.Result != nil {
			result, err = o.Result(argTypes)
		}
		if err != nil {
			continue
		}
		called++
		callEdges(t, &o, scalar, fn.Call{Name: o.Name, Args: argTypes, Result: result, Session: session, Constants: make([]*types.Datum, len(argTypes))})
	}
	if called < 400 {
		t.Errorf("only %d functions called", called)
	}
}

func callEdges(t *testing.T, o *fn.Overload, scalar fn.Scalar, call fn.Call) {
	t.Helper()
	var current []types.Datum
	defer func() {
		if p := recover(); p != nil {
			t.Errorf("%s%+v panics: %v", functions.Signature(o), current, p)
		}
	}()
	k, err := scalar.New(call)
	if err != nil {
		t.Errorf("%s: %v", functions.Signature(o), err)
		return
	}
	combinations(call.Args, func(args []types.Datum) {
		current = args
		var vectors []*vec.Vector
		for i, d := range args {
			v := vec.NewFlat(call.Args[i], 1)
			v.SetDatum(0, d)
			vectors = append(vectors, v)
		}
		out := vec.NewFlat(call.Result, 1)
		begin := time.Now()
		if err := k(vectors, 1, nil, out); err != nil {
			var user *sqlerr.Error
			if !errors.As(err, &user) || user.Code.Class() == "XX" {
				t.Errorf("%s%+v: %v", functions.Signature(o), args, err)
			}
		} else if d := out.Datum(0); !d.Null {
			_ = fmt.Sprint(types.Format(call.Result, d, nil))
		}
		if spent := time.Since(begin); spent > 5*time.Second {
			t.Errorf("%s%+v takes %v", functions.Signature(o), args, spent)
		}
	})
}

// combinations gives every tuple of edge values, at most some thousand.
func combinations(argTypes []types.Type, use func([]types.Datum)) {
	lists := make([][]types.Datum, len(argTypes))
	total := 1
	for i, t := range argTypes {
		lists[i] = edges(t)
		total *= len(lists[i])
	}
	step := max(total/3000, 1)
	for n := 0; n < total; n += step {
		args, rest := make([]types.Datum, len(lists)), n
		for i, list := range lists {
			args[i] = list[rest%len(list)]
			rest /= len(list)
		}
		use(args)
	}
}
