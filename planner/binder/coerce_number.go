package binder

import (
	"strconv"
	"strings"

	"github.com/tarnlake/tarn/internal/expr"
	"github.com/tarnlake/tarn/internal/types"
)

// convertNumber converts a numeric literal to another numeric type, so that no cast is left to do at
// run time: to exact types only where the value stays the same, to floats to the nearest.
func convertNumber(lit *expr.Literal, to types.Type) (*expr.Literal, bool) {
	if !to.IsNumeric() || !lit.T.IsNumeric() {
		return nil, false
	}
	if lit.Value.Null {
		return &expr.Literal{Value: lit.Value, T: to}, true
	}
	switch lit.T.Kind {
	case types.Int16, types.Int32, types.Int64:
		return convertInteger(lit.Value.I64, to)
	case types.Decimal:
		return convertDecimal(decimalValue(lit), int(lit.T.Scale), to)
	}
	return nil, false
}

func decimalValue(lit *expr.Literal) types.Int128 { return lit.Value.Unscaled(lit.T) }

func convertInteger(v int64, to types.Type) (*expr.Literal, bool) {
	switch to.Kind {
	case types.Int16:
		if v != int64(int16(v)) {
			return nil, false
		}
	case types.Int32:
		if v != int64(int32(v)) {
			return nil, false
		}
	case types.Int64:
	case types.Float32, types.Float64:
		return floatLiteral(strconv.FormatInt(v, 10), to)
	case types.Decimal:
		return convertDecimal(types.Int128FromInt64(v), 0, to)
	default:
		return nil, false
	}
	return &expr.Literal{Value: types.IntDatum(v), T: to}, true
}

func floatLiteral(text string, to types.Type) (*expr.Literal, bool) {
	bits := 64
	if to.Kind == types.Float32 {
		bits = 32
	}
	f, err := strconv.ParseFloat(text, bits)
	return &expr.Literal{Value: types.FloatDatum(f), T: to}, err == nil
}

// convertDecimal rescales a decimal to another decimal type where no digit is lost. Integers are left
// to the evaluator.
func convertDecimal(v types.Int128, scale int, to types.Type) (*expr.Literal, bool) {
	if to.Kind == types.Float32 || to.Kind == types.Float64 {
		return floatLiteral(string(types.AppendDecimal(nil, v, scale)), to)
	}
	if to.Kind != types.Decimal || to.Precision == 0 {
		return nil, false
	}
	for ; scale > int(to.Scale); scale-- {
		quotient, remainder := v.DivMod(types.Pow10(1))
		if remainder.Sign() != 0 {
			return nil, false
		}
		v = quotient
	}
	scaled, ok := v.MulChecked(types.Pow10(int(to.Scale) - scale))
	if !ok || !scaled.FitsPrecision(int(to.Precision)) {
		return nil, false
	}
	return decimalLiteral(scaled, to), true
}

func decimalLiteral(v types.Int128, t types.Type) *expr.Literal {
	return &expr.Literal{Value: types.DecimalDatum(t, v), T: t}
}

// parseNumber reads a numeric constant: integer, bigint or a decimal with the digits that were
// written. What does not fit 38 digits is double precision when it has an exponent; else ok is false.
func parseNumber(text string) (lit *expr.Literal, ok bool) {
	if v, err := strconv.ParseInt(text, 10, 64); err == nil {
		t := bigintType
		if v == int64(int32(v)) {
			t = intType
		}
		return &expr.Literal{Value: types.IntDatum(v), T: t}, true
	}
	if v, scale, digits, ok := parseDecimal(text); ok {
		return decimalLiteral(v, types.DecimalOf(digits, scale)), true
	}
	if !strings.ContainsAny(text, "eE") {
		return nil, false
	}
	f, err := strconv.ParseFloat(text, 64)
	if err != nil {
		return nil, false
	}
	return &expr.Literal{Value: types.FloatDatum(f), T: types.Of(types.Float64)}, true
}

// parseDecimal splits [-]digits[.digits][e[±]digits] into an integer scaled by 10^scale; digits is the
// precision that it needs.
func parseDecimal(text string) (v types.Int128, scale, digits int, ok bool) {
	text, negative := strings.CutPrefix(strings.TrimSpace(text), "-")
	if !negative {
		text = strings.TrimPrefix(text, "+")
	}
	mantissa, exponent := text, 0
	if at := strings.IndexAny(text, "eE"); at >= 0 {
		e, err := strconv.Atoi(text[at+1:])
		if err != nil || e > 1000 || e < -1000 {
			return v, 0, 0, false
		}
		mantissa, exponent = text[:at], e
	}
	whole, fraction, _ := strings.Cut(mantissa, ".")
	scale = len(fraction) - exponent
	number := strings.TrimLeft(whole+fraction, "0")
	if whole+fraction == "" || strings.Trim(whole+fraction, "0123456789") != "" {
		return v, 0, 0, false
	}
	if scale < 0 {
		if number != "" {
			number += strings.Repeat("0", -scale)
		}
		scale = 0
	}
	digits = max(len(number), scale, 1)
	if digits > types.MaxDecimalPrecision {
		return v, 0, 0, false
	}
	for i := range len(number) {
		v, _ = v.MulChecked(types.Pow10(1))
		v = v.Add(types.Int128FromInt64(int64(number[i] - '0')))
	}
	if negative {
		v = v.Neg()
	}
	return v, scale, digits, true
}

// decimalOfText gives the type that numeric '…' has: the digits written, or the widest for what
// only the input function can judge.
func decimalOfText(text string) types.Type {
	if _, scale, digits, ok := parseDecimal(text); ok {
		return types.DecimalOf(digits, scale)
	}
	return unboundedDecimal
}
