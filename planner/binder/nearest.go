package binder

import (
	"unicode/utf8"

	"github.com/tarnlake/tarn/internal/sqlerr"
)

// maxEdits is how far a suggestion may be from what was written, as in PostgreSQL.
const maxEdits = 3

// distanceLimit is the number of edits up to which a name counts as a misspelling of name.
func distanceLimit(name string) int { return min(maxEdits, utf8.RuneCountInString(name)/2) }

// nearest gives the one of names that is closest to name, "" when none is close.
func nearest(name string, names []string) string {
	written := names[:0:0] // without those that cannot be written
	for _, n := range names {
		if n != "" && n[0] != '$' {
			written = append(written, n)
		}
	}
	return sqlerr.Nearest(name, written)
}

// editDistance is Levenshtein's distance in characters.
func editDistance(a, b string) int {
	x, y := []rune(a), []rune(b)
	row := make([]int, len(y)+1)
	for j := range row {
		row[j] = j
	}
	for i := range x {
		diagonal := row[0]
		row[0] = i + 1
		for j := range y {
			above := row[j+1]
			cost := diagonal
			if x[i] != y[j] {
				cost = min(diagonal, above, row[j]) + 1
			}
			diagonal, row[j+1] = above, cost
		}
	}
	return row[len(y)]
}
