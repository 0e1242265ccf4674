package functions

import (
	"strings"
	"time"

	"github.com/tarnlake/tarn/exec/kernel"
	"github.com/tarnlake/tarn/internal/fn"
	"github.com/tarnlake/tarn/internal/sqlerr"
	"github.com/tarnlake/tarn/internal/types"
	"github.com/tarnlake/tarn/internal/vec"
)

// wholeFields makes extract of an integer field that is known beforehand, which reports group by;
// nil for fields with fractions and for times of day.
func wholeFields(f dateField, t types.Type, zone *time.Location) fn.Kernel {
	if _, whole := (moment{}).whole(f); !whole {
		return nil
	}
	switch t.Kind {
	case types.Date:
		return func(args []*vec.Vector, n int, rows []int32, out *vec.Vector) error {
			in, o, m := vec.Values[int32](args[1]), vec.Values[int64](out), mask(args[1])
			for k := range kernel.Count(rows, n) {
				r := rowAt(rows, k)
				if err := storeWhole(o, out, r, momentOfDate(in[r&m]), f); err != nil {
					return err
				}
			}
			return nil
		}
	case types.Timestamp:
		return func(args []*vec.Vector, n int, rows []int32, out *vec.Vector) error {
			in, o, m := vec.Values[int64](args[1]), vec.Values[int64](out), mask(args[1])
			for k := range kernel.Count(rows, n) {
				r := rowAt(rows, k)
				if err := storeWhole(o, out, r, momentOfTimestamp(in[r&m]), f); err != nil {
					return err
				}
			}
			return nil
		}
	case types.TimestampTZ:
		return func(args []*vec.Vector, n int, rows []int32, out *vec.Vector) error {
			in, o, m := vec.Values[int64](args[1]), vec.Values[int64](out), mask(args[1])
			for k := range kernel.Count(rows, n) {
				r := rowAt(rows, k)
				if err := storeWhole(o, out, r, momentOfTimestampTZ(in[r&m], zone), f); err != nil {
					return err
				}
			}
			return nil
		}
	}
	return nil
}

func storeWhole(o []int64, out *vec.Vector, r int, m moment, f dateField) error {
	if m.infinite != 0 {
		if _, ok := m.double(f); ok {
			return errorf(sqlerr.NumericValueOutOfRange, "numeric type does not support infinity")
		}
		out.SetNull(r)
		return nil
	}
	o[r], _ = m.whole(f)
	return nil
}

// extractType is numeric with the scale that the field needs.
func extractType(args []types.Type, constants []*types.Datum) (types.Type, error) {
	f := fieldNone
	if constants[0] != nil && !constants[0].Null {
		if f = fieldNamed(constants[0].Str); f == fieldNone {
			return types.Type{}, unknownField("unit", constants[0].Str, args[1])
		}
	}
	switch f {
	case fieldNone:
		return types.DecimalOf(types.MaxDecimalPrecision, 6), nil
	case fieldSecond:
		return types.DecimalOf(8, 6), nil
	case fieldMillisecond:
		return types.DecimalOf(8, 3), nil
	case fieldEpoch:
		if args[1].Kind == types.Date {
			return types.DecimalOf(18, 0), nil
		}
		return types.DecimalOf(20, 6), nil
	case fieldJulian:
		if args[1].Kind == types.Date {
			return types.DecimalOf(18, 0), nil
		}
		return types.DecimalOf(30, julianScale), nil
	}
	return types.DecimalOf(18, 0), nil
}

func unknownField(_, name string, t types.Type) error {
	return errorf(sqlerr.InvalidParameterValue, "unit \"%s\" not recognized for type %s", strings.ToLower(name), t.Base())
}

func unsupportedField(name string, t types.Type) error {
	return errorf(sqlerr.FeatureNotSupported, "unit \"%s\" not supported for type %s", strings.ToLower(name), t.Base())
}

// fieldFor checks that a type has a field.
func fieldFor(name string, t types.Type) (dateField, error) {
	f := fieldNamed(name)
	supported := f != fieldNone
	switch t.Kind {
	case types.Date:
		supported = f < fieldHour || f >= fieldDecade && f <= fieldJulian
	case types.Time:
		supported = f >= fieldHour && f <= fieldMicrosecond || f == fieldEpoch
	case types.Timestamp:
		supported = f < fieldZone
	case types.Interval:
		supported = f != fieldISOYear && f != fieldWeek && f != fieldDayOfWeek && f != fieldISODayOfWeek && f != fieldDayOfYear &&
			f != fieldJulian && f < fieldZone
	}
	switch {
	case f == fieldNone:
		return f, unknownField("unit", name, t)
	case !supported:
		return f, unsupportedField(name, t)
	}
	return f, nil
}

// fieldReader takes values of a type apart.
func fieldReader(t types.Type, zone *time.Location) func(v *vec.Vector, r int) moment {
	switch t.Kind {
	case types.Date:
		return func(v *vec.Vector, r int) moment { return momentOfDate(vec.Values[int32](v)[r]) }
	case types.TimestampTZ:
		return func(v *vec.Vector, r int) moment { return momentOfTimestampTZ(vec.Values[int64](v)[r], zone) }
	case types.Time:
		return func(v *vec.Vector, r int) moment {
			x := vec.Values[int64](v)[r]
			return moment{ofDay: x, utc: x}
		}
	}
	return func(v *vec.Vector, r int) moment { return momentOfTimestamp(vec.Values[int64](v)[r]) }
}

// fieldArgument gives the field that the first argument names, looked up once where it is constant.
func fieldArgument(call fn.Call, t types.Type) (func(row) (dateField, error), error) {
	if d := call.Constants[0]; d != nil && !d.Null {
		f, err := fieldFor(d.Str, t)
		return func(row) (dateField, error) { return f, nil }, err
	}
	return func(r row) (dateField, error) { return fieldFor(r.str(0), t) }, nil
}

// newExtract makes extract(field FROM x): numeric.
func newExtract(call fn.Call) (fn.Kernel, error) {
	t := call.Args[1]
	if t.Kind == types.Interval {
		return newIntervalExtract(call)
	}
	zone, err := zoneOf(&call)
	if err != nil {
		return nil, err
	}
	_, scale := shape(call.Result)
	fieldOf, err := fieldArgument(call, t)
	if err != nil {
		return nil, err
	}
	if d := call.Constants[0]; d != nil && !d.Null && scale == 0 {
		f, _ := fieldFor(d.Str, t)
		if k := wholeFields(f, t, zone); k != nil {
			return k, nil
		}
	}
	read := fieldReader(t, zone)
	return func(args []*vec.Vector, n int, rows []int32, out *vec.Vector) error {
		for k := range kernel.Count(rows, n) {
			r := row{args: args, at: rowAt(rows, k)}
			f, err := fieldOf(r)
			if err != nil {
				return err
			}
			m := read(args[1], r.index(1))
			if m.infinite != 0 {
				if _, ok := m.double(f); ok {
					return errorf(sqlerr.NumericValueOutOfRange, "numeric type does not support infinity")
				}
				out.SetNull(r.at)
				continue
			}
			storeDecimal(out, r.at, m.scaled(f, scale))
		}
		return nil
	}, nil
}

// newDatePart makes date_part(field, x): double precision.
func newDatePart(call fn.Call) (fn.Kernel, error) {
	t := call.Args[1]
	zone, err := zoneOf(&call)
	if err != nil {
		return nil, err
	}
	fieldOf, err := fieldArgument(call, t)
	if err != nil {
		return nil, err
	}
	read := fieldReader(t, zone)
	return func(args []*vec.Vector, n int, rows []int32, out *vec.Vector) error {
		o := vec.Values[float64](out)
		for k := range kernel.Count(rows, n) {
			r := row{args: args, at: rowAt(rows, k)}
			f, err := fieldOf(r)
			if err != nil {
				return err
			}
			if t.Kind == types.Interval {
				o[r.at] = intervalDouble(r.span(1), f)
				continue
			}
			v, ok := read(args[1], r.index(1)).double(f)
			if !ok {
				out.SetNull(r.at)
			}
			o[r.at] = v
		}
		return nil
	}, nil
}

func newIntervalExtract(call fn.Call) (fn.Kernel, error) {
	_, scale := shape(call.Result)
	fieldOf, err := fieldArgument(call, call.Args[1])
	if err != nil {
		return nil, err
	}
	return func(args []*vec.Vector, n int, rows []int32, out *vec.Vector) error {
		for k := range kernel.Count(rows, n) {
			r := row{args: args, at: rowAt(rows, k)}
			f, err := fieldOf(r)
			if err != nil {
				return err
			}
			v, from := intervalField(r.span(1), f)
			v, _ = v.Rescale(from, scale, types.MaxDecimalPrecision)
			storeDecimal(out, r.at, v)
		}
		return nil
	}, nil
}

func extractOverloads() []fn.Overload {
	var out []fn.Overload
	for _, t := range []types.Type{date, timestamp, timestampTZ, timeOfDay, interval} {
		p := params("field", text, "source", t)
		out = append(out,
			fn.Overload{Name: "extract", Params: p, ResultOf: extractType, ResultType: types.DecimalOf(types.MaxDecimalPrecision, 6), Category: categoryTime,
				Volatility: volatilityOf(t), MayFail: true, Doc: "A field of a date, time or interval as numeric; written extract(field FROM source).",
				Example: "extract(year FROM date '2018-08-01') → 2018", Impl: fn.Scalar{New: newExtract}},
			fn.Overload{Name: "date_part", Params: p, ResultType: double, Category: categoryTime, Volatility: volatilityOf(t), MayFail: true,
				Doc: "A field of a date, time or interval as double precision.", Example: "date_part('month', date '2018-08-01') → 8",
				Impl: fn.Scalar{New: newDatePart}})
	}
	return out
}

// volatilityOf is Stable for functions of timestamptz, which read the session's time zone.
func volatilityOf(t types.Type) fn.Volatility {
	if t.Kind == types.TimestampTZ {
		return fn.Stable
	}
	return fn.Immutable
}
