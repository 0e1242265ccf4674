package window

import (
	"sort"

	"github.com/tarnlake/tarn/internal/plan"
	"github.com/tarnlake/tarn/internal/sqlerr"
	"github.com/tarnlake/tarn/internal/types"
	"github.com/tarnlake/tarn/internal/vec"
)

// Errors of frame offsets carry the code that PostgreSQL calls invalid_preceding_or_following_size.
const invalidOffset sqlerr.Code = "22013"

// frames gives every row's frame as row numbers: start inclusive, end exclusive, start ≤ end.
func frames(f plan.Frame, in []vec.Vector, order []plan.SortKey, p *peers, n int) (start, end []int32, err error) {
	start, end = make([]int32, n), make([]int32, n)
	if err := edge(f.Unit, f.Start, true, in, order, p, start); err != nil {
		return nil, nil, err
	}
	if err := edge(f.Unit, f.End, false, in, order, p, end); err != nil {
		return nil, nil, err
	}
	for i := range end {
		end[i] = max(end[i], start[i])
	}
	return start, end, nil
}

// edge fills one side of all frames.
func edge(unit plan.FrameUnit, b plan.Bound, isStart bool, in []vec.Vector, order []plan.SortKey, p *peers, out []int32) error {
	n := int32(len(out))
	switch b.Kind {
	case plan.UnboundedPreceding:
		clear(out)
		return nil
	case plan.UnboundedFollowing:
		for i := range out {
			out[i] = n
		}
		return nil
	case plan.CurrentRow:
		for i := range out {
			switch {
			case unit == plan.Rows && isStart:
				out[i] = int32(i)
			case unit == plan.Rows:
				out[i] = int32(i) + 1
			case isStart:
				out[i] = p.start[i]
			default:
				out[i] = p.end[i]
			}
		}
		return nil
	}
	if unit == plan.Range {
		return rangeEdge(b, isStart, in, order, p, out)
	}
	return countedEdge(unit, b, isStart, &in[b.Offset], p, out)
}

// countedEdge is n PRECEDING or n FOLLOWING in rows or in groups of peers.
func countedEdge(unit plan.FrameUnit, b plan.Bound, isStart bool, offsets *vec.Vector, p *peers, out []int32) error {
	n, groups := int64(len(out)), int64(len(p.first)-1)
	for i := range out {
		distance, err := offset(offsets, i, isStart)
		if err != nil {
			return err
		}
		if b.Kind == plan.Preceding {
			distance = -distance
		}
		at, limit := int64(i), n
		if unit == plan.Groups {
			at, limit = int64(p.group[i]), groups
		}
		at = min(max(at+distance, -1), limit) // distances are at most ±2^62, so nothing overflows
		if !isStart {
			at++
		}
		at = min(max(at, 0), limit)
		if unit == plan.Groups {
			at = int64(p.first[at])
		}
		out[i] = int32(at)
	}
	return nil
}

func offset(v *vec.Vector, i int, isStart bool) (int64, error) {
	side := "ending"
	if isStart {
		side = "starting"
	}
	d := v.Datum(i)
	if d.Null {
		return 0, sqlerr.New(sqlerr.NullValueNotAllowed, "frame %s offset must not be null", side)
	}
	if d.I64 < 0 {
		return 0, sqlerr.New(invalidOffset, "frame %s offset must not be negative", side)
	}
	return min(d.I64, 1<<62), nil
}

// rangeEdge is value PRECEDING or FOLLOWING: the bound itself stands in a column. A row whose key is
// NULL has its peers, the other NULLs, as the frame's edge.
func rangeEdge(b plan.Bound, isStart bool, in []vec.Vector, order []plan.SortKey, p *peers, out []int32) error {
	if len(order) != 1 {
		return sqlerr.Internal("RANGE with an offset needs exactly one order column")
	}
	key, bound := &in[order[0].Column], &in[b.Offset]
	t, n := key.Type, len(out)
	from, to := 0, n // the rows whose key is not NULL
	for from < n && key.IsNull(from) {
		from++
	}
	for to > from && key.IsNull(to-1) {
		to--
	}
	before := func(row int, limit types.Datum) int { // negative: the row sorts before the bound
		c := types.CompareDatums(t, key.Datum(row), limit)
		if order[0].Descending {
			return -c
		}
		return c
	}
	for i := range out {
		switch {
		case key.IsNull(i) && isStart:
			out[i] = p.start[i]
		case key.IsNull(i):
			out[i] = p.end[i]
		case bound.IsNull(i):
			side := "ending"
			if isStart {
				side = "starting"
			}
			return sqlerr.New(sqlerr.NullValueNotAllowed, "frame %s offset must not be null", side)
		default:
			limit := bound.Datum(i)
			out[i] = int32(from + sort.Search(to-from, func(k int) bool {
				if isStart {
					return before(from+k, limit) >= 0
				}
				return before(from+k, limit) > 0
			}))
		}
	}
	return nil
}
