package aggregate

import (
	"context"
	"errors"

	"github.com/tarnlake/tarn/exec/spill"
)

const batchRows = 2048

// partitioned holds partial states or input rows, scattered by their keys. nil is empty.
type partitioned struct {
	*spill.Partitioned
	raw bool // input rows, not states
}

func (p *partitioned) bytes() int64 {
	if p == nil {
		return 0
	}
	return p.Bytes()
}

func (p *partitioned) spill(ctx context.Context) error {
	if p == nil {
		return nil
	}
	return p.Spill(ctx)
}

func (p *partitioned) flush() {
	if p != nil {
		p.Flush()
	}
}

func (p *partitioned) free() error {
	if p == nil {
		return nil
	}
	return p.Free()
}

var errOverflow = errors.New("the partition does not fit in memory")
