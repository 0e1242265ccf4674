package scan

import (
	"github.com/tarnlake/tarn/internal/sqlerr"
	"github.com/tarnlake/tarn/internal/types"
	"github.com/tarnlake/tarn/internal/vec"
)

// Cast makes dst the converted rows of src; dst's memory is reused. The error of a row is a
// *ValueError.
type Cast func(dst, src *vec.Vector) error

// Between gives the conversion between layouts, nil when there is none.
func Between(from, to types.Type) Cast {
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
func eachCast[S, D vec.Fixed](to types.Type, f func(S) (D, bool)) Cast {
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
				return &ValueError{At: i, Cause: outOfRange(to)}
			}
		}
		return nil
	}
}

func viaInt64[D vec.Fixed](from, to types.Type, f func(int64) (D, bool)) Cast {
	switch from.Physical() {
	case types.PhysInt16:
		return eachCast(to, func(v int16) (D, bool) { return f(int64(v)) })
	case types.PhysInt32:
		return eachCast(to, func(v int32) (D, bool) { return f(int64(v)) })
	}
	return eachCast(to, f)
}

func viaInt128[D vec.Fixed](from, to types.Type, f func(types.Int128) (D, bool)) Cast {
	if from.Physical() == types.PhysInt128 {
		return eachCast(to, f)
	}
	return viaInt64(from, to, func(v int64) (D, bool) { return f(types.Int128FromInt64(v)) })
}

func integerCast(from, to types.Type) Cast {
	switch to.Physical() {
	case types.PhysInt16:
		return viaInt64(from, to, func(v int64) (int16, bool) { return int16(v), v == int64(int16(v)) })
	case types.PhysInt32:
		return viaInt64(from, to, func(v int64) (int32, bool) { return int32(v), v == int64(int32(v)) })
	}
	return viaInt64(from, to, func(v int64) (int64, bool) { return v, true })
}

// decimalCast changes precision and scale, rounding half away from zero.
func decimalCast(from, to types.Type) Cast {
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
