package types

import (
	"math"
	"time"
)

// Units of time in microseconds.
const (
	MicrosPerSecond = 1_000_000
	MicrosPerMinute = 60 * MicrosPerSecond
	MicrosPerHour   = 60 * MicrosPerMinute
	MicrosPerDay    = 24 * MicrosPerHour
)

// The values that stand for infinity and -infinity.
const (
	DateInfinity                 = math.MaxInt32
	DateMinusInfinity            = math.MinInt32
	TimestampInfinity            = math.MaxInt64
	TimestampMinusInfinity       = math.MinInt64
	minDate                      = -2440588   // 4714-11-24 BC
	endDate                      = 2145042906 // 5874898-01-01
	minTimestamp           int64 = minDate * MicrosPerDay
)

// DaysFromCivil gives the days since 1970-01-01 of a day in the proleptic Gregorian calendar; year 0
// is 1 BC. Month and day may lie outside their usual range.
func DaysFromCivil(year, month, day int) int64 {
	month--
	year += floorDiv(month, 12)
	month -= 12 * floorDiv(month, 12)
	if month < 2 {
		year--
	}
	era := floorDiv(year, 400)
	yearOfEra := year - era*400
	shifted := (month + 10) % 12
	dayOfYear := (153*shifted+2)/5 + day - 1
	return int64(era)*146097 + int64(yearOfEra*365+yearOfEra/4-yearOfEra/100+dayOfYear) - 719468
}

// CivilFromDays is the inverse of DaysFromCivil.
func CivilFromDays(days int64) (year, month, day int) {
	z := days + 719468
	era := z / 146097
	if z%146097 < 0 {
		era--
	}
	dayOfEra := int(z - era*146097)
	yearOfEra := (dayOfEra - dayOfEra/1460 + dayOfEra/36524 - dayOfEra/146096) / 365
	dayOfYear := dayOfEra - (365*yearOfEra + yearOfEra/4 - yearOfEra/100)
	shifted := (5*dayOfYear + 2) / 153
	day = dayOfYear - (153*shifted+2)/5 + 1
	month = shifted + 3
	year = yearOfEra + int(era)*400
	if month > 12 {
		month -= 12
		year++
	}
	return year, month, day
}

func floorDiv(a, b int) int {
	q := a / b
	if a%b < 0 {
		q--
	}
	return q
}

// DaysInMonth gives the number of days of a month (1 … 12).
func DaysInMonth(year, month int) int {
	switch month {
	case 2:
		if year%4 == 0 && (year%100 != 0 || year%400 == 0) {
			return 29
		}
		return 28
	case 4, 6, 9, 11:
		return 30
	}
	return 31
}

// SplitTimestamp gives the day and the microseconds since its midnight.
func SplitTimestamp(micros int64) (days, ofDay int64) {
	days = micros / MicrosPerDay
	ofDay = micros % MicrosPerDay
	if ofDay < 0 {
		days--
		ofDay += MicrosPerDay
	}
	return days, ofDay
}

// IsFiniteTimestamp is false for infinity and -infinity.
func IsFiniteTimestamp(micros int64) bool {
	return micros != TimestampInfinity && micros != TimestampMinusInfinity
}

// ValidTimestamp tells whether micros lies in the range of timestamps.
func ValidTimestamp(micros int64) bool { return micros >= minTimestamp }

// RoundFraction gives a time of day or a timestamp with the digits after the point that t declares.
// Halves of timestamps go away from the year 2000, PostgreSQL's origin.
func RoundFraction(t Type, micros int64) int64 {
	digits, declared := t.FractionDigits()
	if !declared || digits == MaxFractionDigits {
		return micros
	}
	origin := int64(0)
	if t.Kind != Time {
		if !IsFiniteTimestamp(micros) {
			return micros
		}
		origin = microsTo2000
	}
	unit := int64(1)
	for range MaxFractionDigits - digits {
		unit *= 10
	}
	from := micros - origin
	if from < 0 {
		return origin - (-from+unit/2)/unit*unit
	}
	return origin + (from+unit/2)/unit*unit
}

// microsTo2000 is the timestamp 2000-01-01.
const microsTo2000 = 10957 * MicrosPerDay

// TimestampFromDays gives midnight of a day, infinity included, and whether it is in range.
func TimestampFromDays(days int32) (int64, bool) {
	switch {
	case days == DateInfinity:
		return TimestampInfinity, true
	case days == DateMinusInfinity:
		return TimestampMinusInfinity, true
	case int64(days) > math.MaxInt64/MicrosPerDay-1:
		return 0, false
	}
	return int64(days) * MicrosPerDay, true
}

// DateFromTimestamp gives the day of a timestamp, infinity included.
func DateFromTimestamp(micros int64) int32 {
	switch micros {
	case TimestampInfinity:
		return DateInfinity
	case TimestampMinusInfinity:
		return DateMinusInfinity
	}
	days, _ := SplitTimestamp(micros)
	return int32(days)
}

// ZoneOffset gives the seconds east of UTC that zone has at a moment (microseconds since 1970 UTC).
func ZoneOffset(micros int64, zone *time.Location) int {
	if zone == nil || zone == time.UTC {
		return 0
	}
	_, offset := time.UnixMicro(micros).In(zone).Zone()
	return offset
}

// LocalFromUTC gives the wall clock of zone at a moment; infinity stays.
func LocalFromUTC(micros int64, zone *time.Location) int64 {
	if !IsFiniteTimestamp(micros) {
		return micros
	}
	return micros + int64(ZoneOffset(micros, zone))*MicrosPerSecond
}

// UTCFromLocal gives the moment at which zone's wall clock shows micros. In a gap the clock before
// it counts, in an overlap the later of the two moments, as in PostgreSQL.
func UTCFromLocal(micros int64, zone *time.Location) int64 {
	if zone == nil || zone == time.UTC || !IsFiniteTimestamp(micros) {
		return micros
	}
	before := int64(ZoneOffset(micros-MicrosPerDay, zone)) * MicrosPerSecond
	after := int64(ZoneOffset(micros+MicrosPerDay, zone)) * MicrosPerSecond
	if before == after {
		return micros - before
	}
	_, change := time.UnixMicro(micros - MicrosPerDay).In(zone).ZoneBounds()
	if !change.IsZero() && micros-after >= change.UnixMicro() {
		return micros - after
	}
	return micros - before
}
