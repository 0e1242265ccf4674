package join

import (
	"context"

	"github.com/tarnlake/tarn/exec/pipeline"
	"github.com/tarnlake/tarn/exec/spill"
	"github.com/tarnlake/tarn/internal/memory"
	"github.com/tarnlake/tarn/internal/vec"
)

// scatter takes the place of a probe when the right side is on disk: the left rows go there too.
type scatter struct {
	join    *Join
	parts   *spill.Partitioned
	cols    []*vec.Vector
	all     []int32
	reclaim *memory.Reclaimable
}

func (j *Join) newScatter() *scatter {
	pool := j.pool.Child(j.policy.Operator, memory.Unlimited)
	return &scatter{join: j, parts: j.newLeft(0, pool), cols: make([]*vec.Vector, len(j.spec.Shape.Left)), reclaim: j.pool.Register(pool.Used)}
}

func (s *scatter) Process(ctx context.Context, in *vec.Batch, _ pipeline.Emit) error {
	list := in.Sel
	if list == nil {
		for i := len(s.all); i < in.Len; i++ {
			s.all = append(s.all, int32(i))
		}
		list = s.all[:in.Len]
	}
	for c := range s.cols {
		s.cols[c] = &in.Cols[c]
	}
	if err := s.parts.Append(s.cols, list); err != nil {
		return err
	}
	return s.join.spillBeyond(ctx, s.parts, s.reclaim)
}

// Finish hands the left rows to the join.
func (s *scatter) Finish(ctx context.Context, _ pipeline.Emit) error {
	err := s.parts.Spill(ctx)
	s.join.lock.Lock()
	defer s.join.lock.Unlock()
	s.join.left = append(s.join.left, s.parts)
	s.parts = nil
	return err
}

func (s *scatter) Close() error {
	s.reclaim.Unregister()
	parts := s.parts
	s.parts = nil
	return parts.Free()
}
