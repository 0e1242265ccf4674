package types

import (
	"strconv"
	"strings"
)

// decodeDate reads a field like 2020-01-02, 1/8/1999 or 08-jan-1999.
func (m *moment) decodeDate(text string) problem {
	parts := strings.FieldsFunc(text, func(r rune) bool { return !isDigit(byte(r)) && !isLetter(byte(r)) })
	if len(parts) > 3 || m.have&haveDate == haveDate {
		return malformed
	}
	for i, part := range parts {
		if isLetter(part[0]) {
			n := monthNumber(part)
			if n == 0 || m.have&haveMonth != 0 {
				return malformed
			}
			m.month, m.textMonth = n, true
			m.have |= haveMonth
			parts[i] = ""
		}
	}
	for _, part := range parts {
		if part == "" {
			continue
		}
		if m.have&haveDate == haveDate {
			return malformed
		}
		if p := m.decodeDatePart(part); p != fine {
			return p
		}
	}
	return fineIf(m.have&haveDate == haveDate)
}

// decodeDatePart decides by position and length what a number in a date is, for the order MDY.
func (m *moment) decodeDatePart(text string) problem {
	value, err := strconv.Atoi(text)
	if err != nil {
		return malformed
	}
	width := len(text)
	if width == 3 && m.have&(haveDate) == haveYear && value >= 1 && value <= 366 {
		m.dayOfYear, m.have = value, m.have|haveMonth|haveDay
		m.month, m.day = 1, 1
		return fine
	}
	switch m.have & haveDate {
	case 0:
		if width >= 3 {
			m.setYear(value, width)
		} else {
			m.month, m.have = value, m.have|haveMonth
		}
	case haveYear:
		m.month, m.have = value, m.have|haveMonth
	case haveMonth:
		if m.textMonth && width >= 3 {
			m.setYear(value, width)
		} else {
			m.day, m.have = value, m.have|haveDay
		}
	case haveYear | haveMonth:
		if m.textMonth && width >= 3 && m.twoDigitYear {
			m.day = m.year % 100
			m.setYear(value, width)
		} else {
			m.day = value
		}
		m.have |= haveDay
	case haveDay:
		m.month, m.have = value, m.have|haveMonth
	case haveMonth | haveDay:
		m.setYear(value, width)
	default:
		return malformed
	}
	return fine
}

func (m *moment) setYear(value, width int) {
	m.year, m.twoDigitYear = value, width <= 2
	m.have |= haveYear
}

// decodeNumber reads a number that stands by itself: a year, month or day, or digits run together.
func (m *moment) decodeNumber(text string) problem {
	whole, fraction, isFraction := strings.Cut(text, ".")
	switch {
	case isFraction && m.have&haveDate == haveYear, isFraction && len(whole) == 4 && len(fraction) == 3 && m.have&haveDate == 0:
		// 2020.123: the day of the year
		if p := m.decodeDatePart(whole); p != fine {
			return p
		}
		return m.decodeDatePart(fraction)
	case len(whole) == 8 && m.have&haveDate == 0:
		return m.compactDate(whole, fraction, isFraction)
	case len(whole) >= 6 && m.have&haveDate != haveDate && !m.timeOnly:
		if m.have&haveDate != 0 {
			return m.decodeDatePart(whole)
		}
		return m.compactDate(whole, fraction, isFraction)
	case m.have&haveDate == haveDate, m.timeOnly && (len(whole) == 4 || len(whole) == 6):
		if m.have&haveTime != 0 {
			return malformed
		}
		return m.compactTime(whole, fraction)
	case isFraction:
		return malformed
	}
	return m.decodeDatePart(whole)
}

// compactDate reads YYYYMMDD, YYMMDD or a longer year.
func (m *moment) compactDate(digits, fraction string, isFraction bool) problem {
	if isFraction {
		return malformed
	}
	year, rest := digits[:len(digits)-4], digits[len(digits)-4:]
	value, err := strconv.Atoi(year)
	if err != nil {
		return malformed
	}
	m.setYear(value, len(year))
	month, ok1 := twoDigits([]byte(rest))
	day, ok2 := twoDigits([]byte(rest[2:]))
	m.month, m.day = month, day
	m.have |= haveDate
	return fineIf(ok1 && ok2)
}

// compactTime reads HHMMSS or HHMM.
func (m *moment) compactTime(digits, fraction string) problem {
	b := []byte(digits)
	switch len(b) {
	case 6:
		m.clock.second, _ = twoDigits(b[4:])
	case 4:
	case 1, 2:
		return malformed
	default:
		return malformed
	}
	m.clock.hour, _ = twoDigits(b)
	m.clock.minute, _ = twoDigits(b[2:])
	m.have |= haveTime
	carry, p := m.setFraction(fraction)
	m.clock.second += carry
	return p
}

// decodeTime reads HH:MM[:SS[.ffffff]].
func (m *moment) decodeTime(text string) problem {
	m.have |= haveTime
	parts := strings.Split(text, ":")
	if len(parts) > 3 {
		return malformed
	}
	if whole, fraction, found := strings.Cut(parts[len(parts)-1], "."); found {
		parts[len(parts)-1] = whole
		if len(parts) == 2 { // MM:SS.fff
			parts = append([]string{"0"}, parts...)
		}
		if carry, p := m.setFraction(fraction); p != fine {
			return p
		} else if carry != 0 {
			m.clock.micros = MicrosPerSecond
		}
	}
	values := [3]int{}
	for i, part := range parts {
		if part == "" && i == 2 {
			continue
		}
		n, err := strconv.Atoi(part)
		if err != nil {
			return malformed
		}
		values[i] = n
	}
	m.clock.hour, m.clock.minute, m.clock.second = values[0], values[1], values[2]
	return m.clock.check()
}

func (c clock) check() problem {
	if c.minute > 59 || c.second > 60 || c.hour > 24 ||
		c.hour == 24 && (c.minute > 0 || c.second > 0 || c.micros > 0) {
		return overflow
	}
	return fine
}

// setFraction rounds the digits after a decimal point to microseconds; carry is a whole second.
func (m *moment) setFraction(digits string) (carry int, p problem) {
	if digits == "" {
		return 0, fine
	}
	v, err := strconv.ParseFloat("0."+digits, 64)
	if err != nil {
		return 0, malformed
	}
	micros := int(v*MicrosPerSecond + 0.5)
	if micros == MicrosPerSecond {
		return 1, fine
	}
	m.clock.micros = micros
	return 0, fine
}

// finish checks the fields and computes day and time of day.
func (m *moment) finish() problem {
	if m.special == specialInfinity || m.special == specialMinusInfinity {
		return fineIf(m.have == 0)
	}
	if m.half != "" {
		if m.clock.hour > 12 {
			return overflow
		}
		if m.half == "am" && m.clock.hour == 12 {
			m.clock.hour = 0
		} else if m.half == "pm" && m.clock.hour != 12 {
			m.clock.hour += 12
		}
	}
	if m.special != specialNow {
		if p := m.clock.check(); p != fine {
			return p
		}
	}
	m.ofDay = (int64(m.clock.hour*60+m.clock.minute)*60+int64(m.clock.second))*MicrosPerSecond + int64(m.clock.micros)
	if m.have&haveDate == 0 {
		return fine
	}
	if m.have&haveDate != haveDate {
		return malformed
	}
	return m.finishDate()
}

func (m *moment) finishDate() problem {
	switch {
	case m.absolute:
	case m.bc && m.year <= 0:
		return overflow
	case m.bc:
		m.year = 1 - m.year
	case m.twoDigitYear && m.year < 70:
		m.year += 2000
	case m.twoDigitYear && m.year < 100:
		m.year += 1900
	case m.year == 0 && !m.absolute:
		return overflow
	}
	if m.dayOfYear > 0 {
		m.days = DaysFromCivil(m.year, 1, m.dayOfYear)
		return fine
	}
	if m.month < 1 || m.month > 12 || m.day < 1 || m.day > 31 {
		return overflowMonthDay
	}
	if m.year > 5_900_000 || m.year < -4800 {
		m.days = endDate
		if m.year < 0 {
			m.days = minDate - 1
		}
		return fine
	}
	if m.day > DaysInMonth(m.year, m.month) {
		return overflow
	}
	m.days = DaysFromCivil(m.year, m.month, m.day)
	return fine
}
