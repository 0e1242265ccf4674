package orc

import (
	"encoding/binary"
	"errors"
	"math/bits"

	"github.com/tarnlake/tarn/internal/format/scan"
	"github.com/tarnlake/tarn/internal/sqlerr"
	"github.com/tarnlake/tarn/internal/types"
	"github.com/tarnlake/tarn/internal/vec"
)

var errDecimal = errors.New("decimal is malformed")

// decimalValues reads decimals: numbers of seven bits a byte, and the scale of each.
type decimalValues struct {
	reader    *Reader
	typ       types.Type
	scale     int64
	precision int
	data      input
	scales    intReader
	given     []int64
	short     []int64
	long      []types.Int128
}

func (v *decimalValues) open(s *openStripe, n *node) error {
	data, err := s.need(n, streamData)
	if err != nil {
		return err
	}
	v.data.open(v.reader, data)
	return s.openInts(&v.scales, n, streamSecondary, true)
}
func (v *decimalValues) inputs(to []*input) []*input { return append(to, &v.data, &v.scales.in) }
func (v *decimalValues) seek(_ *openStripe, _ int, p *positions) error {
	v.data.seek(p)
	v.scales.seek(p)
	return nil
}

func (v *decimalValues) skip(n int) error {
	if err := v.scales.skip(n); err != nil {
		return err
	}
	if err := v.data.fill(0); err != nil {
		return err
	}
	for n > 0 {
		in := &v.data
		rest := in.buffer[in.at:]
		at := 0
		for at < len(rest) && n > 0 {
			if rest[at] < 0x80 {
				n--
			}
			at++
		}
		in.at += at
		if n > 0 {
			if err := in.more(); err != nil {
				return err
			}
		}
	}
	return nil
}

func (v *decimalValues) read(dst *vec.Vector, r *rowSet) error {
	dst.Resize(v.typ, r.rows())
	scales, err := v.readScales(r.count)
	if err != nil {
		return err
	}
	if err := v.data.fill(0); err != nil {
		return err
	}
	if v.typ.Physical() == types.PhysInt64 {
		out := vec.Values[int64](dst)[:r.rows()]
		values := out
		if !r.dense() {
			values = resize(&v.short, r.count)[:r.count]
		}
		if err := v.readShort(values, scales); err != nil {
			return err
		}
		if !r.dense() {
			place(out, v.short, r)
		}
		return nil
	}
	values := resize(&v.long, r.count)
	if err := v.readLong(values[:r.count], scales); err != nil {
		return err
	}
	place(vec.Values[types.Int128](dst), values, r)
	return nil
}

// readScales reads n scales; nil when all are the column's.
func (v *decimalValues) readScales(n int) ([]int64, error) {
	same, err := v.scales.passEqual(n, v.scale)
	if err != nil || same == n {
		return nil, err
	}
	given := resize(&v.given, n)[:n]
	repeat(given[:same], v.scale)
	return given, v.scales.read(given[same:])
}

// readShort reads decimals of at most 18 digits; scales nil: all are the column's.
func (v *decimalValues) readShort(dst, scales []int64) error {
	in := &v.data
	for i := 0; i < len(dst); {
		given, taken := shortNumbers(dst[i:], in.buffer[in.at:])
		i, in.at = i+given, in.at+taken
		if i == len(dst) {
			break
		}
		// What is left is longer, or begins in the last bytes at hand.
		rest := in.buffer[in.at:]
		length := 1
		for length <= len(rest) && rest[length-1] >= 0x80 {
			length++
		}
		switch {
		case length > len(rest) && length <= 10:
			if err := in.more(); err != nil {
				return err
			}
		case length > 10 || length == 10 && rest[9] > 1:
			return v.readWide(dst, scales, i)
		default:
			u := uint64(0)
			for at, b := range rest[:length] {
				u |= uint64(b&0x7f) << (7 * at)
			}
			dst[i] = unzigzag(u)
			i++
			in.at += length
		}
	}
	if scales == nil {
		return nil
	}
	return v.rescaleShort(dst, scales)
}

// shortNumbers decodes numbers of seven bits a byte from src into dst, until one of more than eight
// bytes or src's last eight bytes: how many, and of how many bytes. A word of src is looked at whole;
// the bytes that end a number are those below 128.
func shortNumbers(dst []int64, src []byte) (given, taken int) {
	const tops = 0x8080808080808080
	for len(dst)-given >= 8 && len(src)-taken >= 8 {
		word := binary.LittleEndian.Uint64(src[taken:])
		d := dst[given : given+8 : given+8]
		switch ends := ^word & tops; ends {
		case 0:
			return given, taken
		case tops: // eight numbers of a byte
			for k := range d {
				d[k] = unzigzag(word & 0xff)
				word >>= 8
			}
			given, taken = given+8, taken+8
		case 0x8000800080008000: // four of two bytes
			word = word&0x007f007f007f007f | word>>1&0x3f803f803f803f80
			d[0], d[1], d[2], d[3] = unzigzag(word&0xffff), unzigzag(word>>16&0xffff), unzigzag(word>>32&0xffff), unzigzag(word>>48)
			given, taken = given+4, taken+8
		default:
			length := uint(bits.TrailingZeros64(ends)) + 1
			other := (64 - length) & 63
			dst[given] = unzigzag(packSevens(word << other >> other))
			given, taken = given+1, taken+int(length>>3)
		}
	}
	return given, taken
}

// packSevens joins the seven low bits of each of eight bytes.
func packSevens(word uint64) uint64 {
	word = word&0x007f007f007f007f | word>>1&0x3f803f803f803f80
	word = word&0x00003fff00003fff | word>>2&0x0fffc0000fffc000
	return word&0x000000000fffffff | word>>4&0x00fffffff0000000
}

// readWide goes on from value at on with numbers that do not fit 64 bits as they are stored; with
// their scale they may.
func (v *decimalValues) readWide(dst, scales []int64, at int) error {
	if scales == nil {
		scales = resize(&v.given, len(dst))[:len(dst)]
		repeat(scales, v.scale)
	}
	if err := v.rescaleShort(dst[:at], scales); err != nil {
		return err
	}
	for i := at; i < len(dst); i++ {
		wide, err := v.next()
		if err != nil {
			return err
		}
		if wide, err = v.rescale(wide, scales[i], i); err != nil {
			return err
		}
		dst[i], _ = wide.Int64()
	}
	return nil
}

func (v *decimalValues) rescaleShort(dst, scales []int64) error {
	for i, scale := range scales[:len(dst)] {
		if scale == v.scale {
			continue
		}
		wide, err := v.rescale(types.Int128FromInt64(dst[i]), scale, i)
		if err != nil {
			return err
		}
		dst[i], _ = wide.Int64()
	}
	return nil
}

func (v *decimalValues) readLong(dst []types.Int128, scales []int64) error {
	for i := range dst {
		wide, err := v.next()
		if err != nil {
			return err
		}
		if scales != nil && scales[i] != v.scale {
			if wide, err = v.rescale(wide, scales[i], i); err != nil {
				return err
			}
		}
		dst[i] = wide
	}
	return nil
}

// next reads one number of at most 128 bits.
func (v *decimalValues) next() (types.Int128, error) {
	in := &v.data
	for {
		var lo, hi uint64
		shift := uint(0)
		for _, b := range in.buffer[in.at:] {
			part := uint64(b & 0x7f)
			switch {
			case shift < 64:
				lo |= part << shift
				if shift > 57 {
					hi |= part >> (64 - shift)
				}
			case shift < 128:
				hi |= part << (shift - 64)
			}
			if shift == 126 && part > 3 || shift > 126 {
				return types.Int128{}, errDecimal
			}
			shift += 7
			if b < 0x80 {
				in.at += int(shift / 7)
				// zigzag: the lowest bit is the sign
				sign := -(lo & 1)
				lo, hi = lo>>1|hi<<63, hi>>1
				return types.Int128{Lo: lo ^ sign, Hi: int64(hi ^ sign)}, nil
			}
		}
		if err := in.more(); err != nil {
			return types.Int128{}, err
		}
	}
}

// rescale brings a value to the column's scale, rounding half away from zero.
func (v *decimalValues) rescale(value types.Int128, scale int64, at int) (types.Int128, error) {
	if scale < -types.MaxDecimalPrecision || scale > 2*types.MaxDecimalPrecision {
		return value, errDecimal
	}
	ok := true
	switch by := v.scale - scale; {
	case by > types.MaxDecimalPrecision:
		ok = value.Sign() == 0
	case by > 0:
		value, ok = value.MulChecked(types.Pow10(int(by)))
	case -by > types.MaxDecimalPrecision:
		value = types.Int128{}
	case by < 0:
		divisor := types.Pow10(int(-by))
		q, rest := value.DivMod(divisor)
		if twice := rest.Abs().Add(rest.Abs()); twice.Compare(divisor) >= 0 {
			q = q.Add(types.Int128FromInt64(int64(value.Sign())))
		}
		value = q
	}
	if !ok || !value.FitsPrecision(v.precision) {
		return value, &scan.ValueError{At: at, Cause: sqlerr.New(sqlerr.NumericValueOutOfRange, "numeric field overflow").
			WithDetail("A field with precision %d, scale %d must round to an absolute value less than 10^%d.", v.precision, v.scale, v.precision-int(v.scale))}
	}
	return value, nil
}
