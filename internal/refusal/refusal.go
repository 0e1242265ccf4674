// Package refusal logs what strangers are refused, without letting them flood the log: of what one
// machine is told for one reason, a line a minute is written, which counts those that were left out.
package refusal

import (
	"log/slog"
	"net"
	"sync"
	"time"
)

const (
	// every is the time between two lines of one reason.
	every = time.Minute
	// mostReasons bounds the memory; more reasons at once are counted together.
	mostReasons = 1000
)

// Log writes lines, at most one a minute for each machine and reason. It may be used concurrently.
type Log struct {
	log *slog.Logger
	now func() time.Time

	mu      sync.Mutex
	reasons map[reason]*told
}

type reason struct{ host, message string }

type told struct {
	at    time.Time
	since int // lines left out
}

// New makes one that writes to log.
func New(log *slog.Logger) *Log {
	return &Log{log: log, now: time.Now, reasons: map[reason]*told{}}
}

// Warn writes a line about what came from an address, unless that machine had one of this message less
// than a minute ago.
func (l *Log) Warn(from, message string, args ...any) {
	host, _, err := net.SplitHostPort(from)
	if err != nil {
		host = from
	}
	left, write := l.count(reason{host, message})
	if !write {
		return
	}
	args = append([]any{"from", from}, args...)
	if left > 0 {
		args = append(args, "more_like_this", left)
	}
	l.log.Warn(message, args...)
}

// count tells whether a line is to be written, and how many were left out before it.
func (l *Log) count(r reason) (left int, write bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := l.now()
	if l.reasons[r] == nil && len(l.reasons) >= mostReasons {
		for known, t := range l.reasons {
			if now.Sub(t.at) >= every {
				delete(l.reasons, known)
			}
		}
		if len(l.reasons) >= mostReasons {
			r = reason{message: "many machines or reasons"}
		}
	}
	t := l.reasons[r]
	if t == nil {
		t = &told{}
		l.reasons[r] = t
	} else if now.Sub(t.at) < every {
		t.since++
		return 0, false
	}
	left = t.since
	t.at, t.since = now, 0
	return left, true
}
