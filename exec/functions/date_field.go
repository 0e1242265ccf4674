package functions

import (
	"math"
	"strings"
	"time"

	"github.com/tarnlake/tarn/internal/fn"
	"github.com/tarnlake/tarn/internal/types"
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
