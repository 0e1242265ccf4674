package functions

import (
	"github.com/tarnlake/tarn/exec/kernel"
	"github.com/tarnlake/tarn/internal/fn"
	"github.com/tarnlake/tarn/internal/sqlerr"
	"github.com/tarnlake/tarn/internal/types"
	"github.com/tarnlake/tarn/internal/vec"
)

// valueWindows give the value of another row of the partition.
func valueWindows() []fn.Overload {
	x, offset := family("x", fn.Any), fn.Param{Name: "offset", Type: integer}
	common := []fn.Param{family("x", fn.Common), offset, family("default", fn.Common)}
	row := func(name, doc, example string, p []fn.Param, f windowFunc) fn.Overload {
		o := windowRow(name, doc, example, p, types.Type{}, window(f))
		o.Result = sameType
		return o
	}
	var out []fn.Overload
	for _, w := range []struct {
		name, doc string
		sign      int
	}{{"lag", "The value on the row offset (1) rows before, the default or NULL where there is none.", -1},
		{"lead", "The value on the row offset (1) rows after, the default or NULL where there is none.", 1}} {
		f := func(p *fn.WindowPartition, o *vec.Vector) error { return shifted(p, o, w.sign) }
		out = append(out,
			row(w.name, w.doc, w.name+"(x) OVER (ORDER BY x) → NULL", []fn.Param{x}, f),
			row(w.name, w.doc, w.name+"(x, 2) OVER (ORDER BY x) → NULL", []fn.Param{x, offset}, f),
			row(w.name, w.doc, w.name+"(x, 1, 0) OVER (ORDER BY x) → 0", common, f))
	}
	return append(out,
		row("first_value", "The value on the first row of the frame.", "first_value(x) OVER (ORDER BY x) → 1", []fn.Param{x}, func(p *fn.WindowPartition, o *vec.Vector) error {
			return fromFrame(p, o, func(int) (int, error) { return 1, nil })
		}),
		row("last_value", "The value on the last row of the frame.", "last_value(x) OVER (ORDER BY x) → 1", []fn.Param{x}, func(p *fn.WindowPartition, o *vec.Vector) error {
			return fromFrame(p, o, func(int) (int, error) { return -1, nil })
		}),
		row("nth_value", "The value on row number n of the frame, NULL where there is none.", "nth_value(x, 2) OVER (ORDER BY x) → NULL", []fn.Param{x, {Name: "n", Type: integer}}, nthValue),
	)
}

// takeRows makes out the values of x on the rows from lists; -1 gives NULL.
func takeRows(out, x *vec.Vector, from []int32) {
	var flat vec.Vector
	kernel.Flatten(&flat, x, nil)
	var missing []int32
	for i, r := range from {
		if r < 0 {
			missing = append(missing, int32(i))
			from[i] = 0
		}
	}
	vec.Gather(out, &flat, from)
	if len(missing) > 0 {
		if out.Valid == nil {
			out.MakeValid()
		}
		kernel.SetNulls(out, missing)
	}
}

// shifted is lag and lead.
func shifted(p *fn.WindowPartition, out *vec.Vector, sign int) error {
	from := make([]int32, p.Rows)
	for i := range from {
		distance, known := 1, true
		if len(p.Args) > 1 {
			d := p.Args[1].Datum(i)
			distance, known = int(d.I64), !d.Null
		}
		from[i] = -1
		if !known {
			continue
		}
		if p.IgnoreNulls {
			from[i] = skipNulls(p, i, sign*distance)
		} else if at := i + sign*distance; at >= 0 && at < p.Rows {
			from[i] = int32(at)
		}
	}
	if len(p.Args) < 3 {
		takeRows(out, p.Args[0], from)
		return nil
	}
	var defaults []int32
	for i := range from {
		if from[i] < 0 && (len(p.Args) < 2 || !p.Args[1].IsNull(i)) {
			defaults = append(defaults, int32(i))
		}
	}
	takeRows(out, p.Args[0], from)
	if len(defaults) > 0 {
		kernel.Scatter(out, p.Args[2], defaults)
	}
	return nil
}

// skipNulls finds the row so many rows with values away, -1 for none.
func skipNulls(p *fn.WindowPartition, i, distance int) int32 {
	step := 1
	if distance < 0 {
		step, distance = -1, -distance
	}
	if distance == 0 {
		return int32(i)
	}
	for at := i + step; at >= 0 && at < p.Rows; at += step {
		if p.Args[0].IsNull(at) {
			continue
		}
		if distance--; distance == 0 {
			return int32(at)
		}
	}
	return -1
}

// excluded tells whether the frame's EXCLUDE clause takes row r from row i's frame.
func excluded(p *fn.WindowPartition, i, r int) bool {
	switch p.Exclude {
	case fn.ExcludeCurrentRow:
		return r == i
	case fn.ExcludeGroup:
		return r >= int(p.PeerStart[i]) && r < int(p.PeerEnd[i])
	case fn.ExcludeTies:
		return r != i && r >= int(p.PeerStart[i]) && r < int(p.PeerEnd[i])
	}
	return false
}

// fromFrame takes the value on row number which(i) of each frame, counted from the end for a negative
// one; 0 gives NULL.
func fromFrame(p *fn.WindowPartition, out *vec.Vector, which func(i int) (int, error)) error {
	from := make([]int32, p.Rows)
	plain := !p.IgnoreNulls && p.Exclude == fn.ExcludeNothing
	for i := range from {
		n, err := which(i)
		if err != nil {
			return err
		}
		from[i] = -1
		start, end := int(p.FrameStart[i]), int(p.FrameEnd[i])
		switch {
		case n == 0:
		case plain && n > 0 && start+n <= end:
			from[i] = int32(start + n - 1)
		case plain && n < 0 && end+n >= start:
			from[i] = int32(end + n)
		case !plain:
			from[i] = searchFrame(p, i, n)
		}
	}
	takeRows(out, p.Args[0], from)
	return nil
}

func searchFrame(p *fn.WindowPartition, i, n int) int32 {
	at, step := int(p.FrameStart[i]), 1
	if n < 0 {
		at, step, n = int(p.FrameEnd[i])-1, -1, -n
	}
	for ; at >= int(p.FrameStart[i]) && at < int(p.FrameEnd[i]); at += step {
		if excluded(p, i, at) || p.IgnoreNulls && p.Args[0].IsNull(at) {
			continue
		}
		if n--; n == 0 {
			return int32(at)
		}
	}
	return -1
}

func nthValue(p *fn.WindowPartition, out *vec.Vector) error {
	return fromFrame(p, out, func(i int) (int, error) {
		d := p.Args[1].Datum(i)
		if d.Null {
			return 0, nil
		}
		if d.I64 <= 0 {
			return 0, errorf(sqlerr.Code("22016"), "argument of nth_value must be greater than zero")
		}
		return int(d.I64), nil
	})
}
