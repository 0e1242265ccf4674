package generator

import (
	"fmt"
	"strconv"
	"strings"
)

// Scale is a scale factor in thousandths. From 1 on it is the size of the database in gigabytes, roughly.
type Scale struct{ thousandths int64 }

// The limits of a scale. From 30,000 on dbgen changes to 64-bit streams, which are not written here.
const (
	minScale = 1
	maxScale = 29_999_000
)

// ParseScale reads a scale factor: a decimal number with at most three decimals, from 0.001 to 29999. Whole numbers and
// fractions below 1 are dbgen's; dbgen drops the decimals of any other, where here they scale the tables.
func ParseScale(text string) (Scale, error) {
	whole, fraction, found := strings.Cut(text, ".")
	if whole == "" || found && fraction == "" || len(whole) > 5 || len(fraction) > 3 || strings.Trim(whole+fraction, "0123456789") != "" {
		return Scale{}, fmt.Errorf("%q is not a scale factor between 0.001 and 29999 with at most three decimals", text)
	}
	units, _ := strconv.ParseInt(whole, 10, 64)
	thousandths, _ := strconv.ParseInt((fraction + "000")[:3], 10, 64)
	s := Scale{units*1000 + thousandths}
	if s.thousandths < minScale || s.thousandths > maxScale {
		return Scale{}, fmt.Errorf("the scale factor %s is not between 0.001 and 29999", text)
	}
	return s, nil
}

// String gives the scale as ParseScale reads it, without needless zeros.
func (s Scale) String() string {
	text := fmt.Sprintf("%d.%03d", s.thousandths/1000, s.thousandths%1000)
	return strings.TrimSuffix(strings.TrimRight(text, "0"), ".")
}

// of scales a count of rows at scale 1; at least one row remains.
func (s Scale) of(base int64) int64 { return max(1, base*s.thousandths/1000) }

func (s Scale) parts() int64     { return s.of(200_000) }
func (s Scale) suppliers() int64 { return s.of(10_000) }
func (s Scale) customers() int64 { return s.of(150_000) }
func (s Scale) orders() int64    { return s.of(1_500_000) }
func (s Scale) clerks() int64    { return max(1000, s.thousandths) }

// lines gives the rows of lineitem where they are published, sparing their count, which takes 3 ns an order.
func (s Scale) lines() (rows int64, published bool) {
	switch s.thousandths {
	case 1_000:
		return 6_001_215, true
	case 10_000:
		return 59_986_052, true
	case 30_000:
		return 179_998_372, true
	case 100_000:
		return 600_037_902, true
	case 300_000:
		return 1_799_989_091, true
	case 1_000_000:
		return 5_999_989_709, true
	case 3_000_000:
		return 18_000_048_306, true
	case 10_000_000:
		return 59_999_994_267, true
	}
	return 0, false
}
