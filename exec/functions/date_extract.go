package functions

import (
	"time"

	"github.com/tarnlake/tarn/exec/kernel"
	"github.com/tarnlake/tarn/internal/fn"
	"github.com/tarnlake/tarn/internal/sqlerr"
	"github.com/tarnlake/tarn/internal/types"
	"github.com/tarnlake/tarn/internal/vec"
)

// wholeFields makes extract of an integer field that is known beforehand, which reports group by;
// nil for fields with fractions and for times of day.
func wholeFields(f dateField, t types.Type, zone *time.Location) fn.Kernel {
	if _, whole := (moment{}).whole(f); !whole {
		return nil
	}
	switch t.Kind {
	case types.Date:
		return func(args []*vec.Vector, n int, rows []int32, out *vec.Vector) error {
			in, o, m := vec.Values[int32](args[1]), vec.Values[int64](out), mask(args[1])
			for k := range kernel.Count(rows, n) {
				r := rowAt(rows, k)
				if err := storeWhole(o, out, r, momentOfDate(in[r&m]), f); err != nil {
					return err
				}
			}
			return nil
		}
	case types.Timestamp:
		return func(args []*vec.Vector, n int, rows []int32, out *vec.Vector) error {
			in, o, m := vec.Values[int64](args[1]), vec.Values[int64](out), mask(args[1])
			for k := range kernel.Count(rows, n) {
				r := rowAt(rows, k)
				if err := storeWhole(o, out, r, momentOfTimestamp(in[r&m]), f); err != nil {
					return err
				}
			}
			return nil
		}
	case types.TimestampTZ:
		return func(args []*vec.Vector, n int, rows []int32, out *vec.Vector) error {
			in, o, m := vec.Values[int64](args[1]), vec.Values[int64](out), mask(args[1])
			for k := range kernel.Count(rows, n) {
				r := rowAt(rows, k)
				if err := storeWhole(o, out, r, momentOfTimestampTZ(in[r&m], zone), f); err != nil {
					return err
				}
			}
			return nil
		}
	}
	return nil
}

func storeWhole(o []int64, out *vec.Vector, r int, m moment, f dateField) error {
	if m.infinite != 0 {
		if _, ok := m.double(f); ok {
			return errorf(sqlerr.NumericValueOutOfRange, "numeric type does not support infinity")
		}
		out.SetNull(r)
		return nil
	}
	o[r], _ = m.whole(f)
	return nil
}
