package orc

import (
	"errors"

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
	given := resize(&v.given, r.count)[:r.count]
	if err := v.scales.read(given); err != nil {
		return err
	}
	if err := v.data.fill(0); err != nil {
		return err
	}
	odd := int64(0)
	for _, scale := range given {
		odd |= scale ^ v.scale
	}
	if v.typ.Physical() == types.PhysInt64 {
		out := vec.Values[int64](dst)[:r.rows()]
		values := out
		if !r.dense() {
			values = resize(&v.short, r.count)[:r.count]
		}
		if err := v.readShort(values, given, odd != 0); err != nil {
			return err
		}
		if !r.dense() {
			place(out, v.short, r)
		}
		return nil
	}
	values := resize(&v.long, r.count)
	if err := v.readLong(values[:r.count], given, odd != 0); err != nil {
		return err
	}
	place(vec.Values[types.Int128](dst), values, r)
	return nil
}

// readShort reads decimals of at most 18 digits.
func (v *decimalValues) readShort(dst, scales []int64, odd bool) error {
	in := &v.data
	for i := 0; i < len(dst); {
		// Ten bytes hold 64 bits; slack lets the last ones be read as if there were more.
		at, limit := in.at, len(in.buffer)
		padded := in.buffer[:min(cap(in.buffer), limit+slack)]
		for ; i < len(dst) && at < limit; i++ {
			b := uint64(padded[at])
			u, shift, next := b&0x7f, uint(7), at+1
			for b >= 0x80 && shift < 64 {
				b = uint64(padded[next])
				u |= b & 0x7f << shift
				shift += 7
				next++
			}
			if next > limit {
				break
			}
			if b >= 0x80 || shift == 70 && b > 1 {
				return v.readWide(dst[i:], scales[i:], at)
			}
			dst[i], at = unzigzag(u), next
		}
		in.at = at
		if i < len(dst) {
			if err := in.more(); err != nil {
				return err
			}
		}
	}
	if !odd {
		return nil
	}
	return v.rescaleShort(dst, scales)
}

// readWide goes on with values that do not fit 64 bits as they are stored; with their scale they may.
func (v *decimalValues) readWide(dst, scales []int64, at int) error {
	v.data.at = at
	for i := range dst {
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
	for i, scale := range scales {
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

func (v *decimalValues) readLong(dst []types.Int128, scales []int64, odd bool) error {
	for i := range dst {
		wide, err := v.next()
		if err != nil {
			return err
		}
		if odd && scales[i] != v.scale {
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
