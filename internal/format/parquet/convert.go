package parquet

import (
	"strings"

	"github.com/tarnlake/tarn/internal/sqlerr"
	"github.com/tarnlake/tarn/internal/types"
	"github.com/tarnlake/tarn/internal/vec"
)

// A table's column may have another type than the file's field, because the table was altered, or
// the file came from elsewhere. Where the values' layout allows, the leaf is simply read as the
// wanted type; otherwise vectors are cast after reading. Both lose nothing but what an error
// reports: integers and decimals widen or are checked, real becomes double, dates become timestamps
// at midnight, strings and bytes are the same bytes.

// castFunc makes dst the converted rows of src; dst's memory is reused.
type castFunc func(dst, src *vec.Vector) error

// adapt gives the leaf as it is to be read for target, and the cast that remains.
func adapt(l leaf, target types.Type) (leaf, castFunc, bool) {
	from := l.typ
	if from.Equal(target) || l.unsupported != "" {
		return l, nil, true
	}
	relabel := func() (leaf, castFunc, bool) {
		l.typ = target
		return l, nil, true
	}
	isBytes := from.Physical() == types.PhysString
	switch {
	case isBytes && target.Kind == types.Char:
		return l, padTo(target), true
	case isBytes && target.Physical() == types.PhysString:
		return relabel()
	case from.Kind == types.Decimal && target.Kind == types.Decimal && from.Scale == target.Scale && target.Precision >= from.Precision:
		return relabel()
	case from.IsInteger() && (target.IsInteger() || target.IsOID()) && target.Physical() >= from.Physical() && l.element.physical == physInt32:
		return relabel()
	case from.Kind == types.Int64 && target.IsOID():
		return relabel()
	case (from.Kind == types.Timestamp || from.Kind == types.TimestampTZ) && (target.Kind == types.Timestamp || target.Kind == types.TimestampTZ):
		return relabel()
	}
	cast := castBetween(from, target)
	return l, cast, cast != nil
}

// castBetween gives the conversion between layouts, nil when there is none.
func castBetween(from, to types.Type) castFunc {
	switch {
	case from.Kind == types.Date && (to.Kind == types.Timestamp || to.Kind == types.TimestampTZ):
		return eachCast(to, func(v int32) (int64, bool) { return int64(v) * 86_400_000_000, v > -100_000_000 && v < 100_000_000 })
	case from.IsInteger() && to.IsInteger():
		return integerCast(from, to)
	case from.Kind == types.Float32 && to.Kind == types.Float64:
		return eachCast(to, func(v float32) (float64, bool) { return float64(v), true })
	case from.IsInteger() && to.Kind == types.Float64:
		return viaInt64(from, to, func(v int64) (float64, bool) { return float64(v), true })
	case from.Kind == types.Decimal && to.Kind == types.Float64:
		scale := types.Pow10(int(from.Scale)).Float64()
		return viaInt128(from, to, func(v types.Int128) (float64, bool) { return v.Float64() / scale, true })
	case (from.IsInteger() || from.Kind == types.Decimal) && (to.Kind == types.Decimal || to.IsInteger()):
		return decimalCast(from, to)
	}
	return nil
}

func outOfRange(to types.Type) *sqlerr.Error {
	return sqlerr.New(sqlerr.NumericValueOutOfRange, "%s out of range", to.Base())
}

// eachCast converts the valid rows of a flat vector.
func eachCast[S, D vec.Fixed](to types.Type, f func(S) (D, bool)) castFunc {
	return func(dst, src *vec.Vector) error {
		dst.Resize(to, src.Len)
		in, out := vec.Values[S](src)[:src.Len], vec.Values[D](dst)
		fits := true
		for i, v := range in {
			d, ok := f(v)
			out[i] = d
			fits = fits && (ok || !src.Valid.Get(i))
		}
		dst.Valid = src.Valid
		if fits {
			return nil
		}
		for i, v := range in {
			if _, ok := f(v); !ok && src.Valid.Get(i) {
				return &valueError{at: i, cause: outOfRange(to)}
			}
		}
		return nil
	}
}

// valueError says which row of the rows read has a value that its column does not take.
type valueError struct {
	at    int
	cause *sqlerr.Error
}

func (e *valueError) Error() string { return e.cause.Error() }
func (e *valueError) Unwrap() error { return e.cause }

func viaInt64[D vec.Fixed](from, to types.Type, f func(int64) (D, bool)) castFunc {
	switch from.Physical() {
	case types.PhysInt16:
		return eachCast(to, func(v int16) (D, bool) { return f(int64(v)) })
	case types.PhysInt32:
		return eachCast(to, func(v int32) (D, bool) { return f(int64(v)) })
	}
	return eachCast(to, f)
}

func viaInt128[D vec.Fixed](from, to types.Type, f func(types.Int128) (D, bool)) castFunc {
	if from.Physical() == types.PhysInt128 {
		return eachCast(to, f)
	}
	return viaInt64(from, to, func(v int64) (D, bool) { return f(types.Int128FromInt64(v)) })
}

func integerCast(from, to types.Type) castFunc {
	switch to.Physical() {
	case types.PhysInt16:
		return viaInt64(from, to, func(v int64) (int16, bool) { return int16(v), v == int64(int16(v)) })
	case types.PhysInt32:
		return viaInt64(from, to, func(v int64) (int32, bool) { return int32(v), v == int64(int32(v)) })
	}
	return viaInt64(from, to, func(v int64) (int64, bool) { return v, true })
}

// decimalCast changes precision and scale, rounding half away from zero.
func decimalCast(from, to types.Type) castFunc {
	scaleBy := int(to.Scale) - int(from.Scale)
	precision := int(to.Precision)
	if to.IsInteger() {
		precision = types.MaxDecimalPrecision
	}
	rescale := func(v types.Int128) (types.Int128, bool) {
		ok := true
		if scaleBy > 0 {
			v, ok = v.MulChecked(types.Pow10(scaleBy))
		} else if scaleBy < 0 {
			divisor := types.Pow10(-scaleBy)
			q, r := v.DivMod(divisor)
			if twice := r.Abs().Add(r.Abs()); twice.Compare(divisor) >= 0 {
				q = q.Add(types.Int128FromInt64(int64(v.Sign())))
			}
			v = q
		}
		return v, ok && v.FitsPrecision(precision)
	}
	switch to.Physical() {
	case types.PhysInt128:
		return viaInt128(from, to, rescale)
	case types.PhysInt16:
		return viaInt128(from, to, func(v types.Int128) (int16, bool) {
			w, ok := rescale(v)
			n, fits := w.Int64()
			return int16(n), ok && fits && n == int64(int16(n))
		})
	case types.PhysInt32:
		return viaInt128(from, to, func(v types.Int128) (int32, bool) {
			w, ok := rescale(v)
			n, fits := w.Int64()
			return int32(n), ok && fits && n == int64(int32(n))
		})
	}
	return viaInt128(from, to, func(v types.Int128) (int64, bool) {
		w, ok := rescale(v)
		n, fits := w.Int64()
		return n, ok && fits
	})
}

// padTo fills strings up with blanks to char(n)'s length in characters.
func padTo(to types.Type) castFunc {
	length := max(int(to.Length), 1)
	blanks := strings.Repeat(" ", length)
	var flat vec.Vector
	return func(dst, src *vec.Vector) error {
		vec.Flatten(&flat, src)
		dst.Resize(to, flat.Len)
		var text []byte
		for i := range flat.Len {
			if flat.IsNull(i) {
				dst.SetBytes(i, nil)
				continue
			}
			text = append(text[:0], flat.Bytes(i)...)
			characters := 0
			for _, c := range text {
				if c&0xc0 != 0x80 {
					characters++
				}
			}
			if characters < length {
				text = append(text, blanks[:length-characters]...)
			}
			dst.SetBytes(i, text)
		}
		dst.Valid = flat.Valid
		return nil
	}
}
