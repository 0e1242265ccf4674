package catalog

import (
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/tarnlake/tarn/internal/sqlerr"
	"github.com/tarnlake/tarn/internal/types"
)

// layout is what WITH (…) may say instead of a clause of its own.
type layout struct {
	format, location        string
	partitionedBy, sortedBy []string
}

// propertyChecks lists the properties of a table and what makes a value canonical.
func propertyChecks() map[string]func(name, value string) (string, error) {
	return map[string]func(name, value string) (string, error){
		"write_once": checkBool, "require_partition_filter": checkBool,
		"retention": checkDuration, "history_retention": checkDuration,
		"compression":      checkWord("zstd", "snappy", "gzip", "lz4", "none"),
		"target_file_size": checkSize, "row_group_size": checkCount,
		"bloom_filter_columns": checkList,
		"delimiter":            checkCharacter, "quote": checkCharacter, "escape": checkCharacter,
		"header": checkBool, "null_string": checkText, "skip_header_line_count": checkCount,
		"ignore_errors": checkBool,
	}
}

// propertyAliases are Hive's and Trino's names for the same.
func propertyAliases() map[string]string {
	return map[string]string{
		"parquet.compression": "compression", "parquet_compression": "compression", "orc.compress": "compression", "orc_compress": "compression", "skip.header.line.count": "skip_header_line_count",
		"csv_separator": "delimiter", "csv_quote": "quote", "csv_escape": "escape", "field.delim": "delimiter",
		"fields_terminated_by": "delimiter", "escaped_by": "escape", "null_defined_as": "null_string",
		"serialization.null.format": "null_string", "parquet_bloom_filter_columns": "bloom_filter_columns",
		"orc.bloom.filter.columns": "bloom_filter_columns", "orc_bloom_filter_columns": "bloom_filter_columns",
		"external_location": "location", "stored_as": "format",
	}
}

// checkProperties brings properties to their canonical names and values and takes out the layout.
func checkProperties(given map[string]string) (map[string]string, layout, error) {
	out := map[string]string{}
	var l layout
	checks, aliases := propertyChecks(), propertyAliases()
	for _, written := range slices.Sorted(maps.Keys(given)) {
		name, value := strings.ToLower(written), given[written]
		if alias, ok := aliases[name]; ok {
			name = alias
		}
		switch name {
		case "format":
			l.format = strings.ToLower(value)
			continue
		case "location":
			l.location = value
			continue
		case "partitioned_by":
			l.partitionedBy = splitList(value)
			continue
		case "sorted_by":
			l.sortedBy = splitList(value)
			continue
		}
		check, known := checks[name]
		if !known {
			return nil, l, unknownProperty(written)
		}
		canonical, err := check(name, value)
		if err != nil {
			return nil, l, err
		}
		out[name] = canonical
	}
	return out, l, nil
}

func unknownProperty(name string) error {
	e := sqlerr.New(sqlerr.InvalidParameterValue, "unrecognized table property %q", name)
	known := slices.Sorted(maps.Keys(propertyChecks()))
	known = append(known, "format", "location", "partitioned_by", "sorted_by")
	if near := nearest(strings.ToLower(name), known); near != "" {
		return e.WithHint("Perhaps you meant %q.", near)
	}
	slices.Sort(known)
	return e.WithHint("Table properties are %s.", strings.Join(known, ", "))
}

func invalidProperty(name, value, want string) error {
	return sqlerr.New(sqlerr.InvalidParameterValue, "invalid value for table property %q: %q", name, value).WithHint("%s", want)
}

func checkBool(name, value string) (string, error) {
	on, err := types.ParseBool([]byte(value))
	if err != nil {
		return "", invalidProperty(name, value, "It takes true or false.")
	}
	return strconv.FormatBool(on), nil
}

func checkText(_, value string) (string, error) { return value, nil }

func checkCharacter(name, value string) (string, error) {
	switch value {
	case `\t`:
		return "\t", nil
	case "": // none
		return "", nil
	}
	if utf8.RuneCountInString(value) != 1 || len(value) != 1 {
		return "", invalidProperty(name, value, "It takes one ASCII character.")
	}
	return value, nil
}

func checkCount(name, value string) (string, error) {
	if n, err := strconv.ParseInt(value, 10, 64); err == nil && n >= 0 {
		return strconv.FormatInt(n, 10), nil
	}
	return "", invalidProperty(name, value, "It takes a whole number.")
}

func checkWord(words ...string) func(name, value string) (string, error) {
	return func(name, value string) (string, error) {
		word := strings.ToLower(value)
		switch word {
		case "uncompressed":
			word = "none"
		case "zlib": // ORC's name
			word = "gzip"
		}
		if slices.Contains(words, word) {
			return word, nil
		}
		return "", invalidProperty(name, value, "It takes one of "+strings.Join(words, ", ")+".")
	}
}

func checkList(_, value string) (string, error) { return strings.Join(splitList(value), ","), nil }

func splitList(value string) []string {
	out := []string{}
	for _, part := range strings.Split(value, ",") {
		if part = strings.TrimSpace(part); part != "" {
			out = append(out, part)
		}
	}
	return out
}

func checkSize(name, value string) (string, error) {
	n, ok := ParseSize(value)
	if !ok || n < 1<<10 {
		return "", invalidProperty(name, value, "It takes a size such as 256MB, of at least 1kB.")
	}
	return strconv.FormatInt(n, 10), nil
}

// ParseSize reads bytes: "256MB", "1 GB", "4096"; units are powers of 1024.
func ParseSize(text string) (int64, bool) {
	lower := strings.ToLower(strings.TrimSpace(text))
	number := strings.TrimRight(lower, "abcdefghijklmnopqrstuvwxyz ")
	units := map[string]float64{"": 1, "b": 1, "kb": 1 << 10, "kib": 1 << 10, "mb": 1 << 20, "mib": 1 << 20, "gb": 1 << 30, "gib": 1 << 30, "tb": 1 << 40}
	unit, known := units[strings.TrimSpace(lower[len(number):])]
	n, err := strconv.ParseFloat(number, 64)
	if !known || err != nil || n < 0 || n*unit > 1<<62 {
		return 0, false
	}
	return int64(n * unit), true
}

func checkDuration(name, value string) (string, error) {
	if d, ok := ParseDuration(value); ok && d > 0 {
		return value, nil
	}
	return "", invalidProperty(name, value, "It takes a duration such as '90 days' or '12 hours'.")
}

// ParseDuration reads "90 days", "12h", "2 weeks".
func ParseDuration(text string) (time.Duration, bool) {
	lower := strings.ToLower(strings.TrimSpace(text))
	number := strings.TrimRight(lower, "abcdefghijklmnopqrstuvwxyz ")
	word := strings.TrimSuffix(strings.TrimSpace(lower[len(number):]), "s")
	const day = 24 * time.Hour
	units := map[string]time.Duration{"": time.Second, "sec": time.Second, "second": time.Second, "m": time.Minute, "min": time.Minute,
		"minute": time.Minute, "h": time.Hour, "hour": time.Hour, "d": day, "day": day, "w": 7 * day, "week": 7 * day,
		"month": 30 * day, "year": 365 * day}
	unit, known := units[word]
	n, err := strconv.ParseFloat(number, 64)
	if !known || err != nil || n < 0 || n*float64(unit) > float64(1<<62) {
		return 0, false
	}
	return time.Duration(n * float64(unit)), true
}

// nearest gives the name that differs least from the one written, "" if none is close.
func nearest(written string, names []string) string {
	best, least := "", len(written)/3+2
	for _, name := range names {
		if d := distance(written, name); d < least {
			best, least = name, d
		}
	}
	return best
}

// distance counts the edits between two strings (Levenshtein).
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			change := diagonal
			if a[i] != b[j] {
				change++
			}
			diagonal = row[j+1]
			row[j+1] = min(change, row[j]+1, diagonal+1)
		}
	}
	return row[len(b)]
}
