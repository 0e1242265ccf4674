package functions

import (
	"github.com/tarnlake/tarn/exec/kernel"
	"github.com/tarnlake/tarn/internal/fn"
	"github.com/tarnlake/tarn/internal/sqlerr"
	"github.com/tarnlake/tarn/internal/types"
	"github.com/tarnlake/tarn/internal/vec"
)

// spread lays the elements of the listed rows' arrays side by side.
type spread struct {
	elements []vec.Vector // one a child: elements, or keys and values
	outer    []int32      // the row that each belongs to
	starts   []int        // of each listed row, and the end
}

func spreadLists(v *vec.Vector, rows []int32, n int) *spread {
	s := &spread{elements: make([]vec.Vector, len(v.Children))}
	lists, m := vec.Values[vec.List](v), mask(v)
	var at []int32
	for k := range kernel.Count(rows, n) {
		r := rowAt(rows, k)
		s.starts = append(s.starts, len(at))
		l := lists[r&m]
		for i := range l.Length {
			at = append(at, l.Offset+i)
			s.outer = append(s.outer, int32(r))
		}
	}
	s.starts = append(s.starts, len(at))
	if at == nil {
		at = []int32{}
	}
	for c := range v.Children {
		var gathered vec.Vector
		vec.Gather(&gathered, &v.Children[c], at)
		kernel.Flatten(&s.elements[c], &gathered, nil)
	}
	return s
}

func (s *spread) params() []*vec.Vector {
	out := make([]*vec.Vector, len(s.elements))
	for i := range s.elements {
		out[i] = &s.elements[i]
	}
	return out
}

// overElements makes a function of a collection and a lambda: use gets the lambda's result for every
// element and writes the rows.
func overElements(lambdaAt int, use func(s *spread, result *vec.Vector, rows []int32, n int, out *vec.Vector) error) fn.Scalar {
	return fn.Scalar{New: func(call fn.Call) (fn.Kernel, error) {
		return func(args []*vec.Vector, n int, rows []int32, out *vec.Vector) error {
			s := spreadLists(args[0], rows, n)
			result := vec.NewConst(boolean, types.NullDatum(), 0)
			if len(s.outer) > 0 {
				var err error
				if result, err = call.Lambdas[lambdaAt].Apply(s.params(), len(s.outer), s.outer); err != nil {
					return err
				}
			}
			return use(s, result, rows, n, out)
		}, nil
	}}
}

// matchMode says how many elements must satisfy a condition.
type matchMode uint8

const (
	matchAny matchMode = iota
	matchAll
	matchNone
)

// matching decides by three-valued logic: an undecided element makes the answer NULL unless another
// decides it.
func matching(mode matchMode) fn.Scalar {
	return overElements(1, func(s *spread, result *vec.Vector, rows []int32, n int, out *vec.Vector) error {
		o := vec.Values[uint8](out)
		for k := range kernel.Count(rows, n) {
			r := rowAt(rows, k)
			hits, misses, unknown := 0, 0, 0
			for e := s.starts[k]; e < s.starts[k+1]; e++ {
				switch d := result.Datum(e); {
				case d.Null:
					unknown++
				case d.I64 != 0:
					hits++
				default:
					misses++
				}
			}
			decided := hits > 0
			o[r] = asFlag((mode == matchAny) == (hits > 0))
			if mode == matchAll {
				decided = misses > 0
				o[r] = asFlag(misses == 0)
			}
			if !decided && unknown > 0 {
				out.SetNull(r)
			}
		}
		return nil
	})
}

func lambdaFunctions() []fn.Overload {
	lambda := func(name string) fn.Param { return family(name, fn.Function) }
	condition := []fn.Param{anyArray, lambda("condition")}
	match := func(name, doc, example string, mode matchMode) fn.Overload {
		return failing(returning(boolean, arrayRow(name, doc, example, condition, matching(mode))))
	}
	return append([]fn.Overload{
		match("any_match", "Tells whether a condition is true for some element.", "any_match(ARRAY[1, 2], x -> x > 1) → true", matchAny),
		match("all_match", "Tells whether a condition is true for all elements.", "all_match(ARRAY[1, 2], x -> x > 1) → false", matchAll),
		match("none_match", "Tells whether a condition is true for no element.", "none_match(ARRAY[1, 2], x -> x > 2) → true", matchNone),
		failing(resultOf(func(args []types.Type) types.Type { return types.ArrayOf(args[1]) },
			arrayRow("transform", "Applies a function to every element.", "transform(ARRAY[1, 2], x -> x * 2) → {2,4}", []fn.Param{anyArray, lambda("function")}, overElements(1, keepResults)))),
		failing(resultOf(firstType, arrayRow("filter", "The elements for which a condition is true.", "filter(ARRAY[1, 2, 3], x -> x > 1) → {2,3}", condition, overElements(1, keepElements)))),
		failing(resultOf(func(args []types.Type) types.Type { return args[3] },
			arrayRow("reduce", "Folds the elements into one value: state starts as initial and becomes step(state, element); finish gives the result.",
				"reduce(ARRAY[5, 20, 50], 0, (s, x) -> s + x, s -> s) → 75", []fn.Param{anyArray, family("initial", fn.Any), lambda("step"), lambda("finish")}, fn.Scalar{New: newReduce}))),
		failing(resultOf(func(args []types.Type) types.Type { return types.ArrayOf(args[2]) },
			arrayRow("zip_with", "Applies a function to the elements of two arrays side by side, the shorter one filled up with NULLs.",
				"zip_with(ARRAY[1, 2], ARRAY[10, 20], (x, y) -> x + y) → {11,22}", []fn.Param{family("a", fn.Any), family("b", fn.Any), lambda("function")}, fn.Scalar{New: newZipWith}))),
	}, mapFunctions(lambda)...)
}

// keepResults makes arrays of the lambda's results.
func keepResults(s *spread, result *vec.Vector, rows []int32, n int, out *vec.Vector) error {
	child := &out.Children[0]
	if len(s.outer) > 0 {
		var flat vec.Vector
		kernel.Flatten(&flat, result, nil)
		t := child.Type
		child.CopyFrom(&flat)
		child.Type = t
	}
	lists := vec.Values[vec.List](out)
	for k := range kernel.Count(rows, n) {
		lists[rowAt(rows, k)] = vec.List{Offset: int32(s.starts[k]), Length: int32(s.starts[k+1] - s.starts[k])}
	}
	return nil
}

// keepElements makes collections of the elements whose condition is true.
func keepElements(s *spread, result *vec.Vector, rows []int32, n int, out *vec.Vector) error {
	lists := vec.Values[vec.List](out)
	kept := []int32{}
	for k := range kernel.Count(rows, n) {
		start := len(kept)
		for e := s.starts[k]; e < s.starts[k+1]; e++ {
			if d := result.Datum(e); !d.Null && d.I64 != 0 {
				kept = append(kept, int32(e))
			}
		}
		lists[rowAt(rows, k)] = vec.List{Offset: int32(start), Length: int32(len(kept) - start)}
	}
	for c := range out.Children {
		vec.Gather(&out.Children[c], &s.elements[c], kept)
	}
	return nil
}

// newReduce steps through the elements position by position, all rows at once.
func newReduce(call fn.Call) (fn.Kernel, error) {
	return func(args []*vec.Vector, n int, rows []int32, out *vec.Vector) error {
		s := spreadLists(args[0], rows, n)
		count := kernel.Count(rows, n)
		states := make([]types.Datum, count)
		outer := make([]int32, count)
		for k := range count {
			outer[k] = int32(rowAt(rows, k))
			states[k] = row{args: args, at: int(outer[k])}.datum(1)
		}
		stateType := args[1].Type
		for position := 0; ; position++ {
			var active []int
			state, element := vec.NewFlat(stateType, 0), vec.NewFlat(s.elements[0].Type, 0)
			var owners []int32
			for k := range count {
				if at := s.starts[k] + position; at < s.starts[k+1] {
					active, owners = append(active, k), append(owners, outer[k])
					state.AppendDatum(states[k])
					element.AppendDatum(s.elements[0].Datum(at))
				}
			}
			if len(active) == 0 {
				break
			}
			result, err := call.Lambdas[2].Apply([]*vec.Vector{state, element}, len(active), owners)
			if err != nil {
				return err
			}
			if result.Type.Physical() != stateType.Physical() || result.Type.Scale != stateType.Scale {
				return errorf(sqlerr.DatatypeMismatch, "reduce: the step gives %s, but the state is %s", result.Type, stateType)
			}
			for i, k := range active {
				states[k] = result.Datum(i)
			}
		}
		last := vec.NewFlat(stateType, 0)
		for _, d := range states {
			last.AppendDatum(d)
		}
		result, err := call.Lambdas[3].Apply([]*vec.Vector{last}, count, outer)
		if err != nil {
			return err
		}
		for k := range count {
			out.SetDatum(int(outer[k]), result.Datum(k))
		}
		return nil
	}, nil
}

func newZipWith(call fn.Call) (fn.Kernel, error) {
	if call.Args[0].Kind != types.Array || call.Args[1].Kind != types.Array {
		return nil, errorf(sqlerr.UndefinedFunction, "zip_with takes two arrays and a function")
	}
	return func(args []*vec.Vector, n int, rows []int32, out *vec.Vector) error {
		a, b := vec.NewFlat(*call.Args[0].Elem, 0), vec.NewFlat(*call.Args[1].Elem, 0)
		s := &spread{}
		for k := range kernel.Count(rows, n) {
			r := row{args: args, at: rowAt(rows, k)}
			x, y := r.datum(0).Items, r.datum(1).Items
			s.starts = append(s.starts, a.Len)
			for i := range max(len(x), len(y)) {
				a.AppendDatum(itemAt(x, int64(i)+1))
				b.AppendDatum(itemAt(y, int64(i)+1))
				s.outer = append(s.outer, int32(r.at))
			}
		}
		s.starts = append(s.starts, a.Len)
		if a.Len == 0 {
			return keepResults(s, nil, rows, n, out)
		}
		result, err := call.Lambdas[2].Apply([]*vec.Vector{a, b}, a.Len, s.outer)
		if err != nil {
			return err
		}
		return keepResults(s, result, rows, n, out)
	}, nil
}
