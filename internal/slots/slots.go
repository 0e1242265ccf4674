package slots

import (
	"context"
	"sync"
	"time"
)

// Quantum is how long a lease computes before Yield offers its slot to others.
const Quantum = 5 * time.Millisecond

// Slots is a worker's set of CPU slots. All methods may be called concurrently.
type Slots struct {
	mu     sync.Mutex
	free   int
	groups []*Group // those with waiters, in no order
	now    time.Duration
}

// New makes n slots, at least one.
func New(n int) *Slots { return &Slots{free: max(n, 1)} }

// Group is a set of queries that share by one weight.
type Group struct {
	slots   *Slots
	weight  time.Duration
	virtual time.Duration
	waiting []*waiter // first come, first served within the group
}

type waiter struct {
	granted chan struct{}
	done    bool // granted or withdrawn, guarded by Slots.mu
}

// Group makes a group; a weight below one counts as one.
func (s *Slots) Group(weight int) *Group {
	return &Group{slots: s, weight: time.Duration(max(weight, 1))}
}

// Lease is one goroutine's claim on a slot of its group. It is used by that goroutine alone. A nil
// Lease always computes.
type Lease struct {
	group *Group
	held  bool
	since time.Time
}

// Lease makes a lease that holds no slot yet; a nil group gives a nil lease.
func (g *Group) Lease() *Lease {
	if g == nil {
		return nil
	}
	return &Lease{group: g}
}

// Acquire blocks until the lease holds a slot or ctx is done. Holding one already, it does nothing.
func (l *Lease) Acquire(ctx context.Context) error {
	if l == nil || l.held {
		return nil
	}
	if err := l.group.acquire(ctx); err != nil {
		return err
	}
	l.held, l.since = true, time.Now()
	return nil
}

// Release gives the slot back, if one is held.
func (l *Lease) Release() {
	if l == nil || !l.held {
		return
	}
	l.held = false
	s := l.group.slots
	s.mu.Lock()
	l.group.charge(time.Since(l.since))
	s.free++
	s.grant()
	s.mu.Unlock()
}

// Yield is called at batch edges: after a quantum it lets a waiting goroutine go first when its group
// is owed at least as much, and then blocks until its own turn comes.
func (l *Lease) Yield(ctx context.Context) error {
	if l == nil || !l.held {
		return nil
	}
	now := time.Now()
	if now.Sub(l.since) < Quantum {
		return nil
	}
	s := l.group.slots
	s.mu.Lock()
	l.group.charge(now.Sub(l.since))
	l.since = now
	next := s.owed()
	hand := next != nil && next.virtual <= l.group.virtual
	if hand {
		l.held = false
		s.free++
		s.grant()
	}
	s.mu.Unlock()
	if !hand {
		return nil
	}
	return l.Acquire(ctx)
}

// charge advances the group's virtual time; the caller holds the lock.
func (g *Group) charge(spent time.Duration) { g.virtual += spent / g.weight }

func (g *Group) acquire(ctx context.Context) error {
	s := g.slots
	s.mu.Lock()
	if len(g.waiting) == 0 {
		g.wake()
	}
	if s.free > 0 && len(s.groups) == 0 {
		s.free--
		s.mu.Unlock()
		return nil
	}
	w := &waiter{granted: make(chan struct{})}
	if len(g.waiting) == 0 {
		s.groups = append(s.groups, g)
	}
	g.waiting = append(g.waiting, w)
	s.grant()
	s.mu.Unlock()
	select {
	case <-w.granted:
		return nil
	case <-ctx.Done():
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if w.done {
		return nil // granted meanwhile; the caller holds the slot and will see ctx itself
	}
	w.done = true
	g.drop(w)
	return context.Cause(ctx)
}

// wake keeps a group that was idle from saving up time it did not use.
func (g *Group) wake() { g.virtual = max(g.virtual, g.slots.now) }

func (g *Group) drop(w *waiter) {
	for i, x := range g.waiting {
		if x == w {
			g.waiting = append(g.waiting[:i], g.waiting[i+1:]...)
			break
		}
	}
	if len(g.waiting) == 0 {
		g.slots.remove(g)
	}
}

func (s *Slots) remove(g *Group) {
	for i, x := range s.groups {
		if x == g {
			last := len(s.groups) - 1
			s.groups[i] = s.groups[last]
			s.groups = s.groups[:last]
			return
		}
	}
}

// owed gives the waiting group with the least virtual time, nil when none waits.
func (s *Slots) owed() *Group {
	var next *Group
	for _, g := range s.groups {
		if next == nil || g.virtual < next.virtual {
			next = g
		}
	}
	return next
}

// grant hands free slots to waiters; the caller holds the lock.
func (s *Slots) grant() {
	for s.free > 0 {
		g := s.owed()
		if g == nil {
			return
		}
		s.now = max(s.now, g.virtual)
		w := g.waiting[0]
		g.waiting = g.waiting[1:]
		if len(g.waiting) == 0 {
			s.remove(g)
		}
		s.free--
		w.done = true
		close(w.granted)
	}
}

type leaseKey struct{}

// With gives a context that carries the lease to code below that may block.
func With(ctx context.Context, l *Lease) context.Context {
	if l == nil {
		return ctx
	}
	return context.WithValue(ctx, leaseKey{}, l)
}

// Block runs f, which may block, without holding the slot that ctx carries; without one it just runs f.
func Block(ctx context.Context, f func() error) error {
	l, _ := ctx.Value(leaseKey{}).(*Lease)
	if l == nil || !l.held {
		return f()
	}
	l.Release()
	err := f()
	if again := l.Acquire(ctx); err == nil {
		err = again
	}
	return err
}
