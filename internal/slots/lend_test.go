package slots

import (
	"context"
	"runtime"
	"sync"
	"testing"
	"time"
)

// stopped is a clock that only advance moves.
type stopped struct {
	mu    sync.Mutex
	time  time.Time
	calls []call
}

type call struct {
	at time.Time
	f  func()
}

func (c *stopped) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.time
}

func (c *stopped) after(d time.Duration, f func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.calls = append(c.calls, call{c.time.Add(d), f})
}

// advance lets a millisecond pass n times.
func (c *stopped) advance(n int) {
	for range n {
		c.mu.Lock()
		c.time = c.time.Add(time.Millisecond)
		var due []func()
		rest := c.calls[:0]
		for _, x := range c.calls {
			if x.at.After(c.time) {
				rest = append(rest, x)
			} else {
				due = append(due, x.f)
			}
		}
		c.calls = rest
		c.mu.Unlock()
		for _, f := range due {
			f()
		}
	}
}

func withClock(n int) (*Slots, *stopped) {
	s, c := New(n), &stopped{time: time.Unix(0, 0)}
	s.clock = clock{c.now, c.after}
	return s, c
}

// acquiring starts to acquire, and returns when the lease waits; the channel tells that it computes.
func acquiring(t *testing.T, l *Lease) <-chan struct{} {
	t.Helper()
	before := waiters(l.group)
	got := make(chan struct{})
	go func() {
		if err := l.Acquire(context.Background()); err != nil {
			t.Error(err)
		}
		close(got)
	}()
	for waiters(l.group) == before {
		runtime.Gosched()
	}
	return got
}

func waiters(g *Group) int {
	g.slots.mu.Lock()
	defer g.slots.mu.Unlock()
	return len(g.waiting)
}

func TestIdleShareIsTakenBackAtTheNextEdge(t *testing.T) {
	s, c := withClock(1)
	people, etl := s.Group(8), s.Group(1)
	loop := etl.Lease()
	_ = loop.Acquire(t.Context())
	for range 1000 { // all of the machine is lent to etl
		c.advance(5)
		_ = loop.Yield(t.Context())
	}
	if got := etl.Stats(); got.Computed != 5*time.Second || got.Yields != 0 {
		t.Fatalf("%+v", got)
	}
	query := people.Lease()
	came := acquiring(t, query)
	c.advance(1)
	back := make(chan struct{})
	go func() {
		_ = loop.Yield(context.Background()) // hands the slot over, and waits for it
		close(back)
	}()
	<-came
	for waiters(etl) == 0 {
		runtime.Gosched()
	}
	for range 7 { // people are owed eight times as much
		c.advance(1)
		if _ = query.Yield(t.Context()); waiters(etl) == 0 {
			t.Fatal("etl computes too soon")
		}
	}
	c.advance(1)
	query.Release()
	<-back
	if got := people.Stats(); got.Longest != time.Millisecond || got.Computed != 8*time.Millisecond {
		t.Fatalf("%+v", got)
	}
	if got := etl.Stats(); got.Yields != 1 || got.Lent != 0 {
		t.Fatalf("%+v", got)
	}
}

func TestLongBatchIsOvertaken(t *testing.T) {
	s, c := withClock(1)
	people, etl := s.Group(8), s.Group(1)
	loop, query := etl.Lease(), people.Lease()
	_ = loop.Acquire(t.Context())
	c.advance(3)
	came := acquiring(t, query)
	c.advance(int(Patience/time.Millisecond) + 2)
	<-came // though loop has not come to an edge
	if got := people.Stats(); got.Longest > Patience+Quantum {
		t.Fatalf("%+v", got)
	}
	again := acquiring(t, etl.Lease()) // a slot that is lent is nobody's twice
	c.advance(50)
	select {
	case <-again:
		t.Fatal("etl computes twice")
	default:
	}
	back := make(chan struct{})
	go func() {
		_ = loop.Yield(context.Background())
		close(back)
	}()
	for waiters(etl) != 2 {
		runtime.Gosched()
	}
	query.Release()
	<-again
	if got := etl.Stats(); got.Lent != 1 || got.Yields != 1 || s.free != 0 || len(s.held) != 1 {
		t.Fatalf("%+v, %d free, %d held", got, s.free, len(s.held))
	}
	select {
	case <-back:
		t.Fatal("two hold the only slot")
	default:
	}
}

func TestGroupsDoNotOvertakeThemselves(t *testing.T) {
	s, c := withClock(1)
	etl := s.Group(1)
	loop := etl.Lease()
	_ = loop.Acquire(t.Context())
	came := acquiring(t, etl.Lease())
	c.advance(90)
	select {
	case <-came:
		t.Fatal("two hold the only slot")
	default:
	}
	loop.Release()
	<-came
	if got := etl.Stats(); got.Lent != 0 || got.Waits != 1 || got.Waited != 90*time.Millisecond {
		t.Fatalf("%+v", got)
	}
}

func TestHolderThatWaitsForAWaiterIsNoDeadlock(t *testing.T) {
	s, c := withClock(1)
	g := s.Group(1)
	holder, other := g.Lease(), g.Lease()
	_ = holder.Acquire(t.Context())
	came := acquiring(t, other)
	c.advance(int((Stuck + Quantum) / time.Millisecond))
	<-came
	other.Release()
	holder.Release()
	if s.free != 1 || len(s.held) != 0 {
		t.Fatal(s.free, len(s.held))
	}
}

func TestWhoIsOwedMoreWaitsForNoQuantum(t *testing.T) {
	s, c := withClock(1)
	people, etl := s.Group(8), s.Group(1)
	query, loop := people.Lease(), etl.Lease()
	_ = loop.Acquire(t.Context())
	for range 10 { // the query waits for rows that come again and again
		came := acquiring(t, query)
		c.advance(1)
		back := make(chan struct{})
		go func() {
			_ = loop.Yield(context.Background())
			close(back)
		}()
		<-came
		for waiters(etl) == 0 {
			runtime.Gosched()
		}
		c.advance(1)
		query.Release()
		<-back
	}
	if got := people.Stats(); got.Longest != time.Millisecond || got.Waits != 10 {
		t.Fatalf("%+v", got)
	}
}

func TestNothingIsOwedForThePast(t *testing.T) {
	s, c := withClock(1)
	people, etl := s.Group(8), s.Group(1)
	query, loop := people.Lease(), etl.Lease()
	_ = query.Acquire(t.Context())
	for range 10_000 { // while etl has nothing to do
		c.advance(5)
		_ = query.Yield(t.Context())
	}
	came := acquiring(t, loop)
	for range 4 {
		c.advance(1)
		_ = query.Yield(t.Context())
	}
	c.advance(1)
	back := make(chan struct{})
	go func() {
		_ = query.Yield(context.Background()) // a quantum is over, and both are owed the same
		close(back)
	}()
	<-came
	for waiters(people) == 0 {
		runtime.Gosched()
	}
	c.advance(1)
	_ = loop.Yield(t.Context())
	c.advance(1)
	go func() { _ = loop.Yield(context.Background()) }()
	<-back
	if got := people.Stats(); got.Longest != 2*time.Millisecond {
		t.Fatalf("%+v", got)
	}
	query.Release()
}
