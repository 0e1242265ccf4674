package main

import (
	"fmt"
	"math"
	"math/big"
	"slices"
	"strconv"
	"strings"
)

// tolerance is the relative difference at which floating-point numbers still count as equal.
const tolerance = 1e-9

// difference tells how got differs from want, "" when it does not. Rows may come in another order, as those do that an
// ORDER BY leaves equal.
func difference(want, got [][]cell) string {
	if len(want) != len(got) {
		return fmt.Sprintf("%d rows instead of %d", len(got), len(want))
	}
	if len(want) == 0 {
		return ""
	}
	if len(want[0]) != len(got[0]) {
		return fmt.Sprintf("%d columns instead of %d", len(got[0]), len(want[0]))
	}
	if firstDifference(want, got) == "" {
		return ""
	}
	exact := exactColumns(want, got)
	return firstDifference(sorted(want, exact), sorted(got, exact))
}

func firstDifference(want, got [][]cell) string {
	for row := range want {
		for column := range want[row] {
			if !equal(want[row][column], got[row][column]) {
				return fmt.Sprintf("row %d, column %d: %s instead of %s",
					row+1, column+1, show(got[row][column]), show(want[row][column]))
			}
		}
	}
	return ""
}

func show(c cell) string {
	if c == nil {
		return "NULL"
	}
	return (*c)[1:]
}

// exactColumns marks the columns that hold no floating-point number on either side.
func exactColumns(tables ...[][]cell) []bool {
	exact := make([]bool, len(tables[0][0]))
	for column := range exact {
		exact[column] = true
		for _, rows := range tables {
			for _, row := range rows {
				if row[column] != nil && (*row[column])[0] == 'f' {
					exact[column] = false
				}
			}
		}
	}
	return exact
}

// sorted orders rows by their exact columns, then by the others to six digits.
func sorted(rows [][]cell, exact []bool) [][]cell {
	type keyed struct {
		key string
		row []cell
	}
	all := make([]keyed, len(rows))
	for i, row := range rows {
		var key, loose strings.Builder
		for column, c := range row {
			if exact[column] {
				key.WriteString(canonical(c) + "\x00")
			} else if number, isNumber := float(c); isNumber {
				loose.WriteString(strconv.FormatFloat(number, 'e', 5, 64) + "\x00")
			}
		}
		all[i] = keyed{key.String() + loose.String(), row}
	}
	slices.SortStableFunc(all, func(a, b keyed) int { return strings.Compare(a.key, b.key) })
	out := make([][]cell, len(rows))
	for i := range all {
		out[i] = all[i].row
	}
	return out
}

// canonical gives equal texts for equal exact values.
func canonical(c cell) string {
	if c == nil {
		return "NULL"
	}
	if number := rational(c); number != nil {
		return number.RatString()
	}
	return *c
}

// rational gives the value of an integer or decimal, nil for another kind.
func rational(c cell) *big.Rat {
	if kind := (*c)[0]; kind != 'i' && kind != 'd' {
		return nil
	}
	number, valid := new(big.Rat).SetString((*c)[1:])
	if !valid {
		return nil
	}
	return number
}

// float gives the value of a number of any kind.
func float(c cell) (float64, bool) {
	if c == nil || (*c)[0] == 's' {
		return 0, false
	}
	number, err := strconv.ParseFloat((*c)[1:], 64)
	return number, err == nil
}

// equal compares exactly, unless one of two numbers is of floating point.
func equal(a, b cell) bool {
	if a == nil || b == nil {
		return a == nil && b == nil
	}
	if *a == *b {
		return true
	}
	if (*a)[0] != 'f' && (*b)[0] != 'f' {
		x, y := rational(a), rational(b)
		return x != nil && y != nil && x.Cmp(y) == 0
	}
	x, isNumber := float(a)
	y, alsoNumber := float(b)
	if !isNumber || !alsoNumber {
		return false
	}
	if math.IsNaN(x) || math.IsNaN(y) || math.IsInf(x, 0) || math.IsInf(y, 0) {
		return x == y || math.IsNaN(x) && math.IsNaN(y)
	}
	slack := max(tolerance*max(math.Abs(x), math.Abs(y)), rounding(a), rounding(b))
	return math.Abs(x-y) <= slack
}

// rounding gives half a unit of a decimal's last digit if it has at least eight after the point: a small quotient cannot
// be nearer to a floating-point number. It is 0 for any other cell.
func rounding(c cell) float64 {
	_, fraction, _ := strings.Cut(*c, ".")
	if (*c)[0] != 'd' || len(fraction) < 8 {
		return 0
	}
	return 0.5 * math.Pow10(-len(fraction)) * (1 + tolerance)
}
