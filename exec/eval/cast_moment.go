package eval

import (
	"github.com/tarnlake/tarn/internal/fn"
	"github.com/tarnlake/tarn/internal/sqlerr"
	"github.com/tarnlake/tarn/internal/types"
	"github.com/tarnlake/tarn/internal/vec"
)

// moments converts between date, time, timestamp, timestamptz and interval.
func (v *conversion) moments() fn.Kernel {
	from, to := v.from.Kind, v.to.Kind
	switch {
	case from == types.Date && (to == types.Timestamp || to == types.TimestampTZ):
		return v.each(func(in, out *vec.Vector, r int) error {
			x, ok := types.TimestampFromDays(vec.Values[int32](in)[r])
			if to == types.TimestampTZ {
				x = types.UTCFromLocal(x, v.zone)
			}
			vec.Values[int64](out)[r] = x
			if !ok {
				return sqlerr.New(sqlerr.DatetimeFieldOverflow, "date out of range for timestamp")
			}
			return nil
		})
	case from == types.Timestamp && to == types.Date:
		return mapAll(types.DateFromTimestamp)
	case from == types.TimestampTZ && to == types.Date:
		return mapAll(func(x int64) int32 { return types.DateFromTimestamp(types.LocalFromUTC(x, v.zone)) })
	case from == types.Timestamp && to == types.TimestampTZ:
		return mapAll(func(x int64) int64 { return types.UTCFromLocal(x, v.zone) })
	case from == types.TimestampTZ && to == types.Timestamp:
		return mapAll(func(x int64) int64 { return types.LocalFromUTC(x, v.zone) })
	case from == types.Timestamp && to == types.Time:
		return v.timeOfDay(func(x int64) int64 { return x })
	case from == types.TimestampTZ && to == types.Time:
		return v.timeOfDay(func(x int64) int64 { return types.LocalFromUTC(x, v.zone) })
	case from == types.Time && to == types.Interval:
		return mapAll(func(x int64) types.IntervalValue { return types.IntervalValue{Micros: x} })
	case from == types.Interval && to == types.Time:
		return mapAll(func(x types.IntervalValue) int64 {
			_, ofDay := types.SplitTimestamp(x.Micros)
			return ofDay
		})
	case from == to && from != types.Date && from != types.Interval:
		return mapAll(func(x int64) int64 { return x })
	}
	return nil
}

// timeOfDay gives NULL for infinity, as PostgreSQL does.
func (v *conversion) timeOfDay(local func(int64) int64) fn.Kernel {
	return v.each(func(in, out *vec.Vector, r int) error {
		x := vec.Values[int64](in)[r]
		if !types.IsFiniteTimestamp(x) {
			out.SetDatum(r, types.NullDatum())
			return nil
		}
		_, ofDay := types.SplitTimestamp(local(x))
		vec.Values[int64](out)[r] = ofDay
		return nil
	})
}
