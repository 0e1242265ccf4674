package connectors

import (
	"slices"

	"github.com/tarnlake/tarn/internal/types"
)

// Contains tells whether value, of type t, lies in the domain.
func (d *Domain) Contains(t types.Type, value types.Datum) bool {
	if value.Null {
		return d.Nulls
	}
	if d.Values != nil {
		_, found := slices.BinarySearchFunc(d.Values, value, func(a, b types.Datum) int {
			return types.CompareDatums(t, a, b)
		})
		return found
	}
	return d.aboveMinimum(t, value) && d.belowMaximum(t, value)
}

func (d *Domain) aboveMinimum(t types.Type, value types.Datum) bool {
	if d.Minimum == nil {
		return true
	}
	c := types.CompareDatums(t, value, *d.Minimum)
	return c > 0 || c == 0 && !d.MinimumExclusive
}

func (d *Domain) belowMaximum(t types.Type, value types.Datum) bool {
	if d.Maximum == nil {
		return true
	}
	c := types.CompareDatums(t, value, *d.Maximum)
	return c < 0 || c == 0 && !d.MaximumExclusive
}

// Overlaps tells whether rows whose values lie between low and high (nil: unknown) may lie in the
// domain. nulls and values tell whether there may be NULLs and non-null values among them at all.
func (d *Domain) Overlaps(t types.Type, low, high *types.Datum, nulls, values bool) bool {
	if nulls && d.Nulls {
		return true
	}
	if !values {
		return false
	}
	if d.Values != nil {
		from := 0
		if low != nil {
			from, _ = slices.BinarySearchFunc(d.Values, *low, func(a, b types.Datum) int {
				return types.CompareDatums(t, a, b)
			})
		}
		return from < len(d.Values) && (high == nil || types.CompareDatums(t, d.Values[from], *high) <= 0)
	}
	if high != nil && !d.aboveMinimum(t, *high) {
		return false
	}
	return low == nil || d.belowMaximum(t, *low)
}
