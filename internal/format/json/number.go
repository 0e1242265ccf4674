package json

import (
	"github.com/tarnlake/tarn/internal/sqlerr"
	"github.com/tarnlake/tarn/internal/types"
)

// integers parses a column of integers; parse reads the texts that are not plain digits.
func integers[T int16 | int32 | int64](c *column, out []T, spans []span, parse func([]byte) (T, error)) error {
	out = out[:len(spans)]
	r := c.reader.records
	for i, s := range spans {
		if n := s.flags - kindInteger; n-1 < 16 { // an integer of 1 to 16 characters
			at := int(s.at)
			negative := r.data[at] == '-'
			if negative {
				at++
				n--
			}
			v := int64(r.decimalDigits(at, int(n)))
			if negative {
				v = -v
			}
			if out[i] = T(v); int64(T(v)) == v {
				continue
			}
		}
		v, err := unusual(c, s, parse)
		if s.kind() == kindNull {
			c.setNull(i)
		} else if err != nil {
			if err := c.refuse(i, s, err); err != nil {
				return err
			}
		}
		out[i] = v
	}
	return nil
}

// unusual reads an integer that is not simply written; 0 for null.
func unusual[T int16 | int32 | int64](c *column, s span, parse func([]byte) (T, error)) (T, error) {
	if s.kind() == kindNull {
		return 0, nil
	}
	text, err := c.plain(s)
	if err != nil {
		return 0, err
	}
	v, err := parse(text)
	if err == nil || s.kind() != kindNumber {
		return v, err
	}
	const scale = 18
	whole, wide := types.ParseDecimal(text, types.MaxDecimalPrecision, scale)
	if wide != nil {
		return 0, wide
	}
	whole, rest := whole.DivMod(types.Pow10(scale))
	if rest.Sign() != 0 {
		return 0, err
	}
	long, fits := whole.Int64()
	if v = T(long); !fits || int64(v) != long {
		return 0, sqlerr.New(sqlerr.NumericValueOutOfRange, "value \"%s\" is out of range for type %s", text, c.typ)
	}
	return v, nil
}

// decimalDigits reads n ≤ 16 digits.
func (s *scanner) decimalDigits(at, n int) uint64 {
	if n <= 8 {
		return eightDigits(s.word(at) << (64 - 8*n))
	}
	return eightDigits(s.word(at)<<(128-8*n))*100_000_000 + eightDigits(s.word(at+n-8))
}

// eightDigits reads eight characters of digits; bytes of 0 are read as the digit 0.
func eightDigits(w uint64) uint64 {
	w = (w & 0x0F0F0F0F0F0F0F0F) * 2561 >> 8
	w = (w & 0x00FF00FF00FF00FF) * 6553601 >> 16
	return (w & 0x0000FFFF0000FFFF) * 42949672960001 >> 32
}

func (c *column) floats(out []float64, spans []span) error {
	out = out[:len(spans)]
	r := c.reader.records
	for i, s := range spans {
		k := s.kind()
		if k == kindNumber || k == kindInteger {
			if v, ok := r.shortFloat(s); ok {
				out[i] = v
				continue
			}
		}
		out[i] = 0
		if k == kindNull {
			c.setNull(i)
			continue
		}
		text, err := c.plain(s)
		if err == nil {
			out[i], err = types.ParseFloat64(text)
		}
		if err != nil {
			if err := c.refuse(i, s, err); err != nil {
				return err
			}
		}
	}
	return nil
}

// exactPowers are the powers of ten that doubles hold exactly.
var exactPowers = [...]float64{1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22}

// shortFloat reads a number without exponent whose digits and power of ten doubles hold exactly: one
// division then gives the nearest double.
func (s *scanner) shortFloat(n span) (float64, bool) {
	const most = 18 // characters
	if n.length() > most {
		return 0, false
	}
	at, end := int(n.at), int(n.at)+n.length()
	negative := s.data[at] == '-'
	if negative {
		at++
	}
	var digits uint64
	fraction := 0
	for ; at < end; at++ {
		c := s.data[at]
		if c == '.' {
			fraction = end - at - 1
			continue
		}
		if c -= '0'; c > 9 {
			return 0, false
		}
		digits = digits*10 + uint64(c)
	}
	if digits > 1<<53 {
		return 0, false
	}
	v := float64(digits) / exactPowers[fraction]
	if negative {
		v = -v
	}
	return v, true
}
