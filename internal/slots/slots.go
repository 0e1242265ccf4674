package slots

import (
	"context"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// Quantum is how long a lease computes before Yield offers its slot to others that are owed as much.
const Quantum = 5 * time.Millisecond

// Step is how long it computes before Yield offers its slot to a group that is owed more: one whose
// virtual time lies behind by a Step too. Who waits for rows again and again, as tasks do that read
// other tasks' rows, must not wait for a quantum of others each time.
const Step = time.Millisecond

// Patience is how long a group that is owed a slot waits for one that another group overstays in, in
// the middle of a long batch. Then it computes beside that one, which loses its slot at its next edge.
const Patience = 2 * Step

// Extra is how many threads a process of n slots needs beside them: for those that compute beside an
// overstaying lease, and for what takes no slot and should not wait for the end of a Go time slice.
func Extra(n int) int { return min(max((n+1)/2, 1), 4) }

// Stuck is how long a lease computes without an edge before anybody may compute beside it, its own group
// too: it may well wait for something, and even for one of those who wait for a slot.
const Stuck = 20 * Quantum

// Credit bounds how far a group's virtual time may lie behind that of a group that computes: what could
// not be used when it was there is not made up for later at the cost of others.
const Credit = 10 * Quantum

// Slots is a worker's set of CPU slots. All methods may be called concurrently.
type Slots struct {
	clock   clock
	waiters atomic.Int32 // leases that wait

	mu     sync.Mutex
	free   int
	held   []*Lease // leases with a slot, in no order
	all    []*Group
	groups []*Group // those with waiters, in no order
	armed  bool     // lend will be called
}

// New makes n slots, at least one.
func New(n int) *Slots { return &Slots{free: max(n, 1), clock: realClock} }

// clock is the time; tests have their own.
type clock struct {
	now   func() time.Time
	after func(time.Duration, func())
}

var realClock = clock{time.Now, func(d time.Duration, f func()) { time.AfterFunc(d, f) }}

// Group is a set of queries that share by one weight.
type Group struct {
	slots   *Slots
	weight  time.Duration
	virtual time.Duration
	holding int
	waiting []*waiter // first come, first served within the group
	stats   Stats
}

// Stats is what a group's leases did so far.
type Stats struct {
	Computed time.Duration // with a slot
	Waited   time.Duration // for a slot
	Waits    int64         // times that a slot did not come at once
	Longest  time.Duration // of the waits
	Yields   int64         // slots handed on at an edge
	Lent     int64         // slots that others took for lack of an edge
}

type waiter struct {
	lease   *Lease
	since   time.Time
	granted chan struct{}
	done    bool // granted or withdrawn, guarded by Slots.mu
}

// Group makes a group; a weight below one counts as one.
func (s *Slots) Group(weight int) *Group {
	g := &Group{slots: s, weight: time.Duration(max(weight, 1))}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.all = append(s.all, g)
	return g
}

// Stats tells what the group did; what computes now counts up to its last edge.
func (g *Group) Stats() Stats {
	g.slots.mu.Lock()
	defer g.slots.mu.Unlock()
	return g.stats
}

// Lease is one goroutine's claim on a slot of its group. It is used by that goroutine alone. A nil
// Lease always computes.
type Lease struct {
	group *Group
	held  bool
	since time.Time // when the quantum began
	// Guarded by Slots.mu:
	edge    time.Time // the last one
	charged time.Time // up to when its group has been charged
	lent    bool      // another computes in its place
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
	if err := l.acquire(ctx); err != nil {
		return err
	}
	l.held = true
	return nil
}

// Release gives the slot back, if one is held.
func (l *Lease) Release() {
	if l == nil || !l.held {
		return
	}
	s := l.group.slots
	now := s.clock.now()
	s.mu.Lock()
	s.charge(now)
	l.give(now)
	s.mu.Unlock()
}

// Yield is called at batch edges: it lets a waiting goroutine go first when its group is owed more, or,
// after a quantum, as much, and then blocks until its own turn comes.
func (l *Lease) Yield(ctx context.Context) error {
	if l == nil || !l.held {
		return nil
	}
	s := l.group.slots
	now := s.clock.now()
	spent := now.Sub(l.since)
	if spent < Step || spent < Quantum && s.waiters.Load() == 0 {
		return nil
	}
	s.mu.Lock()
	s.charge(now)
	l.edge = now
	next := s.owed()
	hand := l.lent
	if next != nil {
		hand = hand || next != l.group && next.virtual <= l.group.virtual-Step || spent >= Quantum && next.virtual <= l.group.virtual
	}
	if spent >= Quantum {
		l.since = now
	}
	if hand {
		l.group.stats.Yields++
		l.give(now)
	}
	s.mu.Unlock()
	if !hand {
		return nil
	}
	return l.Acquire(ctx)
}

// charge advances the groups' virtual times by what their leases have computed; the caller holds the lock.
func (s *Slots) charge(now time.Time) {
	for _, l := range s.held {
		spent := now.Sub(l.charged)
		l.charged = now
		l.group.virtual += spent / l.group.weight
		l.group.stats.Computed += spent
	}
	for _, l := range s.held {
		for _, other := range s.all {
			other.virtual = max(other.virtual, l.group.virtual-Credit)
		}
	}
}

// give hands the slot to those who wait, unless another computes in its place already; the caller
// holds the lock.
func (l *Lease) give(now time.Time) {
	s := l.group.slots
	l.held = false
	at := slices.Index(s.held, l)
	s.held = slices.Delete(s.held, at, at+1)
	l.group.holding--
	if l.lent {
		l.lent = false
		return
	}
	s.free++
	s.grant(now)
}

func (l *Lease) acquire(ctx context.Context) error {
	g := l.group
	s := g.slots
	s.mu.Lock()
	now := s.clock.now()
	s.charge(now)
	s.wake(g)
	if s.free > 0 && len(s.groups) == 0 {
		s.take(l, now)
		s.mu.Unlock()
		return nil
	}
	w := &waiter{lease: l, since: now, granted: make(chan struct{})}
	if len(g.waiting) == 0 {
		s.groups = append(s.groups, g)
	}
	g.waiting = append(g.waiting, w)
	s.waiters.Add(1)
	s.grant(now)
	s.arm()
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

// take gives a lease one of the free slots; the caller holds the lock.
func (s *Slots) take(l *Lease, now time.Time) {
	s.free--
	l.since, l.edge, l.charged = now, now, now
	s.held = append(s.held, l)
	l.group.holding++
}

// wake keeps a group that did nothing from saving up time: it starts abreast of those that compute or
// wait. The caller holds the lock.
func (s *Slots) wake(g *Group) {
	if g.active() {
		return
	}
	var least *Group
	for _, other := range s.all {
		if other.active() && (least == nil || other.virtual < least.virtual) {
			least = other
		}
	}
	if least != nil {
		g.virtual = max(g.virtual, least.virtual)
		return
	}
	for _, other := range s.all { // nobody is owed anything
		other.virtual = 0
	}
}

func (g *Group) active() bool { return g.holding > 0 || len(g.waiting) > 0 }

func (g *Group) drop(w *waiter) {
	if at := slices.Index(g.waiting, w); at >= 0 {
		g.waiting = slices.Delete(g.waiting, at, at+1)
		g.slots.waiters.Add(-1)
	}
	if len(g.waiting) == 0 {
		g.slots.remove(g)
	}
}

func (s *Slots) remove(g *Group) {
	at := slices.Index(s.groups, g)
	s.groups = slices.Delete(s.groups, at, at+1)
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
func (s *Slots) grant(now time.Time) {
	for s.free > 0 {
		g := s.owed()
		if g == nil {
			return
		}
		w := g.waiting[0]
		g.waiting = g.waiting[1:]
		s.waiters.Add(-1)
		if len(g.waiting) == 0 {
			s.remove(g)
		}
		s.take(w.lease, now)
		waited := now.Sub(w.since)
		g.stats.Waits, g.stats.Waited, g.stats.Longest = g.stats.Waits+1, g.stats.Waited+waited, max(g.stats.Longest, waited)
		w.done = true
		close(w.granted)
	}
}

// arm sees to it that lend looks after those who wait; the caller holds the lock.
func (s *Slots) arm() {
	if len(s.groups) > 0 && !s.armed {
		s.armed = true
		s.clock.after(Patience, s.lend)
	}
}

// lend gives groups that have waited too long the slots of leases that have gone too far into time that
// is not theirs.
func (s *Slots) lend() {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.clock.now()
	s.charge(now)
	for g := s.owed(); g != nil && now.Sub(g.waiting[0].since) >= Patience; g = s.owed() {
		l := s.overstaying(g, now)
		if l == nil {
			break
		}
		l.lent = true
		l.group.stats.Lent++
		s.free++
		s.grant(now)
	}
	s.armed = false
	s.arm()
}

// overstaying finds the lease that has computed longest since its last edge, of those that a group's
// waiters may compute in the place of.
func (s *Slots) overstaying(g *Group, now time.Time) *Lease {
	var longest *Lease
	for _, l := range s.held {
		spent := now.Sub(l.edge)
		theirs := l.group != g && spent >= Patience && l.group.virtual >= g.virtual
		if l.lent || !theirs && spent < Stuck {
			continue
		}
		if longest == nil || l.edge.Before(longest.edge) {
			longest = l
		}
	}
	return longest
}

type leaseKey struct{}

// With gives a context that carries the lease to code below that may block.
func With(ctx context.Context, l *Lease) context.Context {
	if l == nil {
		return ctx
	}
	return context.WithValue(ctx, leaseKey{}, l)
}

// Without gives a context for goroutines that have nothing to do with the slot that ctx carries.
func Without(ctx context.Context) context.Context {
	if l, _ := ctx.Value(leaseKey{}).(*Lease); l == nil {
		return ctx
	}
	return context.WithValue(ctx, leaseKey{}, (*Lease)(nil))
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

// Offer is Yield for code below a driver that computes long between two edges of batches: it is called
// by the goroutine that holds the slot which ctx carries, every millisecond or so.
func Offer(ctx context.Context) error {
	l, _ := ctx.Value(leaseKey{}).(*Lease)
	return l.Yield(ctx)
}

// Edge is an edge below a driver: it gives ctx's cause once that is done, and offers the slot.
func Edge(ctx context.Context) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return Offer(ctx)
}
