package functions

import (
	"math"
	"strconv"
	"strings"

	"github.com/tarnlake/tarn/internal/fn"
	"github.com/tarnlake/tarn/internal/sqlerr"
	"github.com/tarnlake/tarn/internal/types"
)

// numberTemplate is a compiled to_char/to_number template for numbers.
type numberTemplate struct {
	items      []numberItem
	before     int // digit places before the point
	after      int // and after it
	zeroFrom   int // place before the point from which zeros are written; before when none
	zeroAfter  int // places after the point that are written even if zero
	fill       bool
	point      bool
	multiply   int // places behind V
	leadSign   bool
	trailSign  bool
	brackets   bool
	minus      bool // MI or SG stand for the sign
	roman      bool
	scientific bool
}

// numberItem is '9' (a digit), '.', ',' or text, or one of the signs M, P, G.
type numberItem struct {
	kind byte
	text string
}

// upperASCII keeps the length of s: templates and names are compared by it and cut from s itself.
func upperASCII(s string) string {
	b := []byte(s)
	for i, c := range b {
		if c >= 'a' && c <= 'z' {
			b[i] = c - 'a' + 'A'
		}
	}
	return string(b)
}

func parseNumberTemplate(template string) *numberTemplate {
	t := &numberTemplate{zeroFrom: -1}
	upper := upperASCII(template)
	var zeros []bool
	seenPoint, seenV := false, false
	for i := 0; i < len(template); {
		rest := upper[i:]
		add := func(n int, kind byte, text string) {
			t.items = append(t.items, numberItem{kind, text})
			i += n
		}
		switch {
		case strings.HasPrefix(rest, "FM"):
			t.fill = true
			i += 2
		case strings.HasPrefix(rest, "PR"):
			t.brackets = true
			i += 2
		case strings.HasPrefix(rest, "MI"):
			t.minus = true
			add(2, 'M', "")
		case strings.HasPrefix(rest, "PL"):
			add(2, 'P', "")
		case strings.HasPrefix(rest, "SG"):
			t.minus = true
			add(2, 'G', "")
		case strings.HasPrefix(rest, "RN"):
			t.roman = true
			i += 2
		case strings.HasPrefix(rest, "EEEE"):
			t.scientific = true
			i += 4
		case strings.HasPrefix(rest, "TH"):
			add(2, 'T', template[i:i+2])
		case rest[0] == 'S':
			if t.before+t.after == 0 {
				t.leadSign = true
			} else {
				t.trailSign = true
			}
			i++
		case rest[0] == 'V':
			seenV = true
			i++
		case rest[0] == '9' || rest[0] == '0':
			switch {
			case seenPoint:
				t.after++
				if rest[0] == '0' {
					t.zeroAfter = t.after
				}
			default:
				if seenV {
					t.multiply++
				}
				zeros = append(zeros, rest[0] == '0')
				t.before++
			}
			add(1, '9', "")
		case rest[0] == '.' || rest[0] == 'D':
			if seenPoint {
				i++
				continue
			}
			seenPoint, t.point = true, true
			add(1, '.', "")
		case rest[0] == ',' || rest[0] == 'G':
			add(1, ',', "")
		case rest[0] == '"':
			end := strings.IndexByte(template[i+1:], '"')
			if end < 0 {
				end = len(template) - i - 2
			}
			add(min(end+2, len(template)-i), 't', template[i+1:i+1+max(end, 0)])
		case rest[0] == 'L':
			add(1, 't', " ")
		default:
			add(1, 't', template[i:i+1])
		}
	}
	t.zeroFrom = t.before
	for at, zero := range zeros {
		if zero {
			t.zeroFrom = at
			break
		}
	}
	return t
}

// numberParts is a number's text rounded to a template's places; whole has no leading zeros.
type numberParts struct {
	negative        bool
	whole, fraction string
}

func (t *numberTemplate) digits(value types.Int128, scale int) numberParts {
	fits := true
	if t.multiply > types.MaxDecimalPrecision {
		fits = value.Sign() == 0
	} else if t.multiply > 0 {
		value, fits = value.MulChecked(types.Pow10(t.multiply))
	}
	places := t.after
	v, ok := value.Rescale(scale, min(places, types.MaxDecimalPrecision), types.MaxDecimalPrecision)
	if !ok && fits { // as many places as there is room for, and zeros behind them
		places = scale
		v, ok = value, true
	}
	if !ok || !fits {
		return numberParts{negative: value.Sign() < 0, whole: strings.Repeat("#", t.before+1)}
	}
	text := string(types.AppendDecimal(nil, v.Abs(), min(places, types.MaxDecimalPrecision)))
	whole, fraction, _ := strings.Cut(text, ".")
	if missing := t.after - len(fraction); missing > 0 {
		fraction += strings.Repeat("0", missing)
	}
	return numberParts{v.Sign() < 0, strings.TrimLeft(whole, "0"), fraction}
}

// append writes sign, whole and fraction (of exactly t.after digits) by the template.
func (t *numberTemplate) append(dst []byte, n numberParts) []byte {
	negative, whole, fraction := n.negative, n.whole, n.fraction
	overflow := len(whole) > t.before
	if overflow {
		whole, fraction = strings.Repeat("#", t.before), strings.Repeat("#", t.after)
	}
	if whole == "" && t.before > 0 && t.after == 0 {
		whole = "0"
	}
	body, start := t.body(negative, whole, fraction)
	sign, after := "", ""
	switch {
	case t.brackets && negative:
		sign, after = "<", ">"
	case t.brackets && !t.fill:
		sign, after = " ", " "
	case t.brackets:
	case t.trailSign && negative:
		after = "-"
	case t.trailSign:
		after = "+"
	case t.minus:
	case negative:
		sign = "-"
	case t.leadSign:
		sign = "+"
	case !t.fill:
		sign = " "
	}
	dst = append(dst, body[:start]...)
	dst = append(dst, sign...)
	dst = append(dst, body[start:]...)
	return append(dst, after...)
}

// body writes everything but the sign, blanks where leading places stay empty; start is where the
// number begins.
func (t *numberTemplate) body(negative bool, whole, fraction string) (text string, start int) {
	var b strings.Builder
	start = -1
	begin := func() {
		if start < 0 {
			start = b.Len()
		}
	}
	first := t.before - len(whole) // the place of the first digit
	from := min(first, t.zeroFrom) // and of the first thing written
	place, behind := 0, 0
	last := len(fraction)
	if t.fill {
		for last > t.zeroAfter && last > 0 && fraction[last-1] == '0' {
			last--
		}
	}
	for _, item := range t.items {
		switch item.kind {
		case '9':
			if place < t.before {
				switch {
				case place >= first:
					begin()
					b.WriteByte(whole[place-first])
				case place >= from:
					begin()
					b.WriteByte('0')
				case !t.fill:
					b.WriteByte(' ')
				}
				place++
				continue
			}
			if behind < last {
				b.WriteByte(fraction[behind])
			}
			behind++
		case '.':
			begin()
			b.WriteByte('.')
		case ',':
			if place > from {
				b.WriteByte(',')
			} else if !t.fill {
				b.WriteByte(' ')
			}
		case 'M', 'P', 'G':
			b.WriteString(t.signText(item.kind, negative))
		case 'T':
			if n, err := strconv.ParseInt(whole, 10, 64); err == nil && !negative && !t.point {
				b.Write(appendOrdinal(nil, n, map[bool]byte{true: 'T', false: 't'}[item.text == "TH"]))
			}
		default:
			b.WriteString(item.text)
		}
	}
	begin()
	return b.String(), start
}

func (t *numberTemplate) signText(kind byte, negative bool) string {
	switch {
	case kind == 'M' && negative, kind == 'G' && negative:
		return "-"
	case kind == 'P' && !negative, kind == 'G':
		return "+"
	case t.fill:
		return ""
	}
	return " "
}

// roman writes 1 … 3999 in Roman numerals.
func roman(n int64) string {
	var b strings.Builder
	for _, r := range []struct {
		value int64
		text  string
	}{{1000, "M"}, {900, "CM"}, {500, "D"}, {400, "CD"}, {100, "C"}, {90, "XC"}, {50, "L"}, {40, "XL"}, {10, "X"}, {9, "IX"}, {5, "V"}, {4, "IV"}, {1, "I"}} {
		for n >= r.value {
			b.WriteString(r.text)
			n -= r.value
		}
	}
	return b.String()
}

func (t *numberTemplate) appendRoman(dst []byte, n int64) []byte {
	text := strings.Repeat("#", 15)
	if n > 0 && n < 4000 {
		text = roman(n)
	}
	if t.fill {
		return append(dst, text...)
	}
	return append(append(dst, strings.Repeat(" ", max(15-len(text), 0))...), text...)
}

// appendScientific writes d.ddde±xx.
func (t *numberTemplate) appendScientific(dst []byte, x float64) []byte {
	if x >= 0 && !t.fill {
		dst = append(dst, ' ')
	}
	return strconv.AppendFloat(dst, x, 'e', t.after, 64)
}

// numberTemplates remembers the last template.
type numberTemplates struct {
	text string
	of   *numberTemplate
}

func (c *numberTemplates) get(template string) *numberTemplate {
	if c.of == nil || c.text != template {
		c.text = strings.Clone(template)
		c.of = parseNumberTemplate(c.text)
	}
	return c.of
}

func numberFormats() []fn.Overload {
	const doc = "Writes a number by a template: 9 and 0 for digits, . , S MI PL PR FM TH RN V EEEE."
	exactRow := func(first fn.Param, example string, exact func(r row, t *numberTemplate) (types.Int128, int)) fn.Overload {
		return fn.Overload{Name: "to_char", Params: []fn.Param{first, {Name: "template", Type: text}}, ResultType: text, Category: categoryMath, Doc: doc, Example: example,
			Impl: fn.Scalar{New: func(call fn.Call) (fn.Kernel, error) {
				cache := numberTemplates{}
				return appendText(func(dst []byte, r row) []byte {
					t := cache.get(r.str(1))
					value, scale := exact(r, t)
					switch {
					case t.roman:
						whole, _ := value.Rescale(scale, 0, types.MaxDecimalPrecision)
						n, _ := whole.Int64()
						return t.appendRoman(dst, n)
					case t.scientific:
						x, _ := strconv.ParseFloat(string(types.AppendDecimal(nil, value, scale)), 64)
						return t.appendScientific(dst, x)
					}
					return t.append(dst, t.digits(value, scale))
				}).New(call)
			}}}
	}
	out := []fn.Overload{
		exactRow(fn.Param{Name: "n", Type: integer}, "to_char(125, '999') → '125'", func(r row, _ *numberTemplate) (types.Int128, int) { return types.Int128FromInt64(int64(r.int32(0))), 0 }),
		exactRow(fn.Param{Name: "n", Type: bigint}, "to_char(125, '0999') → '0125'", func(r row, _ *numberTemplate) (types.Int128, int) { return types.Int128FromInt64(r.int64(0)), 0 }),
		exactRow(family("n", fn.Numeric), "to_char(1234.5, 'FM9,999.00') → 1,234.50", func(r row, _ *numberTemplate) (types.Int128, int) { return r.wide(0), int(r.args[0].Type.Scale) }),
		floatToChar(),
		failing(mathRow("to_number", "Reads a number by a template.", "to_number('12,454.8-', '99G999D9S') → -12454.8000000000000000", params("s", text, "template", text), types.DecimalOf(types.MaxDecimalPrecision, minDivisionScale),
			fn.Scalar{New: func(call fn.Call) (fn.Kernel, error) {
				cache := numberTemplates{}
				return toFixed(func(r row) (types.Int128, bool, error) {
					v, err := cache.get(r.str(1)).read(r.str(0))
					return v, true, err
				}).New(call)
			}})),
	}
	return out
}

// floatToChar rounds the double itself, which no decimal may hold.
func floatToChar() fn.Overload {
	return mathRow("to_char", "Writes a number by a template.", "to_char(125.8::double precision, 'FM999.9') → 125.8", params("n", double, "template", text), text,
		fn.Scalar{New: func(call fn.Call) (fn.Kernel, error) {
			cache := numberTemplates{}
			return appendText(func(dst []byte, r row) []byte {
				t, x := cache.get(r.str(1)), r.float(0)
				switch {
				case t.roman:
					return t.appendRoman(dst, int64(math.RoundToEven(x)))
				case t.scientific:
					return t.appendScientific(dst, x)
				case math.IsNaN(x) || math.IsInf(x, 0):
					return t.append(dst, numberParts{whole: strings.Repeat("#", t.before+1)})
				}
				formatted := strconv.FormatFloat(math.Abs(x)*math.Pow10(t.multiply), 'f', t.after, 64)
				whole, fraction, _ := strings.Cut(formatted, ".")
				return t.append(dst, numberParts{x < 0, strings.TrimLeft(whole, "0"), fraction})
			}).New(call)
		}})
}

// read takes the digits of a text apart: signs, brackets, points and everything else is as written.
func (t *numberTemplate) read(s string) (types.Int128, error) {
	var b strings.Builder
	negative := strings.ContainsAny(s, "-<")
	point := false
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c >= '0' && c <= '9':
			b.WriteByte(c)
		case c == '.' && !point && t.point:
			point = true
			b.WriteByte('.')
		}
	}
	digits := strings.Trim(b.String(), ".")
	if digits == "" {
		return types.Int128{}, errorf(sqlerr.InvalidTextRepresentation, "invalid input syntax for type numeric: \"%s\"", s)
	}
	v, err := types.ParseDecimal([]byte(b.String()), types.MaxDecimalPrecision, minDivisionScale)
	if t.multiply > types.MaxDecimalPrecision {
		v = types.Int128{}
	} else if err == nil && t.multiply > 0 {
		v = v.DivRound(types.Pow10(t.multiply))
	}
	if negative {
		v = v.Neg()
	}
	return v, err
}
