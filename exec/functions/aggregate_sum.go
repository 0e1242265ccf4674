package functions

import (
	"math/bits"

	"github.com/tarnlake/tarn/internal/fn"
	"github.com/tarnlake/tarn/internal/types"
	"github.com/tarnlake/tarn/internal/vec"
)

// exactSum adds integers and decimals in 128 bits: sum and avg of everything but floats. The two
// halves lie in arrays of their own, so that an addition is an add and an add with carry.
type exactSum struct {
	low    []uint64
	high   []int64
	counts []int64
	arg    argument
	second argument
	result types.Type
	scale  int // of the argument
	avg    bool
	over   bool // some sum left 128 bits
}

func (s *exactSum) Resize(n int) {
	s.low, s.high, s.counts = grow(s.low, n), grow(s.high, n), grow(s.counts, n)
}

func (s *exactSum) Reset() {
	s.low, s.high, s.counts, s.over = s.low[:0], s.high[:0], s.counts[:0], false
}

func (s *exactSum) Bytes() int64 { return int64(cap(s.low)) * 24 }

func (s *exactSum) Update(groups []int32, args []*vec.Vector, rows []int32) error {
	s.arg.read(groups, args[0], rows)
	if len(s.arg.groups) == 0 {
		return nil
	}
	switch s.arg.flat.Type.Physical() {
	case types.PhysInt16:
		addNarrow(s, vec.Values[int16](s.arg.flat))
	case types.PhysInt32:
		addNarrow(s, vec.Values[int32](s.arg.flat))
	case types.PhysInt64:
		addNarrow(s, vec.Values[int64](s.arg.flat))
	default:
		s.addWide(vec.Values[types.Int128](s.arg.flat))
	}
	return s.check()
}

func (s *exactSum) check() error {
	if s.over {
		return s.overflow()
	}
	return nil
}

func (s *exactSum) overflow() error {
	if s.result.Kind == types.Int64 {
		return outOfRange("bigint")
	}
	return types.NumericOverflow(types.MaxDecimalPrecision, int(s.result.Scale))
}

func addNarrow[T signed](s *exactSum, values []T) {
	groups, at := s.arg.groups, s.arg.at
	if len(s.low) == 1 {
		addToOne(s, values, len(groups), at)
		return
	}
	low, high, counts := s.low, s.high, s.counts
	if at == nil {
		values = values[:len(groups)]
		for k, g := range groups {
			x := int64(values[k])
			sum, carry := bits.Add64(low[g], uint64(x), 0)
			low[g] = sum
			high[g] += x>>63 + int64(carry)
			counts[g]++
		}
		return
	}
	for k, g := range groups {
		x := int64(values[at[k]])
		sum, carry := bits.Add64(low[g], uint64(x), 0)
		low[g] = sum
		high[g] += x>>63 + int64(carry)
		counts[g]++
	}
}

// addToOne adds to the only group: in 64 bits where the values are small enough for that, as they nearly always are.
func addToOne[T signed](s *exactSum, values []T, n int, at []int32) {
	var total int64
	var magnitude uint64
	if at == nil {
		total, magnitude = sumAll(values[:n])
	} else {
		total, magnitude = sumAt(values, at[:n])
	}
	s.counts[0] += int64(n)
	low, high := s.low[0], s.high[0]
	if bits.Len64(magnitude)+bits.Len(uint(n)) < 64 {
		sum, carry := bits.Add64(low, uint64(total), 0)
		s.low[0], s.high[0] = sum, high+total>>63+int64(carry)
		return
	}
	for k := range n {
		p := k
		if at != nil {
			p = int(at[k])
		}
		x := int64(values[p])
		sum, carry := bits.Add64(low, uint64(x), 0)
		low = sum
		high += x>>63 + int64(carry)
	}
	s.low[0], s.high[0] = low, high
}

// sumAll adds values in 64 bits, without a look at overflow, and gives all bits that their magnitudes have.
func sumAll[T signed](values []T) (total int64, magnitude uint64) {
	var a, b, c, d, seen int64
	for len(values) >= 4 {
		w, x, y, z := int64(values[0]), int64(values[1]), int64(values[2]), int64(values[3])
		a, b, c, d = a+w, b+x, c+y, d+z
		seen |= w ^ w>>63 | x ^ x>>63 | y ^ y>>63 | z ^ z>>63
		values = values[4:]
	}
	for _, v := range values {
		a += int64(v)
		seen |= int64(v) ^ int64(v)>>63
	}
	return a + b + c + d, uint64(seen)
}

// sumAt is sumAll for the values at some positions.
func sumAt[T signed](values []T, at []int32) (total int64, magnitude uint64) {
	var a, b, seen int64
	for len(at) >= 2 {
		x, y := int64(values[at[0]]), int64(values[at[1]])
		a, b = a+x, b+y
		seen |= x ^ x>>63 | y ^ y>>63
		at = at[2:]
	}
	if len(at) > 0 {
		x := int64(values[at[0]])
		a += x
		seen |= x ^ x>>63
	}
	return a + b, uint64(seen)
}

// addWide looks for overflow once for all rows.
func (s *exactSum) addWide(values []types.Int128) {
	if len(s.low) == 1 {
		s.addWideToOne(values)
		return
	}
	low, high, counts, at := s.low, s.high, s.counts, s.arg.at
	flags := int64(0)
	for k, g := range s.arg.groups {
		p := k
		if at != nil {
			p = int(at[k])
		}
		x := values[p]
		sum, carry := bits.Add64(low[g], x.Lo, 0)
		h := high[g]
		t := h + x.Hi + int64(carry)
		flags |= (h ^ t) & (x.Hi ^ t)
		low[g], high[g] = sum, t
		counts[g]++
	}
	s.over = s.over || flags < 0
}

// addWideToOne keeps the only group's sum in registers.
func (s *exactSum) addWideToOne(values []types.Int128) {
	low, high, flags, at := s.low[0], s.high[0], int64(0), s.arg.at
	n := len(s.arg.groups)
	for k := range n {
		p := k
		if at != nil {
			p = int(at[k])
		}
		x := values[p]
		sum, carry := bits.Add64(low, x.Lo, 0)
		t := high + x.Hi + int64(carry)
		flags |= (high ^ t) & (x.Hi ^ t)
		low, high = sum, t
	}
	s.low[0], s.high[0] = low, high
	s.counts[0] += int64(n)
	s.over = s.over || flags < 0
}

func (s *exactSum) Merge(groups []int32, partial []*vec.Vector, rows []int32) error {
	s.arg.read(groups, partial[0], rows)
	s.second.read(groups, partial[1], rows)
	if len(s.arg.groups) == 0 {
		return nil
	}
	sums, counts := vec.Values[types.Int128](s.arg.flat), vec.Values[int64](s.second.flat)
	for k, g := range s.arg.groups {
		have := types.Int128{Lo: s.low[g], Hi: s.high[g]}
		sum, ok := have.AddChecked(sums[s.arg.position(k)])
		s.over = s.over || !ok
		s.low[g], s.high[g] = sum.Lo, sum.Hi
		s.counts[g] += counts[s.second.position(k)]
	}
	return s.check()
}

func (s *exactSum) Partial(from, n int, out []*vec.Vector) error {
	out[0].Resize(hugeint, n)
	out[1].Resize(bigint, n)
	sums := vec.Values[types.Int128](out[0])
	for i := range n {
		sums[i] = types.Int128{Lo: s.low[from+i], Hi: s.high[from+i]}
	}
	copy(vec.Values[int64](out[1]), s.counts[from:from+n])
	return nil
}

func (s *exactSum) Final(from, n int, out *vec.Vector) error {
	out.Resize(s.result, n)
	for i := range n {
		g := from + i
		if s.counts[g] == 0 {
			out.SetDatum(i, types.NullDatum())
			continue
		}
		sum := types.Int128{Lo: s.low[g], Hi: s.high[g]}
		if s.avg {
			mean, err := divideDecimals(sum, types.Int128FromInt64(s.counts[g]), int(s.result.Scale)-s.scale, types.MaxDecimalPrecision, int(s.result.Scale))
			if err != nil {
				return err
			}
			storeDecimal(out, i, mean)
			continue
		}
		if s.result.Kind == types.Int64 {
			v, ok := sum.Int64()
			if !ok {
				return s.overflow()
			}
			vec.Values[int64](out)[i] = v
			continue
		}
		if !sum.FitsPrecision(types.MaxDecimalPrecision) {
			return s.overflow()
		}
		vec.Values[types.Int128](out)[i] = sum
	}
	return nil
}

func newExactSum(avg bool) fn.Aggregate {
	return fn.Aggregate{New: accumulate(func(call fn.Call) fn.Accumulator {
		return &exactSum{result: call.Result, scale: int(call.Args[0].Scale), avg: avg}
	}), Partial: partialTypes(hugeint, bigint), IgnoresOrder: true}
}

// floatSum adds doubles: sum and avg of real and double precision.
type floatSum struct {
	sums   []float64
	counts []int64
	arg    argument
	second argument
	result types.Type
	avg    bool
}

func (s *floatSum) Resize(n int) { s.sums, s.counts = grow(s.sums, n), grow(s.counts, n) }
func (s *floatSum) Reset()       { s.sums, s.counts = s.sums[:0], s.counts[:0] }
func (s *floatSum) Bytes() int64 { return int64(cap(s.sums)) * 16 }

func (s *floatSum) Update(groups []int32, args []*vec.Vector, rows []int32) error {
	s.arg.read(groups, args[0], rows)
	if len(s.arg.groups) == 0 {
		return nil
	}
	if s.arg.flat.Type.Kind == types.Float32 {
		addFloatRows(s, vec.Values[float32](s.arg.flat))
	} else {
		addFloatRows(s, vec.Values[float64](s.arg.flat))
	}
	return nil
}

func addFloatRows[T float](s *floatSum, values []T) {
	sums, counts := s.sums, s.counts
	if s.arg.at == nil {
		values = values[:len(s.arg.groups)]
		for k, g := range s.arg.groups {
			sums[g] += float64(values[k])
			counts[g]++
		}
		return
	}
	for k, g := range s.arg.groups {
		sums[g] += float64(values[s.arg.at[k]])
		counts[g]++
	}
}

func (s *floatSum) Merge(groups []int32, partial []*vec.Vector, rows []int32) error {
	s.arg.read(groups, partial[0], rows)
	s.second.read(groups, partial[1], rows)
	if len(s.arg.groups) == 0 {
		return nil
	}
	sums, counts := vec.Values[float64](s.arg.flat), vec.Values[int64](s.second.flat)
	for k, g := range s.arg.groups {
		s.sums[g] += sums[s.arg.position(k)]
		s.counts[g] += counts[s.second.position(k)]
	}
	return nil
}

func (s *floatSum) Partial(from, n int, out []*vec.Vector) error {
	out[0].Resize(double, n)
	out[1].Resize(bigint, n)
	copy(vec.Values[float64](out[0]), s.sums[from:from+n])
	copy(vec.Values[int64](out[1]), s.counts[from:from+n])
	return nil
}

func (s *floatSum) Final(from, n int, out *vec.Vector) error {
	out.Resize(s.result, n)
	for i := range n {
		g := from + i
		if s.counts[g] == 0 {
			out.SetDatum(i, types.NullDatum())
			continue
		}
		v := s.sums[g]
		if s.avg {
			v /= float64(s.counts[g])
		}
		out.SetDatum(i, types.FloatDatum(v))
	}
	return nil
}

func newFloatSum(avg bool) fn.Aggregate {
	return fn.Aggregate{New: accumulate(func(call fn.Call) fn.Accumulator {
		return &floatSum{result: call.Result, avg: avg}
	}), Partial: partialTypes(double, bigint), IgnoresOrder: true}
}

// intervalSum adds intervals field by field.
type intervalSum struct {
	sums        []types.IntervalValue
	counts      []int64
	arg, second argument
	avg         bool
}

func (s *intervalSum) Resize(n int) { s.sums, s.counts = grow(s.sums, n), grow(s.counts, n) }
func (s *intervalSum) Reset()       { s.sums, s.counts = s.sums[:0], s.counts[:0] }
func (s *intervalSum) Bytes() int64 { return int64(cap(s.sums)) * 24 }

func (s *intervalSum) Update(groups []int32, args []*vec.Vector, rows []int32) error {
	s.arg.read(groups, args[0], rows)
	if len(s.arg.groups) == 0 {
		return nil
	}
	values := vec.Values[types.IntervalValue](s.arg.flat)
	for k, g := range s.arg.groups {
		sum, err := addIntervals(s.sums[g], values[s.arg.position(k)])
		if err != nil {
			return err
		}
		s.sums[g] = sum
		s.counts[g]++
	}
	return nil
}

func (s *intervalSum) Merge(groups []int32, partial []*vec.Vector, rows []int32) error {
	s.second.read(groups, partial[1], rows)
	counts := append([]int64(nil), s.counts...)
	if err := s.Update(groups, partial[:1], rows); err != nil {
		return err
	}
	copy(s.counts, counts)
	if len(s.second.groups) == 0 {
		return nil
	}
	values := vec.Values[int64](s.second.flat)
	for k, g := range s.second.groups {
		s.counts[g] += values[s.second.position(k)]
	}
	return nil
}

func (s *intervalSum) Partial(from, n int, out []*vec.Vector) error {
	out[0].Resize(interval, n)
	out[1].Resize(bigint, n)
	copy(vec.Values[types.IntervalValue](out[0]), s.sums[from:from+n])
	copy(vec.Values[int64](out[1]), s.counts[from:from+n])
	return nil
}

func (s *intervalSum) Final(from, n int, out *vec.Vector) error {
	out.Resize(interval, n)
	for i := range n {
		g := from + i
		if s.counts[g] == 0 {
			out.SetDatum(i, types.NullDatum())
			continue
		}
		v := s.sums[g]
		if s.avg {
			var err error
			if v, err = divideInterval(v, float64(s.counts[g])); err != nil {
				return err
			}
		}
		vec.Values[types.IntervalValue](out)[i] = v
	}
	return nil
}

func newIntervalSum(avg bool) fn.Aggregate {
	return fn.Aggregate{New: accumulate(func(fn.Call) fn.Accumulator { return &intervalSum{avg: avg} }),
		Partial: partialTypes(interval, bigint), IgnoresOrder: true}
}

func averageType(args []types.Type) (types.Type, error) {
	_, scale := shape(args[0])
	return types.DecimalOf(types.MaxDecimalPrecision, max(minDivisionScale, scale)), nil
}

func sumAggregates() []fn.Overload {
	const sumDoc, avgDoc = "Sum of the values that are not NULL.", "Mean of the values that are not NULL."
	sum := func(t, result types.Type, impl fn.Aggregate) fn.Overload {
		return aggregateRow("sum", sumDoc, "sum(x) → 6", params("x", t), result, impl)
	}
	avg := func(t, result types.Type, impl fn.Aggregate) fn.Overload {
		return aggregateRow("avg", avgDoc, "avg(x) → 2.0000000000000000", params("x", t), result, impl)
	}
	wide, mean := types.DecimalOf(types.MaxDecimalPrecision, 0), types.DecimalOf(types.MaxDecimalPrecision, minDivisionScale)
	decimalSum := aggregateRow("sum", sumDoc, "sum(1.50) → 1.50", []fn.Param{family("x", fn.Numeric)}, types.Type{}, newExactSum(false))
	decimalSum.Result = func(args []types.Type) (types.Type, error) {
		_, scale := shape(args[0])
		return types.DecimalOf(types.MaxDecimalPrecision, scale), nil
	}
	decimalAvg := aggregateRow("avg", avgDoc, "avg(1.5) → 1.5000000000000000", []fn.Param{family("x", fn.Numeric)}, types.Type{}, newExactSum(true))
	decimalAvg.Result = averageType
	return []fn.Overload{
		sum(smallint, bigint, newExactSum(false)), sum(integer, bigint, newExactSum(false)), sum(bigint, wide, newExactSum(false)),
		decimalSum, sum(real4, real4, newFloatSum(false)), sum(double, double, newFloatSum(false)), sum(interval, interval, newIntervalSum(false)),
		avg(smallint, mean, newExactSum(true)), avg(integer, mean, newExactSum(true)), avg(bigint, mean, newExactSum(true)),
		decimalAvg, avg(real4, double, newFloatSum(true)), avg(double, double, newFloatSum(true)), avg(interval, interval, newIntervalSum(true)),
	}
}
