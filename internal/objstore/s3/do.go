package s3

import (
	"context"
	"math/rand/v2"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/tarnlake/tarn/internal/objstore"
)

// operation says what a request is for.
type operation struct {
	verb   string // "read", "write to", "list" …, for messages
	action string // the right that it needs, such as "s3:GetObject"
	key    string // or prefix
	// progress, if not nil, counts bytes that survive a failed attempt: as long as it grows, attempts
	// are not used up.
	progress *int64
	timeout  time.Duration // of an attempt; 0: the attempt sees to it itself
}

const (
	firstPause = 50 * time.Millisecond
	mostPause  = 5 * time.Second
)

// attempt sends one request. try counts from 1; ambiguous tells that an earlier attempt may have
// taken effect although it seemed to fail.
type attempt func(ctx context.Context, client *s3.Client, try int, ambiguous bool) error

// do sends a request until it succeeds, fails for good, or attempts and budget are used up.
func (s *Store) do(ctx context.Context, op operation, send attempt) error {
	ambiguous := false
	tried := 0
	for try := 1; ; try++ {
		before := int64(0)
		if op.progress != nil {
			before = *op.progress
		}
		tried++
		err := s.once(ctx, op, send, tried, ambiguous)
		if err == nil {
			s.budget.succeeded()
			return nil
		}
		if cancelled := ctx.Err(); cancelled != nil {
			return cancelled
		}
		reason := classify(err)
		ambiguous = ambiguous || reason.ambiguous
		if op.progress != nil && *op.progress > before {
			try = 1
		}
		if region := s.betterRegion(err); region != "" {
			s.moveTo(region)
			continue
		}
		attempts := s.options.MaxAttempts
		if reason.attempts > 0 {
			attempts = min(attempts, reason.attempts)
		}
		if !reason.passing || try >= attempts || !s.budget.take(reason.cost) {
			return s.explain(ctx, op, err, tried)
		}
		objstore.Count(ctx, &s.counters, objstore.Event{Retried: 1})
		if err := pause(ctx, try); err != nil {
			return err
		}
	}
}

// once takes a slot and sends one attempt.
func (s *Store) once(ctx context.Context, op operation, send attempt, try int, ambiguous bool) error {
	client, err := s.connect(ctx)
	if err != nil {
		return err
	}
	if err := s.limiter.acquire(ctx); err != nil {
		return err
	}
	throttled := false
	defer func() { s.limiter.release(throttled) }()
	if op.timeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeoutCause(ctx, op.timeout, errTimeout)
		defer cancel()
	}
	err = send(ctx, client, try, ambiguous)
	if err != nil && context.Cause(ctx) == errTimeout {
		err = errTimeout
	}
	throttled = err != nil && classify(err).throttled
	return err
}

// pause waits a random time, longer ones becoming likelier with every attempt ("full jitter").
func pause(ctx context.Context, try int) error {
	longest := min(firstPause<<min(try-1, 10), mostPause)
	timer := time.NewTimer(rand.N(longest) + time.Millisecond)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
