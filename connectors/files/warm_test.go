package files

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

func TestFlights(t *testing.T) {
	var f flights[int]
	var reads atomic.Int64
	key := footerKey{path: "a", etag: "1"}
	slow := func() (int, error) {
		time.Sleep(20 * time.Millisecond)
		return int(reads.Add(1)), nil
	}
	var wait sync.WaitGroup
	for range 10 {
		wait.Go(func() {
			if v, err := f.do(t.Context(), key, slow); v != 1 || err != nil {
				t.Error(v, err)
			}
		})
	}
	wait.Wait()
	if reads.Load() != 1 {
		t.Errorf("%d reads", reads.Load())
	}
	if v, _ := f.do(t.Context(), key, slow); v != 2 {
		t.Errorf("a later read gives %d", v)
	}

	// A flight that is cancelled does not fail those who joined it.
	cancelled, started := make(chan struct{}), make(chan struct{})
	go func() {
		_, _ = f.do(t.Context(), key, func() (int, error) {
			close(started)
			<-cancelled
			return 0, context.Canceled
		})
	}()
	<-started
	time.AfterFunc(10*time.Millisecond, func() { close(cancelled) })
	if v, err := f.do(t.Context(), key, func() (int, error) { return 7, nil }); v != 7 || err != nil {
		t.Error(v, err)
	}

	// Nor does one that panics.
	started = make(chan struct{})
	go quietly(func() {
		_, _ = f.do(t.Context(), key, func() (int, error) {
			close(started)
			time.Sleep(10 * time.Millisecond)
			panic("damaged")
		})
	})
	<-started
	if v, err := f.do(t.Context(), key, func() (int, error) { return 8, nil }); v != 8 || err != nil {
		t.Error(v, err)
	}

	stopped, stop := context.WithCancel(t.Context())
	started = make(chan struct{})
	release := make(chan struct{})
	go func() {
		_, _ = f.do(t.Context(), key, func() (int, error) {
			close(started)
			<-release
			return 9, nil
		})
	}()
	<-started
	stop()
	if _, err := f.do(stopped, key, slow); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	close(release)
}
