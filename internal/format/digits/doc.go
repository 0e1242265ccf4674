// Package digits reads numbers and dates, as files write them most often, eight characters at a time.
//
// Every function takes the text at [at, at+n) of data, of which 16 more bytes must be readable behind
// at+n, and says no to whatever is not written plainly: the full parsers of package types read that.
package digits
