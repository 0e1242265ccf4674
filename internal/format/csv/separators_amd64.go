package csv

// separators sets, for each of words times 64 bytes from data on, the bits of those bytes in one word of
// out that are one of two characters, both given as a word of eight.
//
//go:noescape
func separators(out *uint64, data *byte, words int, delimiter, newline uint64)
