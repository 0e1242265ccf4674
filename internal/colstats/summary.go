package colstats

import (
	"cmp"
	"slices"
	"unicode/utf8"

	"github.com/tarnlake/tarn/internal/types"
)

// Summary describes a set of rows.
type Summary struct {
	Rows    int64
	Columns []Column // ascending by ID
}

// Column describes one column of a Summary. Minimum and Maximum bound all non-null values; nil is
// unknown, or that there are none. Long strings have bounds that are not values themselves.
type Column struct {
	ID               int32
	Physical         types.Physical
	Nulls            int64
	Bytes            int64 // sum of the lengths of strings
	Distinct         float64
	Minimum, Maximum *types.Datum
}

// Column finds a column by ID; nil if nothing is known of it.
func (s *Summary) Column(id int32) *Column {
	for i := range s.Columns {
		if s.Columns[i].ID == id {
			return &s.Columns[i]
		}
	}
	return nil
}

// Sort brings Columns into order.
func (s *Summary) Sort() {
	slices.SortFunc(s.Columns, func(a, b Column) int { return cmp.Compare(a.ID, b.ID) })
}

// Merge adds the rows that other describes. A column that only one of two non-empty summaries knows
// becomes unknown: nothing bounds its values in the other.
func (s *Summary) Merge(other *Summary, typeOf func(id int32) (types.Type, bool)) {
	if other.Rows == 0 {
		return
	}
	if s.Rows == 0 {
		s.Rows = other.Rows
		s.Columns = append([]Column(nil), other.Columns...)
		return
	}
	kept := make([]Column, 0, len(s.Columns))
	for _, c := range s.Columns {
		o := other.Column(c.ID)
		t, known := typeOf(c.ID)
		if o == nil || !known || o.Physical != c.Physical {
			continue
		}
		c.merge(o, t, s.Rows, other.Rows)
		kept = append(kept, c)
	}
	s.Columns = kept
	s.Rows += other.Rows
}

func (c *Column) merge(o *Column, t types.Type, rows, otherRows int64) {
	mine, theirs := c.Nulls < rows, o.Nulls < otherRows // whether there are values at all
	c.Minimum = mergeBound(c.Minimum, o.Minimum, mine, theirs, t, -1)
	c.Maximum = mergeBound(c.Maximum, o.Maximum, mine, theirs, t, 1)
	c.Nulls += o.Nulls
	c.Bytes += o.Bytes
	// Between the larger (same values) and the sum (disjoint values); sketches say it better.
	c.Distinct = max(c.Distinct, o.Distinct)
}

func mergeBound(a, b *types.Datum, haveA, haveB bool, t types.Type, sign int) *types.Datum {
	switch {
	case !haveA:
		return b
	case !haveB:
		return a
	case a == nil || b == nil:
		return nil
	case types.CompareDatums(t, *b, *a)*sign > 0:
		return b
	}
	return a
}

// boundLength is the longest string kept as a bound.
const boundLength = 32

// lowerBound gives a string of at most boundLength bytes that is not above s.
func lowerBound(s string) string {
	if len(s) <= boundLength {
		return s
	}
	cut := boundLength
	for cut > boundLength-utf8.UTFMax && !utf8.RuneStart(s[cut]) {
		cut--
	}
	return s[:cut]
}

// upperBound gives a short string that is not below s, false when there is none.
func upperBound(s string) (string, bool) {
	if len(s) <= boundLength {
		return s, true
	}
	prefix := lowerBound(s)
	for len(prefix) > 0 {
		r, size := utf8.DecodeLastRuneInString(prefix)
		if r == utf8.RuneError && size == 1 {
			return "", false // not text; a byte above 0xff does not exist
		}
		prefix = prefix[:len(prefix)-size]
		if next := nextRune(r); next > 0 {
			return prefix + string(next), true
		}
	}
	return "", false
}

func nextRune(r rune) rune {
	switch {
	case r == 0xd7ff:
		return 0xe000
	case r == utf8.MaxRune:
		return 0
	}
	return r + 1
}
