package functions

import (
	"math"
	"slices"

	"github.com/tarnlake/tarn/internal/fn"
	"github.com/tarnlake/tarn/internal/sqlerr"
	"github.com/tarnlake/tarn/internal/types"
	"github.com/tarnlake/tarn/internal/vec"
)

// ordered is a group's values in the order of WITHIN GROUP: doubles plainly, others boxed.
type ordered struct {
	floats []float64
	values []types.Datum
}

func (o *ordered) len() int { return len(o.floats) + len(o.values) }

func (o *ordered) at(i int) types.Datum {
	if o.floats != nil {
		return types.FloatDatum(o.floats[i])
	}
	return o.values[i]
}

// inOrder gives a group's values (argument at) sorted: the operator hands rows over in the order of
// WITHIN GROUP, which may be descending, but merged parts may lie out of it.
func inOrder(l *lists, rows []int32, at int) *ordered {
	v := l.values[at]
	out := &ordered{}
	if v.Type.Kind == types.Float64 {
		in := vec.Values[float64](v)
		for _, r := range rows {
			if !v.IsNull(int(r)) {
				out.floats = append(out.floats, in[r])
			}
		}
		if !slices.IsSortedFunc(out.floats, types.CompareFloats) && !slices.IsSortedFunc(out.floats, func(a, b float64) int { return types.CompareFloats(b, a) }) {
			slices.SortFunc(out.floats, types.CompareFloats)
		}
		return out
	}
	for _, r := range rows {
		if d := v.Datum(int(r)); !d.Null {
			out.values = append(out.values, d)
		}
	}
	order := func(a, b types.Datum) int { return types.CompareDatums(v.Type, a, b) }
	if !slices.IsSortedFunc(out.values, order) && !slices.IsSortedFunc(out.values, func(a, b types.Datum) int { return order(b, a) }) {
		slices.SortStableFunc(out.values, order)
	}
	return out
}

func checkFraction(f float64) error {
	if f < 0 || f > 1 || math.IsNaN(f) {
		return errorf(sqlerr.NumericValueOutOfRange, "percentile value %s is not between 0 and 1", types.AppendFloat64(nil, f))
	}
	return nil
}

// forFractions computes one percentile, or an array of them when the fractions are one.
func forFractions(l *lists, rows []int32, one func(values *ordered, f float64) types.Datum) (types.Datum, error) {
	fraction := l.values[0].Datum(int(rows[0]))
	values := inOrder(l, rows, 1)
	if fraction.Null || values.len() == 0 {
		return types.NullDatum(), nil
	}
	if l.values[0].Type.Kind != types.Array {
		if err := checkFraction(fraction.F64); err != nil {
			return types.NullDatum(), err
		}
		return one(values, fraction.F64), nil
	}
	out := types.Datum{Items: make([]types.Datum, len(fraction.Items))}
	for i, f := range fraction.Items {
		if f.Null {
			out.Items[i] = types.NullDatum()
			continue
		}
		if err := checkFraction(f.F64); err != nil {
			return types.NullDatum(), err
		}
		out.Items[i] = one(values, f.F64)
	}
	return out, nil
}

// continuous interpolates between the two values around a fraction.
func continuous(t types.Type) func(values *ordered, f float64) types.Datum {
	return func(values *ordered, f float64) types.Datum {
		place := f * float64(values.len()-1)
		low, high := values.at(int(math.Floor(place))), values.at(int(math.Ceil(place)))
		share := place - math.Floor(place)
		if share == 0 {
			return low
		}
		if t.Kind == types.Interval {
			negative, _ := negateInterval(low.Span)
			difference, _ := addIntervals(high.Span, negative)
			part, _ := scaleInterval(difference, share)
			sum, _ := addIntervals(low.Span, part)
			return types.Datum{Span: sum}
		}
		return types.FloatDatum(low.F64 + share*(high.F64-low.F64))
	}
}

// discrete gives the first value whose share of the rows reaches the fraction.
func discrete(values *ordered, f float64) types.Datum {
	n := int(math.Ceil(f * float64(values.len())))
	return values.at(max(n, 1) - 1)
}

func percentileAggregates() []fn.Overload {
	fractions := types.ArrayOf(double)
	row := func(name, doc, example string, p []fn.Param, result types.Type, impl fn.Aggregate) fn.Overload {
		return statisticsRow(aggregateRow(name, doc, example, p, result, impl))
	}
	percentile := func(one func(call fn.Call) func(values *ordered, f float64) types.Datum) fn.Aggregate {
		return listImpl(2, false, func(call fn.Call) func(l *lists, rows []int32) (types.Datum, error) {
			pick := one(call)
			return func(l *lists, rows []int32) (types.Datum, error) { return forFractions(l, rows, pick) }
		})
	}
	cont := percentile(func(call fn.Call) func(values *ordered, f float64) types.Datum { return continuous(call.Args[1]) })
	disc := percentile(func(fn.Call) func(values *ordered, f float64) types.Datum { return discrete })
	const contDoc = "The value at a fraction of the ordered values, interpolated between neighbours."
	const discDoc = "The first of the ordered values whose share of the rows reaches a fraction."
	var out []fn.Overload
	for _, t := range []types.Type{double, interval} {
		out = append(out,
			row("percentile_cont", contDoc, "percentile_cont(0.5) WITHIN GROUP (ORDER BY x) → 2", params("fraction", double, "x", t), t, cont),
			row("percentile_cont", contDoc, "percentile_cont(ARRAY[0.25, 0.5]) WITHIN GROUP (ORDER BY x) → {1.5,2}", params("fractions", fractions, "x", t), types.ArrayOf(t), cont))
	}
	one := row("percentile_disc", discDoc, "percentile_disc(0.5) WITHIN GROUP (ORDER BY x) → 2", []fn.Param{{Name: "fraction", Type: double}, family("x", fn.Any)}, types.Type{}, disc)
	one.Result = func(args []types.Type) (types.Type, error) { return args[1], nil }
	many := row("percentile_disc", discDoc, "percentile_disc(ARRAY[0.25, 0.5]) WITHIN GROUP (ORDER BY x) → {1,2}", []fn.Param{{Name: "fractions", Type: fractions}, family("x", fn.Any)}, types.Type{}, disc)
	many.Result = func(args []types.Type) (types.Type, error) { return types.ArrayOf(args[1]), nil }
	mode := row("mode", "The most frequent value; of several the first in the order.", "mode() WITHIN GROUP (ORDER BY x) → 2", []fn.Param{family("x", fn.Any)}, types.Type{},
		listImpl(1, true, func(call fn.Call) func(l *lists, rows []int32) (types.Datum, error) {
			return func(l *lists, rows []int32) (types.Datum, error) {
				return mostFrequent(call.Args[0], inOrder(l, rows, 0)), nil
			}
		}))
	mode.Result = sameType
	median := row("median", "The middle of the ordered values, interpolated between neighbours.", "median(x) → 2", params("x", double), double,
		listImpl(1, true, func(call fn.Call) func(l *lists, rows []int32) (types.Datum, error) {
			return func(l *lists, rows []int32) (types.Datum, error) {
				return continuous(double)(inOrder(l, rows, 0), 0.5), nil
			}
		}))
	return append(out, one, many, mode, median)
}

func mostFrequent(t types.Type, values *ordered) types.Datum {
	best, bestRun := types.NullDatum(), 0
	for i := 0; i < values.len(); {
		j := i + 1
		for j < values.len() && types.CompareDatums(t, values.at(i), values.at(j)) == 0 {
			j++
		}
		if j-i > bestRun {
			best, bestRun = values.at(i), j-i
		}
		i = j
	}
	return best
}
