package functions

import (
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/tarnlake/tarn/internal/sqlerr"
	"github.com/tarnlake/tarn/internal/types"
)

// readStamp reads text by a to_date/to_timestamp template.
type readStamp struct {
	year, month, day, dayOfYear, week, isoYear, isoWeek, isoDay int
	hour, minute, second                                        int
	micros                                                      int64
	julian                                                      int64
	half                                                        int // 1 am, 2 pm
	twelve, bc, hasJulian, hasYear, hasISO                      bool
	century                                                     int
	secondsOfDay                                                int64
	hasSeconds                                                  bool
	offset                                                      int
	hasOffset                                                   bool
	offsetSign                                                  int
}

func isSeparator(c byte) bool {
	return c != '"' && !(c >= '0' && c <= '9' || c|0x20 >= 'a' && c|0x20 <= 'z' || c >= 0x80)
}

func (s *readStamp) read(text, template string, tokens []formatToken) error {
	text = strings.TrimLeft(text, " \t\n")
	for i, t := range tokens {
		if t.field == "" {
			text = skipTemplateText(text, t.text)
			continue
		}
		text = strings.TrimLeft(text, " ")
		if text == "" {
			return nil
		}
		// a number stops at its width when another field follows directly
		adjacent := i+1 < len(tokens) && tokens[i+1].field != "" && startsWithDigits(tokens[i+1].field)
		rest, err := s.field(t, text, adjacent)
		if err != nil {
			return err
		}
		if text = rest; t.ordinal != 0 {
			text = afterCharacter(afterCharacter(text))
		}
	}
	return nil
}

func startsWithDigits(field string) bool {
	return !keepsCase(field)
}

// skipTemplateText steps over as much of text as a template's text stands for.
func skipTemplateText(text, literal string) string {
	for ; literal != "" && text != ""; literal = afterCharacter(literal) {
		switch c := literal[0]; {
		case isSeparator(c):
			if isSeparator(text[0]) && text[0] != '-' || text[0] == c || isSeparator(text[0]) && c != ' ' {
				text = text[1:]
			}
		default:
			text = afterCharacter(text)
		}
	}
	return text
}

// afterCharacter gives s without its first character.
func afterCharacter(s string) string {
	_, size := utf8.DecodeRuneInString(s)
	return s[size:]
}

var fieldWidths = map[string]int{"YYYY": 4, "YYY": 3, "YY": 2, "Y": 1, "IYYY": 4, "IYY": 3, "IY": 2, "I": 1, "MM": 2, "DD": 2, "DDD": 3, "IDDD": 3,
	"HH24": 2, "HH12": 2, "HH": 2, "MI": 2, "SS": 2, "MS": 3, "US": 6, "WW": 2, "IW": 2, "W": 1, "D": 1, "ID": 1, "Q": 1, "CC": 2,
	"SSSS": 5, "SSSSS": 5, "J": 9, "FF1": 1, "FF2": 2, "FF3": 3, "FF4": 4, "FF5": 5, "FF6": 6, "TZM": 2}

// invalidValue shows the start of a text; a character that is cut in two is left out.
func invalidValue(text, field string) error {
	text = strings.ToValidUTF8(text, "")
	return errorf(sqlerr.InvalidDatetimeFormat, "invalid value \"%s\" for \"%s\"", text, field)
}

func (s *readStamp) field(t formatToken, text string, adjacent bool) (string, error) {
	if keepsCase(t.field) {
		return s.nameField(t.field, text)
	}
	if t.field == "Y,YYY" {
		thousands, rest, _ := strings.Cut(text, ",")
		n := countLeadingDigits(rest, 3)
		value, err := strconv.Atoi(thousands + rest[:n])
		if err != nil {
			return text, invalidValue(text, t.field)
		}
		s.year, s.hasYear = value, true
		return rest[n:], nil
	}
	if t.field == "TZH" || t.field == "OF" {
		return s.offsetField(t.field, text)
	}
	width := fieldWidths[t.field]
	if !adjacent && !t.fill && (t.field == "YYYY" || t.field == "IYYY") || !adjacent && t.field == "J" {
		width = 9
	}
	negative := text[0] == '-'
	digits := text
	if negative || text[0] == '+' {
		digits = text[1:]
	}
	n := countLeadingDigits(digits, width)
	if n == 0 {
		return text, invalidValue(text[:min(len(text), max(width, 1))], t.field)
	}
	value, err := strconv.Atoi(digits[:n])
	if err != nil {
		return text, invalidValue(digits[:n], t.field)
	}
	if negative {
		value = -value
	}
	s.store(t.field, value, n)
	return digits[n:], nil
}

func countLeadingDigits(s string, most int) int {
	n := 0
	for n < len(s) && n < most && s[n] >= '0' && s[n] <= '9' {
		n++
	}
	return n
}

func (s *readStamp) offsetField(field, text string) (string, error) {
	sign := 1
	if text[0] == '-' || text[0] == '+' {
		if text[0] == '-' {
			sign = -1
		}
		text = text[1:]
	}
	n := countLeadingDigits(text, 2)
	hours, err := strconv.Atoi(text[:n])
	if err != nil {
		return text, invalidValue(text, field)
	}
	s.offset, s.hasOffset, s.offsetSign = sign*hours*3600, true, sign
	text = text[n:]
	if field == "OF" && strings.HasPrefix(text, ":") {
		if n = countLeadingDigits(text[1:], 2); n == 2 {
			minutes, _ := strconv.Atoi(text[1:3])
			s.offset += sign * minutes * 60
			text = text[3:]
		}
	}
	return text, nil
}

func (s *readStamp) store(field string, value, digits int) {
	switch field {
	case "YYYY", "YYY", "YY", "Y":
		s.year, s.hasYear = fullYear(value, digits, len(field)), true
	case "IYYY", "IYY", "IY", "I":
		s.isoYear, s.hasISO = fullYear(value, digits, len(field)), true
	case "CC":
		s.century = value
	case "MM":
		s.month = value
	case "DD":
		s.day = value
	case "DDD":
		s.dayOfYear = value
	case "WW":
		s.week = value
	case "IW":
		s.isoWeek, s.hasISO = value, true
	case "ID":
		s.isoDay = value
	case "J":
		s.julian, s.hasJulian = int64(value), true
	case "HH12", "HH":
		s.hour, s.twelve = value, true
	case "HH24":
		s.hour = value
	case "MI":
		s.minute = value
	case "SS":
		s.second = value
	case "SSSS", "SSSSS":
		s.secondsOfDay, s.hasSeconds = int64(value), true
	case "MS", "US", "FF1", "FF2", "FF3", "FF4", "FF5", "FF6":
		s.micros += int64(value)
		for ; digits < 6; digits++ {
			s.micros *= 10
		}
	case "TZM":
		s.offset += s.offsetSign * value * 60
	}
}

// fullYear completes a year given with fewer than four digits to the one nearest 2020.
func fullYear(value, digits, width int) int {
	if digits >= 4 || width >= 4 && digits > 2 {
		return value
	}
	switch {
	case width == 4 && digits <= 2:
		return value
	case value < 70 && digits <= 2:
		return value + 2000
	case value < 100 && digits <= 2:
		return value + 1900
	case value < 520:
		return value + 2000
	}
	return value + 1000
}

// nameField reads names of months and days, am and pm, eras and zones.
func (s *readStamp) nameField(field, text string) (string, error) {
	upper := upperASCII(text)
	take := func(names []string, short bool) (int, int) {
		for i, name := range names {
			name = strings.ToUpper(name)
			if short {
				name = name[:3]
			}
			if strings.HasPrefix(upper, name) {
				return i, len(name)
			}
		}
		return -1, 0
	}
	at, used := -1, 0
	switch strings.ToUpper(field) {
	case "MONTH":
		if at, used = take(monthNames[:], false); at < 0 {
			at, used = take(monthNames[:], true)
		}
		s.month = at + 1
	case "MON":
		at, used = take(monthNames[:], true)
		s.month = at + 1
	case "DAY":
		at, used = take(dayNames[:], false)
	case "DY":
		at, used = take(dayNames[:], true)
	case "AM", "PM":
		at, used = take([]string{"AM", "PM"}, false)
		s.half = at + 1
	case "A.M.", "P.M.":
		at, used = take([]string{"A.M.", "P.M."}, false)
		s.half = at + 1
	case "AD", "BC":
		at, used = take([]string{"AD", "BC"}, false)
		s.bc = at == 1
	case "A.D.", "B.C.":
		at, used = take([]string{"A.D.", "B.C."}, false)
		s.bc = at == 1
	case "RM":
		for i := len(romanMonth) - 1; i >= 0; i-- {
			if name := romanMonth[i]; strings.HasPrefix(upper, name) && len(name) > used {
				at, used = i, len(name)
			}
		}
		s.month = at + 1
	case "TZ":
		return text, errorf(sqlerr.FeatureNotSupported, "formatting field \"%s\" is only supported in to_char", field)
	}
	if at < 0 {
		return text, invalidValue(text[:min(len(text), len(field))], field)
	}
	return text[used:], nil
}

func fieldOutOfRange(text string) error {
	return errorf(sqlerr.DatetimeFieldOverflow, "date/time field value out of range: \"%s\"", text)
}

// days gives the date that was read.
func (s *readStamp) days(text string) (int64, error) {
	if s.hasJulian {
		return s.julian - 2440588, nil
	}
	if s.hasISO && s.isoWeek > 0 {
		if s.isoWeek > 53 {
			return 0, fieldOutOfRange(text)
		}
		january4 := types.DaysFromCivil(s.isoYear, 1, 4)
		day := max(s.isoDay, 1)
		return january4 - floorMod(january4+3, 7) + int64(s.isoWeek-1)*7 + int64(day-1), nil
	}
	year := s.year
	if s.century > 0 && !s.hasYear {
		year = (s.century-1)*100 + 1
	} else if s.century > 0 && year < 100 {
		year += (s.century - 1) * 100
	}
	if s.bc && year > 0 {
		year = 1 - year
	} else if !s.hasYear && s.century == 0 && !s.hasISO {
		year = 0
	}
	switch {
	case s.dayOfYear > 0:
		if s.dayOfYear > 366 {
			return 0, fieldOutOfRange(text)
		}
		return types.DaysFromCivil(year, 1, s.dayOfYear), nil
	case s.week > 0 && s.month == 0:
		return types.DaysFromCivil(year, 1, 1+7*(s.week-1)), nil
	}
	month, day := s.month, s.day
	if month == 0 {
		month = 1
	}
	if day == 0 {
		day = 1
	}
	if month < 1 || month > 12 || day < 1 || day > types.DaysInMonth(year, month) {
		return 0, fieldOutOfRange(text)
	}
	return types.DaysFromCivil(year, month, day), nil
}

// timeOfDay gives the time that was read, in microseconds.
func (s *readStamp) timeOfDay(text string) (int64, error) {
	hour := s.hour
	if s.twelve {
		if hour < 1 || hour > 12 {
			return 0, errorf(sqlerr.InvalidDatetimeFormat, "hour \"%d\" is invalid for the 12-hour clock", hour).(*sqlerr.Error).
				WithHint("Use the 24-hour clock, or give an hour between 1 and 12.")
		}
		if s.half == 2 && hour < 12 {
			hour += 12
		} else if s.half == 1 && hour == 12 {
			hour = 0
		}
	}
	if hour > 23 || s.minute > 59 || s.second > 59 {
		return 0, fieldOutOfRange(text)
	}
	seconds := int64(hour*3600 + s.minute*60 + s.second)
	if s.hasSeconds {
		seconds = s.secondsOfDay
	}
	return seconds*types.MicrosPerSecond + s.micros, nil
}
