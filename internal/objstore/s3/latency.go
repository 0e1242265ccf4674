package s3

import (
	"slices"
	"sync"
	"time"
)

// latency remembers how long recent answers took to begin, to tell stragglers.
type latency struct {
	mu      sync.Mutex
	recent  [128]time.Duration
	count   int
	present time.Duration
}

const (
	leastHedge   = 50 * time.Millisecond
	mostHedge    = 5 * time.Second
	unknownHedge = time.Second
)

// observe adds an answer.
func (l *latency) observe(d time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.recent[l.count%len(l.recent)] = d
	l.count++
	if l.count%16 != 0 {
		return
	}
	sorted := slices.Clone(l.recent[:min(l.count, len(l.recent))])
	slices.Sort(sorted)
	l.present = min(max(3*sorted[len(sorted)*95/100], leastHedge), mostHedge)
}

// straggles gives the time after which a second request is worth its price: three times what 95 of
// 100 answers need.
func (l *latency) straggles() time.Duration {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.present == 0 {
		return unknownHedge
	}
	return l.present
}
