package functions

import (
	"strconv"
	"strings"
	"time"

	"github.com/tarnlake/tarn/internal/sqlerr"
	"github.com/tarnlake/tarn/internal/types"
)

// formatToken is a piece of a to_char/to_date template: a field with its modifiers, or text.
type formatToken struct {
	field   string // as in formatFields; "" for text
	text    string
	fill    bool // FM: no padding
	ordinal byte // 't' for th, 'T' for TH
}

// formatFields lists the fields; where several fit, the longest counts.
var formatFields = []string{"A.D.", "A.M.", "AD", "AM", "B.C.", "BC", "CC", "DAY", "DDD", "DD", "DY", "D", "FF1", "FF2", "FF3", "FF4", "FF5", "FF6",
	"HH24", "HH12", "HH", "IDDD", "ID", "IW", "IYYY", "IYY", "IY", "I", "J", "MI", "MM", "MONTH", "MON", "MS", "OF", "P.M.", "PM", "Q", "RM",
	"SSSSS", "SSSS", "SS", "TZH", "TZM", "TZ", "US", "WW", "W", "Y,YYY", "YYYY", "YYY", "YY", "Y",
	"Day", "Dy", "Month", "Mon", "a.d.", "a.m.", "ad", "am", "b.c.", "bc", "day", "dy", "month", "mon", "p.m.", "pm", "rm", "tz",
	"cc", "ddd", "dd", "d", "hh24", "hh12", "hh", "iddd", "id", "iw", "iyyy", "iyy", "iy", "i", "j", "mi", "mm", "ms", "q", "sssss", "ssss", "ss",
	"us", "ww", "w", "y,yyy", "yyyy", "yyy", "yy", "y"}

// keepsCase lists the fields whose spelling decides the case of the output.
func keepsCase(field string) bool {
	switch strings.ToUpper(field) {
	case "DAY", "DY", "MONTH", "MON", "AM", "PM", "A.M.", "P.M.", "AD", "BC", "A.D.", "B.C.", "RM", "TZ":
		return true
	}
	return false
}

func parseTemplate(template string) []formatToken {
	var out []formatToken
	addText := func(s string) {
		if n := len(out); n > 0 && out[n-1].field == "" {
			out[n-1].text += s
			return
		}
		out = append(out, formatToken{text: s})
	}
	fill := false
	for i := 0; i < len(template); {
		rest := template[i:]
		switch {
		case strings.HasPrefix(rest, "FM") || strings.HasPrefix(rest, "fm"):
			fill = true
			i += 2
			continue
		case strings.HasPrefix(rest, "FX") || strings.HasPrefix(rest, "TM") || strings.HasPrefix(rest, "fx"):
			i += 2
			continue
		case rest[0] == '"':
			end := 1
			var quoted []byte
			for end < len(rest) && rest[end] != '"' {
				if rest[end] == '\\' && end+1 < len(rest) {
					end++
				}
				quoted = append(quoted, rest[end])
				end++
			}
			addText(string(quoted))
			i += min(end+1, len(rest))
			continue
		case rest[0] == '\\' && len(rest) > 1 && rest[1] == '"':
			addText(`"`)
			i += 2
			continue
		}
		field := fieldAt(rest)
		if field == "" {
			addText(rest[:1])
			i++
			continue
		}
		i += len(field)
		t := formatToken{field: field, fill: fill}
		if !keepsCase(field) {
			t.field = strings.ToUpper(field)
		}
		fill = false
		if strings.HasPrefix(template[i:], "TH") {
			t.ordinal = 'T'
			i += 2
		} else if strings.HasPrefix(template[i:], "th") {
			t.ordinal = 't'
			i += 2
		}
		out = append(out, t)
	}
	return out
}

func fieldAt(s string) string {
	longest := ""
	for _, f := range formatFields {
		if len(f) > len(longest) && strings.HasPrefix(s, f) {
			longest = f
		}
	}
	return longest
}

var (
	monthNames = [...]string{"January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December"}
	dayNames   = [...]string{"Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"}
	romanMonth = [...]string{"I", "II", "III", "IV", "V", "VI", "VII", "VIII", "IX", "X", "XI", "XII"}
)

// inCase writes name as field is written: DAY, Day or day.
func inCase(field, name string) string {
	switch {
	case field == strings.ToUpper(field):
		return strings.ToUpper(name)
	case field == strings.ToLower(field):
		return strings.ToLower(name)
	}
	return name
}

func appendOrdinal(dst []byte, n int64, kind byte) []byte {
	suffix := "th"
	if n < 0 {
		n = -n
	}
	if n%100 < 11 || n%100 > 13 {
		switch n % 10 {
		case 1:
			suffix = "st"
		case 2:
			suffix = "nd"
		case 3:
			suffix = "rd"
		}
	}
	if kind == 'T' {
		suffix = strings.ToUpper(suffix)
	}
	return append(dst, suffix...)
}

// appendNumber appends n with at least width digits unless filling is off.
func appendNumber(dst []byte, n int64, width int, t formatToken) []byte {
	if t.fill {
		width = 0
	}
	if n < 0 {
		dst = append(dst, '-')
		n = -n
	}
	digits := strconv.FormatInt(n, 10)
	for have := len(digits); have < width; have++ {
		dst = append(dst, '0')
	}
	return append(dst, digits...)
}

// stamp is a moment as to_char sees it; an interval has no calendar.
type stamp struct {
	year, month, day int
	days             int64
	ofDay            int64 // microseconds; an interval's hours may exceed a day
	offset           int
	zone             string
	interval         bool
}

func stampOf(m moment, zone string) stamp {
	s := stamp{days: m.days, ofDay: m.ofDay, offset: m.offset, zone: zone}
	s.year, s.month, s.day = types.CivilFromDays(m.days)
	return s
}

func appendStamp(dst []byte, s stamp, tokens []formatToken) []byte {
	for _, t := range tokens {
		if t.field == "" {
			dst = append(dst, t.text...)
			continue
		}
		start := len(dst)
		dst = appendField(dst, s, t)
		if t.ordinal != 0 && len(dst) > start {
			if n, err := strconv.ParseInt(string(dst[start:]), 10, 64); err == nil {
				dst = appendOrdinal(dst, n, t.ordinal)
			}
		}
	}
	return dst
}

// romanShift makes an index of a month: those of an interval may count down from XII.
func romanShift(month int) int {
	if month < 0 {
		return 12
	}
	return 11
}

// checkIntervalTemplate refuses what only a date has.
func checkIntervalTemplate(tokens []formatToken) error {
	for _, t := range tokens {
		switch strings.ToUpper(t.field) {
		case "MONTH", "MON", "DAY", "DY", "D", "ID", "AD", "BC", "A.D.", "B.C.", "TZ", "OF", "TZH", "TZM":
			return errorf(sqlerr.InvalidDatetimeFormat, "invalid format specification for an interval value").(*sqlerr.Error).
				WithHint("Intervals are not tied to specific calendar dates.")
		}
	}
	return nil
}

func appendField(dst []byte, s stamp, t formatToken) []byte {
	if out, ok := appendClockField(dst, s, t); ok {
		return out
	}
	if out, ok := appendYearField(dst, s, t); ok {
		return out
	}
	m := moment{days: s.days, ofDay: s.ofDay}
	whole := func(f dateField) int64 { v, _ := m.whole(f); return v }
	padded := func(name string) []byte {
		dst = append(dst, name...)
		for n := len(name); n < 9 && !t.fill; n++ {
			dst = append(dst, ' ')
		}
		return dst
	}
	weekday := int(floorMod(s.days+4, 7))
	switch strings.ToUpper(t.field) {
	case "MONTH":
		if s.month == 0 {
			return dst
		}
		return padded(inCase(t.field, monthNames[s.month-1]))
	case "MON":
		if s.month == 0 {
			return dst
		}
		return append(dst, inCase(t.field, monthNames[s.month-1][:3])...)
	case "MM":
		return appendNumber(dst, int64(s.month), 2, t)
	case "RM":
		if s.month == 0 {
			return dst
		}
		name := inCase(t.field, romanMonth[(s.month+romanShift(s.month))%12])
		dst = append(dst, name...)
		for n := len(name); n < 4 && !t.fill; n++ {
			dst = append(dst, ' ')
		}
		return dst
	case "DAY":
		return padded(inCase(t.field, dayNames[weekday]))
	case "DY":
		return append(dst, inCase(t.field, dayNames[weekday][:3])...)
	case "DDD":
		if s.interval {
			return appendNumber(dst, s.days, 3, t)
		}
		return appendNumber(dst, whole(fieldDayOfYear), 3, t)
	case "IDDD":
		year, week := isoWeek(s.days)
		_ = year
		return appendNumber(dst, int64(week-1)*7+whole(fieldISODayOfWeek), 3, t)
	case "DD":
		if s.day < 0 { // of an interval: the sign counts
			return appendNumber(dst, int64(s.day), 1, t)
		}
		return appendNumber(dst, int64(s.day), 2, t)
	case "D":
		return appendNumber(dst, int64(weekday)+1, 1, t)
	case "ID":
		return appendNumber(dst, whole(fieldISODayOfWeek), 1, t)
	case "W":
		return appendNumber(dst, int64(s.day-1)/7+1, 1, t)
	case "WW":
		return appendNumber(dst, (whole(fieldDayOfYear)-1)/7+1, 2, t)
	case "IW":
		return appendNumber(dst, whole(fieldWeek), 2, t)
	case "J":
		return appendNumber(dst, s.days+2440588, 1, t)
	case "Q":
		if s.month == 0 {
			return dst
		}
		return appendNumber(dst, int64(s.month-1)/3+1, 1, t)
	}
	return dst
}

func appendYearField(dst []byte, s stamp, t formatToken) ([]byte, bool) {
	year := int64(s.year)
	shown := year
	if year <= 0 && !s.interval {
		shown = 1 - year
	}
	if strings.HasPrefix(t.field, "I") && t.field != "ID" && t.field != "IW" && t.field != "IDDD" {
		iso, _ := isoWeek(s.days)
		if shown = int64(iso); iso <= 0 {
			shown = 1 - shown
		}
	}
	switch t.field {
	case "YYYY", "IYYY":
		return appendNumber(dst, shown, 4, t), true
	case "YYY", "IYY":
		return appendNumber(dst, shown%1000, 3, t), true
	case "YY", "IY":
		return appendNumber(dst, shown%100, 2, t), true
	case "Y", "I":
		return appendNumber(dst, shown%10, 1, t), true
	case "Y,YYY":
		dst = strconv.AppendInt(dst, shown/1000, 10)
		return appendNumber(append(dst, ','), shown%1000, 3, formatToken{}), true
	case "CC":
		return appendNumber(dst, era(year, 100), 2, t), true
	}
	switch strings.ToUpper(t.field) {
	case "AD", "BC":
		name := "AD"
		if year <= 0 {
			name = "BC"
		}
		return append(dst, inCase(t.field, name)...), true
	case "A.D.", "B.C.":
		name := "A.D."
		if year <= 0 {
			name = "B.C."
		}
		return append(dst, inCase(t.field, name)...), true
	}
	return dst, false
}

func appendClockField(dst []byte, s stamp, t formatToken) ([]byte, bool) {
	hour := s.ofDay / types.MicrosPerHour
	micros := s.ofDay % types.MicrosPerSecond
	afternoon := floorMod(hour, 24) >= 12
	switch t.field {
	case "HH24":
		return appendNumber(dst, hour, 2, t), true
	case "HH12", "HH":
		h := hour % 12
		if h == 0 {
			h = 12
		}
		return appendNumber(dst, h, 2, t), true
	case "MI":
		return appendNumber(dst, s.ofDay/types.MicrosPerMinute%60, 2, t), true
	case "SS":
		return appendNumber(dst, s.ofDay/types.MicrosPerSecond%60, 2, t), true
	case "SSSS", "SSSSS":
		return appendNumber(dst, s.ofDay/types.MicrosPerSecond, 1, t), true
	case "MS", "FF3":
		return appendNumber(dst, micros/1000, 3, formatToken{}), true
	case "US", "FF6":
		return appendNumber(dst, micros, 6, formatToken{}), true
	case "FF1":
		return appendNumber(dst, micros/100_000, 1, formatToken{}), true
	case "FF2":
		return appendNumber(dst, micros/10_000, 2, formatToken{}), true
	case "FF4":
		return appendNumber(dst, micros/100, 4, formatToken{}), true
	case "FF5":
		return appendNumber(dst, micros/10, 5, formatToken{}), true
	case "TZH":
		return appendSigned(dst, s.offset/3600), true
	case "TZM":
		return appendNumber(dst, int64(max(s.offset, -s.offset))/60%60, 2, formatToken{}), true
	case "OF":
		dst = appendSigned(dst, s.offset/3600)
		if minutes := int64(max(s.offset, -s.offset)) / 60 % 60; minutes != 0 {
			dst = appendNumber(append(dst, ':'), minutes, 2, formatToken{})
		}
		return dst, true
	}
	switch strings.ToUpper(t.field) {
	case "AM", "PM":
		return append(dst, inCase(t.field, map[bool]string{false: "AM", true: "PM"}[afternoon])...), true
	case "A.M.", "P.M.":
		return append(dst, inCase(t.field, map[bool]string{false: "A.M.", true: "P.M."}[afternoon])...), true
	case "TZ":
		return append(dst, inCase(t.field, s.zone)...), true
	}
	return dst, false
}

func appendSigned(dst []byte, n int) []byte {
	if n < 0 {
		return appendNumber(append(dst, '-'), int64(-n), 2, formatToken{})
	}
	return appendNumber(append(dst, '+'), int64(n), 2, formatToken{})
}

// stampOfInterval shows months and days of an interval as they are.
func stampOfInterval(v types.IntervalValue) stamp {
	return stamp{year: int(v.Months / 12), month: int(v.Months % 12), day: int(v.Days), days: int64(v.Days), ofDay: v.Micros, interval: true}
}

// zoneAbbreviation names a zone at a moment, as TZ shows it.
func zoneAbbreviation(micros int64, zone *time.Location) string {
	name, _ := time.UnixMicro(micros).In(zone).Zone()
	return name
}

// templateCache keeps the parsed template of a call.
type templateCache struct {
	text   string
	tokens []formatToken
}

func (c *templateCache) get(template string) []formatToken {
	if c.tokens == nil || c.text != template {
		c.text = strings.Clone(template)
		c.tokens = append(parseTemplate(c.text), formatToken{})
	}
	return c.tokens
}
