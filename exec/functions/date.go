package functions

import (
	"math"
	"time"

	"github.com/tarnlake/tarn/exec/kernel"
	"github.com/tarnlake/tarn/internal/fn"
	"github.com/tarnlake/tarn/internal/sqlerr"
	"github.com/tarnlake/tarn/internal/types"
	"github.com/tarnlake/tarn/internal/vec"
)

func timeRow(name, doc, example string, p []fn.Param, result types.Type, impl fn.Scalar) fn.Overload {
	return fn.Overload{Name: name, Params: p, ResultType: result, Category: categoryTime, Doc: doc, Example: example, Impl: impl}
}

func stable(o fn.Overload) fn.Overload {
	o.Volatility = fn.Stable
	return o
}

func dateFunctions() []fn.Overload {
	out := append(extractOverloads(), dateTruncOverloads()...)
	out = append(out, clockFunctions()...)
	out = append(out, makeFunctions()...)
	out = append(out, ageFunctions()...)
	out = append(out, zoneFunctions()...)
	out = append(out, datePartFunctions()...)
	out = append(out, dateUnitFunctions()...)
	out = append(out, unixFunctions()...)
	out = append(out, overlapFunctions()...)
	return append(out, formatFunctions()...)
}

// fromSession makes a function without arguments of what the session says.
func fromSession(f func(s *fn.Session, zone *time.Location) int64) fn.Scalar {
	return fn.Scalar{New: func(call fn.Call) (fn.Kernel, error) {
		zone, err := zoneOf(&call)
		if err != nil {
			return nil, err
		}
		session := call.Session
		if session == nil {
			session = &fn.Session{StatementTime: time.Now().UnixMicro(), TransactionTime: time.Now().UnixMicro()}
		}
		return func(_ []*vec.Vector, n int, rows []int32, out *vec.Vector) error {
			x := f(session, zone)
			for k := range kernel.Count(rows, n) {
				out.SetDatum(rowAt(rows, k), types.IntDatum(x))
			}
			return nil
		}, nil
	}}
}

func clockFunctions() []fn.Overload {
	const now = "2018-08-01 12:00:00+00"
	transaction := func(s *fn.Session, _ *time.Location) int64 { return s.TransactionTime }
	local := func(s *fn.Session, zone *time.Location) int64 { return types.LocalFromUTC(s.TransactionTime, zone) }
	localTime := func(s *fn.Session, zone *time.Location) int64 {
		_, ofDay := types.SplitTimestamp(local(s, zone))
		return ofDay
	}
	today := func(s *fn.Session, zone *time.Location) int64 { return int64(types.DateFromTimestamp(local(s, zone))) }
	precision := params("precision", integer)
	start := "Time at which the transaction began."
	out := []fn.Overload{
		stable(timeRow("now", start, "now() → "+now, nil, timestampTZ, fromSession(transaction))),
		stable(timeRow("current_timestamp", start, "current_timestamp → "+now, nil, timestampTZ, fromSession(transaction))),
		stable(timeRow("current_timestamp", start, "current_timestamp(0) → "+now, precision, timestampTZ, rounded(transaction))),
		stable(timeRow("transaction_timestamp", start, "transaction_timestamp() → "+now, nil, timestampTZ, fromSession(transaction))),
		stable(timeRow("statement_timestamp", "Time at which the statement began.", "statement_timestamp() → "+now, nil, timestampTZ,
			fromSession(func(s *fn.Session, _ *time.Location) int64 { return s.StatementTime }))),
		stable(timeRow("current_date", "Date on which the transaction began.", "current_date → 2018-08-01", nil, date, fromSession(today))),
		stable(timeRow("today", "Date on which the transaction began.", "today() → 2018-08-01", nil, date, fromSession(today))),
		stable(timeRow("localtimestamp", start, "localtimestamp → 2018-08-01 12:00:00", nil, timestamp, fromSession(local))),
		stable(timeRow("localtimestamp", start, "localtimestamp(0) → 2018-08-01 12:00:00", precision, timestamp, rounded(local))),
		stable(timeRow("localtime", "Time of day at which the transaction began.", "localtime → 12:00:00", nil, timeOfDay, fromSession(localTime))),
		stable(timeRow("localtime", "Time of day at which the transaction began.", "localtime(0) → 12:00:00", precision, timeOfDay, rounded(localTime))),
		stable(timeRow("current_time", "Time of day at which the transaction began.", "current_time → 12:00:00", nil, timeOfDay, fromSession(localTime))),
		timeRow("clock_timestamp", "Time now, also within a statement.", "clock_timestamp() → "+now, nil, timestampTZ,
			fromSession(func(*fn.Session, *time.Location) int64 { return time.Now().UnixMicro() })),
	}
	out[len(out)-1].Volatility = fn.Volatile
	return out
}

// rounded is fromSession with a number of digits after the second's point.
func rounded(f func(s *fn.Session, zone *time.Location) int64) fn.Scalar {
	return fn.Scalar{New: func(call fn.Call) (fn.Kernel, error) {
		digits := int64(6)
		if d := call.Constants[0]; d != nil && !d.Null {
			digits = max(min(d.I64, 6), 0)
		}
		unit := int64(types.Pow10(int(6 - digits)).Lo)
		return fromSession(func(s *fn.Session, zone *time.Location) int64 {
			return floorDiv(f(s, zone)+unit/2, unit) * unit
		}).New(call)
	}}
}

// civil checks a calendar day; a negative year is BC.
func civil(year, month, day int32) (int32, error) {
	y := int(year)
	if y < 0 {
		y++
	}
	if year == 0 || month < 1 || month > 12 || day < 1 || int(day) > types.DaysInMonth(y, int(month)) {
		return 0, errorf(sqlerr.DatetimeFieldOverflow, "date field value out of range: %d-%02d-%02d", year, month, day)
	}
	d := types.DaysFromCivil(y, int(month), int(day))
	if d < -2440588 || d >= 2145042906 {
		return 0, errorf(sqlerr.DatetimeFieldOverflow, "date out of range: %d-%02d-%02d", year, month, day)
	}
	return int32(d), nil
}

func clockOf(hour, minute int32, second float64) (int64, error) {
	micros := math.RoundToEven(second * 1e6)
	if hour < 0 || minute < 0 || minute > 59 || !(second >= 0) || second > 60 || hour > 24 || hour == 24 && (minute > 0 || second > 0) {
		return 0, errorf(sqlerr.DatetimeFieldOverflow, "time field value out of range: %d:%02d:%02g", hour, minute, second)
	}
	return int64(hour)*types.MicrosPerHour + int64(minute)*types.MicrosPerMinute + int64(micros), nil
}

func makeFunctions() []fn.Overload {
	moment := params("year", integer, "month", integer, "mday", integer, "hour", integer, "min", integer, "sec", double)
	build := func(r row) (int64, error) {
		day, err := civil(r.int32(0), r.int32(1), r.int32(2))
		if err != nil {
			return 0, err
		}
		clock, err := clockOf(r.int32(3), r.int32(4), r.float(5))
		if err != nil {
			return 0, err
		}
		start, err := dateAsTimestamp(day)
		return start + clock, err
	}
	zero, zeroSeconds := types.IntDatum(0), types.FloatDatum(0)
	parts := params("years", integer, "months", integer, "weeks", integer, "days", integer, "hours", integer, "mins", integer, "secs", double)
	for i := range parts {
		parts[i].Default = &zero
	}
	parts[6].Default = &zeroSeconds
	return []fn.Overload{
		failing(timeRow("make_date", "Makes a date of year, month and day.", "make_date(2018, 8, 1) → 2018-08-01", params("year", integer, "month", integer, "day", integer), date,
			toFixed(func(r row) (int32, bool, error) {
				d, err := civil(r.int32(0), r.int32(1), r.int32(2))
				return d, true, err
			}))),
		failing(timeRow("make_time", "Makes a time of hour, minute and seconds.", "make_time(8, 15, 23.5) → 08:15:23.5", params("hour", integer, "min", integer, "sec", double), timeOfDay,
			toFixed(func(r row) (int64, bool, error) {
				t, err := clockOf(r.int32(0), r.int32(1), r.float(2))
				return t, true, err
			}))),
		failing(timeRow("make_timestamp", "Makes a timestamp of its fields.", "make_timestamp(2018, 8, 1, 8, 15, 23.5) → 2018-08-01 08:15:23.5", moment, timestamp,
			toFixed(func(r row) (int64, bool, error) {
				t, err := build(r)
				return t, true, err
			}))),
		stable(failing(timeRow("make_timestamptz", "Makes a moment of its fields in the session's time zone.", "make_timestamptz(2018, 8, 1, 8, 15, 0) → 2018-08-01 08:15:00+00", moment, timestampTZ,
			withSessionZone(func(r row, zone *time.Location) (int64, bool, error) {
				t, err := build(r)
				return types.UTCFromLocal(t, zone), true, err
			})))),
		failing(timeRow("make_timestamptz", "Makes a moment of its fields in a time zone.", "make_timestamptz(2018, 8, 1, 8, 15, 0, 'Europe/Berlin') → 2018-08-01 06:15:00+00",
			append(moment[:6:6], fn.Param{Name: "timezone", Type: text}), timestampTZ, toFixed(func(r row) (int64, bool, error) {
				t, err := build(r)
				if err != nil {
					return 0, false, err
				}
				zone, err := types.LoadZoneOfTime(r.str(6))
				return types.UTCFromLocal(t, zone), true, err
			}))),
		failing(timeRow("make_interval", "Makes an interval of its fields, each 0 unless given.", "make_interval(days => 10, hours => 2) → 10 days 02:00:00", parts, interval,
			toFixed(func(r row) (types.IntervalValue, bool, error) {
				months := int64(r.int32(0))*12 + int64(r.int32(1))
				days := int64(r.int32(2))*7 + int64(r.int32(3))
				micros := float64(int64(r.int32(4))*types.MicrosPerHour+int64(r.int32(5))*types.MicrosPerMinute) + math.RoundToEven(r.float(6)*1e6)
				if months != int64(int32(months)) || days != int64(int32(days)) || !(math.Abs(micros) < 1<<63) {
					return types.IntervalValue{}, false, intervalOutOfRange()
				}
				return types.IntervalValue{Months: int32(months), Days: int32(days), Micros: int64(micros)}, true, nil
			}))),
	}
}

// withSessionZone is toFixed for functions that work in the session's time zone.
func withSessionZone[R vec.Fixed](f func(r row, zone *time.Location) (R, bool, error)) fn.Scalar {
	return fn.Scalar{New: func(call fn.Call) (fn.Kernel, error) {
		zone, err := zoneOf(&call)
		if err != nil {
			return nil, err
		}
		return toFixed(func(r row) (R, bool, error) { return f(r, zone) }).New(call)
	}}
}

// age gives the years, months, days and time from b to a, counting whole months first.
func age(a, b int64) (types.IntervalValue, error) {
	if !types.IsFiniteTimestamp(a) || !types.IsFiniteTimestamp(b) {
		return types.IntervalValue{}, errorf(sqlerr.DatetimeFieldOverflow, "timestamp out of range")
	}
	sign := int64(1)
	if a < b {
		a, b, sign = b, a, -1
	}
	daysA, ofDayA := types.SplitTimestamp(a)
	daysB, ofDayB := types.SplitTimestamp(b)
	yearA, monthA, dayA := types.CivilFromDays(daysA)
	yearB, monthB, dayB := types.CivilFromDays(daysB)
	micros := ofDayA - ofDayB
	days := int64(dayA - dayB)
	months := int64(yearA-yearB)*12 + int64(monthA-monthB)
	if micros < 0 {
		micros += types.MicrosPerDay
		days--
	}
	for days < 0 {
		days += int64(types.DaysInMonth(yearB, monthB))
		months--
	}
	return types.IntervalValue{Months: int32(sign * months), Days: int32(sign * days), Micros: sign * micros}, nil
}

func ageFunctions() []fn.Overload {
	const doc = "The years, months, days and time from b to a."
	return []fn.Overload{
		failing(timeRow("age", doc, "age(timestamp '2018-08-01', timestamp '2017-06-15') → 1 year 1 mon 16 days", params("a", timestamp, "b", timestamp), interval, try2(age))),
		stable(failing(timeRow("age", doc, "age(timestamptz '2018-08-01 00:00+00', timestamptz '2017-06-15 00:00+00') → 1 year 1 mon 16 days", params("a", timestampTZ, "b", timestampTZ), interval,
			withSessionZone(func(r row, zone *time.Location) (types.IntervalValue, bool, error) {
				v, err := age(types.LocalFromUTC(r.int64(0), zone), types.LocalFromUTC(r.int64(1), zone))
				return v, true, err
			})))),
		stable(failing(timeRow("age", "The years, months and days up to today's midnight.", "age(timestamp '2018-07-01') → 1 mon", params("a", timestamp), interval, ageOfToday(false)))),
		stable(failing(timeRow("age", "The years, months and days up to today's midnight.", "age(timestamptz '2018-07-01 00:00+00') → 1 mon", params("a", timestampTZ), interval, ageOfToday(true)))),
		timeRow("justify_days", "Turns 30 days into a month.", "justify_days(interval '35 days') → 1 mon 5 days", params("i", interval), interval, map1(justifyDays)),
		timeRow("justify_hours", "Turns 24 hours into a day.", "justify_hours(interval '27 hours') → 1 day 03:00:00", params("i", interval), interval, map1(justifyHours)),
		timeRow("justify_interval", "Turns 24 hours into a day and 30 days into a month.", "justify_interval(interval '1 mon -1 hour') → 29 days 23:00:00", params("i", interval), interval, map1(justifyInterval)),
		timeRow("isfinite", "Tells whether a date is not infinite.", "isfinite(date '2018-08-01') → true", params("d", date), boolean,
			map1(func(d int32) uint8 { return asFlag(!isInfiniteDate(d)) })),
		timeRow("isfinite", "Tells whether a timestamp is not infinite.", "isfinite(timestamp 'infinity') → false", params("t", timestamp), boolean,
			map1(func(t int64) uint8 { return asFlag(types.IsFiniteTimestamp(t)) })),
		timeRow("isfinite", "Tells whether a moment is not infinite.", "isfinite(timestamptz '2018-08-01 00:00+00') → true", params("t", timestampTZ), boolean,
			map1(func(t int64) uint8 { return asFlag(types.IsFiniteTimestamp(t)) })),
		timeRow("isfinite", "Always true for an interval.", "isfinite(interval '4 hours') → true", params("i", interval), boolean,
			map1(func(types.IntervalValue) uint8 { return 1 })),
		failing(timeRow("date_bin", "Start of the bin of the given width, counted from origin, that a timestamp lies in.",
			"date_bin('15 minutes', timestamp '2018-08-01 15:44:17', timestamp '2018-08-01') → 2018-08-01 15:30:00", params("stride", interval, "source", timestamp, "origin", timestamp), timestamp, toFixed(dateBin))),
		failing(timeRow("date_bin", "Start of the bin of the given width, counted from origin, that a moment lies in.",
			"date_bin('15 minutes', timestamptz '2018-08-01 15:44+00', timestamptz '2018-08-01 00:00+00') → 2018-08-01 15:30:00+00", params("stride", interval, "source", timestampTZ, "origin", timestampTZ), timestampTZ, toFixed(dateBin))),
	}
}

func ageOfToday(tz bool) fn.Scalar {
	return fn.Scalar{New: func(call fn.Call) (fn.Kernel, error) {
		zone, err := zoneOf(&call)
		if err != nil {
			return nil, err
		}
		now := time.Now().UnixMicro()
		if call.Session != nil {
			now = call.Session.TransactionTime
		}
		today := truncateMoment(types.LocalFromUTC(now, zone), fieldDay)
		return tryKernel1(func(t int64) (types.IntervalValue, error) {
			if tz {
				t = types.LocalFromUTC(t, zone)
			}
			return age(today, t)
		}), nil
	}}
}

func justifyDays(v types.IntervalValue) types.IntervalValue {
	v.Months += v.Days / 30
	v.Days %= 30
	if v.Months > 0 && v.Days < 0 {
		v.Days += 30
		v.Months--
	} else if v.Months < 0 && v.Days > 0 {
		v.Days -= 30
		v.Months++
	}
	return v
}

func justifyHours(v types.IntervalValue) types.IntervalValue {
	v.Days += int32(v.Micros / types.MicrosPerDay)
	v.Micros %= types.MicrosPerDay
	if v.Days > 0 && v.Micros < 0 {
		v.Micros += types.MicrosPerDay
		v.Days--
	} else if v.Days < 0 && v.Micros > 0 {
		v.Micros -= types.MicrosPerDay
		v.Days++
	}
	return v
}

func justifyInterval(v types.IntervalValue) types.IntervalValue {
	v.Days += int32(v.Micros / types.MicrosPerDay)
	v.Micros %= types.MicrosPerDay
	v.Months += v.Days / 30
	v.Days %= 30
	if v.Months > 0 && (v.Days < 0 || v.Days == 0 && v.Micros < 0) {
		v.Days += 30
		v.Months--
	} else if v.Months < 0 && (v.Days > 0 || v.Days == 0 && v.Micros > 0) {
		v.Days -= 30
		v.Months++
	}
	if v.Days > 0 && v.Micros < 0 {
		v.Micros += types.MicrosPerDay
		v.Days--
	} else if v.Days < 0 && v.Micros > 0 {
		v.Micros -= types.MicrosPerDay
		v.Days++
	}
	return v
}

func dateBin(r row) (int64, bool, error) {
	stride, source, origin := r.span(0), r.int64(1), r.int64(2)
	switch {
	case !types.IsFiniteTimestamp(source):
		return source, true, nil
	case !types.IsFiniteTimestamp(origin):
		return 0, false, errorf(sqlerr.DatetimeFieldOverflow, "origin out of range")
	case stride.Months != 0:
		return 0, false, errorf(sqlerr.FeatureNotSupported, "timestamps cannot be binned into intervals containing months or years")
	}
	width := int64(stride.Days)*types.MicrosPerDay + stride.Micros
	if width <= 0 {
		return 0, false, errorf(sqlerr.DatetimeFieldOverflow, "stride must be greater than zero")
	}
	return origin + floorDiv(source-origin, width)*width, true, nil
}

// zoneFunctions are AT TIME ZONE and Presto's variants of it.
func zoneFunctions() []fn.Overload {
	offset := func(v types.IntervalValue) (int64, error) {
		if v.Months != 0 || v.Days != 0 {
			return 0, errorf(sqlerr.InvalidParameterValue, "interval time zone \"%s\" must not include months or days", types.AppendInterval(nil, v))
		}
		return v.Micros, nil
	}
	named := func(t types.Type, result types.Type, name, doc, example string, zoneAt, timeAt int, f func(int64, *time.Location) int64) fn.Overload {
		p := params("zone", text, "t", t)
		if zoneAt == 1 {
			p = params("t", t, "zone", text)
		}
		return failing(timeRow(name, doc, example, p, result, fn.Scalar{New: func(call fn.Call) (fn.Kernel, error) {
			cache := zoneCache{}
			return toFixed(func(r row) (int64, bool, error) {
				zone, err := cache.load(r.str(zoneAt))
				if err != nil {
					return 0, false, err
				}
				return f(r.int64(timeAt), zone), true, nil
			}).New(call)
		}}))
	}
	const toMoment, toClock = "The moment at which a zone's clock shows the timestamp; written t AT TIME ZONE zone.", "What a zone's clock shows at the moment; written t AT TIME ZONE zone."
	return []fn.Overload{
		named(timestamp, timestampTZ, "timezone", toMoment, "timestamp '2018-08-01 12:00' AT TIME ZONE 'Europe/Berlin' → 2018-08-01 10:00:00+00", 0, 1, types.UTCFromLocal),
		named(timestampTZ, timestamp, "timezone", toClock, "timestamptz '2018-08-01 12:00+00' AT TIME ZONE 'Europe/Berlin' → 2018-08-01 14:00:00", 0, 1, types.LocalFromUTC),
		named(timestamp, timestampTZ, "with_timezone", "The moment at which a zone's clock shows the timestamp.", "with_timezone(timestamp '2018-08-01 12:00', 'Europe/Berlin') → 2018-08-01 10:00:00+00", 1, 0, types.UTCFromLocal),
		named(timestampTZ, timestamp, "at_timezone", "What a zone's clock shows at the moment.", "at_timezone(timestamptz '2018-08-01 12:00+00', 'Europe/Berlin') → 2018-08-01 14:00:00", 1, 0, types.LocalFromUTC),
		failing(timeRow("timezone", toMoment, "timestamp '2018-08-01 12:00' AT TIME ZONE interval '2 hours' → 2018-08-01 10:00:00+00", params("zone", interval, "t", timestamp), timestampTZ,
			try2(func(v types.IntervalValue, t int64) (int64, error) {
				d, err := offset(v)
				return t - d, err
			}))),
		failing(timeRow("timezone", toClock, "timestamptz '2018-08-01 12:00+00' AT TIME ZONE interval '2 hours' → 2018-08-01 14:00:00", params("zone", interval, "t", timestampTZ), timestamp,
			try2(func(v types.IntervalValue, t int64) (int64, error) {
				d, err := offset(v)
				return t + d, err
			}))),
	}
}

// overlapFunctions are (a, b) OVERLAPS (c, d).
func overlapFunctions() []fn.Overload {
	var out []fn.Overload
	const doc, example = "Tells whether two periods overlap; written (a, b) OVERLAPS (c, d).", "(date '2018-01-01', date '2018-03-01') OVERLAPS (date '2018-02-01', date '2018-04-01') → true"
	for _, t := range []types.Type{timestamp, timestampTZ, timeOfDay} {
		for second := range 4 {
			p := params("a", t, "b", t, "c", t, "d", t)
			if second&1 != 0 {
				p[1].Type = interval
			}
			if second&2 != 0 {
				p[3].Type = interval
			}
			o := failing(timeRow("overlaps", doc, example, p, boolean, withSessionZone(func(r row, zone *time.Location) (uint8, bool, error) {
				if t.Kind != types.TimestampTZ {
					zone = time.UTC
				}
				end := func(start, at int) (*int64, error) {
					if r.null(at) || r.null(start) && r.args[at].Type.Kind == types.Interval {
						return nil, nil
					}
					v, err := overlapEnd(r, start, at, t, zone)
					return &v, err
				}
				begin := func(at int) *int64 {
					if r.null(at) {
						return nil
					}
					v := r.int64(at)
					return &v
				}
				b, err1 := end(0, 1)
				d, err2 := end(2, 3)
				if err1 != nil || err2 != nil {
					return 0, false, timestampOutOfRange()
				}
				yes, known := overlap(begin(0), b, begin(2), d)
				return asFlag(yes), known, nil
			})))
			o.Nulls = fn.Called
			out = append(out, o)
		}
	}
	return out
}

// overlapEnd gives where a period that begins at argument start ends: argument at is that or the length.
func overlapEnd(r row, start, at int, t types.Type, zone *time.Location) (int64, error) {
	switch {
	case r.args[at].Type.Kind != types.Interval:
		return r.int64(at), nil
	case t.Kind == types.Time:
		return wrapTime(r.int64(start) + r.span(at).Micros), nil
	}
	return addIntervalTZ(r.int64(start), r.span(at), zone)
}

// period is a start and, where it is known, a later end.
func period(a, b *int64) (start int64, end *int64, known bool) {
	switch {
	case a == nil && b == nil:
		return 0, nil, false
	case a == nil:
		return *b, nil, true
	case b != nil && *a > *b:
		return *b, a, true
	}
	return *a, b, true
}

// overlap treats periods as half open; a period of no length is its instant. An end that is NULL leaves
// the answer open unless the known ones decide it.
func overlap(a, b, c, d *int64) (yes, known bool) {
	first, firstEnd, ok1 := period(a, b)
	second, secondEnd, ok2 := period(c, d)
	if !ok1 || !ok2 {
		return false, false
	}
	if first > second {
		first, firstEnd, second, secondEnd = second, secondEnd, first, firstEnd
	}
	switch {
	case first == second:
		return true, firstEnd != nil && secondEnd != nil
	case firstEnd == nil:
		return false, false
	case second < *firstEnd:
		return true, true
	}
	return false, secondEnd != nil
}
