package session

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"slices"
	"sync"
	"time"

	"github.com/tarnlake/tarn/internal/sqlerr"
	"github.com/tarnlake/tarn/planner/parser/ast"
)

// Config is what a Manager needs. Engine and Parse must be set.
type Config struct {
	Engine Engine
	// Parse splits and parses a query string. Positions of statements and errors refer to it.
	Parse func(sql string) ([]ast.Statement, error)
	// Version is Tarn's own.
	Version string
	// Settings overrides the defaults of run-time parameters.
	Settings map[string]string
	// Defaults gives further settings with which a user's sessions begin; nil gives none.
	Defaults func(ctx context.Context, user string) ([]ReportedSetting, error)
	// MaxSessions bounds live sessions; 0 is no bound.
	MaxSessions int
	// Spools keeps rows of drained, held and scrollable portals; nil keeps them in memory.
	Spools SpoolMaker
	// Clock gives the time; nil is time.Now.
	Clock func() time.Time
}

// Manager knows the live sessions of this process. Its methods may be called concurrently.
type Manager struct {
	config Config
	table  *SettingsTable

	mu       sync.Mutex
	sessions map[int32]*Session
	lastPID  int32
	draining bool
	empty    chan struct{} // closed when draining and no session is left
}

// NewManager makes a Manager without sessions.
func NewManager(config Config) *Manager {
	if config.Clock == nil {
		config.Clock = time.Now
	}
	if config.Spools == nil {
		config.Spools = memorySpools{}
	}
	return &Manager{config: config, table: NewSettingsTable(config.Version), sessions: map[int32]*Session{}, empty: make(chan struct{})}
}

// SettingsTable gives the definitions of all settings.
func (m *Manager) SettingsTable() *SettingsTable { return m.table }

// Startup is who a session is for.
type Startup struct {
	User, Database string
	Client         string // remote address
	// Parameters are further settings of the start-up message, in the order in which they came.
	Parameters []ReportedSetting
	// Hangup ends the connection from outside; it may be called once, from any goroutine.
	Hangup func(reason error)
}

// Open makes a session. Errors: 53300 when there are too many, 57P03 when the server is stopping,
// and those of bad parameters. The context bounds the session's life.
func (m *Manager) Open(ctx context.Context, who Startup) (*Session, error) {
	now := m.config.Clock()
	s := &Session{
		manager: m, hangup: who.Hangup,
		statements: map[string]*Statement{}, portals: map[string]*Portal{},
		state: State{User: who.User, Database: who.Database, Client: who.Client, Started: now,
			Settings: NewSettings(m.table, m.config.Settings), Progress: &Progress{}},
	}
	if s.state.Database == "" {
		s.state.Database = who.User
	}
	s.state.Settings.defaults["session_authorization"] = who.User
	if m.config.Defaults != nil {
		stored, err := m.config.Defaults(ctx, who.User)
		if err != nil {
			return nil, err
		}
		for _, p := range stored {
			if err := s.state.Settings.setDefault(p.Name, p.Value); err != nil {
				// The setting may be of another version: a session without it is better than none.
				s.state.Notify(Notice{Severity: SeverityWarning, Code: sqlerr.CodeOf(err), Message: sqlerr.From(err).Message})
			}
		}
	}
	for _, p := range who.Parameters {
		if err := s.state.Settings.setDefault(p.Name, p.Value); err != nil {
			return nil, err
		}
	}
	if _, err := rand.Read(s.secret[:]); err != nil {
		return nil, sqlerr.Wrap(err, sqlerr.SystemError, "could not generate random cancel key")
	}
	s.life, s.endLife = context.WithCancelCause(ctx)
	s.activity.ApplicationName = s.state.Settings.Get("application_name")
	s.activity.since(Idle, now)
	if err := m.register(s); err != nil {
		s.endLife(err)
		return nil, err
	}
	return s, nil
}

func (m *Manager) register(s *Session) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.draining {
		return sqlerr.New(sqlerr.CannotConnectNow, "the database system is shutting down")
	}
	if m.config.MaxSessions > 0 && len(m.sessions) >= m.config.MaxSessions {
		return sqlerr.New(sqlerr.TooManyConnections, "sorry, too many clients already").
			WithDetail("%d of at most %d connections are open.", len(m.sessions), m.config.MaxSessions).
			WithHint("Raise server.max_connections, or use a connection pool.")
	}
	for {
		m.lastPID = m.lastPID%(1<<30) + 1
		if m.sessions[m.lastPID] == nil {
			break
		}
	}
	s.state.PID = m.lastPID
	m.sessions[m.lastPID] = s
	return nil
}

func (m *Manager) unregister(s *Session) {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.sessions, s.state.PID)
	if m.draining && len(m.sessions) == 0 {
		m.closeEmpty()
	}
}

func (m *Manager) closeEmpty() {
	select {
	case <-m.empty:
	default:
		close(m.empty)
	}
}

func (m *Manager) find(pid int32) *Session {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.sessions[pid]
}

// Cancel cancels what the session pid runs now if the secret is its own, as a CancelRequest asks.
func (m *Manager) Cancel(pid int32, secret []byte) bool {
	s := m.find(pid)
	if s == nil || subtle.ConstantTimeCompare(s.secret[:], secret) != 1 {
		return false
	}
	return s.Interrupt(errUserCancel)
}

// CancelBackend is pg_cancel_backend.
func (m *Manager) CancelBackend(pid int32) bool {
	s := m.find(pid)
	return s != nil && (s.Interrupt(errUserCancel) || true)
}

// TerminateBackend is pg_terminate_backend: the session's statement is cancelled and its connection
// closed.
func (m *Manager) TerminateBackend(pid int32) bool {
	s := m.find(pid)
	if s == nil {
		return false
	}
	s.terminate(errTerminated)
	return true
}

// Drain stops the server: no new sessions; idle ones are closed at once, busy ones when their
// statement (not their transaction) has ended, and what is still running when ctx is done is
// cancelled. It returns when no session is left or, after ctx is done, soon.
func (m *Manager) Drain(ctx context.Context) {
	m.mu.Lock()
	m.draining = true
	live := m.list()
	if len(live) == 0 {
		m.closeEmpty()
	}
	m.mu.Unlock()
	for _, s := range live {
		s.drain()
	}
	select {
	case <-m.empty:
		return
	case <-ctx.Done():
	}
	m.mu.Lock()
	live = m.list()
	m.mu.Unlock()
	for _, s := range live {
		s.terminate(errTerminated)
	}
	select {
	case <-m.empty:
	case <-time.After(drainGrace):
	}
}

// drainGrace is how long cancelled statements have to wind up.
const drainGrace = 2 * time.Second

func (m *Manager) list() []*Session {
	out := make([]*Session, 0, len(m.sessions))
	for _, s := range m.sessions {
		out = append(out, s)
	}
	return out
}

// Sessions describes every live session, by pid.
func (m *Manager) Sessions() []Activity {
	m.mu.Lock()
	live := m.list()
	m.mu.Unlock()
	out := make([]Activity, len(live))
	for i, s := range live {
		out[i] = s.Activity()
	}
	slices.SortFunc(out, func(a, b Activity) int { return int(a.PID - b.PID) })
	return out
}
