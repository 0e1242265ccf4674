package op

import (
	"context"
	"math"
	"sync/atomic"

	"github.com/tarnlake/tarn/exec/pipeline"
	"github.com/tarnlake/tarn/internal/vec"
)

// NewLimit hands on rows number offset … offset+limit-1 over all drivers; a negative limit is none.
func NewLimit(limit, offset int64) pipeline.Operator {
	l := &limiter{from: max(offset, 0), to: math.MaxInt64}
	if limit >= 0 && limit <= math.MaxInt64-l.from {
		l.to = l.from + limit
	}
	return l
}

type limiter struct {
	from, to int64
	seen     atomic.Int64
}

func (l *limiter) New(*pipeline.Driver) (pipeline.Transform, error) {
	return &limit{shared: l}, nil
}

func (l *limiter) Close() error { return nil }

type limit struct {
	stateless
	shared *limiter
	rows   []int32
	out    vec.Batch
}

func (l *limit) Process(_ context.Context, in *vec.Batch, emit pipeline.Emit) error {
	n := int64(in.Rows())
	end := l.shared.seen.Add(n)
	first := max(l.shared.from-(end-n), 0)
	last := min(l.shared.to-(end-n), n)
	if first < last {
		if err := emit(l.slice(in, int(first), int(last))); err != nil {
			return err
		}
	}
	if end >= l.shared.to {
		return pipeline.ErrStop
	}
	return nil
}

// slice gives the selected rows number first … last-1 of in.
func (l *limit) slice(in *vec.Batch, first, last int) *vec.Batch {
	if first == 0 && last == in.Rows() {
		return in
	}
	l.out = *in
	if in.Sel == nil {
		l.rows = sequence(l.rows, in.Len)
		l.out.Sel = l.rows[first:last]
	} else {
		l.out.Sel = in.Sel[first:last]
	}
	return &l.out
}

// Idle tells that a LIMIT 0 wants no rows at all.
func (l *limiter) Idle() bool { return l.from == l.to }
