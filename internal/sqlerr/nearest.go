package sqlerr

import "unicode/utf8"

// Nearest gives the one of known that was most likely meant by a misspelt name, for a hint; "" when
// none is close.
func Nearest(name string, known []string) string {
	best, least := "", min(3, utf8.RuneCountInString(name)/2)+1
	for _, other := range known {
		if d := edits([]rune(name), []rune(other)); other != "" && d < least {
			best, least = other, d
		}
	}
	return best
}

// edits is Levenshtein's distance.
func edits(a, b []rune) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range a {
		diagonal := row[0]
		row[0] = i + 1
		for j := range b {
			change := diagonal
			if a[i] != b[j] {
				change = min(diagonal, row[j], row[j+1]) + 1
			}
			diagonal, row[j+1] = row[j+1], change
		}
	}
	return row[len(b)]
}
