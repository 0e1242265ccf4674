package functions

import (
	"github.com/tarnlake/tarn/exec/kernel"
	"github.com/tarnlake/tarn/internal/fn"
	"github.com/tarnlake/tarn/internal/types"
	"github.com/tarnlake/tarn/internal/vec"
)

func conditionalFunctions() []fn.Overload {
	extreme := func(name, doc, example string, greatest bool) fn.Overload {
		return fn.Overload{Name: name, Params: []fn.Param{family("x", fn.Common)}, Variadic: true, Result: sameType, Nulls: fn.Called,
			Category: categoryConditional, Doc: doc, Example: example, Impl: fn.Scalar{New: newGreatest(greatest)}}
	}
	first := fn.Overload{Params: []fn.Param{family("x", fn.Common), family("y", fn.Common)}, Result: sameType, Nulls: fn.Called,
		Category: categoryConditional, Doc: "x, or y where x is NULL.", Impl: fn.Scalar{New: newFirstGiven}}
	nvl, ifnull := first, first
	nvl.Name, nvl.Example = "nvl", "nvl(NULL, 2) → 2"
	ifnull.Name, ifnull.Example = "ifnull", "ifnull(NULL, 2) → 2"
	return []fn.Overload{
		extreme("greatest", "Greatest of the values that are not NULL.", "greatest(1, 3, 2) → 3", true),
		extreme("least", "Least of the values that are not NULL.", "least(1, 3, 2) → 1", false),
		nvl, ifnull,
		{Name: "num_nulls", Params: []fn.Param{family("x", fn.Any)}, Variadic: true, ResultType: integer, Nulls: fn.Called, Category: categoryConditional,
			Doc: "Number of arguments that are NULL.", Example: "num_nulls(1, NULL, 2) → 1", Impl: value(func(r row) int32 { return countNulls(r) })},
		{Name: "num_nonnulls", Params: []fn.Param{family("x", fn.Any)}, Variadic: true, ResultType: integer, Nulls: fn.Called, Category: categoryConditional,
			Doc: "Number of arguments that are not NULL.", Example: "num_nonnulls(1, NULL, 2) → 2", Impl: value(func(r row) int32 { return int32(len(r.args)) - countNulls(r) })},
	}
}

func countNulls(r row) int32 {
	n := int32(0)
	for i := range r.args {
		if r.null(i) {
			n++
		}
	}
	return n
}

// newFirstGiven is nvl: the first argument, the second where it is NULL.
func newFirstGiven(fn.Call) (fn.Kernel, error) {
	return func(args []*vec.Vector, n int, rows []int32, out *vec.Vector) error {
		clear(out.Data)
		kernel.Scatter(out, args[0], rows)
		var missing []int32
		for k := range kernel.Count(rows, n) {
			if r := rowAt(rows, k); args[0].IsNull(r) {
				missing = append(missing, int32(r))
			}
		}
		if len(missing) > 0 {
			kernel.Scatter(out, args[1], missing)
		}
		return nil
	}, nil
}

func newGreatest(greatest bool) func(fn.Call) (fn.Kernel, error) {
	return func(call fn.Call) (fn.Kernel, error) {
		switch call.Result.Physical() {
		case types.PhysInt32:
			return pickOrdered[int32](greatest), nil
		case types.PhysInt64:
			return pickOrdered[int64](greatest), nil
		}
		return func(args []*vec.Vector, n int, rows []int32, out *vec.Vector) error {
			for k := range kernel.Count(rows, n) {
				r := row{args: args, at: rowAt(rows, k)}
				best := types.NullDatum()
				for i := range args {
					if r.null(i) {
						continue
					}
					d := r.datum(i)
					if best.Null || types.CompareDatums(call.Result, d, best) > 0 == greatest && types.CompareDatums(call.Result, d, best) != 0 {
						best = d
					}
				}
				out.SetDatum(r.at, best)
			}
			return nil
		}, nil
	}
}

// pickOrdered goes through the arguments one after the other, keeping the best value of every row.
func pickOrdered[T int32 | int64](greatest bool) fn.Kernel {
	return func(args []*vec.Vector, n int, rows []int32, out *vec.Vector) error {
		o := vec.Values[T](out)
		found := make(vec.Bitmap, vec.BitmapWords(max(n, 1)))
		for _, a := range args {
			in, m := vec.Values[T](a), mask(a)
			if a.Enc == vec.Const && a.IsNull(0) {
				continue
			}
			for k := range kernel.Count(rows, n) {
				r := rowAt(rows, k)
				if a.IsNull(r) {
					continue
				}
				if x := in[r&m]; !found.Get(r) || x > o[r] == greatest && x != o[r] {
					o[r] = x
					found.Set(r)
				}
			}
		}
		if found.CountSet(n) < n {
			out.Valid = found
		}
		return nil
	}
}
