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

func dateOutOfRange() error { return errorf(sqlerr.DatetimeFieldOverflow, "date out of range") }
func timestampOutOfRange() error {
	return errorf(sqlerr.DatetimeFieldOverflow, "timestamp out of range")
}
func intervalOutOfRange() error { return errorf(sqlerr.DatetimeFieldOverflow, "interval out of range") }

func isInfiniteDate(d int32) bool { return d == types.DateInfinity || d == types.DateMinusInfinity }

// addDays moves a date.
func addDays(d int32, n int64) (int32, error) {
	if isInfiniteDate(d) {
		return d, nil
	}
	v := int64(d) + n
	if v < -2440588 || v >= 2145042906 {
		return 0, dateOutOfRange()
	}
	return int32(v), nil
}

// addInterval moves a wall clock: months first, clamped to the month's end, then days, then time.
func addInterval(micros int64, v types.IntervalValue) (int64, error) {
	if !types.IsFiniteTimestamp(micros) {
		return micros, nil
	}
	days, ofDay := types.SplitTimestamp(micros)
	if v.Months != 0 {
		year, month, day := types.CivilFromDays(days)
		total := int64(year)*12 + int64(month) - 1 + int64(v.Months)
		year, month = int(floorDiv(total, 12)), int(floorMod(total, 12))+1
		days = types.DaysFromCivil(year, month, min(day, types.DaysInMonth(year, month)))
	}
	days += int64(v.Days)
	if days > math.MaxInt64/types.MicrosPerDay-1 || days < -106_751_990 {
		return 0, timestampOutOfRange()
	}
	sum := days*types.MicrosPerDay + ofDay
	out := sum + v.Micros
	if addOverflows(sum, v.Micros) || !types.ValidTimestamp(out) || !types.IsFiniteTimestamp(out) {
		return 0, timestampOutOfRange()
	}
	return out, nil
}

// addIntervalTZ moves months and days on the zone's wall clock and the rest in real time.
func addIntervalTZ(micros int64, v types.IntervalValue, zone *time.Location) (int64, error) {
	if !types.IsFiniteTimestamp(micros) {
		return micros, nil
	}
	if v.Months != 0 || v.Days != 0 {
		local, err := addInterval(types.LocalFromUTC(micros, zone), types.IntervalValue{Months: v.Months, Days: v.Days})
		if err != nil {
			return 0, err
		}
		micros = types.UTCFromLocal(local, zone)
	}
	return addInterval(micros, types.IntervalValue{Micros: v.Micros})
}

// negateInterval is checked: the minimum has no counterpart.
func negateInterval(v types.IntervalValue) (types.IntervalValue, error) {
	if v.Months == math.MinInt32 || v.Days == math.MinInt32 || v.Micros == math.MinInt64 {
		return v, intervalOutOfRange()
	}
	return types.IntervalValue{Months: -v.Months, Days: -v.Days, Micros: -v.Micros}, nil
}

func addIntervals(a, b types.IntervalValue) (types.IntervalValue, error) {
	if addOverflows(a.Months, b.Months) || addOverflows(a.Days, b.Days) || addOverflows(a.Micros, b.Micros) {
		return a, intervalOutOfRange()
	}
	return types.IntervalValue{Months: a.Months + b.Months, Days: a.Days + b.Days, Micros: a.Micros + b.Micros}, nil
}

// scaleInterval multiplies; fractions of months go to days of 30 and those of days to time.
func scaleInterval(v types.IntervalValue, factor float64) (types.IntervalValue, error) {
	months, days := float64(v.Months)*factor, float64(v.Days)*factor
	if math.IsNaN(months) || math.Abs(months) > math.MaxInt32 || math.IsNaN(days) || math.Abs(days) > math.MaxInt32 {
		return v, intervalOutOfRange()
	}
	out := types.IntervalValue{Months: int32(months), Days: int32(days)}
	monthDays := roundMicros((months - float64(out.Months)) * 30)
	seconds := roundMicros((days - float64(out.Days) + monthDays - math.Trunc(monthDays)) * 86400)
	if math.Abs(seconds) >= 86400 {
		out.Days += int32(seconds / 86400)
		seconds -= math.Trunc(seconds/86400) * 86400
	}
	out.Days += int32(monthDays)
	micros := math.RoundToEven(float64(v.Micros)*factor + seconds*1e6)
	if math.IsNaN(micros) || math.Abs(micros) >= 1<<63 {
		return v, intervalOutOfRange()
	}
	out.Micros = int64(micros)
	return out, nil
}

// roundMicros rounds to six digits after the point, as PostgreSQL's TSROUND.
func roundMicros(x float64) float64 { return math.RoundToEven(x*1e6) / 1e6 }

// subtractTimestamps gives days and time; a span of 24 hours is a day.
func subtractTimestamps(a, b int64) (types.IntervalValue, error) {
	if !types.IsFiniteTimestamp(a) || !types.IsFiniteTimestamp(b) {
		return types.IntervalValue{}, errorf(sqlerr.DatetimeFieldOverflow, "cannot subtract infinite timestamps")
	}
	if subtractOverflows(a, b) {
		return types.IntervalValue{}, intervalOutOfRange()
	}
	d := a - b
	return types.IntervalValue{Days: int32(d / types.MicrosPerDay), Micros: d % types.MicrosPerDay}, nil
}

func subtractDates(a, b int32) (int32, error) {
	if isInfiniteDate(a) || isInfiniteDate(b) {
		return 0, errorf(sqlerr.DatetimeFieldOverflow, "cannot subtract infinite dates")
	}
	return a - b, nil
}

func dateAsTimestamp(d int32) (int64, error) {
	v, ok := types.TimestampFromDays(d)
	if !ok {
		return 0, errorf(sqlerr.DatetimeFieldOverflow, "date out of range for timestamp")
	}
	return v, nil
}

func wrapTime(micros int64) int64 { return floorMod(micros, types.MicrosPerDay) }

// zoned makes a function of a timestamptz that works in the session's time zone.
func zoned[B vec.Fixed](f func(a int64, b B, zone *time.Location) (int64, error)) fn.Scalar {
	return fn.Scalar{New: func(call fn.Call) (fn.Kernel, error) {
		zone, err := zoneOf(&call)
		if err != nil {
			return nil, err
		}
		return tryKernel2(func(a int64, b B) (int64, error) { return f(a, b, zone) }), nil
	}}
}

// dateShift adds days to dates in one pass and looks again only when some lane left the range.
func dateShift(sign int64) fn.Scalar {
	slow := tryKernel2(func(d int32, n int32) (int32, error) { return addDays(d, sign*int64(n)) })
	return fixed(func(args []*vec.Vector, n int, rows []int32, out *vec.Vector) error {
		if args[1].Enc != vec.Const || args[0].Enc == vec.Const || !kernel.Dense(rows, n) {
			return slow(args, n, rows, out)
		}
		days, o := vec.Values[int32](args[0])[:n], vec.Values[int32](out)[:n]
		shift := sign * int64(vec.Values[int32](args[1])[0])
		outside := false
		for i, d := range days {
			v := int64(d) + shift
			outside = outside || v < -2440588 || v >= 2145042906 || d == types.DateInfinity || d == types.DateMinusInfinity
			o[i] = int32(v)
		}
		if outside {
			return slow(args, n, rows, out)
		}
		return nil
	})
}

func temporalArithmetic() []fn.Overload {
	op := func(symbol string, a, b, result types.Type, doc, example string, impl fn.Scalar) fn.Overload {
		v := fn.Immutable
		if a.Kind == types.TimestampTZ && b.Kind == types.Interval || b.Kind == types.TimestampTZ && a.Kind == types.Interval {
			v = fn.Stable
		}
		return fn.Overload{Name: symbol, Params: params("a", a, "b", b), ResultType: result, Category: categoryTime, Doc: doc,
			Example: example, Volatility: v, MayFail: true, Impl: impl}
	}
	minus := func(micros int64, v types.IntervalValue) (int64, error) {
		n, err := negateInterval(v)
		if err != nil {
			return 0, err
		}
		return addInterval(micros, n)
	}
	dateWith := func(d int32, v types.IntervalValue, add func(int64, types.IntervalValue) (int64, error)) (int64, error) {
		t, err := dateAsTimestamp(d)
		if err != nil {
			return 0, err
		}
		return add(t, v)
	}
	return append([]fn.Overload{
		op("+", date, integer, date, "Adds days to a date.", "date '2018-08-01' + 7 → 2018-08-08", dateShift(1)),
		op("+", integer, date, date, "Adds days to a date.", "7 + date '2018-08-01' → 2018-08-08",
			try2(func(n, d int32) (int32, error) { return addDays(d, int64(n)) })),
		op("-", date, integer, date, "Subtracts days from a date.", "date '2018-08-08' - 7 → 2018-08-01", dateShift(-1)),
		op("-", date, date, integer, "Number of days between two dates.", "date '2018-08-08' - date '2018-08-01' → 7", try2(subtractDates)),
		op("+", date, interval, timestamp, "Adds an interval to a date.", "date '2018-08-31' + interval '1 month' → 2018-09-30 00:00:00",
			try2(func(d int32, v types.IntervalValue) (int64, error) { return dateWith(d, v, addInterval) })),
		op("+", interval, date, timestamp, "Adds an interval to a date.", "interval '1 day' + date '2018-08-31' → 2018-09-01 00:00:00",
			try2(func(v types.IntervalValue, d int32) (int64, error) { return dateWith(d, v, addInterval) })),
		op("-", date, interval, timestamp, "Subtracts an interval from a date.", "date '2018-03-31' - interval '1 month' → 2018-02-28 00:00:00",
			try2(func(d int32, v types.IntervalValue) (int64, error) { return dateWith(d, v, minus) })),
		op("+", date, timeOfDay, timestamp, "A day and a time of day make a timestamp.", "date '2018-08-01' + time '10:00' → 2018-08-01 10:00:00",
			try2(func(d int32, t int64) (int64, error) {
				v, err := dateAsTimestamp(d)
				if err == nil && types.IsFiniteTimestamp(v) {
					v += t
				}
				return v, err
			})),
		op("+", timestamp, interval, timestamp, "Adds an interval to a timestamp.", "timestamp '2018-08-01 10:00' + interval '36 hours' → 2018-08-02 22:00:00", try2(addInterval)),
		op("+", interval, timestamp, timestamp, "Adds an interval to a timestamp.", "interval '1 hour' + timestamp '2018-08-01 10:00' → 2018-08-01 11:00:00",
			try2(func(v types.IntervalValue, t int64) (int64, error) { return addInterval(t, v) })),
		op("-", timestamp, interval, timestamp, "Subtracts an interval from a timestamp.", "timestamp '2018-08-01 10:00' - interval '1 day' → 2018-07-31 10:00:00", try2(minus)),
		op("-", timestamp, timestamp, interval, "Days and time between two timestamps.", "timestamp '2018-08-03' - timestamp '2018-08-01 06:00' → 1 day 18:00:00", try2(subtractTimestamps)),
	}, temporalArithmeticRest(op, minus)...)
}

func temporalArithmeticRest(op func(symbol string, a, b, result types.Type, doc, example string, impl fn.Scalar) fn.Overload,
	minus func(int64, types.IntervalValue) (int64, error)) []fn.Overload {
	timeAdd := func(t int64, v types.IntervalValue) int64 { return wrapTime(t + v.Micros%types.MicrosPerDay) }
	return []fn.Overload{
		op("+", timestampTZ, interval, timestampTZ, "Adds an interval to a moment; days and months follow the session's wall clock.",
			"timestamptz '2018-08-01 10:00+00' + interval '1 hour' → 2018-08-01 11:00:00+00", zoned(addIntervalTZ)),
		op("+", interval, timestampTZ, timestampTZ, "Adds an interval to a moment.", "interval '1 hour' + timestamptz '2018-08-01 10:00+00' → 2018-08-01 11:00:00+00",
			fn.Scalar{New: func(call fn.Call) (fn.Kernel, error) {
				zone, err := zoneOf(&call)
				return tryKernel2(func(v types.IntervalValue, t int64) (int64, error) { return addIntervalTZ(t, v, zone) }), err
			}}),
		op("-", timestampTZ, interval, timestampTZ, "Subtracts an interval from a moment.", "timestamptz '2018-08-01 10:00+00' - interval '1 hour' → 2018-08-01 09:00:00+00",
			zoned(func(t int64, v types.IntervalValue, zone *time.Location) (int64, error) {
				n, err := negateInterval(v)
				if err != nil {
					return 0, err
				}
				return addIntervalTZ(t, n, zone)
			})),
		op("-", timestampTZ, timestampTZ, interval, "Days and time between two moments.", "timestamptz '2018-08-03 00:00+00' - timestamptz '2018-08-01 06:00+00' → 1 day 18:00:00", try2(subtractTimestamps)),
		op("+", timeOfDay, interval, timeOfDay, "Moves a time of day, around midnight if need be.", "time '23:00' + interval '2 hours' → 01:00:00",
			map2(timeAdd)),
		op("+", interval, timeOfDay, timeOfDay, "Moves a time of day.", "interval '2 hours' + time '23:00' → 01:00:00",
			map2(func(v types.IntervalValue, t int64) int64 { return timeAdd(t, v) })),
		op("-", timeOfDay, interval, timeOfDay, "Moves a time of day back.", "time '01:00' - interval '2 hours' → 23:00:00",
			map2(func(t int64, v types.IntervalValue) int64 { return wrapTime(t - v.Micros%types.MicrosPerDay) })),
		op("-", timeOfDay, timeOfDay, interval, "Time between two times of day.", "time '05:00' - time '03:00' → 02:00:00",
			map2(func(a, b int64) types.IntervalValue { return types.IntervalValue{Micros: a - b} })),
		op("+", interval, interval, interval, "Adds intervals field by field.", "interval '1 day' + interval '1 hour' → 1 day 01:00:00", try2(addIntervals)),
		op("-", interval, interval, interval, "Subtracts intervals field by field.", "interval '1 day' - interval '1 hour' → 1 day -01:00:00",
			try2(func(a, b types.IntervalValue) (types.IntervalValue, error) {
				n, err := negateInterval(b)
				if err != nil {
					return a, err
				}
				return addIntervals(a, n)
			})),
		op("*", interval, double, interval, "Multiplies an interval.", "interval '1 hour' * 2.5 → 02:30:00", try2(scaleInterval)),
		op("*", double, interval, interval, "Multiplies an interval.", "21 * interval '1 day' → 21 days",
			try2(func(f float64, v types.IntervalValue) (types.IntervalValue, error) { return scaleInterval(v, f) })),
		op("/", interval, double, interval, "Divides an interval.", "interval '1 hour' / 1.5 → 00:40:00",
			try2(func(v types.IntervalValue, f float64) (types.IntervalValue, error) {
				if f == 0 {
					return v, divisionByZero()
				}
				return divideInterval(v, f)
			})),
		{Name: "-", Params: params("a", interval), ResultType: interval, Category: categoryTime, Doc: "Negates an interval.",
			Example: "- interval '1 day' → -1 days", MayFail: true, Impl: try1(negateInterval)},
	}
}

// divideInterval is scaleInterval with the quotients computed directly.
func divideInterval(v types.IntervalValue, divisor float64) (types.IntervalValue, error) {
	months, days := float64(v.Months)/divisor, float64(v.Days)/divisor
	if math.Abs(months) > math.MaxInt32 || math.Abs(days) > math.MaxInt32 || math.IsNaN(months) || math.IsNaN(days) {
		return v, intervalOutOfRange()
	}
	out := types.IntervalValue{Months: int32(months), Days: int32(days)}
	monthDays := roundMicros((months - float64(out.Months)) * 30)
	seconds := roundMicros((days - float64(out.Days) + monthDays - math.Trunc(monthDays)) * 86400)
	if math.Abs(seconds) >= 86400 {
		out.Days += int32(seconds / 86400)
		seconds -= math.Trunc(seconds/86400) * 86400
	}
	out.Days += int32(monthDays)
	micros := math.RoundToEven(float64(v.Micros)/divisor + seconds*1e6)
	if math.Abs(micros) >= 1<<63 {
		return v, intervalOutOfRange()
	}
	out.Micros = int64(micros)
	return out, nil
}
