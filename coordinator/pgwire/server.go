package pgwire

import (
	"context"
	"crypto/sha256"
	"crypto/sha512"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"log/slog"
	"net"
	"sync"
	"time"

	"github.com/tarnlake/tarn/coordinator/session"
	"github.com/tarnlake/tarn/internal/sqlerr"
)

// Config is what a Server needs. Manager must be set.
type Config struct {
	Manager *session.Manager
	// TLS, if not nil, is offered to clients; RequireTLS refuses those that do not take it.
	TLS        *tls.Config
	RequireTLS bool
	// Passwords verifies users; nil knows none.
	Passwords PasswordStore
	// TrustLoopback lets clients of this machine in without a password.
	TrustLoopback bool
	// AllowCleartext asks clients that cannot do SCRAM for the password itself, over TLS only.
	AllowCleartext bool
	// StartupTimeout bounds the time until a client is authenticated; 0 is a minute.
	StartupTimeout time.Duration
	// MaxMessage bounds one message of a client; 0 is 256 MiB.
	MaxMessage int
	Log        *slog.Logger // nil discards
	// Observe is told of every statement that has ended; it may be nil and must not block.
	Observe func(Observation)
}

// Observation describes a statement (or, in the extended protocol, one Execute) that has ended.
type Observation struct {
	Code    sqlerr.Code // 00000 for success
	Message string      // the error's
	Took    time.Duration
	Rows    int64 // sent
	Bytes   int64 // sent
	Session session.Activity
	Used    session.Usage
}

// PasswordStore finds users' passwords.
type PasswordStore interface {
	// Verifier gives the user's SCRAM verifier in PostgreSQL's form, see NewVerifier; "" when the user
	// does not exist or has no password.
	Verifier(ctx context.Context, user string) (string, error)
}

// Server serves clients on any number of listeners.
type Server struct {
	config  Config
	tls     *tls.Config
	binding []byte // hash of our certificate, for channel binding; nil without TLS

	base   context.Context
	cancel context.CancelFunc

	mu        sync.Mutex
	listeners map[net.Listener]struct{}
	closed    bool
	conns     sync.WaitGroup
}

// NewServer makes a server. Cancelling ctx cancels all its sessions.
func NewServer(ctx context.Context, config Config) (*Server, error) {
	if config.Log == nil {
		config.Log = slog.New(slog.DiscardHandler)
	}
	if config.StartupTimeout == 0 {
		config.StartupTimeout = time.Minute
	}
	if config.MaxMessage == 0 {
		config.MaxMessage = 256 << 20
	}
	s := &Server{config: config, listeners: map[net.Listener]struct{}{}}
	if config.TLS != nil {
		s.tls = config.TLS.Clone()
		s.tls.NextProtos = []string{"postgresql"}
		if len(s.tls.Certificates) > 0 {
			binding, err := endpointBinding(s.tls.Certificates[0])
			if err != nil {
				return nil, err
			}
			s.binding = binding
		}
	}
	s.base, s.cancel = context.WithCancel(ctx)
	return s, nil
}

// endpointBinding is the tls-server-end-point hash of RFC 5929: SHA-256 unless the certificate's
// signature uses a longer hash.
func endpointBinding(cert tls.Certificate) ([]byte, error) {
	leaf, err := x509.ParseCertificate(cert.Certificate[0])
	if err != nil {
		return nil, sqlerr.Wrap(err, sqlerr.ConfigFileError, "could not read the TLS certificate")
	}
	switch leaf.SignatureAlgorithm {
	case x509.SHA384WithRSA, x509.ECDSAWithSHA384, x509.SHA384WithRSAPSS:
		hash := sha512.Sum384(leaf.Raw)
		return hash[:], nil
	case x509.SHA512WithRSA, x509.ECDSAWithSHA512, x509.SHA512WithRSAPSS:
		hash := sha512.Sum512(leaf.Raw)
		return hash[:], nil
	case x509.PureEd25519: // no hash of its own: binding is undefined
		return nil, nil
	}
	hash := sha256.Sum256(leaf.Raw)
	return hash[:], nil
}

// Serve accepts connections until the listener fails or Shutdown; then the error is nil.
func (s *Server) Serve(listener net.Listener) error {
	s.mu.Lock()
	if s.closed {
		s.mu.Unlock()
		return listener.Close()
	}
	s.listeners[listener] = struct{}{}
	s.mu.Unlock()
	for {
		nc, err := listener.Accept()
		if err != nil {
			if s.isClosed() {
				return nil
			}
			if temporary(err) {
				s.config.Log.Warn("could not accept a connection", "error", err)
				time.Sleep(50 * time.Millisecond)
				continue
			}
			return err
		}
		s.conns.Add(1)
		go func() {
			defer s.conns.Done()
			s.serveConn(nc)
		}()
	}
}

// temporary tells errors of a full process (too many files) from those of a dead listener.
func temporary(err error) bool {
	var netErr interface{ Temporary() bool }
	return errors.As(err, &netErr) && netErr.Temporary()
}

func (s *Server) isClosed() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.closed
}

// ServeConn serves one connection, an in-process pipe for instance, until it ends. Pipes count as
// clients of this machine.
func (s *Server) ServeConn(nc net.Conn) {
	s.conns.Add(1)
	defer s.conns.Done()
	s.serveConn(nc)
}

// Shutdown stops accepting, lets running statements finish until ctx is done, and closes every
// connection.
func (s *Server) Shutdown(ctx context.Context) {
	s.mu.Lock()
	s.closed = true
	for listener := range s.listeners {
		_ = listener.Close()
	}
	s.mu.Unlock()
	s.config.Manager.Drain(ctx)
	s.cancel()
	s.conns.Wait()
}
