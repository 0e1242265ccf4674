package window

import (
	"context"

	"github.com/tarnlake/tarn/internal/fn"
	"github.com/tarnlake/tarn/internal/plan"
	"github.com/tarnlake/tarn/internal/sqlerr"
	"github.com/tarnlake/tarn/internal/types"
	"github.com/tarnlake/tarn/internal/vec"
)

// way is how a function is evaluated over a partition of which only a piece is in memory.
type way uint8

const (
	byPlace   way = iota // follows from where the row is: row_number, rank …
	bySame               // the same on all rows: an aggregate over the whole partition
	byRunning            // an aggregate over all rows up to the present one
	byPeers              // an aggregate over all rows up to the last peer
	byNearby             // looks at a bounded number of rows around
)

const (
	// mostNearby bounds the rows around that are kept.
	mostNearby = 1 << 16
	// PieceRows is about how many rows of a large partition are evaluated together.
	PieceRows = 4096
)

// streamed is one function of a Stream.
type streamed struct {
	*call
	way   way
	place place
	carry []*vec.Vector // state of the rows aggregated so far; nil: it is in the accumulator
	value vec.Vector    // bySame: the value; byPlace: the argument on the first row
}

// Stream gives the rows of one partition, however large, with the functions' values. It reads the
// partition several times: for what must be known of it at first, then by two readers, of which the
// one ahead finds where peers end and what aggregates have come to there.
type Stream struct {
	evaluator *Evaluator
	open      func() vec.Source
	calls     []streamed
	piece     int64 // rows evaluated together, at least
	rows      int64
	nearby    int64 // rows kept on both sides of the piece

	source vec.Source
	buffer []vec.Vector
	base   int64 // number of the buffer's first row
	held   int   // rows in the buffer
	at     int64 // first row of the next piece
	ahead  *ahead
	part   []vec.Vector
}

// NewStream reads a partition once and makes ready to give its rows. Every call of open gives the
// partition's rows from the first on, as Flat or Const columns. At least piece rows, if there are so
// many, are evaluated together. The functions must be Streamable.
func (e *Evaluator) NewStream(ctx context.Context, open func() vec.Source, piece int) (*Stream, error) {
	s := &Stream{evaluator: e, open: open, piece: int64(piece)}
	for i := range e.calls {
		c, _ := e.calls[i].stream()
		s.calls = append(s.calls, c)
	}
	if err := s.survey(ctx); err != nil {
		return nil, err
	}
	for i := range s.calls {
		if s.calls[i].way == byPeers || s.calls[i].way == byPlace {
			s.ahead = newAhead(s)
		}
		if s.calls[i].way == byRunning || s.calls[i].way == byPeers {
			var err error
			if s.calls[i].carry, err = s.calls[i].aggregate.empty(); err != nil {
				return nil, err
			}
		}
	}
	s.source = open()
	return s, nil
}

// Streamable tells whether all functions can be evaluated a piece at a time; if not, which cannot.
func (e *Evaluator) Streamable() (function string, ok bool) {
	for i := range e.calls {
		if _, ok := e.calls[i].stream(); !ok {
			return e.calls[i].Name, false
		}
	}
	return "", true
}

// stream chooses the way.
func (c *call) stream() (streamed, bool) {
	f := c.Frame
	exact := f.Exclude == uint8(fn.ExcludeNothing)
	near := f.Unit == plan.Rows && f.Start.Kind != plan.UnboundedPreceding && f.End.Kind != plan.UnboundedFollowing &&
		f.Exclude <= uint8(fn.ExcludeCurrentRow)
	switch {
	case c.aggregate == nil:
		if p := placeOf(c.Name); p != nil {
			return streamed{call: c, way: byPlace, place: p}, true
		}
		shifts := c.Name == "lag" || c.Name == "lead"
		return streamed{call: c, way: byNearby}, !c.IgnoreNulls && (shifts || near)
	case near:
		return streamed{call: c, way: byNearby}, true
	case f.Start.Kind != plan.UnboundedPreceding || !exact:
		return streamed{}, false
	case f.End.Kind == plan.UnboundedFollowing:
		return streamed{call: c, way: bySame}, true
	case f.End.Kind == plan.CurrentRow && f.Unit == plan.Rows:
		return streamed{call: c, way: byRunning}, true
	case f.End.Kind == plan.CurrentRow:
		return streamed{call: c, way: byPeers}, true
	}
	return streamed{}, false
}

// survey counts the rows, aggregates over all of them, and finds how far functions look around.
func (s *Stream) survey(ctx context.Context) error {
	source := s.open()
	defer source.Close()
	for {
		b, err := source.Next(ctx)
		if err != nil {
			return err
		}
		if b == nil {
			break
		}
		for i := range s.calls {
			if err := s.calls[i].survey(ctx, s, b, s.rows == 0); err != nil {
				return err
			}
		}
		s.rows += int64(b.Len)
	}
	if s.nearby > mostNearby {
		return sqlerr.New(sqlerr.OutOfMemory, "out of memory: Window cannot keep %d rows around each row of a large partition", s.nearby).
			WithHint("Raise memory.limit or memory.query_limit.")
	}
	for i := range s.calls {
		if c := &s.calls[i]; c.way == bySame {
			if err := c.aggregate.state.Final(0, 1, &c.value); err != nil {
				return err
			}
		}
	}
	return nil
}

func (c *streamed) survey(ctx context.Context, s *Stream, b *vec.Batch, first bool) error {
	switch {
	case c.way == byPlace && first && len(c.Args) > 0:
		vec.Gather(&c.value, &b.Cols[c.Args[0]], []int32{0})
	case c.way == byNearby && c.aggregate == nil && (c.Name == "lag" || c.Name == "lead"):
		s.nearby = max(s.nearby, 1)
		if len(c.Args) > 1 {
			s.nearby = max(s.nearby, furthest(&b.Cols[c.Args[1]]))
		}
	case c.way == byNearby:
		for _, bound := range []plan.Bound{c.Frame.Start, c.Frame.End} {
			if bound.Kind == plan.Preceding || bound.Kind == plan.Following {
				s.nearby = max(s.nearby, furthest(&b.Cols[bound.Offset]))
			}
		}
	case c.way == bySame:
		if first {
			c.aggregate.state.Reset()
			c.aggregate.state.Resize(1)
		}
		f := c.framed(ctx, b.Cols, b.Len)
		if err := c.aggregate.feed(f, c.aggregate.state, 0, 0, int32(b.Len)); err != nil {
			return err
		}
		return c.aggregate.flush(f, c.aggregate.state)
	}
	return nil
}

// furthest is the greatest distance in a column of integers.
func furthest(v *vec.Vector) int64 {
	most := int64(0)
	n := v.Len
	if v.Enc == vec.Const {
		n = min(n, 1)
	}
	for i := range n {
		if d := v.Datum(i); !d.Null {
			most = max(most, d.I64, -d.I64)
		}
	}
	return most
}

func (c *call) framed(ctx context.Context, in []vec.Vector, n int) *framed {
	f := &framed{ctx: ctx, n: n}
	for _, ordinal := range c.Args {
		f.args = append(f.args, &in[ordinal])
	}
	if c.Filter >= 0 {
		f.filter = &in[c.Filter]
	}
	return f
}

// Next makes out the next rows, input columns and then values, all valid until the next call; it
// tells how many they are, 0 at the end.
func (s *Stream) Next(ctx context.Context, out []vec.Vector) (int, error) {
	n := int(min(max(s.piece, s.nearby), s.rows-s.at))
	if n == 0 {
		return 0, nil
	}
	if err := s.load(ctx, min(s.at+int64(n)+s.nearby, s.rows)); err != nil {
		return 0, err
	}
	if s.ahead != nil {
		if err := s.ahead.reach(ctx, s.at+int64(n)); err != nil {
			return 0, err
		}
	}
	from := int(s.at - s.base)
	for c := range s.buffer {
		Slice(&out[c], &s.buffer[c], from, n)
	}
	for i := range s.calls {
		value := &out[len(s.buffer)+i]
		*value = vec.Vector{} // the values handed out before may still be referred to
		if err := s.evaluate(ctx, i, from, n, value); err != nil {
			return 0, err
		}
	}
	s.at += int64(n)
	return n, nil
}

// load keeps the rows from nearby before the present one up to the given one.
func (s *Stream) load(ctx context.Context, until int64) error {
	if drop := int(max(s.at-s.nearby, 0) - s.base); drop > 0 {
		for c := range s.buffer {
			s.buffer[c] = *copyFrom(&s.buffer[c], drop)
		}
		s.base, s.held = s.base+int64(drop), s.held-drop
	}
	for s.base+int64(s.held) < until {
		b, err := s.source.Next(ctx)
		if err != nil {
			return err
		}
		if b == nil {
			return sqlerr.Internal("a partition has lost rows")
		}
		if s.buffer == nil {
			s.buffer = make([]vec.Vector, len(b.Cols))
			for c := range b.Cols {
				s.buffer[c] = *vec.NewFlat(b.Cols[c].Type, 0)
			}
		}
		for c := range b.Cols {
			Extend(&s.buffer[c], &b.Cols[c])
		}
		s.held += b.Len
	}
	return nil
}

// copyFrom copies the rows from a given one on, so that what comes before is not held any longer.
func copyFrom(v *vec.Vector, from int) *vec.Vector {
	rest := vec.NewFlat(v.Type, 0)
	switch v.Type.Physical() {
	case types.PhysString, types.PhysList, types.PhysRow:
		for i := from; i < v.Len; i++ {
			rest.AppendDatum(v.Datum(i))
		}
		return rest
	}
	var part vec.Vector
	Slice(&part, v, from, v.Len-from)
	Extend(rest, &part)
	return rest
}

// evaluate computes function i for n rows, the first of which is at from in the buffer.
func (s *Stream) evaluate(ctx context.Context, i, from, n int, out *vec.Vector) error {
	c := &s.calls[i]
	switch c.way {
	case bySame:
		vec.Gather(out, &c.value, make([]int32, n))
		return nil
	case byPlace:
		out.Resize(c.Result, n)
		return c.place(out, s, &c.value, s.ahead.groupsOf(s.at, n))
	case byPeers:
		groups := s.ahead.groupsOf(s.at, n)
		list := make([]int32, n)
		for k, g := range groups {
			list[k] = int32(g - s.ahead.first)
		}
		vec.Gather(out, &s.ahead.values[i], list)
		return nil
	case byRunning:
		return c.running(ctx, s.buffer, from, n, out)
	}
	low := max(from-int(s.nearby), 0)
	size := min(from+n+int(s.nearby), s.held) - low
	if s.part == nil {
		s.part = make([]vec.Vector, len(s.buffer))
	}
	for k := range s.buffer {
		Slice(&s.part[k], &s.buffer[k], low, size)
	}
	s.evaluator.peers.find(s.part, s.evaluator.order, size)
	var all, flat vec.Vector
	if err := c.evaluate(ctx, s.evaluator, s.part, size, &all); err != nil {
		return err
	}
	vec.Flatten(&flat, &all)
	Slice(out, &flat, from-low, n)
	return nil
}

// running gives the aggregate after each of n rows.
func (c *streamed) running(ctx context.Context, in []vec.Vector, from, n int, out *vec.Vector) error {
	a, f := c.aggregate, c.framed(ctx, in, from+n)
	if a.prefixes != nil {
		if err := a.after(f, from, n, c.carry); err != nil {
			return err
		}
		return a.state.Final(1, n, out)
	}
	out.Resize(c.Result, 0)
	var value vec.Vector
	for row := from; row < from+n; row++ {
		if err := a.feed(f, a.state, 0, int32(row), int32(row+1)); err != nil {
			return err
		}
		if err := a.flush(f, a.state); err != nil {
			return err
		}
		if err := a.state.Final(0, 1, &value); err != nil {
			return err
		}
		appendRows(out, &value)
	}
	return nil
}

// Close ends the readers.
func (s *Stream) Close() error {
	if s.ahead != nil {
		_ = s.ahead.source.Close()
	}
	return s.source.Close()
}
