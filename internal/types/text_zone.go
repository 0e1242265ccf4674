package types

import (
	"strings"
	"time"

	"github.com/tarnlake/tarn/internal/sqlerr"
)

// maxZoneName is PostgreSQL's; a longer one could not be told to clients either.
const maxZoneName = 255

// LoadZone finds a time zone by its IANA name (any case), an abbreviation such as EST, or a fixed
// distance from UTC: "+02", "UTC+2" and "<+02>-02" follow POSIX, in which a positive number lies
// west of Greenwich.
func LoadZone(name string) (*time.Location, error) {
	if len(name) > maxZoneName {
		return nil, sqlerr.New(sqlerr.InvalidParameterValue, "time zone \"%s…\" not recognized", strings.ToValidUTF8(name[:maxZoneName], ""))
	}
	zone, offset, ok := lookupZone(strings.ToLower(strings.TrimSpace(name)))
	switch {
	case !ok:
		return nil, sqlerr.New(sqlerr.InvalidParameterValue, "time zone \"%s\" not recognized", name)
	case zone != nil:
		return zone, nil
	}
	return time.FixedZone(name, offset), nil
}

// LoadZoneOfTime is LoadZone for a zone written behind a time, where +2 is two hours east.
func LoadZoneOfTime(name string) (*time.Location, error) {
	if trimmed := strings.TrimSpace(name); len(trimmed) > 1 && (trimmed[0] == '+' || trimmed[0] == '-') && isDigit(trimmed[1]) {
		if offset, p := parseOffset(trimmed); p == fine {
			return time.FixedZone(name, offset), nil
		}
	}
	return LoadZone(name)
}

// lookupZone finds a zone by lower-case name; a nil zone means the fixed offset in seconds east.
func lookupZone(name string) (zone *time.Location, offset int, ok bool) {
	if name == "utc" || name == "z" || name == "zulu" || name == "gmt" {
		return nil, 0, true
	}
	if hours, found := zoneAbbreviations[name]; found {
		return nil, int(hours * 3600), true
	}
	if offset, ok = posixOffset(name); ok {
		return nil, offset, true
	}
	if len(name) < 3 || strings.ContainsAny(name, ".\\") || name == "local" {
		return nil, 0, false
	}
	for _, spelling := range [...]string{zoneSpelling(name), strings.ToUpper(name), name} {
		if zone, err := time.LoadLocation(spelling); err == nil {
			return zone, 0, true
		}
	}
	return nil, 0, false
}

// posixOffset reads "+2", "utc+2", "gmt-05:30": positive is west.
func posixOffset(name string) (int, bool) {
	rest := name
	for len(rest) > 0 && isLetter(rest[0]) {
		rest = rest[1:]
	}
	if len(rest) < 2 || rest[0] != '+' && rest[0] != '-' || !isDigit(rest[1]) {
		return 0, false
	}
	offset, p := parseOffset(rest)
	return -offset, p == fine
}

// zoneSpelling writes a lower-case zone name as the IANA database does: America/New_York.
func zoneSpelling(name string) string {
	b := []byte(name)
	word := 0
	for i := 0; i <= len(b); i++ {
		if i < len(b) && isLetter(b[i]) {
			continue
		}
		switch part := string(b[word:i]); part {
		case "of", "es", "au", "in": // Isle_of_Man, Dar_es_Salaam, Port-au-Prince
		case "gmt", "utc", "us", "nsw", "act", "lhi", "uct":
			copy(b[word:i], strings.ToUpper(part))
		default:
			if word < i {
				b[word] &^= 0x20
			}
		}
		word = i + 1
	}
	return string(b)
}

var zoneAbbreviations = map[string]float64{
	"est": -5, "edt": -4, "cst": -6, "cdt": -5, "mst": -7, "mdt": -6, "pst": -8, "pdt": -7,
	"akst": -9, "akdt": -8, "hst": -10, "ast": -4, "adt": -3, "nst": -3.5, "ndt": -2.5,
	"wet": 0, "west": 1, "bst": 1, "cet": 1, "cest": 2, "met": 1, "mest": 2, "eet": 2, "eest": 3,
	"msk": 3, "msd": 4, "ist": 2, "jst": 9, "kst": 9, "hkt": 8, "sgt": 8, "pkt": 5,
	"awst": 8, "acst": 9.5, "acdt": 10.5, "aest": 10, "aedt": 11, "nzst": 12, "nzdt": 13,
	"brt": -3, "art": -3, "clt": -4, "clst": -3, "uct": 0, "sast": 2, "wib": 7,
}
