package node

import (
	"context"
	"crypto/tls"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/tarnlake/tarn/coordinator/pgwire"
	"github.com/tarnlake/tarn/coordinator/session"
	"github.com/tarnlake/tarn/internal/config"
	"github.com/tarnlake/tarn/internal/objstore"
	"github.com/tarnlake/tarn/internal/sqlerr"
	"github.com/tarnlake/tarn/planner/parser/ast"
)

// Options are the parts of a node. Config, Engine and Parse must be set.
type Options struct {
	Config  *config.Config
	Version string
	Engine  session.Engine
	Parse   func(sql string) ([]ast.Statement, error)
	// Spools keeps rows of suspended portals; nil keeps them in memory.
	Spools session.SpoolMaker
	// Passwords finds users that the configuration does not know; nil knows none.
	Passwords pgwire.PasswordStore
	// Defaults gives the settings with which a user's sessions begin; nil gives none.
	Defaults func(ctx context.Context, user string) ([]session.ReportedSetting, error)
	// Observe is told of every statement that has ended; nil: nobody is. It must not block.
	Observe func(pgwire.Observation)
	Log     *slog.Logger
	// Storage gives the requests to each bucket, for /metrics; nil gives none.
	Storage func() map[string]objstore.Usage
	// Caches gives what the caches of files have done, for /metrics; nil gives none.
	Caches func() []objstore.CacheStats
	// Load tells what queries hold at the moment, for /metrics; nil tells nothing.
	Load func() Load
	// Listen is false for a node inside another program, which has in-process clients only.
	Listen bool
}

// Load is what queries hold of a process.
type Load struct {
	Memory      int64 // bytes reserved
	Worked      int   // queries of the cluster with tasks here
	Coordinated int   // queries of this node's clients that run on other nodes too
}

// Node is a running process.
type Node struct {
	options  Options
	manager  *session.Manager
	wire     *pgwire.Server
	metrics  *metrics
	web      *http.Server
	pg, http net.Listener
	failed   chan error
	started  time.Time
	draining atomic.Bool
}

// Start opens the listeners and serves. Clients are answered when it returns.
func Start(ctx context.Context, options Options) (*Node, error) {
	if options.Log == nil {
		options.Log = slog.New(slog.DiscardHandler)
	}
	c := options.Config
	n := &Node{options: options, metrics: newMetrics(options.Version), failed: make(chan error, 2), started: time.Now()}
	n.manager = session.NewManager(session.Config{Engine: options.Engine, Parse: options.Parse, Version: options.Version,
		Settings: c.Settings, Defaults: options.Defaults, MaxSessions: c.Server.MaxConnections, Spools: options.Spools})
	n.metrics.observeSessions(n.manager)
	if options.Storage != nil {
		n.metrics.registry.MustRegister(storageCollector(options.Storage))
	}
	if options.Caches != nil {
		n.metrics.registry.MustRegister(cacheCollector(options.Caches))
	}
	if options.Load != nil {
		n.metrics.observeLoad(options.Load)
	}
	certificate, err := loadCertificate(c.TLS)
	if err != nil {
		return nil, err
	}
	n.wire, err = pgwire.NewServer(ctx, pgwire.Config{Manager: n.manager, TLS: certificate, RequireTLS: c.TLS.Required,
		Passwords: passwords{c.Auth.Users, options.Passwords}, TrustLoopback: c.Auth.TrustLoopback, AllowCleartext: c.Auth.AllowCleartext,
		StartupTimeout: time.Duration(c.Server.StartupTimeout), MaxMessage: int(c.Server.MaxMessage), Log: options.Log,
		Observe: n.observe})
	if err != nil {
		return nil, err
	}
	if options.Listen {
		if err := n.listen(ctx); err != nil {
			return nil, err
		}
	}
	return n, nil
}

func (n *Node) listen(ctx context.Context) error {
	var err error
	if n.options.Config.Cluster.Coordinates() {
		if n.pg, err = open(ctx, n.options.Config.Server.PgListen, "server.pg_listen"); err != nil {
			return err
		}
		go func() {
			if err := n.wire.Serve(n.pg); err != nil {
				n.failed <- err
			}
		}()
	}
	if n.options.Config.Server.HTTPListen == "" {
		return nil
	}
	if n.http, err = open(ctx, n.options.Config.Server.HTTPListen, "server.http_listen"); err != nil {
		if n.pg != nil {
			_ = n.pg.Close()
		}
		return err
	}
	n.web = &http.Server{Handler: n.handler(), ReadHeaderTimeout: 10 * time.Second}
	go func() {
		if err := n.web.Serve(n.http); !errors.Is(err, http.ErrServerClosed) {
			n.failed <- err
		}
	}()
	return nil
}

// open listens on an address, and says which setting to change when it cannot.
func open(ctx context.Context, address, key string) (net.Listener, error) {
	var how net.ListenConfig
	listener, err := how.Listen(ctx, "tcp", address)
	if err == nil {
		return listener, nil
	}
	failure := sqlerr.Wrap(err, sqlerr.ConfigFileError, "could not listen on %s", address)
	if errors.Is(err, syscall.EADDRINUSE) {
		return nil, failure.WithHint("Is another server running there? Stop it, or set %s to another address.", key)
	}
	return nil, failure.WithHint("Set %s to an address of this machine.", key)
}

func loadCertificate(c config.TLS) (*tls.Config, error) {
	if c.Certificate == "" {
		return nil, nil
	}
	pair, err := tls.LoadX509KeyPair(c.Certificate, c.Key)
	if err != nil {
		return nil, sqlerr.Wrap(err, sqlerr.ConfigFileError, "could not load tls.certificate and tls.key")
	}
	return &tls.Config{Certificates: []tls.Certificate{pair}, MinVersion: tls.VersionTLS12}, nil
}

// passwords asks the configuration first, then the catalog.
type passwords struct {
	configured map[string]string
	others     pgwire.PasswordStore
}

func (p passwords) Verifier(ctx context.Context, user string) (string, error) {
	if verifier := p.configured[user]; verifier != "" || p.others == nil {
		return verifier, nil
	}
	return p.others.Verifier(ctx, user)
}

func (n *Node) observe(o pgwire.Observation) {
	n.metrics.statement(o)
	if n.options.Observe != nil {
		n.options.Observe(o)
	}
}

// Version gives the program's version.
func (n *Node) Version() string { return n.options.Version }

// Started tells when the node began to serve.
func (n *Node) Started() time.Time { return n.started }

// Stopping tells whether the node is being stopped.
func (n *Node) Stopping() bool { return n.draining.Load() }

// Manager gives the live sessions.
func (n *Node) Manager() *session.Manager { return n.manager }

// Address gives where the wire protocol is served, "" when it is not.
func (n *Node) Address() string { return addressOf(n.pg) }

// HTTPAddress gives where HTTP is served, "" when it is not.
func (n *Node) HTTPAddress() string { return addressOf(n.http) }

func addressOf(listener net.Listener) string {
	if listener == nil {
		return ""
	}
	return listener.Addr().String()
}

// Pipe connects an in-process client.
func (n *Node) Pipe() net.Conn {
	client, server := net.Pipe()
	go n.wire.ServeConn(server)
	return client
}

// Wait returns when ctx is done (nil) or a listener has failed.
func (n *Node) Wait(ctx context.Context) error {
	select {
	case <-ctx.Done():
		return nil
	case err := <-n.failed:
		return err
	}
}

// Quiesce ends the serving of clients: no new ones, and running statements finish until ctx is done.
// HTTP goes on, to tell that the node is stopping.
func (n *Node) Quiesce(ctx context.Context) {
	n.draining.Store(true)
	n.wire.Shutdown(ctx)
}

// Close ends HTTP too, after Quiesce.
func (n *Node) Close() {
	if n.web != nil {
		_ = n.web.Close()
	}
}

// Stop is Quiesce and Close.
func (n *Node) Stop(ctx context.Context) {
	n.Quiesce(ctx)
	n.Close()
}
