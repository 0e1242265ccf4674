package service

import (
	"context"
	"sync"
	"time"

	"github.com/tarnlake/tarn/connectors"
	"github.com/tarnlake/tarn/internal/rpc"
	"github.com/tarnlake/tarn/internal/slots"
	"github.com/tarnlake/tarn/internal/sqlerr"
)

// remoteSplits pulls a scan's splits from the coordinator.
type remoteSplits struct {
	client      *rpc.Client
	coordinator string
	task        rpc.TaskID
	scan        int

	mu       sync.Mutex
	sequence int
	ended    bool
}

func newRemoteSplits(client *rpc.Client, coordinator string, task rpc.TaskID, scan int) *remoteSplits {
	return &remoteSplits{client: client, coordinator: coordinator, task: task, scan: scan}
}

const (
	splitTries = 10
	splitPause = 20 * time.Millisecond
	splitReply = 30 * time.Second
)

// Next asks for splits; a lost reply is asked for again. It waits without the CPU slot.
func (s *remoteSplits) Next(ctx context.Context, most int) (splits []connectors.Split, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for !s.ended && len(splits) == 0 && err == nil {
		splits, err = s.ask(ctx, most)
	}
	if len(splits) == 0 {
		return nil, err
	}
	return splits, err
}

func (s *remoteSplits) ask(ctx context.Context, most int) (splits []connectors.Split, err error) {
	s.sequence++
	in := rpc.SplitRequest{Task: s.task, Scan: s.scan, Sequence: s.sequence, Most: most}
	err = slots.Block(ctx, func() error {
		pause := splitPause
		for try := 1; ; try++ {
			var reply rpc.SplitReply
			waiting, cancel := context.WithTimeout(ctx, splitReply)
			err := s.client.Call(waiting, s.coordinator, rpc.SplitsPath, in, &reply)
			cancel()
			if err == nil {
				splits, s.ended = reply.Splits, reply.End
				return nil
			}
			if ctx.Err() != nil {
				return context.Cause(ctx)
			}
			if !rpc.IsUnreachable(err) {
				return err
			}
			if try == splitTries {
				return sqlerr.New(sqlerr.ConnectionFailure, "lost connection to the coordinator").WithDetail("%v", err).
					WithHint("Run the statement again.")
			}
			select {
			case <-time.After(pause):
			case <-ctx.Done():
				return context.Cause(ctx)
			}
			pause *= 2
		}
	})
	return splits, err
}

// Close has nothing to end: the coordinator's list ends with the query.
func (s *remoteSplits) Close() error { return nil }
