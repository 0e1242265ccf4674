package op

import (
	"context"
	"sync/atomic"

	"github.com/tarnlake/tarn/exec/pipeline"
	"github.com/tarnlake/tarn/internal/types"
	"github.com/tarnlake/tarn/internal/vec"
)

// idsPerTask is how many numbers a task may give out before it meets the next task's.
const idsPerTask = 1 << 44

// NewUniqueID appends a bigint column whose values are distinct over all tasks of the plan.
func NewUniqueID(task int) pipeline.Operator {
	var next atomic.Int64
	next.Store(int64(task) * idsPerTask)
	return maker(func(*pipeline.Driver) (pipeline.Transform, error) { return &uniqueID{next: &next}, nil })
}

type uniqueID struct {
	stateless
	next *atomic.Int64
	out  vec.Batch
	ids  vec.Vector
}

func (u *uniqueID) Process(_ context.Context, in *vec.Batch, emit pipeline.Emit) error {
	first := u.next.Add(int64(in.Len)) - int64(in.Len)
	u.ids.Resize(types.Of(types.Int64), in.Len)
	for i := range vec.Values[int64](&u.ids) {
		vec.Values[int64](&u.ids)[i] = first + int64(i)
	}
	u.out.Cols = append(append(u.out.Cols[:0], in.Cols...), u.ids)
	u.out.Len, u.out.Sel = in.Len, in.Sel
	return emit(&u.out)
}
