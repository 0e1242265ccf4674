package functions

import (
	"math"
	"strings"
	"time"

	"github.com/tarnlake/tarn/internal/fn"
	"github.com/tarnlake/tarn/internal/types"
)

// datePartFunctions are year(x), day_of_week(x) and their like, for dates and timestamps.
func datePartFunctions() []fn.Overload {
	type part struct {
		names   string
		field   dateField
		doc     string
		example string
	}
	var out []fn.Overload
	for _, p := range []part{
		{"year", fieldYear, "Year.", "2018"}, {"quarter", fieldQuarter, "Quarter, from 1.", "3"}, {"month", fieldMonth, "Month, from 1.", "8"},
		{"week weekofyear week_of_year", fieldWeek, "Week of the year by ISO 8601.", "31"}, {"year_of_week yow", fieldISOYear, "Year that the ISO 8601 week belongs to.", "2018"},
		{"day day_of_month dayofmonth", fieldDay, "Day of the month.", "1"}, {"day_of_week dow", fieldISODayOfWeek, "Day of the week from 1 (Monday) to 7.", "3"},
		{"day_of_year doy dayofyear", fieldDayOfYear, "Day of the year.", "213"},
		{"hour", fieldHour, "Hour of the day.", "0"}, {"minute", fieldMinute, "Minute of the hour.", "0"}, {"second", fieldSecond, "Second of the minute.", "0"},
		{"millisecond", fieldMillisecond, "Millisecond of the second.", "0"},
	} {
		for _, name := range strings.Fields(p.names) {
			for _, t := range []types.Type{date, timestamp, timestampTZ} {
				if t.Kind == types.Date && p.field >= fieldHour {
					continue
				}
				example := name + "(" + map[types.Kind]string{types.Date: "date '2018-08-01'", types.Timestamp: "timestamp '2018-08-01 00:00'", types.TimestampTZ: "timestamptz '2018-08-01 00:00+00'"}[t.Kind] + ") → " + p.example
				o := timeRow(name, p.doc, example, params("x", t), integer, fn.Scalar{New: newPart(p.field)})
				o.Volatility = volatilityOf(t)
				out = append(out, o)
			}
		}
	}
	names := func(name string, names []string, at func(days int64) int) {
		for _, t := range []types.Type{date, timestamp} {
			out = append(out, timeRow(name, "English name of the day or month.", name+"(date '2018-08-01') → "+map[string]string{"dayname": "Wednesday", "monthname": "August"}[name], params("x", t), text,
				appendText(func(dst []byte, r row) []byte {
					days := r.datum(0).I64
					if t.Kind == types.Timestamp {
						days, _ = types.SplitTimestamp(days)
					}
					return append(dst, names[at(days)]...)
				})))
		}
	}
	names("dayname", dayNames[:], func(days int64) int { return int(floorMod(days+4, 7)) })
	names("monthname", monthNames[:], func(days int64) int {
		_, month, _ := types.CivilFromDays(days)
		return month - 1
	})
	return out
}

func newPart(field dateField) func(fn.Call) (fn.Kernel, error) {
	return func(call fn.Call) (fn.Kernel, error) {
		zone, err := zoneOf(&call)
		if err != nil {
			return nil, err
		}
		read := fieldReader(call.Args[0], zone)
		return toFixed(func(r row) (int32, bool, error) {
			m := read(r.args[0], r.index(0))
			if m.infinite != 0 {
				return 0, false, nil
			}
			switch field {
			case fieldSecond:
				return int32(m.ofDay % types.MicrosPerMinute / types.MicrosPerSecond), true, nil
			case fieldMillisecond:
				return int32(m.ofDay % types.MicrosPerSecond / 1000), true, nil
			}
			v, _ := m.whole(field)
			return int32(v), true, nil
		}).New(call)
	}
}

// unitStep gives a unit as months or as microseconds.
func unitStep(name string) (months, micros int64, err error) {
	switch fieldNamed(name) {
	case fieldMillennium:
		return 12000, 0, nil
	case fieldCentury:
		return 1200, 0, nil
	case fieldDecade:
		return 120, 0, nil
	case fieldYear:
		return 12, 0, nil
	case fieldQuarter:
		return 3, 0, nil
	case fieldMonth:
		return 1, 0, nil
	case fieldWeek:
		return 0, 7 * types.MicrosPerDay, nil
	case fieldDay:
		return 0, types.MicrosPerDay, nil
	case fieldHour:
		return 0, types.MicrosPerHour, nil
	case fieldMinute:
		return 0, types.MicrosPerMinute, nil
	case fieldSecond:
		return 0, types.MicrosPerSecond, nil
	case fieldMillisecond:
		return 0, 1000, nil
	case fieldMicrosecond:
		return 0, 1, nil
	}
	return 0, 0, unknownField("unit", name, timestamp)
}

// wholeMonths counts the months that have fully passed from a to b.
func wholeMonths(a, b int64) int64 {
	if a > b {
		return -wholeMonths(b, a)
	}
	daysA, ofDayA := types.SplitTimestamp(a)
	daysB, ofDayB := types.SplitTimestamp(b)
	yearA, monthA, dayA := types.CivilFromDays(daysA)
	yearB, monthB, dayB := types.CivilFromDays(daysB)
	months := int64(yearB-yearA)*12 + int64(monthB-monthA)
	// the last day of a month stands for all later days
	lastB := types.DaysInMonth(yearB, monthB)
	if min(dayA, lastB) > dayB || min(dayA, lastB) == dayB && ofDayA > ofDayB {
		months--
	}
	return months
}

func dateDiff(unit string, a, b int64) (int64, error) {
	months, micros, err := unitStep(unit)
	if err != nil {
		return 0, err
	}
	if !types.IsFiniteTimestamp(a) || !types.IsFiniteTimestamp(b) || subtractOverflows(b, a) {
		return 0, timestampOutOfRange()
	}
	if months > 0 {
		return wholeMonths(a, b) / months, nil
	}
	return (b - a) / micros, nil
}

func dateAdd(unit string, n, t int64, zone *time.Location) (int64, error) {
	months, micros, err := unitStep(unit)
	if err != nil {
		return 0, err
	}
	v := types.IntervalValue{}
	switch {
	case months > 0:
		total := n * months
		if multiplyOverflows(n, months) || total != int64(int32(total)) {
			return 0, intervalOutOfRange()
		}
		v.Months = int32(total)
	case micros >= types.MicrosPerDay:
		total := n * (micros / types.MicrosPerDay)
		if multiplyOverflows(n, micros/types.MicrosPerDay) || total != int64(int32(total)) {
			return 0, intervalOutOfRange()
		}
		v.Days = int32(total)
	default:
		if multiplyOverflows(n, micros) {
			return 0, intervalOutOfRange()
		}
		v.Micros = n * micros
	}
	return addIntervalTZ(t, v, zone)
}

func dateUnitFunctions() []fn.Overload {
	var out []fn.Overload
	for _, t := range []types.Type{date, timestamp, timestampTZ} {
		read := func(r row, i int, zone *time.Location) (int64, error) {
			switch t.Kind {
			case types.Date:
				return dateAsTimestamp(r.int32(i))
			case types.TimestampTZ:
				return types.LocalFromUTC(r.int64(i), zone), nil
			}
			return r.int64(i), nil
		}
		diff := failing(timeRow("date_diff", "Number of whole units from a to b.", "date_diff('day', date '2018-08-01', date '2018-08-31') → 30", params("unit", text, "a", t, "b", t), bigint,
			withSessionZone(func(r row, zone *time.Location) (int64, bool, error) {
				a, err := read(r, 1, zone)
				if err != nil {
					return 0, false, err
				}
				b, err := read(r, 2, zone)
				if err != nil {
					return 0, false, err
				}
				n, err := dateDiff(r.str(0), a, b)
				return n, true, err
			})))
		diff.Volatility = volatilityOf(t)
		out = append(out, diff)
	}
	addDoc := "Adds n units."
	add := func(t types.Type) fn.Overload {
		o := failing(timeRow("date_add", addDoc, "date_add('hour', 36, timestamp '2018-08-01') → 2018-08-02 12:00:00", params("unit", text, "n", bigint, "x", t), t,
			withSessionZone(func(r row, zone *time.Location) (int64, bool, error) {
				if t.Kind != types.TimestampTZ {
					zone = time.UTC
				}
				v, err := dateAdd(r.str(0), r.int64(1), r.int64(2), zone)
				return v, true, err
			})))
		o.Volatility = volatilityOf(t)
		return o
	}
	shift := func(name, doc, example string, sign int64) fn.Overload {
		return failing(timeRow(name, doc, example, params("d", date, "days", integer), date, try2(func(d, n int32) (int32, error) { return addDays(d, sign*int64(n)) })))
	}
	return append(out, add(timestamp), add(timestampTZ),
		failing(timeRow("date_add", addDoc, "date_add('month', 1, date '2018-08-31') → 2018-09-30", params("unit", text, "n", bigint, "x", date), date,
			toFixed(func(r row) (int32, bool, error) {
				t, err := dateAsTimestamp(r.int32(2))
				if err != nil {
					return 0, false, err
				}
				v, err := dateAdd(r.str(0), r.int64(1), t, time.UTC)
				return types.DateFromTimestamp(v), true, err
			}))),
		shift("date_add", "Adds days to a date.", "date_add(date '2018-08-01', 7) → 2018-08-08", 1),
		shift("date_sub", "Subtracts days from a date.", "date_sub(date '2018-08-08', 7) → 2018-08-01", -1),
		failing(timeRow("datediff", "Number of days from b to a.", "datediff(date '2018-08-08', date '2018-08-01') → 7", params("a", date, "b", date), integer, try2(subtractDates))),
		failing(timeRow("add_months", "Adds months to a date, keeping to the month's end.", "add_months(date '2018-08-31', 1) → 2018-09-30", params("d", date, "months", integer), date,
			try2(func(d, n int32) (int32, error) {
				t, err := dateAsTimestamp(d)
				if err != nil {
					return 0, err
				}
				t, err = addInterval(t, types.IntervalValue{Months: n})
				return types.DateFromTimestamp(t), err
			}))),
		lastDay("last_day_of_month"), lastDay("last_day"),
	)
}

func lastDay(name string) fn.Overload {
	return timeRow(name, "Last day of the date's month.", name+"(date '2018-02-10') → 2018-02-28", params("d", date), date, map1(func(d int32) int32 {
		if isInfiniteDate(d) {
			return d
		}
		year, month, _ := types.CivilFromDays(int64(d))
		return int32(types.DaysFromCivil(year, month, types.DaysInMonth(year, month)))
	}))
}

// fromUnix turns seconds since 1970 into a moment.
func fromUnix(seconds float64) (int64, error) {
	switch {
	case math.IsNaN(seconds):
		return 0, errorf("22008", "timestamp cannot be NaN")
	case math.IsInf(seconds, 1):
		return types.TimestampInfinity, nil
	case math.IsInf(seconds, -1):
		return types.TimestampMinusInfinity, nil
	}
	micros := math.RoundToEven(seconds * 1e6)
	if math.Abs(micros) >= 1<<63 || !types.ValidTimestamp(int64(micros)) {
		return 0, errorf("22008", "timestamp out of range: \"%s\"", types.AppendFloat64(nil, seconds))
	}
	return int64(micros), nil
}

func unixFunctions() []fn.Overload {
	toUnix := func(t types.Type) fn.Overload {
		return timeRow("to_unixtime", "Seconds since 1970-01-01 00:00 UTC.", "to_unixtime(timestamptz '2018-08-01 00:00+00') → 1533081600", params("t", t), double,
			map1(func(t int64) float64 { return float64(t) / 1e6 }))
	}
	return []fn.Overload{
		failing(timeRow("to_timestamp", "The moment that lies so many seconds after 1970-01-01 00:00 UTC.", "to_timestamp(1533081600) → 2018-08-01 00:00:00+00", params("seconds", double), timestampTZ, try1(fromUnix))),
		failing(timeRow("from_unixtime", "The moment that lies so many seconds after 1970-01-01 00:00 UTC.", "from_unixtime(1533081600) → 2018-08-01 00:00:00+00", params("seconds", double), timestampTZ, try1(fromUnix))),
		toUnix(timestamp), toUnix(timestampTZ),
		timeRow("unix_timestamp", "Whole seconds since 1970-01-01 00:00 UTC.", "unix_timestamp(timestamp '2018-08-01') → 1533081600", params("t", timestamp), bigint,
			map1(func(t int64) int64 { return floorDiv(t, types.MicrosPerSecond) })),
		failing(timeRow("from_iso8601_date", "Reads a date in ISO 8601 form.", "from_iso8601_date('2018-08-01') → 2018-08-01", params("s", text), date,
			toFixed(func(r row) (int32, bool, error) {
				d, err := types.ParseDate(r.bytes(0))
				return d, true, err
			}))),
		stable(failing(timeRow("from_iso8601_timestamp", "Reads a moment in ISO 8601 form.", "from_iso8601_timestamp('2018-08-01T12:00:00Z') → 2018-08-01 12:00:00+00", params("s", text), timestampTZ,
			withSessionZone(func(r row, zone *time.Location) (int64, bool, error) {
				t, err := types.ParseTimestampTZ(r.bytes(0), zone)
				return t, true, err
			})))),
		timeRow("to_iso8601", "Writes a date in ISO 8601 form.", "to_iso8601(date '2018-08-01') → 2018-08-01", params("d", date), text,
			appendText(func(dst []byte, r row) []byte { return types.AppendDate(dst, r.int32(0)) })),
		timeRow("to_iso8601", "Writes a timestamp in ISO 8601 form.", "to_iso8601(timestamp '2018-08-01 12:00') → 2018-08-01T12:00:00", params("t", timestamp), text,
			appendText(func(dst []byte, r row) []byte {
				start := len(dst)
				dst = types.AppendTimestamp(dst, r.int64(0))
				if len(dst)-start > 10 && dst[start+10] == ' ' {
					dst[start+10] = 'T'
				}
				return dst
			})),
	}
}
