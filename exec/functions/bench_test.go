package functions

import (
	"fmt"
	"testing"

	"github.com/tarnlake/tarn/exec/kernel"
	"github.com/tarnlake/tarn/internal/expr"
	"github.com/tarnlake/tarn/internal/fn"
	"github.com/tarnlake/tarn/internal/types"
	"github.com/tarnlake/tarn/internal/vec"
)

func filled(t types.Type, n int, f func(i int) types.Datum) *vec.Vector {
	v := vec.NewFlat(t, n)
	for i := range n {
		v.SetDatum(i, f(i))
	}
	return v
}

// perRow runs one call over a batch and reports nanoseconds a row.
func perRow(b *testing.B, n int, run func() error) {
	b.Helper()
	for b.Loop() {
		if err := run(); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(n), "ns/row")
}

func BenchmarkKernels(b *testing.B) {
	const n = vec.BatchSize
	r := Registry()
	price := filled(types.DecimalOf(15, 2), n, func(i int) types.Datum { return types.IntDatum(int64(i*7919%100_000) + 90_000) })
	rate := filled(types.DecimalOf(16, 2), n, func(i int) types.Datum { return types.IntDatum(int64(i%100) + 1) })
	product := filled(types.DecimalOf(31, 4), n, func(i int) types.Datum { return types.Datum{I128: types.MulInt64(int64(i)*1000, 99)} })
	longs := filled(bigint, n, func(i int) types.Datum { return types.IntDatum(int64(i * 31)) })
	words := filled(text, n, func(i int) types.Datum {
		return types.StringDatum(fmt.Sprintf("%d furiously special packages sleep about the requests", i))
	})
	days := filled(date, n, func(i int) types.Datum { return types.IntDatum(int64(8000 + i)) })
	call := func(name string, constants []*types.Datum, args ...*vec.Vector) {
		b.Run(fmt.Sprintf("%s(%s)", name, args[len(args)-1].Type), func(b *testing.B) {
			var argTypes []types.Type
			for _, a := range args {
				argTypes = append(argTypes, a.Type)
			}
			for _, o := range r.ByName(name) {
				if len(o.Params) != len(args) || !accepts(o, argTypes) {
					continue
				}
				t := o.ResultType
				if o.ResultOf != nil {
					t, _ = o.ResultOf(argTypes, constants)
				} else if o.Result != nil {
					t, _ = o.Result(argTypes)
				}
				k, err := o.Impl.(fn.Scalar).New(fn.Call{Name: name, Args: argTypes, Result: t, Constants: constants})
				if err != nil {
					b.Fatal(err)
				}
				out := &vec.Vector{}
				perRow(b, n, func() error { out.Resize(t, n); return k(args, n, nil, out) })
				return
			}
			b.Fatal("no overload")
		})
	}
	constant := func(t types.Type, d types.Datum) (*vec.Vector, *types.Datum) { return vec.NewConst(t, d, n), &d }
	none := []*types.Datum{nil, nil, nil}
	call("+", none, longs, longs)
	call("*", none, longs, longs)
	call("*", none, price, rate)
	call("*", none, product, rate)
	call("-", none, rate, rate)
	call("/", none, price, rate)
	pattern, d := constant(text, types.StringDatum("%special%requests%"))
	call("~~", []*types.Datum{nil, d}, words, pattern)
	field, d := constant(text, types.StringDatum("year"))
	call("extract", []*types.Datum{d, nil}, field, days)
	one, _ := constant(integer, types.IntDatum(1))
	two, _ := constant(integer, types.IntDatum(2))
	call("substring", none, words, one, two)
	groups := make([]int32, n)
	for i := range groups {
		groups[i] = int32(i % 4)
	}
	for _, v := range []*vec.Vector{price, product, longs} {
		b.Run("sum("+v.Type.String()+")", func(b *testing.B) {
			s := &exactSum{result: types.DecimalOf(38, 0)}
			s.Resize(4)
			perRow(b, n, func() error { return s.Update(groups, []*vec.Vector{v}, nil) })
		})
	}
	b.Run("count", func(b *testing.B) {
		c := &counts{}
		c.Resize(4)
		perRow(b, n, func() error { return c.Update(groups, nil, nil) })
	})
	hashes, dst := make([]uint64, n), []int32(nil)
	b.Run("pick(bigint)", func(b *testing.B) {
		perRow(b, n, func() error { dst = kernel.PickConst(dst, expr.Less, longs, types.IntDatum(30_000), nil); return nil })
	})
	b.Run("hash(bigint)", func(b *testing.B) {
		perRow(b, n, func() error { kernel.Hash(hashes, longs, nil, true); return nil })
	})
	b.Run("hash(text)", func(b *testing.B) {
		perRow(b, n, func() error { kernel.Hash(hashes, words, nil, true); return nil })
	})
}

func accepts(o *fn.Overload, args []types.Type) bool {
	for i, p := range o.Params {
		if p.Family == fn.Exact && p.Type.Kind != args[i].Kind || p.Family == fn.Numeric && args[i].Kind != types.Decimal {
			return false
		}
	}
	return true
}
