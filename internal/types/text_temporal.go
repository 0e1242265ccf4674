package types

import (
	"strconv"
	"time"
)

// AppendDate appends a date as YYYY-MM-DD.
func AppendDate(dst []byte, days int32) []byte {
	switch days {
	case DateInfinity:
		return append(dst, "infinity"...)
	case DateMinusInfinity:
		return append(dst, "-infinity"...)
	}
	dst, era := appendCivil(dst, int64(days))
	return append(dst, era...)
}

// appendCivil appends year, month and day; era is " BC" where it belongs.
func appendCivil(dst []byte, days int64) (out []byte, era string) {
	year, month, day := CivilFromDays(days)
	if year <= 0 {
		year, era = 1-year, " BC"
	}
	if year > 9999 {
		dst = strconv.AppendInt(dst, int64(year), 10)
	} else {
		dst = append(appendTwo(dst, year/100), byte('0'+year/10%10), byte('0'+year%10))
	}
	dst = appendTwo(append(dst, '-'), month)
	return appendTwo(append(dst, '-'), day), era
}

func appendTwo(dst []byte, v int) []byte { return append(dst, byte('0'+v/10), byte('0'+v%10)) }

// AppendTime appends a time of day as HH:MM:SS with up to six digits of fraction.
func AppendTime(dst []byte, micros int64) []byte {
	seconds := int(micros / MicrosPerSecond)
	dst = appendTwo(dst, seconds/3600)
	dst = appendTwo(append(dst, ':'), seconds/60%60)
	dst = appendTwo(append(dst, ':'), seconds%60)
	return appendFraction(dst, int(micros%MicrosPerSecond))
}

func appendFraction(dst []byte, micros int) []byte {
	if micros == 0 {
		return dst
	}
	dst = append(dst, '.')
	for scale := 100_000; micros > 0; scale /= 10 {
		dst = append(dst, byte('0'+micros/scale))
		micros %= scale
	}
	return dst
}

// AppendTimestamp appends a timestamp as YYYY-MM-DD HH:MM:SS[.ffffff].
func AppendTimestamp(dst []byte, micros int64) []byte {
	dst, era := appendMoment(dst, micros)
	return append(dst, era...)
}

func appendMoment(dst []byte, micros int64) (out []byte, era string) {
	switch micros {
	case TimestampInfinity:
		return append(dst, "infinity"...), ""
	case TimestampMinusInfinity:
		return append(dst, "-infinity"...), ""
	}
	days, ofDay := SplitTimestamp(micros)
	dst, era = appendCivil(dst, days)
	return AppendTime(append(dst, ' '), ofDay), era
}

// AppendTimestampTZ appends a moment in zone's wall clock followed by its distance from UTC.
func AppendTimestampTZ(dst []byte, micros int64, zone *time.Location) []byte {
	if !IsFiniteTimestamp(micros) {
		return AppendTimestamp(dst, micros)
	}
	offset := ZoneOffset(micros, zone)
	dst, era := appendMoment(dst, micros+int64(offset)*MicrosPerSecond)
	return append(AppendZoneOffset(dst, offset), era...)
}

// AppendZoneOffset appends seconds east of UTC as ±HH[:MM[:SS]].
func AppendZoneOffset(dst []byte, offset int) []byte {
	if offset < 0 {
		dst, offset = append(dst, '-'), -offset
	} else {
		dst = append(dst, '+')
	}
	dst = appendTwo(dst, offset/3600)
	if offset%3600 != 0 {
		dst = appendTwo(append(dst, ':'), offset/60%60)
		if offset%60 != 0 {
			dst = appendTwo(append(dst, ':'), offset%60)
		}
	}
	return dst
}

// AppendInterval appends an interval in the style "1 year 2 mons 3 days 04:05:06".
func AppendInterval(dst []byte, v IntervalValue) []byte {
	start, before := len(dst), false
	part := func(n int, unit string) {
		if n == 0 {
			return
		}
		if len(dst) > start {
			dst = append(dst, ' ')
		}
		if before && n > 0 {
			dst = append(dst, '+')
		}
		dst = append(append(strconv.AppendInt(dst, int64(n), 10), ' '), unit...)
		if n != 1 {
			dst = append(dst, 's')
		}
		before = n < 0
	}
	part(int(v.Months)/12, "year")
	part(int(v.Months)%12, "mon")
	part(int(v.Days), "day")
	if v.Micros == 0 && len(dst) > start {
		return dst
	}
	if len(dst) > start {
		dst = append(dst, ' ')
	}
	m := uint64(v.Micros)
	switch {
	case v.Micros < 0:
		dst, m = append(dst, '-'), -m
	case before:
		dst = append(dst, '+')
	}
	hours := m / MicrosPerHour
	if hours < 10 {
		dst = append(dst, '0')
	}
	dst = strconv.AppendUint(dst, hours, 10)
	dst = appendTwo(append(dst, ':'), int(m/MicrosPerMinute%60))
	dst = appendTwo(append(dst, ':'), int(m/MicrosPerSecond%60))
	return appendFraction(dst, int(m%MicrosPerSecond))
}
