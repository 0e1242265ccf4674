package config

import (
	"runtime"
	"runtime/debug"
	"testing"
	"time"
)

func TestPercentOfTheCollector(t *testing.T) {
	for _, c := range []struct {
		spare, live uint64
		want        int
	}{{128, 32, 400}, {128, 128, 100}, {128, 1000, 100}, {128 << 20, 1, 100_000}} {
		if got := percentOf(c.spare, c.live); got != c.want {
			t.Errorf("%d spare, %d live: %d, want %d", c.spare, c.live, got, c.want)
		}
	}
}

// After a collection that found little the next one comes late, after one that found much as late as Go has it.
func TestTheCollectorIsPaced(t *testing.T) {
	t.Setenv("GOGC", "")
	PaceCollector(4<<30, 2)
	settles := func(what string, good func(percent int) bool) {
		t.Helper()
		last := 0
		for began := time.Now(); time.Since(began) < 20*time.Second; time.Sleep(10 * time.Millisecond) {
			runtime.GC()
			last = debug.SetGCPercent(100)
			debug.SetGCPercent(last)
			if good(last) {
				return
			}
		}
		t.Errorf("with %s live the percentage is %d", what, last)
	}
	settles("little", func(percent int) bool { return percent > 300 })
	much := make([]byte, 600<<20)
	settles("much", func(percent int) bool { return percent == 100 })
	runtime.KeepAlive(much)
	settles("little again", func(percent int) bool { return percent > 300 })
}
