package digits

import (
	"math/bits"
	"unsafe"
)

const (
	ones  = 0x0101010101010101
	highs = 0x8080808080808080
	zeros = 0x3030303030303030 // "00000000"
	above = 0x7676767676767676 // added to 10 and more it sets the high bit
)

// most is the longest text read here, without its sign.
const most = 16

func word(data []byte, at int) uint64 {
	return *(*uint64)(unsafe.Add(unsafe.Pointer(unsafe.SliceData(data)), at))
}

// last moves the first n characters of a word, 1 to 8, to its last places, before which there are digits 0.
// It gives their values.
func last(w uint64, n int) uint64 { return (w ^ zeros) << (64 - 8*n) }

// eight is the number that eight values of digits make; ok tells that they are such.
func eight(z uint64) (v uint64, ok bool) {
	ok = ((z+above)|z)&highs == 0
	z = z * 2561 >> 8
	z = (z & 0x00FF00FF00FF00FF) * 6553601 >> 16
	return (z & 0x0000FFFF0000FFFF) * 42949672960001 >> 32, ok
}

// natural reads 1 to 16 digits.
func natural(data []byte, at, n int) (uint64, bool) {
	if n <= 8 {
		return eight(last(word(data, at), n))
	}
	high, ok := eight(last(word(data, at), n-8))
	low, fine := eight(word(data, at+n-8) ^ zeros)
	return high*100_000_000 + low, ok && fine
}

// Integer reads an integer of at most 16 digits.
func Integer(data []byte, at, n int) (int64, bool) {
	if data[at] == '-' {
		if n--; n-1 >= most || n < 1 {
			return 0, false
		}
		v, ok := natural(data, at+1, n)
		return -int64(v), ok
	}
	if n < 1 || n > most {
		return 0, false
	}
	v, ok := natural(data, at, n)
	return int64(v), ok
}

// Powers are the powers of ten that doubles hold exactly, as far as they are used here.
var powers = [...]float64{1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16}

var longs = [...]int64{1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18}

// point reads at most 16 characters of digits with at most one point, and counts the digits behind it.
func point(data []byte, at, n int) (v uint64, fraction int, ok bool) {
	if n <= 8 {
		w := word(data, at)
		dots := w ^ '.'*ones
		dots = (dots - ones) &^ dots & highs & (1<<(8*n-1)*2 - 1)
		if dots == 0 {
			v, ok = eight(last(w, n))
			return v, 0, ok
		}
		k := bits.TrailingZeros64(dots) >> 3 // the lowest bit is exact
		fraction = n - 1 - k
		if n--; n == 0 {
			return 0, 0, false
		}
		before := uint64(1)<<(8*k) - 1
		w = w&before | w>>8&^before
		v, ok = eight(last(w, n))
		return v, fraction, ok
	}
	dot := -1
	for i := at; i < at+n; i++ {
		c := data[i]
		if c == '.' && dot < 0 {
			dot = i
			continue
		}
		if c -= '0'; c > 9 {
			return 0, 0, false
		}
		v = v*10 + uint64(c)
	}
	if dot >= 0 {
		fraction = at + n - 1 - dot
	}
	return v, fraction, true
}

// Float reads a number without exponent. Its digits and the power of ten are held exactly by doubles, so
// that one division gives the nearest.
func Float(data []byte, at, n int) (float64, bool) {
	negative := data[at] == '-'
	if negative {
		at++
		n--
	}
	if n < 1 || n > most {
		return 0, false
	}
	digits, fraction, ok := point(data, at, n)
	if !ok || digits > 1<<53 {
		return 0, false
	}
	v := float64(digits) / powers[fraction]
	if negative {
		v = -v
	}
	return v, true
}

// Decimal reads a number without exponent as a multiple of 10^-scale, scale being at most 18. It says no
// where digits would be lost or the value is not below 10^precision.
func Decimal(data []byte, at, n, precision, scale int) (int64, bool) {
	negative := data[at] == '-'
	if negative {
		at++
		n--
	}
	if n < 1 || n > most {
		return 0, false
	}
	digits, fraction, ok := point(data, at, n)
	if !ok || fraction > scale || scale >= len(longs) || precision < scale || precision >= len(longs) {
		return 0, false
	}
	if int64(digits) >= longs[precision-scale+fraction] {
		return 0, false
	}
	v := int64(digits) * longs[scale-fraction]
	if negative {
		v = -v
	}
	return v, true
}

// before counts the days of a year before a month, from 1, without the leap day.
var before = [...]int32{0, 0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334}

var lengths = [...]uint32{0, 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31}

const dashes = 0x2d30302d30303030 // "0000-00-"

// Date reads YYYY-MM-DD as days since 1970-01-01.
func Date(data []byte, at, n int) (int32, bool) {
	if n != 10 {
		return 0, false
	}
	return date(word(data, at)^dashes, uint32(word(data, at+8)^zeros))
}

// date takes the values of the characters YYYY-MM- and those of DD.
func date(z uint64, d uint32) (int32, bool) {
	const digits = 0x00ffff00ffffffff
	if ((z+above)|z)&highs|z&^uint64(digits) != 0 {
		return 0, false
	}
	year := uint32(z&0xff)*1000 + uint32(z>>8&0xff)*100 + uint32(z>>16&0xff)*10 + uint32(z>>24&0xff)
	month := uint32(z>>40&0xff)*10 + uint32(z>>48&0xff)
	tens, units := d&0xff, d>>8&0xff
	day := tens*10 + units
	if tens > 9 || units > 9 || month-1 > 11 || year == 0 {
		return 0, false
	}
	leap := year%4 == 0 && (year%100 != 0 || year%400 == 0)
	if day-1 >= lengths[month] && !(leap && month == 2 && day == 29) {
		return 0, false
	}
	y := year - 1
	days := int32(y*365+y/4-y/100+y/400) + before[month] + int32(day)
	if leap && month > 2 {
		days++
	}
	return days - 719163, true
}

// Timestamp reads YYYY-MM-DD HH:MM:SS, or with a T, and up to six digits of a fraction, as microseconds
// since 1970-01-01.
func Timestamp(data []byte, at, n int) (int64, bool) {
	if n < 19 || n > 26 || n == 20 || data[at+10] != ' ' && data[at+10] != 'T' {
		return 0, false
	}
	days, ok := date(word(data, at)^dashes, uint32(word(data, at+8)^zeros))
	const clock = 0x30303a30303a3030 // "00:00:00"
	z := word(data, at+11) ^ clock
	const digits = 0xffff00ffff00ffff
	if !ok || ((z+above)|z)&highs|z&^uint64(digits) != 0 {
		return 0, false
	}
	hour, minute := uint32(z&0xff)*10+uint32(z>>8&0xff), uint32(z>>24&0xff)*10+uint32(z>>32&0xff)
	second := uint32(z>>48&0xff)*10 + uint32(z>>56&0xff)
	if hour > 23 || minute > 59 || second > 59 {
		return 0, false
	}
	micros := (int64(days)*86400 + int64(hour*3600+minute*60+second)) * 1e6
	if n == 19 {
		return micros, true
	}
	if data[at+19] != '.' {
		return 0, false
	}
	fraction, ok := natural(data, at+20, n-20)
	return micros + int64(fraction)*longs[26-n], ok
}
