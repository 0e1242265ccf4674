package functions

import (
	"strings"
	"time"

	"github.com/tarnlake/tarn/exec/kernel"
	"github.com/tarnlake/tarn/internal/fn"
	"github.com/tarnlake/tarn/internal/types"
	"github.com/tarnlake/tarn/internal/vec"
)

// truncateMoment cuts a wall-clock timestamp to a unit.
func truncateMoment(micros int64, f dateField) int64 {
	if !types.IsFiniteTimestamp(micros) {
		return micros
	}
	days, ofDay := types.SplitTimestamp(micros)
	switch f {
	case fieldMicrosecond:
		return micros
	case fieldMillisecond:
		return micros - floorMod(ofDay, 1000)
	case fieldSecond:
		return micros - ofDay%types.MicrosPerSecond
	case fieldMinute:
		return micros - ofDay%types.MicrosPerMinute
	case fieldHour:
		return micros - ofDay%types.MicrosPerHour
	}
	return truncateDays(days, f) * types.MicrosPerDay
}

// withinDay tells whether a unit is shorter than a day.
func (f dateField) withinDay() bool {
	switch f {
	case fieldHour, fieldMinute, fieldSecond, fieldMillisecond, fieldMicrosecond:
		return true
	}
	return false
}

// truncateDays cuts a day to a unit of at least a day.
func truncateDays(days int64, f dateField) int64 {
	switch f {
	case fieldDay:
		return days
	case fieldWeek:
		return days - floorMod(days+3, 7)
	}
	year, month, _ := types.CivilFromDays(days)
	switch f {
	case fieldMonth:
		return types.DaysFromCivil(year, month, 1)
	case fieldQuarter:
		return types.DaysFromCivil(year, (month-1)/3*3+1, 1)
	case fieldDecade:
		year = int(floorDiv(int64(year), 10)) * 10
	case fieldCentury:
		year = int(floorDiv(int64(year)-1, 100))*100 + 1
	case fieldMillennium:
		year = int(floorDiv(int64(year)-1, 1000))*1000 + 1
	}
	return types.DaysFromCivil(year, 1, 1)
}

// truncationUnit checks that date_trunc knows a unit.
func truncationUnit(name string, t types.Type) (dateField, error) {
	f := fieldNamed(name)
	switch f {
	case fieldNone:
		return f, unknownField("unit", name, t)
	case fieldYear, fieldQuarter, fieldMonth, fieldDay, fieldHour, fieldMinute, fieldSecond, fieldMillisecond, fieldMicrosecond,
		fieldDecade, fieldCentury, fieldMillennium:
		return f, nil
	case fieldWeek:
		if t.Kind != types.Interval {
			return f, nil
		}
	}
	return f, unsupportedField(name, t)
}

// newDateTrunc cuts timestamps in their own wall clock, timestamptz in the session's or the given zone.
func newDateTrunc(call fn.Call) (fn.Kernel, error) {
	t := call.Args[1]
	session, err := zoneOf(&call)
	if err != nil {
		return nil, err
	}
	constant := fieldNone
	if d := call.Constants[0]; d != nil && !d.Null {
		if constant, err = truncationUnit(d.Str, t); err != nil {
			return nil, err
		}
	}
	zones := zoneCache{}
	return func(args []*vec.Vector, n int, rows []int32, out *vec.Vector) error {
		in, o, m := vec.Values[int64](args[1]), vec.Values[int64](out), mask(args[1])
		if constant != fieldNone && t.Kind == types.Timestamp {
			for k := range kernel.Count(rows, n) {
				r := rowAt(rows, k)
				o[r] = truncateMoment(in[r&m], constant)
			}
			return nil
		}
		for k := range kernel.Count(rows, n) {
			r := row{args: args, at: rowAt(rows, k)}
			f, err := truncationUnit(r.str(0), t)
			if err != nil {
				return err
			}
			zone := session
			if len(args) > 2 {
				if zone, err = zones.load(r.str(2)); err != nil {
					return err
				}
			}
			if t.Kind == types.Timestamp {
				zone = time.UTC
			}
			local := types.LocalFromUTC(in[r.at&m], zone)
			cut := truncateMoment(local, f)
			if f.withinDay() {
				o[r.at] = in[r.at&m] - (local - cut) // the zone's offset stays: an hour that occurs twice is kept apart
			} else {
				o[r.at] = types.UTCFromLocal(cut, zone)
			}
		}
		return nil
	}, nil
}

// zoneCache remembers the last zone by name.
type zoneCache struct {
	name string
	zone *time.Location
}

func (z *zoneCache) load(name string) (*time.Location, error) {
	if z.zone != nil && z.name == name {
		return z.zone, nil
	}
	zone, err := types.LoadZone(name)
	if err == nil {
		z.name, z.zone = strings.Clone(name), zone
	}
	return zone, err
}

// truncateInterval cuts an interval to a unit.
func truncateInterval(v types.IntervalValue, f dateField) types.IntervalValue {
	cut := func(months int32) types.IntervalValue { return types.IntervalValue{Months: v.Months / months * months} }
	switch f {
	case fieldMillennium:
		return cut(12000)
	case fieldCentury:
		return cut(1200)
	case fieldDecade:
		return cut(120)
	case fieldYear:
		return cut(12)
	case fieldQuarter:
		return cut(3)
	case fieldMonth:
		return cut(1)
	}
	unit := int64(1)
	switch f {
	case fieldDay:
		unit = 1 << 62
	case fieldHour:
		unit = types.MicrosPerHour
	case fieldMinute:
		unit = types.MicrosPerMinute
	case fieldSecond:
		unit = types.MicrosPerSecond
	case fieldMillisecond:
		unit = 1000
	}
	v.Micros = v.Micros / unit * unit
	return v
}

func dateTruncOverloads() []fn.Overload {
	truncRow := func(p []fn.Param, t types.Type, v fn.Volatility, impl fn.Scalar) fn.Overload {
		return fn.Overload{Name: "date_trunc", Params: p, ResultType: t, Category: categoryTime, Volatility: v, MayFail: true,
			Doc:     "Cuts a moment to a unit: millennium, century, decade, year, quarter, month, week, day, hour … microseconds.",
			Example: "date_trunc('month', timestamp '2018-08-17 10:00') → 2018-08-01 00:00:00", Impl: impl}
	}
	return []fn.Overload{
		truncRow(params("unit", text, "source", timestamp), timestamp, fn.Immutable, fn.Scalar{New: newDateTrunc}),
		truncRow(params("unit", text, "source", timestampTZ), timestampTZ, fn.Stable, fn.Scalar{New: newDateTrunc}),
		truncRow(params("unit", text, "source", timestampTZ, "zone", text), timestampTZ, fn.Immutable, fn.Scalar{New: newDateTrunc}),
		truncRow(params("unit", text, "source", interval), interval, fn.Immutable, toFixed(func(r row) (types.IntervalValue, bool, error) {
			f, err := truncationUnit(r.str(0), interval)
			return truncateInterval(r.span(1), f), true, err
		})),
	}
}
