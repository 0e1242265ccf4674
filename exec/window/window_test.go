package window

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/tarnlake/tarn/internal/fn"
	"github.com/tarnlake/tarn/internal/plan"
	"github.com/tarnlake/tarn/internal/sqlerr"
	"github.com/tarnlake/tarn/internal/types"
	"github.com/tarnlake/tarn/internal/vec"
)

// listing is an accumulator that spells out the rows it got; sorted output makes it order-free.
type listing struct {
	groups  [][]string
	ordered bool
}

func (l *listing) Resize(n int) {
	for len(l.groups) < n {
		l.groups = append(l.groups, nil)
	}
}
func (l *listing) Reset()       { l.groups = nil }
func (l *listing) Bytes() int64 { return 0 }
func (l *listing) Update(groups []int32, args []*vec.Vector, rows []int32) error {
	for i, g := range groups {
		row := i
		if rows != nil {
			row = int(rows[i])
		}
		l.groups[g] = append(l.groups[g], fmt.Sprint(args[0].Datum(row).I64))
	}
	return nil
}
func (l *listing) Merge(groups []int32, partial []*vec.Vector, rows []int32) error {
	for i, g := range groups {
		row := i
		if rows != nil {
			row = int(rows[i])
		}
		if s := partial[0].Str(row); s != "" {
			l.groups[g] = append(l.groups[g], strings.Split(strings.Clone(s), ",")...)
		}
	}
	return nil
}
func (l *listing) write(from, n int, out *vec.Vector, sum bool) {
	out.Resize(types.Of(types.Text), n)
	for i := range n {
		list := l.groups[from+i]
		if sum && !l.ordered {
			counts := map[string]int{}
			for _, s := range list {
				counts[s]++
			}
			list = nil
			for k := range 1000 {
				for range counts[fmt.Sprint(k)] {
					list = append(list, fmt.Sprint(k))
				}
			}
		}
		out.SetString(i, strings.Join(list, ","))
	}
}
func (l *listing) Partial(from, n int, out []*vec.Vector) error {
	l.write(from, n, out[0], false)
	return nil
}
func (l *listing) Final(from, n int, out *vec.Vector) error {
	l.write(from, n, out, true)
	return nil
}

func registry() *fn.Registry {
	make := func(name string, ordered bool) fn.Overload {
		return fn.Overload{Name: name, Impl: fn.Aggregate{IgnoresOrder: !ordered,
			New:     func(fn.Call) (fn.Accumulator, error) { return &listing{ordered: ordered}, nil },
			Partial: func(fn.Call) []types.Type { return []types.Type{types.Of(types.Text)} }}}
	}
	return fn.NewRegistry([]fn.Overload{make("bag", false), make("list", true)})
}

// column 0: row number; 1: order key with ties and NULLs, sorted; 2 and 3: offsets; 4: filter.
func partition(r *rand.Rand, n int) []vec.Vector {
	bigint := types.Of(types.Int64)
	in := []vec.Vector{*vec.NewFlat(bigint, n), *vec.NewFlat(bigint, n), *vec.NewFlat(bigint, n), *vec.NewFlat(bigint, n), *vec.NewFlat(types.Of(types.Bool), n)}
	key := int64(0)
	for i := range n {
		vec.Values[int64](&in[0])[i] = int64(i)
		key += r.Int64N(3)
		vec.Values[int64](&in[1])[i] = key
		vec.Values[int64](&in[2])[i] = r.Int64N(4)
		vec.Values[int64](&in[3])[i] = r.Int64N(40)
		vec.Values[uint8](&in[4])[i] = uint8(r.IntN(4)/3 ^ 1)
	}
	for i := n - n/10; i < n; i++ {
		in[1].SetNull(i)
	}
	return in
}

// naive lists the rows of row i's frame by definition.
func naive(f plan.Frame, in []vec.Vector, i, n int) []int {
	key := func(k int) (int64, bool) { return vec.Values[int64](&in[1])[k], !in[1].IsNull(k) }
	same := func(a, b int) bool {
		ka, okA := key(a)
		kb, okB := key(b)
		return okA == okB && (!okA || ka == kb)
	}
	group := func(k int) int {
		g := 0
		for j := 1; j <= k; j++ {
			if !same(j, j-1) {
				g++
			}
		}
		return g
	}
	inside := func(k int, b plan.Bound, isStart bool) bool {
		switch b.Kind {
		case plan.UnboundedPreceding, plan.UnboundedFollowing:
			return true
		}
		distance := int64(0)
		if b.Kind != plan.CurrentRow {
			distance = vec.Values[int64](&in[b.Offset])[i]
			if b.Kind == plan.Preceding {
				distance = -distance
			}
		}
		var at, limit int64
		switch f.Unit {
		case plan.Rows:
			at, limit = int64(k), int64(i)+distance
		case plan.Groups:
			at, limit = int64(group(k)), int64(group(i))+distance
		case plan.Range:
			// Only CURRENT ROW comes here; NULLs sort last.
			ki, okI := key(i)
			kk, okK := key(k)
			if !okI {
				ki = 1 << 60
			}
			if !okK {
				kk = 1 << 60
			}
			at, limit = kk, ki
		}
		if isStart {
			return at >= limit
		}
		return at <= limit
	}
	var rows []int
	for k := range n {
		if !inside(k, f.Start, true) || !inside(k, f.End, false) {
			continue
		}
		switch fn.Exclusion(f.Exclude) {
		case fn.ExcludeCurrentRow:
			if k == i {
				continue
			}
		case fn.ExcludeGroup:
			if same(k, i) {
				continue
			}
		case fn.ExcludeTies:
			if k != i && same(k, i) {
				continue
			}
		}
		if vec.Values[uint8](&in[4])[k] != 0 {
			rows = append(rows, k)
		}
	}
	return rows
}

func TestAggregatesOverEveryFrame(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	reg := registry()
	kinds := []plan.BoundKind{plan.UnboundedPreceding, plan.Preceding, plan.CurrentRow, plan.Following, plan.UnboundedFollowing}
	checked := 0
	for _, n := range []int{1, 2, 17, 90} {
		for _, unit := range []plan.FrameUnit{plan.Rows, plan.Groups, plan.Range} {
			in := partition(r, n)
			for _, start := range kinds[:4] {
				for _, end := range kinds[1:] {
					if end < start || unit == plan.Range && (start == plan.Preceding || start == plan.Following || end == plan.Preceding || end == plan.Following) {
						continue
					}
					for exclude := range uint8(4) {
						for function := range uint32(2) {
							f := plan.Frame{Unit: unit, Start: plan.Bound{Kind: start, Offset: 2}, End: plan.Bound{Kind: end, Offset: 3}, Exclude: exclude}
							if start == end && start == plan.Preceding {
								f.Start.Offset, f.End.Offset = 3, 2
							}
							checkFrames(t, reg, function, f, in, n)
							checked++
						}
					}
				}
			}
		}
	}
	if checked < 500 {
		t.Fatal("only", checked, "combinations")
	}
}

func checkFrames(t *testing.T, reg *fn.Registry, function uint32, f plan.Frame, in []vec.Vector, n int) {
	t.Helper()
	node := &plan.Window{Order: []plan.SortKey{{Column: 1}}, Functions: []plan.WindowCall{{Aggregate: true, Frame: f,
		AggregateCall: plan.AggregateCall{Function: function, Args: []int{0}, Filter: 4, ArgTypes: []types.Type{types.Of(types.Int64)}, Result: types.Of(types.Text)}}}}
	e, err := New(node, reg, nil)
	if err != nil {
		t.Fatal(err)
	}
	out := make([]vec.Vector, 1)
	if err := e.Partition(context.Background(), in, n, out); err != nil {
		t.Fatal(err)
	}
	for i := range n {
		var want []string
		for _, k := range naive(f, in, i, n) {
			want = append(want, fmt.Sprint(k))
		}
		if got := out[0].Str(i); got != strings.Join(want, ",") {
			t.Fatalf("%+v row %d of %d: %s, want %s", f, i, n, got, strings.Join(want, ","))
		}
	}
}

func TestRangeOffsets(t *testing.T) {
	bigint := types.Of(types.Int64)
	build := func(values ...any) vec.Vector {
		v := vec.NewFlat(bigint, len(values))
		for i, x := range values {
			if x == nil {
				v.SetNull(i)
			} else {
				vec.Values[int64](v)[i] = int64(x.(int))
			}
		}
		return *v
	}
	// Keys descending; the bounds are key + 2 (2 PRECEDING) and key − 1 (1 FOLLOWING).
	in := []vec.Vector{build(0, 1, 2, 3, 4, 5), build(9, 8, 8, 5, nil, nil), build(11, 10, 10, 7, nil, nil), build(8, 7, 7, 4, nil, nil)}
	node := &plan.Window{Order: []plan.SortKey{{Column: 1, Descending: true}}, Functions: []plan.WindowCall{{Aggregate: true,
		Frame:         plan.Frame{Unit: plan.Range, Start: plan.Bound{Kind: plan.Preceding, Offset: 2}, End: plan.Bound{Kind: plan.Following, Offset: 3}},
		AggregateCall: plan.AggregateCall{Args: []int{0}, Filter: -1, ArgTypes: []types.Type{bigint}, Result: types.Of(types.Text)}}}}
	e, err := New(node, registry(), nil)
	if err != nil {
		t.Fatal(err)
	}
	out := make([]vec.Vector, 1)
	if err := e.Partition(context.Background(), in, 6, out); err != nil {
		t.Fatal(err)
	}
	for i, want := range []string{"0,1,2", "0,1,2", "0,1,2", "3", "4,5", "4,5"} {
		if got := out[0].Str(i); got != want {
			t.Errorf("row %d: %s, want %s", i, got, want)
		}
	}
}

func TestBadOffsets(t *testing.T) {
	in := partition(rand.New(rand.NewPCG(1, 1)), 5)
	vec.Values[int64](&in[2])[3] = -1
	in[3].SetNull(2)
	for column, code := range map[int]sqlerr.Code{2: invalidOffset, 3: sqlerr.NullValueNotAllowed} {
		node := &plan.Window{Functions: []plan.WindowCall{{Frame: plan.Frame{Start: plan.Bound{Kind: plan.Preceding, Offset: column}, End: plan.Bound{Kind: plan.CurrentRow}},
			AggregateCall: plan.AggregateCall{Args: []int{0}, Filter: -1, ArgTypes: []types.Type{types.Of(types.Int64)}, Result: types.Of(types.Text)}}}}
		e, err := New(node, registry(), nil)
		if err != nil {
			t.Fatal(err)
		}
		if err := e.Partition(context.Background(), in, 5, make([]vec.Vector, 1)); sqlerr.CodeOf(err) != code {
			t.Errorf("column %d: %v", column, err)
		}
	}
}
