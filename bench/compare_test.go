package main

import (
	"strings"
	"testing"
)

// table makes rows of cells; "NULL" is NULL.
func table(rows ...string) [][]cell {
	var out [][]cell
	for _, row := range rows {
		var cells []cell
		for text := range strings.SplitSeq(row, "|") {
			if text == "NULL" {
				cells = append(cells, nil)
				continue
			}
			cells = append(cells, &text)
		}
		out = append(out, cells)
	}
	return out
}

func TestDifference(t *testing.T) {
	for _, test := range []struct {
		name      string
		want, got [][]cell
		differs   string
	}{
		{"nothing", nil, nil, ""},
		{"equal", table("i1|sx|NULL"), table("i1|sx|NULL"), ""},
		{"a row less", table("i1", "i2"), table("i1"), "1 rows instead of 2"},
		{"a column more", table("i1"), table("i1|i1"), "2 columns instead of 1"},
		{"another text", table("i1|sx"), table("i1|sy"), "row 1, column 2: y instead of x"},
		{"trailing space", table("sx"), table("sx "), "row 1, column 1: x  instead of x"},
		{"NULL is not empty", table("NULL"), table("s"), "row 1, column 1:  instead of NULL"},
		{"NULL for a value", table("i1"), table("NULL"), "row 1, column 1: NULL instead of 1"},
		{"integer and decimal", table("i12", "d-0.50"), table("d12.00", "d-0.5"), ""},
		{"a cent in 50 billion", table("d50000000000.01"), table("d50000000000.02"),
			"row 1, column 1: 50000000000.02 instead of 50000000000.01"},
		{"the same in floating point", table("f50000000000.01"), table("d50000000000.02"), ""},
		{"within 1e-9", table("f0.123456789012"), table("f0.1234567890121"), ""},
		{"beyond 1e-9", table("f0.123456789"), table("f0.12345679"), "row 1, column 1: 0.12345679 instead of 0.123456789"},
		{"exponents", table("f1e+22"), table("d10000000000000000000000"), ""},
		{"a quotient of 16 digits", table("f1.2345678901234567e-10"), table("d0.0000000001234568"), ""},
		{"a quotient cut too early", table("f0.3333333333333333"), table("d0.33"), "row 1, column 1: 0.33 instead of 0.3333333333333333"},
		{"NaN", table("fnan"), table("fNaN"), ""},
		{"infinity", table("finf"), table("f1e300"), "row 1, column 1: 1e300 instead of inf"},
		{"ties in another order", table("i1|sa", "i1|sb", "i2|sc"), table("i1|sb", "i1|sa", "i2|sc"), ""},
		{"ties beside floating point", table("f0.1|sa", "f0.3|sb"), table("f0.30000000000000004|sb", "f0.1|sa"), ""},
		{"decimals sort as numbers do", table("d1.0|i1", "d1.00|i2"), table("i1|i2", "i1|i1"), ""},
		{"a number is no text", table("i1"), table("s1"), "row 1, column 1: 1 instead of 1"},
	} {
		if got := difference(test.want, test.got); got != test.differs {
			t.Errorf("%s: %q, want %q", test.name, got, test.differs)
		}
	}
}
