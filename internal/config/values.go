package config

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

// Size is a number of bytes, written "4GB", "512MB" or as a plain number.
type Size int64

// sizeUnits are binary multiples, as PostgreSQL's are; longer suffixes come first.
var sizeUnits = []struct {
	suffix string
	bytes  int64
}{
	{"tib", 1 << 40}, {"gib", 1 << 30}, {"mib", 1 << 20}, {"kib", 1 << 10},
	{"tb", 1 << 40}, {"gb", 1 << 30}, {"mb", 1 << 20}, {"kb", 1 << 10},
	{"t", 1 << 40}, {"g", 1 << 30}, {"m", 1 << 20}, {"k", 1 << 10}, {"b", 1}, {"", 1},
}

// ParseSize reads a size.
func ParseSize(text string) (Size, error) {
	lower := strings.ToLower(strings.TrimSpace(text))
	for _, unit := range sizeUnits {
		number, found := strings.CutSuffix(lower, unit.suffix)
		if !found {
			continue
		}
		f, err := strconv.ParseFloat(strings.TrimSpace(number), 64)
		if err != nil || f < 0 || math.IsNaN(f) || f*float64(unit.bytes) >= math.MaxInt64 {
			break
		}
		return Size(math.Round(f * float64(unit.bytes))), nil
	}
	return 0, fmt.Errorf("%q is not a size: write a number with kB, MB, GB or TB, such as \"4GB\"", text)
}

// UnmarshalText reads a size.
func (s *Size) UnmarshalText(text []byte) error {
	v, err := ParseSize(string(text))
	if err == nil {
		*s = v
	}
	return err
}

// String writes a size so that ParseSize reads it back.
func (s Size) String() string {
	for _, unit := range []struct {
		suffix string
		bytes  Size
	}{{"TB", 1 << 40}, {"GB", 1 << 30}, {"MB", 1 << 20}, {"kB", 1 << 10}} {
		if s != 0 && s%unit.bytes == 0 {
			return strconv.FormatInt(int64(s/unit.bytes), 10) + unit.suffix
		}
	}
	return strconv.FormatInt(int64(s), 10)
}

// Duration is a time span, written "30s", "5min", "1h30m" or "2d".
type Duration time.Duration

// ParseDuration reads a time span.
func ParseDuration(text string) (Duration, error) {
	trimmed := strings.TrimSpace(text)
	if days, found := strings.CutSuffix(trimmed, "d"); found {
		if f, err := strconv.ParseFloat(days, 64); err == nil && f >= 0 && f < 1e6 {
			return Duration(f * 24 * float64(time.Hour)), nil
		}
	}
	if d, err := time.ParseDuration(strings.ReplaceAll(trimmed, "min", "m")); err == nil && d >= 0 {
		return Duration(d), nil
	}
	if trimmed == "0" {
		return 0, nil
	}
	return 0, fmt.Errorf("%q is not a time span: write a number with ms, s, min, h or d, such as \"30s\"", text)
}

// UnmarshalText reads a time span.
func (d *Duration) UnmarshalText(text []byte) error {
	v, err := ParseDuration(string(text))
	if err == nil {
		*d = v
	}
	return err
}

// String writes the span with one unit where that is exact.
func (d Duration) String() string {
	for _, unit := range []struct {
		suffix string
		span   Duration
	}{{"d", Duration(24 * time.Hour)}, {"h", Duration(time.Hour)}, {"min", Duration(time.Minute)}, {"s", Duration(time.Second)}, {"ms", Duration(time.Millisecond)}} {
		if d != 0 && d%unit.span == 0 {
			return strconv.FormatInt(int64(d/unit.span), 10) + unit.suffix
		}
	}
	if d == 0 {
		return "0"
	}
	return time.Duration(d).String()
}
