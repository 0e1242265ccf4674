package op

import (
	"context"

	"github.com/tarnlake/tarn/exec/pipeline"
	"github.com/tarnlake/tarn/exec/spill"
	"github.com/tarnlake/tarn/internal/vec"
)

// NewPass hands rows on: it stands for nodes that only join or name flows, so that they are counted.
func NewPass() pipeline.Operator {
	return maker(func(*pipeline.Driver) (pipeline.Transform, error) { return pass{}, nil })
}

type pass struct{ stateless }

func (pass) Process(_ context.Context, in *vec.Batch, emit pipeline.Emit) error { return emit(in) }

// ReadBuffer gives a source of a finished buffer's rows.
func ReadBuffer(buffer *spill.Buffer) pipeline.Source {
	return &bufferSource{of: func() *spill.Buffer { return buffer }}
}
