package types

import (
	"strconv"
	"strings"
	"time"

	"github.com/tarnlake/tarn/internal/sqlerr"
)

// What a date/time text said so far.
const (
	haveYear = 1 << iota
	haveMonth
	haveDay
	haveTime
	haveZone
	haveDate = haveYear | haveMonth | haveDay
)

type special uint8

const (
	specialNone special = iota
	specialInfinity
	specialMinusInfinity
	specialNow
)

// moment collects the fields of a date/time text.
type moment struct {
	have             int
	year, month, day int
	days, ofDay      int64
	clock            clock
	zone             *time.Location
	offset           int // seconds east of UTC, when haveZone and zone is nil
	special          special
	textMonth        bool
	twoDigitYear     bool
	dayOfYear        int
	bc               bool
	absolute         bool   // year, month and day came from a day number
	half             string // "am", "pm"
	timeOnly         bool   // digits run together are a time of day
	badZone          string // the zone name that was not found
}

type clock struct {
	hour, minute, second int
	micros               int
}

// problem says why a text was refused.
type problem uint8

const (
	fine problem = iota
	malformed
	overflow
	overflowMonthDay
	zoneOverflow
	unknownZone
)

func decodeMoment(b []byte, typeName string, zone *time.Location) (*moment, error) {
	m := &moment{timeOnly: typeName == "time"}
	p := malformed
	if fields, ok := scanDate(b, false); ok && len(fields) > 0 {
		p = m.decode(fields, zone)
		if p == fine {
			p = m.finish()
		}
	}
	switch p {
	case fine:
		return m, nil
	case overflow:
		return nil, fieldRange(b)
	case overflowMonthDay:
		return nil, fieldRange(b).(*sqlerr.Error).WithHint("Perhaps you need a different \"datestyle\" setting.")
	case zoneOverflow:
		return nil, sqlerr.New(sqlerr.InvalidTimeZoneDisplacement, "time zone displacement out of range: \"%s\"", b)
	case unknownZone:
		return nil, sqlerr.New(sqlerr.InvalidParameterValue, "time zone \"%s\" not recognized", m.badZone)
	}
	return nil, badDatetime(typeName, b)
}

func (m *moment) decode(fields []dateField, zone *time.Location) problem {
	for i := 0; i < len(fields); i++ {
		f := fields[i]
		p := fine
		switch f.kind {
		case fieldDate:
			if m.have&haveDate == haveDate && m.have&haveTime != 0 {
				return malformed
			}
			p = m.decodeDate(f.text)
		case fieldTime:
			if m.have&haveTime != 0 {
				return malformed
			}
			p = m.decodeTime(f.text)
		case fieldZone:
			p = m.decodeOffset(f.text)
		case fieldNumber:
			p = m.decodeNumber(f.text)
		case fieldSigned:
			if f.text != "-infinity" && f.text != "+infinity" {
				return malformed
			}
			m.special = specialInfinity
			if f.text[0] == '-' {
				m.special = specialMinusInfinity
			}
			if len(fields) > 1 {
				return malformed
			}
		case fieldWord:
			if f.text == "j" && i+1 < len(fields) && fields[i+1].kind == fieldNumber {
				i++
				p = m.julian(fields[i].text)
			} else {
				p = m.decodeWord(f.text, len(fields), zone)
			}
		}
		if p != fine {
			return p
		}
	}
	return fine
}

func (m *moment) julian(text string) problem {
	n, err := strconv.ParseInt(text, 10, 32)
	if err != nil {
		return malformed
	}
	m.setDays(n - 2440588)
	return fine
}

func (m *moment) setDays(days int64) {
	m.year, m.month, m.day = CivilFromDays(days)
	m.absolute = true
	m.have |= haveDate
}

func (m *moment) decodeWord(word string, count int, zone *time.Location) problem {
	if n := monthNumber(word); n != 0 {
		if m.have&haveMonth != 0 && !m.textMonth && m.have&haveDay == 0 && m.month <= 31 {
			m.day, m.have = m.month, m.have|haveDay
		}
		m.month, m.textMonth = n, true
		m.have |= haveMonth
		return fine
	}
	switch word {
	case "am", "pm":
		m.half = word
		return fine
	case "bc":
		m.bc = true
		return fine
	case "ad", "at", "on", "of", "t", "st", "nd", "rd", "th":
		if word == "t" && m.have&haveDate == 0 {
			return malformed
		}
		return fine
	case "infinity", "inf":
		m.special = specialInfinity
		return fineIf(count == 1)
	case "epoch":
		m.setDays(0)
		m.have |= haveTime
		m.offset, m.have = 0, m.have|haveZone
		return fineIf(count == 1)
	case "now", "today", "tomorrow", "yesterday":
		return m.decodeToday(word, zone)
	case "allballs":
		m.have |= haveTime | haveZone
		return fine
	}
	if isWeekday(word) {
		return fine
	}
	return m.decodeZone(word)
}

func fineIf(ok bool) problem {
	if ok {
		return fine
	}
	return malformed
}

func (m *moment) decodeToday(word string, zone *time.Location) problem {
	if m.have&haveDate != 0 {
		return malformed
	}
	now := LocalFromUTC(time.Now().UnixMicro(), zone)
	days, ofDay := SplitTimestamp(now)
	switch word {
	case "now":
		m.clock.micros = int(ofDay % MicrosPerSecond)
		m.clock.second = int(ofDay / MicrosPerSecond)
		m.special = specialNow
		m.have |= haveTime
	case "tomorrow":
		days++
	case "yesterday":
		days--
	}
	m.setDays(days)
	return fine
}

func (m *moment) decodeZone(word string) problem {
	if m.have&haveZone != 0 {
		return malformed
	}
	zone, offset, ok := lookupZone(word)
	if !ok {
		if m.badZone = word; strings.ContainsAny(word, "/+") {
			return unknownZone
		}
		return malformed
	}
	m.have |= haveZone
	m.zone, m.offset = zone, offset
	return fine
}

// decodeOffset reads ±HH[[:]MM[:SS]]; in a date without time it may be the year of "Jan 1 -2000".
func (m *moment) decodeOffset(text string) problem {
	if m.have&haveTime == 0 && m.have&haveDate != haveDate {
		return m.decodeNumber(text[1:])
	}
	offset, p := parseOffset(text)
	if p != fine {
		return p
	}
	if m.have&haveZone != 0 {
		if m.zone != nil {
			return malformed
		}
		offset += m.offset
	}
	m.have |= haveZone
	m.offset = offset
	return fine
}

// parseOffset reads ±HH, ±HHMM, ±HH:MM or ±HH:MM:SS as seconds east of UTC.
func parseOffset(text string) (int, problem) {
	parts := strings.Split(text[1:], ":")
	if len(parts) == 1 && len(parts[0]) > 2 {
		digits := parts[0]
		parts = []string{digits[:len(digits)-2], digits[len(digits)-2:]}
	}
	if len(parts) > 3 {
		return 0, malformed
	}
	total, unit := 0, 3600
	for i, part := range parts {
		n, err := strconv.Atoi(part)
		if err != nil {
			return 0, malformed
		}
		if i == 0 && n > 15 || i > 0 && n > 59 {
			return 0, zoneOverflow
		}
		total += n * unit
		unit /= 60
	}
	if text[0] == '-' {
		total = -total
	}
	return total, fine
}
