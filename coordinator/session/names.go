package session

import (
	"strings"

	"github.com/tarnlake/tarn/internal/sqlerr"
	"github.com/tarnlake/tarn/planner/optimizer"
)

// splitNames reads a comma-separated list of identifiers: bare ones fold to lower case, "quoted"
// ones stay.
func splitNames(list string) ([]string, error) {
	var names []string
	rest := strings.TrimSpace(list)
	for rest != "" {
		var name string
		if rest[0] == '"' {
			var b strings.Builder
			i := 1
			for ; ; i++ {
				if i >= len(rest) {
					return nil, sqlerr.New(sqlerr.InvalidParameterValue, "invalid list syntax: unterminated quoted identifier in %q", list)
				}
				if rest[i] == '"' {
					if i+1 >= len(rest) || rest[i+1] != '"' {
						break
					}
					i++
				}
				b.WriteByte(rest[i])
			}
			name, rest = b.String(), strings.TrimSpace(rest[i+1:])
		} else {
			end := strings.IndexByte(rest, ',')
			if end < 0 {
				end = len(rest)
			}
			name, rest = strings.ToLower(strings.TrimSpace(rest[:end])), rest[end:]
			if name == "" || strings.ContainsAny(name, " \t\n") {
				return nil, sqlerr.New(sqlerr.InvalidParameterValue, "invalid list syntax in %q", list)
			}
		}
		names = append(names, name)
		if rest != "" {
			if rest[0] != ',' || len(rest) == 1 {
				return nil, sqlerr.New(sqlerr.InvalidParameterValue, "invalid list syntax in %q", list)
			}
			rest = strings.TrimSpace(rest[1:])
		}
	}
	return names, nil
}

// quoteName writes a name so that splitNames reads it back.
func quoteName(name string) string {
	plain := name != ""
	for i, r := range name {
		if r != '_' && (r < 'a' || r > 'z') && (i == 0 || (r < '0' || r > '9') && r != '$') {
			plain = false
		}
	}
	if plain {
		return name
	}
	return `"` + strings.ReplaceAll(name, `"`, `""`) + `"`
}

func joinNames(names []string) string {
	quoted := make([]string, len(names))
	for i, name := range names {
		quoted[i] = quoteName(name)
	}
	return strings.Join(quoted, ", ")
}

func canonicalNames(value, _ string) (string, error) {
	names, err := splitNames(value)
	if err != nil {
		return "", err
	}
	return joinNames(names), nil
}

// canonicalPasses wants names of optimizer passes that may be left out.
func canonicalPasses(value, current string) (string, error) {
	value, err := canonicalNames(value, current)
	if err != nil {
		return "", err
	}
	names, err := splitNames(value)
	if err != nil {
		return "", err
	}
	return value, optimizer.CheckDisabled(names)
}
