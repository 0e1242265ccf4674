package types

import (
	"time"

	"github.com/tarnlake/tarn/internal/sqlerr"
)

// ParseDate reads a date in any of PostgreSQL's input forms, month before day where it is ambiguous.
func ParseDate(b []byte) (int32, error) {
	if year, month, day, ok := isoDate(b); ok && len(b) == 10 {
		return int32(DaysFromCivil(year, month, day)), nil
	}
	m, err := decodeMoment(b, "date", time.UTC)
	if err != nil {
		return 0, err
	}
	switch m.special {
	case specialInfinity:
		return DateInfinity, nil
	case specialMinusInfinity:
		return DateMinusInfinity, nil
	}
	if m.have&haveDate == 0 {
		return 0, badDatetime("date", b)
	}
	days := m.days
	if days < minDate || days >= endDate {
		return 0, sqlerr.New(sqlerr.DatetimeFieldOverflow, "date out of range: \"%s\"", b)
	}
	return int32(days), nil
}

// ParseTimestamp reads a timestamp; a time zone in the text is ignored, a missing time is midnight.
func ParseTimestamp(b []byte) (int64, error) {
	if v, ok := isoTimestamp(b); ok {
		return v, nil
	}
	m, err := decodeMoment(b, "timestamp", time.UTC)
	if err != nil {
		return 0, err
	}
	return m.timestamp("timestamp", b)
}

// ParseTimestampTZ reads a moment; without a time zone in the text it is zone's wall clock.
func ParseTimestampTZ(b []byte, zone *time.Location) (int64, error) {
	if v, ok := isoTimestamp(b); ok {
		return UTCFromLocal(v, zone), nil
	}
	m, err := decodeMoment(b, "timestamp with time zone", zone)
	if err != nil {
		return 0, err
	}
	v, err := m.timestamp("timestamp with time zone", b)
	if err != nil || !IsFiniteTimestamp(v) {
		return v, err
	}
	switch {
	case m.zone != nil:
		v = UTCFromLocal(v, m.zone)
	case m.have&haveZone != 0:
		v -= int64(m.offset) * MicrosPerSecond
	default:
		v = UTCFromLocal(v, zone)
	}
	if !ValidTimestamp(v) {
		return 0, timestampRange(b)
	}
	return v, nil
}

// ParseTime reads a time of day; 24:00:00 is allowed, a date or zone in the text is ignored.
func ParseTime(b []byte) (int64, error) {
	m, err := decodeMoment(b, "time", time.UTC)
	switch {
	case err != nil:
		return 0, err
	case m.have&haveTime == 0 && m.special != specialNow:
		return 0, badDatetime("time", b)
	case m.ofDay > MicrosPerDay:
		return 0, fieldRange(b)
	}
	return m.ofDay, nil
}

func (m *moment) timestamp(typeName string, b []byte) (int64, error) {
	switch m.special {
	case specialInfinity:
		return TimestampInfinity, nil
	case specialMinusInfinity:
		return TimestampMinusInfinity, nil
	}
	if m.have&haveDate == 0 {
		return 0, badDatetime(typeName, b)
	}
	const lastDay = TimestampInfinity/MicrosPerDay - 1
	if m.days < minDate || m.days > lastDay {
		return 0, timestampRange(b)
	}
	return m.days*MicrosPerDay + m.ofDay, nil
}

func badDatetime(typeName string, b []byte) error {
	return sqlerr.New(sqlerr.InvalidDatetimeFormat, "invalid input syntax for type %s: \"%s\"", typeName, b)
}

func fieldRange(b []byte) error {
	return sqlerr.New(sqlerr.DatetimeFieldOverflow, "date/time field value out of range: \"%s\"", b)
}

func timestampRange(b []byte) error {
	return sqlerr.New(sqlerr.DatetimeFieldOverflow, "timestamp out of range: \"%s\"", b)
}

// isoDate reads YYYY-MM-DD at the start of b.
func isoDate(b []byte) (year, month, day int, ok bool) {
	if len(b) < 10 || b[4] != '-' || b[7] != '-' {
		return 0, 0, 0, false
	}
	year, ok1 := fourDigits(b)
	month, ok2 := twoDigits(b[5:])
	day, ok3 := twoDigits(b[8:])
	ok = ok1 && ok2 && ok3 && year > 0 && month >= 1 && month <= 12 && day >= 1 && (day <= 28 || day <= DaysInMonth(year, month))
	return year, month, day, ok
}

func twoDigits(b []byte) (int, bool) {
	x, y := b[0]-'0', b[1]-'0'
	return int(x)*10 + int(y), x <= 9 && y <= 9
}

func fourDigits(b []byte) (int, bool) {
	x, ok1 := twoDigits(b)
	y, ok2 := twoDigits(b[2:])
	return x*100 + y, ok1 && ok2
}

// isoTimestamp reads YYYY-MM-DD[( |T)HH:MM[:SS[.ffffff]]].
func isoTimestamp(b []byte) (int64, bool) {
	year, month, day, ok := isoDate(b)
	if !ok {
		return 0, false
	}
	v := DaysFromCivil(year, month, day) * MicrosPerDay
	if len(b) == 10 {
		return v, true
	}
	if len(b) < 16 || b[10] != ' ' && b[10] != 'T' || b[13] != ':' {
		return 0, false
	}
	hour, ok1 := twoDigits(b[11:])
	minute, ok2 := twoDigits(b[14:])
	second, micros := 0, 0
	if len(b) > 16 {
		if len(b) < 19 || b[16] != ':' {
			return 0, false
		}
		second, ok = twoDigits(b[17:])
		if !ok || second > 59 {
			return 0, false
		}
		if len(b) > 19 {
			if b[19] != '.' || len(b) > 26 || len(b) == 20 {
				return 0, false
			}
			scale := 100_000
			for _, c := range b[20:] {
				if c-'0' > 9 {
					return 0, false
				}
				micros += int(c-'0') * scale
				scale /= 10
			}
		}
	}
	ofDay := int64(hour*3600+minute*60+second)*MicrosPerSecond + int64(micros)
	return v + ofDay, ok1 && ok2 && hour <= 23 && minute <= 59
}
