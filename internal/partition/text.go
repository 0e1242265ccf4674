package partition

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/tarnlake/tarn/internal/sqlerr"
	"github.com/tarnlake/tarn/internal/types"
)

// Allowed tells whether a column of type t may partition a table.
func Allowed(t types.Type) bool {
	switch t.Kind {
	case types.Bool, types.Int16, types.Int32, types.Int64, types.Float32, types.Float64, types.Decimal,
		types.Text, types.Char, types.Name, types.Date, types.Time, types.Timestamp, types.TimestampTZ, types.UUID:
		return true
	}
	return false
}

// Format gives the canonical text of a non-null value: PostgreSQL's output, timestamps with time
// zone in UTC.
func Format(t types.Type, d types.Datum) (string, error) {
	switch t.Kind {
	case types.Bool:
		return strconv.FormatBool(d.I64 != 0), nil
	case types.Int16, types.Int32, types.Int64:
		return strconv.FormatInt(d.I64, 10), nil
	case types.Float32:
		return formatFloat(d.F64, 32), nil
	case types.Float64:
		return formatFloat(d.F64, 64), nil
	case types.Decimal:
		v := d.I128
		if t.Physical() == types.PhysInt64 {
			v = types.Int128FromInt64(d.I64)
		}
		return string(types.AppendDecimal(nil, v, int(t.Scale))), nil
	case types.Char:
		return strings.TrimRight(d.Str, " "), nil
	case types.Text, types.Name, types.JSON, types.JSONB, types.Bytea, types.InternalChar:
		return d.Str, nil
	case types.Date:
		if special, ok := specialDate(d.I64); ok {
			return special, nil
		}
		return formatCivil(time.Unix(d.I64*86_400, 0).UTC(), "-01-02"), nil
	case types.Time:
		return trimFraction(time.UnixMicro(d.I64).UTC().Format("15:04:05.000000")), nil
	case types.Timestamp:
		return formatTimestamp(d.I64, ""), nil
	case types.TimestampTZ:
		return formatTimestamp(d.I64, "+00"), nil
	case types.UUID:
		h := fmt.Sprintf("%016x%016x", uint64(d.I128.Hi), d.I128.Lo)
		return h[:8] + "-" + h[8:12] + "-" + h[12:16] + "-" + h[16:20] + "-" + h[20:], nil
	}
	return "", sqlerr.New(sqlerr.FeatureNotSupported, "values of type %s cannot name a partition", t)
}

func specialDate(days int64) (string, bool) {
	switch days {
	case math.MaxInt32:
		return "infinity", true
	case math.MinInt32:
		return "-infinity", true
	}
	return "", false
}

func formatTimestamp(micros int64, zone string) string {
	switch micros {
	case math.MaxInt64:
		return "infinity"
	case math.MinInt64:
		return "-infinity"
	}
	return trimFraction(formatCivil(time.UnixMicro(micros).UTC(), "-01-02 15:04:05.000000")) + zone
}

// formatCivil writes at least four digits of the year and keeps the order of years before 1.
func formatCivil(at time.Time, rest string) string {
	year := at.Year()
	if year < 0 {
		return fmt.Sprintf("-%04d", -year) + at.Format(rest)
	}
	return fmt.Sprintf("%04d", year) + at.Format(rest)
}

func trimFraction(s string) string {
	return strings.TrimSuffix(strings.TrimRight(s, "0"), ".")
}

func formatFloat(f float64, bits int) string {
	switch {
	case math.IsNaN(f):
		return "NaN"
	case math.IsInf(f, 1):
		return "Infinity"
	case math.IsInf(f, -1):
		return "-Infinity"
	case f == 0:
		return "0"
	}
	return strconv.FormatFloat(f, 'g', -1, bits)
}

// Parse reads what Format writes and the usual ISO variants of it.
func Parse(t types.Type, s string) (types.Datum, error) {
	switch t.Kind {
	case types.Bool:
		switch strings.ToLower(s) {
		case "true", "t", "1", "yes", "on":
			return types.BoolDatum(true), nil
		case "false", "f", "0", "no", "off":
			return types.BoolDatum(false), nil
		}
	case types.Int16, types.Int32, types.Int64:
		return parseInt(t, s)
	case types.Float32, types.Float64:
		bits := 64
		if t.Kind == types.Float32 {
			bits = 32
		}
		if f, err := strconv.ParseFloat(s, bits); err == nil {
			return types.FloatDatum(f), nil
		}
	case types.Decimal:
		return parseDecimal(t, s)
	case types.Text, types.Name, types.JSON, types.JSONB, types.Bytea, types.InternalChar:
		return types.StringDatum(s), nil
	case types.Char:
		return types.StringDatum(strings.TrimRight(s, " ")), nil
	case types.Date, types.Time, types.Timestamp, types.TimestampTZ:
		return parseTemporal(t, s)
	case types.UUID:
		return parseUUID(s)
	default:
		return types.Datum{}, sqlerr.New(sqlerr.FeatureNotSupported, "values of type %s cannot name a partition", t)
	}
	return types.Datum{}, invalid(t, s)
}

func invalid(t types.Type, s string) error {
	return sqlerr.New(sqlerr.InvalidTextRepresentation, "invalid input syntax for type %s: %q", t.Base(), s)
}

func badKey(key string) error {
	return sqlerr.New(sqlerr.DataCorrupted, "partition %q has fewer values than the table has partition columns", key)
}

func parseInt(t types.Type, s string) (types.Datum, error) {
	bits := map[types.Kind]int{types.Int16: 16, types.Int32: 32, types.Int64: 64}[t.Kind]
	v, err := strconv.ParseInt(strings.TrimSpace(s), 10, bits)
	if err == nil {
		return types.IntDatum(v), nil
	}
	if numError, ok := err.(*strconv.NumError); ok && numError.Err == strconv.ErrRange {
		return types.Datum{}, sqlerr.New(sqlerr.NumericValueOutOfRange, "value %q is out of range for type %s", s, t.Base())
	}
	return types.Datum{}, invalid(t, s)
}

func parseDecimal(t types.Type, s string) (types.Datum, error) {
	text := strings.TrimSpace(s)
	digits, negative := strings.TrimPrefix(text, "-"), strings.HasPrefix(text, "-")
	whole, fraction, _ := strings.Cut(digits, ".")
	if whole == "" && fraction == "" {
		return types.Datum{}, invalid(t, s)
	}
	fraction = strings.TrimRight(fraction, "0")
	if len(fraction) > int(t.Scale) {
		return types.Datum{}, sqlerr.New(sqlerr.InvalidTextRepresentation, "value %q has more digits after the point than %s", s, t)
	}
	all := whole + fraction + strings.Repeat("0", int(t.Scale)-len(fraction))
	var v types.Int128
	for _, c := range []byte(all) {
		if c < '0' || c > '9' {
			return types.Datum{}, invalid(t, s)
		}
		scaled, ok := v.MulChecked(types.Int128FromInt64(10))
		if !ok {
			return types.Datum{}, sqlerr.New(sqlerr.NumericValueOutOfRange, "numeric field overflow")
		}
		v = scaled.Add(types.Int128FromInt64(int64(c - '0')))
	}
	if !v.FitsPrecision(int(t.Precision)) {
		return types.Datum{}, sqlerr.New(sqlerr.NumericValueOutOfRange, "numeric field overflow")
	}
	if negative {
		v = v.Neg()
	}
	if t.Physical() == types.PhysInt64 {
		small, _ := v.Int64()
		return types.IntDatum(small), nil
	}
	return types.Datum{I128: v}, nil
}

// layouts are tried in order; Hive writes timestamps with a space, Spark with a 'T' escaped or not.
var layouts = [...]string{
	"2006-01-02", "2006-01-02 15:04:05.999999", "2006-01-02T15:04:05.999999", "2006-01-02 15:04",
	"2006-01-02 15:04:05.999999-07", "2006-01-02 15:04:05.999999-07:00", "2006-01-02T15:04:05.999999Z07:00",
}

func parseTemporal(t types.Type, s string) (types.Datum, error) {
	if t.Kind == types.Time {
		for _, layout := range [...]string{"15:04:05.999999", "15:04"} {
			if at, err := time.Parse(layout, s); err == nil {
				return types.IntDatum(at.Sub(at.Truncate(24 * time.Hour)).Microseconds()), nil
			}
		}
		return types.Datum{}, invalidTime(t, s)
	}
	if v, ok := infinity(t, s); ok {
		return types.IntDatum(v), nil
	}
	text, shift := s, 0
	if parts := strings.SplitN(strings.TrimPrefix(s, "-"), "-", 2); len(parts) == 2 && (len(parts[0]) > 4 || s[0] == '-') {
		// time.Parse reads four digits: read a stand-in year that is leap exactly when the real one is.
		year, err := strconv.Atoi(parts[0])
		if err != nil || year > 300_000 {
			return types.Datum{}, invalidTime(t, s)
		}
		if s[0] == '-' {
			year = -year
		}
		stand := 2000 + ((year%400)+400)%400
		text, shift = fmt.Sprintf("%04d-%s", stand, parts[1]), year-stand
	}
	for _, layout := range layouts {
		at, err := time.Parse(layout, text)
		if err != nil {
			continue
		}
		at = at.AddDate(shift, 0, 0).UTC()
		if t.Kind != types.Date {
			return types.IntDatum(at.UnixMicro()), nil
		}
		if at.Hour() == 0 && at.Minute() == 0 && at.Second() == 0 && at.Nanosecond() == 0 {
			return types.IntDatum(at.Unix() / 86_400), nil
		}
	}
	return types.Datum{}, invalidTime(t, s)
}

func infinity(t types.Type, s string) (int64, bool) {
	date := t.Kind == types.Date
	switch {
	case s == "infinity" && date:
		return math.MaxInt32, true
	case s == "infinity":
		return math.MaxInt64, true
	case s == "-infinity" && date:
		return math.MinInt32, true
	case s == "-infinity":
		return math.MinInt64, true
	}
	return 0, false
}

func invalidTime(t types.Type, s string) error {
	return sqlerr.New(sqlerr.InvalidDatetimeFormat, "invalid input syntax for type %s: %q", t.Base(), s)
}

func parseUUID(s string) (types.Datum, error) {
	h := strings.ReplaceAll(s, "-", "")
	if len(h) != 32 {
		return types.Datum{}, invalid(types.Of(types.UUID), s)
	}
	high, errHigh := strconv.ParseUint(h[:16], 16, 64)
	low, errLow := strconv.ParseUint(h[16:], 16, 64)
	if errHigh != nil || errLow != nil {
		return types.Datum{}, invalid(types.Of(types.UUID), s)
	}
	return types.Datum{I128: types.Int128{Lo: low, Hi: int64(high)}}, nil
}
