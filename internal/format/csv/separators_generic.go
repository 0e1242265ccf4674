//go:build !amd64

package csv

// separators is separatorsByWords where there is no faster way.
func separators(out *uint64, data *byte, words int, delimiter, newline uint64) {
	separatorsByWords(out, data, words, delimiter, newline)
}
