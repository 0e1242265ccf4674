package functions

import (
	"math"
	"strings"
	"time"

	"github.com/tarnlake/tarn/exec/kernel"
	"github.com/tarnlake/tarn/internal/fn"
	"github.com/tarnlake/tarn/internal/sqlerr"
	"github.com/tarnlake/tarn/internal/types"
	"github.com/tarnlake/tarn/internal/vec"
)

// zoneOf gives the session's time zone.
func zoneOf(call *fn.Call) (*time.Location, error) {
	if call.Session == nil || call.Session.TimeZone == "" {
		return time.UTC, nil
	}
	return types.LoadZone(call.Session.TimeZone)
}

// dateField is a field that extract and date_part give.
type dateField uint8

const (
	fieldNone dateField = iota
	fieldYear
	fieldISOYear
	fieldQuarter
	fieldMonth
	fieldWeek
	fieldDay
	fieldDayOfWeek
	fieldISODayOfWeek
	fieldDayOfYear
	fieldHour
	fieldMinute
	fieldSecond
	fieldMillisecond
	fieldMicrosecond
	fieldDecade
	fieldCentury
	fieldMillennium
	fieldEpoch
	fieldJulian
	fieldZone
	fieldZoneHour
	fieldZoneMinute
)

// fieldNamed finds a field by the names that PostgreSQL, Presto and Hive use.
func fieldNamed(name string) dateField {
	switch name = strings.ToLower(name); name {
	case "isoyear", "yow", "year_of_week":
		return fieldISOYear
	case "doy", "day_of_year":
		return fieldDayOfYear
	case "dow":
		return fieldDayOfWeek
	case "isodow", "day_of_week":
		return fieldISODayOfWeek
	case "day_of_month":
		return fieldDay
	case "epoch":
		return fieldEpoch
	case "julian":
		return fieldJulian
	case "timezone":
		return fieldZone
	case "timezone_hour":
		return fieldZoneHour
	case "timezone_minute":
		return fieldZoneMinute
	}
	switch types.IntervalUnit(name) {
	case "year":
		return fieldYear
	case "quarter":
		return fieldQuarter
	case "month":
		return fieldMonth
	case "week":
		return fieldWeek
	case "day":
		return fieldDay
	case "hour":
		return fieldHour
	case "minute":
		return fieldMinute
	case "second":
		return fieldSecond
	case "millisecond":
		return fieldMillisecond
	case "microsecond":
		return fieldMicrosecond
	case "decade":
		return fieldDecade
	case "century":
		return fieldCentury
	case "millennium":
		return fieldMillennium
	}
	return fieldNone
}

// moment is a date and time of day, or an interval, taken apart.
type moment struct {
	days, ofDay int64
	offset      int // seconds east of UTC, of a timestamptz
	utc         int64
	infinite    int // -1, 0, 1
}

func momentOfDate(days int32) moment {
	switch days {
	case types.DateInfinity:
		return moment{infinite: 1}
	case types.DateMinusInfinity:
		return moment{infinite: -1}
	}
	return moment{days: int64(days), utc: int64(days) * types.MicrosPerDay}
}

func momentOfTimestamp(micros int64) moment {
	switch micros {
	case types.TimestampInfinity:
		return moment{infinite: 1}
	case types.TimestampMinusInfinity:
		return moment{infinite: -1}
	}
	m := moment{utc: micros}
	m.days, m.ofDay = types.SplitTimestamp(micros)
	return m
}

func momentOfTimestampTZ(micros int64, zone *time.Location) moment {
	if !types.IsFiniteTimestamp(micros) {
		return momentOfTimestamp(micros)
	}
	m := moment{utc: micros, offset: types.ZoneOffset(micros, zone)}
	m.days, m.ofDay = types.SplitTimestamp(micros + int64(m.offset)*types.MicrosPerSecond)
	return m
}

// whole gives an integer field; ok is false for the fields that have fractions.
func (m moment) whole(f dateField) (value int64, ok bool) {
	switch f {
	case fieldYear, fieldMonth, fieldDay, fieldQuarter, fieldDecade, fieldCentury, fieldMillennium:
		return m.calendarField(f), true
	case fieldDayOfWeek:
		return floorMod(m.days+4, 7), true
	case fieldISODayOfWeek:
		return floorMod(m.days+3, 7) + 1, true
	case fieldDayOfYear:
		year, _, _ := types.CivilFromDays(m.days)
		return m.days - types.DaysFromCivil(year, 1, 1) + 1, true
	case fieldWeek, fieldISOYear:
		year, week := isoWeek(m.days)
		if f == fieldWeek {
			return int64(week), true
		}
		if year <= 0 {
			year--
		}
		return int64(year), true
	case fieldHour:
		return m.ofDay / types.MicrosPerHour, true
	case fieldMinute:
		return m.ofDay / types.MicrosPerMinute % 60, true
	case fieldMicrosecond:
		return m.ofDay % types.MicrosPerMinute, true
	case fieldZone:
		return int64(m.offset), true
	case fieldZoneHour:
		return int64(m.offset / 3600), true
	case fieldZoneMinute:
		return int64(m.offset / 60 % 60), true
	}
	return 0, false
}

func (m moment) calendarField(f dateField) int64 {
	year, month, day := types.CivilFromDays(m.days)
	shown := int64(year)
	if shown <= 0 {
		shown-- // there is no year 0
	}
	switch f {
	case fieldYear:
		return shown
	case fieldMonth:
		return int64(month)
	case fieldDay:
		return int64(day)
	case fieldQuarter:
		return int64(month-1)/3 + 1
	case fieldDecade:
		return floorDiv(int64(year), 10)
	case fieldCentury:
		return era(int64(year), 100)
	}
	return era(int64(year), 1000)
}

// era numbers centuries and millennia: 1-100 is the first, 1-100 BC the minus first.
func era(year, length int64) int64 {
	if year > 0 {
		return (year + length - 1) / length
	}
	return -((length - 1 - (year - 1)) / length)
}

func floorDiv(a, b int64) int64 {
	q := a / b
	if a%b < 0 {
		q--
	}
	return q
}

func floorMod(a, b int64) int64 { return a - floorDiv(a, b)*b }

// isoWeek gives ISO 8601's year and week of a day.
func isoWeek(days int64) (year, week int) {
	thursday := days - floorMod(days+3, 7) + 3
	year, _, _ = types.CivilFromDays(thursday)
	return year, int((thursday-types.DaysFromCivil(year, 1, 1))/7) + 1
}

// fraction gives a field with a fraction as an integer scaled by 10^scale.
func (m moment) fraction(f dateField) (value types.Int128, scale int) {
	switch f {
	case fieldSecond:
		return types.Int128FromInt64(m.ofDay % types.MicrosPerMinute), 6
	case fieldMillisecond:
		return types.Int128FromInt64(m.ofDay % types.MicrosPerMinute), 3
	case fieldEpoch:
		return types.Int128FromInt64(m.utc), 6
	}
	// julian: the day number with the time as its fraction
	day := types.Int128FromInt64(m.days + 2440588)
	whole, _ := day.MulChecked(types.Pow10(julianScale))
	part, _ := types.Int128FromInt64(m.ofDay).MulChecked(types.Pow10(julianScale))
	return whole.Add(part.DivRound(types.Int128FromInt64(types.MicrosPerDay))), julianScale
}

const julianScale = 20

// double gives any field as date_part does.
func (m moment) double(f dateField) (float64, bool) {
	if m.infinite != 0 {
		switch f {
		case fieldYear, fieldISOYear, fieldDecade, fieldCentury, fieldMillennium, fieldEpoch, fieldJulian:
			return math.Inf(m.infinite), true
		}
		return 0, false
	}
	if v, ok := m.whole(f); ok {
		return float64(v), true
	}
	switch f {
	case fieldSecond:
		return float64(m.ofDay%types.MicrosPerMinute) / 1e6, true
	case fieldMillisecond:
		return float64(m.ofDay%types.MicrosPerMinute) / 1e3, true
	case fieldEpoch:
		return float64(m.utc) / 1e6, true
	}
	return float64(m.days+2440588) + float64(m.ofDay)/types.MicrosPerDay, true
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

// scaled gives a field as a decimal of the given scale.
func (m moment) scaled(f dateField, scale int) types.Int128 {
	v, from := types.Int128{}, 0
	if whole, ok := m.whole(f); ok {
		v = types.Int128FromInt64(whole)
	} else {
		v, from = m.fraction(f)
	}
	v, _ = v.Rescale(from, scale, types.MaxDecimalPrecision)
	return v
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

// intervalField gives a field of an interval scaled by 10^scale.
func intervalField(v types.IntervalValue, f dateField) (value types.Int128, scale int) {
	months, micros := int64(v.Months), v.Micros
	whole := int64(0)
	switch f {
	case fieldYear:
		whole = months / 12
	case fieldMonth:
		whole = months % 12
	case fieldQuarter:
		whole = months%12/3 + 1
	case fieldDay:
		whole = int64(v.Days)
	case fieldDecade:
		whole = months / 120
	case fieldCentury:
		whole = months / 1200
	case fieldMillennium:
		whole = months / 12000
	case fieldHour:
		whole = micros / types.MicrosPerHour
	case fieldMinute:
		whole = micros / types.MicrosPerMinute % 60
	case fieldSecond:
		return types.Int128FromInt64(micros % types.MicrosPerMinute), 6
	case fieldMillisecond:
		return types.Int128FromInt64(micros % types.MicrosPerMinute), 3
	case fieldMicrosecond:
		whole = micros % types.MicrosPerMinute
	case fieldEpoch:
		// a year counts 365.25 days, a month 30
		days := types.MulInt64(months/12, 36525).Add(types.MulInt64(months%12*30+int64(v.Days), 100))
		sum, _ := days.MulChecked(types.Int128FromInt64(types.MicrosPerDay / 100))
		return sum.Add(types.Int128FromInt64(micros)), 6
	}
	return types.Int128FromInt64(whole), 0
}

func intervalDouble(v types.IntervalValue, f dateField) float64 {
	x, scale := intervalField(v, f)
	return x.Float64() / math.Pow10(scale)
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
