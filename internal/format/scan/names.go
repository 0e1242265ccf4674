package scan

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// Names finds fields by their names: exactly or else, when there is just one such, without regard to
// letter case. It is built once and then safe for concurrent use.
type Names struct {
	exact, folded map[string]int      // the first of a name
	several       map[string]struct{} // folded names of more than one
}

// NewNames makes an index of n fields; of equal names the first is found.
func NewNames(n int, name func(i int) string) *Names {
	x := &Names{exact: make(map[string]int, n), folded: make(map[string]int, n), several: map[string]struct{}{}}
	for i := range n {
		x.Add(name(i), i)
	}
	return x
}

// Add takes in a field.
func (x *Names) Add(name string, at int) {
	if _, known := x.exact[name]; !known {
		x.exact[name] = at
	}
	key := folded(name)
	if _, known := x.folded[key]; known {
		x.several[key] = struct{}{}
	} else {
		x.folded[key] = at
	}
}

// Find gives the field's position, -1 for none.
func (x *Names) Find(name string) int {
	if at, found := x.exact[name]; found {
		return at
	}
	key := folded(name)
	if _, many := x.several[key]; many {
		return -1
	}
	if at, found := x.folded[key]; found {
		return at
	}
	return -1
}

// First is Find that gives the first of several names that differ by letter case.
func (x *Names) First(name string) int {
	if at, found := x.exact[name]; found {
		return at
	}
	if at, found := x.folded[folded(name)]; found {
		return at
	}
	return -1
}

// folded gives one name for all that strings.EqualFold takes for equal.
func folded(name string) string {
	for i := range len(name) {
		if name[i] >= utf8.RuneSelf {
			return strings.Map(leastFold, name)
		}
	}
	return strings.ToUpper(name)
}

// leastFold gives the least of the characters that differ from c by letter case only.
func leastFold(c rune) rune {
	least := c
	for other := unicode.SimpleFold(c); other != c; other = unicode.SimpleFold(other) {
		least = min(least, other)
	}
	return least
}
