package optimizer

import (
	"github.com/tarnlake/tarn/internal/expr"
	"github.com/tarnlake/tarn/internal/types"
)

// cannotFail tells that e gives a value for every row and always the same one, so that it may be
// evaluated over rows that a join drops.
func (c *Context) cannotFail(e expr.Expr) bool {
	switch e := e.(type) {
	case *expr.Lambda, *expr.Parameter, *expr.Try:
		return false
	case *expr.Cast:
		if !safeCast(e.Arg.Type(), e.To) || e.Assign {
			return false
		}
	case *expr.Call:
		o := c.Registry.Overload(e.Function)
		if o == nil || o.Volatility == 2 || o.AtSession || o.MayFail && !exactArithmetic(e) {
			return false
		}
	}
	for _, child := range e.Children() {
		if !c.cannotFail(child) {
			return false
		}
	}
	return true
}

// exactArithmetic tells that an operation on decimals has room for its result whatever the operands
// are: a result type below the greatest precision has not been cut.
func exactArithmetic(e *expr.Call) bool {
	if e.T.Kind != types.Decimal || e.T.Precision == 0 || e.T.Precision >= types.MaxDecimalPrecision {
		return false
	}
	for _, a := range e.Args {
		if t := a.Type(); t.Kind != types.Decimal || t.Precision == 0 {
			return false
		}
	}
	switch e.Name {
	case "+", "-", "*":
		return true
	case "/":
		divisor, ok := e.Args[len(e.Args)-1].(*expr.Literal)
		return ok && !divisor.Value.Null && types.CompareDatums(divisor.T, divisor.Value, zeroOf(divisor.T)) != 0
	}
	return false
}

func zeroOf(t types.Type) types.Datum {
	if t.Physical() == types.PhysInt128 {
		return types.Datum{I128: types.Int128{}}
	}
	return types.IntDatum(0)
}

// sumDigits is how many digits a decimal may have so that no sum of ten billion of them leaves 128 bits.
const sumDigits = 28

// sumFits tells that adding up values of type t raises no error in the states themselves.
func sumFits(t types.Type) bool {
	switch t.Kind {
	case types.Int16, types.Int32, types.Int64, types.Float32, types.Float64:
		return true
	case types.Decimal:
		return t.Precision > 0 && t.Precision <= sumDigits
	}
	return false
}

// identified tells that equal values of type t are the same to every function: those of some types
// differ in what they show (-0 and 0, intervals of 30 days and of a month).
func identified(t types.Type) bool {
	switch t.Kind {
	case types.Bool, types.Int16, types.Int32, types.Int64, types.Decimal, types.Date, types.Timestamp, types.TimestampTZ,
		types.Text, types.Char, types.Bytea, types.UUID:
		return true
	}
	return false
}
