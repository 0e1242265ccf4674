package scan

import (
	"cmp"
	"strings"

	"github.com/tarnlake/tarn/internal/types"
	"github.com/tarnlake/tarn/internal/vec"
)

// Domain has the shape of connectors.Domain, so that one converts to the other: the values of a
// column (an ordinal in the requested columns, of the request's type) that may be needed.
type Domain struct {
	Column           int
	Minimum, Maximum *types.Datum // nil: unbounded
	MinimumExclusive bool
	MaximumExclusive bool
	Values           []types.Datum // if not nil: only these values, sorted
	Nulls            bool          // NULL is in the set
}

// Outside tells whether no value of [low, high] lies in the domain; a nil bound is unknown.
func (d *Domain) Outside(low, high *types.Datum, physical types.Physical) bool {
	if high != nil && d.Minimum != nil {
		if c := Compare(*high, *d.Minimum, physical); c < 0 || c == 0 && d.MinimumExclusive {
			return true
		}
	}
	if low != nil && d.Maximum != nil {
		if c := Compare(*low, *d.Maximum, physical); c > 0 || c == 0 && d.MaximumExclusive {
			return true
		}
	}
	if d.Values == nil {
		return false
	}
	for i := range d.Values {
		if (low == nil || Compare(d.Values[i], *low, physical) >= 0) &&
			(high == nil || Compare(d.Values[i], *high, physical) <= 0) {
			return false
		}
	}
	return true
}

// Points gives the values that the domain consists of, nil when it is not a list of values of a
// prunable type.
func (d *Domain) Points(t types.Type) []types.Datum {
	if d.Values != nil || d.Minimum == nil || d.Maximum == nil || !Prunable(t) || Compare(*d.Minimum, *d.Maximum, t.Physical()) != 0 {
		return d.Values
	}
	return []types.Datum{*d.Minimum}
}

// Compare orders two values of one layout; NaN is greater than all numbers.
func Compare(a, b types.Datum, physical types.Physical) int {
	switch physical {
	case types.PhysFloat32, types.PhysFloat64:
		switch aNaN, bNaN := a.F64 != a.F64, b.F64 != b.F64; {
		case aNaN && bNaN:
			return 0
		case aNaN:
			return 1
		case bNaN:
			return -1
		}
		return cmp.Compare(a.F64, b.F64)
	case types.PhysInt128:
		return a.I128.Compare(b.I128)
	case types.PhysString:
		return strings.Compare(a.Str, b.Str)
	}
	return cmp.Compare(a.I64, b.I64)
}

// Prunable tells whether bounds order values of a type as domains do.
func Prunable(t types.Type) bool {
	switch t.Kind {
	case types.Char, types.UUID, types.Interval:
		return false
	}
	switch t.Physical() {
	case types.PhysList, types.PhysRow, types.PhysNone:
		return false
	}
	return true
}

// CastBound converts a bound as cast converts the column's values; casts are monotone. It gives nil
// when the bound has no such form.
func CastBound(cast Cast, from types.Type, d *types.Datum) *types.Datum {
	if d == nil {
		return nil
	}
	var out vec.Vector
	if cast(&out, vec.NewConst(from, *d, 1)) != nil {
		return nil
	}
	v := out.Datum(0)
	return &v
}
