package scan

import "strings"

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
