package slots

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

func TestNeverMoreHoldersThanSlots(t *testing.T) {
	s := New(2)
	g := s.Group(1)
	var holders, most atomic.Int64
	var wait sync.WaitGroup
	for range 8 {
		wait.Add(1)
		go func() {
			defer wait.Done()
			l := g.Lease()
			for range 200 {
				if err := l.Acquire(context.Background()); err != nil {
					t.Error(err)
				}
				if n := holders.Add(1); n > most.Load() {
					most.Store(n)
				}
				holders.Add(-1)
				l.Release()
			}
		}()
	}
	wait.Wait()
	if most.Load() > 2 || s.free != 2 {
		t.Fatalf("%d holders, %d free", most.Load(), s.free)
	}
}

// compute holds a slot for the given time in steps, offering it after each as a driver does.
func compute(l *Lease, until time.Time, spent *atomic.Int64) {
	_ = l.Acquire(context.Background())
	for time.Now().Before(until) {
		start := time.Now()
		for time.Since(start) < time.Millisecond {
		}
		spent.Add(int64(time.Since(start)))
		_ = l.Yield(context.Background())
	}
	l.Release()
}

// share measures how much more time weight 4 gets than weight 1, which has twice the goroutines.
func share() float64 {
	s := New(1)
	heavy, light := s.Group(4), s.Group(1)
	var a, b atomic.Int64
	until := time.Now().Add(300 * time.Millisecond)
	var wait sync.WaitGroup
	wait.Add(3)
	go func() { defer wait.Done(); compute(heavy.Lease(), until, &a) }()
	go func() { defer wait.Done(); compute(light.Lease(), until, &b) }()
	go func() { defer wait.Done(); compute(light.Lease(), until, &b) }()
	wait.Wait()
	return float64(a.Load()) / float64(b.Load())
}

func TestGroupsShareByWeight(t *testing.T) {
	var ratio float64
	for range 5 { // a busy machine distorts single measurements
		if ratio = share(); ratio > 2.2 && ratio < 7 {
			return
		}
	}
	t.Fatalf("weight 4 got %.2f times the time of weight 1", ratio)
}

func TestWaiterLeavesWithItsContext(t *testing.T) {
	s := New(1)
	g := s.Group(1)
	first, second := g.Lease(), g.Lease()
	_ = first.Acquire(context.Background())
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Millisecond)
	defer cancel()
	if err := second.Acquire(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Fatal(err)
	}
	first.Release()
	if err := second.Acquire(context.Background()); err != nil {
		t.Fatal(err)
	}
}

func TestBlockFreesTheSlot(t *testing.T) {
	s := New(1)
	l, other := s.Group(1).Lease(), s.Group(1).Lease()
	_ = l.Acquire(context.Background())
	ctx := With(context.Background(), l)
	err := Block(ctx, func() error {
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		if err := other.Acquire(ctx); err != nil {
			return err
		}
		other.Release()
		return nil
	})
	if err != nil || !l.held {
		t.Fatal(err, l.held)
	}
	var none *Lease
	if none.Acquire(ctx) != nil || none.Yield(ctx) != nil || (*Group)(nil).Lease() != nil {
		t.Fatal("a nil lease must do nothing")
	}
}
