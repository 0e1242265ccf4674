package csv

import (
	"bytes"
	"math/bits"

	"github.com/tarnlake/tarn/internal/sqlerr"
)

// span is a field's text in the block.
type span struct {
	at    uint32
	flags uint32 // length and the flags below
}

const (
	quotedFlag  = 1 << 31
	escapedFlag = 1 << 30 // holds escapes
	lengthMask  = escapedFlag - 1
)

// maxRecord bounds a record's length.
const maxRecord = 256 << 20

// padding is readable behind every block.
const padding = 64

// tokenizer finds the fields of records in a block.
type tokenizer struct {
	format    Format
	delimiter uint64 // repeated in every byte
	newline   uint64
	fields    int      // of a record
	slots     []int32  // of each field: where its spans begin, -1 when not wanted
	spans     []span   // of a slot's rows, and then the next one's
	lines     []int64  // of each record
	masks     []uint64 // a bit for each byte that is a delimiter or a line break

	data  []byte // the block, with padding behind
	at    int
	end   int
	limit int  // records begin before it; at most end
	final bool // nothing follows the block
	line  int64
	rows  int
}

func repeatByte(c byte) uint64 { return uint64(c) * 0x0101010101010101 }

// badRecord is a record that does not have the right shape.
type badRecord struct {
	line  int64
	error *sqlerr.Error
	next  int // position behind it
	// quoting tells that a quote is where none may be, or none where one must be.
	quoting bool
}

// record outcomes.
type outcome uint8

const (
	recordTaken outcome = iota
	recordBlank
	recordCut // it may go on behind the block
	recordBad
)

// record reads the next record. Its fields go to row t.rows of the spans.
func (t *tokenizer) record() (outcome, badRecord) {
	if t.fields > 1 {
		if c := t.data[t.at]; c == t.format.Newline || c == '\r' && (t.at+1 < t.end && t.data[t.at+1] == t.format.Newline || t.final && t.at+1 == t.end) {
			if c == '\r' && t.format.Newline != '\r' {
				t.at++
			}
			t.at = min(t.at+1, t.end)
			t.line++
			return recordBlank, badRecord{}
		}
	}
	at, column, breaks := t.at, 0, int64(0)
	data, masks, newline, quote := t.data, t.masks, t.format.Newline, t.quote()
	slots, spans := t.slots, t.spans[min(t.rows, len(t.spans)):]
	word := at >> 6
	mask := masks[word] &^ (1<<(at&63) - 1)
	var problem *sqlerr.Error
	for {
		var s span
		if int(data[at]) == quote && at < t.end {
			var wrong *sqlerr.Error
			if s, at, wrong = t.quotedField(at); at < 0 {
				if !t.final {
					return recordCut, badRecord{}
				}
				return recordBad, badRecord{t.line, wrong, t.end, true}
			}
			if problem == nil {
				problem = wrong
			}
			breaks += int64(bytes.Count(data[s.at:s.at+s.flags&lengthMask], []byte{newline}))
			word = at >> 6
			mask = masks[word] &^ (1<<(at&63) - 1) & ^(1 << (at & 63))
		} else {
			for mask == 0 {
				word++
				mask = masks[word]
			}
			stop := word<<6 | bits.TrailingZeros64(mask)
			mask &= mask - 1
			s = span{uint32(at), uint32(stop - at)}
			at = stop
		}
		if at >= t.end && !t.final {
			return recordCut, badRecord{}
		}
		if at >= t.end || data[at] == newline {
			if n := s.flags & lengthMask; s.flags&quotedFlag == 0 && n > 0 && data[s.at+n-1] == '\r' {
				s.flags--
			}
			t.put(column, t.rows, s)
			column++
			at = min(at+1, t.end)
			break
		}
		if column < len(slots) && slots[column] >= 0 {
			spans[slots[column]] = s
		}
		column++
		at++
	}
	line := t.line
	t.line += breaks + 1
	quoting := problem != nil
	if problem == nil && column != t.fields {
		problem = t.countProblem(column)
	}
	t.at = at
	if problem != nil {
		return recordBad, badRecord{line, problem, at, quoting}
	}
	t.lines[t.rows] = line
	return recordTaken, badRecord{}
}

// quotedField reads the field whose opening quote is at at and gives the position of its terminator,
// negative when the field does not end in the block.
func (t *tokenizer) quotedField(at int) (span, int, *sqlerr.Error) {
	closing, escaped, ok := t.closingQuote(at + 1)
	if !ok {
		return span{}, -1, sqlerr.New(sqlerr.BadCopyFileFormat, "unterminated CSV quoted field")
	}
	s := span{uint32(at + 1), uint32(closing-at-1) | quotedFlag}
	if escaped {
		s.flags |= escapedFlag
	}
	at = closing + 1
	if at == t.end || t.data[at] == t.format.Delimiter || t.data[at] == t.format.Newline {
		return s, at, nil
	}
	if t.data[at] == '\r' {
		switch {
		case at+1 < t.end && t.data[at+1] == t.format.Newline, at+1 == t.end && t.final:
			return s, at + 1, nil
		case at+1 == t.end:
			return s, -1, nil // the newline may follow in the next block
		}
	}
	return s, t.fieldEnd(at), sqlerr.New(sqlerr.BadCopyFileFormat, "unexpected character %q after a quoted CSV field", t.data[at])
}

func (t *tokenizer) put(column, row int, s span) {
	if column < len(t.slots) {
		if slot := t.slots[column]; slot >= 0 {
			t.spans[int(slot)+row] = s
		}
	}
}

// countProblem judges a record of another number of fields than it should have.
func (t *tokenizer) countProblem(column int) *sqlerr.Error {
	if column > t.fields {
		return sqlerr.New(sqlerr.BadCopyFileFormat, "extra data after last expected column").
			WithDetail("The record has %d fields, %d were expected.", column, t.fields)
	}
	if !t.format.NullPadding {
		return sqlerr.New(sqlerr.BadCopyFileFormat, "missing data for column %d", column+1).
			WithDetail("The record has %d fields, %d were expected.", column, t.fields)
	}
	for ; column < t.fields; column++ {
		t.put(column, t.rows, span{missing, 0})
	}
	return nil
}

// missing is the position of a field that is not there.
const missing = 1<<32 - 1

// fieldEnd gives the position of the next delimiter or newline from at on, at most the block's end.
func (t *tokenizer) fieldEnd(at int) int {
	word := at >> 6
	mask := t.masks[word] &^ (1<<(at&63) - 1)
	for mask == 0 {
		word++
		mask = t.masks[word]
	}
	return word<<6 | bits.TrailingZeros64(mask)
}

// quote is the quote's code, -1 for none.
func (t *tokenizer) quote() int {
	if t.format.Quote == 0 {
		return -1
	}
	return int(t.format.Quote)
}

// closingQuote gives the position of the quote that ends a field whose text starts at at.
func (t *tokenizer) closingQuote(at int) (closing int, escaped, ok bool) {
	quote, escape := t.format.Quote, t.format.Escape
	for {
		n := bytes.IndexByte(t.data[at:t.end], quote)
		if escape != quote && escape != 0 {
			rest := t.data[at:t.end]
			if n >= 0 {
				rest = rest[:n]
			}
			if e := bytes.IndexByte(rest, escape); e >= 0 {
				if at+e+2 > t.end {
					return 0, false, false
				}
				escaped = true
				at += e + 2
				continue
			}
		}
		if n < 0 {
			return 0, false, false
		}
		at += n
		if escape == quote {
			if at+1 < t.end && t.data[at+1] == quote {
				escaped = true
				at += 2
				continue
			}
			if at+1 == t.end && !t.final {
				return 0, false, false
			}
		}
		return at, escaped, true
	}
}

// unescape appends a quoted field's text without its escapes.
func (t *tokenizer) unescape(dst, text []byte) []byte {
	escape := t.format.Escape
	for {
		n := bytes.IndexByte(text, escape)
		if n < 0 || n+1 >= len(text) {
			return append(dst, text...)
		}
		dst = append(dst, text[:n]...)
		dst = append(dst, text[n+1])
		text = text[n+2:]
	}
}
