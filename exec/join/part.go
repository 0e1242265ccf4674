package join

import (
	"context"
	"sync/atomic"

	"github.com/tarnlake/tarn/exec/rows"
	"github.com/tarnlake/tarn/exec/spill"
	"github.com/tarnlake/tarn/internal/memory"
	"github.com/tarnlake/tarn/internal/vec"
)

// deepest is how often a part that does not fit in memory is cut again.
const deepest = 6

// part is a range of hashes of both sides.
type part struct {
	number      int
	depth       int
	right, left []*spill.Partitioned
	last        *atomic.Int64 // parts that still read right and left; nil: the join frees them
	stubborn    bool          // cutting its parent left nearly all rows together
}

// worthCutting tells whether the rows may spread over smaller parts.
func (p *part) worthCutting() bool { return !p.stubborn && p.depth+1 < deepest }

// rows is the number of rows of a side.
func (p *part) rows(side []*spill.Partitioned) int64 {
	n := int64(0)
	for _, s := range side {
		n += s.PartRows(p.number)
	}
	return n
}

func empty(parts []*spill.Partitioned, number int) bool {
	for _, p := range parts {
		if !p.Empty(number) {
			return false
		}
	}
	return true
}

// done frees both sides when no part reads them any more.
func (p *part) done() error {
	if p.last == nil || p.last.Add(-1) > 0 {
		return nil
	}
	var first error
	for _, side := range append(append([]*spill.Partitioned(nil), p.right...), p.left...) {
		if err := side.Free(); err != nil && first == nil {
			first = err
		}
	}
	return first
}

// reader reads a side's rows.
func (p *part) reader(side []*spill.Partitioned) *partReader {
	return &partReader{parts: side, number: p.number}
}

// partReader gives a part's rows batch by batch, each valid until the next call.
type partReader struct {
	parts  []*spill.Partitioned
	number int
	reader *spill.PartReader
}

func (r *partReader) next(ctx context.Context) (*vec.Batch, error) {
	for {
		if r.reader == nil {
			if len(r.parts) == 0 {
				return nil, nil
			}
			r.reader = r.parts[0].Reader(r.number)
			r.parts = r.parts[1:]
		}
		b, err := r.reader.Next(ctx)
		if err != nil || b != nil {
			return b, err
		}
		r.reader = nil
	}
}

// cut scatters both sides of the current part once more.
func (s *partStream) cut(ctx context.Context) error {
	j, p, depth := s.join, &s.current, s.current.depth+1
	right, err := s.again(ctx, p.right, j.newRight(depth, s.pool))
	if err != nil {
		return err
	}
	left, err := s.again(ctx, p.left, j.newLeft(depth, s.pool))
	if err != nil {
		_ = right.Free()
		return err
	}
	last := &atomic.Int64{}
	last.Add(1)
	all := p.rows(p.right)
	for number := range rows.Partitions {
		if right.Empty(number) && left.Empty(number) {
			continue
		}
		last.Add(1)
		s.stack = append(s.stack, part{number: number, depth: depth, right: []*spill.Partitioned{right}, left: []*spill.Partitioned{left},
			last: last, stubborn: right.PartRows(number) > all/8*7})
	}
	cuts := part{right: []*spill.Partitioned{right}, left: []*spill.Partitioned{left}, last: last}
	if err := cuts.done(); err != nil {
		return err
	}
	return s.done()
}

// again moves the current part's rows of one side to parts of the next depth.
func (s *partStream) again(ctx context.Context, from []*spill.Partitioned, to *spill.Partitioned) (*spill.Partitioned, error) {
	reader := s.current.reader(from)
	for {
		in, err := reader.next(ctx)
		if err == nil && in == nil {
			err = to.Spill(ctx)
			if err == nil {
				return to, nil
			}
		}
		if err == nil {
			err = s.move(ctx, in, to)
		}
		if err != nil {
			_ = to.Free()
			return nil, err
		}
	}
}

func (s *partStream) move(ctx context.Context, in *vec.Batch, to *spill.Partitioned) error {
	for i := len(s.list); i < in.Len; i++ {
		s.list = append(s.list, int32(i))
	}
	s.cols = s.cols[:0]
	for c := range in.Cols {
		s.cols = append(s.cols, &in.Cols[c])
	}
	if err := to.Append(s.cols, s.list[:in.Len]); err != nil {
		return err
	}
	return s.join.spillBeyond(ctx, to, nil)
}

// pieces remembers what a part's left rows have met when its right rows come in pieces. Left rows
// are numbered in the order in which they are read, which is the same each time.
type pieces struct {
	pool    *memory.Pool
	held    int64
	matched vec.Bitmap
	unknown vec.Bitmap // a NULL leaves open whether there is a match
	at      int        // number of the first row of the batch
	last    bool       // the present piece is the last
}

func newPieces(j *Join, pool *memory.Pool, leftRows int64) (*pieces, error) {
	words := vec.BitmapWords(int(max(leftRows, 1)))
	p := &pieces{pool: pool, held: int64(2 * 8 * words)}
	if err := pool.Reserve(p.held, j.policy.Operator); err != nil {
		return nil, err
	}
	p.matched, p.unknown = make(vec.Bitmap, words), make(vec.Bitmap, words)
	return p, nil
}

func (p *pieces) free() {
	if p != nil {
		p.pool.Release(p.held)
	}
}

// recall marks the batch's rows that earlier pieces matched.
func (p *pieces) recall(n int, matched vec.Bitmap) {
	for i := range n {
		if p.matched.Get(p.at + i) {
			matched.Set(i)
		}
	}
}

// note keeps what is known of the batch's rows; after the last piece it completes unknown.
func (p *pieces) note(n int, matched, unknown vec.Bitmap) {
	for i := range n {
		if matched.Get(i) {
			p.matched.Set(p.at + i)
		}
		if unknown == nil {
			continue
		}
		if unknown.Get(i) {
			p.unknown.Set(p.at + i)
		} else if p.unknown.Get(p.at + i) {
			unknown.Set(i)
		}
	}
	p.at += n
}
