package join

import (
	"context"
	"sync/atomic"

	"github.com/tarnlake/tarn/exec/pipeline"
	"github.com/tarnlake/tarn/exec/rows"
	"github.com/tarnlake/tarn/internal/memory"
	"github.com/tarnlake/tarn/internal/plan"
	"github.com/tarnlake/tarn/internal/slots"
	"github.com/tarnlake/tarn/internal/vec"
)

// Rest is the source of what is left when all left rows have been seen: right rows, and the parts of
// a join that has spilled. It comes after a barrier.
func (j *Join) Rest() pipeline.Source { return &rest{join: j} }

// NeedsRest tells whether Rest may give rows.
func (j *Join) NeedsRest() bool { return j.policy.Enabled || j.spec.Shape.MarksRight() }

type rest struct {
	join *Join
	next atomic.Int64 // chunk, or part
}

func (r *rest) Open(_ context.Context, d *pipeline.Driver) (vec.Source, error) {
	j := r.join
	switch {
	case j.spilled.Load():
		return &partStream{join: j, next: &r.next, environment: d.Environment, pool: j.pool.Child(j.policy.Operator, memory.Unlimited)}, nil
	case j.spec.Shape.MarksRight():
		return newRightStream(j.whole, &r.next, d.Environment.BatchSize), nil
	}
	return &partStream{}, nil
}

func (r *rest) Close() error { return nil }

// partStream joins parts, one after the other, for one driver. A part's right rows are loaded and its
// left rows go past them. If the right rows are too many, both sides are cut into parts by other bits
// of the hash; if that does not help, because they have few keys, the right rows come in pieces, and
// the left rows go past each.
type partStream struct {
	join        *Join // nil: there are none
	next        *atomic.Int64
	environment *pipeline.Environment
	pool        *memory.Pool
	stack       []part

	current part
	right   *partReader  // right rows of the current part that are still to come; nil: no part
	pending *vec.Batch   // of them, read already
	built   *built       // the piece in memory
	pieces  *pieces      // what left rows have met so far; nil: there is one piece
	probe   *probe       // nil: not probing
	unseen  *rightStream // right rows at the end of the piece; nil: not there
	left    *partReader
	probing bool       // a batch of left rows is being joined
	output  *vec.Batch // what the probe's last step has emitted
	list    []int32
	cols    []*vec.Vector
}

func (s *partStream) Next(ctx context.Context) (*vec.Batch, error) {
	for s.join != nil {
		if err := slots.Edge(ctx); err != nil {
			return nil, err
		}
		switch {
		case s.probe != nil:
			s.output = nil
			if err := s.step(ctx); err != nil {
				return nil, err
			}
			if s.output != nil {
				return s.output, nil
			}
		case s.unseen != nil:
			b, err := s.unseen.Next(ctx)
			if err != nil || b != nil {
				return b, err
			}
			if err := s.endPiece(); err != nil {
				return nil, err
			}
		case s.right != nil:
			if err := s.load(ctx); err != nil {
				return nil, err
			}
		default:
			more, err := s.begin()
			if err != nil || !more {
				return nil, err
			}
		}
	}
	return nil, nil
}

// begin takes the next part, first of those that this driver cut itself; false: there is none.
func (s *partStream) begin() (bool, error) {
	if n := len(s.stack); n > 0 {
		s.current, s.stack = s.stack[n-1], s.stack[:n-1]
	} else {
		number := int(s.next.Add(1)) - 1
		if number >= rows.Partitions {
			return false, nil
		}
		s.current = part{number: number, right: s.join.right, left: s.join.left}
	}
	if s.useless() {
		return true, s.done()
	}
	s.right = s.current.reader(s.current.right)
	return true, nil
}

// useless tells that the current part gives no rows.
func (s *partStream) useless() bool {
	noRight, noLeft := empty(s.current.right, s.current.number), empty(s.current.left, s.current.number)
	switch s.join.spec.Shape.Kind {
	case plan.Inner, plan.Semi, plan.RightSemi:
		return noRight || noLeft
	case plan.Right, plan.RightAnti:
		return noRight
	case plan.Full:
		return noRight && noLeft
	}
	return noLeft
}

// load reads right rows into memory and makes ready to probe, or cuts the part.
func (s *partStream) load(ctx context.Context) error {
	j := s.join
	var err error
	if s.built, err = newBuilt(j, s.pool); err != nil {
		return err
	}
	full, paid, err := s.fill(ctx)
	if err == nil && full && s.pieces == nil && s.current.worthCutting() {
		s.pool.Release(paid)
		s.built.free()
		s.built = nil
		return s.cut(ctx)
	}
	if err != nil {
		s.pool.Release(paid)
		return err
	}
	if err := s.built.index(ctx, nil, paid); err != nil {
		return err
	}
	if full && s.pieces == nil {
		if s.pieces, err = newPieces(j, s.pool, s.current.rows(s.current.left)); err != nil {
			return err
		}
	}
	if s.probe, err = newProbe(s.built, s.environment); err != nil {
		return err
	}
	if s.pieces != nil {
		s.pieces.at, s.pieces.last = 0, !full
		s.probe.pieces = s.pieces
	}
	s.left = s.current.reader(s.current.left)
	return nil
}

// fill reads right rows until there are no more or the memory is used up (full), of which paid bytes
// are set aside for the table.
func (s *partStream) fill(ctx context.Context) (full bool, paid int64, err error) {
	j, b := s.join, s.built
	budget := max(j.pool.Headroom()/int64(2*s.environment.Drivers), leastParts)
	reclaim := j.pool.Register(s.pool.Used)
	defer reclaim.Unregister()
	writer := b.store.NewWriter()
	defer writer.Flush()
	for n := 0; ; {
		in := s.pending
		s.pending = nil
		if in == nil {
			if in, err = s.right.next(ctx); err != nil || in == nil {
				return false, paid, err
			}
		}
		if n > 0 {
			need := tableBytes(n+in.Len, b.store.Limit()+uint32(in.Len))
			full = reclaim.Asked() || b.store.Bytes()+need > budget || s.forced() || need > paid && !s.pool.TryReserve(need-paid)
			if full {
				s.pending = in
				return true, paid, nil
			}
			paid = max(need, paid)
		}
		if err := s.append(writer, in); err != nil {
			return false, paid, err
		}
		n += in.Len
	}
}

// forced tells whether a test wants the part cut or joined in pieces.
func (s *partStream) forced() bool {
	return s.join.policy.Force && (s.current.depth == 0 && s.current.number%4 == 1 || s.current.number%4 == 2)
}

// append keeps right rows.
func (s *partStream) append(writer *rows.Writer, in *vec.Batch) error {
	for i := len(s.list); i < in.Len; i++ {
		s.list = append(s.list, int32(i))
	}
	s.cols = s.cols[:0]
	for c := range in.Cols {
		s.cols = append(s.cols, &in.Cols[c])
	}
	for k, c := range s.join.keyColumns {
		s.built.ranges[k].observe(s.cols[c], s.list[:in.Len])
	}
	return writer.Append(s.cols, s.list[:in.Len], nil)
}

// step goes on by so much that at most one batch is emitted.
func (s *partStream) step(ctx context.Context) error {
	emit := func(b *vec.Batch) error {
		s.output = b
		return nil
	}
	if s.probing {
		if len(s.probe.active) > 0 {
			return s.probe.round(emit)
		}
		s.probing = false
		return s.probe.leftRows(emit)
	}
	in, err := s.left.next(ctx)
	if err != nil {
		return err
	}
	if in != nil {
		s.probing = true
		s.probe.start(in)
		return nil
	}
	s.probe = nil
	if s.join.spec.Shape.MarksRight() {
		s.unseen = newRightStream(s.built, &atomic.Int64{}, s.environment.BatchSize)
		return nil
	}
	return s.endPiece()
}

// endPiece is done with the right rows in memory, and with the part if there are no more.
func (s *partStream) endPiece() error {
	s.join.stats.RaiseMemory(s.join.pool.Peak())
	s.unseen, s.probe = nil, nil
	s.built.free()
	s.built = nil
	if s.pieces != nil && !s.pieces.last {
		return nil
	}
	return s.done()
}

// done ends the current part.
func (s *partStream) done() error {
	p := s.current
	s.current, s.right, s.left, s.pending = part{}, nil, nil, nil
	s.pieces.free()
	s.pieces = nil
	return p.done()
}

// Close drops what was not joined.
func (s *partStream) Close() error {
	s.built.free()
	s.built = nil
	first := s.done()
	for i := range s.stack {
		if err := s.stack[i].done(); err != nil && first == nil {
			first = err
		}
	}
	s.stack, s.join = nil, nil
	return first
}
