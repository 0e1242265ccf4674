package scan

import "strings"

// FieldNamed finds a field of a file: the one of exactly that name or else, when there is just one
// such, of that name in other case; -1 for none.
func FieldNamed[F any](fields []F, nameOf func(F) string, name string) int {
	folded, others := -1, 0
	for i, f := range fields {
		known := nameOf(f)
		if known == name {
			return i
		}
		if strings.EqualFold(known, name) {
			folded = i
			others++
		}
	}
	if others > 1 {
		return -1
	}
	return folded
}

// MemberNamed finds a field of a row that has the field wanted as its at-th of all: the one at the
// same place when it has the name or names are missing, else the first by name, exactly or in other
// case; -1 for none.
func MemberNamed[F any](members []F, nameOf func(F) string, name string, at, all int) int {
	if at < len(members) && (nameOf(members[at]) == name || name == "" && all == len(members)) {
		return at
	}
	folded := -1
	for i, m := range members {
		known := nameOf(m)
		if known == name {
			return i
		}
		if folded < 0 && strings.EqualFold(known, name) {
			folded = i
		}
	}
	return folded
}
