package op

import (
	"context"

	"github.com/tarnlake/tarn/exec/pipeline"
	"github.com/tarnlake/tarn/internal/types"
	"github.com/tarnlake/tarn/internal/vec"
)

// NewExpand gives each row once for every grouping set: key columns outside the set are NULL, and the
// set's number is appended.
func NewExpand(keys []int, sets [][]int) pipeline.Operator {
	return maker(func(*pipeline.Driver) (pipeline.Transform, error) {
		e := &expand{absent: make([][]int, len(sets))}
		for i, set := range sets {
			in := map[int]bool{}
			for _, c := range set {
				in[c] = true
			}
			for _, c := range keys {
				if !in[c] {
					e.absent[i] = append(e.absent[i], c)
				}
			}
		}
		return e, nil
	})
}

type expand struct {
	stateless
	absent [][]int // per set: key columns that are not in it
	out    vec.Batch
}

func (e *expand) Process(_ context.Context, in *vec.Batch, emit pipeline.Emit) error {
	for number, absent := range e.absent {
		e.out.Cols = append(e.out.Cols[:0], in.Cols...)
		e.out.Len, e.out.Sel = in.Len, in.Sel
		for _, c := range absent {
			e.out.Cols[c] = *vec.NewConst(in.Cols[c].Type, types.NullDatum(), in.Len)
		}
		e.out.Cols = append(e.out.Cols, *vec.NewConst(types.Of(types.Int64), types.IntDatum(int64(number)), in.Len))
		if err := emit(&e.out); err != nil {
			return err
		}
	}
	return nil
}
