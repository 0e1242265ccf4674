package binder

import (
	"strconv"
	"strings"
)

// intervalWithFields gives the text that reads the same without the qualifier: INTERVAL '3' DAY is
// interval '3 day', and '05:10' MINUTE TO SECOND is '00:05:10'.
func intervalWithFields(text, fields string) string {
	trimmed := strings.TrimSpace(text)
	last := fields[strings.LastIndexByte(fields, ' ')+1:]
	if _, err := strconv.ParseFloat(trimmed, 64); err == nil {
		return trimmed + " " + strings.ToLower(last)
	}
	if fields == "MINUTE TO SECOND" && strings.Count(trimmed, ":") == 1 {
		if rest, negative := strings.CutPrefix(trimmed, "-"); negative {
			return "-00:" + rest
		}
		return "00:" + trimmed
	}
	return text
}

// negateInterval puts a minus before every field of an interval's text.
func negateInterval(text string) string {
	parts := strings.Fields(text)
	for i, p := range parts {
		switch {
		case p[0] == '-':
			parts[i] = p[1:]
		case p[0] == '+':
			parts[i] = "-" + p[1:]
		case p[0] >= '0' && p[0] <= '9':
			parts[i] = "-" + p
		}
	}
	return strings.Join(parts, " ")
}
