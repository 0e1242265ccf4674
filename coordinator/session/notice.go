package session

import (
	"sync"

	"github.com/tarnlake/tarn/internal/sqlerr"
)

// Severity is how grave a notice is.
type Severity string

// The severities of notices, as clients show them.
const (
	SeverityWarning Severity = "WARNING"
	SeverityNotice  Severity = "NOTICE"
	SeverityInfo    Severity = "INFO"
)

// Notice is a message to the client that is no error.
type Notice struct {
	Severity Severity
	Code     sqlerr.Code // empty: 00000, or 01000 for a warning
	Message  string
	Detail   string
	Hint     string
}

// noticeList collects notices of one statement; engine goroutines add, the connection takes.
type noticeList struct {
	mu      sync.Mutex
	pending []Notice
}

// mostNotices bounds what one statement may pile up between two looks of the connection.
const mostNotices = 1000

func (l *noticeList) add(n Notice) {
	if n.Code == "" {
		n.Code = sqlerr.SuccessfulCompletion
		if n.Severity == SeverityWarning {
			n.Code = sqlerr.Warning
		}
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.pending) < mostNotices {
		l.pending = append(l.pending, n)
	}
}

func (l *noticeList) take() []Notice {
	l.mu.Lock()
	defer l.mu.Unlock()
	out := l.pending
	l.pending = nil
	return out
}

// TakeNotices gives the notices since the last call that client_min_messages lets through.
func (s *Session) TakeNotices() []Notice {
	pending := s.state.notices.take()
	if len(pending) == 0 {
		return nil
	}
	kept := pending[:0]
	least := s.state.Settings.Get("client_min_messages")
	for _, n := range pending {
		if n.Severity == SeverityInfo || least != "error" && (least != "warning" || n.Severity == SeverityWarning) {
			kept = append(kept, n)
		}
	}
	return kept
}
