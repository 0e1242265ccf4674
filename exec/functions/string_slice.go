package functions

import (
	"math"

	"github.com/tarnlake/tarn/exec/kernel"
	"github.com/tarnlake/tarn/internal/fn"
	"github.com/tarnlake/tarn/internal/sqlerr"
	"github.com/tarnlake/tarn/internal/types"
	"github.com/tarnlake/tarn/internal/vec"
)

// slice makes a function whose result is a part of its first argument: the bytes are shared.
func slice(f func(s []byte, r row) (from, to int, err error)) fn.Scalar {
	return fn.Scalar{New: func(call fn.Call) (fn.Kernel, error) {
		return func(args []*vec.Vector, n int, rows []int32, out *vec.Vector) error {
			views, o, m := vec.Values[vec.View](args[0]), vec.Values[vec.View](out), mask(args[0])
			buffers := args[0].Buffers
			out.Buffers = buffers[:len(buffers):len(buffers)]
			for k := range kernel.Count(rows, n) {
				r := rowAt(rows, k)
				view := &views[r&m]
				b := view.Bytes(buffers)
				from, to, err := f(b, row{args, r, &call})
				if err != nil {
					return err
				}
				o[r] = cut(view, b, from, to)
			}
			return nil
		}, nil
	}}
}

// cut makes the view of b[from:to], where b is what view shows.
func cut(view *vec.View, b []byte, from, to int) vec.View {
	switch {
	case from >= to:
		return vec.View{}
	case to-from <= vec.InlineLength:
		return vec.InlineView(b[from:to])
	case from == 0 && to == len(b):
		return *view
	}
	return vec.LongView(b[from:to], view.Buffer(), view.Offset()+from)
}

// characterSpan gives the bytes of characters from … to-1 (0-based, clamped).
func characterSpan(b []byte, from, to int) (int, int) {
	if to <= from || from >= len(b) {
		return 0, 0
	}
	if to > len(b) {
		to = len(b)
	}
	high := byte(0)
	for _, c := range b[:to] {
		high |= c
	}
	if high < 0x80 {
		return from, to
	}
	s := bytesAsString(b)
	start := types.CharacterOffset(s, from)
	return start, start + types.CharacterOffset(s[start:], to-from)
}

// substringSpan is SQL's substring(s from start for count), both 1-based and possibly outside.
func substringSpan(b []byte, start, count int64) (from, to int, err error) {
	if count < 0 {
		return 0, 0, errorf(sqlerr.SubstringError, "negative substring length not allowed")
	}
	end := start + count
	if end < start { // overflow
		end = math.MaxInt32
	}
	start, end = max(start, 1), max(end, 1)
	from, to = characterSpan(b, int(min(start-1, math.MaxInt32)), int(min(end-1, math.MaxInt32)))
	return from, to, nil
}

// substringKernel is substring(s, start[, count]).
func substringKernel(args []*vec.Vector, n int, rows []int32, out *vec.Vector) error {
	views, o, m := vec.Values[vec.View](args[0]), vec.Values[vec.View](out), mask(args[0])
	buffers := args[0].Buffers
	out.Buffers = buffers[:len(buffers):len(buffers)]
	starts, ms := vec.Values[int32](args[1]), mask(args[1])
	counts, mc := []int32{math.MaxInt32}, 0
	if len(args) > 2 {
		counts, mc = vec.Values[int32](args[2]), mask(args[2])
	}
	for k := range kernel.Count(rows, n) {
		r := rowAt(rows, k)
		view := &views[r&m]
		b := view.Bytes(buffers)
		from, to, err := substringSpan(b, int64(starts[r&ms]), int64(counts[r&mc]))
		if err != nil {
			return err
		}
		o[r] = cut(view, b, from, to)
	}
	return nil
}

func substringOverloads() []fn.Overload {
	var out []fn.Overload
	for _, name := range []string{"substring", "substr"} {
		out = append(out,
			fn.Overload{Name: name, Params: params("s", text, "start", integer, "count", integer), ResultType: text,
				Category: categoryString, Doc: "The part of s of count characters that begins at start (1-based).",
				Example: name + "('lakehouse', 5, 3) → hou", MayFail: true,
				Impl: fixed(substringKernel)},
			fn.Overload{Name: name, Params: params("s", text, "start", integer), ResultType: text,
				Category: categoryString, Doc: "The part of s from start (1-based) to its end.",
				Example: name + "('lakehouse', 5) → house",
				Impl:    fixed(substringKernel)})
	}
	return out
}
