package session

import (
	"strconv"
	"strings"
	"time"

	"github.com/tarnlake/tarn/internal/sqlerr"
	"github.com/tarnlake/tarn/internal/types"
)

// LoadZone finds a time zone as SET TIME ZONE does: a name of the IANA database without regard to
// case, an abbreviation, hours east of Greenwich ("-7", "5.5"), or POSIX's form with hours west of it
// ("<+03>-03", "GMT-02:00"). The location's String gives the name to show.
func LoadZone(name string) (*time.Location, error) {
	text := strings.TrimSpace(name)
	switch strings.ToLower(text) {
	case "utc", "z", "zulu", "universal", "default", "local", "":
		return time.UTC, nil
	}
	if hours, err := strconv.ParseFloat(text, 64); err == nil {
		if !(hours >= -168 && hours <= 168) {
			return nil, unknownZone(name)
		}
		return fixedZone(int(hours * 3600)), nil
	}
	if seconds, ok := posixOffset(text); ok {
		return time.FixedZone(text, seconds), nil
	}
	zone, err := types.LoadZone(text)
	if err != nil {
		return nil, unknownZone(name)
	}
	return zone, nil
}

func unknownZone(name string) error {
	return sqlerr.New(sqlerr.InvalidParameterValue, "invalid value for parameter %q: %q", "TimeZone", name)
}

// fixedZone gives the zone seconds east of Greenwich under PostgreSQL's name for it, "<-07>+07".
func fixedZone(seconds int) *time.Location {
	if seconds == 0 {
		return time.FixedZone("<+00>-00", 0)
	}
	return time.FixedZone("<"+offsetText(seconds)+">"+offsetText(-seconds), seconds)
}

func offsetText(seconds int) string {
	sign := byte('+')
	if seconds < 0 {
		sign, seconds = '-', -seconds
	}
	pad := func(n int) string {
		if n < 10 {
			return "0" + strconv.Itoa(n)
		}
		return strconv.Itoa(n)
	}
	out := string(sign) + pad(seconds/3600)
	if seconds%3600 != 0 {
		out += ":" + pad(seconds%3600/60)
	}
	if seconds%60 != 0 {
		out += ":" + pad(seconds%60)
	}
	return out
}

// posixOffset reads "<abbr>[+-]hh[:mm[:ss]]" or "abc[+-]hh…"; positive is west.
func posixOffset(text string) (secondsEast int, ok bool) {
	rest := text
	if strings.HasPrefix(rest, "<") {
		end := strings.IndexByte(rest, '>')
		if end < 0 {
			return 0, false
		}
		rest = rest[end+1:]
	} else {
		rest = strings.TrimLeft(rest, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz")
	}
	if rest == "" {
		return 0, false
	}
	sign := -1
	switch rest[0] {
	case '-':
		sign, rest = 1, rest[1:]
	case '+':
		rest = rest[1:]
	}
	total, worth := 0, 3600
	for i, part := range strings.Split(rest, ":") {
		n, err := strconv.Atoi(part)
		if err != nil || n < 0 || i > 2 || i == 0 && n > 167 || i > 0 && n > 59 {
			return 0, false
		}
		total += n * worth
		worth /= 60
	}
	return sign * total, true
}
