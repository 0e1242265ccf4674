package window

import (
	"context"

	"github.com/tarnlake/tarn/internal/types"
	"github.com/tarnlake/tarn/internal/vec"
)

// span is a group of peers: its first row, and the row after its last.
type span struct{ start, end int64 }

// ahead reads a partition before its rows are given, and knows the groups of peers there.
type ahead struct {
	stream *Stream
	source vec.Source
	read   int64
	start  int64        // first row of the group that has not ended
	last   []vec.Vector // order columns of the last row read
	ended  bool

	groups []span
	first  int64 // number of the first group kept
	values []vec.Vector
}

func newAhead(s *Stream) *ahead {
	if s.ahead != nil {
		return s.ahead
	}
	a := &ahead{stream: s, source: s.open(), values: make([]vec.Vector, len(s.calls))}
	for i := range s.calls {
		a.values[i] = *vec.NewFlat(s.calls[i].Result, 0)
	}
	return a
}

func (a *ahead) group(number int64) span { return a.groups[number-a.first] }

// groupsOf gives the group of each of n rows.
func (a *ahead) groupsOf(row int64, n int) []int64 {
	out := make([]int64, n)
	g := 0
	for i := range out {
		for a.groups[g].end <= row+int64(i) {
			g++
		}
		out[i] = a.first + int64(g)
	}
	return out
}

// reach reads until all groups are known that begin before the given row, and forgets those that end
// before the stream's next row.
func (a *ahead) reach(ctx context.Context, until int64) error {
	gone := 0
	for gone < len(a.groups) && a.groups[gone].end <= a.stream.at {
		gone++
	}
	if gone > 0 {
		list := make([]int32, len(a.groups)-gone)
		for i := range list {
			list[i] = int32(gone + i)
		}
		for i := range a.values {
			if a.stream.calls[i].way == byPeers {
				var rest vec.Vector
				vec.Gather(&rest, &a.values[i], list)
				a.values[i] = rest
			}
		}
		a.groups = append([]span(nil), a.groups[gone:]...)
		a.first += int64(gone)
	}
	for !a.ended && (len(a.groups) == 0 || a.groups[len(a.groups)-1].end < until) {
		if err := a.step(ctx); err != nil {
			return err
		}
	}
	return nil
}

// step reads one batch.
func (a *ahead) step(ctx context.Context) error {
	b, err := a.source.Next(ctx)
	if err != nil {
		return err
	}
	if b == nil {
		a.ended = true
		a.groups = append(a.groups, span{a.start, a.read})
		return a.finish()
	}
	ends := a.changes(b)
	for i := range a.stream.calls {
		if err := a.aggregate(ctx, i, b, ends); err != nil {
			return err
		}
	}
	for _, end := range ends {
		a.groups = append(a.groups, span{a.start, a.read + int64(end)})
		a.start = a.read + int64(end)
	}
	a.read += int64(b.Len)
	return nil
}

// changes lists the rows of the batch that are no peers of the row before.
func (a *ahead) changes(b *vec.Batch) []int32 {
	order := a.stream.evaluator.order
	differs := make([]bool, b.Len)
	for i, k := range order {
		v := &b.Cols[k.Column]
		if v.Enc != vec.Const {
			MarkChanges(v, differs)
		}
		if a.last != nil {
			x, y := a.last[i].Datum(0), v.Datum(0)
			differs[0] = differs[0] || x.Null != y.Null || !x.Null && types.CompareDatums(v.Type, x, y) != 0
		}
	}
	a.last = make([]vec.Vector, len(order))
	for i, k := range order {
		vec.Gather(&a.last[i], &b.Cols[k.Column], []int32{int32(b.Len - 1)})
	}
	var list []int32
	for i, d := range differs {
		if d {
			list = append(list, int32(i))
		}
	}
	return list
}

// aggregate adds a batch to function i, whose value where groups end it keeps.
func (a *ahead) aggregate(ctx context.Context, i int, b *vec.Batch, ends []int32) error {
	c := &a.stream.calls[i]
	if c.way != byPeers {
		return nil
	}
	f, g := c.framed(ctx, b.Cols, b.Len), c.aggregate
	var part vec.Vector
	if g.prefixes == nil {
		from := int32(0)
		for _, end := range append(ends, int32(b.Len)) {
			if err := g.feed(f, g.state, 0, from, end); err != nil {
				return err
			}
			if err := g.flush(f, g.state); err != nil {
				return err
			}
			if from = end; int(end) == b.Len {
				return nil
			}
			if err := g.state.Final(0, 1, &part); err != nil {
				return err
			}
			appendRows(&a.values[i], &part)
		}
	}
	if err := g.after(f, 0, b.Len, c.carry); err != nil || len(ends) == 0 {
		return err
	}
	if err := g.state.Final(0, b.Len+1, &part); err != nil {
		return err
	}
	var picked vec.Vector
	vec.Gather(&picked, &part, ends)
	appendRows(&a.values[i], &picked)
	return nil
}

// finish gives the values of the last group.
func (a *ahead) finish() error {
	for i := range a.stream.calls {
		c := &a.stream.calls[i]
		if c.way != byPeers {
			continue
		}
		state := c.aggregate.state
		if c.aggregate.prefixes != nil {
			state.Reset()
			state.Resize(1)
			if err := state.Merge([]int32{0}, c.carry, nil); err != nil {
				return err
			}
		}
		var part vec.Vector
		if err := state.Final(0, 1, &part); err != nil {
			return err
		}
		appendRows(&a.values[i], &part)
	}
	return nil
}
