package types

import (
	"math"
	"strconv"
	"strings"

	"github.com/tarnlake/tarn/internal/sqlerr"
)

// ParseInterval reads an interval: "1 year 2 mons 3 days 04:05:06", "@ 1 hour ago", SQL's "1-2" and
// ISO 8601's "P1Y2M3DT4H5M6S".
func ParseInterval(b []byte) (IntervalValue, error) {
	p := malformed
	var sum intervalSum
	text := trimSpace(b)
	if len(text) > 0 && (text[0] == 'P' || len(text) > 1 && text[0] == '-' && text[1] == 'P') {
		p = sum.decodeISO(string(text))
	} else if fields, ok := scanDate(stripAt(text), true); ok && len(fields) > 0 {
		p = sum.decode(fields)
	}
	if p == fine {
		if v, ok := sum.value(); ok {
			return v, nil
		}
		p = overflow
	}
	if p == overflow {
		return IntervalValue{}, sqlerr.New(sqlerr.IntervalFieldOverflow, "interval field value out of range: \"%s\"", b)
	}
	return IntervalValue{}, badDatetime("interval", b)
}

// stripAt removes the leading @ of PostgreSQL's verbose style.
func stripAt(b []byte) []byte {
	if len(b) > 0 && b[0] == '@' {
		return b[1:]
	}
	return b
}

// intervalSum adds up parts; floats keep fractions until they have been carried to smaller units.
type intervalSum struct {
	months, days int64
	micros       float64
	exact        Int128 // whole microseconds
	seen         int    // units that occurred: none may occur twice
}

func (s *intervalSum) value() (IntervalValue, bool) {
	rounded := math.RoundToEven(s.micros)
	extra, ok := Int128FromFloat64(rounded)
	if !ok {
		return IntervalValue{}, false
	}
	micros, ok := s.exact.Add(extra).Int64()
	if !ok || s.months != int64(int32(s.months)) || s.days != int64(int32(s.days)) {
		return IntervalValue{}, false
	}
	return IntervalValue{Months: int32(s.months), Days: int32(s.days), Micros: micros}, true
}

// decode reads fields from the right, so that a number knows the unit behind it.
func (s *intervalSum) decode(fields []dateField) problem {
	unit, ago := "", false
	for i := len(fields) - 1; i >= 0; i-- {
		f := fields[i]
		p := fine
		switch {
		case f.kind == fieldWord && f.text == "ago":
			if i != len(fields)-1 || i == 0 {
				return malformed
			}
			ago = true
		case f.kind == fieldWord:
			if unit = intervalUnit(f.text); unit == "" {
				return malformed
			}
		case strings.Contains(f.text, ":"):
			p = s.addClock(f.text)
			unit = "day?"
		case f.kind == fieldDate, f.kind == fieldZone && strings.Contains(f.text[1:], "-"):
			p = s.addYearMonth(f.text)
			unit = ""
		case f.kind == fieldNumber || f.kind == fieldZone:
			p = s.addNumber(f.text, unit)
			unit = ""
		default:
			return malformed
		}
		if p != fine {
			return p
		}
	}
	if s.seen == 0 {
		return malformed
	}
	if ago {
		s.months, s.days, s.micros, s.exact = -s.months, -s.days, -s.micros, s.exact.Neg()
	}
	return fine
}

// addNumber adds text units; no unit means seconds, or days when a time of day follows.
func (s *intervalSum) addNumber(text, unit string) problem {
	if text == "" {
		return malformed
	}
	sign := int64(1)
	switch text[0] {
	case '-':
		sign, text = -1, text[1:]
	case '+':
		text = text[1:]
	}
	switch unit {
	case "":
		unit = "second"
	case "day?":
		unit = "day"
	}
	if s.seen&unitBit(unit) != 0 {
		return malformed
	}
	s.seen |= unitBit(unit)
	whole, fraction, _ := strings.Cut(text, ".")
	n, f := int64(0), 0.0
	if whole != "" {
		v, err := strconv.ParseInt(whole, 10, 64)
		if err != nil {
			return overflow
		}
		n = v
	}
	if fraction != "" {
		v, err := strconv.ParseFloat("0."+fraction, 64)
		if err != nil {
			return malformed
		}
		f = v
	}
	if whole == "" && fraction == "" {
		return malformed
	}
	return s.add(n*sign, f*float64(sign), unit)
}

// unitBit numbers the units.
func unitBit(unit string) int {
	const units = "millennium century decade year month week day hour minute second millisecond microsecond "
	return 1 << (strings.Index(units, unit+" ") / 4)
}

// add adds n + f units; fractions go to smaller units as PostgreSQL 15 carries them.
func (s *intervalSum) add(n int64, f float64, unit string) problem {
	if perMonth, ok := monthUnits[unit]; ok {
		if n > math.MaxInt32 || n < math.MinInt32 {
			return overflow
		}
		s.months += n * perMonth
		if perMonth > 1 {
			s.months += int64(math.RoundToEven(f * float64(perMonth)))
		} else {
			s.addDays(f * 30)
		}
		return fine
	}
	switch unit {
	case "day", "week":
		if n > math.MaxInt32 || n < math.MinInt32 {
			return overflow
		}
		if unit == "week" {
			s.days += 7 * n
			s.addDays(f * 7)
		} else {
			s.days += n
			s.micros += f * MicrosPerDay
		}
		return fine
	}
	scale := clockUnits[unit]
	s.exact = s.exact.Add(MulInt64(n, scale))
	s.micros += math.RoundToEven(f * float64(scale))
	return fine
}

// addDays adds a fraction of days: whole days, the rest as time.
func (s *intervalSum) addDays(days float64) {
	whole := math.Trunc(days)
	s.days += int64(whole)
	s.micros += math.RoundToEven((days - whole) * MicrosPerDay)
}

var monthUnits = map[string]int64{"millennium": 12000, "century": 1200, "decade": 120, "year": 12, "month": 1}

var clockUnits = map[string]int64{"hour": MicrosPerHour, "minute": MicrosPerMinute, "second": MicrosPerSecond,
	"millisecond": 1000, "microsecond": 1}

// intervalUnit gives the full name of a unit, "" when the word is none.
func intervalUnit(word string) string {
	switch word {
	case "y", "yr", "yrs", "year", "years":
		return "year"
	case "mon", "mons", "month", "months":
		return "month"
	case "w", "week", "weeks":
		return "week"
	case "d", "day", "days":
		return "day"
	case "h", "hr", "hrs", "hour", "hours":
		return "hour"
	case "m", "min", "mins", "minute", "minutes":
		return "minute"
	case "s", "sec", "secs", "second", "seconds":
		return "second"
	case "ms", "msec", "msecs", "msecond", "mseconds", "millisecond", "milliseconds":
		return "millisecond"
	case "us", "usec", "usecs", "usecond", "useconds", "microsecond", "microseconds":
		return "microsecond"
	case "decade", "decades", "dec", "decs":
		return "decade"
	case "c", "cent", "century", "centuries":
		return "century"
	case "mil", "mils", "millennium", "millennia":
		return "millennium"
	}
	return ""
}

// IntervalUnit gives the full singular name of a unit of time as intervals and date_part spell
// them ("mons" → "month"), "" when the word is none.
func IntervalUnit(word string) string {
	switch word = strings.ToLower(word); word {
	case "qtr", "quarter", "quarters":
		return "quarter"
	}
	return intervalUnit(word)
}

// addClock adds [±]HH:MM[:SS[.f]]; MM:SS.f where there are two parts and a fraction.
func (s *intervalSum) addClock(text string) problem {
	if text == "" {
		return malformed
	}
	sign := int64(1)
	switch text[0] {
	case '-':
		sign, text = -1, text[1:]
	case '+':
		text = text[1:]
	}
	parts := strings.Split(text, ":")
	if len(parts) > 3 {
		return malformed
	}
	if len(parts) == 2 && strings.Contains(parts[1], ".") {
		parts = append([]string{"0"}, parts...)
	}
	units := [...]string{"hour", "minute", "second"}
	for i, part := range parts {
		if part == "" {
			continue
		}
		if whole, _, _ := strings.Cut(part, "."); i > 0 && len(whole) > 0 {
			if n, err := strconv.Atoi(whole); err != nil || n > 59 && !(i == 2 && n == 60) {
				return overflow
			}
		}
		if sign < 0 {
			part = "-" + part
		}
		if p := s.addNumber(part, units[i]); p != fine {
			return p
		}
	}
	return fine
}

// addYearMonth adds SQL's years-months.
func (s *intervalSum) addYearMonth(text string) problem {
	negative := text[0] == '-'
	text = strings.TrimLeft(text, "+-")
	years, months, ok := strings.Cut(text, "-")
	y, err1 := strconv.ParseInt(years, 10, 32)
	m, err2 := strconv.ParseInt(months, 10, 32)
	if !ok || err1 != nil || err2 != nil {
		return malformed
	}
	if s.seen&(unitBit("year")|unitBit("month")) != 0 {
		return malformed
	}
	if s.seen |= unitBit("year") | unitBit("month"); m >= 12 {
		return overflow
	}
	if negative {
		y, m = -y, -m
	}
	s.months += 12*y + m
	return fine
}

// decodeISO reads P[nY][nM][nW][nD][T[nH][nM][nS]].
func (s *intervalSum) decodeISO(text string) problem {
	if text[0] == '-' {
		return malformed
	}
	rest, inTime, parts := text[1:], false, 0
	for len(rest) > 0 {
		if rest[0] == 'T' {
			inTime, rest = true, rest[1:]
			continue
		}
		n := 0
		for n < len(rest) && (isDigit(rest[n]) || rest[n] == '.' || n == 0 && (rest[0] == '-' || rest[0] == '+')) {
			n++
		}
		if n == 0 {
			return malformed
		}
		if n == len(rest) || rest[n] == '-' || rest[n] == ':' {
			if parts > 0 && !inTime {
				return malformed
			}
			return s.alternativeISO(rest, inTime)
		}
		unit := isoUnit(rest[n], inTime)
		if unit == "" {
			return malformed
		}
		if p := s.addNumber(rest[:n], unit); p != fine {
			return p
		}
		rest = rest[n+1:]
		parts++
	}
	return fineIf(parts > 0 || inTime)
}

func isoUnit(c byte, inTime bool) string {
	if inTime {
		return map[byte]string{'H': "hour", 'M': "minute", 'S': "second"}[c]
	}
	return map[byte]string{'Y': "year", 'M': "month", 'W': "week", 'D': "day"}[c]
}

// alternativeISO reads YYYY-MM-DD[THH:MM:SS] or what is left of it.
func (s *intervalSum) alternativeISO(text string, inTime bool) problem {
	date, clock := text, ""
	if inTime {
		date, clock = "", text
	} else if d, c, found := strings.Cut(text, "T"); found {
		date, clock = d, c
	}
	if date != "" {
		units := [...]string{"year", "month", "day"}
		for i, part := range strings.SplitN(date, "-", 3) {
			if p := s.addNumber(part, units[i]); p != fine {
				return p
			}
		}
	}
	if clock != "" {
		if !strings.Contains(clock, ":") {
			return s.addNumber(clock, "hour")
		}
		return s.addClock(clock)
	}
	return fine
}
