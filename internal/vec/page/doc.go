// Package page is the form in which batches travel between tasks. Every page decodes alone.
//
//	page:   magic ‖ rows ‖ checksum of the rest ‖ column …
//	column: encoding, flags, layout, count ‖ validity words ‖ values ‖ children
//
// Values are the vectors' own, Arrow-layout buffers, each on an 8-byte boundary: encoding a flat
// column is one copy, decoding it none. Strings are their views, followed by the bytes of the long
// ones; a small dictionary travels with the page, a large one is resolved; constants stay constants.
//
// Decode trusts nothing: whatever the bytes are, it gives a batch that is safe to compute with, or
// an error.
package page
