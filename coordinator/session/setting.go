package session

import (
	"math"
	"strconv"
	"strings"

	"github.com/tarnlake/tarn/internal/sqlerr"
)

// SettingKind is how a setting's text is read.
type SettingKind uint8

// The kinds.
const (
	KindText     SettingKind = iota
	KindBool                 // on, off
	KindInteger              // Min..Max
	KindReal                 // Min..Max
	KindEnum                 // one of Choices
	KindDuration             // milliseconds, or with a unit: us, ms, s, min, h, d
	KindMemory               // kilobytes, or with a unit: B, kB, MB, GB, TB
	KindNames                // comma-separated identifiers
)

// String names the kind as pg_settings.vartype does.
func (k SettingKind) String() string {
	switch k {
	case KindBool:
		return "bool"
	case KindInteger, KindDuration, KindMemory:
		return "integer"
	case KindReal:
		return "real"
	case KindEnum:
		return "enum"
	}
	return "string"
}

// Setting is the definition of one run-time parameter.
type Setting struct {
	Name    string // as shown: "TimeZone"
	Kind    SettingKind
	Default string
	Doc     string
	Min     float64 // KindInteger, KindReal, KindDuration, KindMemory
	Max     float64
	Choices []string // KindEnum; the first of equal spellings is shown
	// Reported settings are told to the client at start and whenever they change.
	Reported bool
	// Fixed settings can be shown only.
	Fixed bool
	// Idle settings are accepted for clients' sake and change nothing.
	Idle bool

	// canonical checks a value further and gives the form to keep; current is the present value.
	canonical func(value, current string) (string, error)
}

// parse reads a value as the user wrote it and gives the form that SHOW prints.
func (d *Setting) parse(value, current string) (string, error) {
	var err error
	switch d.Kind {
	case KindBool:
		value, err = d.parseBool(value)
	case KindInteger:
		value, err = d.parseNumber(value, true)
	case KindReal:
		value, err = d.parseNumber(value, false)
	case KindEnum:
		value, err = d.parseEnum(value)
	case KindDuration:
		value, err = d.parseUnits(value, durationUnits)
	case KindMemory:
		value, err = d.parseUnits(value, memoryUnits)
	}
	if err != nil || d.canonical == nil {
		return value, err
	}
	return d.canonical(value, current)
}

func (d *Setting) invalid(value string) *sqlerr.Error {
	return sqlerr.New(sqlerr.InvalidParameterValue, "invalid value for parameter %q: %q", d.Name, value)
}

func (d *Setting) parseBool(value string) (string, error) {
	v := strings.ToLower(strings.TrimSpace(value))
	prefix := func(word string, least int) bool { return len(v) >= least && strings.HasPrefix(word, v) }
	switch {
	case prefix("true", 1), prefix("yes", 1), v == "on", v == "1":
		return "on", nil
	case prefix("false", 1), prefix("no", 1), prefix("off", 2), v == "0":
		return "off", nil
	}
	return "", sqlerr.New(sqlerr.InvalidParameterValue, "parameter %q requires a Boolean value", d.Name)
}

func (d *Setting) parseEnum(value string) (string, error) {
	for _, choice := range d.Choices {
		if strings.EqualFold(choice, strings.TrimSpace(value)) {
			return choice, nil
		}
	}
	return "", d.invalid(value).WithHint("Available values: %s.", strings.Join(d.Choices, ", "))
}

func (d *Setting) parseNumber(value string, integer bool) (string, error) {
	f, err := strconv.ParseFloat(strings.TrimSpace(value), 64)
	if err != nil || math.IsNaN(f) {
		return "", d.invalid(value)
	}
	if integer {
		f = math.RoundToEven(f)
	}
	if err := d.inRange(f, ""); err != nil {
		return "", err
	}
	return strconv.FormatFloat(f, 'f', -1, 64), nil
}

func (d *Setting) inRange(f float64, unit string) error {
	if f >= d.Min && f <= d.Max {
		return nil
	}
	show := func(f float64) string { return strconv.FormatFloat(f, 'f', -1, 64) + unit }
	return sqlerr.New(sqlerr.InvalidParameterValue, "%s is outside the valid range for parameter %q (%s .. %s)",
		show(f), d.Name, show(d.Min), show(d.Max))
}

// unit is a suffix and how many base units it is worth.
type unit struct {
	suffix string
	worth  float64
}

var (
	durationUnits = []unit{{"d", 86_400_000}, {"h", 3_600_000}, {"min", 60_000}, {"s", 1000}, {"ms", 1}, {"us", 0.001}}
	memoryUnits   = []unit{{"TB", 1 << 30}, {"GB", 1 << 20}, {"MB", 1 << 10}, {"kB", 1}, {"B", 1. / 1024}}
)

// parseUnits reads "5min" and shows it with the largest unit that divides it. Negative values
// (-1 mostly, "off") have no unit.
func (d *Setting) parseUnits(value string, units []unit) (string, error) {
	text := strings.TrimSpace(value)
	digits := strings.IndexFunc(text, func(r rune) bool { return (r < '0' || r > '9') && r != '.' && r != '-' && r != '+' })
	suffix := ""
	if digits >= 0 {
		suffix = strings.TrimSpace(text[digits:])
		text = text[:digits]
	}
	f, err := strconv.ParseFloat(text, 64)
	if err != nil {
		return "", d.invalid(value)
	}
	base, worth := "ms", 1.0
	if d.Kind == KindMemory {
		base = "kB"
	}
	if suffix != "" {
		worth = 0
		for _, u := range units {
			if u.suffix == suffix {
				worth = u.worth
			}
		}
		if worth == 0 {
			names := make([]string, len(units))
			for i, u := range units {
				names[len(units)-1-i] = strconv.Quote(u.suffix)
			}
			names[len(names)-1] = "and " + names[len(names)-1]
			return "", d.invalid(value).WithHint("Valid units for this parameter are %s.", strings.Join(names, ", "))
		}
	}
	f = math.RoundToEven(f * worth)
	if err := d.inRange(f, " "+base); err != nil {
		return "", err
	}
	return formatUnits(int64(f), units), nil
}

func formatUnits(n int64, units []unit) string {
	if n > 0 {
		for _, u := range units {
			if u.worth >= 1 && n%int64(u.worth) == 0 {
				return strconv.FormatInt(n/int64(u.worth), 10) + u.suffix
			}
		}
	}
	return strconv.FormatInt(n, 10)
}

// baseUnits gives the number behind a shown value, in milliseconds or kilobytes.
func (d *Setting) baseUnits(shown string) int64 {
	units := durationUnits
	if d.Kind == KindMemory {
		units = memoryUnits
	}
	for _, u := range units {
		if number, found := strings.CutSuffix(shown, u.suffix); found {
			if n, err := strconv.ParseInt(number, 10, 64); err == nil {
				return n * int64(u.worth)
			}
		}
	}
	n, _ := strconv.ParseInt(shown, 10, 64)
	return n
}
