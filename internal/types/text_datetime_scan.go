package types

import "strings"

// fieldKind says what a piece of a date/time text looks like.
type fieldKind uint8

const (
	fieldNumber fieldKind = iota // 2020, 12.5
	fieldDate                    // 2020-01-02, 2.Jan.2020
	fieldTime                    // 04:05:06.789
	fieldZone                    // +02, -04:30
	fieldWord                    // january, pm, infinity
	fieldSigned                  // -infinity, +5 before a word
)

type dateField struct {
	kind fieldKind
	text string // lower case
}

const maxDateFields = 25

// scanDate splits a date/time text into fields as PostgreSQL's ParseDateTime does.
func scanDate(b []byte, signedNumbers bool) ([]dateField, bool) {
	var fields []dateField
	lower := make([]byte, len(b))
	for i, c := range b {
		if c >= 'A' && c <= 'Z' {
			c |= 0x20
		}
		lower[i] = c
	}
	s := lower
	for len(s) > 0 {
		var n int
		kind := fieldNumber
		switch c := s[0]; {
		case isSpace(c):
			s = s[1:]
			continue
		case isDigit(c):
			kind, n = scanNumber(s)
		case c == '.' && len(s) > 1 && isDigit(s[1]):
			n = 1 + countDigits(s[1:])
		case isLetter(c):
			kind, n = scanWord(s)
		case c == '+' || c == '-':
			sign := c
			s = trimSpace(s[1:])
			if len(s) == 0 {
				return nil, false
			}
			kind, n = scanSigned(s, signedNumbers)
			if n == 0 {
				return nil, false
			}
			fields = append(fields, dateField{kind, string(sign) + string(s[:n])})
			s = s[n:]
			continue
		case isPunctuation(c) && c != '@' && c != '.':
			s = s[1:]
			continue
		default:
			return nil, false
		}
		fields = append(fields, dateField{kind, string(s[:n])})
		s = s[n:]
		if len(fields) > maxDateFields {
			return nil, false
		}
	}
	return fields, true
}

func scanNumber(s []byte) (fieldKind, int) {
	n := countDigits(s)
	if n == len(s) {
		return fieldNumber, n
	}
	switch c := s[n]; {
	case c == ':':
		return fieldTime, spanOf(s, ":.", false)
	case c == '-' || c == '/' || c == '.':
		at := n + 1
		if at < len(s) && isLetter(s[at]) {
			return fieldDate, spanOf(s, string(c), true)
		}
		digits := 0
		if at < len(s) {
			digits = countDigits(s[at:])
		}
		if at+digits < len(s) && s[at+digits] == c && digits > 0 {
			return fieldDate, spanOf(s, string(c), false)
		}
		if c == '.' {
			return fieldNumber, at + digits
		}
		if digits == 0 {
			return fieldNumber, n
		}
		return fieldDate, at + digits
	}
	return fieldNumber, n
}

// spanOf counts the leading digits (and letters) and bytes of also.
func spanOf(s []byte, also string, letters bool) int {
	for i, c := range s {
		if isDigit(c) || letters && isLetter(c) || strings.IndexByte(also, c) >= 0 {
			continue
		}
		return i
	}
	return len(s)
}

func scanWord(s []byte) (fieldKind, int) {
	n := 0
	for n < len(s) && isLetter(s[n]) {
		n++
	}
	if n == len(s) || s[n] != '-' && s[n] != '/' && s[n] != '.' && s[n] != '+' {
		return fieldWord, n
	}
	// jan-08-1999, or a zone: america/new_york, etc/gmt-5
	if isMonthName(string(s[:n])) && s[n] != '+' && n+1 < len(s) && isDigit(s[n+1]) {
		return fieldDate, spanOf(s, string(s[n]), true)
	}
	if s[n] == '.' {
		return fieldWord, n
	}
	for n < len(s) && (isLetter(s[n]) || isDigit(s[n]) || s[n] == '/' || s[n] == '_' || s[n] == '-' || s[n] == '+') {
		n++
	}
	return fieldWord, n
}

func scanSigned(s []byte, signedNumbers bool) (fieldKind, int) {
	if isLetter(s[0]) {
		n := 0
		for n < len(s) && isLetter(s[n]) {
			n++
		}
		return fieldSigned, n
	}
	if !isDigit(s[0]) && s[0] != '.' {
		return fieldSigned, 0
	}
	if signedNumbers { // an interval's -1-2 is minus one year and two months
		return fieldZone, spanOf(s, ":.-", false)
	}
	return fieldZone, spanOf(s, ":.", false)
}

func isDigit(c byte) bool  { return c-'0' <= 9 }
func isLetter(c byte) bool { return c|0x20 >= 'a' && c|0x20 <= 'z' }
func isPunctuation(c byte) bool {
	return c > ' ' && c < 0x7f && !isDigit(c) && !isLetter(c)
}

const monthAbbreviations = "janfebmaraprmayjunjulaugsepoctnovdec"

func isMonthName(word string) bool { return monthNumber(word) != 0 }

// monthNumber gives 1 … 12 for an English month name in lower case, whole or cut to three letters.
func monthNumber(word string) int {
	if len(word) < 3 {
		return 0
	}
	for m := range 12 {
		if word[:3] != monthAbbreviations[3*m:3*m+3] {
			continue
		}
		if word == "sept" || len(word) == 3 || word == monthNames[m] {
			return m + 1
		}
	}
	return 0
}

var monthNames = [...]string{"january", "february", "march", "april", "may", "june", "july",
	"august", "september", "october", "november", "december"}

func isWeekday(word string) bool {
	switch word {
	case "sun", "sunday", "mon", "monday", "tue", "tues", "tuesday", "wed", "weds", "wednesday",
		"thu", "thur", "thurs", "thursday", "fri", "friday", "sat", "saturday":
		return true
	}
	return false
}
