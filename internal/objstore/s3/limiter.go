package s3

import (
	"context"
	"sync"
	"time"
)

// limiter bounds the requests under way: half as many after an answer that asks to slow down, a few
// more with every answer that does not, up to the maximum.
type limiter struct {
	mu      sync.Mutex
	maximum float64
	limit   float64
	active  int
	waiting []chan struct{}
	slowed  time.Time
}

func newLimiter(maximum int) *limiter {
	return &limiter{maximum: float64(maximum), limit: float64(maximum)}
}

// slowdownPause is the time in which several answers count as one request to slow down.
const slowdownPause = 100 * time.Millisecond

// acquire waits for a slot.
func (l *limiter) acquire(ctx context.Context) error {
	l.mu.Lock()
	if len(l.waiting) == 0 && l.active < int(l.limit) {
		l.active++
		l.mu.Unlock()
		return nil
	}
	turn := make(chan struct{})
	l.waiting = append(l.waiting, turn)
	l.mu.Unlock()
	select {
	case <-turn:
		return nil
	case <-ctx.Done():
		l.mu.Lock()
		defer l.mu.Unlock()
		for i, w := range l.waiting {
			if w == turn {
				l.waiting = append(l.waiting[:i], l.waiting[i+1:]...)
				return ctx.Err()
			}
		}
		l.active-- // the turn came at the same time
		l.admit()
		return ctx.Err()
	}
}

// tryAcquire takes a slot if one is free.
func (l *limiter) tryAcquire() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.waiting) > 0 || l.active >= int(l.limit) {
		return false
	}
	l.active++
	return true
}

// release gives a slot back; throttled tells that the server asked to slow down.
func (l *limiter) release(throttled bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.active--
	switch now := time.Now(); {
	case !throttled:
		l.limit = min(l.maximum, l.limit+1/l.limit)
	case now.Sub(l.slowed) > slowdownPause:
		l.limit, l.slowed = max(1, l.limit/2), now
	}
	l.admit()
}

func (l *limiter) admit() {
	for len(l.waiting) > 0 && l.active < int(l.limit) {
		close(l.waiting[0])
		l.waiting = l.waiting[1:]
		l.active++
	}
}

// present gives the number of requests that may be under way now.
func (l *limiter) present() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return int(l.limit)
}

// budget bounds retries to a share of the requests that succeed, so that a failing server does not
// get many times the load.
type budget struct {
	mu     sync.Mutex
	tokens int
}

const (
	budgetCapacity = 500
	retryCost      = 5
	hedgeCost      = 10
	throttleCost   = 1 // the limiter already spares the server
)

func newBudget() *budget { return &budget{tokens: budgetCapacity} }

// take pays for a repeated request; false when the budget is used up.
func (b *budget) take(cost int) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.tokens < cost {
		return false
	}
	b.tokens -= cost
	return true
}

// succeeded adds to the budget.
func (b *budget) succeeded() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.tokens = min(b.tokens+1, budgetCapacity)
}
