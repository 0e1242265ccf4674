package csv

import (
	"context"

	"github.com/tarnlake/tarn/internal/format/stream"
)

// startGuessed opens a split that begins at any byte where its first record does.
func (r *Reader) startGuessed(ctx context.Context) (err error) {
	split := r.options.Split
	if split.Offset > 0 {
		if r.begin, err = r.guess.start(ctx, split.Offset); err != nil {
			return err
		}
	}
	r.offset = r.begin
	r.opened = max(min(r.stop+guessWindow, r.object.Size), r.begin)
	r.in = stream.Open(r.guess.store, r.object, stream.None, r.begin, r.opened-r.begin, r.options.Counters)
	return nil
}

// read gives the split's bytes, and those behind it for as long as they are asked for: its last record
// ends there.
func (r *Reader) read(ctx context.Context, p []byte) (int, error) {
	for {
		n, err := r.in.Read(ctx, p)
		if n > 0 || err != nil || r.guess == nil || r.opened == r.object.Size {
			return n, err
		}
		r.in.Close()
		more := min(stream.BlockSize, r.object.Size-r.opened)
		r.in = stream.Open(r.guess.store, r.object, stream.None, r.opened, more, r.options.Counters)
		r.opened += more
	}
}

// finish sees to it that the split's last record ends where the next split's first one begins.
func (r *Reader) finish(ctx context.Context, at int64) error {
	if r.ended || r.stop >= r.object.Size {
		return nil
	}
	r.ended = true
	next, err := r.guess.start(ctx, r.stop)
	if err == nil && next != at {
		err = r.guess.unknown(r.stop)
	}
	return err
}
