package formattest

import (
	"context"
	"errors"
	"sync/atomic"
	"time"

	"github.com/tarnlake/tarn/internal/objstore"
)

// ErrBroken is the error of reads that a Distant store fails.
var ErrBroken = errors.New("broken")

// Distant is a store that says it is far away, and answers reads late, with errors or never.
type Distant struct {
	objstore.Store
	Delay         time.Duration
	Reads, Active atomic.Int64 // so far; under way
	FailAfter     int64        // reads fail from then on, with ErrBroken; 0: none
	HangAfter     int64        // reads go on until their context ends; 0: none
	Hanging       func()       // called by the first of those
}

// Distant tells readers that reading ahead pays.
func (d *Distant) Distant() bool { return true }

// ReadRanges implements objstore.Store.
func (d *Distant) ReadRanges(ctx context.Context, path, etag string, ranges []objstore.Range, buffers [][]byte) error {
	d.Active.Add(1)
	defer d.Active.Add(-1)
	if n := d.Reads.Add(1); d.FailAfter > 0 && n > d.FailAfter {
		return ErrBroken
	} else if d.HangAfter > 0 && n > d.HangAfter {
		if n == d.HangAfter+1 {
			d.Hanging()
		}
		<-ctx.Done()
		return ctx.Err()
	}
	select {
	case <-time.After(d.Delay):
	case <-ctx.Done():
		return ctx.Err()
	}
	return d.Store.ReadRanges(ctx, path, etag, ranges, buffers)
}
